//! The map under every store: sharded hash tables with a timer wheel each.
//!
//! Records are unique by hash. Two keys with the same 64-bit hash, which nobody can aim for
//! as the hash is seeded, push each other out like any eviction; keys are compared, so a
//! value never shows up under a foreign key.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::{Arrival, Change, Departure, Observer};
use crate::engine::cache::expiry::{Due, TimerWheel};
use crate::engine::cache::record::{Key, Lifetime, NO_NODE, Record};
use crate::engine::clock;

/// Expired records that are removed under one lock before others get a turn.
const EXPIRE_BATCH: usize = 256;

/// Bytes of the map per record: its slot and a byte of its hash, at the table's usual load.
const SLOT_BYTES: u64 = 20;

/// Bytes of a timer wheel's node, held by records that expire, with the slab's spare room.
const NODE_BYTES: u64 = 32;

/// What an update did.
#[derive(Debug, Default)]
pub struct Update {
    /// The record that stood under the hash before, if it was removed.
    pub removed: Option<Record>,
    /// The record that stands there now, if it is new, and its cost.
    pub stored: Option<(Record, u64)>,
}

/// What is left to expire in a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Records that are due.
    Due,
    /// Records that are not due yet.
    Later,
    /// No record that can expire.
    Nothing,
}

/// What a key has.
#[derive(Debug)]
pub enum Found {
    /// A record.
    Live(Record),
    /// A record that must not be handed out any more, and waits to be removed.
    Expired,
    /// No record.
    Nothing,
}

/// See the module.
pub struct RecordMap {
    shards: Box<[Shard]>,
    observer: Arc<dyn Observer>,
    len: AtomicU64,
    bytes: AtomicU64,
    /// Bytes that the policy holds per record.
    policy_bytes: u64,
    /// Held from the first record that can expire.
    clock: OnceLock<clock::Lease>,
}

#[repr(align(128))]
#[derive(Default)]
struct Shard(RwLock<Table>);

#[derive(Default)]
struct Table {
    /// By hash, which is found again from the key when the table grows: half the memory of
    /// keeping it beside the record.
    records: HashTable<Record>,
    wheel: Option<Box<TimerWheel>>,
}

/// The hash of a record's key.
fn hash_of(record: &Record) -> u64 {
    Key::new(record.key()).hash
}

impl Table {
    /// The record under a hash. Comparing hashes means reading keys, but the table holds
    /// seven bits of each hash, so that hardly a key is read in vain.
    fn find(&self, hash: u64) -> Option<&Record> {
        self.records.find(hash, |record| hash_of(record) == hash)
    }

    /// The same where the key is known, which is cheaper to compare.
    fn find_key(&self, key: Key<'_>) -> Option<&Record> {
        self.records.find(key.hash, |record| record.key() == key.bytes)
    }
}

impl RecordMap {
    /// Parts that are locked on their own.
    pub const SHARDS: usize = 64;

    /// An empty map for a policy that holds `policy_bytes` per record.
    pub fn new(observer: Arc<dyn Observer>, policy_bytes: u64) -> Self {
        Self {
            shards: (0..Self::SHARDS).map(|_| Shard::default()).collect(),
            observer,
            len: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            policy_bytes,
            clock: OnceLock::new(),
        }
    }

    fn shard(&self, hash: u64) -> &Shard {
        // Other bits than those that the table's buckets and the version slots use first.
        &self.shards[(hash >> 48) as usize % Self::SHARDS]
    }

    /// The record of a key.
    pub fn find(&self, key: Key<'_>) -> Found {
        let table = self.shard(key.hash).0.read();
        match table.find_key(key) {
            Some(record) if record.is_expired(clock::coarse_ms()) => Found::Expired,
            Some(record) => Found::Live(record.clone()),
            None => Found::Nothing,
        }
    }

    /// Asks the processor for the memory of the records that may stand under a hash.
    pub fn prefetch(&self, hash: u64) {
        let table = self.shard(hash).0.read();
        table.records.iter_hash(hash).for_each(Record::prefetch);
    }

    /// The mark of the record under this hash, expired or not.
    pub fn mark_of(&self, hash: u64) -> Option<u32> {
        let table = self.shard(hash).0.read();
        Some(table.find(hash)?.mark())
    }

