//! The store `adaptive`: W-TinyLFU whose window follows what the traffic rewards.
//!
//! # What it keeps
//!
//! Newcomers enter a *window*. When it overflows, its oldest entry is the *candidate*: it
//! gets into the main part only if it was used more often lately, by the [`sketch`], than
//! the entry that has to go for it. The main part is a segmented LRU, so that what was used
//! again outlives what was used once. How large the window should be depends on the traffic:
//! a large one is near to LRU and good for recency, a small one resists scans. Hill climbing
//! finds it slowly; here small [`shadows`] of the cache try four sizes at once, and the
//! cache follows the best.
//!
//! # How it is shared
//!
//! The [`RecordMap`] is sharded; the policy is one, because sharded policies lose hits. Reads
//! reach it through lossy buffers ([`reads`]), writes through a list of [`changes`] that one
//! thread follows for all. A record knows its node in the policy's lists, so no second look-up
//! is needed; until the policy has followed its arrival, it has none.
//!
//! No write returns while the store is over its bounds. Who finds the policy busy leaves its
//! change to the thread that is at it only if they hold; so that they do, a few more entries
//! are evicted while several threads write at once.
//!
//! Lock order: the policy, a shard, the changes. Only evictions take a shard's lock inside the
//! policy's.
//!
//! Sources: Einziger, Friedman, Manes, "TinyLFU" (ACM ToS 2017); Einziger, Eytan, Friedman,
//! Manes, "Adaptive Software Cache Management" (Middleware 2018).

mod changes;
mod policy;
mod reads;
mod segments;
mod shadows;
#[cfg(test)]
mod shuttled;
mod sketch;
mod sync;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::record_map::{Found, Left, RecordMap};
use super::{Capacity, Change, Departure, Observer, Store};
use crate::engine::cache::record::{Key, Record};
use changes::{Changes, MOST_WAITING, MapChange};
use policy::{Policy, Victim};
use reads::{Read, Reads};
use segments::NONE;

/// What the policy holds per entry: a node of 24 bytes and its share of the sketch, 16 to 32,
/// both in tables that are not full. Measured as growth of the resident set; what the sketch of
/// a small cache has beyond that, 128 KiB at most, is not counted.
const POLICY_BYTES: u64 = 52;

/// Which part of the bounds is kept free at most while several threads write at once.
const HEADROOM_SHARE: u64 = 64;

/// How often one thread follows what others write before it goes on with its own work.
const MOST_ROUNDS: usize = 8;

/// Uses that a credit is worth at most: the sketch counts no further.
const MAX_CREDIT: u32 = 15;

/// See the module.
pub struct AdaptiveStore {
    map: RecordMap,
    reads: Reads,
    changes: Changes,
    bounds: Bounds,
    policy: Mutex<Policy>,
}

/// The capacity, for those who do not hold the policy's lock.
struct Bounds {
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl AdaptiveStore {
    /// An empty store.
    pub fn new(capacity: Capacity, observer: Arc<dyn Observer>) -> Self {
        Self {
            map: RecordMap::new(observer, POLICY_BYTES),
            reads: Reads::default(),
            changes: Changes::default(),
            bounds: Bounds::new(capacity),
            policy: Mutex::new(Policy::new(capacity)),
        }
    }

    fn note(&self, read: Read) {
        if self.reads.push(read)
            && let Some(policy) = self.policy.try_lock()
        {
            self.hold(policy);
        }
    }

    /// The policy, up to date.
    fn policy(&self) -> Held<'_> {
        self.hold(self.policy.lock())
    }

    fn hold<'s>(&'s self, mut policy: MutexGuard<'s, Policy>) -> Held<'s> {
        self.follow(&mut policy);
        Held {
            policy,
            _rest: Rest(self),
        }
    }

    /// Applies to the policy whatever has happened so far, and returns how many changes that
    /// were. Takes no lock of a shard.
    fn follow(&self, policy: &mut Policy) -> usize {
        self.reads.drain(&mut |read| policy.read(read));
        policy.follow_all(&self.changes)
    }

    /// Sees to it that the policy follows what was noted: here, or in the thread that is at it.
    /// `crowded` if several threads are known to write at once.
    fn settle(&self, crowded: bool) {
        for _ in 0..MOST_ROUNDS {
            let (mut policy, waited) = match self.policy.try_lock() {
                Some(policy) => (policy, false),
                None if self.may_leave_to_others() => return,
                None => (self.policy.lock(), true),
            };
            let changes = self.follow(&mut policy);
            self.enforce(&mut policy);
            if crowded || waited || changes > 1 {
                self.make_headroom(&mut policy);
            }
            drop(policy);
            // Who noted a change while the lock was held has left it to this thread.
            if !self.changes.were_left() {
                return;
            }
        }
        // They write on and on. The bounds hold, and the next of them follows the rest.
    }

    fn may_leave_to_others(&self) -> bool {
        !self.is_over(self.bounds.get()) && self.changes.waiting() < MOST_WAITING
    }

    fn is_over(&self, capacity: Capacity) -> bool {
        self.map.len() > capacity.entries || self.map.bytes() > capacity.bytes
    }

    /// Evicts until the bounds hold.
    fn enforce(&self, policy: &mut Policy) {
        if self.map.len() < policy.capacity.entries && self.map.bytes() < policy.capacity.bytes {
            policy.spill();
        }
        while self.is_over(policy.capacity) && self.evict_one(policy) {}
    }

    /// Evicts a few more, so that threads that write at once need not wait for room.
    fn make_headroom(&self, policy: &mut Policy) {
        let Capacity { entries, bytes } = policy.capacity;
        let target = Capacity {
            entries: entries - (entries / HEADROOM_SHARE).min(MOST_WAITING as u64),
            bytes: bytes - bytes / HEADROOM_SHARE,
        };
        for _ in 0..MOST_WAITING {
            if !self.is_over(target) || !self.evict_one(policy) {
                return;
            }
        }
    }

