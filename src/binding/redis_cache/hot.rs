//! The hot calls: each puts a request into the handle's outbox, and `redisFlush` sends them.

use std::rc::Rc;

use super::RedisHandle;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values;
use crate::engine::cache::redis::request::Request;
use crate::engine::cache::redis::wire::{self, Stamp};
use crate::engine::completion::{Outcome, Reply};
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "redisGet" => get,
    "redisGetEntry" => get_entry,
    "redisHas" => has,
    "redisTakeKey" => take_key,
    "redisGetTtl" => get_ttl,
    "redisPing" => ping,
    "redisSet" => set,
    "redisStage" => stage,
    "redisSetStaged" => set_staged,
    "redisTouch" => touch,
    "redisIncrement" => increment,
    "redisName" => name,
    "redisGetMany" => get_many,
    "redisDeleteMany" => delete_many,
    "redisFlush" => flush,
};

fn handle<const N: usize>(call: &Call<'_, N>) -> Result<Rc<RedisHandle>, Failure> {
    let handle = call.environment.redis_caches.handles.get(call.u32(0)?);
    handle.ok_or(Failure::Engine(Error::Closed { engine: "cache" }))
}

/// The time to live that JavaScript means: negative for the cache's default, infinite for ever.
fn ttl_ms<const N: usize>(
    call: &Call<'_, N>,
    index: usize,
    handle: &RedisHandle,
) -> Result<Option<u64>, Failure> {
    let given = call.f64(index)?;
    if given < 0.0 {
        return Ok(handle.cache.config().ttl_ms);
    }
    Ok(given.is_finite().then(|| given.ceil() as u64))
}

/// Puts a request about the key in argument 1 into the outbox.
fn about_key<const N: usize>(call: &Call<'_, N>, request: impl FnOnce(Vec<u8>) -> Request) -> Returned {
    let handle = handle(call)?;
    let name = call.with_text(1, |key| handle.cache.keys().name(key))?;
    handle.outbox.borrow_mut().push(request(name));
    call.undefined()
}

/// `redisGet(handle, key)`
fn get(call: &Call<'_, 2>) -> Returned {
    about_key(call, Request::Get)
}

/// `redisGetEntry(handle, key)`
fn get_entry(call: &Call<'_, 2>) -> Returned {
    about_key(call, Request::GetWithTtl)
}

/// `redisHas(handle, key)`
fn has(call: &Call<'_, 2>) -> Returned {
    about_key(call, Request::Has)
}

/// `redisTakeKey(handle, key)`
fn take_key(call: &Call<'_, 2>) -> Returned {
    about_key(call, Request::Take)
}

/// `redisGetTtl(handle, key)`
fn get_ttl(call: &Call<'_, 2>) -> Returned {
    about_key(call, Request::Ttl)
}

/// `redisPing(handle)`
fn ping(call: &Call<'_, 1>) -> Returned {
    handle(call)?.outbox.borrow_mut().push(Request::Ping);
    call.undefined()
}

/// `redisTouch(handle, key, ttlMs)`
fn touch(call: &Call<'_, 3>) -> Returned {
    let ttl_ms = ttl_ms(call, 2, &*handle(call)?)?;
    about_key(call, |name| Request::Touch { name, ttl_ms })
}

/// `redisIncrement(handle, key, by, ttlMs)`
fn increment(call: &Call<'_, 4>) -> Returned {
    let by = call.f64(2)?;
    let ttl_ms = ttl_ms(call, 3, &*handle(call)?)?;
    about_key(call, |name| Request::Increment { name, by, ttl_ms })
}

/// The key and the value, in the form of Redis, that arguments 1 to 7 describe: key, kind,
/// payload, start, end, number and length of the dictionary.
fn pair<const N: usize>(call: &Call<'_, N>, handle: &RedisHandle) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let name = call.with_text(1, |key| handle.cache.keys().name(key))?;
    let stamp = Stamp {
        dictionary: call.u32(6)?,
        shapes: call.u32(7)? as u8,
    };
    let format = handle.cache.config().format;
    let value = values::with_encoded(call, [2, 3, 4, 5], |kind, payload| {
        wire::write(format, kind, payload, Some(stamp))
    })?;
    Ok((name, value))
}

/// `redisSet(handle, key, kind, payload, start, end, dictionary, shapes, ttlMs)`
fn set(call: &Call<'_, 9>) -> Returned {
    let handle = handle(call)?;
    let ttl_ms = ttl_ms(call, 8, &handle)?;
    let (name, value) = pair(call, &handle)?;
    handle
        .outbox
        .borrow_mut()
        .push(Request::Set { name, value, ttl_ms });
    call.undefined()
}

/// `redisStage(handle, key, kind, payload, start, end, dictionary, shapes)`: one pair of a bulk
/// write.
fn stage(call: &Call<'_, 8>) -> Returned {
    let handle = handle(call)?;
    let pair = pair(call, &handle)?;
    handle.staged.borrow_mut().push(pair);
    call.undefined()
}

/// `redisSetStaged(handle, ttlMs)`
fn set_staged(call: &Call<'_, 2>) -> Returned {
    let handle = handle(call)?;
    let ttl_ms = ttl_ms(call, 1, &handle)?;
    let entries = handle.staged.take();
    handle
        .outbox
        .borrow_mut()
        .push(Request::SetMany { entries, ttl_ms });
    call.undefined()
}

/// `redisName(handle, joined, count, from)`: keys of the bulk request that comes next, from the
/// place `from` on.
fn name(call: &Call<'_, 4>) -> Returned {
    let handle = handle(call)?;
    let from = call.u32(3)? as usize;
    call.with_joined([1, 2], |keys| {
        let mut named = handle.named.borrow_mut();
        // Of a request that failed half-way, nothing is left.
        named.truncate(from);
        named.extend(keys.iter().map(|key| handle.cache.keys().name(key)));
    })?;
    call.undefined()
}

/// `redisGetMany(handle)`: of the keys that were named.
fn get_many(call: &Call<'_, 1>) -> Returned {
    about_named(call, Request::GetMany)
}

/// `redisDeleteMany(handle)`: of the keys that were named.
fn delete_many(call: &Call<'_, 1>) -> Returned {
    about_named(call, Request::Delete)
}

fn about_named(call: &Call<'_, 1>, request: impl FnOnce(Vec<Vec<u8>>) -> Request) -> Returned {
    let handle = handle(call)?;
    let names = handle.named.take();
    handle.outbox.borrow_mut().push(request(names));
    call.undefined()
}

/// `redisFlush(handle, operation)`: sends what has gathered; `operation` is done once all
/// answers are there. Answers with the version of the dictionary.
fn flush(call: &Call<'_, 2>) -> Returned {
    let handle = handle(call)?;
    let operation = call.u32(1)?;
    let requests = handle.outbox.take();
    let (inbox, queue) = (
        call.environment.redis_caches.inbox.clone(),
        call.environment.queue.clone(),
    );
    let respond = move |answers| {
        inbox.put(operation, answers);
        queue.push(operation, Outcome::Done(Reply::None));
    };
    handle.cache.submit(requests, Box::new(respond));
    call.number(f64::from(handle.cache.dictionary().version()))
}
