//! The cold calls: opening, closing, statistics.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::TieredHandle;
use crate::binding::environment::Environment;
use crate::binding::to_napi;
use crate::engine::breaker;
use crate::engine::cache::tier::Tier;
use crate::engine::cache::tiered::agent::Agent;
use crate::engine::cache::tiered::config::{self, Config};
use crate::engine::cache::tiered::foreign::ForeignTier;
use crate::engine::cache::tiered::{Part, Tiered};
use crate::engine::clock;
use crate::engine::registry::Handle;
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// A breaker's options, all of them.
#[napi(object)]
pub struct BreakerSetup {
    pub failure_threshold: u32,
    pub failure_ratio: f64,
    pub minimum_calls: u32,
    pub window_ms: f64,
    pub open_ms: f64,
    pub probes: u32,
}

impl From<&BreakerSetup> for breaker::Options {
    fn from(setup: &BreakerSetup) -> Self {
        Self {
            failure_threshold: setup.failure_threshold,
            failure_ratio: setup.failure_ratio,
            minimum_calls: setup.minimum_calls,
            window_ms: setup.window_ms.ceil() as u64,
            open_ms: setup.open_ms.ceil() as u64,
            probes: setup.probes,
        }
    }
}

/// A tier as JavaScript describes it.
#[napi(object)]
pub struct TierDescription {
    /// `memory`, `disk`, `redis` or `foreign`.
    pub kind: String,
    /// 1 for the first.
    pub level: u32,
    /// The tier's own handle, of ours.
    pub handle: Option<u32>,
    /// Longest life of an entry.
    pub cap_ms: Option<f64>,
}

/// Options as JavaScript gives them, checked and normalised there.
#[napi(object)]
pub struct TieredOptions {
    /// The shared name, if any.
    pub name: Option<String>,
    /// How long an operation of a tier may take.
    pub tier_timeout_ms: f64,
    /// The breaker of every tier, if there is one.
    pub breaker: Option<BreakerSetup>,
    /// Names of options and what they are, in turns.
    pub shown: Vec<String>,
    /// Names of the options that were given.
    pub explicit: Vec<String>,
    /// The tiers, the nearest first.
    pub tiers: Vec<TierDescription>,
    /// What JavaScript will know requests and events by.
    pub subscription: u32,
}

fn uninitialised(error: napi::Error) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", error.reason)
}

fn config(options: &TieredOptions) -> Config {
    let pairs = options.shown.chunks_exact(2);
    Config {
        tier_timeout: Duration::from_millis(options.tier_timeout_ms.ceil() as u64),
        breaker: options.breaker.as_ref().map(breaker::Options::from),
        shown: pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
    }
}

/// Opens a handle on a cache and returns its number.
#[napi(catch_unwind)]
pub fn open_tiered(env: Env, options: TieredOptions) -> Result<u32> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    let agent = Agent::new(environment.queue.clone(), options.subscription);
    // First of all: what cannot be opened shall leave nothing behind.
    let parts = parts(environment, &options, &agent)?;
    let config = config(&options);
    let handle = match &options.name {
        None => Handle::private(Tiered::new(config)),
        Some(name) => {
            let explicit = config::explicit(&config, &options.explicit);
            Tiered::registry()
                .open(
                    name,
                    |cache| cache.config().agree(name, &explicit),
                    || Tiered::new(config.clone()),
                )
                .map_err(to_napi)?
        }
    };
    let cache = handle.engine().clone();
    let stack = cache.stack(parts, agent);
    Ok(environment.tiered.handles.add(|_| TieredHandle {
        cache,
        stack,
        name: options.name,
        handle: RefCell::new(Some(handle)),
        staged: RefCell::default(),
    }))
}

