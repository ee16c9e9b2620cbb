//! How late an event loop is, measured from outside: the native thread sends the loop a
//! message, and the loop answers as soon as it comes to it. A loop that is blocked shows while
//! it is blocked, which a timer inside of it cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::histogram::{Histogram, Shape};
use super::worker::Periodic;
use crate::engine::completion::{CompletionQueue, Outcome};

/// How often a loop is asked.
pub const ASK_EVERY: Duration = Duration::from_millis(200);

/// The number under which a loop hears the question; no handle of an engine gets it.
pub const SUBSCRIPTION: u32 = u32::MAX - 15;

/// Delays below this are told apart no further: one microsecond, in milliseconds.
const RESOLUTION_MS: f64 = 0.001;

/// See the module.
#[derive(Debug)]
pub struct LoopProbe {
    queue: Arc<CompletionQueue>,
    origin: Instant,
    /// When the pending question was sent, in nanoseconds after the origin; 0: none is pending.
    sent: AtomicU64,
    delays: Mutex<Histogram>,
}

/// What is known of a loop's delays, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Delays {
    /// Questions that were answered.
    pub count: u64,
    /// The mean delay.
    pub mean: f64,
    /// Percentiles 50 and 99.
    pub quantiles: [f64; 2],
    /// The longest delay.
    pub max: f64,
    /// How long the present question has been waiting for its answer.
    pub pending: f64,
}

impl LoopProbe {
    /// A probe of the loop that this queue wakes.
    pub fn new(queue: Arc<CompletionQueue>) -> Self {
        let shape = Shape {
            bounds: [].into(),
            resolution: Some(RESOLUTION_MS),
        };
        Self {
            queue,
            origin: Instant::now(),
            sent: AtomicU64::new(0),
            delays: Mutex::new(Histogram::new(&shape)),
        }
    }

    fn elapsed(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64 + 1
    }

    /// Asks, unless a question is still pending.
    pub fn ask(&self) {
        let free = self
            .sent
            .compare_exchange(0, self.elapsed(), Ordering::SeqCst, Ordering::SeqCst);
        if free.is_ok() && !self.queue.push(SUBSCRIPTION, Outcome::Events) {
            self.sent.store(0, Ordering::SeqCst);
        }
    }

    /// The loop's answer. Returns the delay in milliseconds.
    pub fn answer(&self) -> Option<f64> {
        let sent = self.sent.swap(0, Ordering::SeqCst);
        if sent == 0 {
            return None;
        }
        let delay = self.elapsed().saturating_sub(sent) as f64 / 1e6;
        self.delays.lock().record(delay);
        Some(delay)
    }

    /// What is known so far.
    pub fn delays(&self) -> Delays {
        let delays = self.delays.lock();
        let sent = self.sent.load(Ordering::SeqCst);
        let pending = if sent == 0 {
            0.0
        } else {
            self.elapsed().saturating_sub(sent) as f64 / 1e6
        };
        let Some((_, max)) = delays.range() else {
            return Delays {
                pending,
                ..Delays::default()
            };
        };
        Delays {
            count: delays.count(),
            mean: delays.sum() / delays.count() as f64,
            quantiles: [0.5, 0.99].map(|quantile| delays.quantile(quantile).unwrap_or_default()),
            max,
            pending,
        }
    }
}

impl Periodic for LoopProbe {
    fn run(&self) -> Duration {
        self.ask();
        ASK_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::completion::Waker;

    struct Deaf;

    impl Waker for Deaf {
        fn wake(&self) {}
    }

    #[test]
    fn a_loop_that_does_not_answer_is_seen() {
        let queue = Arc::new(CompletionQueue::new(Box::new(Deaf)));
        let probe = LoopProbe::new(queue.clone());
        probe.ask();
        probe.ask();
        assert_eq!(queue.drain().len(), 1, "one question at a time");
        while probe.delays().pending < 2.0 {
            std::thread::yield_now();
        }
        let delay = probe.answer().unwrap();
        assert!(delay >= 2.0);
        assert_eq!(probe.answer(), None);
        let delays = probe.delays();
        assert_eq!((delays.count, delays.pending, delays.max), (1, 0.0, delay));
        queue.close();
        probe.ask();
        assert_eq!(probe.delays().pending, 0.0, "nobody is left to ask");
    }
}
