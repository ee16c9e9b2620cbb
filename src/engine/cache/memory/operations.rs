//! Reading and writing entries.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::flights::{Caller, Part};
use super::{GUESSED_ENTRY_BYTES, MemoryCache};
use crate::engine::cache::compression;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::guards::Guard;
use crate::engine::cache::record::{Key, Kind, Lifetime, Record, Value};
use crate::engine::cache::store::Change;
use crate::engine::clock;
use crate::engine::completion::Outcome;
use crate::error::{Error, Result};

/// A value to write, with everything that goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The form of the value.
    pub kind: Kind,
    /// The encoded value.
    pub payload: &'a [u8],
    /// How long it lives.
    pub lifetime: Lifetime,
    /// What it can be invalidated by.
    pub tags: &'a [String],
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The value is in place.
    Stored,
    /// It alone is larger than the cache, and was refused; the key is gone.
    Refused,
}

/// A number that JavaScript asked to add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number<'a> {
    /// How much to add.
    pub by: f64,
    /// How long the entry lives, if it is new.
    pub lifetime: Lifetime,
    /// What the entry can be invalidated by, if it is new.
    pub tags: &'a [String],
}

impl MemoryCache {
    /// The value of a key, counted as a use.
    pub fn get(&self, key: Key<'_>) -> Option<Record> {
        let record = self.store.get(key);
        match (&record, self.effects.seat.get()) {
            (Some(record), _) => record.mark_used(),
            (None, Some(seat)) => seat.note_miss(key.hash),
            (None, None) => {}
        }
        record
    }

    /// Hints that a key will be read soon.
    pub fn prefetch(&self, hash: u64) {
        self.store.prefetch(hash);
    }

    /// The value of a key, without a trace.
    pub fn peek(&self, key: Key<'_>) -> Option<Record> {
        self.store.peek(key)
    }

    /// Counts uses that a near cache served.
    pub fn credit(&self, hash: u64, times: u32) {
        self.store.credit(hash, times);
    }

    /// Writes a value.
    pub fn set(&self, key: Key<'_>, entry: Entry<'_>) -> Written {
        let record = self.record(key, entry);
        self.put(key, record, &mut || {
            self.overtake(key.bytes);
            true
        })
    }

    /// Writes a value that was read elsewhere, unless its guard was overtaken. Returns whether
    /// it is in place.
    pub fn set_guarded(&self, guard: &Guard, entry: Entry<'_>) -> bool {
        let key = Key::new(guard.key());
        let record = self.record(key, entry);
        let holds = || guard.holds(record.tags());
        let written = self.put(key, record.clone(), &mut || holds());
        // An invalidation that came after the first look may have searched the store before
        // the record was in it. One that comes after the second finds it there.
        if !holds() {
            self.store.remove_if(key.hash, &mut |stored| stored.is(&record));
            return false;
        }
        written == Written::Stored
    }

    /// Tells whoever brings a value to this key that it is out of date.
    fn overtake(&self, key: &[u8]) {
        self.flights.supersede(key);
        self.guards.overtake(key);
    }

    /// Stores a record, unless `allowed`, asked once while the key is locked, says no.
    fn put(&self, key: Key<'_>, record: Record, allowed: &mut dyn FnMut() -> bool) -> Written {
        if !self.has_room_for(&record) {
            self.writes.refusals.fetch_add(1, Ordering::Relaxed);
            self.change(key, &mut |_| {
                if allowed() { Change::Remove } else { Change::Keep }
            });
            return Written::Refused;
        }
        let expires = record.deadline().is_some();
        let mut record = Some(record);
        self.change(key, &mut |_| match record.take_if(|_| allowed()) {
            Some(record) => {
                self.writes.sets.fetch_add(1, Ordering::Relaxed);
                Change::Put(record)
            }
            None => Change::Keep,
        });
        if expires {
            self.sweep_expired();
        }
        Written::Stored
    }

    /// Whether a record fits at all. Asks the budget for more where there is one.
    fn has_room_for(&self, record: &Record) -> bool {
        let cost = self.store.cost(record);
        if let Some(seat) = self.effects.seat.get() {
            seat.make_room(cost);
        }
        cost <= self.limits.bytes()
    }

