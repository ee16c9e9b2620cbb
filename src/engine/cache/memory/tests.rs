//! What the engine promises, for every eviction policy and without JavaScript.

mod concurrency;
mod corners;
mod effects;
mod entries;
mod hit_ratio;
mod loads;
mod model;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::{EvictionPolicy, Options};
use super::{Entry, MemoryCache, Number, Written};
use crate::engine::cache::dice::Dice;
use crate::engine::cache::events::Subscription;
use crate::engine::cache::record::{Key, Kind, Lifetime, Record};
use crate::engine::completion::{CompletionQueue, Waker};

const POLICIES: [EvictionPolicy; 3] = [
    EvictionPolicy::Adaptive,
    EvictionPolicy::TinyLfu,
    EvictionPolicy::Lru,
];

const ENDLESS: Lifetime = Lifetime {
    ttl_ms: None,
    idle_ms: None,
};
const HOUR_MS: u64 = 3_600_000;
const HOUR: Lifetime = ttl(HOUR_MS);

const fn ttl(ms: u64) -> Lifetime {
    Lifetime {
        ttl_ms: Some(ms),
        idle_ms: None,
    }
}

/// Runs `check` on a cache of each policy and recounts everything afterwards.
fn each_with(options: &Options, check: impl Fn(&Arc<MemoryCache>)) {
    for policy in POLICIES {
        let cache = MemoryCache::new(&Options {
            eviction_policy: Some(policy),
            ..options.clone()
        });
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&cache)));
        if let Err(panic) = checked {
            eprintln!("with the policy {policy:?}");
            std::panic::resume_unwind(panic);
        }
        validate(&cache);
    }
}

/// The same with room for everything.
fn each(check: impl Fn(&Arc<MemoryCache>)) {
    each_with(&Options::default(), check);
}

fn validate(cache: &MemoryCache) {
    if let Err(error) = cache.validate() {
        panic!("{error}: {cache:?}");
    }
}

fn key(name: &str) -> Key<'_> {
    Key::new(name.as_bytes())
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn text<'a>(payload: &'a str, lifetime: Lifetime, tags: &'a [String]) -> Entry<'a> {
    Entry {
        kind: Kind::LATIN1,
        payload: payload.as_bytes(),
        lifetime,
        tags,
    }
}

fn set_with(cache: &MemoryCache, name: &str, value: &str, lifetime: Lifetime, tags: &[&str]) -> Written {
    cache.set(key(name), text(value, lifetime, &strings(tags)))
}

fn set(cache: &MemoryCache, name: &str, value: &str) {
    assert_eq!(set_with(cache, name, value, ENDLESS, &[]), Written::Stored);
}

fn by(amount: f64) -> Number<'static> {
    Number {
        by: amount,
        lifetime: ENDLESS,
        tags: &[],
    }
}

/// The stored bytes of a record as text; the tests that use it store ASCII.
fn payload(record: Option<Record>) -> Option<String> {
    record.map(|record| String::from_utf8_lossy(record.payload()).into_owned())
}

fn peek(cache: &MemoryCache, name: &str) -> Option<String> {
    payload(cache.peek(key(name)))
}

fn number(cache: &MemoryCache, name: &str) -> Option<f64> {
    cache.peek(key(name))?.as_number()
}

fn version(cache: &MemoryCache, name: &str) -> u32 {
    cache.versions().current(cache.versions().slot(key(name).hash))
}

fn keys(cache: &MemoryCache) -> Vec<String> {
    let mut keys = Vec::new();
    cache.for_each_key(None, &mut |key| {
        keys.push(String::from_utf8_lossy(key).into_owned())
    });
    keys.sort_unstable();
    keys
}

struct Silent;

impl Waker for Silent {
    fn wake(&self) {}
}

fn environment() -> Arc<CompletionQueue> {
    Arc::new(CompletionQueue::new(Box::new(Silent)))
}

fn subscribe(cache: &MemoryCache) -> Arc<Subscription<Record>> {
    let subscription = cache.subscriptions().add(environment(), 0);
    cache.subscriptions().choose(&subscription, u8::MAX);
    subscription
}

/// Waits for a condition that another thread brings about.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited in vain: {what}"
        );
        std::thread::yield_now();
    }
}
