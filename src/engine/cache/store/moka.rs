//! The stores `tinylfu` and `lru`: moka decides what stays, the [`RecordMap`] holds it.
//!
//! moka is used as a policy over (hash, mark, cost) and not as the map, because it has
//! no read that leaves the order alone, no removal under the caller's lock, and no change of
//! capacity. It keeps about 270 bytes per entry of its own.
//!
//! Writers of a key are serialised by the *stripe* of its hash, which is held while moka is
//! told; the map's shard is locked inside it. moka evicts with no shard locked, and its
//! listener takes shards only, never stripes: a thread that evicts other keys on behalf of
//! its own write cannot meet another that does the same.
//!
//! moka applies reads and writes some time later, so that it may hold more than its
//! capacity for a while. Here a write that finds the store above its bounds makes moka catch
//! up before it returns, which keeps the bounds strict at the cost of slower writes into a
//! full store. Sources: Einziger, Friedman, Manes, "TinyLFU" (ACM ToS 2017); the crate
//! `moka`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use parking_lot::Mutex;

use super::record_map::{Found, Left, RecordMap};
use super::{Capacity, Change, Departure, Observer, Store};
use crate::engine::background;
use crate::engine::cache::record::{Key, Record, UNMARKED};

const STRIPES: usize = 64;

/// What moka holds per entry, measured with a million of them.
const POLICY_BYTES: u64 = 268;

/// Uses that a credit is worth at most: moka counts frequencies up to 15.
const MAX_CREDIT: u32 = 4;

/// Up to this many entries every write makes moka catch up, so that a small cache evicts in
/// exactly the order that its policy promises.
const EXACT_ENTRIES: u64 = 1024;

/// Hash of the placeholder that pushes cold entries out, see [`MokaStore::push_out`].
const BALLAST: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Debug, Clone, Copy)]
struct Ticket {
    mark: u32,
    cost: u64,
}

type Policy = Cache<u64, Ticket, IdentityHash>;

/// See the module.
pub struct MokaStore {
    map: Arc<RecordMap>,
    policy: ArcSwap<Policy>,
    eviction: EvictionPolicy,
    capacity: Mutex<Capacity>,
    stripes: [Mutex<()>; STRIPES],
    /// Tells the records under one hash apart, so that moka never evicts a successor.
    next_mark: AtomicU32,
    /// Held by whatever needs map and moka to agree, or leaves them apart for a while.
    sweep: Mutex<()>,
}

impl MokaStore {
    /// A store that evicts what was used longest ago.
    pub fn lru(capacity: Capacity, observer: Arc<dyn Observer>) -> Self {
        Self::new(EvictionPolicy::lru(), capacity, observer)
    }

    /// A store that also weighs how often something was used, and may turn a newcomer away.
    pub fn tinylfu(capacity: Capacity, observer: Arc<dyn Observer>) -> Self {
        Self::new(EvictionPolicy::tiny_lfu(), capacity, observer)
    }

    fn new(eviction: EvictionPolicy, capacity: Capacity, observer: Arc<dyn Observer>) -> Self {
        let map = Arc::new(RecordMap::new(observer, POLICY_BYTES));
        let policy = new_policy(&eviction, capacity, &map);
        Self {
            map,
            policy: ArcSwap::from_pointee(policy),
            eviction,
            capacity: Mutex::new(capacity),
            stripes: [const { Mutex::new(()) }; STRIPES],
            next_mark: AtomicU32::new(0),
            sweep: Mutex::new(()),
        }
    }

    fn stripe(&self, hash: u64) -> &Mutex<()> {
        &self.stripes[hash as usize % STRIPES]
    }

    fn is_over(&self, capacity: Capacity) -> bool {
        self.map.len() > capacity.entries || self.map.bytes() > capacity.bytes
    }

    fn enforce(&self) {
        let capacity = *self.capacity.lock();
        if self.map.len() <= EXACT_ENTRIES || self.is_over(capacity) {
            self.policy.load().run_pending_tasks();
        }
    }

    /// Makes moka forget a hash. It must have applied all writes before: a removal that
    /// overtakes an update of the same entry leaves moka's sum of weights wrong for good.
    fn forget(&self, hash: u64) {
        let policy = self.policy.load();
        policy.run_pending_tasks();
        policy.invalidate(&hash);
    }

