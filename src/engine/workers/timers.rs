//! Alarms of schedulers, on one native thread: a busy event loop neither delays nor doubles
//! a retry or a deadline.
//!
//! The thread starts with the first alarm, sleeps until the next one is due, and keeps no
//! process alive. It holds what it calls weakly: an engine that is dropped is forgotten.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::engine::clock;

/// What can be woken at a given time.
pub trait Alarm: Send + Sync {
    /// The time has come. Called on the timers' thread; must not block for long.
    fn ring(&self);
}

struct Entry {
    due_ms: Reverse<u64>,
    alarm: Weak<dyn Alarm>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due_ms == other.due_ms
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due_ms.cmp(&other.due_ms)
    }
}

#[derive(Default)]
struct Timers {
    entries: Mutex<BinaryHeap<Entry>>,
    changed: Condvar,
}

/// Rings `alarm` at `due_ms` on the engine's clock ([`clock::now_ms`]), or soon if that is
/// past. Alarms are not taken back: who is rung looks at what is due.
///
/// False when the system refuses the thread; nothing will ring then.
pub fn at(due_ms: u64, alarm: Weak<dyn Alarm>) -> bool {
    static TIMERS: OnceLock<Option<&'static Timers>> = OnceLock::new();
    let Some(timers) = TIMERS.get_or_init(start) else {
        return false;
    };
    let due_ms = Reverse(due_ms);
    let mut entries = timers.entries.lock();
    let first = entries.peek().is_none_or(|entry| due_ms > entry.due_ms);
    entries.push(Entry { due_ms, alarm });
    if first {
        timers.changed.notify_one();
    }
    true
}

fn start() -> Option<&'static Timers> {
    let timers: &'static Timers = Box::leak(Box::default());
    let name = "hotpath-timers".to_owned();
    let thread = std::thread::Builder::new().name(name);
    thread.spawn(|| run(timers)).ok().map(|_| timers)
}

fn run(timers: &Timers) {
    let mut entries = timers.entries.lock();
    loop {
        let now = clock::now_ms();
        match entries.peek().map(|entry| entry.due_ms.0) {
            None => timers.changed.wait(&mut entries),
            Some(due_ms) if due_ms > now => {
                let wait = Duration::from_millis(due_ms - now);
                timers.changed.wait_for(&mut entries, wait);
            }
            Some(_) => {
                let alarm = entries.pop().and_then(|entry| entry.alarm.upgrade());
                // Who is rung may set alarms.
                parking_lot::MutexGuard::unlocked(&mut entries, || {
                    if let Some(alarm) = alarm {
                        // One engine that panics must not silence the others.
                        let ring = std::panic::AssertUnwindSafe(|| alarm.ring());
                        let _ = std::panic::catch_unwind(ring);
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    struct Bell(u32, Mutex<Sender<u32>>);

    impl Alarm for Bell {
        fn ring(&self) {
            assert_ne!(self.0, 0, "expected by the test");
            self.1.lock().send(self.0).unwrap();
        }
    }

    #[test]
    fn alarms_ring_in_order_and_a_dropped_or_panicking_one_harms_nobody() {
        let (sender, receiver) = channel();
        let bells: Vec<Arc<Bell>> = (0..4)
            .map(|number| Arc::new(Bell(number, Mutex::new(sender.clone()))))
            .collect();
        let now = clock::now_ms();
        for (number, after) in [(3, 30), (1, 0), (2, 15), (0, 5)] {
            let weak: Weak<dyn Alarm> = Arc::downgrade(&(bells[number].clone() as Arc<dyn Alarm>));
            assert!(at(now + after, weak));
        }
        let dropped = Arc::new(Bell(9, Mutex::new(sender.clone())));
        at(now + 10, Arc::downgrade(&(dropped.clone() as Arc<dyn Alarm>)));
        drop(dropped);
        let rung: Vec<u32> = receiver.iter().take(3).collect();
        assert_eq!(rung, [1, 2, 3]);
        assert!(clock::now_ms() >= now + 30);
    }
}
