//! A disk cache as a tier.
//!
//! An entry that is nothing but a value and an expiry stands on the disk as the cache itself
//! would write it; what has tags or grace stands beside the value
//! ([`record`](crate::engine::cache::disk::record)), and the cache reads such entries too, as
//! long as they are fresh. One that lives for ever gets the cache's own greatest age.
//!
//! Small values are read right where they are asked for, from the memory map. Those in files
//! are read on a thread that may wait.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Entry, Pair, Pending, Tier, envelope, unix_ms};
use crate::engine::cache::disk::DiskCache;
use crate::engine::cache::disk::reads::{Found, Value, Wanted};
use crate::engine::cache::disk::record::{Head, NEVER};
use crate::engine::cache::disk::writes::{self, Lifetime};
use crate::engine::cache::glob::Glob;
use crate::error::{Error, Result};

const CLOSED: Error = Error::Closed { engine: "cache" };

/// What an operation told, to be waited for.
struct Told<T>(oneshot::Receiver<Result<T>>);

impl<T: Send + 'static> Told<T> {
    /// Begins an operation; it goes on even if nobody waits for it.
    fn begin(begin: impl FnOnce(Box<dyn FnOnce(Result<T>) + Send>)) -> Self {
        let (sender, receiver) = oneshot::channel();
        begin(Box::new(move |result| {
            // Whoever asked may have given up.
            let _ = sender.send(result);
        }));
        Self(receiver)
    }

    async fn wait(self) -> Result<T> {
        self.0.await.map_err(|_| CLOSED)?
    }
}

fn entry_of(found: Found) -> Result<Entry> {
    let Found {
        head,
        attributes,
        payload,
    } = found;
    let payload = Bytes::from(payload);
    if attributes.is_empty() {
        let expires = (head.expires_ms != NEVER).then_some(head.expires_ms);
        return Ok(Entry {
            expires,
            kept_until: expires,
            ..Entry::new(head.kind, payload)
        });
    }
    let sealed = envelope::read(attributes.into())?;
    Ok(Entry { payload, ..sealed })
}

impl DiskCache {
    fn shared(&self) -> Result<Arc<Self>> {
        self.itself().ok_or(CLOSED)
    }

    async fn entry(&self, key: &[u8]) -> Result<Option<Entry>> {
        let cache = self.shared()?;
        let found = match cache.value(key, Wanted::Kept)? {
            None => None,
            Some(Value::Whole(found)) => Some(found),
            Some(Value::File(found, reader)) => {
                let key = key.to_vec();
                let read = move || cache.read_file(&key, found, reader);
                Told::begin(|done| writes::blocking(done, move |done| done(read())))
                    .wait()
                    .await?
            }
        };
        found.map(entry_of).transpose()
    }

    /// Begins to write an entry, or to remove what nobody wants.
    fn write_entry(&self, key: &[u8], entry: &Entry) -> Result<Told<bool>> {
        let cache = self.shared()?;
        if !entry.is_kept(unix_ms()) {
            return Ok(Told::begin(|done| cache.delete(key, done)));
        }
        let own = cache.head(entry.kind, Lifetime::Default);
        let head = Head {
            expires_ms: entry.kept_until.unwrap_or(own.expires_ms),
            ..own
        };
        let attributes = match entry.is_plain() {
            true => Vec::new(),
            false => envelope::write(&Entry {
                payload: Bytes::new(),
                ..entry.clone()
            }),
        };
        Ok(Told::begin(|done| {
            cache.set_sealed(key, &head, &attributes, &entry.payload, done);
        }))
    }

    async fn written(&self, key: &[u8], entry: &Entry, told: Told<bool>) -> Result<()> {
        if !told.wait().await? && entry.is_kept(unix_ms()) {
            // Larger than the cache: as if it had been evicted at once, and what it was to
            // replace with it.
            let cache = self.shared()?;
            Told::begin(|done| cache.delete(key, done)).wait().await?;
        }
        Ok(())
    }
}

impl Tier for DiskCache {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Entry>> {
        Box::pin(self.entry(key))
    }