    /// Changes a key, see [`Store::update`](super::Store::update). What was done is told to
    /// `then` while the shard is still locked.
    pub fn update<T>(
        &self,
        key: Key<'_>,
        change: &mut dyn FnMut(Option<&Record>) -> Change,
        then: impl FnOnce(Update) -> T,
    ) -> T {
        let mut table = self.shard(key.hash).0.write();
        let table = &mut *table;
        // Writes are exact where hits are coarse: an entry that is over is over.
        let existing = table.find(key.hash);
        let (found, stale) = match existing {
            None => (None, None),
            Some(record) if record.key() != key.bytes => (None, Some(Departure::Evicted)),
            Some(record) if record.deadline().is_some_and(|at| at <= clock::now_ms()) => {
                (None, Some(Departure::Expired))
            }
            Some(record) => (Some(record.clone()), None),
        };
        let (departure, arrival) = match (change(found.as_ref()), found) {
            (Change::Put(record), found) => (
                stale.or(found.map(|_| Departure::Replaced)),
                Some((record, Arrival::Written)),
            ),
            (Change::Remove, Some(_)) => (Some(Departure::Deleted), None),
            (Change::Renew(lifetime), Some(record)) => {
                if self.renew_in_place(table, key.hash, &record, lifetime) {
                    return then(Update::default());
                }
                let renewed = record.with_lifetime(lifetime);
                (Some(Departure::Replaced), Some((renewed, Arrival::Renewed)))
            }
            _ => (stale.filter(|&stale| stale == Departure::Expired), None),
        };
        let removed = departure.and_then(|departure| self.remove(table, key.hash, departure));
        let stored = arrival.map(|(record, arrival)| {
            let cost = self.insert(table, key.hash, record.clone(), arrival);
            (record, cost)
        });
        then(Update { removed, stored })
    }

    fn renew_in_place(&self, table: &mut Table, hash: u64, record: &Record, lifetime: Lifetime) -> bool {
        if !record.renew(lifetime) {
            return false;
        }
        if let (Some(wheel), Some(deadline)) = (&mut table.wheel, record.deadline()) {
            wheel.reschedule(record.wheel_node(), deadline);
        }
        self.observer.renewed(hash);
        true
    }

    /// Removes the record of a hash if `condition` holds for it, and tells `then` while the
    /// shard is still locked.
    pub fn remove_if<T>(
        &self,
        hash: u64,
        departure: Departure,
        condition: &mut dyn FnMut(&Record) -> bool,
        then: impl FnOnce(Record) -> T,
    ) -> Option<T> {
        let mut table = self.shard(hash).0.write();
        if !table.find(hash).is_some_and(condition) {
            return None;
        }
        self.remove(&mut table, hash, departure).map(then)
    }

    /// Puts a record in place and returns its cost.
    fn insert(&self, table: &mut Table, hash: u64, record: Record, arrival: Arrival) -> u64 {
        if let Some(deadline) = record.deadline() {
            self.clock.get_or_init(clock::Lease::acquire);
            let wheel = table
                .wheel
                .get_or_insert_with(|| Box::new(TimerWheel::new(clock::now_ms())));
            record.set_wheel_node(wheel.schedule(hash, deadline));
        }
        let cost = self.cost(&record);
        table.records.insert_unique(hash, record.clone(), hash_of);
        self.len.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(cost, Ordering::Relaxed);
        self.observer.arrived(hash, &record, arrival);
        cost
    }

