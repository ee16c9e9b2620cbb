//! Changes of the map on their way to the policy.
//!
//! A writer notes its change while the key's shard is locked, so that the changes of a key are
//! in their order here. Then one thread follows them for all: whoever gets the policy's lock.
//! The others go on at once, instead of waiting for what takes longer than their own part.

use std::sync::atomic::{AtomicUsize, Ordering, fence};

use parking_lot::Mutex;

use super::super::record_map::Update;
use crate::engine::cache::record::Record;

/// Changes that may wait before their writers do.
pub const MOST_WAITING: usize = 64;

/// A change under a hash.
#[derive(Debug)]
pub struct MapChange {
    /// Of the key.
    pub hash: u64,
    /// What was done.
    pub update: Update,
}

impl MapChange {
    /// A record left, and nothing came.
    pub fn removal(hash: u64, record: Record) -> Self {
        let update = Update {
            removed: Some(record),
            stored: None,
        };
        Self { hash, update }
    }

    /// Nothing was done after all.
    pub fn is_empty(&self) -> bool {
        self.update.removed.is_none() && self.update.stored.is_none()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Changes {
    list: Mutex<Vec<MapChange>>,
    /// The length of the list, changed under its lock.
    waiting: AtomicUsize,
}

impl Changes {
    /// Notes a change. To be called while its shard is locked.
    pub fn note(&self, change: MapChange) {
        let mut list = self.list.lock();
        list.push(change);
        self.waiting.store(list.len(), Ordering::Relaxed);
        // Before the policy is found to be locked: see `were_left`.
        fence(Ordering::SeqCst);
    }

    /// How many wait. Exact for the changes of a shard whose lock is held.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether any were left to the thread that has just unlocked the policy: it sees every
    /// change whose writer has found the policy locked before.
    pub fn were_left(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waiting() > 0
    }

    /// Exchanges what waits for an empty list, whose memory is used again.
    pub fn swap(&self, empty: &mut Vec<MapChange>) {
        let mut list = self.list.lock();
        std::mem::swap(&mut *list, empty);
        self.waiting.store(list.len(), Ordering::Relaxed);
    }
}
