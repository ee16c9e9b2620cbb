//! What a write does inside its transaction, and what follows from it after the commit.

use std::io::Write;
use std::ops::Bound;
use std::sync::Arc;

use super::DiskCache;
use super::events::{Entry, Event};
use super::record::{self, FileId, Hash, NEVER, Place};
use super::stats::{COUNTERS, Counter, Totals};
use crate::engine::cache::events::EventKind;
use crate::engine::lmdb::{Database, WriteTransaction};

/// The databases of a cache.
#[derive(Debug, Clone, Copy)]
pub struct Databases {
    /// Entries by hash.
    pub entries: Database,
    /// (Time, hash) of entries that expire: one row each, at or before the entry's time.
    pub expiry: Database,
    /// How often entries were read, by hash; none for never.
    pub hits: Database,
    /// Totals and the dictionary.
    pub meta: Database,
}

/// Bytes that count toward the limit, and values in files.
pub const USAGE: &[u8] = b"usage";
/// See [`stats`](super::stats).
pub const TOTALS: &[u8] = b"totals";

/// What follows from a change after its commit.
#[derive(Debug, Default)]
pub struct Effects {
    /// Files that no entry points at any more.
    pub files: Vec<(Hash, FileId)>,
    /// All files are without an entry.
    pub all_files: bool,
    /// For those who listen.
    pub events: Vec<Event>,
    /// To be counted.
    pub counts: Totals,
    /// The earliest new time in the expiry index.
    pub due: Option<u64>,
}

/// What an entry was, before it was changed.
#[derive(Debug, Clone)]
pub struct Previous {
    /// Its time in the expiry index.
    pub indexed_ms: u64,
    /// What it counted toward the limit.
    pub cost: u64,
    /// True when its time was over.
    pub expired: bool,
    file: Option<FileId>,
    key: Option<Arc<[u8]>>,
    is_same_key: bool,
}

/// Why an entry leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// On request.
    Deleted,
    /// Its time was over.
    Expired,
    /// For others.
    Evicted,
    /// It cannot be read.
    Damaged,
}

impl Reason {
    fn counter(self) -> Counter {
        match self {
            Self::Deleted => Counter::Deletes,
            Self::Expired => Counter::Expirations,
            Self::Evicted => Counter::Evictions,
            Self::Damaged => Counter::Damaged,
        }
    }

    fn event(self) -> EventKind {
        match self {
            Self::Deleted => EventKind::Delete,
            Self::Expired => EventKind::Expire,
            Self::Evicted => EventKind::Evict,
            Self::Damaged => EventKind::Damage,
        }
    }
}

/// A change under way.
pub struct Change<'c, 't> {
    /// The cache.
    pub cache: &'c DiskCache,
    /// The transaction.
    pub txn: &'c mut WriteTransaction<'t>,
    /// Its databases.
    pub databases: Databases,
    /// When it runs, in milliseconds since 1970.
    pub now_ms: u64,
    /// What will follow.
    pub effects: Effects,
    bytes: i64,
    files: i64,
}

fn expiry_row(time_ms: u64, hash: &Hash) -> [u8; 24] {
    let mut row = [0; 24];
    row[..8].copy_from_slice(&time_ms.to_be_bytes());
    row[8..].copy_from_slice(hash);
    row
}

impl<'c, 't> Change<'c, 't> {
    /// Begins a change.
    pub fn new(cache: &'c DiskCache, databases: Databases, txn: &'c mut WriteTransaction<'t>) -> Self {
        Self {
            cache,
            txn,
            databases,
            now_ms: super::now_ms(),
            effects: Effects::default(),
            bytes: 0,
            files: 0,
        }
    }

    /// Counts.
    pub fn count(&mut self, counter: Counter, count: u64) {
        self.effects.counts[counter as usize] += count;
    }

    /// Tells those who listen.
    fn tell(&mut self, kind: EventKind, key: Option<Arc<[u8]>>, bytes: u64) {
        if self.cache.subscriptions.want(kind)
            && let Some(key) = key
        {
            let subject = Some(Entry { key, bytes });
            self.effects.events.push(Event { kind, subject });
        }
    }

    /// What stands under a hash. Damaged entries have what can be made out.
    fn previous(&self, hash: &Hash, key: Option<&[u8]>) -> heed::Result<Option<Previous>> {
        let Some(bytes) = self.databases.entries.get(self.txn, hash)? else {
            return Ok(None);
        };
        let stored = record::decode_unchecked(bytes);
        Ok(Some(match stored {
            Some(stored) => Previous {
                indexed_ms: stored.head.indexed_ms,
                cost: record::cost(&stored),
                expired: stored.head.is_expired(self.now_ms),
                file: match stored.place {
                    Place::File { id, .. } => Some(id),
                    Place::Inline(_) => None,
                },
                // A copy only where somebody will be told.
                key: key.is_none().then(|| stored.key.into()),
                is_same_key: key.is_none_or(|key| key == stored.key),
            },
            None => Previous {
                indexed_ms: NEVER,
                cost: bytes.len() as u64,
                expired: false,
                file: None,
                key: Some(Arc::default()),
                is_same_key: true,
            },
        }))
    }

