//! What a task is made of, and how it ends.

use std::sync::Arc;

use super::backoff::Backoff;
use super::queue::Ticket;
use crate::engine::cache::record::Kind;

/// A task's number: unique in its pool.
pub type TaskId = u64;
/// A worker's number: unique in its pool.
pub type WorkerId = u32;
/// A client's number: unique in its pool.
pub type ClientId = u32;

/// What a worker is to work on.
#[derive(Debug, Clone)]
pub enum Payload {
    /// An encoded value, kept until the task has ended: it may be needed again.
    Encoded(Kind, Arc<[u8]>),
    /// A message that the client sends to the worker itself once it knows which. It can be
    /// sent once.
    Message {
        /// Whether it was sent.
        sent: bool,
    },
}

/// What a client orders.
#[derive(Debug, Clone)]
pub struct Order {
    /// What is to be worked on.
    pub payload: Payload,
    /// Larger first.
    pub priority: i64,
    /// Attempts after the first.
    pub retries: u32,
    /// Longest time that one attempt may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// The waits between attempts.
    pub backoff: Backoff,
}

/// Why an attempt, or a task, did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The function threw this encoded error.
    Thrown(Arc<[u8]>),
    /// A value could not be sent, for the reason of this encoded error. Trying again is of
    /// no use.
    Unsendable(Arc<[u8]>),
    /// The attempt took too long.
    TimedOut {
        /// The limit.
        ms: u64,
    },
    /// The worker exited.
    Exited {
        /// Its exit code.
        code: i32,
        /// The encoded error that it died of, if there was one.
        error: Option<Arc<[u8]>>,
    },
    /// No worker can be started, for the reason of this encoded error.
    Unstartable(Option<Arc<[u8]>>),
    /// The client asked for its end.
    Aborted,
    /// The pool was terminated.
    Terminated,
}

impl Cause {
    /// Whether another attempt may end better.
    pub fn is_repeatable(&self) -> bool {
        matches!(
            self,
            Self::Thrown(_) | Self::TimedOut { .. } | Self::Exited { .. }
        )
    }
}

/// Where a task stands.
#[derive(Debug)]
pub(super) enum Place {
    /// In the queue.
    Ready(Ticket),
    /// Waiting for its next attempt.
    Delayed { due_us: u64 },
    /// In the hands of a worker.
    Held(WorkerId),
}

/// A task that has not ended.
#[derive(Debug)]
pub(super) struct Task {
    pub client: ClientId,
    pub order: Order,
    /// Attempts that were begun.
    pub attempts: u32,
    /// Since when it waits for its next attempt to begin.
    pub ready_us: u64,
    pub place: Place,
}
