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
//! reach it through lossy buffers ([`reads`]), writes under its lock. A record knows its node
//! in the policy's lists, so no second look-up is needed.
//!
//! Lock order: the policy, a shard. Whatever changes the map's entries does so under the
//! policy's lock, so that map and lists change in one step for everybody but readers, who
//! may meet a record before it has its node.
//!
//! Sources: Einziger, Friedman, Manes, "TinyLFU" (ACM ToS 2017); Einziger, Eytan, Friedman,
//! Manes, "Adaptive Software Cache Management" (Middleware 2018).

mod reads;
mod segments;
mod shadows;
#[cfg(test)]
mod shuttled;
mod sketch;
mod sync;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::record_map::{Found, RecordMap};
use super::{Capacity, Change, Departure, Observer, Store};
use crate::engine::cache::record::{Key, Record};
use reads::{Read, Reads};
use segments::{NONE, Segments};
use shadows::Shadows;
use sketch::Sketch;

/// What the policy holds per entry: a node of 24 bytes and its share of the sketch, 16 to 32,
/// both in tables that are not full. Measured as growth of the resident set.
const POLICY_BYTES: u64 = 52;

/// Weights are counted in units of so many bytes, which keeps them in 32 bits.
const UNIT: u64 = 16;

/// Uses that a credit is worth at most: the sketch counts no further.
const MAX_CREDIT: u32 = 15;

/// See the module.
pub struct AdaptiveStore {
    map: RecordMap,
    reads: Reads,
    policy: Mutex<Policy>,
}

struct Policy {
    segments: Segments,
    sketch: Sketch,
    shadows: Shadows,
    capacity: Capacity,
}

impl AdaptiveStore {
    /// An empty store.
    pub fn new(capacity: Capacity, observer: Arc<dyn Observer>) -> Self {
        Self {
            map: RecordMap::new(observer, POLICY_BYTES),
            reads: Reads::default(),
            policy: Mutex::new(Policy::new(capacity)),
        }
    }

    fn note(&self, read: Read) {
        if self.reads.push(read)
            && let Some(mut policy) = self.policy.try_lock()
        {
            self.apply_reads(&mut policy);
        }
    }

    fn apply_reads(&self, policy: &mut Policy) {
        self.reads.drain(&mut |read| policy.read(read));
    }

    /// The policy with all reads so far applied to it.
    fn policy(&self) -> MutexGuard<'_, Policy> {
        let mut policy = self.policy.lock();
        self.apply_reads(&mut policy);
        policy
    }

    /// Evicts until the bounds hold.
    fn enforce(&self, policy: &mut Policy) {
        if self.map.len() < policy.capacity.entries && self.map.bytes() < policy.capacity.bytes {
            policy.segments.spill();
        }
        while self.map.len() > policy.capacity.entries || self.map.bytes() > policy.capacity.bytes {
            let Some(victim) = policy.segments.choose_victim(&policy.sketch) else {
                break;
            };
            self.give_up(policy, victim);
        }
    }

    fn give_up(&self, policy: &mut Policy, node: u32) {
        let (hash, _) = policy.segments.describe(node);
        policy.segments.remove(node);
        self.map
            .remove_if(hash, Departure::Evicted, &mut |record| record.mark() == node);
    }
}

impl Policy {
    fn new(capacity: Capacity) -> Self {
        let shadows = Shadows::new(capacity.bytes / UNIT);
        Self {
            segments: Segments::new(shadows.chosen()),
            sketch: Sketch::new(),
            shadows,
            capacity,
        }
    }

    /// An entry weighs its bytes, and at least its share of them where entries are bounded.
    fn weight(&self, cost: u64) -> u32 {
        let share = self.capacity.bytes / self.capacity.entries;
        (cost.max(share) / UNIT).clamp(1, u64::from(u32::MAX)) as u32
    }

