//! What [`Bell`](super::bell::Bell) is made of. Its tests put shuttle's primitives in the
//! place of these, and run it through every order of events that they can think of.

pub use std::sync::atomic::{AtomicBool, Ordering};
pub use std::sync::{Condvar, Mutex, MutexGuard};
pub use std::time::Duration;
