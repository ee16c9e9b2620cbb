//! The state machine of a pool: who does what, what waits, what is due.
//!
//! It is pure: no clock, no lock, no thread. Every method says what time it is, in
//! microseconds, and leaves behind whom to wake (see [`Scheduler::take_signals`]) and when
//! to be called again ([`Scheduler::alarm_us`]). [`Pool`](super::pool::Pool) puts a lock and
//! the outside world around it.
//!
//! - `taking`: from the order to the worker's hands.
//! - `ending`: answers, failures, repetitions, aborts.
//! - `staffing`: starting, retiring, losing and replacing workers.

mod ending;
mod staffing;
mod taking;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::client::{Client, Event, Notice, Signal};
use super::crew::{Phase, Worker};
use super::queue::ReadyQueue;
use super::stats::{Counters, Snapshot};
use super::task::{ClientId, Place, Task, TaskId, WorkerId};
use crate::error::{Error, Result};

pub use taking::{Given, Take};

/// How long a ready task waits before another worker is started for it, in microseconds:
/// short tasks are done sooner than a thread starts.
pub const SCALE_AFTER_US: u64 = 5_000;

/// How long a worker may take to show that it is alive, and a function to heed its abort
/// signal, in microseconds.
pub const GRACE_US: u64 = 1_000_000;

/// Threads that fail to start in a row before those who wait are told.
const START_FAILURES: u32 = 3;

/// What a pool is made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Most workers. At least 1.
    pub max_workers: usize,
    /// Workers that are kept though they have nothing to do.
    pub min_workers: usize,
    /// Most tasks that wait for their first or next attempt.
    pub max_queue: usize,
    /// Most tasks that a worker has in hand at once.
    pub per_worker: usize,
    /// Time without work after which a worker above the minimum leaves, in milliseconds.
    pub idle_ms: Option<u64>,
    /// Attempts after which a worker is replaced.
    pub max_tasks: Option<u64>,
}

/// Why an order is not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The client has left, or the pool has ended.
    Closed,
    /// So many tasks wait already.
    Full(usize),
}

/// See the module.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
    tasks: HashMap<TaskId, Task, ahash::RandomState>,
    ready: ReadyQueue<TaskId>,
    /// Tasks between two attempts, by when the next one is due.
    delayed: BTreeSet<(u64, TaskId)>,
    /// Waiting tasks with a priority above, of, and below 0.
    waiting: [usize; 3],
    workers: BTreeMap<WorkerId, Worker>,
    /// Workers that wait for their signal, the one that came last at the end.
    listening: Vec<WorkerId>,
    clients: BTreeMap<ClientId, Client>,
    counters: Counters,
    signals: Vec<Arc<dyn Signal>>,
    /// When [`tick`](Scheduler::tick) has something to do, at the latest.
    alarm_us: u64,
    last_task: TaskId,
    last_worker: WorkerId,
    last_client: ClientId,
    start_failures: u32,
    /// Starting workers is of no use until somebody orders something again.
    unstartable: bool,
    ended: bool,
    /// A number that chance is made of.
    dice: u64,
}

impl Scheduler {
    /// A pool without clients, tasks and workers.
    ///
    /// # Errors
    /// The histograms cannot be made; never with the bounds that they have.
    pub fn new(limits: Limits) -> Result<Self> {
        Ok(Self {
            limits,
            tasks: HashMap::default(),
            ready: ReadyQueue::default(),
            delayed: BTreeSet::new(),
            waiting: [0; 3],
            workers: BTreeMap::new(),
            listening: Vec::new(),
            clients: BTreeMap::new(),
            counters: Counters::new()?,
            signals: Vec::new(),
            alarm_us: u64::MAX,
            last_task: 0,
            last_worker: 0,
            last_client: 0,
            start_failures: 0,
            unstartable: false,
            ended: false,
            dice: 0x9E37_79B9_7F4A_7C15,
        })
    }

    /// Adds a client. Its thread may be asked to start workers at once.
    pub fn join(&mut self, signal: Arc<dyn Signal>, now_us: u64) -> ClientId {
        self.last_client += 1;
        let id = self.last_client;
        self.clients.insert(id, Client::new(id, signal));
        self.staff(now_us);
        id
    }

