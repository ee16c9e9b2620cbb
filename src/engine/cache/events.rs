//! Events: what handles with listeners learn of changes, whoever made them.
//!
//! A change appends to the queue of every subscription that wants it, in the order of the changes
//! of a key. The environment is woken once and takes all that has gathered. Queues are bounded: a
//! thread that does not get round to its events loses the newest ones, and is told how many.
//!
//! Lock order: the list, then a queue; callers may hold locks of their own that enclose both.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use crate::engine::completion::{CompletionQueue, Outcome};

/// Events that a subscription keeps before it drops.
const MAX_QUEUED: usize = 65_536;

/// Bytes that a subscription keeps alive before it drops.
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
    /// An entry was given up for others.
    Evict = 8,
    /// Everything was removed.
    Clear = 16,
    /// An entry was found damaged, and removed.
    Damage = 32,
}

/// What an event tells of an entry.
pub trait Subject: Clone {
    /// The bytes that it keeps alive while nobody takes it.
    fn memory(&self) -> u64;
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<S> {
    /// What happened.
    pub kind: EventKind,
    /// The entry that it happened to; none for [`EventKind::Clear`].
    pub subject: Option<S>,
}

/// One handle's interest in events.
#[derive(Debug)]
pub struct Subscription<S> {
    number: u32,
    mask: AtomicU8,
    environment: Arc<CompletionQueue>,
    announced: AtomicBool,
    queue: Mutex<Queue<S>>,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Queue<S> {
    events: VecDeque<Event<S>>,
    bytes: u64,
}

impl<S: Subject> Subscription<S> {
    /// Takes all events that have gathered.
    pub fn take(&self) -> Vec<Event<S>> {
        let mut queue = self.queue.lock();
        self.announced.store(false, Ordering::SeqCst);
        queue.bytes = 0;
        std::mem::take(&mut queue.events).into()
    }

    /// Events that were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn push(&self, kind: EventKind, subject: Option<&S>) {
        if self.mask.load(Ordering::Relaxed) & kind as u8 == 0 {
            return;
        }
        let bytes = subject.map_or(0, Subject::memory);
        let mut queue = self.queue.lock();
        let full = queue.events.len() >= MAX_QUEUED || queue.bytes + bytes > MAX_QUEUED_BYTES;
        if full && !queue.events.is_empty() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes += bytes;
        queue.events.push_back(Event {
            kind,
            subject: subject.cloned(),
        });
        if !self.announced.swap(true, Ordering::SeqCst) {
            // A closed environment takes no more events, and its subscriptions end soon.
            self.environment.push(self.number, Outcome::Events);
        }
    }
}

/// The subscriptions of one engine.
#[derive(Debug)]
pub struct Subscriptions<S> {
    list: RwLock<Vec<Arc<Subscription<S>>>>,
    /// All kinds that anybody wants; changes with the list's lock held for writing.
    mask: AtomicU8,
}

impl<S> Default for Subscriptions<S> {
    fn default() -> Self {
        Self {
            list: RwLock::default(),
            mask: AtomicU8::new(0),
        }
    }
}

impl<S: Subject> Subscriptions<S> {
    /// Adds one, announced to `environment` under `number`. It wants nothing at first.
    pub fn add(&self, environment: Arc<CompletionQueue>, number: u32) -> Arc<Subscription<S>> {
        let subscription = Arc::new(Subscription {
            number,
            mask: AtomicU8::new(0),
            environment,
            announced: AtomicBool::new(false),
            queue: Mutex::new(Queue {
                events: VecDeque::new(),
                bytes: 0,
            }),
            dropped: AtomicU64::new(0),
        });
        self.list.write().push(subscription.clone());
        subscription
    }

    /// Removes one.
    pub fn remove(&self, subscription: &Arc<Subscription<S>>) {
        let mut list = self.list.write();
        list.retain(|other| !Arc::ptr_eq(other, subscription));
        self.refresh(&list);
    }

