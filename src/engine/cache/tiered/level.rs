//! One level: a tier, with what keeps its failures from being the cache's.
//!
//! Every operation has a deadline and passes a circuit breaker. What fails is counted and told;
//! a change that the tier could not take stays in the [`Outbox`] and is sent again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::RwLock;
use tokio::sync::RwLock as Gate;

use super::ear::Ear;
use super::metrics::{self, Metrics};
use super::news::{Event, News};
use super::outbox::{Change, Known, Next, Outbox, Outcome, Work};
use super::tags::Generations;
use crate::engine::breaker::{Breaker, Options as BreakerOptions};
use crate::engine::cache::tier::{Entry, Leases, Pair, Pending, Tier, Watcher};
use crate::engine::{clock, runtime};
use crate::error::{Error, Result, StorageProblem};

/// First wait before what was missed is sent again; doubled up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// Longest wait before what was missed is sent again: what recovery may be late by.
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// Missed changes that are sent at a time.
const BATCH: usize = 256;

/// What all levels of one cache share.
#[derive(Debug, Default)]
pub struct Context {
    /// Who hears of events.
    pub news: News,
    /// What is counted.
    pub metrics: Metrics,
    /// Generations of tags.
    pub generations: Generations,
    levels: RwLock<Vec<Weak<Level>>>,
}

impl Context {
    /// All levels, the first ones first.
    pub fn levels(&self) -> Vec<Arc<Level>> {
        self.levels.read().iter().filter_map(Weak::upgrade).collect()
    }

    /// The level of this number over this very tier, made by `make` if there is none.
    pub fn level(&self, number: u8, tier: &Arc<dyn Tier>, make: impl FnOnce() -> Arc<Level>) -> Arc<Level> {
        let mut levels = self.levels.write();
        levels.retain(|level| level.strong_count() > 0);
        let same = |level: &Arc<Level>| level.number == number && Arc::ptr_eq(&level.tier, tier);
        if let Some(level) = levels.iter().filter_map(Weak::upgrade).find(same) {
            return level;
        }
        let level = make();
        levels.push(Arc::downgrade(&level));
        levels.sort_by_key(|level| level.upgrade().map_or(0, |level| level.number));
        level
    }
}

/// How a level is set up.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// 1 for the first.
    pub number: u8,
    /// Longest life of an entry here; none for any.
    pub cap_ms: Option<u64>,
    /// How long an operation may take.
    pub limit: Duration,
    /// The breaker, if there is one.
    pub breaker: Option<BreakerOptions>,
}

/// See the module.
#[derive(Debug)]
pub struct Level {
    /// 1 for the first.
    pub number: u8,
    /// Longest life of an entry here; none for any.
    pub cap_ms: Option<u64>,
    /// What the tier has yet to take.
    pub outbox: Outbox,
    tier: Arc<dyn Tier>,
    limit: Duration,
    breaker: Option<Breaker>,
    context: Arc<Context>,
    /// Changes pass while nobody empties the tier.
    gate: Gate<()>,
    recovering: AtomicBool,
    watched: AtomicBool,
    ear: OnceLock<Arc<Ear>>,
    this: Weak<Level>,
}

impl Level {
    /// A level over a tier.
    pub fn new(tier: Arc<dyn Tier>, setup: Setup, context: Arc<Context>) -> Arc<Self> {
        let (number, name) = (setup.number, tier.name());
        let breaker = setup.breaker.map(|options| {
            let context = Arc::downgrade(&context);
            Breaker::observed(options, move |state| {
                if let Some(context) = context.upgrade() {
                    context.news.tell(&Event::Breaker {
                        level: number,
                        tier: name,
                        state,
                    });
                }
            })
        });
        Arc::new_cyclic(|this| Self {
            number,
            cap_ms: setup.cap_ms,
            outbox: Outbox::default(),
            tier,
            limit: setup.limit,
            breaker,
            context,
            gate: Gate::new(()),
            recovering: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            ear: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// Listens to what others change in the tier, if it can be heard.
    pub fn listen(&self, ear: Arc<Ear>) {
        let watcher: Weak<dyn Watcher> = Arc::downgrade(&(ear.clone() as Arc<dyn Watcher>));
        if self.ear.set(ear).is_ok() {
            self.watched.store(self.tier.watch(watcher), Ordering::SeqCst);
        }
    }

    /// True when changes by others are heard of.
    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// See [`Tier::forgets_tags_at_once`].
    pub fn forgets_tags_at_once(&self) -> bool {
        self.tier.forgets_tags_at_once()
    }

    /// The tier itself, for what passes [`call_within`](Self::call_within).
    pub fn tier(&self) -> &dyn Tier {
        &*self.tier
    }

    /// How long an operation may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// The tier's name.
    pub fn name(&self) -> &'static str {
        self.tier.name()
    }

    /// The breaker, if there is one.
    pub fn breaker(&self) -> Option<&Breaker> {
        self.breaker.as_ref()
    }

    /// The tier's leases, if it has any.
    pub fn leases(&self) -> Option<&dyn Leases> {
        self.tier.leases()
    }

    /// Runs an operation of the tier: past the breaker, within the deadline, counted and told
    /// if it fails.
    ///
    /// # Errors
    /// Those of the tier, [`Error::Timeout`], and [`Error::Unavailable`] from the breaker.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        key: Option<&Arc<[u8]>>,
        work: Pending<'_, T>,
    ) -> Result<T> {
        self.call_within(self.limit, operation, key, work).await
    }

    /// The same with a deadline of its own.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub async fn call_within<T>(
        &self,
        limit: Duration,
        operation: &'static str,
        key: Option<&Arc<[u8]>>,
        work: Pending<'_, T>,
    ) -> Result<T> {
        let permit = match &self.breaker {
            None => None,
            Some(breaker) => Some(
                breaker
                    .acquire(clock::now_ms())
                    .ok_or_else(|| Error::Unavailable {
                        tier: self.tier.name(),
                        reason: "its circuit breaker is open".to_owned(),
                    })?,
            ),
        };
        let result = if self.tier.keeps_deadlines() {
            work.await
        } else {
            let timeout = |_| Error::Timeout {
                what: self.tier.name(),
                ms: limit.as_millis() as u64,
            };
            let limited = tokio::time::timeout(limit, work).await;
            limited.map_err(timeout).and_then(|result| result)
        };
        if let (Some(breaker), Some(permit)) = (&self.breaker, permit) {
            match &result {
                Err(error) if is_outage(error) || matches!(error, Error::Closed { .. }) => {
                    breaker.fail(permit, clock::now_ms());
                }
                _ => breaker.succeed(permit, clock::now_ms()),
            }
        }
        if let Err(error) = &result {
            self.tell_failure(operation, key, error);
        }
        result
    }

