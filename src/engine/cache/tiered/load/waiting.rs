//! One load: who waits for it, and who runs the loader.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Loaded, Options};
use crate::engine::cache::memory::flights::Caller;
use crate::engine::cache::tier::{Entry, unix_ms};
use crate::engine::cache::tiered::Stack;
use crate::engine::cache::tiered::search::is_within;
use crate::engine::completion::{CompletionQueue, Outcome};

/// A caller who waits.
#[derive(Debug, Clone)]
pub struct Waiter {
    /// Whom to answer.
    pub caller: Caller,
    /// What the caller's handle brings.
    pub stack: Arc<Stack>,
    /// What the caller wants.
    pub options: Options,
    /// When the caller came.
    pub since: Instant,
    /// True for the one who runs the loader.
    pub leads: bool,
}

impl Waiter {
    /// A caller who comes now.
    pub fn new(caller: Caller, stack: Arc<Stack>, options: Options) -> Self {
        Self {
            caller,
            stack,
            options,
            since: Instant::now(),
            leads: false,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Load {
    /// What the loader's result will be known by.
    pub ticket: u64,
    /// The key.
    pub key: Arc<[u8]>,
    state: Mutex<State>,
    /// Somebody came, or the loader began.
    pub changed: Notify,
    answered: Notify,
}

#[derive(Debug)]
struct State {
    waiters: Vec<Waiter>,
    /// The environment that runs the loader.
    leader: Option<Arc<CompletionQueue>>,
    /// When the loader was asked for.
    began: Option<Instant>,
    answer: Option<Loaded>,
    /// The best of the values that are not fresh any more.
    stale: Option<Entry>,
}

impl Load {
    /// A load that its first caller waits for.
    pub fn new(ticket: u64, key: Arc<[u8]>, waiter: Waiter) -> Self {
        let state = State {
            waiters: vec![waiter],
            leader: None,
            began: None,
            answer: None,
            stale: None,
        };
        Self {
            ticket,
            key,
            state: Mutex::new(state),
            changed: Notify::new(),
            answered: Notify::new(),
        }
    }

    /// Another caller comes.
    pub fn join(&self, waiter: Waiter) {
        self.state.lock().waiters.push(waiter);
        self.changed.notify_one();
    }

    /// The first who waits.
    pub fn first(&self) -> Option<Waiter> {
        self.state.lock().waiters.first().cloned()
    }

    /// True when nobody waits any more.
    pub fn is_alone(&self) -> bool {
        self.state.lock().waiters.is_empty()
    }

    /// A stale value that may be served.
    pub fn keep_stale(&self, entry: Option<Entry>) {
        self.state.lock().stale = entry;
    }

    /// The stale value that may be served.
    pub fn stale(&self) -> Option<Entry> {
        self.state.lock().stale.clone()
    }

    /// Asks the first caller who can be reached to run its loader. None when there is none.
    pub fn appoint(&self) -> Option<Waiter> {
        let mut state = self.state.lock();
        while let Some(next) = state.waiters.first_mut() {
            let caller = next.caller.clone();
            next.leads = true;
            // Before the push: the answer may be quicker than the rest of this function.
            let leader = next.clone();
            state.leader = Some(caller.environment.clone());
            state.began = Some(Instant::now());
            if caller
                .environment
                .push(caller.operation, Outcome::Lead(self.ticket))
            {
                drop(state);
                self.changed.notify_one();
                return Some(leader);
            }
            state.waiters.remove(0);
            state.leader = None;
        }
        None
    }

    /// The loader's result. Only the first counts.
    pub fn tell(&self, loaded: Loaded) {
        let mut state = self.state.lock();
        state.answer.get_or_insert(loaded);
        drop(state);
        self.answered.notify_one();
    }

    /// Waits for the loader's result.
    pub async fn answer(&self) -> Loaded {
        loop {
            if let Some(loaded) = self.state.lock().answer.take() {
                return loaded;
            }
            self.answered.notified().await;
        }
    }

    /// An environment ends.
    pub fn leave(&self, environment: &Arc<CompletionQueue>) {
        let mut state = self.state.lock();
        state
            .waiters
            .retain(|waiter| !Arc::ptr_eq(&waiter.caller.environment, environment));
        let led = |leader: &Arc<CompletionQueue>| Arc::ptr_eq(leader, environment);
        if state.leader.as_ref().is_some_and(led) {
            state.leader = None;
            drop(state);
            self.tell(Loaded::Lost);
        }
    }

    /// Answers those for whom `answer` has one; the others go on waiting.
    pub fn settle(&self, mut answer: impl FnMut(&Waiter) -> Option<Outcome>) {
        let mut state = self.state.lock();
        state.waiters.retain(|waiter| match answer(waiter) {
            Some(outcome) => {
                // An environment that is gone needs no answer.
                waiter.caller.environment.push(waiter.caller.operation, outcome);
                false
            }
            None => true,
        });
    }

    /// The moments that count for a caller's timeouts: it came, and the loader began.
    fn starting(waiter: &Waiter, began: Option<Instant>) -> Option<Instant> {
        began.map(|began| began.max(waiter.since))
    }

    /// The next moment when somebody's soft or hard timeout has passed.
    pub fn next_deadline(&self) -> Option<Instant> {
        let state = self.state.lock();
        let now = unix_ms();
        let of = |waiter: &Waiter| {
            let start = Self::starting(waiter, state.began)?;
            let usable = |stale: &Entry| is_within(stale, waiter.options.grace_ms, now);
            let soft = waiter
                .options
                .soft_ms
                .filter(|_| state.stale.as_ref().is_some_and(usable));
            let first = soft.into_iter().chain(waiter.options.hard_ms).min()?;
            Some(start + std::time::Duration::from_millis(first))
        };
        state.waiters.iter().filter_map(of).min()
    }

    /// Those whose soft or hard timeout has passed: which, and whether it was the hard one.
    pub fn overdue(&self, waiter: &Waiter, began: Option<Instant>, now: Instant) -> Option<Overdue> {
        let start = Self::starting(waiter, began)?;
        let waited = now.saturating_duration_since(start).as_millis() as u64;
        let passed = |limit: Option<u64>| limit.is_some_and(|limit| waited >= limit);
        match (passed(waiter.options.hard_ms), passed(waiter.options.soft_ms)) {
            (true, _) => Some(Overdue::Hard),
            (false, true) => Some(Overdue::Soft),
            (false, false) => None,
        }
    }

    /// When the loader was asked for.
    pub fn began(&self) -> Option<Instant> {
        self.state.lock().began
    }
}

/// Which timeout has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// A stale value will do.
    Soft,
    /// Something has to be said now.
    Hard,
}
