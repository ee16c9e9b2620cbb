//! What follows from a change of the store: versions move, tags are indexed, events are
//! published, departures are counted. All of it happens inside the lock of the key.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::tags::TagIndex;
use crate::engine::cache::budget::Seat;
use crate::engine::cache::events::{EventKind, Subject, Subscriptions};
use crate::engine::cache::record::Record;
use crate::engine::cache::store::{Arrival, Departure, Observer};
use crate::engine::versions::VersionTable;

/// Counts of departures since the engine began.
#[derive(Debug, Default)]
pub struct Departures {
    /// Deleted on request.
    pub deleted: AtomicU64,
    /// Given up for room.
    pub evicted: AtomicU64,
    /// Gone because their time was over.
    pub expired: AtomicU64,
}

/// Everything that changes together with the store.
#[derive(Debug)]
pub struct Effects {
    /// Tells near caches what is stale.
    pub versions: VersionTable,
    /// Which entries carry a tag.
    pub tags: TagIndex,
    /// Who listens.
    pub subscriptions: Subscriptions<Record>,
    /// What has left.
    pub departures: Departures,
    /// Packed values: how many, their bytes before and after.
    pub packed: Packed,
    /// The cache's place in a budget, if it has one.
    pub seat: OnceLock<Arc<Seat>>,
}

/// A running account of what compression saves.
#[derive(Debug, Default)]
pub struct Packed {
    /// Entries whose value is packed.
    pub entries: AtomicU64,
    /// Bytes of their values before packing.
    pub original: AtomicU64,
    /// Bytes of their values as stored.
    pub stored: AtomicU64,
}

impl Effects {
    /// For an engine of about `expected_entries`.
    pub fn new(expected_entries: u64) -> Self {
        Self {
            versions: VersionTable::new(expected_entries),
            tags: TagIndex::default(),
            subscriptions: Subscriptions::default(),
            departures: Departures::default(),
            packed: Packed::default(),
            seat: OnceLock::new(),
        }
    }
}

impl Packed {
    fn add(&self, record: &Record) {
        if let Some(original_len) = record.original_len() {
            self.entries.fetch_add(1, Ordering::Relaxed);
            self.original
                .fetch_add(u64::from(original_len), Ordering::Relaxed);
            self.stored
                .fetch_add(record.payload().len() as u64, Ordering::Relaxed);
        }
    }

    fn subtract(&self, record: &Record) {
        if let Some(original_len) = record.original_len() {
            self.entries.fetch_sub(1, Ordering::Relaxed);
            self.original
                .fetch_sub(u64::from(original_len), Ordering::Relaxed);
            self.stored
                .fetch_sub(record.payload().len() as u64, Ordering::Relaxed);
        }
    }

    fn clear(&self) {
        for counter in [&self.entries, &self.original, &self.stored] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

impl Subject for Record {
    fn memory(&self) -> u64 {
        self.memory()
    }
}

impl Observer for Effects {
    fn arrived(&self, hash: u64, record: &Record, arrival: Arrival) {
        self.versions.bump(hash);
        self.tags.add(hash, record.tags());
        self.packed.add(record);
        if arrival == Arrival::Written {
            self.versions.count_arrival();
            self.subscriptions.publish(EventKind::Set, Some(record));
        }
    }

    fn departed(&self, hash: u64, record: &Record, departure: Departure) {
        self.versions.bump(hash);
        self.tags.remove(hash, record.tags());
        self.packed.subtract(record);
        let (counter, event) = match departure {
            // The arrival that follows says it all.
            Departure::Replaced => return,
            Departure::Deleted => (&self.departures.deleted, EventKind::Delete),
            Departure::Expired => (&self.departures.expired, EventKind::Expire),
            Departure::Evicted => (&self.departures.evicted, EventKind::Evict),
        };
        if departure == Departure::Evicted
            && let Some(seat) = self.seat.get()
        {
            seat.note_eviction(hash, record.memory());
        }
        counter.fetch_add(1, Ordering::Relaxed);
        self.subscriptions.publish(event, Some(record));
    }

    fn renewed(&self, hash: u64) {
        self.versions.bump(hash);
    }

    fn cleared(&self) {
        self.tags.clear();
        self.packed.clear();
        self.versions.bump_all();
        self.subscriptions.publish(EventKind::Clear, None);
    }
}
