//! The tables that a queue lives in, wherever they are: ordered maps of bytes.
//!
//! What happens to jobs ([`book`](super::book)) is written once, over this interface. In
//! memory the tables are B-trees behind the engine's lock ([`MemoryTables`]); on disk they
//! are databases of one LMDB environment, inside one transaction
//! ([`disk`](super::disk)).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Tables by what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Table {
    /// Job -> [`Head`](super::head::Head).
    Heads = 0,
    /// Job -> its encoded data.
    Data = 1,
    /// Job -> how it ended: see [`value`](super::value).
    Outcomes = 2,
    /// Job -> the progress that it told last.
    Progress = 3,
    /// Hash of a given name -> job.
    Names = 4,
    /// Type, group, rank, job: what waits for its turn, in that order.
    Ready = 5,
    /// Time, job: what waits for its time.
    Due = 6,
    /// Owner, job: what is being worked on.
    Active = 7,
    /// Completed or dead, order of the end, job: what is remembered.
    Ended = 8,
    /// Counters, and the dictionary of the values.
    Meta = 9,
    /// Owner -> until when it is alive for certain.
    Owners = 10,
}

/// Names of the tables, in that order.
pub const NAMES: [&str; 11] = [
    "jobs.heads",
    "jobs.data",
    "jobs.outcomes",
    "jobs.progress",
    "jobs.names",
    "jobs.ready",
    "jobs.due",
    "jobs.active",
    "jobs.ended",
    "jobs.meta",
    "jobs.owners",
];

/// Tables that can be read.
pub trait Reads {
    /// The value of a key.
    fn get(&self, table: Table, key: &[u8]) -> heed::Result<Option<Cow<'_, [u8]>>>;

    /// The first entry at or after a key.
    fn at_or_after(&self, table: Table, key: &[u8]) -> heed::Result<Option<Entry>>;
}

/// Tables that can be changed.
pub trait Tables: Reads {
    /// Adds or replaces.
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> heed::Result<()>;

    /// Removes. True if it was there.
    fn delete(&mut self, table: Table, key: &[u8]) -> heed::Result<bool>;
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

type Sorted = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// The tables of a queue in memory.
#[derive(Debug, Default)]
pub struct MemoryTables([Sorted; NAMES.len()]);

impl Reads for MemoryTables {
    fn get(&self, table: Table, key: &[u8]) -> heed::Result<Option<Cow<'_, [u8]>>> {
        let value = self.0[table as usize].get(key);
        Ok(value.map(|value| Cow::Borrowed(&**value)))
    }

    fn at_or_after(&self, table: Table, key: &[u8]) -> heed::Result<Option<Entry>> {
        let from = (Bound::Included(key), Bound::Unbounded);
        let entry = self.0[table as usize].range::<[u8], _>(from).next();
        Ok(entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }
}

impl Tables for MemoryTables {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> heed::Result<()> {
        self.0[table as usize].insert(key.into(), value.into());
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> heed::Result<bool> {
        Ok(self.0[table as usize].remove(key).is_some())
    }
}

/// What is stored is not what it should be.
pub fn damaged(what: &str) -> heed::Error {
    heed::Error::Decoding(what.into())
}

/// Calls `each` for every key with a prefix, in order, until it says false.
pub fn walk(
    tables: &dyn Reads,
    table: Table,
    prefix: &[u8],
    mut each: impl FnMut(&[u8], &[u8]) -> heed::Result<bool>,
) -> heed::Result<()> {
    let mut from = prefix.to_vec();
    while let Some((key, value)) = tables.at_or_after(table, &from)? {
        if !key.starts_with(prefix) || !each(&key, &value)? {
            break;
        }
        from = key;
        // The next possible key.
        from.push(0);
    }
    Ok(())
}
