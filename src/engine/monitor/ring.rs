//! The ring that one thread records into.
//!
//! The owner, JavaScript, writes a slot with plain stores and publishes it by storing the head
//! with `Atomics.store`; whoever drains loads the head with Acquire. One drains at a time: the
//! cursor's lock says who, batch by batch. The tail is published for the owner, so that it knows
//! how far it may write without asking.

use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::now_ms;
use super::store::Store;

/// Slots of a ring; a power of two. JavaScript has the same number.
pub const SLOTS: usize = 1 << 12;

/// Slots that are drained under one lock of the store, so that nobody waits long for it, and that
/// the owner writes between two looks for room.
pub const BATCH: usize = 1 << 11;

/// What JavaScript sees as one ArrayBuffer: values, targets, head and tail. Head and tail have
/// cache lines of their own, because two threads write them.
#[repr(C, align(64))]
pub struct Memory {
    values: [AtomicU64; SLOTS],
    targets: [AtomicU32; SLOTS],
    head: AtomicI32,
    _apart: [AtomicI32; 15],
    tail: AtomicI32,
    _end: [AtomicI32; 15],
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Memory")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Cursor {
    tail: i32,
    /// The time that the owner wrote last; 0 before.
    time: f64,
}

/// See the module.
#[derive(Debug)]
pub struct Ring {
    memory: Box<Memory>,
    cursor: Mutex<Cursor>,
}

impl Default for Ring {
    fn default() -> Self {
        // SAFETY: all of `Memory` is atomic integers, for which zero is a value.
        let memory = unsafe { Box::<Memory>::new_zeroed().assume_init() };
        Self {
            memory,
            cursor: Mutex::default(),
        }
    }
}

impl Ring {
    /// The memory, for its owner to write.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Records as JavaScript does. Only for the owner of the ring; the ring must not be full.
    pub fn write(&self, slot: u32, value: f64) {
        let head = self.memory.head.load(Ordering::Relaxed);
        let place = head as usize & (SLOTS - 1);
        self.memory.values[place].store(value.to_bits(), Ordering::Relaxed);
        self.memory.targets[place].store(slot, Ordering::Relaxed);
        self.memory.head.store(head.wrapping_add(1), Ordering::Release);
    }

    /// How many slots wait.
    pub fn waiting(&self) -> usize {
        let head = self.memory.head.load(Ordering::Acquire);
        head.wrapping_sub(self.memory.tail.load(Ordering::Acquire)) as u32 as usize
    }

    /// Brings everything that was published before the call into the store.
    pub fn drain(&self, store: &Mutex<Store>) {
        let head = self.memory.head.load(Ordering::Acquire);
        let mut cursor = self.cursor.lock();
        while head.wrapping_sub(cursor.tail) > 0 {
            self.drain_batch(&mut cursor, store);
            // An owner that waits for room shall not wait for everything.
            MutexGuard::bump(&mut cursor);
        }
    }

    /// Brings the oldest into the store, until the owner can write a [`BATCH`] more.
    pub fn make_room(&self, store: &Mutex<Store>) {
        let mut cursor = self.cursor.lock();
        while self.waiting() > SLOTS - BATCH {
            self.drain_batch(&mut cursor, store);
        }
    }

    fn drain_batch(&self, cursor: &mut Cursor, store: &Mutex<Store>) {
        let head = self.memory.head.load(Ordering::Acquire);
        let mut left = head.wrapping_sub(cursor.tail) as u32 as usize;
        // An owner that overran the ring (it cannot, unless it is broken) loses the oldest.
        if left > SLOTS {
            cursor.tail = head.wrapping_sub(SLOTS as i32);
            left = SLOTS;
        }
        if left == 0 {
            return;
        }
        let now = now_ms();
        let first = cursor.tail as usize & (SLOTS - 1);
        let count = left.min(BATCH).min(SLOTS - first);
        let slots = first..first + count;
        let mut store = store.lock();
        let targets = &self.memory.targets[slots.clone()];
        let values = &self.memory.values[slots];
        for (target, value) in targets.iter().zip(values) {
            let value = f64::from_bits(value.load(Ordering::Relaxed));
            store.apply(target.load(Ordering::Relaxed), value, &mut cursor.time, now);
        }
        drop(store);
        cursor.tail = cursor.tail.wrapping_add(count as i32);
        self.memory.tail.store(cursor.tail, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::{Target, slot};
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn the_layout_is_the_one_that_javascript_knows() {
        use std::mem::offset_of;
        assert_eq!(offset_of!(Memory, targets), SLOTS * 8);
        assert_eq!(offset_of!(Memory, head), SLOTS * 12);
        assert_eq!(offset_of!(Memory, tail), SLOTS * 12 + 64);
    }

    #[test]
    fn four_writers_lose_nothing_even_when_they_leave_at_once() {
        const EACH: u64 = if cfg!(debug_assertions) {
            1_000_000
        } else {
            10_000_000
        };
        let store = Arc::new(Mutex::new(Store::default()));
        let target = store.lock().add(Target::Counter(0.0));
        let done = AtomicBool::new(false);
        let rings: Vec<Ring> = (0..4).map(|_| Ring::default()).collect();
        std::thread::scope(|scope| {
            let drainer = scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    rings.iter().for_each(|ring| ring.drain(&store));
                }
            });
            let writers: Vec<_> = rings
                .iter()
                .map(|ring| {
                    scope.spawn(|| {
                        for value in 0..EACH {
                            if ring.waiting() == SLOTS {
                                ring.make_room(&store);
                            }
                            ring.write(slot(target, false), value as f64);
                        }
                        // The owner's thread ends.
                        ring.drain(&store);
                    })
                })
                .collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            done.store(true, Ordering::SeqCst);
            drainer.join().unwrap();
        });
        let exact = 4 * (EACH * (EACH - 1) / 2);
        assert_eq!(store.lock().number(target), Some(exact as f64));
    }
}