    /// Puts an encoded entry in place of what is there.
    pub fn put(&mut self, hash: &Hash, entry: &[u8]) -> heed::Result<()> {
        let Some(stored) = record::decode_unchecked(entry) else {
            return Ok(());
        };
        let (cost, expires) = (record::cost(&stored), stored.head.expires_ms);
        let in_file = matches!(stored.place, Place::File { .. });
        let key = self
            .cache
            .subscriptions
            .want(EventKind::Set)
            .then(|| Arc::from(stored.key));
        let previous = self.previous(hash, Some(stored.key))?;
        let indexed = previous.as_ref().map_or(NEVER, |previous| previous.indexed_ms);
        let indexed = self.index(hash, indexed, expires)?;
        self.store(hash, entry, indexed)?;
        if let Some(previous) = previous {
            self.forget(hash, &previous);
        }
        self.bytes += cost as i64;
        self.files += i64::from(in_file);
        self.count(Counter::Sets, 1);
        self.tell(EventKind::Set, key, cost);
        Ok(())
    }

    /// Puts an entry in place of one that differs in its times only.
    pub fn replace(&mut self, hash: &Hash, entry: &[u8]) -> heed::Result<()> {
        if let Some(stored) = record::decode_unchecked(entry) {
            let indexed = self.index(hash, stored.head.indexed_ms, stored.head.expires_ms)?;
            self.store(hash, entry, indexed)?;
        }
        Ok(())
    }

    /// Writes an entry, with its time in the expiry index, straight into LMDB's page.
    fn store(&mut self, hash: &Hash, entry: &[u8], indexed: u64) -> heed::Result<()> {
        let entries = self.databases.entries;
        entries.put_reserved(self.txn, hash, entry.len(), |space| {
            let [before, time, after] = record::around_indexed(entry);
            space.write_all(before)?;
            debug_assert_eq!(time.len(), size_of_val(&indexed));
            space.write_all(&indexed.to_le_bytes())?;
            space.write_all(after)
        })
    }

    /// Makes sure that the expiry index has one row for an entry, at or before its time. A
    /// row that is early costs a look when its time has come; moving it at each write would
    /// cost a page.
    fn index(&mut self, hash: &Hash, indexed: u64, expires: u64) -> heed::Result<u64> {
        if indexed != NEVER && expires != NEVER && indexed <= expires {
            return Ok(indexed);
        }
        if indexed != NEVER {
            self.databases
                .expiry
                .delete(self.txn, &expiry_row(indexed, hash))?;
        }
        if expires != NEVER {
            self.databases
                .expiry
                .put(self.txn, &expiry_row(expires, hash), &[])?;
            let due = self.effects.due.unwrap_or(NEVER);
            self.effects.due = Some(due.min(expires));
        }
        Ok(expires)
    }

    /// Takes an entry that was replaced or removed out of the accounts.
    fn forget(&mut self, hash: &Hash, previous: &Previous) {
        self.bytes -= previous.cost as i64;
        if let Some(id) = previous.file {
            self.files -= 1;
            self.effects.files.push((*hash, id));
        }
    }

    /// Removes the entry of a key. Returns what it was; an expired one counts as such.
    pub fn remove_key(&mut self, hash: &Hash, key: &[u8]) -> heed::Result<Option<Previous>> {
        let Some(previous) = self.previous(hash, Some(key))? else {
            return Ok(None);
        };
        if !previous.is_same_key {
            return Ok(None);
        }
        let reason = if previous.expired {
            Reason::Expired
        } else {
            Reason::Deleted
        };
        let key = Some(Arc::from(key));
        self.erase(
            hash,
            Previous {
                key,
                ..previous.clone()
            },
            reason,
        )?;
        Ok(Some(previous))
    }

    /// Removes what stands under a hash.
    pub fn remove(&mut self, hash: &Hash, reason: Reason) -> heed::Result<Option<u64>> {
        let Some(previous) = self.previous(hash, None)? else {
            return Ok(None);
        };
        let cost = previous.cost;
        self.erase(hash, previous, reason)?;
        Ok(Some(cost))
    }

    fn erase(&mut self, hash: &Hash, previous: Previous, reason: Reason) -> heed::Result<()> {
        self.databases.entries.delete(self.txn, hash)?;
        self.databases.hits.delete(self.txn, hash)?;
        if previous.indexed_ms != NEVER {
            let row = expiry_row(previous.indexed_ms, hash);
            self.databases.expiry.delete(self.txn, &row)?;
        }
        self.forget(hash, &previous);
        self.count(reason.counter(), 1);
        self.tell(reason.event(), previous.key, previous.cost);
        Ok(())
    }