    /// Replaces moka's cache, whose own means to empty or resize it are lazy or missing.
    fn renew_policy(&self, capacity: Capacity) -> Policy {
        let fresh = new_policy(&self.eviction, capacity, &self.map);
        let old = self.policy.swap(Arc::new(fresh));
        background::once(move || drop(old));
        Policy::clone(&self.policy.load())
    }

    /// Pushes the coldest entries out until `excess`, in moka's weights, is 0.
    fn push_out_until(&self, excess: &dyn Fn() -> u64) {
        let policy = self.policy.load();
        let mut most = u64::MAX;
        while excess() > 0 && !self.map.is_empty() && most > 0 {
            let held = self.map.len();
            let chunk = excess().min(most);
            let capacity = policy.policy().max_capacity().unwrap_or_default();
            let room = capacity.saturating_sub(policy.weighted_size());
            self.push_out(&policy, room.saturating_add(chunk));
            if self.map.len() == held {
                // TinyLFU prefers all that would have to go together to one placeholder.
                most = chunk / 4;
            }
        }
        // What moka would not give up goes in no order.
        self.map.for_each_held(&mut |hash, _| {
            if excess() > 0 {
                let _stripe = self.stripe(hash).lock();
                let gone = self.map.remove_if(hash, Departure::Evicted, &mut |_| true, drop);
                if gone.is_some() {
                    self.forget(hash);
                }
            }
        });
    }

    /// Makes moka evict by a placeholder of this weight that it likes better.
    fn push_out(&self, policy: &Policy, bytes: u64) {
        // Known well before it is inserted: TinyLFU admits only what is used more than the
        // victims are.
        for _ in 0..16 {
            policy.get(&BALLAST);
        }
        policy.run_pending_tasks();
        policy.insert(
            BALLAST,
            Ticket {
                mark: UNMARKED,
                cost: bytes,
            },
        );
        self.forget(BALLAST);
    }
}

/// moka bounds one number. Where entries are bounded too, each weighs at least its share of
/// the bytes, so that neither bound is ever passed. Weights are 32 bits wide, hence counted
/// in units that are larger than a byte in very large caches.
fn new_policy(eviction: &EvictionPolicy, capacity: Capacity, map: &Arc<RecordMap>) -> Policy {
    let unit = capacity.bytes.div_ceil(u64::from(u32::MAX)).max(1);
    let units = capacity.bytes / unit;
    let floor = (units / capacity.entries).max(1);
    // Where every entry costs more than its share, the bytes bound the entries already.
    let bytes_alone = floor.saturating_mul(unit) < POLICY_BYTES;
    let max_units = if bytes_alone {
        units
    } else {
        units.min(floor.saturating_mul(capacity.entries))
    };
    let map = Arc::downgrade(map);
    Cache::builder()
        .max_capacity(max_units)
        .weigher(move |_, ticket: &Ticket| saturate(ticket.cost.div_ceil(unit).max(floor)))
        .eviction_policy(eviction.clone())
        .eviction_listener(move |hash: Arc<u64>, ticket: Ticket, cause| {
            if cause == RemovalCause::Size
                && let Some(map) = map.upgrade()
            {
                let is_meant = &mut |record: &Record| record.mark() == ticket.mark;
                map.remove_if(*hash, Departure::Evicted, is_meant, drop);
            }
        })
        .build_with_hasher(IdentityHash)
}

fn saturate(bytes: u64) -> u32 {
    bytes.min(u64::from(u32::MAX)) as u32
}

impl Store for MokaStore {
    fn get(&self, key: Key<'_>) -> Option<Record> {
        let record = self.peek(key);
        // A miss is recorded too: TinyLFU learns from it what is asked for.
        self.policy.load().get(&key.hash);
        record
    }

    fn find(&self, key: Key<'_>) -> Found {
        self.map.find(key)
    }

    fn prefetch(&self, hash: u64) {
        self.map.prefetch(hash);
    }

    fn update(&self, key: Key<'_>, change: &mut dyn FnMut(Option<&Record>) -> Change) {
        let _stripe = self.stripe(key.hash).lock();
        let update = self.map.update(key, change, |update| update);
        if let Some((record, cost)) = update.stored {
            let mark = self.next_mark.fetch_add(1, Ordering::Relaxed);
            record.set_mark(mark);
            self.policy.load().insert(key.hash, Ticket { mark, cost });
            self.enforce();
        } else if update.removed.is_some() {
            self.forget(key.hash);
        }
    }

