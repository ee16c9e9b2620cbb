//! A queue of this process: the state machine, where it is kept, and who works.

mod alarms;
mod dispatch;
mod requests;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, MutexGuard};

use super::book::{Book, Moment};
use super::client::Ending;
use super::config::Config;
use super::disk::{SignOfLife, Store, is_gone};
use super::local::Local;
use crate::engine::cache::memory::dictionary::Dictionary;
use crate::engine::clock;
use crate::engine::registry::{Engine, Registry};
use crate::error::{Error, Result};

pub use requests::{Snapshot, Waiting};

/// How long a place stays taken by a processor that does not heed its abort signal.
const GRACE_MS: u64 = 1_000;

/// How long an owner is alive without saying so again.
const LEASE_MS: u64 = 30_000;

/// How often it says so.
const RENEWAL_MS: u64 = 5_000;

/// How often a process looks at what others did to the store, while there are others.
const POLL_MS: u64 = 25;

/// How often it looks whether there are others.
const LOOK_MS: u64 = 500;

/// How soon told progress is stored.
const FLUSH_MS: u64 = 200;

/// How soon a store that did not work is tried again.
const RETRY_MS: u64 = 1_000;

const CLOSED: Error = Error::Closed { engine: "job queue" };

type Called = Box<dyn FnOnce() + Send>;

/// See the module.
pub struct Jobs {
    /// What it was made with.
    pub config: Config,
    /// The shapes of the values of a queue in memory.
    pub dictionary: Dictionary,
    /// Jobs that this process works on at a time.
    max_concurrent: AtomicUsize,
    local: Mutex<Local>,
    store: Mutex<Option<(Store, SignOfLife)>>,
    /// This process's hold on jobs.
    owner: u64,
    /// The group that was served last.
    turn: AtomicU64,
    chance: AtomicU64,
    /// Events that anybody listens for.
    mask: AtomicU32,
    /// When the alarm is set to, on the engine's clock.
    armed_ms: AtomicU64,
    closed: AtomicBool,
    at_end: Mutex<Vec<Called>>,
    me: Weak<Jobs>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Jobs")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish().max(1)
}

impl Jobs {
    /// A queue; see [`start`](Self::start).
    ///
    /// # Errors
    /// The histograms cannot be made; never with the bounds that they have.
    pub fn new(config: Config) -> Result<Arc<Self>> {
        let local = Local::new()?;
        let max_concurrent = config.max_concurrent;
        Ok(Arc::new_cyclic(|me| Self {
            config,
            dictionary: Dictionary::default(),
            local: Mutex::new(local),
            store: Mutex::new(None),
            owner: random(),
            turn: AtomicU64::new(0),
            max_concurrent: AtomicUsize::new(max_concurrent),
            chance: AtomicU64::new(random()),
            mask: AtomicU32::new(0),
            armed_ms: AtomicU64::new(u64::MAX),
            closed: AtomicBool::new(false),
            at_end: Mutex::default(),
            me: me.clone(),
        }))
    }

    /// The queues of this process that can be found again.
    pub fn registry() -> &'static Registry<Jobs> {
        static REGISTRY: LazyLock<Registry<Jobs>> = LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// Whether it is kept on disk.
    pub fn is_durable(&self) -> bool {
        self.config.store.is_some()
    }

    /// Opens the store, if it has one, once. Gives back what dead processes worked on. Blocks.
    ///
    /// # Errors
    /// The store cannot be opened, or written to.
    pub fn start(&self) -> Result<()> {
        let Some(directory) = &self.config.store else {
            return Ok(());
        };
        let mut open = self.store.lock();
        if open.is_some() {
            return Ok(());
        }
        let store = Store::open(directory, self.config.store_bytes)?;
        let sign = SignOfLife::give(directory, self.owner)?;
        let (rules, place) = (self.config.rules.clone(), directory.clone());
        let moment = self.moment();
        let tables = store.clone();
        let (others, next_due) = store.environment.write(move |transaction| {
            let mut tables = tables.tables(transaction);
            let mut book = Book::open(&mut tables, &rules, moment)?;
            book.renew(moment.now_ms + LEASE_MS)?;
            let others = book.take_over(|owner| is_gone(&place, owner))?;
            let next_due = book.release_due()?;
            book.close()?;
            Ok((others, next_due))
        })?;
        let mut local = self.local.lock();
        local.next_due_ms = next_due;
        local.renew_ms = Some(moment.now_ms + RENEWAL_MS);
        (local.others, local.poll_ms) = (others > 0, Some(moment.now_ms + POLL_MS));
        *open = Some((store, sign));
        drop(open);
        self.settle(local);
        Ok(())
    }

    /// Gives no more signs of life, as if the process had ended.
    #[cfg(test)]
    pub(super) fn vanish(&self) {
        if let Some((_, sign)) = &mut *self.store.lock() {
            sign.stop();
        }
    }

    fn store(&self) -> Result<Store> {
        let open = self.store.lock();
        open.as_ref().map(|(store, _)| store.clone()).ok_or(CLOSED)
    }

