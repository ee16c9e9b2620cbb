//! Answers, failures, repetitions, aborts.

use super::super::client::{Departure, Event, Notice, Settlement};
use super::super::crew::Phase;
use super::super::task::{Cause, ClientId, Payload, Place, Task, TaskId, WorkerId};
use super::{GRACE_US, Scheduler, after, class};

impl Scheduler {
    /// A worker's answer. What nobody waits for any more is dropped.
    pub fn finish(&mut self, id: WorkerId, number: TaskId, answer: Result<Settlement, Cause>, now_us: u64) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        worker.seen_us = now_us;
        let Some(held) = worker.release(number) else {
            return;
        };
        if worker.ledger.is_empty() {
            worker.idle_since_us = now_us;
        }
        self.end_wasted(id);
        if held.abandoned {
            return;
        }
        let run_us = held
            .started_us
            .map_or(0, |started| now_us.saturating_sub(started));
        self.counters.run.record(run_us);
        match answer {
            Ok(settlement) => self.complete(id, number, settlement, run_us),
            Err(cause) => self.attempt_failed(number, cause, now_us),
        }
    }

    fn complete(&mut self, worker: WorkerId, number: TaskId, settlement: Settlement, run_us: u64) {
        let Some(task) = self.tasks.remove(&number) else {
            return;
        };
        self.counters.completed += 1;
        self.counters.run_us += run_us;
        let attempt = task.attempts;
        self.publish(Event::Completed {
            task: number,
            worker,
            attempt,
            run_us,
        });
        let notice = Notice::Settled {
            task: number,
            attempts: attempt,
            settlement,
        };
        self.tell(task.client, notice);
    }

    /// An attempt has failed: another one is made if the task allows it. The task is in no
    /// ledger any more.
    pub(super) fn attempt_failed(&mut self, number: TaskId, cause: Cause, now_us: u64) {
        let chance = self.chance();
        let Some(task) = self.tasks.get_mut(&number) else {
            return;
        };
        let gone = matches!(task.order.payload, Payload::Message { sent: true });
        if !cause.is_repeatable() || gone || task.attempts > task.order.retries {
            return self.fail(number, cause);
        }
        let delay_ms = task.order.backoff.delay_ms(task.attempts, chance);
        let due_us = after(now_us, delay_ms);
        let attempt = task.attempts;
        task.place = Place::Delayed { due_us };
        self.waiting[class(task.order.priority)] += 1;
        self.delayed.insert((due_us, number));
        self.alarm_by(due_us);
        self.counters.retried += 1;
        self.publish(Event::Retry {
            task: number,
            attempt,
            delay_ms,
            cause,
        });
    }

    /// A task that is in no queue and no ledger ends without success.
    pub(super) fn fail(&mut self, number: TaskId, cause: Cause) {
        let Some(task) = self.tasks.remove(&number) else {
            return;
        };
        match cause {
            Cause::Aborted | Cause::Terminated => self.counters.cancelled += 1,
            _ => self.counters.failed += 1,
        }
        let attempts = task.attempts;
        self.publish(Event::Failed {
            task: number,
            attempts,
            cause: cause.clone(),
        });
        let settlement = Settlement::Failed(cause);
        let notice = Notice::Settled {
            task: number,
            attempts,
            settlement,
        };
        self.tell(task.client, notice);
    }

    /// Ends a task, wherever it is. False when it has ended before.
    pub fn abort(&mut self, number: TaskId, cause: Cause, now_us: u64) -> bool {
        let Some(task) = self.tasks.get(&number) else {
            return false;
        };
        match &task.place {
            Place::Held(id) => {
                let id = *id;
                let departure = match cause {
                    Cause::TimedOut { .. } => Departure::TimedOut,
                    Cause::Terminated => Departure::Terminated,
                    _ => Departure::Aborted,
                };
                self.abandon(id, number, departure, now_us);
            }
            _ => self.withdraw(number),
        }
        self.fail(number, cause);
        true
    }

    /// Takes a waiting task out of where it waits.
    pub(super) fn withdraw(&mut self, number: TaskId) {
        let Some(task) = self.tasks.get(&number) else {
            return;
        };
        match &task.place {
            Place::Ready(ticket) => drop(self.ready.remove(ticket)),
            Place::Delayed { due_us } => drop(self.delayed.remove(&(*due_us, number))),
            Place::Held(_) => return,
        }
        self.waiting[class(task.order.priority)] -= 1;
    }

    /// Nobody waits any more for what a worker does. If it does nothing else it is ended;
    /// otherwise it may finish the rest, provided that it shows that it is alive.
    pub(super) fn abandon(&mut self, id: WorkerId, number: TaskId, departure: Departure, now_us: u64) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let Some(held) = worker.held(number) else {
            return;
        };
        if held.started_us.is_none() {
            // It has not begun: the message, should it come, is skipped.
            worker.release(number);
            worker.inbox.retain(|task| *task != number);
            worker.served -= 1;
            self.signals.extend(worker.signal.clone());
            return;
        }
        held.abandoned = true;
        let cooperative = held.cooperative;
        held.deadline_us = now_us + GRACE_US;
        worker.aborts.push_back(number);
        worker.listening = false;
        self.signals.extend(worker.signal.clone());
        if cooperative && departure == Departure::Aborted {
            // It ends the task by itself, or else with the tick that finds it overdue.
            return self.alarm_by(now_us + GRACE_US);
        }
        self.give_up(id, departure, now_us);
    }

    /// A worker that will not end a task by itself leaves: now, or when its other tasks are
    /// done.
    pub(super) fn give_up(&mut self, id: WorkerId, departure: Departure, now_us: u64) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.is_wasted() {
            return self.doom(id, departure);
        }
        if !matches!(worker.phase, Phase::Doomed(_)) {
            worker.phase = Phase::Leaving(departure);
        }
        worker.seen_us = 0;
        worker.probe_us = now_us + GRACE_US;
        self.alarm_by(now_us + GRACE_US);
        self.staff(now_us);
    }

    /// A worker that shall leave has nothing left that anybody waits for.
    fn end_wasted(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get(&id)
            && let Phase::Leaving(departure) = worker.phase
            && worker.is_wasted()
        {
            self.doom(id, departure);
        }
    }

    /// The function of a running task looks at its abort signal.
    pub fn cooperates(&mut self, id: WorkerId, number: TaskId) {
        if let Some(held) = self.workers.get_mut(&id).and_then(|worker| worker.held(number)) {
            held.cooperative = true;
        }
    }

    /// Puts what is due back into the queue.
    pub(super) fn release_delayed(&mut self, now_us: u64) {
        while let Some(&(due_us, number)) = self.delayed.first()
            && due_us <= now_us
        {
            self.delayed.pop_first();
            self.requeue(number, now_us);
            self.unstartable = false;
        }
    }

    /// Puts a task into the queue that is in no queue and no ledger.
    pub(super) fn requeue(&mut self, number: TaskId, now_us: u64) {
        let Some(task) = self.tasks.get_mut(&number) else {
            return;
        };
        if matches!(task.place, Place::Held(_)) {
            self.waiting[class(task.order.priority)] += 1;
        }
        task.ready_us = now_us;
        let ticket = self.ready.push(number, task.order.priority, None, now_us / 1_000);
        task.place = Place::Ready(ticket);
        self.summon();
    }

    /// Ends what takes too long, and workers that do not move any more.
    pub(super) fn end_overdue(&mut self, now_us: u64) {
        let mut overdue = Vec::new();
        let mut stuck = Vec::new();
        let mut next_us = u64::MAX;
        for worker in self.workers.values() {
            if matches!(worker.phase, Phase::Doomed(_)) {
                continue;
            }
            if worker.probe_us <= now_us && worker.seen_us == 0 {
                stuck.push((worker.id, worker.phase));
                continue;
            }
            if worker.seen_us == 0 {
                next_us = next_us.min(worker.probe_us);
            }
            for held in &worker.ledger {
                match held.deadline_us <= now_us {
                    true => overdue.push((worker.id, held.task, held.abandoned)),
                    false => next_us = next_us.min(held.deadline_us),
                }
            }
        }
        self.alarm_by(next_us);
        for (id, phase) in stuck {
            let departure = match phase {
                Phase::Leaving(departure) => departure,
                _ => Departure::TimedOut,
            };
            self.doom(id, departure);
        }
        for (id, number, abandoned) in overdue {
            if abandoned {
                // It did not heed its abort signal. Once is enough.
                if let Some(held) = self.workers.get_mut(&id).and_then(|worker| worker.held(number)) {
                    held.deadline_us = u64::MAX;
                }
                self.give_up(id, Departure::Aborted, now_us);
                continue;
            }
            let ms = self.timeout_of(number);
            self.counters.timeouts += 1;
            self.abandon(id, number, Departure::TimedOut, now_us);
            self.attempt_failed(number, Cause::TimedOut { ms }, now_us);
        }
    }

    fn timeout_of(&self, number: TaskId) -> u64 {
        let order = self.tasks.get(&number).map(|task| &task.order);
        order.and_then(|order| order.timeout_ms).unwrap_or_default()
    }

    /// Ends all tasks of a client.
    pub(super) fn abort_all(&mut self, client: ClientId, cause: &Cause, now_us: u64) {
        let own = |(id, task): (&TaskId, &Task)| (task.client == client).then_some(*id);
        let mut numbers: Vec<TaskId> = self.tasks.iter().filter_map(own).collect();
        numbers.sort_unstable();
        for number in numbers {
            self.abort(number, cause.clone(), now_us);
        }
    }
}
