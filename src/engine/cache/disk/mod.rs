//! The disk cache: entries in an LMDB environment, large values in files beside it.
//!
//! # What it guarantees
//! - **Shared**: by all threads of a process through one engine per directory ([`open`]), and
//!   by all processes of a machine through LMDB. A write is visible to everybody when it is
//!   told. There is no server.
//! - **Crash-safe**: a killed process leaves whole entries only. After a power failure the
//!   last moments may be missing; see [`lmdb`](crate::engine::lmdb).
//! - **Never a wrong value**: every entry has a checksum over key, times and value, every
//!   block of a file its own. What does not fit is removed, counted, told, and a miss.
//! - **Bounded**: what an entry takes is counted ([`record::cost`]) in the transaction that
//!   writes it, and entries with the lowest score go ([`eviction`]) in that transaction too.
//! - **Timely**: an entry whose time is over is never handed out, and leaves by itself, through
//!   an index by time with one row per entry ([`change`]).
//!
//! # How it works
//! Reads happen on the calling thread, straight from the memory map: that is cheaper than
//! asking another thread, unless the value is large. They count in memory only ([`hits`],
//! [`stats`]); upkeep stores the counts every few seconds and at the end. Writes go through
//! the environment's writing thread, where those that wait share a commit; each is a
//! [`Change`](change::Change), whose effects (events, counts, files to remove) follow after the
//! commit. Changes of one key take effect in the order in which this process began them, those of
//! large values included ([`under_way`]).
//!
//! # Locks
//! The list of open caches is locked while one is opened. [`DiskCache::store`] is held, shared,
//! during each operation's begin, and alone by the end of the cache; inside it are those of
//! the environment. The list of values under way is locked around the begin of one. Hits, events and counters have locks of their own that enclose nothing
//! but a completion queue.
//!
//! # Close
//! The last handle stores counts and lets go of the environment, which writes what is queued
//! first. Operations begun before are answered, later ones refused. Streams that are still
//! read go on, those that are written fail when they end.

pub mod change;
pub mod config;
pub mod dictionary;
pub mod events;
pub mod eviction;
pub mod files;
pub mod hits;
pub mod reads;
pub mod record;
pub mod stats;
pub mod streams;
pub mod under_way;
pub mod upkeep;
pub mod writes;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use self::change::Databases;
use self::config::{Config, Options};
use self::events::Subscriptions;
use self::files::Files;
use self::hits::Hits;
use self::stats::Counters;
use self::under_way::UnderWay;
use crate::engine::lmdb::{self, Damage, Durability, Environment};
use crate::engine::{background, lmdb::filesystem};
use crate::error::{Error, Result};

/// Milliseconds since 1970: the clock that processes share.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// The open environment of a cache.
#[derive(Debug)]
struct Store {
    environment: Arc<Environment>,
    databases: Databases,
}

/// A disk cache of this process.
#[derive(Debug)]
pub struct DiskCache {
    /// Options in force.
    pub config: Config,
    /// Who listens.
    pub subscriptions: Subscriptions,
    itself: Weak<DiskCache>,
    path: PathBuf,
    store: RwLock<Option<Store>>,
    handles: AtomicUsize,
    files: Files,
    hits: Hits,
    under_way: UnderWay,
    counters: Counters,
    rebuilt: bool,
    /// When the next entry expires.
    due_ms: AtomicU64,
    /// When the next upkeep is due without that.
    upkeep_ms: AtomicU64,
    upkeep_queued: AtomicBool,
}

static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<DiskCache>>>> = LazyLock::new(Mutex::default);

const CLOSED: Error = Error::Closed { engine: "cache" };

