//! Counts and latencies of a multi-level cache.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Levels that there can be.
pub const LEVELS: usize = 3;

/// Latencies that are remembered of each level.
const SAMPLES: usize = 1000;

/// See the module.
#[derive(Debug, Default)]
pub struct Metrics {
    hits: [AtomicU64; LEVELS],
    /// Reads that no level answered.
    pub misses: AtomicU64,
    /// Values written by callers.
    pub writes: AtomicU64,
    /// Values put from one level into another.
    pub promotions: AtomicU64,
    /// Calls of loaders.
    pub loads: AtomicU64,
    /// Loaders that failed.
    pub load_failures: AtomicU64,
    /// Stale values served.
    pub stale: AtomicU64,
    /// Values loaded anew while nobody waited.
    pub refreshes: AtomicU64,
    /// Operations that a tier failed in.
    pub failures: AtomicU64,
    latencies: [Mutex<Ring>; LEVELS],
}

#[derive(Debug, Default)]
struct Ring {
    samples: Vec<f32>,
    next: usize,
}

/// Latencies of a level, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts hits of a level (the first is 1).
    pub fn hit(&self, level: u8, times: u64) {
        self.hits[usize::from(level - 1) % LEVELS].fetch_add(times, Ordering::Relaxed);
    }

    /// Hits of each level.
    pub fn hits(&self) -> [u64; LEVELS] {
        self.hits.each_ref().map(|hits| hits.load(Ordering::Relaxed))
    }

    /// Remembers how long a hit of a level took.
    pub fn took(&self, level: u8, ms: f64) {
        let mut ring = self.latencies[usize::from(level - 1) % LEVELS].lock();
        let next = ring.next;
        if ring.samples.len() < SAMPLES {
            ring.samples.push(ms as f32);
        } else {
            ring.samples[next] = ms as f32;
        }
        ring.next = (next + 1) % SAMPLES;
    }

    /// The latencies of a level, if it has had a hit. Sorts up to 1,000 numbers.
    pub fn latency(&self, level: u8) -> Option<Latency> {
        let mut samples = self.latencies[usize::from(level - 1) % LEVELS]
            .lock()
            .samples
            .clone();
        if samples.is_empty() {
            return None;
        }
        samples.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| {
            let place = (samples.len() as f64 * share) as usize;
            f64::from(samples[place.min(samples.len() - 1)])
        };
        let sum: f64 = samples.iter().copied().map(f64::from).sum();
        Some(Latency {
            mean: sum / samples.len() as f64,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_last_thousand() {
        let metrics = Metrics::default();
        assert_eq!(metrics.latency(2), None);
        for n in 0..1500 {
            metrics.took(2, f64::from(n));
        }
        let latency = metrics.latency(2).unwrap();
        assert_eq!((latency.p50, latency.p95, latency.p99), (1000.0, 1450.0, 1490.0));
        assert_eq!(latency.mean, 999.5);
    }
}
