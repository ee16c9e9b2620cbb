//! Writes: each is queued, runs in a transaction with others, and is told after the commit.

use std::sync::Arc;

use super::DiskCache;
use super::change::{Change, Effects};
use super::files::Finished;
use super::record::{self, Hash, Head, NEVER, Place};
use super::stats::Counter;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::record::Kind;
use crate::engine::lmdb::WriteTransaction;
use crate::engine::lmdb::failure::io;
use crate::engine::runtime;
use crate::error::{Error, Result, StorageProblem};

/// The part of the limit that is given up when the disk is full.
const RELIEF: u64 = 8;

/// Entries that one transaction of a removal by pattern removes.
const BATCH: usize = 512;

/// How long an entry lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the cache's options say.
    Default,
    /// So many milliseconds.
    Ms(u64),
    /// For ever.
    Unlimited,
}

impl DiskCache {
    /// When an entry of this lifetime expires that is written now.
    fn expires(&self, lifetime: Lifetime, now: u64) -> u64 {
        let age = match lifetime {
            Lifetime::Default => self.config.max_age_ms,
            Lifetime::Ms(ms) => Some(ms),
            Lifetime::Unlimited => None,
        };
        age.map_or(NEVER, |ms| now.saturating_add(ms).min(NEVER - 1))
    }

    pub(in crate::engine::cache) fn head(&self, kind: Kind, lifetime: Lifetime) -> Head {
        let now = super::now_ms();
        Head {
            kind,
            created_ms: now,
            expires_ms: self.expires(lifetime, now),
            indexed_ms: NEVER,
        }
    }

