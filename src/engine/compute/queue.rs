//! Tasks that wait, the most urgent first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;

use super::stop::Stop;
use super::task::Task;
use crate::engine::completion::{CompletionQueue, Outcome};

/// Where a task's answer goes.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The environment that asked.
    pub queue: Arc<CompletionQueue>,
    /// The number that it knows the task by.
    pub operation: u32,
}

impl Caller {
    /// Gives the answer. Nobody takes it when the environment is gone.
    pub fn answer(&self, outcome: Outcome) {
        self.queue.push(self.operation, outcome);
    }
}

/// A task that has not begun.
#[derive(Debug)]
pub struct Waiting {
    /// What to do.
    pub task: Task,
    /// Whom to answer.
    pub caller: Caller,
    /// When to give up.
    pub stop: Arc<Stop>,
    /// The larger, the sooner.
    pub priority: i32,
    /// Since when it waits.
    pub since: Instant,
    order: u64,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_priority = self.priority.cmp(&other.priority);
        by_priority.then(other.order.cmp(&self.order))
    }
}

/// See the module. Tasks of one priority keep their order.
#[derive(Debug, Default)]
pub struct TaskQueue {
    tasks: BinaryHeap<Waiting>,
    last: u64,
}

impl TaskQueue {
    /// Adds a task behind those that are as urgent.
    pub fn push(&mut self, task: Task, caller: Caller, stop: Arc<Stop>, priority: i32) {
        self.last += 1;
        self.tasks.push(Waiting {
            task,
            caller,
            stop,
            priority,
            since: Instant::now(),
            order: self.last,
        });
    }

    /// Takes the most urgent task.
    pub fn pop(&mut self) -> Option<Waiting> {
        self.tasks.pop()
    }

    /// Takes all that have to stop. Looks at every task.
    pub fn take_stopped(&mut self) -> Vec<Waiting> {
        if self.tasks.iter().all(|task| task.stop.check().is_ok()) {
            return Vec::new();
        }
        let (stopped, kept): (Vec<_>, Vec<_>) =
            self.tasks.drain().partition(|task| task.stop.check().is_err());
        self.tasks = kept.into();
        stopped
    }

    /// Takes everything.
    pub fn take_all(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.tasks).into_vec()
    }

    /// The tasks, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.tasks.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}
