//! How much a cache may hold: the least of what it was made for, what its budget leaves it,
//! and what it keeps while memory is short.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::MemoryCache;
use crate::engine::cache::budget::Member;
use crate::engine::cache::store::Capacity;
use crate::engine::freed_memory;
use crate::engine::memory_pressure::{self, Yielding};

/// No bound.
const NONE: u64 = u64::MAX;

/// However short memory is, a cache keeps this part of what it might hold: less of it would
/// hardly help, and cost all the hits.
const KEPT_PART: u64 = 10;

/// Parts of its bound that a cache takes back at a time when memory is there again.
const RECOVERY_PARTS: u64 = 32;

/// See the module.
#[derive(Debug)]
pub struct Limits {
    entries: AtomicU64,
    own: AtomicU64,
    allotted: AtomicU64,
    pressed: AtomicU64,
    shrinks: AtomicU64,
    recoveries: AtomicU64,
    /// Held while the store is told, so that the last to change a limit has the last word.
    applying: Mutex<()>,
}

/// What short memory has done to a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pressure {
    /// True while it holds back.
    pub is_active: bool,
    /// How often it had to give memory up.
    pub shrinks: u64,
    /// How often it was back at its full size afterwards.
    pub recoveries: u64,
    /// Most bytes when memory is not short.
    pub unpressed_bytes: u64,
}

impl Limits {
    /// The limits of a new cache. One with a budget has nothing until it asks.
    pub fn new(own: Capacity, has_budget: bool) -> Self {
        Self {
            entries: AtomicU64::new(own.entries),
            own: AtomicU64::new(own.bytes),
            allotted: AtomicU64::new(if has_budget { 0 } else { NONE }),
            pressed: AtomicU64::new(NONE),
            shrinks: AtomicU64::new(0),
            recoveries: AtomicU64::new(0),
            applying: Mutex::default(),
        }
    }

    /// The bounds that hold now.
    pub fn capacity(&self) -> Capacity {
        Capacity {
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes(),
        }
    }

    /// Most bytes now.
    pub fn bytes(&self) -> u64 {
        self.unpressed().min(self.pressed.load(Ordering::Relaxed))
    }

    fn unpressed(&self) -> u64 {
        let allotted = self.allotted.load(Ordering::Relaxed);
        self.own.load(Ordering::Relaxed).min(allotted)
    }

    /// What short memory has done.
    pub fn pressure(&self) -> Pressure {
        Pressure {
            is_active: self.pressed.load(Ordering::Relaxed) != NONE,
            shrinks: self.shrinks.load(Ordering::Relaxed),
            recoveries: self.recoveries.load(Ordering::Relaxed),
            unpressed_bytes: self.unpressed(),
        }
    }

    /// From now on so many bytes at most, but never less than the kept part.
    fn press(&self, bytes: u64) {
        let kept = self.unpressed() / KEPT_PART;
        self.pressed.store(bytes.max(kept), Ordering::Relaxed);
        self.shrinks.fetch_add(1, Ordering::Relaxed);
    }

    /// A step back towards the full size. False when nothing changed.
    fn relax(&self) -> bool {
        let (pressed, full) = (self.pressed.load(Ordering::Relaxed), self.unpressed());
        if pressed == NONE {
            return false;
        }
        let more = pressed.saturating_add((full / RECOVERY_PARTS).max(1));
        if more < full {
            self.pressed.store(more, Ordering::Relaxed);
        } else {
            self.pressed.store(NONE, Ordering::Relaxed);
            self.recoveries.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

impl MemoryCache {
    /// Takes its place among those who share a budget and those who give memory back.
    pub(super) fn take_place(self: &Arc<Self>) {
        if let Some(budget) = &self.config.budget {
            let member: Weak<dyn Member> = self.this.clone();
            let seat = budget.join(member);
            self.effects.seat.get_or_init(|| seat);
        }
        memory_pressure::watch(self.this.clone());
    }

    /// Changes the cache's own bounds, and evicts what no longer fits.
    pub fn resize(&self, max_entries: Option<u64>, max_bytes: Option<u64>) {
        if let Some(entries) = max_entries {
            self.limits.entries.store(entries, Ordering::Relaxed);
        }
        if let Some(bytes) = max_bytes {
            self.limits.own.store(bytes, Ordering::Relaxed);
        }
        self.apply_limits();
    }

    /// Changes from how many bytes on values are compressed, where there is compression.
    pub fn compress_from(&self, bytes: usize) {
        self.packing.set_threshold(bytes);
    }

    fn apply_limits(&self) {
        let _applying = self.limits.applying.lock();
        self.store.resize(self.limits.capacity());
    }
}

impl Member for MemoryCache {
    fn name(&self) -> Option<String> {
        self.config.name.clone()
    }

    fn bytes(&self) -> u64 {
        self.store.bytes()
    }

    fn ceiling(&self) -> u64 {
        self.limits.own.load(Ordering::Relaxed)
    }

    fn allot(&self, bytes: u64) {
        self.limits.allotted.store(bytes, Ordering::Relaxed);
        self.apply_limits();
    }
}

impl Yielding for MemoryCache {
    fn held_bytes(&self) -> u64 {
        self.store.bytes()
    }

    fn shrink(&self, bytes: u64) {
        let before = self.store.bytes();
        self.limits.press(before.saturating_sub(bytes));
        self.apply_limits();
        freed_memory::freed(before.saturating_sub(self.store.bytes()));
    }

    fn recover(&self) {
        if self.limits.relax() {
            self.apply_limits();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_counts_and_recovery_takes_steps() {
        let own = Capacity {
            entries: 7,
            bytes: 1_000,
        };
        let limits = Limits::new(own, false);
        assert_eq!(limits.capacity(), own);
        limits.press(400);
        assert_eq!(limits.bytes(), 400);
        limits.press(0);
        assert_eq!(limits.bytes(), 100, "a part is kept");
        let mut steps = 0;
        while limits.relax() {
            steps += 1;
        }
        assert!((20..=RECOVERY_PARTS).contains(&steps), "{steps} steps");
        assert_eq!(limits.capacity(), own);
        let pressure = limits.pressure();
        assert_eq!(
            (pressure.is_active, pressure.shrinks, pressure.recoveries),
            (false, 2, 1)
        );
    }

    #[test]
    fn a_member_of_a_budget_begins_with_nothing() {
        let own = Capacity {
            entries: NONE,
            bytes: 1_000,
        };
        let limits = Limits::new(own, true);
        assert_eq!(limits.bytes(), 0);
        limits.allotted.store(5_000, Ordering::Relaxed);
        assert_eq!(limits.bytes(), 1_000);
    }
}
