//! Events: what handles with listeners learn of changes, whoever made them.
//!
//! A change appends to the queue of every subscription that wants it, inside the lock of the
//! key, so that events about a key arrive in the order of its changes. The environment is
//! woken once and takes all that has gathered. Queues are bounded: a thread that does not
//! get round to its events loses the newest ones, and is told how many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::engine::cache::record::Record;
use crate::engine::completion::{CompletionQueue, Outcome};

/// Events that a subscription keeps before it drops.
const MAX_QUEUED: usize = 65_536;

/// Bytes of values that a subscription keeps alive before it drops.
const MAX_QUEUED_BYTES: u64 = 64 * 1024 * 1024;

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
    /// The policy gave an entry up.
    Evict = 8,
    /// Everything was removed.
    Clear = 16,
}

/// One event.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The entry that it happened to; none for [`EventKind::Clear`].
    pub record: Option<Record>,
}

/// One handle's interest in events.
#[derive(Debug)]
pub struct Subscription {
    number: u32,
    mask: AtomicU8,
    environment: Arc<CompletionQueue>,
    announced: AtomicBool,
    queue: Mutex<Queue>,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    bytes: u64,
}

impl Subscription {
    /// Takes all events that have gathered.
    pub fn take(&self) -> Vec<Event> {
        let mut queue = self.queue.lock();
        self.announced.store(false, Ordering::SeqCst);
        queue.bytes = 0;
        std::mem::take(&mut queue.events).into()
    }

    /// Events that were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Chooses the kinds of events, as a sum of [`EventKind`]s.
    pub fn choose(&self, mask: u8) {
        self.mask.store(mask, Ordering::SeqCst);
    }

    fn push(&self, kind: EventKind, record: Option<&Record>) {
        if self.mask.load(Ordering::Relaxed) & kind as u8 == 0 {
            return;
        }
        let bytes = record.map_or(0, Record::memory);
        let mut queue = self.queue.lock();
        let full = queue.events.len() >= MAX_QUEUED || queue.bytes + bytes > MAX_QUEUED_BYTES;
        if full && !queue.events.is_empty() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes += bytes;
        queue.events.push_back(Event {
            kind,
            record: record.cloned(),
        });
        if !self.announced.swap(true, Ordering::SeqCst) {
            // A closed environment takes no more events, and its subscriptions end soon.
            self.environment.push(self.number, Outcome::Events);
        }
    }
}

/// The subscriptions of one engine.
#[derive(Debug, Default)]
pub struct Subscriptions {
    list: RwLock<Vec<Arc<Subscription>>>,
    count: AtomicUsize,
}

impl Subscriptions {
    /// Adds one, announced to `environment` under `number`.
    pub fn add(&self, environment: Arc<CompletionQueue>, number: u32) -> Arc<Subscription> {
        let subscription = Arc::new(Subscription {
            number,
            mask: AtomicU8::new(0),
            environment,
            announced: AtomicBool::new(false),
            queue: Mutex::default(),
            dropped: AtomicU64::new(0),
        });
        let mut list = self.list.write();
        list.push(subscription.clone());
        self.count.store(list.len(), Ordering::SeqCst);
        subscription
    }

    /// Removes one.
    pub fn remove(&self, subscription: &Arc<Subscription>) {
        let mut list = self.list.write();
        list.retain(|other| !Arc::ptr_eq(other, subscription));
        self.count.store(list.len(), Ordering::SeqCst);
    }

    /// Tells everybody who wants to know. One load when nobody does.
    pub fn publish(&self, kind: EventKind, record: Option<&Record>) {
        if self.count.load(Ordering::Relaxed) > 0 {
            for subscription in self.list.read().iter() {
                subscription.push(kind, record);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::record::{Kind, Lifetime, Value};
    use crate::engine::completion::Waker;

    struct Silent;

    impl Waker for Silent {
        fn wake(&self) {}
    }

    fn record() -> Record {
        let value = Value {
            kind: Kind::LATIN1,
            payload: b"v",
            packed: None,
        };
        Record::new(b"k", value, Box::default(), Lifetime::default())
    }

    #[test]
    fn a_subscription_hears_what_it_chose_in_order_and_is_announced_once() {
        let environment = Arc::new(CompletionQueue::new(Box::new(Silent)));
        let subscriptions = Subscriptions::default();
        let subscription = subscriptions.add(environment.clone(), 7);
        subscription.choose(EventKind::Set as u8 | EventKind::Clear as u8);
        subscriptions.publish(EventKind::Set, Some(&record()));
        subscriptions.publish(EventKind::Delete, Some(&record()));
        subscriptions.publish(EventKind::Clear, None);
        assert_eq!(environment.drain().len(), 1);
        let kinds: Vec<EventKind> = subscription.take().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Set, EventKind::Clear]);
        subscriptions.remove(&subscription);
        subscriptions.publish(EventKind::Clear, None);
        assert!(subscription.take().is_empty());
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let environment = Arc::new(CompletionQueue::new(Box::new(Silent)));
        let subscriptions = Subscriptions::default();
        let subscription = subscriptions.add(environment, 0);
        subscription.choose(u8::MAX);
        let record = record();
        for _ in 0..MAX_QUEUED + 3 {
            subscriptions.publish(EventKind::Set, Some(&record));
        }
        assert_eq!(subscription.dropped(), 3);
        assert_eq!(subscription.take().len(), MAX_QUEUED);
    }
}