    /// Milliseconds since 1970. In memory, the clock of the system is read once only: setting
    /// it moves nothing.
    fn now_ms(&self) -> u64 {
        static START: LazyLock<(u64, u64)> = LazyLock::new(|| (system_ms(), clock::now_ms()));
        match self.is_durable() {
            true => system_ms(),
            false => {
                let (system, own) = *START;
                system + (clock::now_ms() - own)
            }
        }
    }

    fn moment(&self) -> Moment {
        // Wrapping: a number that differs from change to change is all that is wanted.
        let step = self.chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        Moment {
            now_ms: self.now_ms(),
            owner: self.owner,
            chance: (step ^ (step >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) | 1,
            mask: self.mask.load(Ordering::Relaxed),
        }
    }

    /// Makes a change: at once in memory, with the next commit on disk. `run` may run more than
    /// once. `done` is told afterwards, with the lock held; it must not wait for anything.
    fn change<T: Send + 'static>(
        &self,
        frees: bool,
        mut run: impl FnMut(&mut Book<'_>) -> heed::Result<T> + Send + 'static,
        done: impl FnOnce(&mut Local, Result<T>) + Send + 'static,
    ) {
        if !self.is_durable() {
            let mut local = self.local.lock();
            let result = match local.ended {
                true => Err(CLOSED),
                false => self.change_in_memory(&mut local, run),
            };
            done(&mut local, result);
            return self.settle(local);
        }
        let (Ok(store), Some(me)) = (self.store(), self.me.upgrade()) else {
            let mut local = self.local.lock();
            done(&mut local, Err(CLOSED));
            return self.settle(local);
        };
        {
            let mut local = self.local.lock();
            local.pending += 1;
            // The end of it will be told.
            local.told_idle = false;
        }
        let (environment, writer) = (store.environment.clone(), me.clone());
        let run = move |transaction: &mut crate::engine::lmdb::WriteTransaction<'_>| {
            let mut tables = store.tables(transaction);
            let mut book = Book::open(&mut tables, &writer.config.rules, writer.moment())?;
            let result = run(&mut book)?;
            Ok((result, book.close()?))
        };
        let finish = move |result: Result<_>| {
            let mut local = me.local.lock();
            local.pending -= 1;
            let result = result.map(|(result, effects)| {
                me.follow(&mut local, effects);
                result
            });
            done(&mut local, result);
            me.settle(local);
        };
        match frees {
            true => environment.submit_freeing(run, finish),
            false => environment.submit_with(run, finish),
        }
    }

    fn change_in_memory<T>(
        &self,
        local: &mut Local,
        mut run: impl FnMut(&mut Book<'_>) -> heed::Result<T>,
    ) -> Result<T> {
        let mut book = Book::open(&mut local.tables, &self.config.rules, self.moment()).map_err(broken)?;
        let result = run(&mut book).map_err(broken)?;
        let effects = book.close().map_err(broken)?;
        self.follow(local, effects);
        Ok(result)
    }

    fn follow(&self, local: &mut Local, mut effects: super::book::Effects) {
        for (seq, run) in std::mem::take(&mut effects.aborted) {
            // A deadline has said why already.
            local.give_up(seq, run, Ending::Cancelled, self.now_ms() + GRACE_MS);
        }
        local.follow(&mut effects);
    }

    /// Does what follows from whatever was changed, and gives the lock back.
    fn settle(&self, mut local: MutexGuard<'_, Local>) {
        self.pump(&mut local);
        let idle = self.is_idle(&local);
        if idle != local.told_idle {
            local.told_idle = idle;
            let Local { clients, signals, .. } = &mut *local;
            signals.extend(clients.values_mut().filter_map(|client| client.nudge()));
        }
        let alarm_ms = local.alarm_ms();
        let signals = std::mem::take(&mut local.signals);
        let take = std::mem::take(&mut local.take_wanted);
        let unwanted = std::mem::take(&mut local.unwanted);
        drop(local);
        for signal in signals {
            signal.signal();
        }
        if let Some(alarm_ms) = alarm_ms {
            self.arm(alarm_ms);
        }
        if take {
            self.take_from_store();
        }
        if !unwanted.is_empty() {
            self.give_back(unwanted, false);
        }
    }
}

fn broken(error: heed::Error) -> Error {
    Error::Inconsistent {
        reason: error.to_string(),
    }
}

fn system_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

impl Engine for Jobs {
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        {
            let mut local = self.local.lock();
            local.ended = true;
            let tables = std::mem::take(&mut local.tables);
            // A million jobs take their time.
            crate::engine::background::once(move || drop(tables));
        }
        let called = move |called: Vec<Called>| called.into_iter().for_each(|called| called());
        let at_end = std::mem::take(&mut *self.at_end.lock());
        if self.store().is_err() {
            return called(at_end);
        }
        let Some(me) = self.me.upgrade() else {
            return called(at_end);
        };
        self.change(
            true,
            |book| book.resign(),
            move |_, _| {
                // Not here: this is the writing thread, which has to end first.
                let end = move || {
                    let open = me.store.lock().take();
                    drop(me);
                    match open {
                        Some((store, sign)) => {
                            drop(sign);
                            store.environment.release(move || called(at_end));
                        }
                        None => called(at_end),
                    }
                };
                crate::engine::background::once(end);
            },
        );
    }
}
