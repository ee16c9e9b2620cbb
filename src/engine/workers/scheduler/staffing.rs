//! Starting, retiring, losing and replacing workers.

use std::sync::Arc;

use super::super::client::{Client, Departure, Event, Notice, Signal};
use super::super::crew::{Phase, Worker};
use super::super::task::{Cause, ClientId, Payload, TaskId, WorkerId};
use super::{SCALE_AFTER_US, START_FAILURES, Scheduler, after};

/// The exit code of a worker whose host has gone.
const HOST_GONE: i32 = 1;

impl Scheduler {
    /// The client that starts workers: the one that has been there longest.
    pub fn host(&self) -> Option<ClientId> {
        let stays = |client: &&Client| !client.leaving;
        self.clients.values().find(stays).map(|client| client.id)
    }

    /// Starts the workers that are missing: up to the minimum in any case, up to the maximum
    /// for what waits longer than it should.
    pub(super) fn staff(&mut self, now_us: u64) {
        let Some(host) = self.host() else {
            return;
        };
        if self.ended || self.unstartable {
            return;
        }
        let serving = self.workers.values().filter(|worker| worker.serves()).count();
        let starting = self.starting();
        // Those who leave still have a thread.
        let room = self.limits.max_workers.saturating_sub(self.workers.len());
        let missing = self.limits.min_workers.saturating_sub(serving);
        let wanted = self.wanted_for_backlog(serving, starting, now_us);
        for _ in 0..missing.max(wanted).min(room) {
            self.last_worker += 1;
            let id = self.last_worker;
            self.workers.insert(id, Worker::new(id, host, now_us));
            self.tell(host, Notice::Start(id));
        }
    }

    fn starting(&self) -> usize {
        let starting = |worker: &&Worker| worker.phase == Phase::Starting;
        self.workers.values().filter(starting).count()
    }

    fn wanted_for_backlog(&mut self, serving: usize, starting: usize, now_us: u64) -> usize {
        let needed = self.ready.len().div_ceil(self.limits.per_worker);
        if needed <= starting || serving >= self.limits.max_workers {
            return 0;
        }
        let due_us = self.ready.oldest_ms().map_or(0, |ms| ms * 1_000) + SCALE_AFTER_US;
        if serving == 0 || due_us <= now_us {
            return needed - starting;
        }
        self.alarm_by(due_us);
        0
    }

    /// A worker's thread is ready to serve. False when it shall leave at once.
    pub fn started(&mut self, id: WorkerId, signal: Arc<dyn Signal>, now_us: u64) -> bool {
        let workers = self.workers.len();
        let Some(worker) = self.workers.get_mut(&id) else {
            return false;
        };
        worker.signal = Some(signal);
        worker.idle_since_us = now_us;
        if worker.phase != Phase::Starting {
            return false;
        }
        worker.phase = Phase::Ready;
        self.start_failures = 0;
        self.counters.created += 1;
        self.publish(Event::WorkerCreated { worker: id, workers });
        true
    }

    /// Asks a worker to leave when it has done what it has.
    pub fn retire(&mut self, id: WorkerId, departure: Departure, now_us: u64) {
        if let Some(worker) = self.workers.get_mut(&id)
            && worker.serves()
        {
            worker.phase = Phase::Leaving(departure);
            worker.listening = false;
            self.signals.extend(worker.signal.clone());
            self.staff(now_us);
        }
    }

    /// How many workers there may be, and how many there have to be.
    pub fn bounds(&self) -> (usize, usize) {
        (self.limits.max_workers, self.limits.min_workers)
    }

    /// Changes these. Workers beyond the maximum leave when they have done what they have, those
    /// first that have nothing.
    pub fn resize(&mut self, max_workers: usize, min_workers: usize, now_us: u64) {
        self.limits.max_workers = max_workers.max(1);
        self.limits.min_workers = min_workers.min(self.limits.max_workers);
        let mut serving: Vec<(bool, WorkerId)> = (self.workers.values())
            .filter(|worker| worker.serves())
            .map(|worker| (worker.is_idle(), worker.id))
            .collect();
        serving.sort_unstable();
        let kept = self.limits.max_workers.min(serving.len());
        // The busy ones sort first, and are kept.
        for (_, id) in serving.split_off(kept) {
            self.retire(id, Departure::Idle, now_us);
        }
        self.staff(now_us);
    }

    /// Lets go of workers that have had nothing to do for long.
    pub(super) fn retire_idle(&mut self, now_us: u64) {
        let Some(idle_ms) = self.limits.idle_ms else {
            return;
        };
        let serving = self.workers.values().filter(|worker| worker.serves()).count();
        let mut spare = serving.saturating_sub(self.limits.min_workers);
        let mut retiring = Vec::new();
        let mut next_us = u64::MAX;
        for worker in self.workers.values().filter(|worker| worker.is_idle()) {
            let due_us = after(worker.idle_since_us, idle_ms);
            if spare == 0 {
                break;
            }
            if due_us <= now_us {
                spare -= 1;
                retiring.push(worker.id);
            } else {
                next_us = next_us.min(due_us);
            }
        }
        self.alarm_by(next_us);
        for id in retiring {
            self.retire(id, Departure::Idle, now_us);
        }
    }

