//! The operations. Each is begun on the caller's thread: one that needs no waiting answers there
//! and then, with a pair of form and value; any other goes on in the runtime, and answers through
//! the completion queue.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::{PendingLoad, TieredHandle};
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values::{self, with_encoded};
use crate::engine::cache::glob::Glob;
use crate::engine::cache::memory::flights::Caller;
use crate::engine::cache::tier::Tag;
use crate::engine::cache::tiered::change::NewValue;
use crate::engine::cache::tiered::load::{Loaded, Lock, Options};
use crate::engine::cache::tiered::search::Reading;
use crate::engine::completion::{Outcome, Reply};
use crate::engine::runtime;
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "tieredGet" => get,
    "tieredGetMany" => get_many,
    "tieredSet" => set,
    "tieredStage" => stage,
    "tieredSetMany" => set_many,
    "tieredDelete" => delete,
    "tieredClear" => clear,
    "tieredKeys" => keys_of,
    "tieredDeletePattern" => delete_pattern,
    "tieredExpire" => expire,
    "tieredInvalidateTags" => invalidate_tags,
    "tieredFlush" => flush,
    "tieredLoad" => load,
    "tieredLoaded" => loaded,
    "tieredLoadFailed" => load_failed,
    "tieredHits" => hits,
};

fn handle<const N: usize>(call: &Call<'_, N>) -> Result<Rc<TieredHandle>, Failure> {
    let handle = call.environment.tiered.handles.get(call.u32(0)?);
    let open = handle.filter(|handle| !handle.cache.is_closed());
    open.ok_or_else(|| Error::Closed { engine: "cache" }.into())
}

/// A form and a value.
fn pair<const N: usize>(call: &Call<'_, N>, reply: Reply) -> Returned {
    let form = values::number(call.env, f64::from(reply.form()))?;
    let value = values::reply(call.env, reply)?;
    values::array(call.env, &[form, value])
}

/// Begins an operation; argument 1 is its number.
fn begin<const N: usize>(call: &Call<'_, N>, work: impl Future<Output = Reply> + Send + 'static) -> Returned {
    let operation = call.u32(1)?;
    let runtime = runtime::handle()?;
    let mut work: Pin<Box<dyn Future<Output = Reply> + Send>> = Box::pin(work);
    let first = {
        // Timers of the operation belong to the runtime.
        let _inside = runtime.enter();
        work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    };
    if let Poll::Ready(reply) = first {
        return pair(call, reply);
    }
    let queue = call.environment.queue.clone();
    runtime.spawn(async move {
        // An environment that is gone needs no answer.
        queue.push(operation, Outcome::Done(work.await));
    });
    call.undefined()
}

/// Begins an operation that waits in any case, and may fail; argument 1 is its number.
fn begin_walk<const N: usize>(
    call: &Call<'_, N>,
    work: impl Future<Output = Result<Reply, Error>> + Send + 'static,
) -> Returned {
    let operation = call.u32(1)?;
    let queue = call.environment.queue.clone();
    runtime::handle()?.spawn(async move {
        queue.push(operation, work.await.into());
    });
    call.undefined()
}

/// A pattern, from a string.
fn pattern<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Glob, Failure> {
    call.with_text(index, Glob::new)?.map_err(|error| {
        let reason = error.to_string();
        Error::Pattern { reason }.into()
    })
}

fn key<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Arc<[u8]>, Failure> {
    call.with_text(index, |bytes| Arc::from(bytes))
}

/// Keys from an array of strings.
fn keys<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Vec<Arc<[u8]>>, Failure> {
    call.texts(index, |bytes| Arc::from(bytes))
}

/// A duration that JavaScript gave: negative or infinite for none.
fn duration<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Option<u64>, Failure> {
    let ms = call.f64(index)?;
    Ok((ms >= 0.0 && ms.is_finite()).then(|| ms.ceil() as u64))
}

fn tags<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Arc<[Tag]>, Failure> {
    let open = |name: String| Tag {
        name: name.into(),
        generation: 0,
    };
    Ok(call.strings(index)?.into_iter().map(open).collect())
}

