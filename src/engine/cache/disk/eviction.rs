//! Which entries go when the limit is reached: those with the lowest score, reads divided by
//! age.
//!
//! Finding the lowest score of all would need an order that every read changes. Instead a
//! few neighbours of a random hash are compared, which are a fair sample since hashes are
//! random, and the lowest of them go. What has expired or is damaged goes before anything
//! else.

use super::change::{Change, Reason};
use super::record::{self, Hash};

/// Entries that are compared at a time.
const SAMPLE: usize = 20;

/// Of these, entries that go at most before others are looked at.
const WORST: usize = 5;

impl Change<'_, '_> {
    /// Gives entries up until no more than `limit` bytes are held.
    pub fn make_room(&mut self, limit: u64, spared: Option<&Hash>) -> heed::Result<()> {
        let mut used = self.usage()?.0;
        let mut round = 0u64;
        while used > limit {
            // As random as hashes are, and another one each time.
            let from = record::hash_of(&[self.txn.id() as u64, round].map(u64::to_le_bytes).concat());
            round += 1;
            let mut sample = self.neighbours(&from, SAMPLE)?;
            sample.retain(|(hash, ..)| Some(hash) != spared);
            if sample.is_empty() {
                return Ok(());
            }
            let mut scored = Vec::with_capacity(sample.len());
            for (hash, created, expires) in sample {
                let expired = expires <= self.now_ms;
                let score = if expired {
                    -1.0
                } else {
                    self.score(&hash, created)?
                };
                scored.push((score, hash, expired));
            }
            scored.sort_by(|one, other| one.0.total_cmp(&other.0));
            for (_, hash, expired) in scored.into_iter().take(WORST) {
                let reason = if expired { Reason::Expired } else { Reason::Evicted };
                used = used.saturating_sub(self.remove(&hash, reason)?.unwrap_or(0));
                if used <= limit {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads per millisecond of age. An entry without a read counts as half of one, so that
    /// of those the older goes first.
    fn score(&self, hash: &Hash, created_ms: u64) -> heed::Result<f64> {
        let stored = decode_hits(self.databases.hits.get(self.txn, hash)?);
        let hits = stored + u64::from(self.cache.hits.pending(hash));
        let age = self.now_ms.saturating_sub(created_ms) + 1;
        Ok((hits as f64 + 0.5) / age as f64)
    }

    /// Adds reads to the stored counts of entries that are still there.
    pub fn store_hits(&mut self, counts: &[(Hash, u32)]) -> heed::Result<()> {
        for (hash, count) in counts {
            if self.databases.entries.get(self.txn, hash)?.is_none() {
                continue;
            }
            let hits = decode_hits(self.databases.hits.get(self.txn, hash)?) + u64::from(*count);
            self.databases.hits.put(self.txn, hash, &hits.to_le_bytes())?;
        }
        Ok(())
    }
}

fn decode_hits(bytes: Option<&[u8]>) -> u64 {
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}