    /// Changes a key unless the cache is closed.
    fn change(&self, key: Key<'_>, change: &mut dyn FnMut(Option<&Record>) -> Change) {
        self.store.update(key, &mut |existing| {
            if self.is_closed() {
                Change::Keep
            } else {
                change(existing)
            }
        });
    }

    fn intern(&self, tags: &[String]) -> Box<[Arc<str>]> {
        let mut tags: Vec<_> = tags.iter().map(|tag| self.effects.tags.intern(tag)).collect();
        tags.sort_unstable();
        tags.dedup();
        tags.into()
    }

    fn record(&self, key: Key<'_>, entry: Entry<'_>) -> Record {
        let (bytes, packed) = self.packing.pack(entry.payload).unzip();
        let value = Value {
            kind: entry.kind,
            payload: bytes.as_deref().unwrap_or(entry.payload),
            packed,
        };
        Record::new(key.bytes, value, self.intern(entry.tags), entry.lifetime)
    }

    /// Deletes a key and returns what it held.
    pub fn take(&self, key: Key<'_>) -> Option<Record> {
        let mut taken = None;
        self.change(key, &mut |existing| {
            taken = existing.cloned();
            self.overtake(key.bytes);
            Change::Remove
        });
        taken
    }

    /// Restarts the life of an entry. False when there is none.
    pub fn touch(&self, key: Key<'_>, lifetime: Lifetime) -> bool {
        let mut found = false;
        self.change(key, &mut |existing| {
            found = existing.is_some();
            Change::Renew(lifetime)
        });
        if !lifetime.is_unlimited() {
            self.sweep_expired();
        }
        found
    }

    /// Milliseconds that an entry has left: `None` without an entry, `Some(None)` without an
    /// end.
    pub fn remaining_ms(&self, key: Key<'_>) -> Option<Option<u64>> {
        let deadline = self.store.peek(key)?.nominal_deadline();
        Some(deadline.map(|deadline| deadline.saturating_sub(clock::now_ms())))
    }

    /// Adds to a number in one atomic step. A new entry begins at 0; an existing one keeps
    /// its tags and its expiry.
    ///
    /// # Errors
    /// [`Error::NotANumber`] when the key holds something else, [`Error::NotFinite`] when
    /// the sum is not finite, [`Error::TooLarge`] when the entry is larger than the cache.
    /// Nothing changes then.
    pub fn increment(&self, key: Key<'_>, number: Number<'_>) -> Result<f64> {
        let mut result = Err(Error::Closed { engine: "cache" });
        if let Some(seat) = self.effects.seat.get() {
            seat.make_room(GUESSED_ENTRY_BYTES);
        }
        let most = self.limits.bytes();
        self.change(key, &mut |existing| {
            result = add(existing, number.by);
            let Ok(sum) = result else { return Change::Keep };
            let payload = sum.to_le_bytes();
            let value = Value {
                kind: Kind::NUMBER,
                payload: &payload,
                packed: None,
            };
            let record = match existing {
                Some(record) => record.with_value(value),
                None => Record::new(key.bytes, value, self.intern(number.tags), number.lifetime),
            };
            if self.store.cost(&record) > most {
                self.writes.refusals.fetch_add(1, Ordering::Relaxed);
                result = Err(Error::TooLarge);
                return Change::Keep;
            }
            self.overtake(key.bytes);
            self.writes.sets.fetch_add(1, Ordering::Relaxed);
            Change::Put(record)
        });
        if !number.lifetime.is_unlimited() {
            self.sweep_expired();
        }
        result
    }

    /// The keys that a pattern means, or all of them, in no order.
    pub fn for_each_key(&self, glob: Option<&Glob>, visit: &mut dyn FnMut(&[u8])) {
        if let Some(literal) = glob.and_then(Glob::literal) {
            if let Some(record) = self.store.peek(Key::new(literal)) {
                visit(record.key());
            }
            return;
        }
        self.store.for_each(&mut |_, record| {
            if glob.is_none_or(|glob| glob.matches(record.key())) {
                visit(record.key());
            }
        });
    }

