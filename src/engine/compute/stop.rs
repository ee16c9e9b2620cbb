//! How a task is stopped while it runs: a flag and a deadline, looked at between pieces of
//! work.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const CLOSED: u8 = 2;

/// Tells one task whether to go on.
#[derive(Debug)]
pub struct Stop {
    state: AtomicU8,
    deadline: Option<(Instant, Duration)>,
}

impl Stop {
    /// A task that may run for `timeout` from now; `None` is for ever.
    #[must_use]
    pub fn after(timeout: Option<Duration>) -> Self {
        let deadline = timeout.and_then(|timeout| Some((Instant::now().checked_add(timeout)?, timeout)));
        Self {
            state: AtomicU8::new(RUNNING),
            deadline,
        }
    }

    /// The caller does not want the answer any more.
    pub fn cancel(&self) {
        // Only the first reason counts.
        let _ = self
            .state
            .compare_exchange(RUNNING, CANCELLED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The engine goes away.
    pub fn close(&self) {
        let _ = self
            .state
            .compare_exchange(RUNNING, CLOSED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// When the time is up, if ever.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline.map(|(moment, _)| moment)
    }

    /// Fails when the task has to stop. Costs a load, and with a deadline a look at the clock.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Closed`] or [`Error::Timeout`].
    pub fn check(&self) -> Result<()> {
        match self.state.load(Ordering::Relaxed) {
            CANCELLED => return Err(Error::Cancelled { what: "task" }),
            CLOSED => {
                return Err(Error::Closed {
                    engine: "parallel processing engine",
                });
            }
            _ => {}
        }
        match self.deadline {
            Some((moment, timeout)) if Instant::now() >= moment => Err(Error::Timeout {
                what: "the task",
                ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_counts() {
        let stop = Stop::after(None);
        assert_eq!(stop.check(), Ok(()));
        stop.cancel();
        stop.close();
        assert_eq!(stop.check(), Err(Error::Cancelled { what: "task" }));
    }

    #[test]
    fn a_deadline_passes_by_itself_and_may_be_beyond_the_clock() {
        let expected = Err(Error::Timeout {
            what: "the task",
            ms: 0,
        });
        assert_eq!(Stop::after(Some(Duration::ZERO)).check(), expected);
        assert_eq!(Stop::after(Some(Duration::MAX)).check(), Ok(()));
    }
}
