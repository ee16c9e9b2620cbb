//! Large values on their way: their files are written on other threads, and take their time.
//!
//! Whatever changes a key later in this process must not be overtaken by a value that was set
//! before. So each later change marks those that are under way for its key, and a value that is
//! marked when its file is whole is thrown away: it counts as set, and replaced.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::record::Hash;

/// A value under way.
#[derive(Debug)]
pub struct Ticket {
    hash: Hash,
    key: Vec<u8>,
    overtaken: AtomicBool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct UnderWay {
    /// With 0, nobody needs the lock.
    count: AtomicUsize,
    by_hash: Mutex<HashMap<Hash, Vec<Arc<Ticket>>>>,
}

impl UnderWay {
    /// A value sets off.
    pub fn begin(&self, hash: Hash, key: &[u8]) -> Arc<Ticket> {
        let ticket = Arc::new(Ticket {
            hash,
            key: key.to_vec(),
            overtaken: AtomicBool::new(false),
        });
        let mut by_hash = self.by_hash.lock();
        let others = by_hash.entry(hash).or_default();
        others.iter().for_each(|other| other.overtake());
        others.push(ticket.clone());
        self.count.fetch_add(1, Ordering::SeqCst);
        ticket
    }

    /// A key is about to change.
    pub fn overtake(&self, hash: &Hash) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(tickets) = self.by_hash.lock().get(hash) {
            tickets.iter().for_each(|ticket| ticket.overtake());
        }
    }

    /// Keys that `chosen` holds for are about to change.
    pub fn overtake_where(&self, chosen: impl Fn(&[u8]) -> bool) {
        let by_hash = self.by_hash.lock();
        for ticket in by_hash.values().flatten() {
            if chosen(&ticket.key) {
                ticket.overtake();
            }
        }
    }

    /// A value has arrived. `settle` learns whether it was overtaken; until it returns, nobody
    /// can overtake it, and whoever comes later is queued later.
    pub fn end(&self, ticket: &Arc<Ticket>, settle: impl FnOnce(bool)) {
        let mut by_hash = self.by_hash.lock();
        if let Some(tickets) = by_hash.get_mut(&ticket.hash) {
            tickets.retain(|other| !Arc::ptr_eq(other, ticket));
            if tickets.is_empty() {
                by_hash.remove(&ticket.hash);
            }
        }
        self.count.fetch_sub(1, Ordering::SeqCst);
        settle(ticket.overtaken.load(Ordering::SeqCst));
    }
}

impl Ticket {
    fn overtake(&self) {
        self.overtaken.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: Hash = [1; 16];

    /// Whether a value still counts when it arrives.
    fn arrives(under_way: &UnderWay, ticket: &Arc<Ticket>) -> bool {
        let mut counts = false;
        under_way.end(ticket, |overtaken| counts = !overtaken);
        counts
    }

    #[test]
    fn the_last_change_of_a_key_prevails() {
        let under_way = UnderWay::default();
        let first = under_way.begin(HASH, b"key");
        let second = under_way.begin(HASH, b"key");
        let other = under_way.begin([2; 16], b"other");
        assert!(!arrives(&under_way, &first));
        assert!(arrives(&under_way, &second));
        let third = under_way.begin(HASH, b"key");
        under_way.overtake(&HASH);
        assert!(!arrives(&under_way, &third));
        under_way.overtake_where(|key| key == b"key");
        assert!(arrives(&under_way, &other));
        let last = under_way.begin(HASH, b"key");
        under_way.overtake_where(|_| true);
        assert!(!arrives(&under_way, &last));
        assert_eq!(under_way.count.load(Ordering::SeqCst), 0);
        assert!(under_way.by_hash.lock().is_empty());
    }
}
