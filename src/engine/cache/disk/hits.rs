//! How often entries were read: gathered in memory, written in batches.
//!
//! A read must not write. Counts gather here by hash, and go into the environment with the
//! next round of upkeep. What was not written when a process is killed is lost; the order
//! of eviction suffers a little, and nothing else does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::record::Hash;

/// Shards, so that threads that read rarely meet.
const SHARDS: usize = 16;

/// Entries that are counted at most; more are not, until the counts were written.
const MOST: usize = 65_536;

/// Counts that were not written yet.
#[derive(Debug, Default)]
pub struct Hits {
    shards: [Mutex<HashMap<Hash, u32>>; SHARDS],
    entries: AtomicUsize,
}

impl Hits {
    fn shard(&self, hash: &Hash) -> &Mutex<HashMap<Hash, u32>> {
        &self.shards[hash[0] as usize % SHARDS]
    }

    /// Counts a read.
    pub fn count(&self, hash: Hash) {
        let mut shard = self.shard(&hash).lock();
        if let Some(count) = shard.get_mut(&hash) {
            *count = count.saturating_add(1);
        } else if self.entries.load(Ordering::Relaxed) < MOST {
            shard.insert(hash, 1);
            self.entries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reads that were counted and not taken.
    pub fn pending(&self, hash: &Hash) -> u32 {
        self.shard(hash).lock().get(hash).copied().unwrap_or(0)
    }

    /// Takes all counts.
    pub fn take(&self) -> Vec<(Hash, u32)> {
        let mut taken = Vec::with_capacity(self.entries.load(Ordering::Relaxed));
        for shard in &self.shards {
            taken.extend(shard.lock().drain());
        }
        self.entries.fetch_sub(taken.len(), Ordering::Relaxed);
        // In LMDB's order, so that neighbours on a page are written together.
        taken.sort_unstable_by_key(|(hash, _)| *hash);
        taken
    }

    /// True when nothing waits to be written.
    pub fn is_empty(&self) -> bool {
        self.entries.load(Ordering::Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_gather_until_they_are_taken() {
        let hits = Hits::default();
        for number in 0..300u32 {
            let mut hash = [0; 16];
            hash[..4].copy_from_slice(&(number % 100).to_le_bytes());
            hits.count(hash);
        }
        assert_eq!(hits.pending(&[0; 16]), 3);
        let taken = hits.take();
        assert_eq!(taken.len(), 100);
        assert!(taken.is_sorted() && taken.iter().all(|(_, count)| *count == 3));
        assert!(hits.is_empty());
    }
}
