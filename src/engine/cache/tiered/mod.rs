//! The multi-level cache: memory in front, and behind it whatever tiers there are.
//!
//! # Guarantees
//!
//! - A read answers from the first level that has a fresh value. A tier that is dead or slow is
//!   passed over: it never fails a read that another tier, a stale value or the loader can answer.
//! - A value found further out is put into the levels before it, for no longer than it still has
//!   to live there, and never in place of something newer ([`guards`](super::guards)).
//! - Changes of one key reach every tier in one order. What a tier misses while it is away is sent
//!   again when it is back ([`outbox`]).
//! - However many callers in however many threads miss a key, one loads it ([`load`]); with a tier
//!   that has leases, one in all processes.
//! - Callers are answered while they wait and never afterwards; no lock is held while anything
//!   is waited for.
//!
//! # Structure
//!
//! A [`Tiered`] is what the handles of one name share: loads under way, generations of [`tags`],
//! the [`reserve`] of stale values, counts. A [`Stack`] is what one handle brings: the memory cache
//! in front, and [`Level`]s. Handles that bring the same tier share its level. [`search`] reads,
//! [`change`] writes, [`load`] loads; [`agent`] is the way to JavaScript, and [`foreign`] a tier
//! there.
//!
//! JavaScript reads the memory in front by itself and comes here only when it misses, so a hit in
//! memory costs what it costs in a memory cache. All that waits runs on the runtime of the process.
//!
//! # Lock order
//!
//! A stripe of keys, then what the memory cache locks; then the leaves: an outbox's slots, the
//! table of loads and inside it one load, the guards. A breaker's lock encloses the agents' queues,
//! those a completion queue.
//!
//! # Close
//!
//! The last handle closes the cache: loads under way are refused, what an outbox still holds is
//! given up (JavaScript waits for it before, for a while). Tiers belong to whoever made them.

pub mod agent;
pub mod change;
pub mod config;
mod ear;
pub mod foreign;
pub mod keys;
pub mod level;
pub mod load;
pub mod metrics;
pub mod news;
pub mod outbox;
mod reserve;
pub mod search;
pub mod tags;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::{Mutex, RwLock};

use self::agent::Agent;
use self::config::Config;
use self::ear::Ear;
use self::level::{Context, Level, Setup};
use self::load::Loads;
use self::metrics::Metrics;
use self::reserve::Reserve;
use super::guards::Guards;
use super::memory::MemoryCache;
use super::record::Key;
use super::tier::Tier;
use crate::engine::registry::{Engine, Registry};

/// Locks that order changes of one key over all levels.
const STRIPES: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Tiered {
    config: Config,
    context: Arc<Context>,
    guards: Arc<Guards>,
    reserve: Reserve,
    loads: Loads,
    fronts: RwLock<Vec<Weak<MemoryCache>>>,
    stripes: [Mutex<()>; STRIPES],
    closed: AtomicBool,
    this: Weak<Tiered>,
}

/// What one handle brings.
#[derive(Debug)]
pub struct Stack {
    /// The memory in front, if the first tier is one of ours.
    pub front: Option<Arc<MemoryCache>>,
    /// Longest life of an entry in front.
    pub front_cap_ms: Option<u64>,
    /// The others, the nearest first.
    pub levels: Vec<Arc<Level>>,
    /// The way to the handle's thread.
    pub agent: Arc<Agent>,
}

/// A tier as a handle brings it.
#[derive(Debug)]
pub enum Part {
    /// The memory in front.
    Front(Arc<MemoryCache>, Option<u64>),
    /// Any other: its number, the tier, the longest life of an entry.
    Level(u8, Arc<dyn Tier>, Option<u64>),
}

impl Tiered {
    /// A cache without tiers.
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            config,
            context: Arc::default(),
            guards: Arc::default(),
            reserve: Reserve::default(),
            loads: Loads::default(),
            fronts: RwLock::default(),
            stripes: std::array::from_fn(|_| Mutex::new(())),
            closed: AtomicBool::new(false),
            this: this.clone(),
        })
    }

    /// The named caches of this process.
    pub fn registry() -> &'static Registry<Tiered> {
        static REGISTRY: LazyLock<Registry<Tiered>> = LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// What it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.context.metrics
    }

    /// True after the last handle was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Makes the stack of a handle.
    pub fn stack(&self, parts: Vec<Part>, agent: Arc<Agent>) -> Arc<Stack> {
        self.context.news.add(&agent);
        let mut stack = Stack {
            front: None,
            front_cap_ms: None,
            levels: Vec::new(),
            agent,
        };
        for part in parts {
            match part {
                Part::Front(front, cap_ms) => {
                    self.add_front(&front);
                    stack.front = Some(front);
                    stack.front_cap_ms = cap_ms;
                }
                Part::Level(number, tier, cap_ms) => {
                    let setup = Setup {
                        number,
                        cap_ms,
                        limit: self.config.tier_timeout,
                        breaker: self.config.breaker,
                    };
                    let make = || Level::new(tier.clone(), setup, self.context.clone());
                    let level = self.context.level(number, &tier, make);
                    level.listen(Arc::new(Ear::new(self.this.clone(), number)));
                    stack.levels.push(level);
                }
            }
        }
        Arc::new(stack)
    }

    fn add_front(&self, front: &Arc<MemoryCache>) {
        let mut fronts = self.fronts.write();
        fronts.retain(|known| known.strong_count() > 0);
        let is_known = |known: &Weak<MemoryCache>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(front));
        if !fronts.iter().any(is_known) {
            fronts.push(Arc::downgrade(front));
        }
    }

    /// The memory caches in front of all handles.
    fn fronts(&self) -> Vec<Arc<MemoryCache>> {
        self.fronts.read().iter().filter_map(Weak::upgrade).collect()
    }

    fn stripe(&self, key: &[u8]) -> &Mutex<()> {
        &self.stripes[Key::new(key).hash as usize % STRIPES]
    }

    /// Somebody else has changed a key.
    fn changed_elsewhere(&self, key: &[u8]) {
        self.guards.overtake(key);
        for front in self.fronts() {
            front.take(Key::new(key));
        }
        self.reserve.expire(&key.into());
    }

    /// Somebody else has invalidated a tag.
    fn tag_changed_elsewhere(&self, tag: &str) {
        self.context.generations.forget(tag);
        self.forget_tags(&[tag.to_owned()]);
    }

    /// Nobody knows what others have changed in a level.
    fn lost_track(&self, level: u8) {
        self.context.generations.forget_all();
        // Values on their way to memory are stopped with that; what a loader makes is new.
        self.fronts().iter().for_each(|front| front.clear());
        let of_number = |known: &Arc<Level>| known.number == level;
        self.context
            .levels()
            .into_iter()
            .filter(of_number)
            .for_each(|level| level.is_back());
    }

    /// What all fronts and everything on its way know of some tags is out of date.
    fn forget_tags(&self, tags: &[String]) {
        self.guards.invalidate_tags(tags);
        self.reserve.invalidate_tags(tags);
        for level in self.context.levels() {
            level.outbox.invalidate_tags(tags);
        }
        for front in self.fronts() {
            front.invalidate_tags(tags);
        }
    }
}

impl Engine for Tiered {
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.loads.close();
        self.reserve.clear();
    }
}