    /// Has a worker ended by its host.
    pub(super) fn doom(&mut self, id: WorkerId, departure: Departure) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if matches!(worker.phase, Phase::Doomed(_)) {
            return;
        }
        worker.phase = Phase::Doomed(departure);
        worker.listening = false;
        self.signals.extend(worker.signal.clone());
        let host = worker.host;
        self.tell(host, Notice::Kill(id));
    }

    /// A worker names the task that it dies of.
    pub fn blame(&mut self, id: WorkerId, number: TaskId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.culprit = Some(number);
        }
    }

    /// A worker has gone. What it held is repeated or fails; what was not the cause goes
    /// back into the queue as if nothing had happened.
    pub fn exited(&mut self, id: WorkerId, code: i32, error: Option<Arc<[u8]>>, now_us: u64) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        let departure = match worker.phase {
            Phase::Starting => Departure::Unstartable,
            Phase::Ready => Departure::Died,
            Phase::Leaving(departure) if worker.ledger.is_empty() => departure,
            Phase::Leaving(_) => Departure::Died,
            Phase::Doomed(departure) => departure,
        };
        self.counters.exited += 1;
        self.counters.died += u64::from(departure == Departure::Died);
        self.publish(Event::WorkerExited {
            worker: id,
            code,
            departure,
            served: worker.served,
            workers: self.workers.len(),
        });
        let died = departure == Departure::Died;
        let mut ledger = worker.ledger;
        ledger.sort_unstable_by_key(|held| held.task);
        for held in ledger.into_iter().filter(|held| !held.abandoned) {
            let running = held.started_us.is_some();
            let guilty = died && running && worker.culprit.is_none_or(|culprit| culprit == held.task);
            let cause = Cause::Exited {
                code,
                error: error.clone(),
            };
            match guilty {
                true => self.attempt_failed(held.task, cause, now_us),
                false => self.give_back(held.task, running, cause, now_us),
            }
        }
        if departure == Departure::Unstartable {
            self.start_failed(error, now_us);
        }
        self.staff(now_us);
    }

    /// A task goes back into the queue through no fault of its own.
    fn give_back(&mut self, number: TaskId, begun: bool, cause: Cause, now_us: u64) {
        let Some(task) = self.tasks.get_mut(&number) else {
            return;
        };
        task.attempts -= u32::from(begun);
        if matches!(task.order.payload, Payload::Message { sent: true }) {
            // What was sent is gone.
            return self.fail(number, cause);
        }
        self.requeue(number, now_us);
    }

    /// A worker's code cannot be loaded, for the reason of this encoded error. Its thread
    /// ends by itself.
    pub fn unstartable(&mut self, id: WorkerId, error: Arc<[u8]>, now_us: u64) {
        if self.workers.contains_key(&id) {
            self.start_failures = START_FAILURES;
            self.exited(id, 1, Some(error), now_us);
        }
    }

    /// A thread did not get ready. Those who wait are told once that is no accident, and
    /// nobody is there who could serve them.
    fn start_failed(&mut self, error: Option<Arc<[u8]>>, now_us: u64) {
        self.start_failures += 1;
        if self.start_failures < START_FAILURES {
            return;
        }
        self.unstartable = true;
        if self
            .workers
            .values()
            .any(|worker| worker.phase != Phase::Starting)
        {
            return;
        }
        let mut numbers: Vec<TaskId> = self.tasks.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            self.abort(number, Cause::Unstartable(error.clone()), now_us);
        }
    }

    /// A client's tasks are ended; those of others are not. The workers that it hosts finish
    /// what they have. It is still told how its tasks have ended.
    pub fn terminate(&mut self, client: ClientId, now_us: u64) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.leaving = true;
        }
        self.abort_all(client, &Cause::Terminated, now_us);
        if self.clients.values().all(|client| client.leaving) {
            return self.end();
        }
        let hosted: Vec<WorkerId> = self.hosted_by(client);
        for id in hosted {
            let worker = self.workers.get(&id);
            match worker.is_some_and(|worker| worker.ledger.is_empty()) {
                true => self.doom(id, Departure::Terminated),
                false => self.retire(id, Departure::Terminated, now_us),
            }
        }
    }

    pub(super) fn hosted_by(&self, client: ClientId) -> Vec<WorkerId> {
        let hosted = |worker: &&Worker| worker.host == client;
        self.workers
            .values()
            .filter(hosted)
            .map(|worker| worker.id)
            .collect()
    }

    /// A client has gone, and with it its tasks. `thread_ends` says that the workers that it
    /// hosts end too.
    pub fn leave(&mut self, client: ClientId, thread_ends: bool, now_us: u64) {
        self.abort_all(client, &Cause::Terminated, now_us);
        self.clients.remove(&client);
        if thread_ends {
            for id in self.hosted_by(client) {
                self.doom(id, Departure::Terminated);
                self.exited(id, HOST_GONE, None, now_us);
            }
        }
        if self.clients.is_empty() {
            self.end();
        }
        self.staff(now_us);
    }

    /// The end of the pool: every worker shall leave.
    pub fn end(&mut self) {
        self.ended = true;
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.doom(id, Departure::Terminated);
        }
    }

    /// Whether the pool has ended.
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}
