//! Workers as the scheduler sees them, each with its ledger: what it holds, since when, and
//! until when at most.

use std::collections::VecDeque;
use std::sync::Arc;

use super::client::{Departure, Signal};
use super::task::{ClientId, TaskId, WorkerId};

/// A line of the ledger.
#[derive(Debug)]
pub(super) struct Held {
    pub task: TaskId,
    /// When the attempt began; none while its message is on the way.
    pub started_us: Option<u64>,
    pub deadline_us: u64,
    /// Nobody waits for it any more, but the worker may not know.
    pub abandoned: bool,
    /// Its function looks at its abort signal.
    pub cooperative: bool,
}

/// How long a worker stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its thread is being started.
    Starting,
    /// It serves.
    Ready,
    /// It gets no more tasks, and leaves with the last one that it has.
    Leaving(Departure),
    /// It is being ended.
    Doomed(Departure),
}

#[derive(Debug)]
pub(super) struct Worker {
    pub id: WorkerId,
    /// Who started its thread.
    pub host: ClientId,
    pub phase: Phase,
    pub signal: Option<Arc<dyn Signal>>,
    pub ledger: Vec<Held>,
    /// Tasks whose message has arrived.
    pub inbox: VecDeque<TaskId>,
    /// Running tasks that it shall abort.
    pub aborts: VecDeque<TaskId>,
    /// It found nothing to do and waits for its signal.
    pub listening: bool,
    /// Attempts begun.
    pub served: u64,
    pub idle_since_us: u64,
    /// When it last asked for anything.
    pub seen_us: u64,
    /// Until when it has to show that it is alive; then it is ended.
    pub probe_us: u64,
    /// The task that it said it dies of.
    pub culprit: Option<TaskId>,
}

impl Worker {
    pub fn new(id: WorkerId, host: ClientId, now_us: u64) -> Self {
        Self {
            id,
            host,
            phase: Phase::Starting,
            signal: None,
            ledger: Vec::new(),
            inbox: VecDeque::new(),
            aborts: VecDeque::new(),
            listening: false,
            served: 0,
            idle_since_us: now_us,
            seen_us: now_us,
            probe_us: u64::MAX,
            culprit: None,
        }
    }

    /// Whether it may get tasks now or later.
    pub fn serves(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Ready)
    }

    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Ready && self.ledger.is_empty()
    }

    /// Whether all that it still does is of no use to anybody.
    pub fn is_wasted(&self) -> bool {
        !self.ledger.is_empty() && self.ledger.iter().all(|held| held.abandoned)
    }

    pub fn held(&mut self, task: TaskId) -> Option<&mut Held> {
        self.ledger.iter_mut().find(|held| held.task == task)
    }

    pub fn release(&mut self, task: TaskId) -> Option<Held> {
        let index = self.ledger.iter().position(|held| held.task == task)?;
        Some(self.ledger.swap_remove(index))
    }
}