    /// Takes a record out.
    fn remove(&self, table: &mut Table, hash: u64, departure: Departure) -> Option<Record> {
        let found = table
            .records
            .find_entry(hash, |record| hash_of(record) == hash)
            .ok()?;
        let (record, _) = found.remove();
        if let (Some(wheel), node) = (&mut table.wheel, record.wheel_node())
            && node != NO_NODE
        {
            wheel.cancel(node);
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(self.cost(&record), Ordering::Relaxed);
        self.observer.departed(hash, &record, departure);
        Some(record)
    }

    /// Removes some of what has expired in one shard, and tells `gone` of each while the shard
    /// is still locked. Others get a turn between two calls.
    pub fn expire(&self, shard: usize, now_ms: u64, gone: &mut dyn FnMut(u64, Record)) -> Left {
        let mut table = self.shards[shard].0.write();
        let Some(wheel) = table.wheel.as_mut().filter(|wheel| !wheel.is_empty()) else {
            return Left::Nothing;
        };
        let mut due: Vec<Due> = Vec::new();
        let more = wheel.advance(now_ms, EXPIRE_BATCH, &mut due);
        for due in &due {
            if let Some(record) = self.settle_due(&mut table, due, now_ms) {
                gone(due.hash, record);
            }
        }
        if more { Left::Due } else { Left::Later }
    }

    /// A node of the wheel came due: the record goes, unless its deadline has moved. Returns a
    /// record that went.
    fn settle_due(&self, table: &mut Table, due: &Due, now: u64) -> Option<Record> {
        let record = table.find(due.hash)?.clone();
        match (record.deadline(), &mut table.wheel) {
            (Some(deadline), Some(wheel)) if deadline > now.max(due.deadline_ms) => {
                record.set_wheel_node(wheel.schedule(due.hash, deadline));
                None
            }
            _ => {
                record.set_wheel_node(NO_NODE);
                self.remove(table, due.hash, Departure::Expired)
            }
        }
    }

    /// Visits all live records. The shard is not locked during a visit.
    pub fn for_each(&self, visit: &mut dyn FnMut(u64, &Record)) {
        let now = clock::coarse_ms();
        self.for_each_held(&mut |hash, record| {
            if !record.is_expired(now) {
                visit(hash, record);
            }
        });
    }

    /// The same with those that have expired and wait to be removed.
    pub fn for_each_held(&self, visit: &mut dyn FnMut(u64, &Record)) {
        for shard in &self.shards {
            let snapshot: Vec<Record> = shard.0.read().records.iter().cloned().collect();
            for record in &snapshot {
                visit(hash_of(record), record);
            }
        }
    }

    /// Removes everything, and tells `then` while all shards are still locked. The memory is
    /// freed by the background thread.
    pub fn clear(&self, then: impl FnOnce()) {
        let mut tables: Vec<_> = self.shards.iter().map(|shard| shard.0.write()).collect();
        let mut old = Vec::with_capacity(tables.len());
        for table in &mut tables {
            // Sequence numbers go on, so that nothing said about an old record fits a new one.
            old.push((std::mem::take(&mut table.records), table.wheel.take()));
        }
        self.len.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.observer.cleared();
        then();
        drop(tables);
        if old.iter().any(|(records, _)| !records.is_empty()) {
            crate::engine::background::once(move || drop(old));
        }
    }

    /// How many records are held.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// True when no record is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held, the policy's included.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that a record costs, its share of the map and the policy included.
    pub fn cost(&self, record: &Record) -> u64 {
        let node = if record.deadline().is_some() {
            NODE_BYTES
        } else {
            0
        };
        record.memory() + SLOT_BYTES + self.policy_bytes + node
    }

    /// Recounts records, bytes and wheels, and lets `also` see all records while every shard
    /// is locked.
    pub fn validate(&self, also: &mut dyn FnMut(&[Record]) -> Result<(), String>) -> Result<(), String> {
        let tables: Vec<_> = self.shards.iter().map(|shard| shard.0.read()).collect();
        let (mut records, mut bytes) = (Vec::new(), 0);
        for table in &tables {
            let mut scheduled = 0;
            for record in &table.records {
                bytes += self.cost(record);
                scheduled += usize::from(record.wheel_node() != NO_NODE);
                records.push(record.clone());
            }
            let in_wheel = table.wheel.as_ref().map_or(0, |wheel| wheel.len());
            if scheduled != in_wheel {
                return Err(format!(
                    "{scheduled} records are scheduled, {in_wheel} nodes wait"
                ));
            }
        }
        let (found, counted) = ((records.len() as u64, bytes), (self.len(), self.bytes()));
        if found != counted {
            return Err(format!(
                "(records, bytes) are {found:?}, but {counted:?} were counted"
            ));
        }
        also(&records)
    }
}
