//! The trait that every store of records fulfils, and what stores are made of.
//!
//! A store is a map and an eviction policy. The map ([`record_map`]) is the same for all:
//! sharded, with a timer wheel in every shard. Policies differ, each in its own file.
//!
//! # Locks
//!
//! A shard of the map is locked for every change, and inside it nothing but the leaves that
//! an [`Observer`] touches. What a store locks around that is its own affair, and written
//! down in its file.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod sequences;

pub mod adaptive;
pub mod moka;
pub mod record_map;

use super::record::{Key, Lifetime, Record};
use record_map::Found;

/// Why a record left the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// Another value took its place.
    Replaced,
    /// It was deleted on request.
    Deleted,
    /// The policy gave it up for room.
    Evicted,
    /// Its time was over.
    Expired,
}

/// How a record came into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was written.
    Written,
    /// It is a copy of its predecessor with another lifetime.
    Renewed,
}

/// Learns of every change while the key's shard is still locked, so that what it publishes
/// is in the order of the changes. It must not call back into the store.
pub trait Observer: Send + Sync {
    /// A record is in place.
    fn arrived(&self, hash: u64, record: &Record, arrival: Arrival);
    /// A record is gone.
    fn departed(&self, hash: u64, record: &Record, departure: Departure);
    /// A record lives longer, or shorter, than it was to, and stays the same otherwise.
    fn renewed(&self, hash: u64);
    /// Everything is gone, without single calls of [`departed`](Observer::departed).
    fn cleared(&self);
}

/// What an update does with a key.
#[derive(Debug)]
pub enum Change {
    /// Leave everything as it is.
    Keep,
    /// Remove the record, if there is one.
    Remove,
    /// Put this record in place.
    Put(Record),
    /// Restart the life of the record, if there is one.
    Renew(Lifetime),
}

/// The bounds of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Most entries, `u64::MAX` for any number.
    pub entries: u64,
    /// Most bytes, overhead included.
    pub bytes: u64,
}

/// A bounded, concurrent map of records. Expired records are never handed out.
pub trait Store: Send + Sync {
    /// The record of a key, counted as a use by the policy.
    fn get(&self, key: Key<'_>) -> Option<Record>;

    /// What stands under a key, without the policy noticing.
    fn find(&self, key: Key<'_>) -> Found;

    /// The record of a key, without the policy noticing. One that has expired is removed.
    fn peek(&self, key: Key<'_>) -> Option<Record> {
        match self.find(key) {
            Found::Live(record) => Some(record),
            Found::Expired => {
                self.update(key, &mut |_| Change::Keep);
                None
            }
            Found::Nothing => None,
        }
    }

    /// Hints that the record of this hash will be read soon, so that its memory is on its way
    /// when it is. For many reads in a row.
    fn prefetch(&self, hash: u64);

    /// Changes a key in one atomic step: `change` sees the current record and decides.
    /// It runs while the key is locked, once, and must not call back into the store.
    fn update(&self, key: Key<'_>, change: &mut dyn FnMut(Option<&Record>) -> Change);

    /// Removes the record of a hash if `condition` holds for it, as [`Departure::Deleted`].
    fn remove_if(&self, hash: u64, condition: &mut dyn FnMut(&Record) -> bool) -> bool;

    /// Counts `times` uses that happened elsewhere, in a near cache.
    fn credit(&self, hash: u64, times: u32);

    /// Removes what has expired. Returns false when no record can ever expire.
    fn expire(&self, now_ms: u64) -> bool;

    /// Visits all records that have not expired, in no order. Records that come or go
    /// meanwhile may be missed or met.
    fn for_each(&self, visit: &mut dyn FnMut(u64, &Record));

    /// Removes everything.
    fn clear(&self);

    /// Gives up the coldest records until `bytes` are freed or nothing is left. Returns how
    /// many bytes were freed.
    fn evict(&self, bytes: u64) -> u64;

    /// Changes the bounds; what no longer fits is evicted before it returns.
    fn resize(&self, capacity: Capacity);

    /// The bounds.
    fn capacity(&self) -> Capacity;

    /// How many records are held.
    fn len(&self) -> u64;

    /// True when no record is held.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that a record costs here, its share of the map and the policy included.
    fn cost(&self, record: &Record) -> u64;

    /// Bytes held, overhead included.
    fn bytes(&self) -> u64;

    /// Recounts everything from the records themselves, and lets `also` do the same, while
    /// all keys are locked. `also` must not call back into the store.
    ///
    /// # Errors
    /// Names the first counter that disagrees.
    fn validate(&self, also: &mut dyn FnMut(&[Record]) -> Result<(), String>) -> Result<(), String>;
}
