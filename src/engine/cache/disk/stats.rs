//! Counters of a disk cache, which outlive its process.
//!
//! Each process counts in memory and adds what it has counted to the totals in the
//! environment with its upkeep and when it closes.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is counted. The discriminants are places in the stored totals: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Reads that found a value.
    Hits,
    /// Reads that did not.
    Misses,
    /// Values written.
    Sets,
    /// Entries deleted on request.
    Deletes,
    /// Entries given up for others.
    Evictions,
    /// Entries whose time was over.
    Expirations,
    /// Values that were larger than the cache.
    Refusals,
    /// Values that were found damaged.
    Damaged,
}

/// How many there are.
pub const COUNTERS: usize = 8;

/// Totals, by [`Counter`].
pub type Totals = [u64; COUNTERS];

/// Counts that are not in the stored totals yet.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; COUNTERS]);

impl Counters {
    /// Counts.
    pub fn add(&self, counter: Counter, count: u64) {
        self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Counts many kinds at once.
    pub fn add_all(&self, counts: &Totals) {
        for (counter, count) in self.0.iter().zip(counts) {
            if *count > 0 {
                counter.fetch_add(*count, Ordering::Relaxed);
            }
        }
    }

    /// What was counted since the last [`settle`](Self::settle).
    pub fn pending(&self) -> Totals {
        std::array::from_fn(|index| self.0[index].load(Ordering::Relaxed))
    }

    /// Takes away what was stored.
    pub fn settle(&self, stored: &Totals) {
        for (counter, stored) in self.0.iter().zip(stored) {
            counter.fetch_sub(*stored, Ordering::Relaxed);
        }
    }
}

/// Adds up totals.
pub fn sum(one: &Totals, other: &Totals) -> Totals {
    std::array::from_fn(|index| one[index] + other[index])
}

/// Totals as they are stored. Short ones are of an older version that counted less.
pub fn decode(bytes: Option<&[u8]>) -> Totals {
    let mut totals = [0; COUNTERS];
    let numbers = bytes.unwrap_or_default().chunks_exact(8);
    for (total, number) in totals.iter_mut().zip(numbers) {
        *total = number.try_into().map_or(0, u64::from_le_bytes);
    }
    totals
}

/// See [`decode`].
pub fn encode(totals: &Totals) -> Vec<u8> {
    totals.iter().flat_map(|total| total.to_le_bytes()).collect()
}

/// A snapshot of a disk cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Entries held, of all processes.
    pub entries: u64,
    /// Of those, values in files of their own.
    pub files: u64,
    /// Bytes that count toward the limit.
    pub bytes: u64,
    /// The limit.
    pub disk_limit: u64,
    /// Bytes that LMDB's file has grown to.
    pub file_bytes: u64,
    /// All counts ever made, by [`Counter`]; of other processes those that they have stored.
    pub totals: Totals,
}
