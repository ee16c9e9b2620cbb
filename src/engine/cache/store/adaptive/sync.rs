//! What [`reads`](super::reads) is made of. Its tests put shuttle's primitives in the place of
//! these, and run it through every order of events that they can think of.

use std::cell::Cell;

pub use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// A number of this thread's own.
pub fn own_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    OWN.with(Cell::get)
}
