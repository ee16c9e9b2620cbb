//! What a cache does by itself: expired entries leave, counts are stored, orphans go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::DiskCache;
use super::change::Change;
use super::record::NEVER;
use super::stats::Counter;
use super::writes::blocking;
use crate::engine::background::Periodic;
use crate::error::Result;

/// Entries that one transaction removes when their time is over.
const SWEPT: usize = 512;

/// How often counts are stored, if there are any; and how long it may take until a process
/// notices entries of others that expire.
const PERIOD_MS: u64 = 5_000;

impl Periodic for DiskCache {
    fn run(&self) -> bool {
        let Some(cache) = self.itself.upgrade() else {
            return false;
        };
        if cache.store.read().is_none() {
            return false;
        }
        let now = super::now_ms();
        let expired = cache.due_ms.load(Ordering::Relaxed) <= now;
        let periodic = cache.upkeep_ms.load(Ordering::Relaxed) <= now;
        if (expired || periodic) && !cache.upkeep_queued.swap(true, Ordering::SeqCst) {
            cache.upkeep_ms.store(now + PERIOD_MS, Ordering::Relaxed);
            if expired || cache.next_due().is_some_and(|due| due <= now) {
                cache.sweep();
            } else {
                cache.upkeep_queued.store(false, Ordering::SeqCst);
            }
            if periodic && !cache.hits.is_empty() {
                cache.store_counts(|_| ());
            }
        }
        true
    }
}

impl DiskCache {
    /// When the first entry expires, of all processes.
    fn next_due(&self) -> Option<u64> {
        let store = self.store().ok()?;
        let expiry = store.databases.expiry;
        let first = store
            .environment
            .read(|txn| Ok(expiry.first(txn)?.map(|(row, _)| row.first_chunk::<8>().copied())));
        Some(u64::from_be_bytes(first.ok()???))
    }

    /// Queues the removal of entries whose time is over.
    fn sweep(self: &Arc<Self>) {
        self.due_ms.store(NEVER, Ordering::Relaxed);
        let cache = self.clone();
        let body = |change: &mut Change<'_, '_>| change.sweep(SWEPT);
        self.change(true, None, body, move |due| {
            // A failure is tried again with the next round of upkeep.
            cache.due_ms.fetch_min(due.unwrap_or(NEVER), Ordering::Relaxed);
            cache.upkeep_queued.store(false, Ordering::SeqCst);
        });
    }

    /// Removes entries whose time is over and files that no entry points at, now, and stores
    /// counts. Tells how many entries, how many files, and their bytes.
    pub fn compact(self: &Arc<Self>, done: impl FnOnce(Result<[u64; 3]>) + Send + 'static) {
        let body = |change: &mut Change<'_, '_>| {
            let before = change.usage()?.0;
            change.sweep(usize::MAX)?;
            let swept = change.effects.counts[Counter::Expirations as usize];
            Ok((swept, before - change.usage()?.0))
        };
        let cache = self.clone();
        self.change(true, None, body, move |swept| {
            let (entries, bytes) = match swept {
                Ok(swept) => swept,
                Err(error) => return done(Err(error)),
            };
            cache.store_counts(|_| ());
            cache.collect_files(move |collected| {
                done(collected.map(|(files, file_bytes)| [entries, files, bytes + file_bytes]));
            });
        });
    }

    /// Stores hits and counters, so that they outlive the process.
    pub(super) fn store_counts(self: &Arc<Self>, done: impl FnOnce(Result<()>) + Send + 'static) {
        let hits = self.hits.take();
        let counts = self.counters.pending();
        if hits.is_empty() && counts.iter().all(|count| *count == 0) {
            return done(Ok(()));
        }
        let body = move |change: &mut Change<'_, '_>| {
            change.store_hits(&hits)?;
            change.store_totals(&counts)
        };
        let cache = self.clone();
        self.change(true, None, body, move |result| {
            if result.is_ok() {
                cache.counters.settle(&counts);
            }
            done(result);
        });
    }

    /// Removes files that no entry points at, on another thread. Tells how many, and their
    /// bytes.
    pub fn collect_files(self: &Arc<Self>, done: impl FnOnce(Result<(u64, u64)>) + Send + 'static) {
        let cache = self.clone();
        blocking(done, move |done| {
            done(Ok(cache.files.collect(|hash, id| cache.points_at(hash, id))));
        });
    }
}
