//! Loading: of all callers who miss a key, in whatever thread, one makes its value.
//!
//! The first caller begins a load, the others join it. A task drives it: it looks through the
//! levels, takes a lease where a tier has leases, and asks one of the callers, in its thread, to
//! run its loader. The value goes to all levels and to all who wait. A loader that fails was
//! called once for all of them, and fails all of them, unless there is a stale value and they
//! accept one. A caller whose thread ends is replaced by the next.
//!
//! Callers may be answered before the loader is: with a stale value after their soft timeout,
//! with an error after their hard one. The loader then goes on in the background.
//!
//! A key that is written or deleted meanwhile overtakes the load: its value still goes to those
//! who asked before, and nowhere else.

mod drive;
mod lease;
mod waiting;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ahash::RandomState;
use bytes::Bytes;
use parking_lot::Mutex;

pub use self::waiting::Load;
use self::waiting::Waiter;
use super::metrics::count;
use super::search::{found, mark};
use super::{Stack, Tiered};
use crate::engine::cache::memory::flights::Caller;
use crate::engine::cache::record::{Key, Kind};
use crate::engine::cache::tier::{Entry, memory, unix_ms};
use crate::engine::completion::{CompletionQueue, Outcome, Reply};
use crate::engine::runtime;
use crate::error::Error;

/// How long a lease is held before it has to be renewed.
#[derive(Debug, Clone, Copy)]
pub struct Lock {
    /// How long the lease of a process that died keeps the others waiting, in milliseconds.
    pub hold_ms: u64,
    /// How long to wait for the holder of a lease before loading without one, in milliseconds.
    pub wait_ms: u64,
}

/// How a caller wants a value to be loaded.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long the value is fresh; none for as long as each level allows.
    pub ttl_ms: Option<u64>,
    /// How long after its expiry a value is kept, and may be served when the loader fails.
    pub grace_ms: u64,
    /// After how long a stale value is served while the loader goes on.
    pub soft_ms: Option<u64>,
    /// After how long the caller is told that it took too long.
    pub hard_ms: Option<u64>,
    /// How long before its end a value is loaded anew.
    pub early_ms: u64,
    /// Leases, if they are wanted.
    pub lock: Option<Lock>,
    /// What the value can be invalidated by.
    pub tags: Arc<[Arc<str>]>,
    /// True when nobody looks at the value.
    pub quiet: bool,
    /// True to load although there is a value.
    pub refresh: bool,
}

/// What became of a loader.
#[derive(Debug)]
pub enum Loaded {
    /// It made a value.
    Value(Kind, Bytes),
    /// It failed, with this encoded error.
    Failed(Arc<[u8]>),
    /// Its thread ended.
    Lost,
}

/// The loads under way.
#[derive(Debug, Default)]
pub struct Loads {
    table: Mutex<Table>,
    tickets: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    by_key: HashMap<Arc<[u8]>, Arc<Load>, RandomState>,
    /// Also those that callers cannot join any more.
    by_ticket: HashMap<u64, Arc<Load>, RandomState>,
}

impl Loads {
    /// Joins the load of a key, or begins one. True if it was begun.
    fn join(&self, key: &Arc<[u8]>, waiter: Waiter) -> (Arc<Load>, bool) {
        let mut table = self.table.lock();
        if let Some(load) = table.by_key.get(key) {
            load.join(waiter);
            return (load.clone(), false);
        }
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed) + 1;
        let load = Arc::new(Load::new(ticket, key.clone(), waiter));
        table.by_key.insert(key.clone(), load.clone());
        table.by_ticket.insert(ticket, load.clone());
        (load, true)
    }

    /// True while somebody loads a key.
    fn is_loading(&self, key: &[u8]) -> bool {
        self.table.lock().by_key.contains_key(key)
    }

    /// Callers cannot join this load any more.
    fn detach(&self, load: &Arc<Load>) {
        let mut table = self.table.lock();
        if table
            .by_key
            .get(&load.key)
            .is_some_and(|known| Arc::ptr_eq(known, load))
        {
            table.by_key.remove(&load.key);
        }
    }

    /// The load is over.
    fn remove(&self, load: &Arc<Load>) {
        self.detach(load);
        self.table.lock().by_ticket.remove(&load.ticket);
    }

    /// Tells the load of a ticket what became of its loader.
    pub fn tell(&self, ticket: u64, loaded: Loaded) {
        let load = self.table.lock().by_ticket.get(&ticket).cloned();
        if let Some(load) = load {
            load.tell(loaded);
        }
    }

    /// An environment ends: its callers wait no more, and what it leads passes to others.
    pub fn leave(&self, environment: &Arc<CompletionQueue>) {
        let loads: Vec<_> = self.table.lock().by_ticket.values().cloned().collect();
        for load in loads {
            load.leave(environment);
        }
    }

    /// All loads are refused.
    pub fn close(&self) {
        let loads: Vec<_> = self.table.lock().by_ticket.values().cloned().collect();
        for load in loads {
            self.remove(&load);
            load.settle(|_| Some(Outcome::Refused(Error::Closed { engine: "cache" })));
        }
    }
}

