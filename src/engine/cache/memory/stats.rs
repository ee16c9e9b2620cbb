//! Counters of a memory cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::limits::Pressure;
use super::packing::PackingStats;

/// The counters of one handle, written by its thread alone: plain loads and stores, so that
/// threads that read one cache do not contend for a counter.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct HandleCounters {
    hits: AtomicU64,
    misses: AtomicU64,
    near_hits: AtomicU64,
}

impl HandleCounters {
    /// Counts a read. To be called from the handle's thread only.
    pub fn count_read(&self, hit: bool) {
        add(if hit { &self.hits } else { &self.misses }, 1);
    }

    /// Counts hits that the handle's near cache served. From the handle's thread only.
    pub fn count_near_hits(&self, hits: u64) {
        add(&self.near_hits, hits);
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed) + amount, Ordering::Relaxed);
}

/// Reads of all handles, those that were closed included.
#[derive(Debug, Default)]
pub struct Reads {
    open: Mutex<Vec<Arc<HandleCounters>>>,
    closed: HandleCounters,
}

/// Totals of [`Reads`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadTotals {
    /// Reads that found a value, near caches included.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Hits that near caches served, as far as they have reported.
    pub near_hits: u64,
}

impl Reads {
    /// Counters for a new handle.
    pub fn open_handle(&self) -> Arc<HandleCounters> {
        let counters = Arc::new(HandleCounters::default());
        self.open.lock().push(counters.clone());
        counters
    }

    /// Keeps what a handle has counted, and forgets the handle.
    pub fn close_handle(&self, counters: &Arc<HandleCounters>) {
        let mut open = self.open.lock();
        open.retain(|other| !Arc::ptr_eq(other, counters));
        // Written under the lock, by one thread at a time.
        add(&self.closed.hits, counters.hits.load(Ordering::Relaxed));
        add(&self.closed.misses, counters.misses.load(Ordering::Relaxed));
        add(&self.closed.near_hits, counters.near_hits.load(Ordering::Relaxed));
    }

    /// The totals.
    pub fn totals(&self) -> ReadTotals {
        let open = self.open.lock();
        let mut totals = ReadTotals::default();
        for counters in open.iter().map(Arc::as_ref).chain([&self.closed]) {
            let near_hits = counters.near_hits.load(Ordering::Relaxed);
            totals.hits += counters.hits.load(Ordering::Relaxed) + near_hits;
            totals.misses += counters.misses.load(Ordering::Relaxed);
            totals.near_hits += near_hits;
        }
        totals
    }
}

/// A snapshot of everything that a memory cache counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    /// Entries held.
    pub entries: u64,
    /// Bytes held, overhead included.
    pub bytes: u64,
    /// Most entries, `u64::MAX` for any number.
    pub max_entries: u64,
    /// Most bytes.
    pub max_bytes: u64,
    /// Reads.
    pub reads: ReadTotals,
    /// Values written.
    pub sets: u64,
    /// Entries deleted on request.
    pub deletes: u64,
    /// Entries given up for room.
    pub evictions: u64,
    /// Entries whose time was over.
    pub expirations: u64,
    /// Values that were larger than the whole cache.
    pub refusals: u64,
    /// Loads that `getOrSet` began.
    pub loads: u64,
    /// Loads that failed.
    pub load_failures: u64,
    /// Entries that are compressed.
    pub packed_entries: u64,
    /// Bytes of their values before compression.
    pub packed_original: u64,
    /// Bytes of their values as stored.
    pub packed_stored: u64,
    /// What compression has left alone.
    pub packing: PackingStats,
    /// What short memory has done.
    pub pressure: Pressure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_handles_still_count() {
        let reads = Reads::default();
        let (first, second) = (reads.open_handle(), reads.open_handle());
        first.count_read(true);
        first.count_near_hits(5);
        second.count_read(false);
        reads.close_handle(&first);
        let expected = ReadTotals {
            hits: 6,
            misses: 1,
            near_hits: 5,
        };
        assert_eq!(reads.totals(), expected);
        reads.close_handle(&second);
        assert_eq!(reads.totals(), expected);
    }
}
