//! The circuit breaker: stops asking a service that does not answer, and finds out when it
//! does again.
//!
//! - *Closed*: every call passes. It opens after `failure_threshold` failures in a row, or when
//!   `failure_ratio` of the calls of the last `window_ms` failed and there were at least
//!   `minimum_calls` of them. The first notices an outage at once however long the good times
//!   were, the second a service that fails often but not always.
//! - *Open*: every call is refused, for `open_ms`.
//! - *Half-open*: up to `probes` calls pass at a time. So many successes in a row close the
//!   breaker, one failure opens it again. A probe that never reports counts as lost after
//!   `open_ms`, so that a caller who dies cannot keep the breaker half-open.
//!
//! Each call carries a [`Permit`] with the epoch it began in: what a call of an earlier epoch
//! reports is ignored, because it says nothing about the service as it is now.
//!
//! Time is given by the caller, in milliseconds of [`clock::now_ms`](super::clock::now_ms). One
//! short lock per call; a batch of calls may share one permit and one
//! [`report`](Breaker::report).

use std::fmt;

use parking_lot::Mutex;

/// Pieces that the window is counted in: it moves on by one of them at a time.
const BUCKETS: usize = 10;

/// When a breaker opens, and how it finds its way back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Failures in a row that open it; at least 1.
    pub failure_threshold: u32,
    /// Share of failures within the window that opens it, above 0 and at most 1.
    pub failure_ratio: f64,
    /// Calls within the window below which the ratio says nothing; at least 1.
    pub minimum_calls: u32,
    /// Length of the window in milliseconds; at least 1.
    pub window_ms: u64,
    /// How long it refuses before it tries again, in milliseconds.
    pub open_ms: u64,
    /// Calls that may try at a time, and successes that close it; at least 1.
    pub probes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            failure_ratio: 0.5,
            minimum_calls: 20,
            window_ms: 10_000,
            open_ms: 1_000,
            probes: 1,
        }
    }
}

/// What a breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All pass.
    Closed,
    /// None passes.
    Open,
    /// A few pass, to see how they fare.
    HalfOpen,
}

impl State {
    /// The name that JavaScript knows it by.
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half-open",
        }
    }
}

/// The right to make one call, or one batch of calls. To be given back by
/// [`report`](Breaker::report), [`succeed`](Breaker::succeed), [`fail`](Breaker::fail) or
/// [`release`](Breaker::release).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a probe that is never reported blocks the next one for a while"]
pub struct Permit {
    epoch: u64,
}

/// Counts since the breaker was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were reported as successes.
    pub successes: u64,
    /// Calls that were reported as failures.
    pub failures: u64,
    /// Calls that were refused.
    pub rejections: u64,
    /// How often it opened.
    pub openings: u64,
}

type Observer = Box<dyn Fn(State) + Send + Sync>;

/// See the module.
pub struct Breaker {
    options: Options,
    inner: Mutex<Inner>,
    observer: Option<Observer>,
}

struct Inner {
    state: State,
    /// Moves with every change of state.
    epoch: u64,
    /// When the current state began.
    since: u64,
    failures_in_row: u32,
    window: Window,
    probes: Probes,
    counts: Counts,
}

#[derive(Default)]
struct Probes {
    running: u32,
    succeeded: u32,
    /// When the last one was let through.
    last: u64,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(options: Options) -> Self {
        let inner = Inner {
            state: State::Closed,
            epoch: 0,
            since: 0,
            failures_in_row: 0,
            window: Window::default(),
            probes: Probes::default(),
            counts: Counts::default(),
        };
        Self {
            options,
            inner: Mutex::new(inner),
            observer: None,
        }
    }

    /// A closed breaker that tells of each change of its state, in order. The observer runs
    /// inside the breaker's lock and must not call it.
    pub fn observed(options: Options, observer: impl Fn(State) + Send + Sync + 'static) -> Self {
        Self {
            observer: Some(Box::new(observer)),
            ..Self::new(options)
        }
    }

    /// What the breaker was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Asks to make a call. `None` refuses it.
    pub fn acquire(&self, now: u64) -> Option<Permit> {
        let mut inner = self.inner.lock();
        self.wait_over(&mut inner, now);
        let permit = Permit { epoch: inner.epoch };
        match inner.state {
            State::Closed => return Some(permit),
            State::HalfOpen => {
                let lost = now.saturating_sub(inner.probes.last) > self.options.open_ms;
                let running = if lost { 0 } else { inner.probes.running };
                if running < self.options.probes {
                    inner.probes.running = running + 1;
                    inner.probes.last = now;
                    return Some(permit);
                }
            }
            State::Open => {}
        }
        inner.counts.rejections += 1;
        None
    }

    /// Reports a call that went well.
    pub fn succeed(&self, permit: Permit, now: u64) {
        self.report(permit, 1, 0, now);
    }