    /// Queues a change. `body` may run more than once. `spared` is what must not be given up
    /// to make room for itself.
    pub(super) fn change<T: Send + 'static>(
        self: &Arc<Self>,
        frees: bool,
        spared: Option<Hash>,
        mut body: impl FnMut(&mut Change<'_, '_>) -> heed::Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let store = match self.store() {
            Ok(store) => store,
            Err(error) => return done(Err(error)),
        };
        let databases = store.databases;
        let cache = self.clone();
        let run = move |txn: &mut WriteTransaction<'_>| {
            let mut change = Change::new(&cache, databases, txn);
            let value = body(&mut change)?;
            Ok((value, change.complete(spared.as_ref())?))
        };
        let cache = self.clone();
        let finish = move |result: Result<(T, Effects)>| {
            done(result.map(|(value, effects)| {
                cache.follow(effects);
                value
            }));
        };
        match frees {
            true => store.environment.submit_freeing(run, finish),
            false => store.environment.submit_with(run, finish),
        }
    }

    /// What follows from a change after its commit.
    fn follow(self: &Arc<Self>, effects: Effects) {
        for (hash, id) in &effects.files {
            self.files.remove(hash, *id);
        }
        if effects.all_files {
            self.collect_files(|_| ());
        }
        self.counters.add_all(&effects.counts);
        if let Some(due) = effects.due {
            self.due_ms.fetch_min(due, std::sync::atomic::Ordering::Relaxed);
        }
        for event in &effects.events {
            self.subscriptions.publish(event.kind, event.subject.as_ref());
        }
    }

    /// Stores a value. Tells whether it was: one that is larger than the cache is not. Values
    /// above the threshold go into a file first, on another thread.
    pub fn set(
        self: &Arc<Self>,
        key: &[u8],
        kind: Kind,
        payload: &[u8],
        lifetime: Lifetime,
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        self.set_sealed(key, &self.head(kind, lifetime), &[], payload, done);
    }

    /// Stores a value with its attributes, see [`record`]. Tells whether it was.
    pub fn set_sealed(
        self: &Arc<Self>,
        key: &[u8],
        head: &Head,
        attributes: &[u8],
        payload: &[u8],
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        if payload.len() as u64 > self.config.stream_threshold {
            return self.set_large(key, *head, attributes, payload, done);
        }
        let entry = record::encode(head, key, attributes, Place::Inline(payload));
        let hash = record::hash_of(key);
        self.under_way.overtake(&hash);
        self.put(hash, entry, done);
    }

    /// Writes a file on another thread, and stores the value if nothing has changed the key
    /// since.
    fn set_large(
        self: &Arc<Self>,
        key: &[u8],
        head: Head,
        attributes: &[u8],
        payload: &[u8],
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        let hash = record::hash_of(key);
        let ticket = self.under_way.begin(hash, key);
        let (key, attributes, payload) = (key.to_vec(), attributes.to_vec(), payload.to_vec());
        let cache = self.clone();
        blocking(done, move |done| {
            let written = cache.files.create(hash).and_then(|mut draft| {
                draft.write(&payload)?;
                draft.finish()
            });
            cache.under_way.end(&ticket, |overtaken| match written {
                Ok(file) if overtaken => {
                    file.discard();
                    done(Ok(true));
                }
                Ok(file) => cache.put_file(&key, &head, &attributes, file, done),
                Err(error) => done(Err(io("Cannot write a file", &error))),
            });
        });
    }

    /// Stores a value that is in a file already.
    pub fn set_file(
        self: &Arc<Self>,
        key: &[u8],
        kind: Kind,
        file: Finished,
        lifetime: Lifetime,
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        self.under_way.overtake(&record::hash_of(key));
        self.put_file(key, &self.head(kind, lifetime), &[], file, done);
    }

    fn put_file(
        self: &Arc<Self>,
        key: &[u8],
        head: &Head,
        attributes: &[u8],
        file: Finished,
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        let place = Place::File {
            id: file.id,
            length: file.length,
        };
        let entry = record::encode(head, key, attributes, place);
        self.put(record::hash_of(key), entry, move |result| {
            // The lock on the file must last until an entry points at it.
            match result {
                Ok(true) => drop(file),
                _ => file.discard(),
            }
            done(result);
        });
    }

    fn put(self: &Arc<Self>, hash: Hash, entry: Vec<u8>, done: impl FnOnce(Result<bool>) + Send + 'static) {
        let too_large = record::decode_unchecked(&entry)
            .is_none_or(|stored| record::cost(&stored) > self.config.disk_limit);
        if too_large {
            self.counters.add(Counter::Refusals, 1);
            return done(Ok(false));
        }
        let entry = Arc::new(entry);
        let again = (self.clone(), entry.clone());
        let body = move |change: &mut Change<'_, '_>| change.put(&hash, &entry);
        self.change(false, Some(hash), body, move |result| match result {
            Err(Error::Storage {
                problem: StorageProblem::Full,
                ..
            }) => again.0.put_with_relief(hash, again.1, done),
            result => done(result.map(|()| true)),
        });
    }

    /// The disk is full, though the limit is not reached: entries make room on what the
    /// environment has of it, and the value is tried once more.
    fn put_with_relief(
        self: &Arc<Self>,
        hash: Hash,
        entry: Arc<Vec<u8>>,
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        let relieve = |change: &mut Change<'_, '_>| {
            let used = change.usage()?.0;
            change.make_room(used - used / RELIEF, None)
        };
        let cache = self.clone();
        self.change(true, None, relieve, move |result| {
            if let Err(error) = result {
                return done(Err(error));
            }
            let body = move |change: &mut Change<'_, '_>| change.put(&hash, &entry);
            cache.change(false, Some(hash), body, |result| done(result.map(|()| true)));
        });
    }

    /// Deletes a key. Tells whether it was there.
    pub fn delete(self: &Arc<Self>, key: &[u8], done: impl FnOnce(Result<bool>) + Send + 'static) {
        let hash = record::hash_of(key);
        self.under_way.overtake(&hash);
        let key = key.to_vec();
        let body = move |change: &mut Change<'_, '_>| {
            let previous = change.remove_key(&hash, &key)?;
            Ok(previous.is_some_and(|previous| !previous.expired))
        };
        self.change(true, None, body, done);
    }

    /// Gives an entry a new lifetime. Tells whether it was there.
    pub fn touch(
        self: &Arc<Self>,
        key: &[u8],
        lifetime: Lifetime,
        done: impl FnOnce(Result<bool>) + Send + 'static,
    ) {
        let hash = record::hash_of(key);
        let key = key.to_vec();
        let body = move |change: &mut Change<'_, '_>| {
            let bytes = change.databases.entries.get(change.txn, &hash)?;
            let Some(stored) = bytes.and_then(record::decode) else {
                return Ok(false);
            };
            if stored.key != key || !stored.is_fresh(change.now_ms) {
                return Ok(false);
            }
            let mut entry = stored.bytes.to_vec();
            record::set_expires(&mut entry, change.cache.expires(lifetime, change.now_ms));
            change.replace(&hash, &entry)?;
            Ok(true)
        };
        self.change(false, None, body, done);
    }

    /// Adds to a number, of whatever process; one that is not there counts as 0 and gets the
    /// lifetime. Tells the sum.
    pub fn increment(
        self: &Arc<Self>,
        key: &[u8],
        by: f64,
        lifetime: Lifetime,
        done: impl FnOnce(Result<f64>) + Send + 'static,
    ) {
        let hash = record::hash_of(key);
        self.under_way.overtake(&hash);
        let key = key.to_vec();
        let body = move |change: &mut Change<'_, '_>| {
            let now = change.now_ms;
            let bytes = change.databases.entries.get(change.txn, &hash)?;
            let stored = bytes.and_then(record::decode);
            let live = stored.filter(|stored| stored.key == key && stored.is_fresh(now));
            let (number, expires_ms) = match live {
                None => (0.0, change.cache.expires(lifetime, now)),
                Some(stored) => match (stored.head.kind, stored.place) {
                    (Kind::NUMBER, Place::Inline(payload)) => match payload.try_into() {
                        Ok(bytes) => (f64::from_le_bytes(bytes), stored.fresh_until_ms()),
                        Err(_) => return Ok(Err(Error::NotANumber)),
                    },
                    _ => return Ok(Err(Error::NotANumber)),
                },
            };
            let sum = number + by;
            if !sum.is_finite() {
                return Ok(Err(Error::NotFinite));
            }
            let head = Head {
                kind: Kind::NUMBER,
                created_ms: now,
                expires_ms,
                indexed_ms: NEVER,
            };
            let entry = record::encode(&head, &key, &[], Place::Inline(&sum.to_le_bytes()));
            change.put(&hash, &entry)?;
            Ok(Ok(sum))
        };
        self.change(false, Some(hash), body, |result| done(result.and_then(|sum| sum)));
    }

    /// Removes everything.
    pub fn clear(self: &Arc<Self>, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.under_way.overtake_where(|_| true);
        let body = |change: &mut Change<'_, '_>| change.clear();
        self.change(true, None, body, done);
    }

    /// Deletes the keys that a pattern means, on another thread. Tells how many.
    pub fn delete_pattern(self: &Arc<Self>, glob: Glob, done: impl FnOnce(Result<u64>) + Send + 'static) {
        self.under_way.overtake_where(|key| glob.matches(key));
        let cache = self.clone();
        blocking(done, move |done| {
            let mut matches: Vec<(Hash, Vec<u8>)> = Vec::new();
            let mut gather = |hash: &Hash, key: &[u8]| matches.push((*hash, key.to_vec()));
            if let Err(error) = cache.for_each_key(Some(&glob), &mut gather) {
                return done(Err(error));
            }
            let mut deleted = 0;
            for batch in matches.chunks(BATCH) {
                let batch = batch.to_vec();
                let (sender, receiver) = std::sync::mpsc::channel();
                let body = move |change: &mut Change<'_, '_>| {
                    let mut deleted = 0;
                    for (hash, key) in &batch {
                        deleted += u64::from(change.remove_key(hash, key)?.is_some());
                    }
                    Ok(deleted)
                };
                cache.change(true, None, body, move |result| {
                    let _ = sender.send(result);
                });
                match receiver
                    .recv()
                    .map_err(|_| super::CLOSED)
                    .and_then(|result| result)
                {
                    Ok(count) => deleted += count,
                    Err(error) => return done(Err(error)),
                }
            }
            done(Ok(deleted));
        });
    }
}

/// Runs work that waits for the disk on a thread of its own; `work` answers through `done`.
pub fn blocking<T: Send + 'static, D: FnOnce(Result<T>) + Send + 'static>(
    done: D,
    work: impl FnOnce(D) + Send + 'static,
) {
    match runtime::handle() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || work(done))),
        Err(error) => done(Err(error)),
    }
}
