//! The asynchronous runtime of the process, for engines that wait for the network.
//!
//! It starts at the first use and lives as long as the process; its threads sleep while
//! there is nothing to do and keep no process alive. Work that computes or that waits for a
//! disk does not belong on it: compute has its own pool, and the disk its own threads.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// Most threads that there are.
const THREADS: usize = 2;

/// Processors that a second thread wants to see: with fewer, what two threads tell each other costs
/// more than it brings.
const PROCESSORS: usize = 8;

fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if processors < PROCESSORS { 1 } else { THREADS }
}

/// The runtime, started if need be.
///
/// # Errors
/// The system refuses to start threads.
pub fn handle() -> Result<&'static Handle> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || {
        Builder::new_multi_thread()
            .worker_threads(threads())
            .thread_name("hotpath-io")
            .enable_all()
            .build()
            .ok()
    };
    let runtime = RUNTIME.get_or_init(start).as_ref();
    runtime.map(Runtime::handle).ok_or(Error::NoThreads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_and_timers_fire() {
        let task = handle().unwrap().spawn(async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            7
        });
        assert_eq!(futures_value(task), 7);
    }

    fn futures_value(task: tokio::task::JoinHandle<i32>) -> i32 {
        handle().unwrap().block_on(task).unwrap()
    }
}