/// Opens the cache in a directory, or joins those of this process who have it open. To be
/// ended by [`DiskCache::close`].
///
/// # Errors
/// The directory cannot be used, see [`lmdb::open`]; or an option differs from that of the
/// cache that is open.
pub fn open(directory: &Path, options: &Options) -> Result<Arc<DiskCache>> {
    let path = filesystem::prepare(directory)?;
    let mut open = OPEN.lock();
    if let Some(cache) = open.get(&path).and_then(Weak::upgrade) {
        // A cache whose last handle has gone is not joined, but followed.
        let joined = cache
            .handles
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |handles| {
                (handles > 0).then_some(handles + 1)
            });
        if joined.is_ok() {
            if let Err(conflict) = cache.config.agree(options) {
                drop(open);
                cache.close(|| ());
                return Err(conflict);
            }
            return Ok(cache);
        }
    }
    open.retain(|_, cache| cache.strong_count() > 0);
    if let Some(name) = &options.name {
        one_directory(name, &path, &open)?;
    }
    let cache = DiskCache::new(&path, &Config::from(options))?;
    open.insert(path, Arc::downgrade(&cache));
    drop(open);
    cache.begin_upkeep();
    Ok(cache)
}

/// Refuses a name that a cache in another directory has.
fn one_directory(name: &str, path: &Path, open: &HashMap<PathBuf, Weak<DiskCache>>) -> Result<()> {
    let same_name = |cache: &Arc<DiskCache>| {
        cache.handles.load(Ordering::SeqCst) > 0 && cache.config.name.as_deref() == Some(name)
    };
    match open.values().filter_map(Weak::upgrade).find(same_name) {
        None => Ok(()),
        Some(other) => Err(Error::OptionConflict {
            name: name.to_owned(),
            option: "directory",
            existing: other.path.display().to_string(),
            requested: path.display().to_string(),
        }),
    }
}

impl DiskCache {
    fn new(path: &Path, config: &Config) -> Result<Arc<Self>> {
        let environment = lmdb::open(
            path,
            &lmdb::Options {
                data_bytes: config.disk_limit,
                durability: Durability::RELAXED,
                damage: Damage::Rebuild,
            },
        )?;
        let databases = Databases {
            entries: environment.database("cache.entries")?,
            expiry: environment.database("cache.expiry")?,
            hits: environment.database("cache.hits")?,
            meta: environment.database("cache.meta")?,
        };
        Ok(Arc::new_cyclic(|itself| Self {
            config: config.clone(),
            subscriptions: Subscriptions::default(),
            itself: itself.clone(),
            path: path.to_owned(),
            handles: AtomicUsize::new(1),
            files: Files::new(path),
            hits: Hits::default(),
            under_way: UnderWay::default(),
            counters: Counters::default(),
            rebuilt: environment.rebuilt().is_some(),
            due_ms: AtomicU64::new(0),
            upkeep_ms: AtomicU64::new(0),
            upkeep_queued: AtomicBool::new(false),
            store: RwLock::new(Some(Store {
                environment,
                databases,
            })),
        }))
    }

    /// Itself, to be kept.
    pub fn itself(&self) -> Option<Arc<Self>> {
        self.itself.upgrade()
    }

    /// Where it lives.
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// True if what was there when it was opened could not be used and was begun anew.
    pub fn rebuilt(&self) -> bool {
        self.rebuilt
    }

    /// The open environment.
    fn store(&self) -> Result<StoreGuard<'_>> {
        // Recursive, because a read may happen while the end of the cache waits for another.
        RwLockReadGuard::try_map(self.store.read_recursive(), Option::as_ref).map_err(|_| CLOSED)
    }

    /// Ends one handle. Calls `done` when everything that was begun through it is committed;
    /// after the last one, when the environment is closed.
    pub fn close(self: &Arc<Self>, done: impl FnOnce() + Send + 'static) {
        if self.handles.fetch_sub(1, Ordering::SeqCst) > 1 {
            match self.store() {
                Ok(store) => store.environment.clone().release(done),
                Err(_) => done(),
            }
            return;
        }
        self.store_counts(|_| ());
        let store = self.store.write().take();
        match store {
            Some(store) => store.environment.release(done),
            None => done(),
        }
    }

    fn begin_upkeep(self: &Arc<Self>) {
        let weak: Weak<dyn background::Periodic> =
            Arc::downgrade(&(self.clone() as Arc<dyn background::Periodic>));
        background::every(weak);
        self.collect_files(|_| ());
    }
}

type StoreGuard<'a> = parking_lot::MappedRwLockReadGuard<'a, Store>;
