//! Which entries carry a tag.
//!
//! The index is exact: it changes inside the lock of the entry's shard, together with the
//! entry, whatever made it come or go. Entries without tags cost nothing here.

use std::sync::Arc;

use ahash::RandomState;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

type Hashes = std::collections::HashSet<u64, RandomState>;

/// From tags to the hashes of the entries that carry them.
#[derive(Debug)]
pub struct TagIndex {
    tags: DashMap<Arc<str>, Hashes, RandomState>,
}

impl Default for TagIndex {
    fn default() -> Self {
        // Few shards: the default is four times the cores, for every cache.
        Self {
            tags: DashMap::with_hasher_and_shard_amount(RandomState::new(), 8),
        }
    }
}

impl TagIndex {
    /// The shared form of a tag: one allocation however many entries carry it.
    pub fn intern(&self, tag: &str) -> Arc<str> {
        self.tags
            .get(tag)
            .map_or_else(|| tag.into(), |entry| entry.key().clone())
    }

    /// An entry with these tags is in place.
    pub fn add(&self, hash: u64, tags: &[Arc<str>]) {
        for tag in tags {
            self.tags.entry(tag.clone()).or_default().insert(hash);
        }
    }

    /// An entry with these tags is gone.
    pub fn remove(&self, hash: u64, tags: &[Arc<str>]) {
        for tag in tags {
            if let Entry::Occupied(mut entry) = self.tags.entry(tag.clone()) {
                entry.get_mut().remove(&hash);
                if entry.get().is_empty() {
                    entry.remove();
                }
            }
        }
    }

    /// The hashes of the entries that carry a tag.
    pub fn carriers(&self, tag: &str) -> Vec<u64> {
        self.tags
            .get(tag)
            .map_or_else(Vec::new, |hashes| hashes.iter().copied().collect())
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.tags.clear();
    }

    /// How many pairs of tag and entry there are.
    pub fn pairs(&self) -> usize {
        self.tags.iter().map(|entry| entry.value().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_and_go_with_their_entries() {
        let index = TagIndex::default();
        let (red, blue) = (index.intern("red"), index.intern("blue"));
        index.add(1, &[red.clone(), blue.clone()]);
        index.add(2, std::slice::from_ref(&red));
        assert!(Arc::ptr_eq(&index.intern("red"), &red));
        assert_eq!(index.carriers("red").len(), 2);
        assert_eq!(index.pairs(), 3);
        index.remove(1, &[red, blue]);
        assert_eq!(index.carriers("red"), [2]);
        assert!(index.carriers("blue").is_empty());
        index.clear();
        assert_eq!(index.pairs(), 0);
    }
}
