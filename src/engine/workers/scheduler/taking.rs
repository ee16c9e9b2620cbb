//! From the order to the worker's hands.

use std::sync::Arc;

use super::super::client::{Departure, Event, Notice};
use super::super::crew::{Held, Phase};
use super::super::task::{ClientId, Order, Payload, Place, Task, TaskId, WorkerId};
use super::{NEVER, Refusal, SCALE_AFTER_US, Scheduler, after, class};
use crate::engine::cache::record::Kind;

/// A task as a worker gets it.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its number.
    pub task: TaskId,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// The encoded value; none when it comes as a message.
    pub value: Option<(Kind, Arc<[u8]>)>,
}

/// What a worker is answered.
#[derive(Debug, Clone)]
pub enum Take {
    /// Work on this.
    Task(Given),
    /// Nobody waits for this one any more.
    Abort(TaskId),
    /// Nothing to do; a signal will come.
    Nothing,
    /// Leave.
    Leave,
}

impl Scheduler {
    /// Accepts an order.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn submit(&mut self, client: ClientId, order: Order, now_us: u64) -> Result<TaskId, Refusal> {
        if self.ended || self.clients.get(&client).is_none_or(|client| client.leaving) {
            return Err(Refusal::Closed);
        }
        let waiting = self.ready.len() + self.delayed.len();
        if waiting >= self.limits.max_queue && (waiting > 0 || self.free_seats() == 0) {
            self.counters.refused += 1;
            return Err(Refusal::Full(waiting));
        }
        self.last_task += 1;
        let id = self.last_task;
        let priority = order.priority;
        self.counters.submitted += 1;
        self.publish(Event::Queued {
            task: id,
            priority,
            waiting: waiting + 1,
        });
        let ticket = self.ready.push(id, priority, None, now_us / 1_000);
        self.waiting[class(priority)] += 1;
        let task = Task {
            client,
            order,
            attempts: 0,
            ready_us: now_us,
            place: Place::Ready(ticket),
        };
        self.tasks.insert(id, task);
        self.unstartable = false;
        self.summon();
        self.watch_backlog(now_us);
        Ok(id)
    }

    /// Seats of workers that are ready and have nothing to do yet.
    fn free_seats(&self) -> usize {
        let free = |worker: &super::Worker| match worker.phase {
            Phase::Ready => self.limits.per_worker.saturating_sub(worker.ledger.len()),
            _ => 0,
        };
        self.workers.values().map(free).sum()
    }

    /// Wakes a worker that waits for something to do.
    pub(super) fn summon(&mut self) {
        while let Some(id) = self.listening.pop() {
            if let Some(worker) = self.workers.get_mut(&id).filter(|worker| worker.listening) {
                worker.listening = false;
                self.signals.extend(worker.signal.clone());
                return;
            }
        }
    }

    /// Sees to it that the backlog is looked at in time, if it can be helped at all.
    pub(super) fn watch_backlog(&mut self, now_us: u64) {
        let serving = self.workers.len();
        if self.ready.is_empty() || serving >= self.limits.max_workers {
            return;
        }
        if serving == 0 {
            self.staff(now_us);
        } else if self.alarm_us > now_us + SCALE_AFTER_US {
            self.alarm_by(now_us + SCALE_AFTER_US);
        }
    }

    /// What a worker does next. After [`Take::Nothing`] it is signalled when that changes.
    pub fn take(&mut self, id: WorkerId, now_us: u64) -> Take {
        let seats = self.limits.per_worker;
        loop {
            let Some(worker) = self.workers.get_mut(&id) else {
                return Take::Leave;
            };
            worker.seen_us = now_us;
            if let Some(task) = worker.aborts.pop_front() {
                return Take::Abort(task);
            }
            if let Some(task) = worker.inbox.pop_front() {
                return Take::Task(self.begin(id, task, now_us));
            }
            match worker.phase {
                Phase::Doomed(_) => return Take::Leave,
                Phase::Leaving(_) if worker.ledger.is_empty() => return Take::Leave,
                Phase::Leaving(_) => return Take::Nothing,
                Phase::Starting | Phase::Ready => {}
            }
            if worker.ledger.len() >= seats {
                return Take::Nothing;
            }
            let Some(task) = self.ready.pop(now_us / 1_000) else {
                self.rest(id, now_us);
                return Take::Nothing;
            };
            if let Some(given) = self.hand_out(id, task, now_us) {
                return Take::Task(given);
            }
        }
    }

    /// The worker found nothing: it waits for its signal.
    fn rest(&mut self, id: WorkerId, now_us: u64) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut worker.listening, true) {
            self.listening.push(id);
        }
        if worker.ledger.is_empty()
            && let Some(idle_ms) = self.limits.idle_ms
        {
            let due_us = after(worker.idle_since_us, idle_ms);
            if self.workers.len() > self.limits.min_workers {
                self.alarm_by(due_us.max(now_us));
            }
        }
    }

    /// Puts a ready task into a worker's ledger. None when its message has to come first.
    fn hand_out(&mut self, id: WorkerId, number: TaskId, now_us: u64) -> Option<Given> {
        let task = self.tasks.get_mut(&number)?;
        self.waiting[class(task.order.priority)] -= 1;
        task.place = Place::Held(id);
        let (client, message) = (task.client, matches!(task.order.payload, Payload::Message { .. }));
        let worker = self.workers.get_mut(&id)?;
        worker.ledger.push(Held {
            task: number,
            started_us: None,
            deadline_us: NEVER,
            abandoned: false,
            cooperative: false,
        });
        worker.served += 1;
        if self.limits.max_tasks.is_some_and(|most| worker.served >= most) {
            worker.phase = Phase::Leaving(Departure::Recycled);
        }
        if message {
            self.tell(
                client,
                Notice::Send {
                    task: number,
                    worker: id,
                },
            );
            return None;
        }
        Some(self.begin(id, number, now_us))
    }

    /// An attempt begins.
    fn begin(&mut self, id: WorkerId, number: TaskId, now_us: u64) -> Given {
        let (mut attempt, mut value, mut wait_us, mut deadline_us) = (0, None, 0, NEVER);
        if let Some(task) = self.tasks.get_mut(&number) {
            task.attempts += 1;
            attempt = task.attempts;
            wait_us = now_us.saturating_sub(task.ready_us);
            deadline_us = task.order.timeout_ms.map_or(NEVER, |ms| after(now_us, ms));
            if let Payload::Encoded(kind, bytes) = &task.order.payload {
                value = Some((*kind, bytes.clone()));
            }
        }
        if let Some(worker) = self.workers.get_mut(&id) {
            self.counters.reuses += u64::from(worker.served > 1);
            if let Some(held) = worker.held(number) {
                held.started_us = Some(now_us);
                held.deadline_us = deadline_us;
            }
        }
        self.counters.wait.record(wait_us);
        self.alarm_by(deadline_us);
        self.publish(Event::Started {
            task: number,
            worker: id,
            attempt,
            wait_us,
        });
        Given {
            task: number,
            attempt,
            value,
        }
    }

    /// The client has sent a task's message to the worker that was named to it. False when
    /// nobody waits for it any more.
    pub fn sent(&mut self, number: TaskId) -> bool {
        let Some(Task {
            place: Place::Held(id),
            order,
            ..
        }) = self.tasks.get_mut(&number)
        else {
            return false;
        };
        order.payload = Payload::Message { sent: true };
        let Some(worker) = self.workers.get_mut(id) else {
            return false;
        };
        worker.inbox.push_back(number);
        worker.listening = false;
        self.signals.extend(worker.signal.clone());
        true
    }
}