    /// Chooses the kinds of events for a subscription, as a sum of [`EventKind`]s.
    pub fn choose(&self, subscription: &Subscription<S>, mask: u8) {
        // For writing: of two choices at once, the later sum has to hold both.
        let list = self.list.write();
        subscription.mask.store(mask, Ordering::SeqCst);
        self.refresh(&list);
    }

    fn refresh(&self, list: &[Arc<Subscription<S>>]) {
        let all = |mask, one: &Arc<Subscription<S>>| mask | one.mask.load(Ordering::SeqCst);
        self.mask.store(list.iter().fold(0, all), Ordering::SeqCst);
    }

    /// Whether anybody listens to this kind.
    pub fn want(&self, kind: EventKind) -> bool {
        self.mask.load(Ordering::Relaxed) & kind as u8 != 0
    }

    /// Tells everybody who wants to know. One load when nobody does.
    pub fn publish(&self, kind: EventKind, subject: Option<&S>) {
        if self.want(kind) {
            for subscription in self.list.read().iter() {
                subscription.push(kind, subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::completion::Waker;

    struct Silent;

    impl Waker for Silent {
        fn wake(&self) {}
    }

    impl Subject for u64 {
        fn memory(&self) -> u64 {
            *self
        }
    }

    fn environment() -> Arc<CompletionQueue> {
        Arc::new(CompletionQueue::new(Box::new(Silent)))
    }

    #[test]
    fn a_subscription_hears_what_it_chose_in_order_and_is_announced_once() {
        let environment = environment();
        let subscriptions = Subscriptions::default();
        let subscription = subscriptions.add(environment.clone(), 7);
        assert!(!subscriptions.want(EventKind::Set));
        subscriptions.choose(&subscription, EventKind::Set as u8 | EventKind::Clear as u8);
        subscriptions.publish(EventKind::Set, Some(&1));
        subscriptions.publish(EventKind::Delete, Some(&1));
        subscriptions.publish(EventKind::Clear, None);
        assert_eq!(environment.drain().len(), 1);
        let kinds: Vec<EventKind> = subscription.take().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Set, EventKind::Clear]);
        subscriptions.remove(&subscription);
        assert!(!subscriptions.want(EventKind::Clear));
        subscriptions.publish(EventKind::Clear, None);
        assert!(subscription.take().is_empty());
    }

    #[test]
    fn what_one_does_not_want_any_more_another_still_hears() {
        let subscriptions = Subscriptions::default();
        let [one, other] = [1, 2].map(|number| subscriptions.add(environment(), number));
        subscriptions.choose(&one, EventKind::Set as u8);
        subscriptions.choose(&other, EventKind::Set as u8);
        subscriptions.choose(&one, 0);
        subscriptions.publish(EventKind::Set, Some(&1));
        assert!(one.take().is_empty());
        assert_eq!(other.take().len(), 1);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let subscriptions = Subscriptions::default();
        let subscription = subscriptions.add(environment(), 0);
        subscriptions.choose(&subscription, u8::MAX);
        for _ in 0..MAX_QUEUED + 3 {
            subscriptions.publish(EventKind::Set, Some(&1));
        }
        assert_eq!(subscription.dropped(), 3);
        assert_eq!(subscription.take().len(), MAX_QUEUED);
    }

    #[test]
    fn one_event_is_kept_whatever_it_holds_and_no_more_bytes_than_the_limit() {
        let subscriptions = Subscriptions::default();
        let subscription = subscriptions.add(environment(), 0);
        subscriptions.choose(&subscription, u8::MAX);
        subscriptions.publish(EventKind::Set, Some(&(2 * MAX_QUEUED_BYTES)));
        subscriptions.publish(EventKind::Set, Some(&1));
        assert_eq!((subscription.take().len(), subscription.dropped()), (1, 1));
        subscriptions.publish(EventKind::Set, Some(&1));
        assert_eq!(subscription.take().len(), 1);
    }
}
