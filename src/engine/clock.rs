//! Time for caches: exact where a deadline is set, coarse where one is checked.
//!
//! Reading the clock costs more than a hit in the near cache, so hits compare deadlines with
//! a millisecond counter that a native thread keeps in shared memory. The counter never runs
//! ahead of the exact clock, hence nothing expires early; it lags by [`TICK`] and whatever
//! the scheduler adds. The thread sleeps for good while nobody needs it.

use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

/// How often the coarse clock advances.
pub const TICK: Duration = Duration::from_millis(4);

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
static COARSE_MS: AtomicU64 = AtomicU64::new(0);
static USERS: AtomicUsize = AtomicUsize::new(0);
static TICKER: OnceLock<std::thread::Thread> = OnceLock::new();

/// The coarse clock as JavaScript reads it: the low 32 bits of the milliseconds. It wraps
/// after 49 days, so deadlines are compared by their difference.
pub static SHARED: AtomicI32 = AtomicI32::new(0);

/// Milliseconds since the first use of the clock, exactly. Never 0, because a deadline of 0
/// means "none".
pub fn now_ms() -> u64 {
    // The head start keeps the very first reading above 0.
    ORIGIN.elapsed().as_millis() as u64 + 1
}

/// The same clock in microseconds.
pub fn now_us() -> u64 {
    ORIGIN.elapsed().as_micros() as u64 + 1_000
}

/// Milliseconds since the first use of the clock, at most a few behind [`now_ms`] while a
/// [`Lease`] is held, and arbitrarily far behind otherwise. One relaxed load.
pub fn coarse_ms() -> u64 {
    COARSE_MS.load(Ordering::Relaxed)
}

/// Keeps the coarse clock running until it is dropped.
#[derive(Debug)]
pub struct Lease(());

impl Lease {
    /// Starts the clock, or joins those who keep it running.
    pub fn acquire() -> Self {
        USERS.fetch_add(1, Ordering::SeqCst);
        advance();
        TICKER.get_or_init(start).unpark();
        Lease(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        USERS.fetch_sub(1, Ordering::SeqCst);
    }
}

fn advance() {
    let now = now_ms();
    // `fetch_max`, because a thread that acquires a lease races with the ticker.
    let previous = COARSE_MS.fetch_max(now, Ordering::SeqCst);
    SHARED.store(previous.max(now) as i32, Ordering::SeqCst);
}

fn start() -> std::thread::Thread {
    let ticker = std::thread::Builder::new()
        .name("hotpath-clock".into())
        .spawn(|| {
            loop {
                if USERS.load(Ordering::SeqCst) == 0 {
                    std::thread::park();
                } else {
                    std::thread::sleep(TICK);
                }
                advance();
            }
        });
    match ticker {
        Ok(handle) => handle.thread().clone(),
        // No thread to be had: `coarse_ms` stands still and entries expire only through the
        // exact clock of the operations that read it. The current thread is a harmless
        // target for `unpark`.
        Err(_) => std::thread::current(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_follows_and_never_leads() {
        let _lease = Lease::acquire();
        let start = coarse_ms();
        assert!(start > 0);
        while coarse_ms() < start + 20 {
            assert!(coarse_ms() <= now_ms());
            std::thread::yield_now();
        }
        // The two words of the clock are stored one after the other.
        let lag = (coarse_ms() as i32).wrapping_sub(SHARED.load(Ordering::SeqCst));
        assert!(lag.abs() < 1000, "shared word is {lag} ms away");
    }
}
