//! The only place where Node-API appears. Converts, and decides nothing.
//!
//! Hot entry points are written against the C interface ([`call`]), cold ones with the
//! macros of `napi-derive`. Everything that belongs to one JavaScript environment hangs on
//! its [`Environment`](environment::Environment) and goes with it.

mod batch;
mod breaker;
mod call;
mod completion;
mod compute;
mod disk_cache;
mod durations;
mod environment;
mod handles;
mod jobs;
mod joined;
mod load;
mod memory;
mod memory_cache;
mod monitor;
mod redis_cache;
mod tiered;
mod values;
mod worker_pool;

use napi::JsValue;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;

/// Runs once per environment that loads the addon.
#[napi(module_exports)]
pub fn register(exports: Object, env: Env) -> napi::Result<()> {
    let environment = environment::Environment::install(env.raw())?;
    let redis_cache = redis_cache::ENTRY_POINTS.into_iter().flatten();
    let entry_points = environment::ENTRY_POINTS
        .iter()
        .chain(memory_cache::ENTRY_POINTS)
        .chain(batch::ENTRY_POINTS.into_iter().flatten())
        .chain(disk_cache::ENTRY_POINTS)
        .chain(compute::ENTRY_POINTS)
        .chain(jobs::ENTRY_POINTS)
        .chain(redis_cache)
        .chain(memory::entry_points())
        .chain(monitor::ENTRY_POINTS)
        .chain(tiered::ENTRY_POINTS.into_iter().flatten())
        .chain(worker_pool::ENTRY_POINTS);
    for (name, callback) in entry_points {
        call::export(env.raw(), exports.raw(), name, *callback, environment)?;
    }
    Ok(())
}

/// Turns an engine's error into one that JavaScript sees with its code.
fn to_napi(error: crate::error::Error) -> napi::Error<&'static str> {
    napi::Error::new(error.code(), error.to_string())
}