fn reading<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Reading, Failure> {
    Ok(Reading {
        grace_ms: duration(call, index)?.unwrap_or(0),
        quiet: call.u32(index + 1)? != 0,
    })
}

/// `tieredGet(handle, operation, key, graceMs, quiet)`
fn get(call: &Call<'_, 5>) -> Returned {
    let handle = handle(call)?;
    let (key, reading) = (key(call, 2)?, reading(call, 3)?);
    begin(call, handle.cache.clone().get(handle.stack.clone(), key, reading))
}

/// `tieredGetMany(handle, operation, keys, graceMs, quiet)`
fn get_many(call: &Call<'_, 5>) -> Returned {
    let handle = handle(call)?;
    let (keys, reading) = (keys(call, 2)?, reading(call, 3)?);
    begin(
        call,
        handle.cache.clone().get_many(handle.stack.clone(), keys, reading),
    )
}

/// `tieredSet(handle, operation, key, kind, payload, start, end, ttlMs, graceMs, tags)`
fn set(call: &Call<'_, 10>) -> Returned {
    let handle = handle(call)?;
    let key = key(call, 2)?;
    let (ttl_ms, grace_ms) = (duration(call, 7)?, duration(call, 8)?);
    let tags = tags(call, 9)?;
    let value = with_encoded(call, [3, 4, 5, 6], |kind, payload| NewValue {
        kind,
        payload: Bytes::copy_from_slice(payload),
        ttl_ms,
        grace_ms: grace_ms.unwrap_or(0),
        early_ms: 0,
        tags,
        open_tags: true,
    })?;
    begin(call, handle.cache.set(&handle.stack, &key, &value))
}

/// `tieredStage(handle, key, kind, payload, start, end)`: a value for the next `tieredSetMany`.
fn stage(call: &Call<'_, 6>) -> Returned {
    let handle = handle(call)?;
    let key = key(call, 1)?;
    let (kind, payload) = with_encoded(call, [2, 3, 4, 5], |kind, payload| {
        (kind, Bytes::copy_from_slice(payload))
    })?;
    handle.staged.borrow_mut().push((key, kind, payload));
    call.undefined()
}

/// `tieredSetMany(handle, operation, ttlMs, graceMs, tags)`: what was staged.
fn set_many(call: &Call<'_, 5>) -> Returned {
    let handle = handle(call)?;
    let (ttl_ms, grace_ms) = (duration(call, 2)?, duration(call, 3)?);
    let tags = tags(call, 4)?;
    let staged = handle.staged.take().into_iter();
    let values = staged.map(|(key, kind, payload)| {
        let value = NewValue {
            kind,
            payload,
            ttl_ms,
            grace_ms: grace_ms.unwrap_or(0),
            early_ms: 0,
            tags: tags.clone(),
            open_tags: true,
        };
        (key, value)
    });
    begin(call, handle.cache.set_many(&handle.stack, values.collect()))
}

/// `tieredDelete(handle, operation, keys)`: how many were there.
fn delete(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let keys = keys(call, 2)?;
    begin(call, handle.cache.delete(&handle.stack, &keys))
}

/// `tieredClear(handle, operation)`
fn clear(call: &Call<'_, 2>) -> Returned {
    let handle = handle(call)?;
    begin(call, handle.cache.clone().clear(handle.stack.clone()))
}

/// `tieredKeys(handle, operation, pattern)`: all that any level has.
fn keys_of(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let glob = pattern(call, 2)?;
    begin_walk(call, handle.cache.clone().keys(handle.stack.clone(), glob))
}

/// `tieredDeletePattern(handle, operation, pattern)`: how many were there.
fn delete_pattern(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let glob = pattern(call, 2)?;
    begin_walk(
        call,
        handle.cache.clone().delete_pattern(handle.stack.clone(), glob),
    )
}

/// `tieredExpire(handle, operation, key)`: whether there was a fresh value.
fn expire(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let key = key(call, 2)?;
    begin(call, handle.cache.clone().expire(handle.stack.clone(), key))
}

