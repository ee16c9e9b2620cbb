//! A cache in Redis.
//!
//! # What it guarantees
//! - Every request is answered: with its result, or with an error at the latest at its deadline
//!   (plus the time a busy machine needs to notice).
//! - The requests of one thread reach the server in the order in which they were submitted.
//! - A request is sent at most once. Only a script that the server does not know is sent again.
//! - While the server is known to be away, requests are refused at once: by the link when the
//!   last attempt to connect failed, by the breaker when commands fail on a connection that
//!   stands. They wait (each for its own deadline) only during the first attempt and right
//!   after a connection was lost. A connection that is made is tried before anybody gets it.
//! - With tracking, listeners hear of every change that another client makes, and are told to
//!   forget everything before the first command over a new connection.
//!
//! # How it is built
//! One task per cache, the [`pump`], takes [batches](batch::Batch) and puts each into the
//! connection as one pipeline; another keeps the [`link`] up. Both run on the runtime of the
//! process. Replies become [answers](request::Answer) there too; what is left to the caller's
//! thread is decoding.
//!
//! Values stand in Redis as [`wire`] says, their shapes in the [`dictionary`]. What must be read
//! and written in one step are [`scripts`].
//!
//! # Locks
//! The link's state, the list of listeners and the dictionary's documents have locks that
//! enclose nothing. The breaker's encloses its observer, which only counts.
//!
//! # Close
//! [`close`](Engine::close) refuses new batches; those that were sent still come back, or run
//! into their deadline. The connection goes with the last of them.

pub mod batch;
pub mod config;
pub mod connection;
pub mod dictionary;
mod failure;
pub mod keys;
mod lease;
mod link;
mod operations;
mod pump;
pub mod request;
mod scan;
pub mod scripts;
mod shapes;
pub mod stats;
pub mod tracking;
mod upkeep;
pub mod wire;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, LazyLock};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::batch::{Batch, Respond};
use self::config::{Config, Options};
use self::dictionary::Dictionary;
use self::keys::Keys;
use self::link::Link;
use self::request::Request;
use self::stats::{Counters, Counts};
use self::tracking::Listeners;
use crate::engine::breaker::{self, Breaker};
use crate::engine::clock;
use crate::engine::registry::{Engine, Registry};
use crate::error::Error;

pub use self::lease::Lease;
pub use self::operations::Entry;

/// See the module.
#[derive(Debug)]
pub struct RedisCache {
    config: Config,
    keys: Keys,
    link: Link,
    breaker: Option<Breaker>,
    batches: mpsc::UnboundedSender<Batch>,
    dictionary: Dictionary,
    /// When the dictionary was last compared with what stands in Redis, in milliseconds.
    dictionary_checked: AtomicU64,
    /// True while a shape is on its way into the dictionary.
    proposing: AtomicBool,
    /// Those who hear of changes.
    pub listeners: Listeners,
    tracking: AtomicBool,
    /// Batches in a row that nobody answered.
    silences: AtomicU32,
    counters: Counters,
}

/// How a cache does, without anything secret.
#[derive(Debug, Clone)]
pub struct Status {
    /// `connecting`, `connected`, `disconnected` or `closed`.
    pub link: &'static str,
    /// Why there is no connection.
    pub reason: Option<String>,
    /// Whether changes of others are heard of.
    pub tracking: bool,
    /// Invalidations heard.
    pub invalidations: u64,
    /// The breaker's state and counts, if there is one.
    pub breaker: Option<(breaker::State, breaker::Counts)>,
    /// Shapes in the dictionary.
    pub shapes: u8,
    /// Everything that is counted.
    pub counts: Counts,
}

impl RedisCache {
    /// A cache, which begins to connect on this runtime.
    pub fn new(options: &Options, runtime: &Handle) -> Arc<Self> {
        let config = Config::from(options);
        let (batches, receiver) = mpsc::unbounded_channel();
        let cache = Arc::new(Self {
            keys: Keys::new(config.prefix.clone()),
            link: Link::default(),
            breaker: config.breaker.map(Breaker::new),
            batches,
            dictionary: Dictionary::default(),
            dictionary_checked: AtomicU64::new(0),
            proposing: AtomicBool::new(false),
            listeners: Listeners::default(),
            tracking: AtomicBool::new(false),
            silences: AtomicU32::new(0),
            counters: Counters::default(),
            config,
        });
        runtime.spawn(pump::run(cache.clone(), receiver));
        runtime.spawn(upkeep::run(cache.clone()));
        cache
    }

    /// The named caches of the process.
    pub fn registry() -> &'static Registry<RedisCache> {
        static REGISTRY: LazyLock<Registry<RedisCache>> = LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// What it is configured with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The names of its keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The shapes of its records.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Sends requests as one pipeline. `respond` is always called.
    pub fn submit(&self, requests: Vec<Request>, respond: Respond) {
        let deadline = Instant::now() + self.config.timeout;
        let batch = Batch::new(requests, deadline, respond);
        if self.link.is_closed() {
            return batch.refuse(&Error::Closed { engine: "cache" });
        }
        if let Err(refused) = self.batches.send(batch) {
            refused.0.refuse(&Error::Closed { engine: "cache" });
        }
    }

    /// How it does.
    pub fn status(&self) -> Status {
        let state = self.link.state();
        let breaker = self.breaker.as_ref();
        Status {
            link: state.name(),
            reason: match state {
                link::State::Down(reason) => Some(reason),
                _ => None,
            },
            tracking: self.tracking.load(std::sync::atomic::Ordering::Relaxed),
            invalidations: self.listeners.heard(),
            breaker: breaker.map(|breaker| (breaker.state(clock::now_ms()), breaker.counts())),
            shapes: self
                .dictionary
                .current()
                .map_or(0, |document| document.stamp.shapes),
            counts: self.counters.snapshot(),
        }
    }
}

impl Engine for RedisCache {
    fn close(&self) {
        self.link.close();
    }
}
