//! Events: what handles with listeners learn of changes made by this process.
//!
//! A change is told after its commit, from the writing thread, to all threads that listen.
//! Values are not told: they may be large, and who wants one can read it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::engine::completion::{CompletionQueue, Outcome};

/// Events that a subscription keeps before it drops.
const MOST_QUEUED: usize = 65_536;

/// What happened. The discriminants are the bits of a subscription's mask, and the numbers
/// that JavaScript knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A value was written.
    Set = 1,
    /// An entry was deleted on request.
    Delete = 2,
    /// An entry's time was over.
    Expire = 4,
    /// An entry was given up for others.
    Evict = 8,
    /// Everything was removed.
    Clear = 16,
    /// An entry was found damaged, and removed.
    Damage = 32,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The key of the entry; empty for [`EventKind::Clear`].
    pub key: Arc<[u8]>,
    /// What it counted toward the limit.
    pub bytes: u64,
}

/// One handle's interest in events.
#[derive(Debug)]
pub struct Subscription {
    number: u32,
    mask: AtomicU8,
    environment: Arc<CompletionQueue>,
    announced: AtomicBool,
    queue: Mutex<VecDeque<Event>>,
    dropped: AtomicU64,
}

impl Subscription {
    /// Takes all events that have gathered.
    pub fn take(&self) -> Vec<Event> {
        let mut queue = self.queue.lock();
        self.announced.store(false, Ordering::SeqCst);
        std::mem::take(&mut *queue).into()
    }

    /// Events that were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn push(&self, event: &Event) {
        if self.mask.load(Ordering::Relaxed) & event.kind as u8 == 0 {
            return;
        }
        let mut queue = self.queue.lock();
        if queue.len() >= MOST_QUEUED {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.push_back(event.clone());
        if !self.announced.swap(true, Ordering::SeqCst) {
            self.environment.push(self.number, Outcome::Events);
        }
    }
}

/// The subscriptions of one cache.
#[derive(Debug, Default)]
pub struct Subscriptions {
    list: RwLock<Vec<Arc<Subscription>>>,
    /// All kinds that anybody wants.
    mask: AtomicU8,
}

impl Subscriptions {
    /// Adds one, announced to `environment` under `number`. It wants nothing at first.
    pub fn add(&self, environment: Arc<CompletionQueue>, number: u32) -> Arc<Subscription> {
        let subscription = Arc::new(Subscription {
            number,
            mask: AtomicU8::new(0),
            environment,
            announced: AtomicBool::new(false),
            queue: Mutex::default(),
            dropped: AtomicU64::new(0),
        });
        self.list.write().push(subscription.clone());
        subscription
    }

    /// Ends a subscription.
    pub fn remove(&self, subscription: &Arc<Subscription>) {
        let mut list = self.list.write();
        list.retain(|other| !Arc::ptr_eq(other, subscription));
        self.refresh(&list);
    }

    /// Chooses the kinds of events for a subscription, as a sum of [`EventKind`]s.
    pub fn choose(&self, subscription: &Subscription, mask: u8) {
        let list = self.list.read();
        subscription.mask.store(mask, Ordering::SeqCst);
        self.refresh(&list);
    }

    fn refresh(&self, list: &[Arc<Subscription>]) {
        let all = |mask, one: &Arc<Subscription>| mask | one.mask.load(Ordering::SeqCst);
        self.mask.store(list.iter().fold(0, all), Ordering::SeqCst);
    }

    /// Whether anybody listens to this kind.
    pub fn want(&self, kind: EventKind) -> bool {
        self.mask.load(Ordering::Relaxed) & kind as u8 != 0
    }

    /// Tells everybody who listens.
    pub fn tell(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        for subscription in self.list.read().iter() {
            events.iter().for_each(|event| subscription.push(event));
        }
    }
}