/// `tieredInvalidateTags(handle, operation, tags)`: how many entries left memory.
fn invalidate_tags(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let tags = call.strings(2)?;
    begin(
        call,
        handle.cache.clone().invalidate_tags(handle.stack.clone(), tags),
    )
}

/// `tieredFlush(handle, operation)`: waits for what is being written; how much was missed.
fn flush(call: &Call<'_, 2>) -> Returned {
    let handle = handle(call)?;
    begin(call, handle.cache.clone().flush(handle.stack.clone()))
}

/// Flags of `tieredLoad`.
mod flag {
    /// Nobody looks at the value.
    pub const QUIET: u32 = 1;
    /// Load although there is a value.
    pub const REFRESH: u32 = 2;
}

/// `tieredLoad(handle, operation, key, ttlMs, graceMs, softMs, hardMs, earlyMs, holdMs, waitMs,
/// flags, tags)`: an answer that is there at once, or nothing. The operation is answered, or asked
/// to lead first.
fn load(call: &Call<'_, 12>) -> Returned {
    let handle = handle(call)?;
    let (operation, key) = (call.u32(1)?, key(call, 2)?);
    let wait_ms = duration(call, 9)?.unwrap_or(0);
    let flags = call.u32(10)?;
    let tags = call.strings(11)?;
    let options = Options {
        ttl_ms: duration(call, 3)?,
        grace_ms: duration(call, 4)?.unwrap_or(0),
        soft_ms: duration(call, 5)?,
        hard_ms: duration(call, 6)?,
        early_ms: duration(call, 7)?.unwrap_or(0),
        lock: duration(call, 8)?.map(|hold_ms| Lock { hold_ms, wait_ms }),
        tags: tags.into_iter().map(Arc::from).collect(),
        quiet: flags & flag::QUIET != 0,
        refresh: flags & flag::REFRESH != 0,
    };
    let environment = call.environment;
    let caller = Caller {
        environment: environment.queue.clone(),
        operation,
    };
    let pending = PendingLoad {
        cache: handle.cache.clone(),
        ticket: None,
    };
    // First: the answer may be on its way before the call below returns.
    environment.tiered.loads.borrow_mut().insert(operation, pending);
    match handle.cache.load(&handle.stack, &key, caller, options) {
        Ok(None) => call.undefined(),
        Ok(Some(reply)) => {
            environment.tiered.answered(operation);
            pair(call, reply)
        }
        Err(error) => {
            environment.tiered.answered(operation);
            Err(error.into())
        }
    }
}

fn finish<const N: usize>(call: &Call<'_, N>, loaded: Loaded) -> Result<(), Failure> {
    let load = call.environment.tiered.loads.borrow_mut().remove(&call.u32(0)?);
    if let Some(PendingLoad {
        cache,
        ticket: Some(ticket),
    }) = load
    {
        cache.loaded(ticket, loaded);
    }
    Ok(())
}

/// `tieredLoaded(operation, kind, payload, start, end)`: what the loader made.
fn loaded(call: &Call<'_, 5>) -> Returned {
    let loaded = with_encoded(call, [1, 2, 3, 4], |kind, payload| {
        Loaded::Value(kind, Bytes::copy_from_slice(payload))
    })?;
    finish(call, loaded)?;
    call.undefined()
}

/// `tieredLoadFailed(operation, error)`: the encoded error of the loader.
fn load_failed(call: &Call<'_, 2>) -> Returned {
    let error = Arc::from(call.buffer(1)?);
    finish(call, Loaded::Failed(error))?;
    call.undefined()
}

/// `tieredHits(handle, hits, ms)`: hits in memory that JavaScript served, and how long one took
/// (negative when nobody looked).
fn hits(call: &Call<'_, 3>) -> Returned {
    let handle = handle(call)?;
    let (hits, ms) = (call.f64(1)?, call.f64(2)?);
    let metrics = handle.cache.metrics();
    metrics.hit(1, hits as u64);
    if ms >= 0.0 {
        metrics.took(1, ms);
    }
    call.undefined()
}