fn parts(environment: &Environment, options: &TieredOptions, agent: &Arc<Agent>) -> Result<Vec<Part>> {
    let limit = Duration::from_millis(options.tier_timeout_ms.ceil() as u64);
    let closed = || to_napi(Error::Closed { engine: "tier" });
    let part = |description: &TierDescription| {
        let cap_ms = description.cap_ms.map(|ms| ms.ceil() as u64);
        let number = description.level as u8;
        let handle = description.handle.unwrap_or(u32::MAX);
        let tier: Arc<dyn Tier> = match description.kind.as_str() {
            "memory" => {
                let handle = environment.memory_caches.handles.get(handle).ok_or_else(closed)?;
                if number == 1 {
                    return Ok(Part::Front(handle.cache.clone(), cap_ms));
                }
                handle.cache.clone()
            }
            "disk" => environment.disk_caches.cache(handle).ok_or_else(closed)?,
            "redis" => environment
                .redis_caches
                .handles
                .get(handle)
                .ok_or_else(closed)?
                .cache
                .clone(),
            _ => Arc::new(ForeignTier::new(agent.clone(), number, limit)),
        };
        Ok(Part::Level(number, tier, cap_ms))
    };
    options.tiers.iter().map(part).collect()
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_tiered(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.tiered.handles.remove(number) {
        handle.end(Handle::close);
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named cache stays.
#[napi(catch_unwind)]
pub fn collect_tiered(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.tiered.handles.remove(number) {
        let pin = handle.end(Handle::collect).flatten();
        if let (Some(pin), Some(name)) = (pin, &handle.name) {
            let previous = environment.tiered.pins.borrow_mut().insert(name.clone(), pin);
            if let Some(previous) = previous {
                previous.release();
            }
        }
    }
    Ok(())
}

fn handle(env: &Env, number: u32) -> Result<Rc<TieredHandle>> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    let handle = environment.tiered.handles.get(number);
    handle.ok_or_else(|| to_napi(Error::Closed { engine: "cache" }))
}

/// Chooses the events that a handle hears, as a sum of their bits.
#[napi(catch_unwind)]
pub fn tiered_listen(env: &Env, number: u32, mask: u32) -> Result<()> {
    handle(env, number)?.stack.agent.choose(mask as u8);
    Ok(())
}

/// One level's counts.
#[napi(object)]
pub struct LevelStats {
    pub level: u32,
    pub tier: String,
    pub hits: f64,
    pub missed_writes: f64,
    /// The state of its breaker, if it has one.
    pub breaker: Option<String>,
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// All counters of a cache.
#[napi(object)]
pub struct TieredStats {
    pub misses: f64,
    pub writes: f64,
    pub promotions: f64,
    pub loads: f64,
    pub load_failures: f64,
    pub stale: f64,
    pub refreshes: f64,
    pub failures: f64,
    pub events_dropped: f64,
    pub levels: Vec<LevelStats>,
}

/// A snapshot of the counters. Three levels, whether there are tiers or not.
#[napi(catch_unwind)]
pub fn tiered_stats(env: &Env, number: u32) -> Result<TieredStats> {
    let handle = handle(env, number)?;
    let metrics = handle.cache.metrics();
    let read =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed) as f64;
    let hits = metrics.hits();
    let level = |number: u8| {
        let level = handle.stack.levels.iter().find(|level| level.number == number);
        let latency = metrics.latency(number);
        let in_front = number == 1 && handle.stack.front.is_some();
        LevelStats {
            level: u32::from(number),
            tier: match level {
                Some(level) => level.name().to_owned(),
                None if in_front => "memory".to_owned(),
                None => String::new(),
            },
            hits: hits[usize::from(number) - 1] as f64,
            missed_writes: level.map_or(0.0, |level| level.outbox.missed() as f64),
            breaker: level
                .and_then(|level| level.breaker())
                .map(|breaker| breaker.state(clock::now_ms()).name().to_owned()),
            mean: latency.map(|latency| latency.mean),
            p50: latency.map(|latency| latency.p50),
            p95: latency.map(|latency| latency.p95),
            p99: latency.map(|latency| latency.p99),
        }
    };
    Ok(TieredStats {
        misses: read(&metrics.misses),
        writes: read(&metrics.writes),
        promotions: read(&metrics.promotions),
        loads: read(&metrics.loads),
        load_failures: read(&metrics.load_failures),
        stale: read(&metrics.stale),
        refreshes: read(&metrics.refreshes),
        failures: read(&metrics.failures),
        events_dropped: handle.stack.agent.dropped() as f64,
        levels: (1..=3).map(level).collect(),
    })
}
