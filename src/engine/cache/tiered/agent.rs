//! What native code asks of JavaScript, and what it tells it: the way to foreign tiers.
//!
//! A request is queued for the environment that owns the handle, which is woken once, takes all
//! that has gathered, and answers each by its number. Events travel the same way. An environment
//! that ends leaves its requests unanswered, which is an answer too: the tier is closed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ahash::RandomState;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::news::Event;
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::Entry;
use crate::engine::completion::{CompletionQueue, Outcome};
use crate::error::{Error, Result};

/// Events that a handle keeps before it drops them.
const MAX_EVENTS: usize = 16_384;

/// Something that JavaScript shall do.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Read a key of a foreign tier.
    Get(Arc<[u8]>),
    /// Write a key of a foreign tier.
    Set {
        /// The key.
        key: Arc<[u8]>,
        /// The value.
        entry: Entry,
        /// Milliseconds for which it is to be kept; none for ever.
        ttl_ms: Option<u64>,
    },
    /// Delete keys of a foreign tier.
    Delete(Vec<Arc<[u8]>>),
    /// Empty a foreign tier.
    Clear,
    /// Name the keys of a foreign tier.
    Keys,
    /// Encode a value anew that is in the words of one of our own tiers.
    Translate(Kind, Bytes),
}

/// What JavaScript answers.
#[derive(Debug, Clone)]
pub enum Given {
    /// It is done, or there is nothing.
    Nothing,
    /// It is done, and something was there before.
    Something,
    /// A value.
    Entry(Entry),
    /// Keys.
    Keys(Vec<Arc<[u8]>>),
    /// It failed. JavaScript has told its listeners why.
    Failed,
}

/// A request on its way.
#[derive(Debug)]
pub struct Request {
    /// What the answer will be known by.
    pub number: u32,
    /// The level of the tier that is meant.
    pub level: u8,
    /// What to do.
    pub ask: Ask,
    taken: oneshot::Sender<()>,
}

/// The way to one handle's environment.
#[derive(Debug)]
pub struct Agent {
    environment: Arc<CompletionQueue>,
    /// What the environment knows this agent by.
    subscription: u32,
    announced: AtomicBool,
    inner: Mutex<Inner>,
    next: AtomicU32,
    mask: AtomicU8,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    requests: Vec<Request>,
    waiting: HashMap<u32, oneshot::Sender<Given>, RandomState>,
    events: VecDeque<Event>,
    closed: bool,
}

