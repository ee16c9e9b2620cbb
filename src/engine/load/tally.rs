//! What was counted: by one thread, or merged over all.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::failure::{Failure, KINDS};

/// Longest latency that is told apart: an hour, in microseconds.
const LONGEST_US: u64 = 3_600_000_000;

/// Significant digits of latencies.
const DIGITS: u8 = 3;

/// Statuses that HTTP has: three digits.
const STATUSES: usize = 1000;

/// Counts.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Latencies in microseconds of what was answered, and of what timed out.
    pub latencies: Histogram<u64>,
    /// Answers by status.
    pub statuses: Vec<u64>,
    /// Failures by kind.
    pub failures: [u64; KINDS.len()],
    /// The sum of all latencies in the histogram.
    pub sum: Duration,
    /// The shortest of them.
    pub least: Duration,
    /// The longest of them.
    pub most: Duration,
    /// Bytes received, heads included.
    pub received: u64,
    /// Bytes sent, heads included.
    pub sent: u64,
    /// Connections that came about.
    pub connections: u64,
    /// Requests that were under way, or due, when the run was stopped.
    pub unfinished: u64,
    /// Users.
    pub users: UserCounts,
    /// Users by scenario.
    pub scenarios: Vec<u64>,
}

/// Users who arrived.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserCounts {
    /// Who began.
    pub started: u64,
    /// Who came to the end.
    pub completed: u64,
    /// Who gave up.
    pub failed: u64,
    /// Who did not come, because there were too many.
    pub skipped: u64,
}

impl Tally {
    /// Nothing yet. None without memory for it.
    pub fn new(scenarios: usize) -> Option<Self> {
        Some(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok()?,
            statuses: vec![0; STATUSES],
            failures: [0; KINDS.len()],
            sum: Duration::ZERO,
            least: Duration::MAX,
            most: Duration::ZERO,
            received: 0,
            sent: 0,
            connections: 0,
            unfinished: 0,
            users: UserCounts::default(),
            scenarios: vec![0; scenarios],
        })
    }

    /// Counts an answer.
    pub fn answered(&mut self, status: u16, latency: Duration) {
        self.statuses[usize::from(status) % STATUSES] += 1;
        self.record(latency);
    }

    /// Counts a failure.
    pub fn failed(&mut self, failure: Failure, latency: Duration) {
        self.failures[failure.index()] += 1;
        if failure == Failure::Timeout {
            self.record(latency);
        }
    }

    fn record(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latencies.saturating_record(us.max(1));
        self.sum += latency;
        self.least = self.least.min(latency);
        self.most = self.most.max(latency);
    }

    /// Answers that say that it went well: statuses below 400.
    pub fn successes(&self) -> u64 {
        self.statuses[..400].iter().sum()
    }

    /// Everything else.
    pub fn failed_requests(&self) -> u64 {
        self.statuses[400..].iter().sum::<u64>() + self.failures.iter().sum::<u64>()
    }

    /// Adds what another thread has counted.
    pub fn add(&mut self, other: &Self) {
        // Of the same bounds, so it cannot be refused.
        let _ = self.latencies.add(&other.latencies);
        let sums = self.statuses.iter_mut().zip(&other.statuses);
        sums.for_each(|(sum, count)| *sum += count);
        let sums = self.failures.iter_mut().zip(&other.failures);
        sums.for_each(|(sum, count)| *sum += count);
        let sums = self.scenarios.iter_mut().zip(&other.scenarios);
        sums.for_each(|(sum, count)| *sum += count);
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.received += other.received;
        self.sent += other.sent;
        self.connections += other.connections;
        self.unfinished += other.unfinished;
        self.users.started += other.users.started;
        self.users.completed += other.users.completed;
        self.users.failed += other.users.failed;
        self.users.skipped += other.users.skipped;
    }
}
