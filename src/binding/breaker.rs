//! Circuit breakers for JavaScript's own functions: the same state machine that the tiers use.
//! Each belongs to one JavaScript object, and goes with it.

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::redis_cache::RedisBreaker;
use crate::engine::breaker::{Breaker, Permit, State};
use crate::engine::clock;

/// What a breaker has counted.
#[napi(object)]
pub struct BreakerCounts {
    pub successes: f64,
    pub failures: f64,
    pub rejections: f64,
    pub openings: f64,
    pub retry_after_ms: f64,
}

/// Makes a breaker.
#[napi(catch_unwind)]
pub fn make_breaker(options: RedisBreaker) -> External<Breaker> {
    External::new(Breaker::new(options.into()))
}

/// The permit to make a call, or null.
#[napi(catch_unwind)]
pub fn acquire_permit(breaker: &External<Breaker>) -> Option<External<Permit>> {
    breaker.acquire(clock::now_ms()).map(External::new)
}

/// How the call of a permit went; null says nothing about the service.
#[napi(catch_unwind)]
pub fn report_call(breaker: &External<Breaker>, permit: &External<Permit>, succeeded: Option<bool>) {
    match succeeded {
        Some(true) => breaker.succeed(**permit, clock::now_ms()),
        Some(false) => breaker.fail(**permit, clock::now_ms()),
        None => breaker.release(**permit),
    }
}

/// `closed`, `open` or `half-open`.
#[napi(catch_unwind)]
pub fn breaker_state(breaker: &External<Breaker>) -> &'static str {
    State::name(breaker.state(clock::now_ms()))
}

/// A snapshot.
#[napi(catch_unwind)]
pub fn breaker_counts(breaker: &External<Breaker>) -> BreakerCounts {
    let counts = breaker.counts();
    BreakerCounts {
        successes: counts.successes as f64,
        failures: counts.failures as f64,
        rejections: counts.rejections as f64,
        openings: counts.openings as f64,
        retry_after_ms: breaker.retry_after_ms(clock::now_ms()) as f64,
    }
}
