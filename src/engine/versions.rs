//! Version counters: how a near cache in JavaScript learns that a value is stale.
//!
//! Every key maps to one of a power of two of counters. Whoever changes a key bumps its
//! counter after the change and inside the same lock; a near cache remembers the counter
//! that was current before it read the value, and trusts its copy as long as the counter
//! stands still. Keys that share a counter void each other's copies, which costs a read and
//! never a wrong answer. Counters wrap, so they are compared for equality only.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counters of a large cache: 256 KiB, of which only touched pages take memory.
pub const MAX_SLOTS: usize = 65_536;
const MIN_SLOTS: usize = 256;

/// The counters of one engine.
#[derive(Debug)]
pub struct VersionTable {
    /// The counters, and behind them the count of arrivals that JavaScript reads to know
    /// when its hits are worth reporting.
    words: Box<[AtomicU32]>,
    mask: usize,
}

impl VersionTable {
    /// A table for an engine of about `expected_entries`.
    pub fn new(expected_entries: u64) -> Self {
        let wanted = expected_entries
            .saturating_mul(4)
            .clamp(MIN_SLOTS as u64, MAX_SLOTS as u64);
        let slots = (wanted as usize).next_power_of_two();
        let words = Box::<[AtomicU32]>::new_zeroed_slice(slots + 1);
        // SAFETY: all-zero bytes are a valid `AtomicU32`.
        let words = unsafe { words.assume_init() };
        Self {
            words,
            mask: slots - 1,
        }
    }

    /// The counter that a key's hash maps to.
    pub fn slot(&self, hash: u64) -> usize {
        (hash >> 20) as usize & self.mask
    }

    /// The current version of a slot. To be read before the value that it vouches for.
    pub fn current(&self, slot: usize) -> u32 {
        self.words[slot].load(Ordering::SeqCst)
    }

    /// Voids all copies of the keys of this hash's slot. To be called after the change,
    /// inside the lock that guards the key.
    pub fn bump(&self, hash: u64) {
        self.words[self.slot(hash)].fetch_add(1, Ordering::SeqCst);
    }

    /// Voids all copies of all keys. Costs one addition a slot: about 0.1 ms for the
    /// largest table.
    pub fn bump_all(&self) {
        for word in &self.words[..=self.mask] {
            word.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Counts an entry that was written.
    pub fn count_arrival(&self) {
        self.words[self.mask + 1].fetch_add(1, Ordering::Relaxed);
    }

    /// The words as JavaScript maps them: the counters, then the count of arrivals.
    pub fn words(&self) -> &[AtomicU32] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_powers_of_two_within_bounds() {
        for (entries, slots) in [(0, 256), (100, 512), (1 << 40, MAX_SLOTS)] {
            assert_eq!(VersionTable::new(entries).words().len(), slots + 1);
        }
    }

    #[test]
    fn a_bump_moves_one_slot_and_wraps() {
        let table = VersionTable::new(0);
        let hash = 0x1234_5678_9abc_def0;
        let slot = table.slot(hash);
        table.words[slot].store(u32::MAX, Ordering::SeqCst);
        table.bump(hash);
        assert_eq!(table.current(slot), 0);
        let moved = (0..256).filter(|&other| table.current(other) != 0).count();
        assert_eq!(moved, 0);
        table.bump_all();
        assert!((0..256).all(|other| table.current(other) == 1));
        assert_eq!(table.words()[256].load(Ordering::SeqCst), 0);
    }
}