    /// Reports a call that failed.
    pub fn fail(&self, permit: Permit, now: u64) {
        self.report(permit, 0, 1, now);
    }

    /// Gives a permit back without saying anything about the service.
    pub fn release(&self, permit: Permit) {
        let mut inner = self.inner.lock();
        if permit.epoch == inner.epoch && inner.state == State::HalfOpen {
            inner.probes.running = inner.probes.running.saturating_sub(1);
        }
    }

    /// Reports the calls of one permit. Of a mixed batch the failures count as the latest.
    pub fn report(&self, permit: Permit, successes: u32, failures: u32, now: u64) {
        let mut inner = self.inner.lock();
        inner.counts.successes += u64::from(successes);
        inner.counts.failures += u64::from(failures);
        if permit.epoch != inner.epoch {
            return;
        }
        match inner.state {
            State::Closed => {
                inner.window.add(now, self.options.window_ms, successes, failures);
                if successes > 0 {
                    inner.failures_in_row = 0;
                }
                inner.failures_in_row = inner.failures_in_row.saturating_add(failures);
                if failures > 0 && self.is_too_much(&inner) {
                    self.change(&mut inner, State::Open, now);
                }
            }
            State::HalfOpen if failures > 0 => self.change(&mut inner, State::Open, now),
            State::HalfOpen => {
                inner.probes.running = inner.probes.running.saturating_sub(1);
                inner.probes.succeeded = inner.probes.succeeded.saturating_add(successes);
                if inner.probes.succeeded >= self.options.probes {
                    self.change(&mut inner, State::Closed, now);
                }
            }
            State::Open => {}
        }
    }

    /// The service is known to be back, say because a connection was made: an open breaker
    /// becomes half-open without waiting for its time to pass.
    pub fn try_again(&self, now: u64) {
        let mut inner = self.inner.lock();
        if inner.state == State::Open {
            self.change(&mut inner, State::HalfOpen, now);
        }
    }

    /// The state at this time.
    pub fn state(&self, now: u64) -> State {
        let mut inner = self.inner.lock();
        self.wait_over(&mut inner, now);
        inner.state
    }

    /// Milliseconds until an open breaker lets a call try; 0 in the other states.
    pub fn retry_after_ms(&self, now: u64) -> u64 {
        let inner = self.inner.lock();
        match inner.state {
            State::Open => (inner.since + self.options.open_ms).saturating_sub(now),
            _ => 0,
        }
    }

    /// Counts since the breaker was made.
    pub fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    fn is_too_much(&self, inner: &Inner) -> bool {
        let (calls, failures) = inner.window.totals();
        inner.failures_in_row >= self.options.failure_threshold
            || calls >= u64::from(self.options.minimum_calls)
                && failures as f64 >= calls as f64 * self.options.failure_ratio
    }

    /// An open breaker whose time has passed is half-open; nobody needs a timer for it.
    fn wait_over(&self, inner: &mut Inner, now: u64) {
        if inner.state == State::Open && now.saturating_sub(inner.since) >= self.options.open_ms {
            self.change(inner, State::HalfOpen, now);
        }
    }

    fn change(&self, inner: &mut Inner, state: State, now: u64) {
        inner.state = state;
        inner.epoch += 1;
        inner.since = now;
        inner.failures_in_row = 0;
        inner.window = Window::default();
        inner.probes = Probes::default();
        if state == State::Open {
            inner.counts.openings += 1;
        }
        if let Some(observer) = &self.observer {
            observer(state);
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        formatter
            .debug_struct("Breaker")
            .field("options", &self.options)
            .field("state", &inner.state)
            .finish_non_exhaustive()
    }
}

/// Calls and failures of the last while, in a ring of buckets.
#[derive(Default)]
struct Window {
    buckets: [(u64, u64); BUCKETS],
    /// Number of the newest bucket since the beginning of time.
    newest: u64,
}

impl Window {
    fn add(&mut self, now: u64, window_ms: u64, successes: u32, failures: u32) {
        let bucket = now / (window_ms / BUCKETS as u64).max(1);
        if bucket > self.newest {
            // Those in between had no calls, and what stood there is from the last time around.
            let first = self.newest.max(bucket.saturating_sub(BUCKETS as u64)) + 1;
            for passed in first..=bucket {
                self.buckets[passed as usize % BUCKETS] = (0, 0);
            }
            self.newest = bucket;
        }
        let newest = &mut self.buckets[self.newest as usize % BUCKETS];
        newest.0 += u64::from(successes) + u64::from(failures);
        newest.1 += u64::from(failures);
    }

    fn totals(&self) -> (u64, u64) {
        let add = |sum: (u64, u64), bucket: &(u64, u64)| (sum.0 + bucket.0, sum.1 + bucket.1);
        self.buckets.iter().fold((0, 0), add)
    }
}

#[cfg(test)]
mod tests;
