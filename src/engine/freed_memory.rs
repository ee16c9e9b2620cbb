//! Giving back memory that one thread took and another freed.
//!
//! mimalloc hands pages to threads, and a page goes back to the system when the thread that has
//! it looks at it. What expires or is evicted under pressure is freed by a background thread,
//! while nearly all of it was taken by threads of JavaScript, which may be idle for long. So
//! they are asked to look, each time that a good deal was freed: often enough for none of the
//! looks to take long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::completion::CompletionQueue;

/// Bytes that are freed between two looks. A look at so much takes about a millisecond.
const STEP: u64 = 8 * 1024 * 1024;

static FREED: AtomicU64 = AtomicU64::new(0);
static THREADS: Mutex<Vec<Weak<CompletionQueue>>> = Mutex::new(Vec::new());

/// The calling thread, which has this queue, takes memory that others may free.
pub fn enlist(queue: &Arc<CompletionQueue>) {
    let mut threads = THREADS.lock();
    threads.retain(|thread| thread.strong_count() > 0);
    threads.push(Arc::downgrade(queue));
}

/// So many bytes were freed by a thread that did not take them.
pub fn freed(bytes: u64) {
    if bytes == 0 || FREED.fetch_add(bytes, Ordering::Relaxed) + bytes < STEP {
        return;
    }
    FREED.store(0, Ordering::Relaxed);
    // Nothing of theirs happens under the lock of the list.
    let threads = THREADS.lock().clone();
    for thread in threads.iter().filter_map(Weak::upgrade) {
        thread.ask_to_give_back();
    }
}

/// Gives back to the system what others have freed of the calling thread's memory.
pub fn give_back() {
    // SAFETY: takes nothing but the calling thread's own heap, which mimalloc makes if need be.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::completion::Waker;

    struct Nobody;

    impl Waker for Nobody {
        fn wake(&self) {}
    }

    #[test]
    fn threads_are_asked_once_a_good_deal_was_freed() {
        let queue = Arc::new(CompletionQueue::new(Box::new(Nobody)));
        enlist(&queue);
        freed(STEP);
        assert!(queue.is_asked_to_give_back());
        give_back();
    }
}
