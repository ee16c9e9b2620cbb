//! Clients: the handles that order tasks, host workers, and hear of both.
//!
//! What a client has to be told gathers in its outbox, in the order in which it happened; it
//! is woken once and takes all of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::task::{Cause, ClientId, TaskId, WorkerId};
use crate::engine::cache::record::Kind;

/// Events that an outbox keeps before it drops; everything else is kept in any case.
const MAX_EVENTS: usize = 65_536;

/// Makes somebody look: a client, or a worker.
pub trait Signal: Send + Sync {
    /// Called without any lock of the pool.
    fn signal(&self);
}

impl std::fmt::Debug for dyn Signal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signal")
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// With an encoded value.
    Done(Kind, Vec<u8>),
    /// Without success.
    Failed(Cause),
}

/// Why a worker left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Departure {
    /// By itself: a crash, or a task that ended it.
    Died = 0,
    /// It had nothing to do for long.
    Idle = 1,
    /// It has served as much as a worker shall.
    Recycled = 2,
    /// A task took too long.
    TimedOut = 3,
    /// A running task was aborted.
    Aborted = 4,
    /// Its host, or the pool, has ended.
    Terminated = 5,
    /// It never was ready.
    Unstartable = 6,
}

/// What happened, with the bit of a client's mask that asks for it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Event {
    /// A task was accepted.
    Queued {
        task: TaskId,
        priority: i64,
        waiting: usize,
    },
    /// An attempt began.
    Started {
        task: TaskId,
        worker: WorkerId,
        attempt: u32,
        wait_us: u64,
    },
    /// A task succeeded.
    Completed {
        task: TaskId,
        worker: WorkerId,
        attempt: u32,
        run_us: u64,
    },
    /// A task failed for good.
    Failed {
        task: TaskId,
        attempts: u32,
        cause: Cause,
    },
    /// An attempt failed, and another will be made.
    Retry {
        task: TaskId,
        attempt: u32,
        delay_ms: u64,
        cause: Cause,
    },
    /// A worker is ready.
    WorkerCreated { worker: WorkerId, workers: usize },
    /// A worker has left.
    WorkerExited {
        worker: WorkerId,
        code: i32,
        departure: Departure,
        served: u64,
        workers: usize,
    },
}

impl Event {
    /// The number that JavaScript knows the event by.
    pub fn index(&self) -> u8 {
        match self {
            Self::Queued { .. } => 0,
            Self::Started { .. } => 1,
            Self::Completed { .. } => 2,
            Self::Failed { .. } => 3,
            Self::Retry { .. } => 4,
            Self::WorkerCreated { .. } => 5,
            Self::WorkerExited { .. } => 6,
        }
    }
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Notice {
    /// A task of its own has ended.
    Settled {
        task: TaskId,
        attempts: u32,
        settlement: Settlement,
    },
    /// Something it listens for.
    Event(Event),
    /// It shall start a worker.
    Start(WorkerId),
    /// It shall end a worker that it started.
    Kill(WorkerId),
    /// It shall send a task's message to this worker.
    Send { task: TaskId, worker: WorkerId },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Client {
    pub id: ClientId,
    signal: Arc<dyn Signal>,
    outbox: VecDeque<Notice>,
    events: usize,
    announced: bool,
    /// It has been terminated: it orders and hosts nothing more.
    pub leaving: bool,
    /// Events that it listens for.
    pub mask: u32,
    /// Events that were lost because nobody took them.
    pub dropped: u64,
}

impl Client {
    pub fn new(id: ClientId, signal: Arc<dyn Signal>) -> Self {
        Self {
            id,
            signal,
            outbox: VecDeque::new(),
            events: 0,
            announced: false,
            leaving: false,
            mask: 0,
            dropped: 0,
        }
    }

    /// Adds a notice; returns who has to be woken for it.
    pub fn tell(&mut self, notice: Notice) -> Option<Arc<dyn Signal>> {
        if matches!(notice, Notice::Event(_)) {
            if self.events >= MAX_EVENTS {
                self.dropped += 1;
                return None;
            }
            self.events += 1;
        }
        self.outbox.push_back(notice);
        (!std::mem::replace(&mut self.announced, true)).then(|| self.signal.clone())
    }

    /// Takes the next notice.
    pub fn take(&mut self) -> Option<Notice> {
        let notice = self.outbox.pop_front();
        match &notice {
            None => self.announced = false,
            Some(Notice::Event(_)) => self.events -= 1,
            Some(_) => {}
        }
        notice
    }

    /// Puts back what could not be handed over yet.
    pub fn put_back(&mut self, notice: Notice) {
        self.events += usize::from(matches!(notice, Notice::Event(_)));
        self.outbox.push_front(notice);
    }
}
