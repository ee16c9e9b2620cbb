//! Reads: on the calling thread, from the memory map.

use std::ops::Bound;
use std::sync::Arc;

use super::DiskCache;
use super::change::{Reason, TOTALS, USAGE, decode_usage};
use super::files::Reader;
use super::record::{self, Hash, Head, NEVER, Place, Stored};
use super::stats::{self, Counter, Stats};
use crate::engine::cache::events::EventKind;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::record::Kind;
use crate::engine::lmdb::ReadTransaction;
use crate::error::{Error, Result};

/// Entries that one transaction of a walk over all of them looks at.
const STRIDE: usize = 1024;

enum Sought<T> {
    Found(T),
    Missing,
    Damaged,
}

/// A value and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its bookkeeping.
    pub head: Head,
    /// See [`Stored::attributes`].
    pub attributes: Vec<u8>,
    /// The encoded value.
    pub payload: Vec<u8>,
}

/// What a look at a value that may be in a file finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inline<T> {
    /// It is there.
    Value(T),
    /// It is there, in a file.
    InFile,
    /// It is not there.
    Missing,
}

/// A value with its bytes or a way to them.
#[derive(Debug)]
pub enum Value {
    /// All of it.
    Whole(Found),
    /// A file that can be read, block by block; what was found has no payload.
    File(Found, Reader),
}

/// Which entries a read is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that may be handed out as they are.
    Fresh,
    /// Those that are kept, for whoever judges that.
    Kept,
}

impl DiskCache {
    /// Lends the value of a key to `body`, if it is not in a file, and counts the read; one that
    /// is in a file is left to [`load`](Self::load). `body` must not wait: it runs inside a
    /// read transaction.
    pub fn with_inline<T>(
        self: &Arc<Self>,
        key: &[u8],
        body: impl FnOnce(Kind, &[u8]) -> T,
    ) -> Result<Inline<T>> {
        let hash = record::hash_of(key);
        let found = self.look(&hash, key, Wanted::Fresh, |stored| match stored.place {
            Place::Inline(payload) => Inline::Value(body(stored.head.kind, payload)),
            Place::File { .. } => Inline::InFile,
        })?;
        match &found {
            Some(Inline::Value(_)) => self.count_hit(hash),
            Some(_) => {}
            None => self.counters.add(Counter::Misses, 1),
        }
        Ok(found.unwrap_or(Inline::Missing))
    }