    /// Counts and tells that something failed here.
    pub fn tell_failure(&self, operation: &'static str, key: Option<&Arc<[u8]>>, error: &Error) {
        metrics::count(&self.context.metrics.failures);
        // What a foreign tier threw was told by JavaScript, which has the error itself.
        if self.tier.name() == "foreign" && matches!(error, Error::Unavailable { .. }) {
            return;
        }
        self.context.news.tell(&Event::Failure {
            operation,
            key: key.cloned(),
            level: self.number,
            tier: self.tier.name(),
            error: error.clone(),
        });
    }

    /// The entry of a key, as the tier has it.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub async fn get(&self, key: &Arc<[u8]>) -> Result<Option<Entry>> {
        self.call("get", Some(key), self.tier.get(key)).await
    }

    /// The entry of a key, as the tier has it or will have it.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub async fn read(&self, key: &Arc<[u8]>) -> Result<Option<Entry>> {
        match self.outbox.known(key) {
            Known::Entry(entry) => Ok(Some(entry)),
            Known::Gone => Ok(None),
            Known::Nothing => self.get(key).await,
        }
    }

    /// The entries of keys, as the tier has them or will have them.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub async fn read_many(&self, keys: &[Arc<[u8]>]) -> Result<Vec<Option<Entry>>> {
        let mut entries = vec![None; keys.len()];
        let (mut places, mut unknown) = (Vec::new(), Vec::new());
        for (place, key) in keys.iter().enumerate() {
            match self.outbox.known(key) {
                Known::Entry(entry) => entries[place] = Some(entry),
                Known::Gone => {}
                Known::Nothing => {
                    places.push(place);
                    unknown.push(key.clone());
                }
            }
        }
        if !unknown.is_empty() {
            let read = self.call("getMany", None, self.tier.get_many(&unknown)).await?;
            for (place, entry) in places.into_iter().zip(read) {
                entries[place] = entry;
            }
        }
        Ok(entries)
    }

    /// Removes entries by their tags, in a tier that can.
    pub async fn forget_tags(&self, tags: &[String]) {
        // A failure was told.
        let _ = self
            .call("invalidateTags", None, self.tier.forget_tags(tags))
            .await;
    }

    /// Sends the change of a key, and those that come meanwhile.
    pub fn send(&self, key: Arc<[u8]>) {
        self.spawn(async move |level| {
            if let Some(work) = level.outbox.begin(&key) {
                level.run(work).await;
            }
        });
    }

    /// Sends the changes of keys, as few operations as the tier can make of them.
    pub fn send_many(&self, keys: Vec<Arc<[u8]>>) {
        self.spawn(async move |level| {
            for keys in keys.chunks(BATCH) {
                let works = keys.iter().filter_map(|key| level.outbox.begin(key));
                level.run_many(works.collect()).await;
            }
        });
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, task: impl FnOnce(Arc<Self>) -> F) {
        // Without threads nothing is sent, and reads find what they wrote in the outbox.
        if let (Some(level), Ok(runtime)) = (self.this.upgrade(), runtime::handle()) {
            runtime.spawn(task(level));
        }
    }

    async fn run(&self, mut work: Work) -> bool {
        loop {
            let outcome = self.apply(&work).await;
            match self.outbox.finish(&work, outcome) {
                Next::Send(next) => work = next,
                Next::Rest => return true,
                Next::Missed => {
                    self.recover_soon();
                    return false;
                }
            }
        }
    }

    async fn run_many(&self, works: Vec<Work>) -> bool {
        let is_set = |work: &Work| matches!(work.change, Change::Set { .. });
        if works.len() < 2 || !works.iter().all(is_set) || self.tier.name() == "foreign" {
            let results = join_all(works.into_iter().map(|work| self.run(work))).await;
            return results.into_iter().all(|done| done);
        }
        let outcome = {
            let _open = self.gate.read().await;
            let mut pairs: Vec<Pair> = Vec::with_capacity(works.len());
            for work in &works {
                if let Some(entry) = self.entry_of(&work.change).await {
                    pairs.push((work.key.clone(), entry));
                }
            }
            match self.outbox.is_void() {
                true => Outcome::Away,
                false => outcome_of(
                    self.call("setMany", None, self.tier.set_many(&pairs))
                        .await
                        .map(|()| false),
                ),
            }
        };
        let mut all = true;
        for work in works {
            match self.outbox.finish(&work, outcome) {
                Next::Send(next) => all &= self.run(next).await,
                Next::Rest => {}
                Next::Missed => {
                    self.recover_soon();
                    all = false;
                }
            }
        }
        all
    }

    /// The entry to be set, its tags with their generations.
    async fn entry_of(&self, change: &Change) -> Option<Entry> {
        let Change::Set { entry, open_tags, .. } = change else {
            return None;
        };
        let mut entry = entry.clone();
        if *open_tags && !self.tier.forgets_tags_at_once() {
            let names = entry.tags.iter().map(|tag| tag.name.clone());
            let levels = self.context.levels();
            entry.tags = self.context.generations.stamped(names, &levels).await;
        }
        Some(entry)
    }

    async fn apply(&self, work: &Work) -> Outcome {
        let _open = self.gate.read().await;
        if self.outbox.is_void() {
            return Outcome::Away;
        }
        let key = &work.key;
        let result = match &work.change {
            Change::Set { keep_ms, .. } => {
                let Some(entry) = self.entry_of(&work.change).await else {
                    return Outcome::Refused;
                };
                let set = match keep_ms {
                    Some(keep_ms) => self.tier.set_for(key, &entry, *keep_ms),
                    None => self.tier.set(key, &entry),
                };
                self.call("set", Some(key), set).await.map(|()| false)
            }
            Change::Delete => {
                let keys = [key.clone()];
                self.call("delete", Some(key), self.tier.delete(&keys)).await
            }
        };
        outcome_of(result)
    }

    /// Empties the tier, now or as soon as it is back. True if it is done.
    pub async fn clear(&self) -> bool {
        self.outbox.void();
        let done = self.empty().await;
        if !done {
            self.recover_soon();
        }
        done
    }

    async fn empty(&self) -> bool {
        let _shut = self.gate.write().await;
        match self.call("clear", None, self.tier.clear()).await {
            // A tier that was closed, or cannot be emptied, will not be: reads ask it again.
            Err(error) if is_outage(&error) => false,
            _ => {
                self.outbox.emptied();
                true
            }
        }
    }

    /// Sees to it that what was missed is sent again.
    pub fn recover_soon(&self) {
        if !self.recovering.swap(true, Ordering::SeqCst) {
            let level = self.this.clone();
            self.spawn(async move |_| recover(level).await);
        }
    }

    /// Sends what was missed. False when the tier is still away.
    async fn replay(&self) -> bool {
        if self.outbox.is_void() && !self.empty().await {
            return false;
        }
        let mut most = 1;
        loop {
            let works = self.outbox.take_missed(most);
            if works.is_empty() {
                return true;
            }
            if !self.run_many(works).await {
                return false;
            }
            // The first showed that somebody is there.
            most = BATCH;
        }
    }

    /// The tier can be reached again: whatever was learnt from its absence is out of date.
    pub fn is_back(&self) {
        if let Some(breaker) = &self.breaker {
            breaker.try_again(clock::now_ms());
        }
    }
}

async fn recover(level: Weak<Level>) {
    let mut wait = FIRST_WAIT;
    loop {
        tokio::time::sleep(wait).await;
        let Some(level) = level.upgrade() else { return };
        if level.replay().await {
            level.recovering.store(false, Ordering::SeqCst);
            // Something may have been missed while the flag was still up.
            if level.outbox.missed() == 0 || level.recovering.swap(true, Ordering::SeqCst) {
                return;
            }
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn outcome_of(result: Result<bool>) -> Outcome {
    match result {
        Ok(existed) => Outcome::Taken(existed),
        Err(error) if is_outage(&error) => Outcome::Away,
        Err(_) => Outcome::Refused,
    }
}

/// True for errors that say the tier is away, not that it minds what it was asked.
pub fn is_outage(error: &Error) -> bool {
    match error {
        Error::Unavailable { .. } | Error::Timeout { .. } | Error::NoThreads => true,
        Error::Storage { problem, .. } => matches!(problem, StorageProblem::Failed),
        _ => false,
    }
}
