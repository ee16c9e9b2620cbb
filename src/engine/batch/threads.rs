//! The threads that batches compute on: all cores but the event loop's own.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// How many threads may compute at once while the event loop keeps a core.
pub fn count() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).max(1)
}

/// The pool, started if need be. Its threads sleep while there is nothing to do, and keep no
/// process alive.
///
/// # Errors
/// The system refuses to start threads.
pub fn pool() -> Result<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let start = || {
        ThreadPoolBuilder::new()
            .num_threads(count())
            .thread_name(|index| format!("hotpath-batch-{index}"))
            .build()
            .ok()
    };
    POOL.get_or_init(start).as_ref().ok_or(Error::NoThreads)
}
