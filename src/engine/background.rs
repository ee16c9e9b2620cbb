//! One native thread for work that nobody waits for: dropping what was cleared, and
//! sweeping out what has expired.
//!
//! The thread starts at the first use and lives as long as the process. It holds its tasks
//! weakly, so an engine that is dropped leaves it without a word.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{OnceLock, Weak};
use std::time::{Duration, Instant};

/// How often periodic tasks run unless they say otherwise.
pub const PERIOD: Duration = Duration::from_millis(20);

/// Work that is repeated while its owner lives.
pub trait Periodic: Send + Sync {
    /// The time to the next round, asked for after each.
    fn period(&self) -> Duration {
        PERIOD
    }

    /// One round of work. Returns false when the task has nothing to do any more and wants
    /// to be forgotten; it may be enlisted again.
    fn run(&self) -> bool;
}

struct Scheduled {
    due: Instant,
    task: Weak<dyn Periodic>,
}

impl Scheduled {
    /// Runs the task if it is time. False when it wants to be forgotten.
    fn run_if_due(&mut self) -> bool {
        let now = Instant::now();
        if now < self.due {
            return true;
        }
        let Some(task) = self.task.upgrade() else {
            return false;
        };
        let goes_on = task.run();
        self.due = now + task.period();
        goes_on
    }
}

enum Message {
    Once(Box<dyn FnOnce() + Send>),
    Every(Weak<dyn Periodic>),
}

/// Runs `task` on the background thread. Without a thread it runs right here.
pub fn once(task: impl FnOnce() + Send + 'static) {
    if let Err(Message::Once(task)) = send(Message::Once(Box::new(task))) {
        task();
    }
}

/// Repeats `task` until its owner is dropped or it returns false.
pub fn every(task: Weak<dyn Periodic>) {
    // Without a thread, expired entries are only reclaimed when they are met.
    let _ = send(Message::Every(task));
}

fn send(message: Message) -> Result<(), Message> {
    static SENDER: OnceLock<Option<Sender<Message>>> = OnceLock::new();
    match SENDER.get_or_init(start) {
        Some(sender) => sender.send(message).map_err(|error| error.0),
        None => Err(message),
    }
}

fn start() -> Option<Sender<Message>> {
    let (sender, receiver) = channel::<Message>();
    let worker = move || {
        let mut periodic: Vec<Scheduled> = Vec::new();
        loop {
            let received = match periodic.iter().map(|scheduled| scheduled.due).min() {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match received {
                Ok(Message::Once(task)) => {
                    // A task that panics must not take the others down.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(task));
                    continue;
                }
                Ok(Message::Every(task)) => periodic.push(Scheduled {
                    due: Instant::now(),
                    task,
                }),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            periodic.retain_mut(Scheduled::run_if_due);
        }
    };
    std::thread::Builder::new()
        .name("hotpath-background".into())
        .spawn(worker)
        .ok()?;
    Some(sender)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Countdown(AtomicU32);

    impl Periodic for Countdown {
        fn run(&self) -> bool {
            self.0.fetch_sub(1, Ordering::SeqCst) > 1
        }
    }

    #[test]
    fn a_periodic_task_runs_until_it_is_done() {
        let task = Arc::new(Countdown(AtomicU32::new(3)));
        let weak: Weak<dyn Periodic> = Arc::downgrade(&(task.clone() as Arc<dyn Periodic>));
        every(weak);
        while task.0.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_single_task_runs_even_after_one_that_panics() {
        let (sender, receiver) = channel();
        once(|| panic!("expected by the test"));
        once(move || sender.send(7).unwrap());
        assert_eq!(receiver.recv().unwrap(), 7);
    }
}