    /// Chooses the events that a client hears, as a sum of `1 << `[`Event::index`].
    pub fn listen(&mut self, client: ClientId, mask: u32) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.mask = mask;
        }
    }

    /// The next notice for a client.
    pub fn next_notice(&mut self, client: ClientId) -> Option<Notice> {
        self.clients.get_mut(&client)?.take()
    }

    /// Puts a notice back that could not be handed over yet.
    pub fn put_back(&mut self, client: ClientId, notice: Notice) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.put_back(notice);
        }
    }

    /// Events that a client lost because it did not take them.
    pub fn dropped_events(&self, client: ClientId) -> u64 {
        self.clients.get(&client).map_or(0, |client| client.dropped)
    }

    /// Whoever has to be woken for what has happened since the last call.
    pub fn take_signals(&mut self) -> Vec<Arc<dyn Signal>> {
        std::mem::take(&mut self.signals)
    }

    /// When [`tick`](Self::tick) wants to be called, at the latest.
    pub fn alarm_us(&self) -> u64 {
        self.alarm_us
    }

    /// Does what is due.
    pub fn tick(&mut self, now_us: u64) {
        self.alarm_us = u64::MAX;
        self.release_delayed(now_us);
        self.end_overdue(now_us);
        self.retire_idle(now_us);
        self.staff(now_us);
        if let Some(&(due_us, _)) = self.delayed.first() {
            self.alarm_by(due_us);
        }
    }

    /// A snapshot of the pool.
    pub fn snapshot(&self) -> Snapshot {
        let phase = |wanted: Phase| self.workers.values().filter(move |worker| worker.phase == wanted);
        let busy = |worker: &&Worker| !worker.ledger.is_empty();
        Snapshot {
            starting: phase(Phase::Starting).count(),
            idle: self.workers.values().filter(|worker| worker.is_idle()).count(),
            busy: self.workers.values().filter(busy).count(),
            running: self.workers.values().map(|worker| worker.ledger.len()).sum(),
            ready: self.ready.len(),
            delayed: self.delayed.len(),
            by_priority: self.waiting,
            counters: self.counters.clone(),
        }
    }

    /// Recounts everything that is kept twice.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] names the first disagreement.
    pub fn validate(&self) -> Result<()> {
        let wrong = |reason: String| Err(Error::Inconsistent { reason });
        let mut places = [0; 3];
        let mut waiting = [0; 3];
        for (id, task) in &self.tasks {
            match &task.place {
                Place::Ready(_) => places[0] += 1,
                Place::Delayed { due_us } => {
                    places[1] += 1;
                    if !self.delayed.contains(&(*due_us, *id)) {
                        return wrong(format!("task {id} waits for nothing"));
                    }
                }
                Place::Held(worker) => {
                    places[2] += 1;
                    let ledger = self.workers.get(worker).map(|worker| &worker.ledger);
                    let listed = |held: &&super::crew::Held| held.task == *id && !held.abandoned;
                    let count = ledger.map_or(0, |ledger| ledger.iter().filter(listed).count());
                    if count != 1 {
                        return wrong(format!("task {id} is {count} times in the ledger of {worker}"));
                    }
                }
            }
            if !matches!(task.place, Place::Held(_)) {
                waiting[class(task.order.priority)] += 1;
            }
            if !self.clients.contains_key(&task.client) {
                return wrong(format!("task {id} has no client"));
            }
        }
        let lines = self.workers.values().flat_map(|worker| &worker.ledger);
        let held = lines.filter(|held| !held.abandoned).count();
        if places != [self.ready.len(), self.delayed.len(), held] {
            return wrong(format!("tasks are in places {places:?}"));
        }
        if waiting != self.waiting {
            return wrong(format!("{waiting:?} wait, not {:?}", self.waiting));
        }
        if let Some(worker) = self
            .workers
            .values()
            .find(|worker| worker.ledger.len() > self.limits.per_worker)
        {
            return wrong(format!("worker {} holds too much", worker.id));
        }
        let counters = &self.counters;
        let ended = counters.completed + counters.failed + counters.cancelled;
        if counters.submitted != ended + self.tasks.len() as u64 {
            return wrong(format!("{} submitted, {ended} ended", counters.submitted));
        }
        Ok(())
    }

    fn alarm_by(&mut self, due_us: u64) {
        self.alarm_us = self.alarm_us.min(due_us);
    }

    fn tell(&mut self, client: ClientId, notice: Notice) {
        let signal = self
            .clients
            .get_mut(&client)
            .and_then(|client| client.tell(notice));
        self.signals.extend(signal);
    }

    fn publish(&mut self, event: Event) {
        let bit = 1 << event.index();
        for client in self.clients.values_mut().filter(|client| client.mask & bit != 0) {
            self.signals.extend(client.tell(Notice::Event(event.clone())));
        }
    }

    /// A number from 0 up to 1 (xorshift; retries need chance, not secrecy).
    fn chance(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The class of a priority in statistics.
fn class(priority: i64) -> usize {
    match priority {
        1.. => 0,
        0 => 1,
        _ => 2,
    }
}

/// Deadlines in microseconds: never past the end of time.
fn after(now_us: u64, ms: u64) -> u64 {
    now_us.saturating_add(ms.saturating_mul(1_000))
}

/// What is due when nothing is.
const NEVER: u64 = u64::MAX;
