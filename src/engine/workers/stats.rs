//! What a pool counts.

use hdrhistogram::Histogram;

use crate::error::{Error, Result};

/// Largest duration that is told apart: a day. Longer ones count as one.
const MAX_US: u64 = 86_400_000_000;

/// Durations in microseconds, to two digits.
#[derive(Debug, Clone)]
pub struct Durations(Histogram<u64>);

/// The durations in figures, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: f64,
    /// The longest.
    pub max: f64,
    /// The average.
    pub mean: f64,
    /// Half of them were not longer.
    pub p50: f64,
    /// 90 % of them.
    pub p90: f64,
    /// 95 % of them.
    pub p95: f64,
    /// 99 % of them.
    pub p99: f64,
}

impl Durations {
    /// None yet.
    ///
    /// # Errors
    /// Never, with the bounds that they have.
    pub fn new() -> Result<Self> {
        let histogram = Histogram::new_with_bounds(1, MAX_US, 2);
        histogram.map(Self).map_err(|error| Error::Inconsistent {
            reason: error.to_string(),
        })
    }

    /// Counts one.
    pub fn record(&mut self, us: u64) {
        self.0.saturating_record(us.clamp(1, MAX_US));
    }

    /// The figures.
    pub fn summary(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        let ms = |us: u64| us as f64 / 1_000.0;
        let part = |quantile| ms(self.0.value_at_quantile(quantile));
        Summary {
            count: self.0.len(),
            min: ms(self.0.min()),
            max: ms(self.0.max()),
            mean: self.0.mean() / 1_000.0,
            p50: part(0.5),
            p90: part(0.9),
            p95: part(0.95),
            p99: part(0.99),
        }
    }
}

/// Counters of a pool since its beginning.
#[derive(Debug, Clone)]
pub struct Counters {
    /// Tasks accepted.
    pub submitted: u64,
    /// Tasks that succeeded.
    pub completed: u64,
    /// Tasks that failed for good, those that were aborted or terminated aside.
    pub failed: u64,
    /// Tasks that were aborted, or terminated with the pool.
    pub cancelled: u64,
    /// Attempts that were repeated.
    pub retried: u64,
    /// Orders that found the queue full.
    pub refused: u64,
    /// Attempts that took too long.
    pub timeouts: u64,
    /// Attempts in a worker that had served before.
    pub reuses: u64,
    /// Workers that got ready.
    pub created: u64,
    /// Workers that left.
    pub exited: u64,
    /// Workers that died by themselves.
    pub died: u64,
    /// How long successful attempts took, exactly.
    pub run_us: u64,
    /// How long attempts took that were answered, with success or not.
    pub run: Durations,
    /// How long attempts waited to begin, the waits between attempts aside.
    pub wait: Durations,
}

impl Counters {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            submitted: 0,
            completed: 0,
            failed: 0,
            cancelled: 0,
            retried: 0,
            refused: 0,
            timeouts: 0,
            reuses: 0,
            created: 0,
            exited: 0,
            died: 0,
            run_us: 0,
            run: Durations::new()?,
            wait: Durations::new()?,
        })
    }
}

/// A snapshot of a pool.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Workers whose thread is being started.
    pub starting: usize,
    /// Workers with nothing to do.
    pub idle: usize,
    /// Workers with something to do.
    pub busy: usize,
    /// Attempts under way.
    pub running: usize,
    /// Tasks in the queue.
    pub ready: usize,
    /// Tasks that wait for their next attempt.
    pub delayed: usize,
    /// Waiting tasks with a priority above, of, and below 0.
    pub by_priority: [usize; 3],
    /// The counters.
    pub counters: Counters,
}