impl Agent {
    /// The way to `environment`, which knows it as `subscription`.
    pub fn new(environment: Arc<CompletionQueue>, subscription: u32) -> Arc<Self> {
        Arc::new(Self {
            environment,
            subscription,
            announced: AtomicBool::new(false),
            inner: Mutex::default(),
            next: AtomicU32::new(0),
            mask: AtomicU8::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    fn announce(&self) {
        if !self.announced.swap(true, Ordering::SeqCst)
            && !self.environment.push(self.subscription, Outcome::Events)
        {
            self.close();
        }
    }

    /// Asks, and waits for the answer. The limit counts from the moment when JavaScript takes
    /// the request: an event loop that is busy is not a tier that is slow.
    pub async fn ask(&self, level: u8, ask: Ask, limit: Duration) -> Result<Given> {
        let closed = || Error::Closed { engine: "cache" };
        let (answer, answered) = oneshot::channel();
        let (taken, was_taken) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        {
            let mut inner = self.inner.lock();
            if inner.closed {
                return Err(closed());
            }
            inner.waiting.insert(number, answer);
            inner.requests.push(Request {
                number,
                level,
                ask,
                taken,
            });
        }
        self.announce();
        was_taken.await.map_err(|_| closed())?;
        match tokio::time::timeout(limit, answered).await {
            Ok(answer) => answer.map_err(|_| closed()),
            Err(_) => {
                self.inner.lock().waiting.remove(&number);
                Err(Error::Timeout {
                    what: "a foreign tier",
                    ms: limit.as_millis() as u64,
                })
            }
        }
    }

    /// Chooses the kinds of events, as a sum of [`Event::bit`]s.
    pub fn choose(&self, mask: u8) {
        self.mask.store(mask, Ordering::SeqCst);
    }

    /// Tells of an event, if anybody wants to know.
    pub fn tell(&self, event: &Event) {
        if self.mask.load(Ordering::Relaxed) & event.bit() == 0 {
            return;
        }
        {
            let mut inner = self.inner.lock();
            if inner.closed {
                return;
            }
            if inner.events.len() >= MAX_EVENTS {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            inner.events.push_back(event.clone());
        }
        self.announce();
    }

    /// Events that were lost because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Takes all requests and events that have gathered.
    pub fn take(&self) -> (Vec<Taken>, Vec<Event>) {
        // Before the queue is emptied: what comes later announces itself again.
        self.announced.store(false, Ordering::SeqCst);
        let mut inner = self.inner.lock();
        let requests = std::mem::take(&mut inner.requests).into_iter();
        let events = std::mem::take(&mut inner.events).into();
        drop(inner);
        let taken = requests.map(|request| {
            // Nobody waits any more: the answer will be ignored.
            let _ = request.taken.send(());
            Taken {
                number: request.number,
                level: request.level,
                ask: request.ask,
            }
        });
        (taken.collect(), events)
    }

    /// Answers a request. Without effect when nobody waits for it any more.
    pub fn answer(&self, number: u32, given: Given) {
        if let Some(waiting) = self.inner.lock().waiting.remove(&number) {
            let _ = waiting.send(given);
        }
    }

    /// Nobody is there any more: whoever waits is told.
    pub fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        let left = (
            std::mem::take(&mut inner.requests),
            std::mem::take(&mut inner.waiting),
            std::mem::take(&mut inner.events),
        );
        drop(inner);
        drop(left);
    }
}

/// A request that JavaScript works on.
#[derive(Debug)]
pub struct Taken {
    /// What the answer will be known by.
    pub number: u32,
    /// The level of the tier that is meant.
    pub level: u8,
    /// What to do.
    pub ask: Ask,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::completion::Waker;
    use crate::engine::runtime;

    struct Silent;

    impl Waker for Silent {
        fn wake(&self) {}
    }

    fn environment() -> Arc<CompletionQueue> {
        Arc::new(CompletionQueue::new(Box::new(Silent)))
    }

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn requests_are_announced_once_and_answered_by_number() {
        let environment = environment();
        let agent = Agent::new(environment.clone(), 7);
        let runtime = runtime::handle().unwrap();
        let asks: Vec<_> = (0..2)
            .map(|_| {
                let agent = agent.clone();
                runtime.spawn(async move { agent.ask(1, Ask::Clear, LIMIT).await })
            })
            .collect();
        let mut taken = Vec::new();
        while taken.len() < 2 {
            taken.extend(agent.take().0);
            std::thread::yield_now();
        }
        assert!(!environment.drain().is_empty());
        for request in &taken {
            agent.answer(request.number, Given::Something);
        }
        for ask in asks {
            assert!(matches!(runtime.block_on(ask).unwrap(), Ok(Given::Something)));
        }
    }

    #[test]
    fn whoever_waits_learns_that_nobody_is_there() {
        let environment = environment();
        let agent = Agent::new(environment.clone(), 7);
        let runtime = runtime::handle().unwrap();
        let ask = {
            let agent = agent.clone();
            runtime.spawn(async move { agent.ask(1, Ask::Clear, LIMIT).await })
        };
        while agent.inner.lock().waiting.is_empty() {
            std::thread::yield_now();
        }
        agent.close();
        assert!(runtime.block_on(ask).unwrap().is_err());
        assert!(runtime.block_on(agent.ask(1, Ask::Clear, LIMIT)).is_err());
    }

    #[test]
    fn only_chosen_events_are_told() {
        let agent = Agent::new(environment(), 7);
        let event = Event::Refresh {
            key: b"k".as_slice().into(),
        };
        agent.tell(&event);
        agent.choose(event.bit());
        agent.tell(&event);
        assert_eq!(agent.take().1.len(), 1);
    }
}
