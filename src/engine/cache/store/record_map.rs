//! The map under every store: sharded hash tables with a timer wheel each.
//!
//! Records are unique by hash. Two keys with the same 64-bit hash, which nobody can aim for
//! as the hash is seeded, push each other out like any eviction; keys are compared, so a
//! value never shows up under a foreign key.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;
use parking_lot::{RwLock, RwLockWriteGuard};

use super::{Arrival, Change, Departure, Observer};
use crate::engine::cache::expiry::{Due, TimerWheel};
use crate::engine::cache::record::{Key, Lifetime, NO_NODE, Record};
use crate::engine::clock;

const SHARDS: usize = 64;

/// Expired records that are removed under one lock before others get a turn.
const EXPIRE_BATCH: usize = 256;

/// Bytes of the map per record: its slot at the table's usual load.
const SLOT_BYTES: u64 = 28;

/// Bytes of a timer wheel's node, held by records that expire.
const NODE_BYTES: u64 = 24;

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing changed.
    Kept,
    /// The key has no record any more.
    Removed,
    /// The key has a new record of this sequence number and cost.
    Stored {
        /// Tells the record from others under its hash.
        sequence: u32,
        /// Its cost in bytes.
        cost: u64,
    },
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
    slots: HashTable<Slot>,
    wheel: Option<Box<TimerWheel>>,
    next_sequence: u32,
}

struct Slot {
    hash: u64,
    record: Record,
}

