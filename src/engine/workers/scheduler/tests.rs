mod model;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::backoff::Backoff;
use super::super::client::{Departure, Event, Notice, Settlement, Signal};
use super::super::task::{Cause, ClientId, Order, Payload, TaskId, WorkerId};
use super::*;
use crate::engine::cache::record::Kind;

const MS: u64 = 1_000;

#[derive(Default)]
struct Counter(AtomicUsize);

impl Signal for Counter {
    fn signal(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn limits() -> Limits {
    Limits {
        max_workers: 2,
        min_workers: 1,
        max_queue: usize::MAX,
        per_worker: 1,
        idle_ms: None,
        max_tasks: None,
    }
}

fn order() -> Order {
    Order {
        payload: Payload::Encoded(Kind::BUFFER, Arc::from(&b"x"[..])),
        priority: 0,
        retries: 0,
        timeout_ms: None,
        backoff: Backoff::default(),
    }
}

fn thrown() -> Cause {
    Cause::Thrown(Arc::from(&b"oops"[..]))
}

type Answer = std::result::Result<Settlement, Cause>;

fn done() -> Answer {
    Ok(Settlement::Done(Kind::BUFFER, b"y".to_vec()))
}

/// A scheduler, a clock that is moved by hand, and hosts that do as they are told.
struct World {
    scheduler: Scheduler,
    now: u64,
    settled: HashMap<TaskId, (ClientId, Settlement)>,
    events: Vec<Event>,
    to_start: Vec<WorkerId>,
    to_kill: Vec<WorkerId>,
    to_send: Vec<TaskId>,
}

impl World {
    fn new(limits: Limits) -> (Self, ClientId) {
        let mut world = Self {
            scheduler: Scheduler::new(limits).unwrap(),
            now: 1_000_000,
            settled: HashMap::new(),
            events: Vec::new(),
            to_start: Vec::new(),
            to_kill: Vec::new(),
            to_send: Vec::new(),
        };
        let client = world.join();
        (world, client)
    }

    fn join(&mut self) -> ClientId {
        let client = self.scheduler.join(Arc::new(Counter::default()), self.now);
        self.scheduler.listen(client, 0x7f);
        client
    }

    /// Reads all outboxes.
    fn read(&mut self) {
        let clients: Vec<ClientId> = self.scheduler.clients.keys().copied().collect();
        for client in clients {
            while let Some(notice) = self.scheduler.next_notice(client) {
                match notice {
                    Notice::Settled { task, settlement, .. } => {
                        let before = self.settled.insert(task, (client, settlement));
                        assert!(before.is_none(), "task {task} has ended twice");
                    }
                    Notice::Event(event) => self.events.push(event),
                    Notice::Start(worker) => self.to_start.push(worker),
                    Notice::Kill(worker) => self.to_kill.push(worker),
                    Notice::Send { task, .. } => self.to_send.push(task),
                }
            }
        }
        self.scheduler.take_signals();
        self.scheduler.validate().unwrap();
    }

    /// Starts and ends what it is asked to.
    fn obey(&mut self) {
        self.read();
        for worker in std::mem::take(&mut self.to_start) {
            self.scheduler
                .started(worker, Arc::new(Counter::default()), self.now);
        }
        for worker in std::mem::take(&mut self.to_kill) {
            self.scheduler.exited(worker, 1, None, self.now);
        }
        self.read();
    }

    fn submit(&mut self, client: ClientId, order: Order) -> TaskId {
        let task = self.scheduler.submit(client, order, self.now).unwrap();
        self.obey();
        task
    }

    fn take(&mut self, worker: WorkerId) -> Option<TaskId> {
        let take = self.scheduler.take(worker, self.now);
        self.read();
        match take {
            Take::Task(given) => Some(given.task),
            _ => None,
        }
    }

    fn finish(&mut self, worker: WorkerId, task: TaskId, answer: Answer) {
        self.scheduler.finish(worker, task, answer, self.now);
        self.read();
    }

    fn pass(&mut self, ms: u64) {
        self.now += ms * MS;
        self.scheduler.tick(self.now);
        self.obey();
    }

    fn settlement(&self, task: TaskId) -> Option<&Settlement> {
        self.settled.get(&task).map(|(_, settlement)| settlement)
    }

    fn workers(&self) -> Vec<WorkerId> {
        self.scheduler.workers.keys().copied().collect()
    }
}