    /// Lends the entry of a key to `body`, without counting. `body` must not wait.
    pub fn peek<T>(self: &Arc<Self>, key: &[u8], body: impl FnOnce(&Stored<'_>) -> T) -> Result<Option<T>> {
        self.look(&record::hash_of(key), key, Wanted::Fresh, body)
    }

    fn look<T>(
        self: &Arc<Self>,
        hash: &Hash,
        key: &[u8],
        wanted: Wanted,
        body: impl FnOnce(&Stored<'_>) -> T,
    ) -> Result<Option<T>> {
        let store = self.store()?;
        let entries = store.databases.entries;
        let sought = store.environment.read(|txn| {
            let Some(bytes) = entries.get(txn, hash)? else {
                return Ok(Sought::Missing);
            };
            let Some(stored) = record::decode(bytes) else {
                return Ok(Sought::Damaged);
            };
            let now = super::now_ms();
            let is_good = match wanted {
                Wanted::Fresh => stored.is_fresh(now),
                Wanted::Kept => !stored.head.is_expired(now),
            };
            Ok(if is_good && stored.key == key {
                Sought::Found(body(&stored))
            } else {
                Sought::Missing
            })
        })?;
        drop(store);
        match sought {
            Sought::Found(value) => Ok(Some(value)),
            Sought::Missing => Ok(None),
            Sought::Damaged => {
                self.drop_damaged(*hash, None);
                Ok(None)
            }
        }
    }

    /// The value of a key with all that goes with it; large ones are opened for reading. What
    /// is in a file is read by the caller, who may wait for the disk.
    pub fn value(self: &Arc<Self>, key: &[u8], wanted: Wanted) -> Result<Option<Value>> {
        let hash = record::hash_of(key);
        // A file may be replaced between the look at the entry and the opening.
        for _ in 0..3 {
            let take = |stored: &Stored<'_>| {
                let (payload, file) = match stored.place {
                    Place::Inline(payload) => (payload.to_vec(), None),
                    Place::File { id, length } => (Vec::new(), Some((id, length))),
                };
                let found = Found {
                    head: stored.head,
                    attributes: stored.attributes.to_vec(),
                    payload,
                };
                (found, file)
            };
            let (found, id, length) = match self.look(&hash, key, wanted, take)? {
                None => break,
                Some((found, None)) => {
                    self.count_hit(hash);
                    return Ok(Some(Value::Whole(found)));
                }
                Some((found, Some((id, length)))) => (found, id, length),
            };
            match self.files.open(&hash, id, length) {
                Ok(reader) => {
                    self.count_hit(hash);
                    return Ok(Some(Value::File(found, reader)));
                }
                Err(_) if self.points_at(&hash, id) => {
                    self.drop_damaged(hash, Some(id));
                    break;
                }
                Err(_) => {}
            }
        }
        self.counters.add(Counter::Misses, 1);
        Ok(None)
    }

    /// The whole value of a key. May wait for the disk.
    pub fn load(self: &Arc<Self>, key: &[u8]) -> Result<Option<Found>> {
        match self.value(key, Wanted::Fresh)? {
            None => Ok(None),
            Some(Value::Whole(found)) => Ok(Some(found)),
            Some(Value::File(found, reader)) => self.read_file(key, found, reader),
        }
    }

    /// The same, with what is in the file. May wait for the disk.
    pub fn read_file(
        self: &Arc<Self>,
        key: &[u8],
        found: Found,
        mut reader: Reader,
    ) -> Result<Option<Found>> {
        match reader.read_all() {
            Ok(payload) => Ok(Some(Found { payload, ..found })),
            Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => Err(Error::TooLarge),
            Err(_) => {
                self.drop_damaged_key(key);
                Ok(None)
            }
        }
    }

    /// The same on another thread.
    pub fn load_elsewhere(
        self: &Arc<Self>,
        key: &[u8],
        done: impl FnOnce(Result<Option<(Kind, Vec<u8>)>>) + Send + 'static,
    ) {
        let (cache, key) = (self.clone(), key.to_vec());
        super::writes::blocking(done, move |done| {
            let found = cache.load(&key);
            done(found.map(|found| found.map(|found| (found.head.kind, found.payload))));
        });
    }

    fn count_hit(&self, hash: Hash) {
        self.hits.count(hash);
        self.counters.add(Counter::Hits, 1);
    }

    /// Whether the entry under a hash has this file.
    pub(super) fn points_at(&self, hash: &Hash, id: u64) -> bool {
        let Ok(store) = self.store() else { return true };
        let entries = store.databases.entries;
        let read = |txn: &ReadTransaction<'_>| {
            let stored = entries.get(txn, hash)?.and_then(record::decode_unchecked);
            Ok(matches!(stored, Some(Stored { place: Place::File { id: own, .. }, .. }) if own == id))
        };
        // What cannot be told is left alone.
        store.environment.read(read).unwrap_or(true)
    }

    /// A file of this key turned out to be damaged while it was read.
    pub fn drop_damaged_key(self: &Arc<Self>, key: &[u8]) {
        let hash = record::hash_of(key);
        let file = self.look(&hash, key, Wanted::Kept, |stored| match stored.place {
            Place::File { id, .. } => Some(id),
            Place::Inline(_) => None,
        });
        if let Ok(Some(Some(id))) = file {
            self.drop_damaged(hash, Some(id));
        }
    }

    /// Removes an entry that is damaged, unless it was replaced meanwhile: one that does not
    /// decode, or one whose file is the one given.
    fn drop_damaged(self: &Arc<Self>, hash: Hash, file: Option<u64>) {
        let body = move |change: &mut super::change::Change<'_, '_>| {
            let bytes = change.databases.entries.get(change.txn, &hash)?;
            let damaged = match (bytes.map(record::decode), file) {
                (None, _) => false,
                (Some(stored), None) => stored.is_none(),
                (Some(stored), Some(file)) => {
                    matches!(stored, Some(Stored { place: Place::File { id, .. }, .. }) if id == file)
                }
            };
            if damaged {
                change.remove(&hash, Reason::Damaged)?;
            }
            Ok(())
        };
        self.change(true, None, body, |_| ());
    }

    /// Milliseconds that an entry has left; the inner none is for ever.
    pub fn remaining_ms(self: &Arc<Self>, key: &[u8]) -> Result<Option<Option<u64>>> {
        let now = super::now_ms();
        self.peek(key, |stored| match stored.fresh_until_ms() {
            NEVER => None,
            expires => Some(expires.saturating_sub(now)),
        })
    }

