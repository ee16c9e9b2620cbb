//! What a queue knows of this process: who works on what, and what is to be done when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::book::{Effects, Taken};
use super::client::{Client, ClientId, Ending, Notice};
use super::event::Event;
use super::head::Seq;
use super::keys::{self, Lane};
use super::tables::MemoryTables;
use super::value::{Outcome, Value};
use crate::engine::workers::client::Signal;
use crate::engine::workers::stats::Durations;
use crate::error::{Error, Result};

/// A job that a client works on.
#[derive(Debug)]
pub struct Running {
    pub client: ClientId,
    pub run: u32,
    pub kind: String,
    pub id: String,
    pub attempt: u32,
    pub started_us: u64,
    pub timeout_ms: Option<u64>,
    /// When it has to be over, if ever.
    pub deadline_ms: Option<u64>,
    /// The queue does not wait for its answer any more; its place is still taken.
    pub over: bool,
}

/// An answer that could not be stored yet.
#[derive(Debug, Clone)]
pub struct Answer {
    pub seq: Seq,
    pub run: u32,
    pub outcome: Arc<Outcome>,
    pub last: bool,
    pub progress: Option<Value>,
}

/// See the module.
#[derive(Debug)]
pub struct Local {
    /// The jobs, if they are kept in memory.
    pub tables: MemoryTables,
    pub clients: BTreeMap<ClientId, Client>,
    pub last_client: ClientId,
    /// Everything that somebody here can work on.
    pub lanes: Arc<[Lane]>,
    pub running: HashMap<Seq, Running, ahash::RandomState>,
    /// When running jobs have to be over.
    pub deadlines: BTreeSet<(u64, Seq)>,
    /// Places for jobs that are being taken from the store.
    pub reserved: usize,
    /// Changes that are not committed yet.
    pub pending: usize,
    pub paused: bool,
    pub ended: bool,
    /// There may be a job that somebody can work on.
    pub maybe_ready: bool,
    /// Taking from the store is queued.
    pub take_queued: bool,
    /// Taking from the store is to be queued.
    pub take_wanted: bool,
    /// When the next job is due, at the latest.
    pub next_due_ms: Option<u64>,
    /// The last progress of running jobs that is not stored yet.
    pub told: HashMap<Seq, (u32, Value), ahash::RandomState>,
    /// When that will be stored.
    pub flush_ms: Option<u64>,
    /// Answers that could not be stored.
    pub unsaved: Vec<Answer>,
    /// Not before then is the store tried again after a failure.
    pub retry_ms: Option<u64>,
    /// When the lease is to be renewed.
    pub renew_ms: Option<u64>,
    /// Other processes have the store open, too.
    pub others: bool,
    /// When to look what other processes did.
    pub poll_ms: Option<u64>,
    /// The state of the store that was seen last.
    pub seen: usize,
    /// Jobs that were taken for clients who have left.
    pub unwanted: Vec<(Seq, u32)>,
    /// Whether clients know that there is nothing to do.
    pub told_idle: bool,
    pub signals: Vec<Arc<dyn Signal>>,
    pub run: Durations,
    pub wait: Durations,
}

impl Local {
    pub fn new() -> Result<Self> {
        Ok(Self {
            tables: MemoryTables::default(),
            clients: BTreeMap::new(),
            last_client: 0,
            lanes: Arc::default(),
            running: HashMap::default(),
            deadlines: BTreeSet::new(),
            reserved: 0,
            pending: 0,
            paused: false,
            ended: false,
            maybe_ready: true,
            take_queued: false,
            take_wanted: false,
            next_due_ms: None,
            told: HashMap::default(),
            flush_ms: None,
            unsaved: Vec::new(),
            retry_ms: None,
            renew_ms: None,
            others: false,
            poll_ms: None,
            seen: 0,
            unwanted: Vec::new(),
            told_idle: true,
            signals: Vec::new(),
            run: Durations::new()?,
            wait: Durations::new()?,
        })
    }

    /// Clients have come, gone, or learnt something.
    pub fn refresh_lanes(&mut self) {
        let open = self.clients.values().filter(|client| !client.closing);
        let all: BTreeSet<Lane> = open.flat_map(|client| client.lanes.iter().copied()).collect();
        self.lanes = all.into_iter().collect();
    }

