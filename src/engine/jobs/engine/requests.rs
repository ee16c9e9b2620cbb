//! What clients ask for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::book::upkeep::validate;
use super::super::book::{self, Book, Draft, View};
use super::super::client::{Client, ClientId, Notice};
use super::super::counts::Counts;
use super::super::event::{Detail, Event, Sort};
use super::super::head::Seq;
use super::super::keys;
use super::super::local::Answer;
use super::super::tables::Reads;
use super::super::value::{Outcome, Value};
use super::{Jobs, RETRY_MS, broken};
use crate::engine::clock;
use crate::engine::workers::client::Signal;
use crate::engine::workers::stats::Summary;
use crate::error::{Error, Result};

/// The name of a job, and whether it is new.
pub type Submitted = (String, bool);

/// Who is told the name of a job.
pub type Waiting = Box<dyn FnOnce(Result<Submitted>) + Send>;

/// A snapshot of a queue.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What the queue counts, in all processes.
    pub counts: Counts,
    /// Jobs that this process works on.
    pub running: usize,
    /// Whether this process takes no jobs.
    pub paused: bool,
    /// Events that a client lost because it did not take them.
    pub dropped: u64,
    /// How long attempts took in this process.
    pub run: Summary,
    /// How long jobs were ready before.
    pub wait: Summary,
}

impl Jobs {
    /// Adds a client.
    pub fn join(&self, signal: Arc<dyn Signal>) -> ClientId {
        let mut local = self.local.lock();
        local.last_client += 1;
        let id = local.last_client;
        local.clients.insert(id, Client::new(signal));
        id
    }

    /// A client takes no more jobs.
    pub fn retire(&self, client: ClientId) {
        let mut local = self.local.lock();
        if let Some(client) = local.clients.get_mut(&client) {
            client.closing = true;
        }
        local.refresh_lanes();
        self.settle(local);
    }

    /// Removes a client. What it worked on goes back into the queue; with `blame`, that counts
    /// as an accident.
    pub fn leave(&self, client: ClientId, blame: bool) {
        let mut local = self.local.lock();
        local.clients.remove(&client);
        local.refresh_lanes();
        let own = local
            .running
            .iter()
            .filter(|(_, running)| running.client == client);
        let own: Vec<(Seq, u32, bool)> = own
            .map(|(seq, running)| (*seq, running.run, running.over))
            .collect();
        for (seq, run, _) in &own {
            local.vacate(*seq, *run);
        }
        self.mask_anew(&local);
        self.settle(local);
        let open = own.into_iter().filter(|(_, _, over)| !over);
        let runs: Vec<(Seq, u32)> = open.map(|(seq, run, _)| (seq, run)).collect();
        if !runs.is_empty() {
            self.give_back(runs, blame);
        }
    }

    /// A client can work on jobs of this type.
    pub fn serve(&self, client: ClientId, kind: &str) {
        let mut local = self.local.lock();
        if let Some(client) = local.clients.get_mut(&client) {
            client.lanes.insert(keys::lane(kind));
            local.maybe_ready = true;
        }
        local.refresh_lanes();
        self.settle(local);
    }

    /// Chooses the events that a client hears, as a sum of [`Sort::bit`].
    pub fn listen(&self, client: ClientId, mask: u32) {
        let mut local = self.local.lock();
        if let Some(client) = local.clients.get_mut(&client) {
            client.mask = mask;
        }
        self.mask_anew(&local);
    }

    fn mask_anew(&self, local: &super::Local) {
        let mask = local.clients.values().fold(0, |mask, client| mask | client.mask);
        self.mask.store(mask, Ordering::Relaxed);
    }

    /// The next notice for a client.
    pub fn next_notice(&self, client: ClientId) -> Option<Notice> {
        self.local.lock().clients.get_mut(&client)?.take()
    }

    /// Whether nothing is to be done now, nor, in memory, later.
    pub fn idle(&self) -> bool {
        self.is_idle(&self.local.lock())
    }

    /// Accepts a job of a queue in memory.
    ///
    /// # Errors
    /// The queue has ended.
    pub fn submit_now(&self, draft: &Draft) -> Result<Submitted> {
        let mut local = self.local.lock();
        let result = match local.ended {
            true => Err(super::CLOSED),
            false => self.change_in_memory(&mut local, |book| book.submit(draft)),
        };
        self.settle(local);
        result
    }

    /// Accepts a job; `told` hears of it after the commit.
    pub fn submit(&self, draft: Draft, told: Waiting) {
        let run = move |book: &mut Book<'_>| book.submit(&draft);
        self.change(false, run, |_, result| told(result));
    }

    /// An answer to a run. With `last`, a failed job gets no further attempt.
    pub fn answer(&self, seq: Seq, run: u32, outcome: Outcome, last: bool) {
        let mut local = self.local.lock();
        let Some(running) = local.vacate(seq, run) else {
            return self.settle(local);
        };
        let progress = local.told.remove(&seq).map(|(_, value)| value);
        local
            .run
            .record(clock::now_us().saturating_sub(running.started_us));
        if running.over {
            return self.settle(local);
        }
        if self.is_durable() {
            // The place is free for what the same commit takes.
            self.settle(local);
            let outcome = Arc::new(outcome);
            return self.record(Answer {
                seq,
                run,
                outcome,
                last,
                progress,
            });
        }
        let result = self.change_in_memory(&mut local, |book| book.finish(seq, run, &outcome, last));
        if let Err(error) = result {
            local.complain(&error);
        }
        self.settle(local);
    }

