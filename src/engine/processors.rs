//! Threads for work that computes: one pool for the whole process, one thread smaller than
//! the machine, so that the event loop keeps a core to itself.
//!
//! The pool is hotpath's own, not rayon's global one, which belongs to whoever comes first.
//! Its threads start at the first use, sleep while there is nothing to do and never keep a
//! process alive. Engines bound their share of it themselves.

use std::sync::{Arc, OnceLock};
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A tenth of the weight of the event loop's thread. With it, and two scans on two cores, the
/// event loop was busy for 20 ms where it was for 114, most of them waiting for a core.
#[cfg(target_os = "linux")]
const YIELDING_NICE: libc::c_int = 10;

/// How many threads compute at most: one less than the cores that this process may use, at
/// least one.
#[must_use]
pub fn spare() -> usize {
    static SPARE: OnceLock<usize> = OnceLock::new();
    *SPARE.get_or_init(|| {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        cores.saturating_sub(1).max(1)
    })
}

/// Runs `work` on the pool, soon. Where the system grants no threads at all, it runs right
/// here, on the thread of the caller.
pub fn spawn(work: impl FnOnce() + Send + 'static) {
    match pool() {
        Some(pool) => pool.spawn(work),
        None => work(),
    }
}

/// Lets other threads go first from now on: for one that computes for long while all cores are
/// in use, so that the event loop, which needs one for moments, does not wait for it. Only
/// Linux can say so of one thread; elsewhere nothing changes.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    // SAFETY: 0 stands for the calling thread, whose priority everybody may lower. A refusal
    // costs nothing but the effect.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, YIELDING_NICE);
    }
}

fn pool() -> Option<&'static Arc<ThreadPool>> {
    static POOL: OnceLock<Option<Arc<ThreadPool>>> = OnceLock::new();
    POOL.get_or_init(|| {
        let build = |threads| {
            ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|index| format!("hotpath-compute-{index}"))
                // Engines catch panics themselves; one that slips through must not end Node.
                .panic_handler(|_| {})
                .build()
        };
        build(spare()).or_else(|_| build(1)).ok().map(Arc::new)
    })
    .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn leaves_the_event_loop_a_core() {
        let cores = thread::available_parallelism().unwrap().get();
        assert!(spare() >= 1);
        assert!(spare() < cores || cores == 1);
    }

    #[test]
    fn a_panic_does_not_end_the_pool() {
        let (sender, receiver) = channel();
        spawn(|| panic!("expected by the test"));
        spawn(move || sender.send(thread::current().name().map(str::to_owned)).unwrap());
        let name = receiver.recv().unwrap();
        assert!(name.is_some_and(|name| name.starts_with("hotpath-compute")));
    }
}