    fn read(&mut self, Read { hash, node }: Read) {
        self.sketch.increment(hash);
        let held = self.segments.holds(node, hash);
        if held {
            self.segments.touch(node);
        }
        let weight = held.then(|| self.segments.describe(node).1);
        self.shadows.access(hash, weight, &self.sketch);
        self.segments.style = self.shadows.chosen();
    }

    fn insert(&mut self, hash: u64, cost: u64) -> u32 {
        let weight = self.weight(cost);
        if self.sketch.estimate(hash) == 0 {
            self.sketch.increment(hash);
        }
        let node = self.segments.insert(hash, weight);
        let entries = self.segments.len();
        self.sketch.fit(entries);
        self.shadows.fit(entries as u64, self.capacity.bytes / UNIT);
        self.shadows.insert(hash, weight, &self.sketch);
        node
    }

    /// Removes the node of an entry that is gone.
    fn remove(&mut self, hash: u64, node: u32) -> bool {
        let held = self.segments.holds(node, hash);
        if held {
            self.segments.remove(node);
        }
        held
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
        let mut policy = self.policy();
        let update = self.map.update(key, change);
        let returning = update.removed.is_some_and(|node| policy.remove(key.hash, node));
        match update.stored {
            Some((record, cost)) => {
                record.set_mark(policy.insert(key.hash, cost));
                if returning {
                    // Written again is used again.
                    policy.read(Read {
                        hash: key.hash,
                        node: record.mark(),
                    });
                }
                self.enforce(&mut policy);
            }
            None if returning => policy.shadows.remove(key.hash),
            None => {}
        }
    }

    fn remove_if(&self, hash: u64, condition: &mut dyn FnMut(&Record) -> bool) -> bool {
        let mut policy = self.policy();
        let mut node = NONE;
        let removed = self.map.remove_if(hash, Departure::Deleted, &mut |record| {
            node = record.mark();
            condition(record)
        });
        if removed {
            policy.remove(hash, node);
            policy.shadows.remove(hash);
        }
        removed
    }

    fn credit(&self, hash: u64, times: u32) {
        let mut policy = self.policy.lock();
        let Some(node) = self.map.mark_of(hash) else {
            return;
        };
        for _ in 0..times.min(MAX_CREDIT) {
            policy.read(Read { hash, node });
        }
    }

    fn expire(&self, now_ms: u64) -> bool {
        let mut any = false;
        for shard in 0..RecordMap::SHARDS {
            let mut policy = self.policy.lock();
            any |= self.map.expire(shard, now_ms, &mut |hash, node| {
                policy.remove(hash, node);
                policy.shadows.remove(hash);
            });
        }
        any
    }

    fn for_each(&self, visit: &mut dyn FnMut(u64, &Record)) {
        self.map.for_each(visit);
    }

    fn clear(&self) {
        let mut policy = self.policy();
        self.map.clear();
        policy.segments = Segments::new(policy.shadows.chosen());
        policy.sketch.clear();
        policy.shadows.clear();
    }

    fn evict(&self, bytes: u64) -> u64 {
        let mut policy = self.policy();
        let before = self.map.bytes();
        let target = before.saturating_sub(bytes);
        while self.map.bytes() > target {
            let Some(victim) = policy.segments.coldest() else {
                break;
            };
            self.give_up(&mut policy, victim);
        }
        before.saturating_sub(self.map.bytes())
    }

    fn resize(&self, capacity: Capacity) {
        let mut policy = self.policy();
        policy.capacity = capacity;
        self.enforce(&mut policy);
    }

    fn capacity(&self) -> Capacity {
        self.policy.lock().capacity
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
        let policy = self.policy();
        policy.segments.validate()?;
        self.map.validate(&mut |records| {
            let tracked =
                |record: &&Record| policy.segments.holds(record.mark(), Key::new(record.key()).hash);
            let tracked = records.iter().filter(tracked).count();
            if (tracked, policy.segments.len()) == (records.len(), records.len()) {
                return also(records);
            }
            let listed = policy.segments.len();
            Err(format!(
                "{} records, {tracked} of them in lists of {listed}",
                records.len()
            ))
        })
    }
}