impl Tiered {
    /// The loads under way.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Has a value loaded unless some level has it. An answer that is there at once is returned,
    /// any other comes through the caller's queue.
    ///
    /// # Errors
    /// The cache is closed, or there are no threads to drive the load.
    pub fn load(
        self: &Arc<Self>,
        stack: &Arc<Stack>,
        key: &Arc<[u8]>,
        caller: Caller,
        options: Options,
    ) -> Result<Option<Reply>, Error> {
        if self.is_closed() {
            return Err(Error::Closed { engine: "cache" });
        }
        let runtime = runtime::handle()?;
        if options.refresh && self.loads.is_loading(key) {
            return Ok(Some(Reply::None));
        }
        let (quiet, refresh) = (options.quiet, options.refresh);
        if let Some(reply) = self.kept_fresh(key, &options) {
            return Ok(Some(reply));
        }
        let waiter = Waiter::new(caller, stack.clone(), options);
        let operation = waiter.caller.clone();
        let (load, begun) = self.loads.join(key, waiter);
        if !begun {
            return Ok(None);
        }
        // What came between the caller's miss and now: another load that has just ended.
        let came = stack.front.as_ref().filter(|_| !refresh);
        if let Some(record) = came.and_then(|front| front.get(Key::new(key)))
            && record.kind() != Kind::RECORD
            && let Ok(entry) = memory::entry_of(&record)
        {
            self.loads.remove(&load);
            load.settle(|waiter| {
                let is_self = waiter.caller.operation == operation.operation
                    && Arc::ptr_eq(&waiter.caller.environment, &operation.environment);
                let reply = || Outcome::Done(found(1, 0, &entry, waiter.options.quiet));
                (!is_self).then(reply)
            });
            self.metrics().hit(1, 1);
            return Ok(Some(found(1, 0, &entry, quiet)));
        }
        let engine = self.clone();
        runtime.spawn(async move { engine.drive(load).await });
        Ok(None)
    }

    /// The value that memory gave up so that somebody loads it anew in time. Nobody has to wait
    /// for that.
    fn kept_fresh(&self, key: &[u8], options: &Options) -> Option<Reply> {
        let now = unix_ms();
        let kept = self.reserve.get(key).filter(|_| !options.refresh)?;
        let entry = Some(kept).filter(|entry| entry.is_fresh(now))?;
        if !options.quiet {
            self.metrics().hit(1, 1);
        }
        Some(found(
            1,
            due(&entry, options.early_ms, now),
            &entry,
            options.quiet,
        ))
    }

    /// Counts what became of a loader, and tells its load.
    pub fn loaded(&self, ticket: u64, loaded: Loaded) {
        if let Loaded::Failed(_) = loaded {
            count(&self.metrics().load_failures);
        }
        self.loads.tell(ticket, loaded);
    }
}

/// Whether a value should be loaded anew by now, as a mark.
fn due(entry: &Entry, early_ms: u64, now: u64) -> u8 {
    let is_due = early_ms > 0 && entry.expires.is_some_and(|expires| expires <= now + early_ms);
    if is_due { mark::DUE } else { 0 }
}

/// The answer to whoever ran the loader, and has the value itself.
fn made() -> Reply {
    Reply::Found {
        level: 0,
        marks: mark::LOADED,
        kind: Kind(0),
        payload: Bytes::new(),
    }
}