impl RecordMap {
    /// An empty map for a policy that holds `policy_bytes` per record.
    pub fn new(observer: Arc<dyn Observer>, policy_bytes: u64) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            observer,
            len: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            policy_bytes,
            clock: OnceLock::new(),
        }
    }

    fn shard(&self, hash: u64) -> &Shard {
        // Other bits than those that the table's buckets and the version slots use first.
        &self.shards[(hash >> 48) as usize % SHARDS]
    }

    /// The record of a key.
    pub fn find(&self, key: Key<'_>) -> Found {
        let table = self.shard(key.hash).0.read();
        match table.slots.find(key.hash, |slot| slot.hash == key.hash) {
            Some(slot) if slot.record.key() != key.bytes => Found::Nothing,
            Some(slot) if slot.record.is_expired(clock::coarse_ms()) => Found::Expired,
            Some(slot) => Found::Live(slot.record.clone()),
            None => Found::Nothing,
        }
    }

    /// True when a record stands under this hash, expired or not.
    pub fn contains(&self, hash: u64) -> bool {
        self.shard(hash)
            .0
            .read()
            .slots
            .find(hash, |slot| slot.hash == hash)
            .is_some()
    }

    /// Changes a key, see [`Store::update`](super::Store::update).
    pub fn update(&self, key: Key<'_>, change: &mut dyn FnMut(Option<&Record>) -> Change) -> Outcome {
        let mut table = self.shard(key.hash).0.write();
        let table = &mut *table;
        // Writes are exact where hits are coarse: an entry that is over is over.
        let existing = table.slots.find(key.hash, |slot| slot.hash == key.hash);
        let (found, stale) = match existing {
            None => (None, None),
            Some(slot) if slot.record.key() != key.bytes => (None, Some(Departure::Evicted)),
            Some(slot) if slot.record.deadline().is_some_and(|at| at <= clock::now_ms()) => {
                (None, Some(Departure::Expired))
            }
            Some(slot) => (Some(slot.record.clone()), None),
        };
        match change(found.as_ref()) {
            Change::Keep if stale == Some(Departure::Expired) => {
                self.remove(table, key.hash, Departure::Expired);
                Outcome::Removed
            }
            Change::Keep => Outcome::Kept,
            Change::Remove => match (found, stale) {
                (Some(_), _) => {
                    self.remove(table, key.hash, Departure::Deleted);
                    Outcome::Removed
                }
                (None, Some(Departure::Expired)) => {
                    self.remove(table, key.hash, Departure::Expired);
                    Outcome::Removed
                }
                _ => Outcome::Kept,
            },
            Change::Put(record) => {
                self.remove(table, key.hash, stale.unwrap_or(Departure::Replaced));
                self.insert(table, key.hash, record, Arrival::Written)
            }
            Change::Renew(lifetime) => match found {
                Some(record) => self.renew(table, key.hash, &record, lifetime),
                None => Outcome::Kept,
            },
        }
    }

    fn renew(&self, table: &mut Table, hash: u64, record: &Record, lifetime: Lifetime) -> Outcome {
        if !record.renew(lifetime) {
            self.remove(table, hash, Departure::Replaced);
            let renewed = record.with_lifetime(lifetime);
            return self.insert(table, hash, renewed, Arrival::Renewed);
        }
        if let (Some(wheel), Some(deadline)) = (&mut table.wheel, record.deadline()) {
            wheel.reschedule(record.wheel_node(), deadline);
        }
        self.observer.renewed(hash);
        Outcome::Kept
    }

    /// Removes the record of a hash if `condition` holds for it.
    pub fn remove_if(
        &self,
        hash: u64,
        departure: Departure,
        condition: &mut dyn FnMut(&Record) -> bool,
    ) -> bool {
        let mut table = self.shard(hash).0.write();
        let found = table.slots.find(hash, |slot| slot.hash == hash);
        if !found.is_some_and(|slot| condition(&slot.record)) {
            return false;
        }
        self.remove(&mut table, hash, departure);
        true
    }

    fn insert(&self, table: &mut Table, hash: u64, record: Record, arrival: Arrival) -> Outcome {
        let sequence = table.next_sequence;
        table.next_sequence = sequence.wrapping_add(1);
        record.set_sequence(sequence);
        if let Some(deadline) = record.deadline() {
            self.clock.get_or_init(clock::Lease::acquire);
            let wheel = table
                .wheel
                .get_or_insert_with(|| Box::new(TimerWheel::new(clock::now_ms())));
            record.set_wheel_node(wheel.schedule(hash, deadline));
        }
        let cost = self.cost(&record);
        table.slots.insert_unique(
            hash,
            Slot {
                hash,
                record: record.clone(),
            },
            |slot| slot.hash,
        );
        self.len.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(cost, Ordering::Relaxed);
        self.observer.arrived(hash, &record, arrival);
        Outcome::Stored { sequence, cost }
    }

    fn remove(&self, table: &mut Table, hash: u64, departure: Departure) {
        let Ok(slot) = table.slots.find_entry(hash, |slot| slot.hash == hash) else {
            return;
        };
        let (Slot { record, .. }, _) = slot.remove();
        if let (Some(wheel), node) = (&mut table.wheel, record.wheel_node())
            && node != NO_NODE
        {
            wheel.cancel(node);
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(self.cost(&record), Ordering::Relaxed);
        self.observer.departed(hash, &record, departure);
    }

    /// Removes what has expired and tells `gone` about it with the shard unlocked again.
    /// Returns false when no record can expire.
    pub fn expire(&self, now_ms: u64, gone: &mut dyn FnMut(u64)) -> bool {
        let mut any = false;
        let mut due: Vec<Due> = Vec::new();
        for shard in &self.shards {
            loop {
                let mut table = shard.0.write();
                let Some(wheel) = table.wheel.as_mut().filter(|wheel| wheel.len() > 0) else {
                    break;
                };
                any = true;
                due.clear();
                let more = wheel.advance(now_ms, EXPIRE_BATCH, &mut due);
                due.retain(|due| self.settle_due(&mut table, due, now_ms));
                drop(table);
                due.iter().for_each(|due| gone(due.hash));
                if !more {
                    break;
                }
            }
        }
        any
    }

    /// A node of the wheel came due: the record goes, unless its deadline has moved.
    fn settle_due(&self, table: &mut RwLockWriteGuard<'_, Table>, due: &Due, now: u64) -> bool {
        let table = &mut **table;
        let Some(slot) = table.slots.find(due.hash, |slot| slot.hash == due.hash) else {
            return false;
        };
        match (slot.record.deadline(), &mut table.wheel) {
            (Some(deadline), Some(wheel)) if deadline > now.max(due.deadline_ms) => {
                slot.record.set_wheel_node(wheel.schedule(due.hash, deadline));
                false
            }
            _ => {
                slot.record.set_wheel_node(NO_NODE);
                self.remove(table, due.hash, Departure::Expired);
                true
            }
        }
    }

    /// Visits all live records. The shard is not locked during a visit.
    pub fn for_each(&self, visit: &mut dyn FnMut(u64, &Record)) {
        let now = clock::coarse_ms();
        for shard in &self.shards {
            let snapshot: Vec<(u64, Record)> = {
                let table = shard.0.read();
                table
                    .slots
                    .iter()
                    .map(|slot| (slot.hash, slot.record.clone()))
                    .collect()
            };
            for (hash, record) in snapshot.iter().filter(|(_, record)| !record.is_expired(now)) {
                visit(*hash, record);
            }
        }
    }

    /// Removes everything. The memory is freed by the background thread.
    pub fn clear(&self) {
        let mut tables: Vec<_> = self.shards.iter().map(|shard| shard.0.write()).collect();
        let mut old = Vec::with_capacity(tables.len());
        for table in &mut tables {
            // Sequence numbers go on, so that nothing said about an old record fits a new one.
            old.push((std::mem::take(&mut table.slots), table.wheel.take()));
        }
        self.len.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.observer.cleared();
        drop(tables);
        if old.iter().any(|(slots, _)| !slots.is_empty()) {
            crate::engine::background::once(move || drop(old));
        }
    }

    /// How many records are held.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
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
            for slot in &table.slots {
                if Key::new(slot.record.key()).hash != slot.hash {
                    return Err("a record stands under a foreign hash".into());
                }
                bytes += self.cost(&slot.record);
                scheduled += usize::from(slot.record.wheel_node() != NO_NODE);
                records.push(slot.record.clone());
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