    /// Removes everything but totals and dictionary.
    pub fn clear(&mut self) -> heed::Result<()> {
        self.databases.entries.clear(self.txn)?;
        self.databases.expiry.clear(self.txn)?;
        self.databases.hits.clear(self.txn)?;
        self.effects.files.clear();
        self.effects.all_files = true;
        let (bytes, files) = self.usage()?;
        self.bytes -= bytes as i64;
        self.files -= files as i64;
        self.effects.events.push(Event {
            kind: EventKind::Clear,
            subject: None,
        });
        Ok(())
    }

    /// Bytes and files with what this change has done.
    pub fn usage(&self) -> heed::Result<(u64, u64)> {
        let (bytes, files) = decode_usage(self.databases.meta.get(self.txn, USAGE)?);
        Ok((
            bytes.saturating_add_signed(self.bytes),
            files.saturating_add_signed(self.files),
        ))
    }

    /// Removes entries whose time is over, at most so many. Returns when the next is due.
    pub fn sweep(&mut self, most: usize) -> heed::Result<u64> {
        for _ in 0..most {
            let Some((time, hash)) = self.first_row()? else {
                return Ok(NEVER);
            };
            if time > self.now_ms {
                return Ok(time);
            }
            self.databases.expiry.delete(self.txn, &expiry_row(time, &hash))?;
            self.settle_row(time, &hash)?;
        }
        Ok(self.now_ms)
    }

    fn first_row(&self) -> heed::Result<Option<(u64, Hash)>> {
        let Some((row, _)) = self.databases.expiry.first(self.txn)? else {
            return Ok(None);
        };
        let (time, hash) = row.split_at_checked(8).unwrap_or_default();
        let time = time.try_into().map_or(0, u64::from_be_bytes);
        Ok(Some((time, hash.try_into().unwrap_or_default())))
    }

    /// A row of the expiry index was taken out: its entry has to go, or to get a new row.
    fn settle_row(&mut self, time: u64, hash: &Hash) -> heed::Result<()> {
        let Some(bytes) = self.databases.entries.get(self.txn, hash)? else {
            return Ok(());
        };
        let Some(head) = record::decode_unchecked(bytes).map(|stored| stored.head) else {
            return Ok(());
        };
        if head.indexed_ms != time {
            return Ok(());
        }
        if head.is_expired(self.now_ms) {
            self.remove(hash, Reason::Expired)?;
            return Ok(());
        }
        let entry = bytes.to_vec();
        let indexed = self.index(hash, NEVER, head.expires_ms)?;
        self.store(hash, &entry, indexed)
    }

    /// Entries from a place on, with the last one's successor being the first.
    pub fn neighbours(&self, from: &Hash, most: usize) -> heed::Result<Vec<(Hash, u64, u64)>> {
        let mut found = Vec::with_capacity(most);
        let later: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Included(from), Bound::Unbounded);
        let earlier: (Bound<&[u8]>, Bound<&[u8]>) = (Bound::Unbounded, Bound::Excluded(from));
        for range in [later, earlier] {
            for entry in self.databases.entries.range(self.txn, &range)? {
                if found.len() == most {
                    return Ok(found);
                }
                let (hash, bytes) = entry?;
                let hash: Hash = hash.try_into().unwrap_or_default();
                let head = record::decode_unchecked(bytes).map(|stored| stored.head);
                found.push(match head {
                    Some(head) => (hash, head.created_ms, head.expires_ms),
                    // What cannot be read goes first.
                    None => (hash, 0, 0),
                });
            }
        }
        Ok(found)
    }

    /// Stores usage and makes room if there is need. The last step of a change; what was
    /// just put (`spared`) is not given up for itself.
    pub fn complete(mut self, spared: Option<&Hash>) -> heed::Result<Effects> {
        if self.bytes > 0 {
            self.make_room(self.cache.config.disk_limit, spared)?;
        }
        if self.bytes != 0 || self.files != 0 {
            let (bytes, files) = self.usage()?;
            let mut usage = [0; 16];
            usage[..8].copy_from_slice(&bytes.to_le_bytes());
            usage[8..].copy_from_slice(&files.to_le_bytes());
            self.databases.meta.put(self.txn, USAGE, &usage)?;
        }
        Ok(self.effects)
    }

    /// Stores counts in the totals.
    pub fn store_totals(&mut self, counts: &Totals) -> heed::Result<()> {
        let stored = super::stats::decode(self.databases.meta.get(self.txn, TOTALS)?);
        let totals = super::stats::encode(&super::stats::sum(&stored, counts));
        debug_assert_eq!(totals.len(), 8 * COUNTERS);
        self.databases.meta.put(self.txn, TOTALS, &totals)
    }
}

/// Bytes and files as they are stored.
pub fn decode_usage(bytes: Option<&[u8]>) -> (u64, u64) {
    let numbers = super::stats::decode(bytes);
    (numbers[0], numbers[1])
}