    fn set<'a>(&'a self, key: &'a [u8], entry: &'a Entry) -> Pending<'a, ()> {
        Box::pin(async move {
            let told = self.write_entry(key, entry)?;
            self.written(key, entry, told).await
        })
    }

    fn set_many<'a>(&'a self, entries: &'a [Pair]) -> Pending<'a, ()> {
        Box::pin(async move {
            // All at once, so that they share a commit.
            let told: Result<Vec<_>> = entries
                .iter()
                .map(|(key, entry)| self.write_entry(key, entry))
                .collect();
            for ((key, entry), told) in entries.iter().zip(told?) {
                self.written(key, entry, told).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, bool> {
        Box::pin(async move {
            let cache = self.shared()?;
            let begin = |key: &Arc<[u8]>| Told::begin(|done| cache.delete(key, done));
            let told: Vec<_> = keys.iter().map(begin).collect();
            let mut any = false;
            for told in told {
                any |= told.wait().await?;
            }
            Ok(any)
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            let cache = self.shared()?;
            Told::begin(|done| DiskCache::clear(&cache, done)).wait().await
        })
    }

    fn keys(&self, glob: Option<Arc<Glob>>) -> Pending<'_, Vec<Arc<[u8]>>> {
        Box::pin(async move {
            let cache = self.shared()?;
            let walk = move || {
                let mut keys = Vec::new();
                cache.for_each_key(glob.as_deref(), &mut |_, key| keys.push(key.into()))?;
                Ok(keys)
            };
            Told::begin(|done| writes::blocking(done, move |done| done(walk())))
                .wait()
                .await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::{Tag, contract};
    use super::*;
    use crate::engine::cache::disk::{self, config::Options};
    use crate::engine::cache::record::Kind;
    use crate::engine::runtime;

    fn opened(directory: &tempfile::TempDir) -> Arc<DiskCache> {
        let options = Options {
            disk_limit: Some(8 << 20),
            max_age_ms: Some(None),
            // Below the largest value of the suite, so that files are part of it.
            stream_threshold: Some(100_000),
            ..Options::default()
        };
        disk::open(directory.path(), &options).unwrap()
    }

    fn close(cache: &Arc<DiskCache>) {
        let (sender, receiver) = mpsc::channel();
        cache.close(move || sender.send(()).unwrap());
        receiver.recv().unwrap();
    }

    fn done<T>(pending: Pending<'_, T>) -> T {
        runtime::handle().unwrap().block_on(pending).unwrap()
    }

    fn sealed(payload: Vec<u8>, fresh_ms: u64) -> Entry {
        let tag = Tag {
            name: "red".into(),
            generation: 3,
        };
        let now = unix_ms();
        Entry {
            expires: Some(now + fresh_ms),
            kept_until: Some(now + 60_000),
            tags: [tag].into(),
            ..Entry::new(Kind::BUFFER, payload)
        }
    }

    #[test]
    fn the_disk_fulfils_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let cache = opened(&directory);
        contract::run(&*cache);
        cache.validate().unwrap();
        close(&cache);
    }

    #[test]
    fn a_closed_cache_fails() {
        let directory = tempfile::tempdir().unwrap();
        let cache = opened(&directory);
        close(&cache);
        contract::run_closed(&*cache);
    }

    #[test]
    fn what_goes_with_values_in_files_outlives_the_cache() {
        let directory = tempfile::tempdir().unwrap();
        let cache = opened(&directory);
        let (large, small) = (sealed(vec![7; 300_000], 30_000), sealed(vec![7], 30_000));
        done(Tier::set(&*cache, b"large", &large));
        done(Tier::set(&*cache, b"small", &small));
        close(&cache);
        let cache = opened(&directory);
        assert_eq!(done(Tier::get(&*cache, b"large")), Some(large));
        assert_eq!(done(Tier::get(&*cache, b"small")), Some(small));
        cache.validate().unwrap();
        close(&cache);
    }

    #[test]
    fn the_cache_itself_hands_out_what_is_fresh_only() {
        let directory = tempfile::tempdir().unwrap();
        let cache = opened(&directory);
        for length in [10, 300_000] {
            done(Tier::set(&*cache, b"fresh", &sealed(vec![1; length], 30_000)));
            done(Tier::set(&*cache, b"stale", &sealed(vec![1; length], 0)));
            assert_eq!(cache.load(b"fresh").unwrap().unwrap().payload, vec![1; length]);
            assert!(cache.remaining_ms(b"fresh").unwrap().unwrap().unwrap() <= 30_000);
            assert_eq!(cache.load(b"stale").unwrap(), None);
            assert!(done(Tier::get(&*cache, b"stale")).is_some());
        }
        close(&cache);
    }

    #[test]
    fn what_is_larger_than_the_cache_replaces_what_was_there_by_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = opened(&directory);
        done(Tier::set(&*cache, b"key", &Entry::new(Kind::BUFFER, "small")));
        let large = Entry::new(Kind::BUFFER, vec![0; 9 << 20]);
        done(Tier::set(&*cache, b"key", &large));
        assert_eq!(done(Tier::get(&*cache, b"key")), None);
        close(&cache);
    }
}
