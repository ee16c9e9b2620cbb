//! The memory cache: one bounded map of encoded values, shared by all threads.
//!
//! # Guarantees
//!
//! - Operations on a key are atomic and in one order for all threads. A write is seen by the
//!   next read in any thread, near caches included, because versions move inside the lock
//!   that guards the key (see [`versions`](crate::engine::versions)).
//! - Entries are never served after their deadline, give or take the coarse clock's lag, and
//!   leave by themselves soon after.
//! - Bounds hold after every write; a value that alone exceeds them is refused. Several meet in
//!   [`limits`]: the cache's own, its part of a budget, and what short memory leaves of it.
//! - Tags, statistics, events and the bytes accounted change together with the entries.
//!
//! # Structure
//!
//! A [`Store`] holds the records and decides what stays. It reports every change to
//! [`Effects`], which is all state that follows from the entries. [`Flights`] and the
//! [`Dictionary`] stand beside them.
//!
//! # Lock order
//!
//! What the store locks around a change, its map's shard, then one of the leaves: a tag's shard, the flights, a
//! subscription's queue, a completion queue.
//!
//! # Close
//!
//! Closing empties the cache and refuses writes from then on. Flights go on: whoever waits
//! for a value still gets it, but nothing is stored.

pub mod config;
pub mod dictionary;
mod effects;
pub mod flights;
mod limits;
mod operations;
pub mod packing;
pub mod stats;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::engine::cache::events::Subscriptions;
use config::{Config, Options};
use dictionary::Dictionary;
use effects::Effects;
use flights::Flights;
use limits::Limits;
use packing::Packing;
use stats::{Reads, Stats};

use super::guards::Guards;
use super::record::Record;
use super::store::Store;
use crate::engine::background::{self, Periodic};
use crate::engine::freed_memory;
use crate::engine::registry::{Engine, Registry};
use crate::engine::versions::VersionTable;
use crate::error::{Error, Result};

pub use operations::{Entry, Number, Written};

/// Bytes that an entry is guessed to take when a table is sized by a cache's bytes.
const GUESSED_ENTRY_BYTES: u64 = 512;

/// See the module.
pub struct MemoryCache {
    config: Config,
    store: Box<dyn Store>,
    effects: Arc<Effects>,
    limits: Limits,
    packing: Packing,
    /// Loads under way.
    pub flights: Flights,
    /// Values under way from elsewhere.
    pub guards: Arc<Guards>,
    /// The shapes of the values.
    pub dictionary: Dictionary,
    /// Reads by handle.
    pub reads: Reads,
    writes: Writes,
    closed: AtomicBool,
    /// True while the background thread sweeps out what expires.
    swept: AtomicBool,
    this: Weak<MemoryCache>,
}

#[derive(Debug, Default)]
struct Writes {
    sets: AtomicU64,
    refusals: AtomicU64,
    loads: AtomicU64,
    load_failures: AtomicU64,
}

impl MemoryCache {
    /// A private cache.
    pub fn new(options: &Options) -> Arc<Self> {
        let config = Config::from(options);
        let by_bytes = config.capacity.bytes / GUESSED_ENTRY_BYTES;
        let effects = Arc::new(Effects::new(config.capacity.entries.min(by_bytes)));
        let limits = Limits::new(config.capacity, config.budget.is_some());
        let cache = Arc::new_cyclic(|this| Self {
            store: config.eviction_policy.store(limits.capacity(), effects.clone()),
            packing: Packing::new(config.compression),
            config,
            limits,
            effects,
            flights: Flights::default(),
            guards: Arc::default(),
            dictionary: Dictionary::default(),
            reads: Reads::default(),
            writes: Writes::default(),
            closed: AtomicBool::new(false),
            swept: AtomicBool::new(false),
            this: this.clone(),
        });
        cache.take_place();
        cache
    }

    /// The named caches of this process.
    pub fn registry() -> &'static Registry<MemoryCache> {
        static REGISTRY: std::sync::LazyLock<Registry<MemoryCache>> =
            std::sync::LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// What the cache was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The version counters.
    pub fn versions(&self) -> &VersionTable {
        &self.effects.versions
    }

    /// The subscriptions to events.
    pub fn subscriptions(&self) -> &Subscriptions<Record> {
        &self.effects.subscriptions
    }

    /// True after the last handle was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// How many entries are held.
    pub fn len(&self) -> u64 {
        self.store.len()
    }

    /// True when no entry is held.
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    /// Bytes held, overhead included.
    pub fn bytes(&self) -> u64 {
        self.store.bytes()
    }

    /// Gives up the coldest entries until `bytes` are freed. Returns what was freed.
    pub fn evict(&self, bytes: u64) -> u64 {
        self.store.evict(bytes)
    }

    /// All counters.
    pub fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (capacity, departures) = (self.limits.capacity(), &self.effects.departures);
        Stats {
            entries: self.store.len(),
            bytes: self.store.bytes(),
            max_entries: capacity.entries,
            max_bytes: capacity.bytes,
            reads: self.reads.totals(),
            sets: read(&self.writes.sets),
            deletes: read(&departures.deleted),
            evictions: read(&departures.evicted),
            expirations: read(&departures.expired),
            refusals: read(&self.writes.refusals),
            loads: read(&self.writes.loads),
            load_failures: read(&self.writes.load_failures),
            packed_entries: read(&self.effects.packed.entries),
            packed_original: read(&self.effects.packed.original),
            packed_stored: read(&self.effects.packed.stored),
            packing: self.packing.stats(),
            pressure: self.limits.pressure(),
        }
    }

    /// Recounts entries, bytes, tags and compression from the records.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] names the first counter that disagrees.
    pub fn validate(&self) -> Result<()> {
        let mut recount = |records: &[Record]| {
            let tags: usize = records.iter().map(|record| record.tags().len()).sum();
            let packed = records
                .iter()
                .filter(|record| record.original_len().is_some())
                .count() as u64;
            let indexed = self.effects.tags.pairs();
            let counted = self.effects.packed.entries.load(Ordering::Relaxed);
            if (tags, packed) == (indexed, counted) {
                return Ok(());
            }
            Err(format!(
                "{tags} tags, {indexed} indexed; {packed} packed, {counted} counted"
            ))
        };
        self.store
            .validate(&mut recount)
            .map_err(|reason| Error::Inconsistent { reason })
    }

    /// Makes sure that entries which expire are swept out. To be called after the first of
    /// them is in place, or the background thread might find none and go.
    fn sweep_expired(&self) {
        if !self.swept.load(Ordering::Relaxed) && !self.swept.swap(true, Ordering::SeqCst) {
            background::every(self.this.clone());
        }
    }

    /// Drops what has expired. False when nothing will any more.
    fn expire(&self) -> bool {
        if self.store.expire(crate::engine::clock::coarse_ms()) {
            return true;
        }
        self.swept.store(false, Ordering::SeqCst);
        // A write may have seen the flag a moment before it fell.
        if self.store.expire(0) {
            return !self.swept.swap(true, Ordering::SeqCst);
        }
        false
    }
}

impl Periodic for MemoryCache {
    fn run(&self) -> bool {
        let before = self.store.bytes();
        let goes_on = self.expire();
        freed_memory::freed(before.saturating_sub(self.store.bytes()));
        goes_on
    }
}

impl Engine for MemoryCache {
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.store.clear();
        if let Some(seat) = self.effects.seat.get() {
            seat.leave();
        }
    }
}

impl std::fmt::Debug for MemoryCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("MemoryCache")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