    /// Deletes the keys that a pattern means. Returns how many.
    pub fn delete_pattern(&self, glob: &Glob) -> u64 {
        if let Some(literal) = glob.literal() {
            return u64::from(self.take(Key::new(literal)).is_some());
        }
        // Before the store is searched: a load that ends in between sees it, see `settle`.
        self.flights.supersede_where(&|key| glob.matches(key));
        self.guards.overtake_where(&|key| glob.matches(key));
        let mut hashes = Vec::new();
        self.store.for_each(&mut |hash, record| {
            if glob.matches(record.key()) {
                hashes.push(hash);
            }
        });
        self.delete_hashes(&hashes, &|record| glob.matches(record.key()))
    }

    /// Deletes the entries that carry one of these tags. Returns how many.
    pub fn invalidate_tags(&self, tags: &[String]) -> u64 {
        self.flights.invalidate_tags(tags);
        self.guards.invalidate_tags(tags);
        let carriers = |tag: &String| {
            let hashes = self.effects.tags.carriers(tag);
            self.delete_hashes(&hashes, &|record| record.tags().iter().any(|own| **own == **tag))
        };
        tags.iter().map(carriers).sum()
    }

    fn delete_hashes(&self, hashes: &[u64], condition: &dyn Fn(&Record) -> bool) -> u64 {
        let deleted = hashes.iter().filter(|&&hash| {
            self.store.remove_if(hash, &mut |record| {
                let hit = condition(record);
                if hit {
                    self.overtake(record.key());
                }
                hit
            })
        });
        deleted.count() as u64
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.flights.supersede_all();
        self.guards.overtake_all();
        self.store.clear();
    }

    /// Unpacks a record's value into `out`, which is emptied first. False when the value is
    /// not packed and can be read where it is.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the packed bytes do not unpack to their length.
    pub fn unpack(record: &Record, out: &mut Vec<u8>) -> Result<bool> {
        let Some(packed) = record.packed() else {
            return Ok(false);
        };
        out.clear();
        let (dictionary, length) = (packed.dictionary.as_ref(), packed.original_len as usize);
        compression::decompress(packed.algorithm, dictionary, record.payload(), length, out).map_err(
            |error| Error::Damaged {
                reason: error.to_string(),
            },
        )?;
        Ok(true)
    }

    /// Joins the load of a key, or begins it. A value that came between the caller's miss
    /// and now is returned instead, and whoever joined meanwhile is told.
    pub fn join(&self, key: Key<'_>, caller: Caller) -> std::result::Result<Part, Record> {
        let part = self.flights.join(key.bytes, caller);
        if let Part::Lead(ticket) = part {
            if let Some(record) = self.store.peek(key) {
                self.flights
                    .settle(key.bytes, ticket, &Outcome::Value(record.clone()));
                return Err(record);
            }
            self.writes.loads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(part)
    }

    /// Ends a load with a value: stores it unless the key was written or invalidated
    /// meanwhile, and hands it to all who wait.
    pub fn settle(&self, key: Key<'_>, ticket: u64, entry: Entry<'_>) {
        let record = self.record(key, entry);
        let may_store = || self.flights.may_store(key.bytes, ticket, record.tags());
        self.put(key, record.clone(), &mut || may_store());
        // An invalidation that came after the first look may have searched the store before
        // the record was in it. One that comes after the second finds it there.
        if !may_store() {
            self.store.remove_if(key.hash, &mut |stored| stored.is(&record));
        }
        self.flights.settle(key.bytes, ticket, &Outcome::Value(record));
    }

    /// Ends a load with an encoded error.
    pub fn settle_failure(&self, key: Key<'_>, ticket: u64, error: &[u8]) {
        self.writes.load_failures.fetch_add(1, Ordering::Relaxed);
        self.flights
            .settle(key.bytes, ticket, &Outcome::Failure(error.into()));
    }
}

fn add(existing: Option<&Record>, by: f64) -> Result<f64> {
    let current = match existing {
        Some(record) => record.as_number().ok_or(Error::NotANumber)?,
        None => 0.0,
    };
    let sum = current + by;
    if sum.is_finite() {
        Ok(sum)
    } else {
        Err(Error::NotFinite)
    }
}
