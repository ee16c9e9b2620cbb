//! The engine: takes tasks, runs them in their order, and knows what became of them.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::queue::{Caller, TaskQueue, Waiting};
use super::share::Share;
use super::slots::Slots;
use super::stop::Stop;
use super::task::Task;
use crate::engine::background::{self, Periodic};
use crate::engine::completion::Outcome;
use crate::engine::processors;
use crate::error::{Error, Result};

/// See [the module](super).
#[derive(Debug)]
pub struct ComputeEngine {
    slots: Slots,
    state: Mutex<State>,
    idle: Condvar,
    /// For the threads that run its tasks.
    this: Weak<Self>,
}

#[derive(Debug, Default)]
struct State {
    waiting: TaskQueue,
    running: HashMap<u32, Arc<Stop>>,
    counts: Counts,
    closed: bool,
    /// The background thread looks after the deadlines of waiting tasks.
    watched: bool,
}

/// What happened since the engine was made, and what is the case now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Threads that it uses at most.
    pub threads: usize,
    /// Of these, those at work.
    pub busy: usize,
    /// Tasks that wait, by priority: above 0, 0, below 0.
    pub pending: [usize; 3],
    /// Tasks that run.
    pub running: usize,
    /// Tasks that were taken.
    pub submitted: u64,
    /// Tasks that gave a result.
    pub completed: u64,
    /// Tasks that failed, those below not included.
    pub failed: u64,
    /// Tasks that were cancelled, or abandoned with the engine.
    pub cancelled: u64,
    /// Tasks whose time was up.
    pub timed_out: u64,
    /// Time in which tasks ran.
    pub execution: Duration,
    /// Time in which they had waited before.
    pub wait: Duration,
    /// Tasks that began to run.
    pub started: u64,
}