    fn evict_one(&self, policy: &mut Policy) -> bool {
        let victim = policy.give_up_one();
        victim.is_some_and(|victim| {
            self.remove(victim);
            true
        })
    }

    fn remove(&self, Victim { hash, node }: Victim) {
        // A record that came in its place has another mark, or none yet.
        let is_meant = &mut |record: &Record| record.mark() == node;
        self.map.remove_if(hash, Departure::Evicted, is_meant, drop);
    }
}

/// The policy while it is locked.
struct Held<'s> {
    policy: MutexGuard<'s, Policy>,
    /// Behind the lock, so that it is dropped when that is free.
    _rest: Rest<'s>,
}

/// What others have left to whoever held the lock.
struct Rest<'s>(&'s AdaptiveStore);

impl Deref for Held<'_> {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.policy
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Policy {
        &mut self.policy
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if self.0.changes.were_left() {
            self.0.settle(true);
        }
    }
}

impl Bounds {
    fn new(capacity: Capacity) -> Self {
        Self {
            entries: AtomicU64::new(capacity.entries),
            bytes: AtomicU64::new(capacity.bytes),
        }
    }

    fn set(&self, capacity: Capacity) {
        self.entries.store(capacity.entries, Ordering::Relaxed);
        self.bytes.store(capacity.bytes, Ordering::Relaxed);
    }

    fn get(&self) -> Capacity {
        Capacity {
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Store for AdaptiveStore {
    fn get(&self, key: Key<'_>) -> Option<Record> {
        let record = self.peek(key);
        self.note(Read {
            hash: key.hash,
            node: record.as_ref().map_or(NONE, Record::mark),
        });
        record
    }

    fn find(&self, key: Key<'_>) -> Found {
        self.map.find(key)
    }

    fn prefetch(&self, hash: u64) {
        self.map.prefetch(hash);
    }

    fn update(&self, key: Key<'_>, change: &mut dyn FnMut(Option<&Record>) -> Change) {
        let mut held = self.policy.try_lock().map(|policy| self.hold(policy));
        let noted = self.map.update(key, change, |update| {
            let change = MapChange {
                hash: key.hash,
                update,
            };
            match &mut held {
                _ if change.is_empty() => false,
                // Nothing that was done to the key before is left to follow.
                Some(policy) if self.changes.waiting() == 0 => {
                    policy.follow(change);
                    false
                }
                _ => {
                    self.changes.note(change);
                    true
                }
            }
        });
        if let Some(mut policy) = held {
            self.enforce(&mut policy);
        } else if noted {
            self.settle(true);
        }
    }

    fn remove_if(&self, hash: u64, condition: &mut dyn FnMut(&Record) -> bool) -> bool {
        let note = |record| self.changes.note(MapChange::removal(hash, record));
        let removed = self.map.remove_if(hash, Departure::Deleted, condition, note);
        if removed.is_some() {
            self.settle(false);
        }
        removed.is_some()
    }

    fn credit(&self, hash: u64, times: u32) {
        let mut policy = self.policy();
        let Some(node) = self.map.mark_of(hash) else {
            return;
        };
        for _ in 0..times.min(MAX_CREDIT) {
            policy.read(Read { hash, node });
        }
    }

    fn expire(&self, now_ms: u64) -> bool {
        let mut note = |hash, record| self.changes.note(MapChange::removal(hash, record));
        let mut any = false;
        for shard in 0..RecordMap::SHARDS {
            let mut left = Left::Due;
            while left == Left::Due {
                left = self.map.expire(shard, now_ms, &mut note);
                any |= left != Left::Nothing;
                if self.changes.waiting() > 0 {
                    self.settle(false);
                }
            }
        }
        any
    }

    fn for_each(&self, visit: &mut dyn FnMut(u64, &Record)) {
        self.map.for_each(visit);
    }

    fn clear(&self) {
        let mut policy = self.policy();
        // What was noted meanwhile is gone with the rest.
        self.map.clear(|| self.changes.swap(&mut Vec::new()));
        policy.clear();
    }

    fn evict(&self, bytes: u64) -> u64 {
        let mut policy = self.policy();
        let before = self.map.bytes();
        let target = before.saturating_sub(bytes);
        while self.map.bytes() > target {
            let Some(victim) = policy.give_up_coldest() else {
                break;
            };
            self.remove(victim);
        }
        before.saturating_sub(self.map.bytes())
    }

    fn resize(&self, capacity: Capacity) {
        let mut policy = self.policy();
        policy.capacity = capacity;
        self.bounds.set(capacity);
        self.enforce(&mut policy);
    }

    fn capacity(&self) -> Capacity {
        self.bounds.get()
    }

    fn len(&self) -> u64 {
        self.map.len()
    }

    fn cost(&self, record: &Record) -> u64 {
        self.map.cost(record)
    }

    fn bytes(&self) -> u64 {
        self.map.bytes()
    }

    fn validate(&self, also: &mut dyn FnMut(&[Record]) -> Result<(), String>) -> Result<(), String> {
        let mut policy = self.policy();
        policy.validate()?;
        self.map.validate(&mut |records| {
            // No more changes while all shards are locked.
            self.follow(&mut policy);
            let tracked = |record: &&Record| policy.holds(record.mark(), Key::new(record.key()).hash);
            let tracked = records.iter().filter(tracked).count();
            if (tracked, policy.len()) == (records.len(), records.len()) {
                return also(records);
            }
            let listed = policy.len();
            Err(format!(
                "{} records, {tracked} of them in lists of {listed}",
                records.len()
            ))
        })
    }
}
