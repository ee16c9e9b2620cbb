//! The cold calls: opening, closing, walks over all keys, leases, statistics.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Env, Utf16String};
use napi_derive::napi;

use super::RedisHandle;
use super::options::RedisOptions;
use crate::binding::environment::Environment;
use crate::binding::to_napi;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::redis::config::Options;
use crate::engine::cache::redis::tracking::Invalidation;
use crate::engine::cache::redis::{Lease, RedisCache};
use crate::engine::completion::{CompletionQueue, Outcome, Reply};
use crate::engine::registry::Handle;
use crate::engine::{runtime, text};
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

fn uninitialised(error: napi::Error) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", error.reason)
}

fn handle(env: &Env, number: u32) -> Result<Rc<RedisHandle>> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    let handle = environment.redis_caches.handles.get(number);
    handle.ok_or_else(|| to_napi(Error::Closed { engine: "cache" }))
}

/// Opens a handle on a cache and returns its number.
#[napi(catch_unwind)]
pub fn open_redis_cache(env: Env, options: RedisOptions) -> Result<u32> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    let name = options.name.clone();
    let explicit = Options::from(options);
    let runtime = runtime::handle().map_err(to_napi)?;
    let handle = match &name {
        None => Handle::private(RedisCache::new(&explicit, runtime)),
        Some(name) => {
            let agrees = |cache: &RedisCache| cache.config().agree(name, &explicit);
            let create = || RedisCache::new(&explicit, runtime);
            RedisCache::registry()
                .open(name, agrees, create)
                .map_err(to_napi)?
        }
    };
    let number = environment.redis_caches.handles.add(|_| RedisHandle {
        cache: handle.engine().clone(),
        name,
        handle: RefCell::new(Some(handle)),
        outbox: RefCell::default(),
        named: RefCell::default(),
        staged: RefCell::default(),
        listener: RefCell::default(),
    });
    Ok(number)
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_redis_cache(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.redis_caches.handles.remove(number) {
        handle.end(Handle::close);
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named cache stays.
#[napi(catch_unwind)]
pub fn collect_redis_cache(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.redis_caches.handles.remove(number) {
        let pin = handle.end(Handle::collect).flatten();
        if let (Some(pin), Some(name)) = (pin, &handle.name) {
            environment.redis_caches.pin(name.clone(), pin);
        }
    }
    Ok(())
}

/// How a cache does.
#[napi(object)]
pub struct RedisStatus {
    pub connection: String,
    pub reason: Option<String>,
    pub address: String,
    pub key_prefix: String,
    pub format: String,
    pub tracking: bool,
    pub invalidations: f64,
    pub breaker: Option<String>,
    pub breaker_openings: f64,
    pub shapes: u32,
    pub hits: f64,
    pub misses: f64,
    pub sets: f64,
    pub deletes: f64,
    pub commands: f64,
    pub batches: f64,
    pub errors: f64,
    pub timeouts: f64,
    pub rejections: f64,
    pub reconnects: f64,
    pub undecodable: f64,
}

/// A snapshot.
#[napi(catch_unwind)]
pub fn redis_status(env: Env, number: u32) -> Result<RedisStatus> {
    let handle = handle(&env, number)?;
    let (config, status) = (handle.cache.config(), handle.cache.status());
    let counts = status.counts;
    let openings = status.breaker.map_or(0, |(_, counts)| counts.openings);
    Ok(RedisStatus {
        connection: status.link.to_owned(),
        reason: status.reason,
        address: config.server.address(),
        key_prefix: String::from_utf8_lossy(&config.prefix).into_owned(),
        format: config.format.name().to_owned(),
        tracking: status.tracking,
        invalidations: status.invalidations as f64,
        breaker: status.breaker.map(|(state, _)| state.name().to_owned()),
        breaker_openings: openings as f64,
        shapes: u32::from(status.shapes),
        hits: counts.hits as f64,
        misses: counts.misses as f64,
        sets: counts.sets as f64,
        deletes: counts.deletes as f64,
        commands: counts.commands as f64,
        batches: counts.batches as f64,
        errors: counts.errors as f64,
        timeouts: counts.timeouts as f64,
        rejections: counts.rejections as f64,
        reconnects: counts.reconnects as f64,
        undecodable: counts.undecodable as f64,
    })
}

/// Does something on the runtime, and hands the result to JavaScript's operation.
fn begin<F>(env: &Env, number: u32, operation: u32, work: impl FnOnce(Arc<RedisCache>) -> F) -> Result<()>
where
    F: Future<Output = crate::error::Result<Reply>> + Send + 'static,
{
    let queue: Arc<CompletionQueue> = Environment::of(env).map_err(uninitialised)?.queue.clone();
    let work = work(handle(env, number)?.cache.clone());
    runtime::handle().map_err(to_napi)?.spawn(async move {
        queue.push(operation, Outcome::from(work.await));
    });
    Ok(())
}

fn wtf8(text: &Utf16String) -> Vec<u8> {
    let mut bytes = Vec::new();
    text::utf16_to_wtf8(text, &mut bytes);
    bytes
}

fn glob(pattern: Option<Utf16String>) -> Result<Option<Glob>> {
    let compile = |pattern: Utf16String| {
        Glob::new(&wtf8(&pattern)).map_err(|error| {
            to_napi(Error::Pattern {
                reason: error.to_string(),
            })
        })
    };
    pattern.map(compile).transpose()
}

/// The keys that a pattern means, or all of them.
#[napi(catch_unwind)]
pub fn redis_keys(env: Env, number: u32, operation: u32, pattern: Option<Utf16String>) -> Result<()> {
    let glob = glob(pattern)?;
    begin(&env, number, operation, |cache| async move {
        Ok(Reply::Keys(cache.keys_matching(glob.as_ref()).await?))
    })
}

/// Deletes the keys that a pattern means, or all of them.
#[napi(catch_unwind)]
pub fn redis_delete_matching(
    env: Env,
    number: u32,
    operation: u32,
    pattern: Option<Utf16String>,
) -> Result<()> {
    let glob = glob(pattern)?;
    begin(&env, number, operation, |cache| async move {
        Ok(Reply::Number(cache.delete_matching(glob.as_ref()).await? as f64))
    })
}

/// Takes a lease: its owner and its token, or nothing.
#[napi(catch_unwind)]
pub fn redis_lease(env: Env, number: u32, operation: u32, key: Utf16String, ttl_ms: f64) -> Result<()> {
    begin(&env, number, operation, |cache| async move {
        let lease = cache.lease(&wtf8(&key), ttl_ms as u64).await?;
        Ok(lease.map_or(Reply::None, |lease| {
            let owner = String::from_utf8_lossy(&lease.owner).into_owned();
            Reply::Texts(vec![owner, lease.token.to_string()])
        }))
    })
}

/// Extends a lease; ends it with a ttl of 0.
#[napi(catch_unwind)]
pub fn redis_change_lease(
    env: Env,
    number: u32,
    operation: u32,
    key: Utf16String,
    owner: String,
    ttl_ms: f64,
) -> Result<()> {
    let lease = Lease {
        key: wtf8(&key),
        owner: owner.into_bytes(),
        token: 0,
    };
    begin(&env, number, operation, |cache| async move {
        let held = match ttl_ms {
            0.0 => cache.release_lease(&lease).await?,
            ttl_ms => cache.extend_lease(&lease, ttl_ms as u64).await?,
        };
        Ok(Reply::Flag(held))
    })
}

/// A document of the dictionary by its number, 0 for the current one.
#[napi(catch_unwind)]
pub fn redis_dictionary(env: Env, number: u32, document: u32) -> Result<Option<Buffer>> {
    let handle = handle(&env, number)?;
    let dictionary = handle.cache.dictionary();
    let document = match document {
        0 => dictionary.current(),
        number => dictionary.document(number),
    };
    Ok(document.map(|document| document.text.to_vec().into()))
}

/// Proposes a shape, a JSON array of names, for the dictionary.
#[napi(catch_unwind)]
pub fn redis_propose_shape(env: Env, number: u32, shape: String) -> Result<()> {
    handle(&env, number)?.cache.propose_shape(shape.into_bytes());
    Ok(())
}

/// Begins or ends to hear of what others change: `subscription` has events then, which
/// `redisTakeChanges` takes.
#[napi(catch_unwind)]
pub fn redis_listen(env: Env, number: u32, subscription: u32, listen: bool) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    let handle = handle(&env, number)?;
    if let Some(listener) = handle.listener.take() {
        handle.cache.listeners.remove(listener);
    }
    if listen {
        let (queue, inbox) = (environment.queue.clone(), environment.redis_caches.inbox.clone());
        let listener = handle.cache.listeners.add(move |invalidation| {
            let keys = match invalidation {
                Invalidation::All => None,
                Invalidation::Keys(keys) => Some(keys),
            };
            if inbox.add_changes(subscription, keys) {
                queue.push(subscription, Outcome::Events);
            }
            true
        });
        *handle.listener.borrow_mut() = Some(listener);
    }
    Ok(())
}