impl ComputeEngine {
    /// An engine that uses at most `max_workers` threads, and never more than
    /// [`processors::spare`].
    #[must_use]
    pub fn new(max_workers: usize) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            slots: Slots::new(max_workers.min(processors::spare())),
            state: Mutex::default(),
            idle: Condvar::new(),
            this: this.clone(),
        })
    }

    /// Takes a task. Its answer goes to the caller's queue, an error included. `timeout`
    /// counts from now.
    ///
    /// # Errors
    /// [`Error::Closed`]: the task was not taken.
    pub fn submit(&self, task: Task, caller: Caller, priority: i32, timeout: Option<Duration>) -> Result<()> {
        let stop = Arc::new(Stop::after(timeout));
        {
            let mut state = self.state.lock();
            if state.closed {
                return Err(Error::Closed {
                    engine: "parallel processing engine",
                });
            }
            state.counts.submitted += 1;
            let has_deadline = stop.deadline().is_some();
            state.waiting.push(task, caller, stop, priority);
            self.slots.set_waiting(state.waiting.len());
            if has_deadline && !state.watched {
                state.watched = true;
                background::every(self.this.clone());
            }
        }
        self.begin_next();
        Ok(())
    }

    /// Stops a task: one that waits is answered at once, one that runs as soon as its pieces
    /// have ended. Without effect on a task that is over.
    pub fn cancel(&self, operation: u32) {
        let stopped = {
            let mut state = self.state.lock();
            let waits = state
                .waiting
                .iter()
                .find(|task| task.caller.operation == operation);
            match waits.map(|task| &task.stop).or(state.running.get(&operation)) {
                Some(stop) => stop.cancel(),
                None => return,
            }
            self.take_stopped(&mut state)
        };
        answer_stopped(stopped);
    }

    /// Takes no further tasks; those that it has go on.
    pub fn close(&self) {
        self.state.lock().closed = true;
    }

    /// Takes no further tasks and stops those that it has.
    pub fn destroy(&self) {
        let stopped = {
            let mut state = self.state.lock();
            state.closed = true;
            state.waiting.iter().for_each(|task| task.stop.close());
            state.running.values().for_each(|stop| stop.close());
            self.take_stopped(&mut state)
        };
        answer_stopped(stopped);
    }

    /// Blocks until nothing runs. After [`destroy`](Self::destroy) that takes a piece's time.
    pub fn wait_until_idle(&self) {
        let mut state = self.state.lock();
        while !state.running.is_empty() {
            self.idle.wait(&mut state);
        }
    }

    /// What happened, and what is the case now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let state = self.state.lock();
        let mut counts = state.counts;
        counts.threads = self.slots.width();
        counts.busy = self.slots.taken();
        counts.running = state.running.len();
        for task in state.waiting.iter() {
            counts.pending[match task.priority {
                1.. => 0,
                0 => 1,
                _ => 2,
            }] += 1;
        }
        counts
    }

    /// Gets a thread for the most urgent task, if a slot is free. Which task that is turns out
    /// when the thread begins: until then the task can still be cancelled, or be overtaken.
    fn begin_next(&self) {
        let Some(engine) = self.this.upgrade() else { return };
        {
            let state = self.state.lock();
            if state.waiting.is_empty() || !self.slots.take() {
                return;
            }
        }
        processors::spawn(move || {
            if let Some(task) = engine.next() {
                engine.run(task);
            } else {
                engine.slots.give_back();
            }
            engine.begin_next();
        });
    }

    fn next(&self) -> Option<Waiting> {
        let mut state = self.state.lock();
        let task = state.waiting.pop()?;
        self.slots.set_waiting(state.waiting.len());
        state.running.insert(task.caller.operation, task.stop.clone());
        state.counts.started += 1;
        state.counts.wait += task.since.elapsed();
        Some(task)
    }

    fn run(&self, task: Waiting) {
        let started = Instant::now();
        let Waiting {
            task, caller, stop, ..
        } = task;
        let compute = || {
            stop.check()?;
            let released = || self.begin_next();
            task.run(&Share::new(&stop, &self.slots, &released))
        };
        let result = catch_unwind(AssertUnwindSafe(compute)).unwrap_or_else(|_| {
            let reason = "a task panicked; please report this".to_owned();
            Err(Error::Inconsistent { reason })
        });
        // What was lent to the task goes back before anybody hears of it.
        drop(task);
        {
            let mut state = self.state.lock();
            state.counts.execution += started.elapsed();
            state.counts.count(result.as_ref().err());
            state.running.remove(&caller.operation);
            self.slots.give_back();
            self.idle.notify_all();
        }
        caller.answer(result.into());
    }

    /// Takes waiting tasks that have to stop out of the queue.
    fn take_stopped(&self, state: &mut State) -> Vec<(Waiting, Error)> {
        let stopped = state.waiting.take_stopped();
        self.slots.set_waiting(state.waiting.len());
        let with_reason = |task: Waiting| {
            let error = task.stop.check().err()?;
            state.counts.count(Some(&error));
            Some((task, error))
        };
        stopped.into_iter().filter_map(with_reason).collect()
    }
}

/// Outside the engine's lock: answers take a lock of their own.
fn answer_stopped(stopped: Vec<(Waiting, Error)>) {
    for (Waiting { task, caller, .. }, error) in stopped {
        drop(task);
        caller.answer(Outcome::Refused(error));
    }
}

impl Counts {
    fn count(&mut self, error: Option<&Error>) {
        *match error {
            None => &mut self.completed,
            Some(Error::Cancelled { .. } | Error::Closed { .. }) => &mut self.cancelled,
            Some(Error::Timeout { .. }) => &mut self.timed_out,
            Some(_) => &mut self.failed,
        } += 1;
    }
}

impl Periodic for ComputeEngine {
    fn run(&self) -> bool {
        let (stopped, goes_on) = {
            let mut state = self.state.lock();
            let stopped = self.take_stopped(&mut state);
            let has_deadlines = state.waiting.iter().any(|task| task.stop.deadline().is_some());
            state.watched = has_deadlines;
            (stopped, state.watched)
        };
        answer_stopped(stopped);
        goes_on
    }
}

#[cfg(test)]
mod tests;