    fn remove_if(&self, hash: u64, condition: &mut dyn FnMut(&Record) -> bool) -> bool {
        let _stripe = self.stripe(hash).lock();
        let removed = self.map.remove_if(hash, Departure::Deleted, condition, drop);
        if removed.is_some() {
            self.forget(hash);
        }
        removed.is_some()
    }

    fn credit(&self, hash: u64, times: u32) {
        let policy = self.policy.load();
        for _ in 0..times.min(MAX_CREDIT) {
            policy.get(&hash);
        }
    }

    fn expire(&self, now_ms: u64) -> bool {
        let _sweep = self.sweep.lock();
        let mut gone = Vec::new();
        let mut any = false;
        for shard in 0..RecordMap::SHARDS {
            let mut sweep = || self.map.expire(shard, now_ms, &mut |hash, _| gone.push(hash));
            let mut left = sweep();
            while left == Left::Due {
                left = sweep();
            }
            any |= left != Left::Nothing;
        }
        for hash in gone {
            let _stripe = self.stripe(hash).lock();
            // The key may have been written again meanwhile; then moka's ticket is new.
            if self.map.mark_of(hash).is_none() {
                self.forget(hash);
            }
        }
        any
    }

    fn for_each(&self, visit: &mut dyn FnMut(u64, &Record)) {
        self.map.for_each(visit);
    }

    fn clear(&self) {
        let _all: Vec<_> = self.stripes.iter().map(|stripe| stripe.lock()).collect();
        self.map.clear(|| {});
        self.renew_policy(*self.capacity.lock());
    }

    fn evict(&self, bytes: u64) -> u64 {
        let _sweep = self.sweep.lock();
        let before = self.map.bytes();
        let target = before.saturating_sub(bytes);
        self.push_out_until(&|| self.map.bytes().saturating_sub(target));
        before.saturating_sub(self.map.bytes())
    }

    /// Starts moka afresh, once what no longer fits has left in moka's order: recency and
    /// frequency of the rest are learnt anew. Costs about a microsecond an entry.
    fn resize(&self, capacity: Capacity) {
        let _sweep = self.sweep.lock();
        self.push_out_until(&|| {
            let average = self.policy.load().weighted_size() / self.map.len().max(1);
            let entries = self.map.len().saturating_sub(capacity.entries);
            let excess = self
                .map
                .bytes()
                .saturating_sub(capacity.bytes)
                .max(entries * average);
            // Never nothing while something is too much.
            excess.max(u64::from(self.is_over(capacity)))
        });
        let _all: Vec<_> = self.stripes.iter().map(|stripe| stripe.lock()).collect();
        *self.capacity.lock() = capacity;
        let policy = self.renew_policy(capacity);
        self.map.for_each_held(&mut |hash, record| {
            let cost = self.map.cost(record);
            policy.insert(
                hash,
                Ticket {
                    mark: record.mark(),
                    cost,
                },
            );
        });
        policy.run_pending_tasks();
    }

    fn capacity(&self) -> Capacity {
        *self.capacity.lock()
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
        let _sweep = self.sweep.lock();
        let _all: Vec<_> = self.stripes.iter().map(|stripe| stripe.lock()).collect();
        let policy = self.policy.load();
        policy.run_pending_tasks();
        self.map.validate(&mut |records| {
            let tracked = |record: &&Record| policy.contains_key(&Key::new(record.key()).hash);
            let untracked = records.len() - records.iter().filter(tracked).count();
            match (untracked, policy.entry_count().abs_diff(records.len() as u64)) {
                (0, 0) => also(records),
                (untracked, apart) => Err(format!(
                    "moka misses {untracked} records and is {apart} entries apart"
                )),
            }
        })
    }
}

/// Keys are hashes already.
#[derive(Debug, Clone, Copy, Default)]
struct IdentityHash;

/// See [`IdentityHash`].
#[derive(Debug, Default)]
struct Identity(u64);

impl std::hash::BuildHasher for IdentityHash {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity::default()
    }
}

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