    /// Places for more jobs.
    pub fn free(&self, most: usize) -> usize {
        match self.paused || self.ended || self.retry_ms.is_some() {
            true => 0,
            false => most.saturating_sub(self.running.len() + self.reserved),
        }
    }

    /// Hands a job to the client that has the least to do of those who can work on it.
    pub fn assign(&mut self, taken: Taken, now_ms: u64, now_us: u64) {
        let lane = keys::lane(&taken.head.kind);
        let able = |client: &&mut Client| !client.closing && client.lanes.contains(&lane);
        let candidates = self.clients.iter_mut();
        let able = candidates.filter(|(_, client)| able(&client));
        let Some((id, client)) = able.min_by_key(|(_, client)| client.running) else {
            self.unwanted.push((taken.seq, taken.head.runs));
            return;
        };
        let (seq, head) = (taken.seq, &taken.head);
        let deadline_ms = head.timeout_ms.map(|ms| now_ms.saturating_add(ms));
        let running = Running {
            client: *id,
            run: head.runs,
            kind: head.kind.clone(),
            id: head.id(seq),
            attempt: head.attempts,
            started_us: now_us,
            timeout_ms: head.timeout_ms,
            deadline_ms,
            over: false,
        };
        self.deadlines.extend(deadline_ms.map(|deadline| (deadline, seq)));
        self.wait.record(now_ms.saturating_sub(head.ready_ms) * 1_000);
        self.running.insert(seq, running);
        client.running += 1;
        self.signals.extend(client.tell(Notice::Run(Box::new(taken))));
    }

    /// A place becomes free, if this run has it.
    pub fn vacate(&mut self, seq: Seq, run: u32) -> Option<Running> {
        self.running.get(&seq).filter(|running| running.run == run)?;
        let running = self.running.remove(&seq)?;
        if let Some(deadline) = running.deadline_ms {
            self.deadlines.remove(&(deadline, seq));
        }
        if let Some(client) = self.clients.get_mut(&running.client) {
            client.running -= 1;
        }
        Some(running)
    }

    /// Nobody waits for the answer of a run any more. Its place stays taken for a while, since
    /// it is still being worked on.
    pub fn give_up(&mut self, seq: Seq, run: u32, ending: Ending, until_ms: u64) {
        let Some(running) = self.running.get_mut(&seq) else {
            return;
        };
        if running.run != run || running.over {
            return;
        }
        running.over = true;
        if let Some(deadline) = running.deadline_ms.replace(until_ms) {
            self.deadlines.remove(&(deadline, seq));
        }
        self.deadlines.insert((until_ms, seq));
        self.told.remove(&seq);
        if let Some(client) = self.clients.get_mut(&running.client) {
            self.signals.extend(client.tell(Notice::Abort(seq, run, ending)));
        }
    }

    /// Tells those who listen.
    pub fn publish(&mut self, event: Event) {
        let bit = event.sort.bit();
        for client in self.clients.values_mut().filter(|client| client.mask & bit != 0) {
            self.signals
                .extend(client.tell(Notice::Event(Box::new(event.clone()))));
        }
    }

    /// Tells everybody that the store does not work.
    pub fn complain(&mut self, error: &Error) {
        for client in self.clients.values_mut() {
            self.signals.extend(client.tell(Notice::Trouble(error.clone())));
        }
    }

    /// What follows from a change, save the endings of runs.
    pub fn follow(&mut self, effects: &mut Effects) {
        for event in effects.events.drain(..) {
            self.publish(event);
        }
        self.maybe_ready |= effects.ready;
        if let Some(due_ms) = effects.due_ms {
            self.next_due_ms = Some(self.next_due_ms.map_or(due_ms, |next| next.min(due_ms)));
        }
    }

    /// When something is to be done, at the latest.
    pub fn alarm_ms(&self) -> Option<u64> {
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let times = [
            self.next_due_ms,
            deadline,
            self.flush_ms,
            self.retry_ms,
            self.renew_ms,
            self.poll_ms,
        ];
        times.into_iter().flatten().min()
    }
}
