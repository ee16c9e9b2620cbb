//! What listeners learn of an entry on disk.
//!
//! A change is told after its commit, from the writing thread, to all threads that listen.
//! Values are not told: they may be large, and who wants one can read it.

use std::sync::Arc;

use crate::engine::cache::events;

/// An entry that something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Arc<[u8]>,
    /// What it counted toward the limit.
    pub bytes: u64,
}

impl events::Subject for Entry {
    fn memory(&self) -> u64 {
        self.key.len() as u64
    }
}

/// One event.
pub type Event = events::Event<Entry>;
/// One handle's interest in events.
pub type Subscription = events::Subscription<Entry>;
/// The subscriptions of one cache.
pub type Subscriptions = events::Subscriptions<Entry>;
