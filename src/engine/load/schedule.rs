//! When what is due, computed from its number alone: nothing that happened before can shift it.

use std::time::Duration;

use super::plan::Phase;

/// One arrival after the other.
#[derive(Debug, Clone)]
pub struct Schedule {
    stretches: Vec<Stretch>,
    total: u64,
}

#[derive(Debug, Clone)]
struct Stretch {
    /// Arrivals before it.
    before: u64,
    arrivals: u64,
    begins: f64,
    seconds: f64,
    from: f64,
    to: f64,
    most: Option<usize>,
}

/// An arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due {
    /// After the beginning of the run.
    pub after: Duration,
    /// How many may be there at a time.
    pub most: Option<usize>,
}

impl Schedule {
    /// Arrivals of phases, one after the other.
    pub fn of_phases(phases: &[Phase]) -> Self {
        let mut schedule = Self {
            stretches: Vec::new(),
            total: 0,
        };
        let mut begins = 0.0;
        for phase in phases {
            let seconds = phase.duration_ms / 1000.0;
            // Rounding must not lose the last arrival of a phase whose numbers are whole.
            let arrivals = ((phase.from + phase.to) / 2.0 * seconds + 1e-6).floor() as u64;
            schedule.stretches.push(Stretch {
                before: schedule.total,
                arrivals,
                begins,
                seconds,
                from: phase.from,
                to: phase.to,
                most: phase.most,
            });
            schedule.total += arrivals;
            begins += seconds;
        }
        schedule
    }

    /// Arrivals at even distances, as many as fit into the limits of which there is at least one.
    pub fn even(rate: f64, requests: Option<u64>, duration_ms: Option<f64>) -> Self {
        let seconds = match (requests, duration_ms) {
            (Some(requests), Some(ms)) => (requests as f64 / rate).min(ms / 1000.0),
            (Some(requests), None) => requests as f64 / rate,
            (None, ms) => ms.unwrap_or(0.0) / 1000.0,
        };
        Self::of_phases(&[Phase {
            duration_ms: seconds * 1000.0,
            from: rate,
            to: rate,
            most: None,
        }])
    }

    /// How many arrivals there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// When everything is over.
    pub fn end(&self) -> Duration {
        let last = self.stretches.last();
        seconds(last.map_or(0.0, |stretch| stretch.begins + stretch.seconds))
    }

    /// The phase that is under way, counted from 0.
    pub fn phase_at(&self, after: Duration) -> usize {
        let after = after.as_secs_f64();
        let begun = self.stretches.iter().filter(|stretch| stretch.begins <= after);
        begun.count().saturating_sub(1)
    }

    /// Arrival number `number`, counted from 0.
    pub fn at(&self, number: u64) -> Option<Due> {
        let at = self
            .stretches
            .partition_point(|stretch| stretch.before + stretch.arrivals <= number);
        let stretch = self.stretches.get(at)?;
        let nth = (number - stretch.before) as f64;
        Some(Due {
            after: seconds(stretch.begins + stretch.when(nth)),
            most: stretch.most,
        })
    }
}

impl Stretch {
    /// The time at which `count` arrivals have happened. With a rate that grows evenly, their
    /// number is `from t + (to - from) t^2 / 2 s`; this is its inverse, in the form that does not
    /// lose digits when the rate hardly changes.
    fn when(&self, count: f64) -> f64 {
        if count == 0.0 {
            return 0.0;
        }
        let growth = (self.to - self.from) / self.seconds;
        let root = (self.from * self.from + 2.0 * growth * count).max(0.0).sqrt();
        (2.0 * count / (self.from + root)).min(self.seconds)
    }
}

/// What no test lasts as long as. Instants that are so far away still exist.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A duration of so many seconds: none if they are negative or no number, and a hundred years at most.
pub fn seconds(seconds: f64) -> Duration {
    if seconds.is_nan() || seconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).map_or(LONGEST, |duration| duration.min(LONGEST))
}