    /// Stores an answer. One that cannot be stored is kept and tried again.
    pub(super) fn record(&self, answer: Answer) {
        let kept = answer.clone();
        let me = self.me.clone();
        let run = move |book: &mut Book<'_>| {
            if let Some(value) = &answer.progress {
                book.progress(answer.seq, answer.run, value)?;
            }
            book.finish(answer.seq, answer.run, &answer.outcome, answer.last)
        };
        self.change(true, run, move |local, result| {
            if let (Err(error), Some(me)) = (result, me.upgrade()) {
                local.unsaved.push(kept);
                local.retry_ms = Some(me.now_ms() + RETRY_MS);
                local.complain(&error);
            }
        });
    }

    /// A processor tells how far a run is. False when nobody waits for that run any more.
    pub fn progress(&self, seq: Seq, run: u32, value: Value) -> bool {
        let mut local = self.local.lock();
        let Some(running) = local.running.get(&seq).filter(|job| job.run == run && !job.over) else {
            return false;
        };
        if self.mask.load(Ordering::Relaxed) & Sort::Progress.bit() != 0 {
            let event = Event {
                sort: Sort::Progress,
                id: running.id.clone(),
                kind: running.kind.clone(),
                figures: [f64::from(running.attempt), 0.0],
                detail: Detail::Value(value.clone()),
            };
            local.publish(event);
        }
        if self.is_durable() {
            local.told.insert(seq, (run, value));
            self.flush_later(&mut local);
        } else if let Err(error) = self.change_in_memory(&mut local, |book| book.progress(seq, run, &value)) {
            local.complain(&error);
        }
        self.settle(local);
        true
    }

    /// Ends a job; `told` hears whether it had not ended before.
    pub fn cancel(&self, id: String, told: impl FnOnce(Result<bool>) + Send + 'static) {
        self.change(true, move |book| book.cancel(&id), |_, result| told(result));
    }

    /// Gives dead letters another chance: those named, or the oldest.
    pub fn revive(
        &self,
        ids: Option<Vec<String>>,
        most: u64,
        told: impl FnOnce(Result<u64>) + Send + 'static,
    ) {
        let run = move |book: &mut Book<'_>| book.revive(ids.as_deref(), most);
        self.change(false, run, |_, result| told(result));
    }

    /// Ends everything that waits in a queue in memory which nobody else uses.
    pub fn abandon(&self) {
        if self.is_durable() || self.local.lock().clients.len() > 1 {
            return;
        }
        loop {
            let mut local = self.local.lock();
            let ended = self.change_in_memory(&mut local, |book| book.cancel_waiting());
            self.settle(local);
            if !matches!(ended, Ok(1..)) {
                return;
            }
        }
    }

    /// This process takes no jobs while it is paused. What it works on goes on.
    pub fn pause(&self, paused: bool) {
        let mut local = self.local.lock();
        local.paused = paused;
        local.maybe_ready |= !paused;
        self.settle(local);
    }

    /// Jobs that this process works on at a time.
    pub fn max_concurrent(&self) -> usize {
        self.max_concurrent.load(Ordering::Relaxed)
    }

    /// Changes that, to one at least. What is begun goes on.
    pub fn set_max_concurrent(&self, most: usize) {
        self.max_concurrent.store(most.max(1), Ordering::Relaxed);
        let mut local = self.local.lock();
        local.maybe_ready = true;
        self.settle(local);
    }

    /// Calls `done` when everything that was asked for before is committed.
    pub fn after_commit(&self, done: impl FnOnce() + Send + 'static) {
        self.change(true, |_| Ok(()), |_, _| done());
    }

    /// Calls `done` when the queue has ended and its store is free.
    pub fn at_end(&self, done: impl FnOnce() + Send + 'static) {
        self.at_end.lock().push(Box::new(done));
    }

    /// Whether the last handle has gone.
    pub fn has_ended(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Takes the calls that would have been made at the end.
    pub fn stays(&self) -> Vec<Box<dyn FnOnce() + Send>> {
        std::mem::take(&mut *self.at_end.lock())
    }

    fn read<T>(&self, body: impl FnOnce(&dyn Reads) -> heed::Result<T>) -> Result<T> {
        match self.is_durable() {
            true => self.store()?.read(body),
            false => body(&self.local.lock().tables).map_err(broken),
        }
    }

    /// A job as it is now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn view(&self, id: &str) -> Result<Option<View>> {
        let mut view = self.read(|tables| book::view(tables, id))?;
        if let Some(view) = &mut view
            && let Some((run, value)) = self.local.lock().told.get(&view.seq)
            && *run == view.head.runs
        {
            view.progress = Some(value.clone());
        }
        Ok(view)
    }

    /// The queue in figures.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn snapshot(&self, client: ClientId) -> Result<Snapshot> {
        let counts = self.read(book::counts_of)?;
        let local = self.local.lock();
        Ok(Snapshot {
            counts,
            running: local.running.values().filter(|running| !running.over).count(),
            paused: local.paused,
            dropped: local.clients.get(&client).map_or(0, |client| client.dropped),
            run: local.run.summary(),
            wait: local.wait.summary(),
        })
    }

    /// Recounts everything that is kept twice.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] names the first disagreement.
    pub fn validate(&self) -> Result<()> {
        let wrong = self.read(|tables| validate(tables, &self.config.rules))?;
        if let Some(reason) = wrong {
            return Err(Error::Inconsistent { reason });
        }
        let local = self.local.lock();
        for (id, client) in &local.clients {
            let own = local.running.values().filter(|running| running.client == *id);
            if own.count() != client.running {
                let reason = format!("client {id} does not work on {} jobs", client.running);
                return Err(Error::Inconsistent { reason });
            }
        }
        Ok(())
    }
}
