//! A memory cache as a tier.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, Pair, Pending, Tag, Tier, unix_ms};
use crate::engine::cache::glob::Glob;
use crate::engine::cache::memory::{Entry as NewEntry, MemoryCache};
use crate::engine::cache::record::{Key, Lifetime, Record};
use crate::engine::clock;
use crate::error::{Error, Result};

/// The lifetime of an entry in memory: until it expires, because memory keeps nothing stale.
pub fn lifetime(entry: &Entry, now: u64) -> Lifetime {
    Lifetime {
        ttl_ms: entry.expires.map(|expires| expires.saturating_sub(now)),
        idle_ms: None,
    }
}

/// A record as an entry, its payload unpacked.
///
/// # Errors
/// [`Error::Damaged`] when the payload does not unpack.
pub fn entry_of(record: &Record) -> Result<Entry> {
    let mut unpacked = Vec::new();
    let payload = match MemoryCache::unpack(record, &mut unpacked)? {
        true => Bytes::from(unpacked),
        false => Bytes::copy_from_slice(record.payload()),
    };
    let expires = record
        .nominal_deadline()
        .map(|deadline| unix_ms().saturating_add(deadline.saturating_sub(clock::now_ms())));
    let tag = |name: &Arc<str>| Tag {
        name: name.clone(),
        generation: 0,
    };
    Ok(Entry {
        kind: record.kind(),
        payload,
        expires,
        kept_until: expires,
        tags: record.tags().iter().map(tag).collect(),
    })
}

impl MemoryCache {
    fn read(&self, key: &[u8]) -> Result<Option<Entry>> {
        self.check_open()?;
        self.get(Key::new(key)).as_ref().map(entry_of).transpose()
    }

    fn write(&self, key: &[u8], entry: &Entry) -> Result<()> {
        self.check_open()?;
        let now = unix_ms();
        if !entry.is_fresh(now) {
            self.take(Key::new(key));
            return Ok(());
        }
        let tags: Vec<String> = entry.tags.iter().map(|tag| tag.name.to_string()).collect();
        let new = NewEntry {
            kind: entry.kind,
            payload: &entry.payload,
            lifetime: lifetime(entry, now),
            tags: &tags,
        };
        // One that is larger than the cache is as if it had been evicted at once.
        self.set(Key::new(key), new);
        Ok(())
    }

    fn check_open(&self) -> Result<()> {
        match self.is_closed() {
            true => Err(Error::Closed { engine: "cache" }),
            false => Ok(()),
        }
    }
}

impl Tier for MemoryCache {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Entry>> {
        Box::pin(async move { self.read(key) })
    }

    fn set<'a>(&'a self, key: &'a [u8], entry: &'a Entry) -> Pending<'a, ()> {
        Box::pin(async move { self.write(key, entry) })
    }

    fn set_many<'a>(&'a self, entries: &'a [Pair]) -> Pending<'a, ()> {
        Box::pin(async move { entries.iter().try_for_each(|(key, entry)| self.write(key, entry)) })
    }

    fn delete<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, bool> {
        Box::pin(async move {
            self.check_open()?;
            let taken = keys.iter().filter(|key| self.take(Key::new(key)).is_some());
            Ok(taken.count() > 0)
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.check_open()?;
            MemoryCache::clear(self);
            Ok(())
        })
    }

    fn keys(&self, glob: Option<Arc<Glob>>) -> Pending<'_, Vec<Arc<[u8]>>> {
        Box::pin(async move {
            self.check_open()?;
            let mut keys = Vec::new();
            self.for_each_key(glob.as_deref(), &mut |key| keys.push(key.into()));
            Ok(keys)
        })
    }

    fn forget_tags<'a>(&'a self, tags: &'a [String]) -> Pending<'a, ()> {
        Box::pin(async move {
            self.check_open()?;
            self.invalidate_tags(tags);
            Ok(())
        })
    }

    fn forgets_tags_at_once(&self) -> bool {
        true
    }

    fn keeps_deadlines(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;
    use crate::engine::cache::memory::config::Options;
    use crate::engine::registry::Engine;

    #[test]
    fn memory_fulfils_the_contract() {
        contract::run(&*MemoryCache::new(&Options::default()));
    }

    #[test]
    fn a_closed_cache_fails() {
        let cache = MemoryCache::new(&Options::default());
        cache.close();
        contract::run_closed(&*cache);
    }
}