    /// How many entries there are whose time is not over.
    pub fn len(&self) -> Result<u64> {
        let store = self.store()?;
        let databases = store.databases;
        let now = super::now_ms();
        store.environment.read(|txn| {
            let mut length = databases.entries.len(txn)?;
            // What has expired and was not swept yet: at most a moment's worth.
            for row in databases.expiry.iter(txn)?.take(STRIDE) {
                let (row, _) = row?;
                let (time, hash) = row.split_at_checked(8).unwrap_or_default();
                if time.try_into().map_or(0, u64::from_be_bytes) > now {
                    break;
                }
                let stored = databases
                    .entries
                    .get(txn, hash)?
                    .and_then(record::decode_unchecked);
                length -= u64::from(stored.is_some_and(|stored| stored.head.is_expired(now)));
            }
            Ok(length)
        })
    }

    /// True when there is no entry whose time is not over.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Walks over all keys that a pattern means, in no order that means anything, with
    /// transactions that are short each: entries that change meanwhile may be seen or not.
    pub fn for_each_key(&self, glob: Option<&Glob>, visit: &mut dyn FnMut(&Hash, &[u8])) -> Result<()> {
        let mut last: Option<Hash> = None;
        loop {
            let store = self.store()?;
            let entries = store.databases.entries;
            let now = super::now_ms();
            let next = store.environment.read(|txn| {
                let from = last
                    .as_ref()
                    .map_or(Bound::Unbounded, |hash| Bound::Excluded(&hash[..]));
                let range: (Bound<&[u8]>, Bound<&[u8]>) = (from, Bound::Unbounded);
                let (mut count, mut next) = (0, None);
                for entry in entries.range(txn, &range)? {
                    let (hash, bytes) = entry?;
                    let Ok(hash) = Hash::try_from(hash) else { continue };
                    if let Some(stored) = record::decode_unchecked(bytes)
                        && stored.is_fresh(now)
                        && glob.is_none_or(|glob| glob.matches(stored.key))
                    {
                        visit(&hash, stored.key);
                    }
                    count += 1;
                    if count == STRIDE {
                        next = Some(hash);
                        break;
                    }
                }
                Ok(next)
            })?;
            if next.is_none() {
                return Ok(());
            }
            last = next;
        }
    }

    /// A snapshot of counters and sizes.
    pub fn stats(&self) -> Result<Stats> {
        let entries = self.len()?;
        let store = self.store()?;
        let meta = store.databases.meta;
        let (usage, stored) = store.environment.read(|txn| {
            Ok((
                decode_usage(meta.get(txn, USAGE)?),
                stats::decode(meta.get(txn, TOTALS)?),
            ))
        })?;
        Ok(Stats {
            entries,
            files: usage.1,
            bytes: usage.0,
            disk_limit: self.config.disk_limit,
            file_bytes: store.environment.usage().file_bytes,
            totals: stats::sum(&stored, &self.counters.pending()),
        })
    }

    /// Counts everything anew from the entries, and compares.
    pub fn validate(&self) -> Result<()> {
        let store = self.store()?;
        let databases = store.databases;
        let differs = |reason: String| Err(Error::Inconsistent { reason });
        let (counted, stored, rows) = store.environment.read(|txn| {
            let (mut counted, mut rows) = ((0, 0), 0u64);
            for entry in databases.entries.iter(txn)? {
                let (hash, bytes) = entry?;
                let Some(entry) = record::decode(bytes) else {
                    continue;
                };
                counted.0 += record::cost(&entry);
                counted.1 += u64::from(matches!(entry.place, Place::File { .. }));
                if entry.head.expires_ms != NEVER {
                    let row = [&entry.head.indexed_ms.to_be_bytes(), hash].concat();
                    rows += u64::from(databases.expiry.get(txn, &row)?.is_none());
                }
            }
            Ok((counted, decode_usage(databases.meta.get(txn, USAGE)?), rows))
        })?;
        if rows > 0 {
            return differs(format!("{rows} entries expire and are not indexed"));
        }
        if counted != stored {
            return differs(format!(
                "entries take {counted:?} bytes and files, not {stored:?}"
            ));
        }
        Ok(())
    }

    /// Whether anybody listens to a kind of event.
    pub fn has_listeners(&self, kind: EventKind) -> bool {
        self.subscriptions.want(kind)
    }
}
