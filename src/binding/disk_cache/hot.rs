//! The hot calls: reads and writes of single keys.
//!
//! Reads answer as those of the memory cache do. Writes answer nothing: the operation whose
//! number they are given is answered after the commit.

use super::{answer, handle_of, lifetime};
use crate::binding::call::{Call, EntryPoint, Returned, entry_points};
use crate::binding::values;
use crate::engine::cache::disk::reads::Inline;
use crate::engine::cache::record::Kind;
use crate::engine::completion::Reply;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "diskGet" => get,
    "diskHas" => has,
    "diskGetTtl" => get_ttl,
    "diskLoad" => load,
    "diskSet" => set,
    "diskDelete" => delete,
    "diskTouch" => touch,
    "diskIncrement" => increment,
};

/// The value is described by the header.
pub const HIT: i32 = 0;
/// The key is not there.
pub const MISS: i32 = -1;
/// The handle was closed.
const CLOSED: i32 = -2;
/// The value is in a file.
pub const OTHER: i32 = -3;

/// Words of the header.
pub mod word {
    pub const KIND: usize = 0;
    pub const LENGTH: usize = 2;
}

/// Looks up the handle in argument 0, or answers that it is closed.
macro_rules! handle {
    ($call:ident) => {
        match $call.environment.disk_caches.handles.get($call.u32(0)?) {
            Some(handle) => handle,
            None => return $call.int(CLOSED),
        }
    };
}
pub(super) use handle;

/// `diskGet(handle, key)`
fn get(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let found = call.with_text(1, |key| {
        handle
            .cache
            .with_inline(key, |kind, bytes| hand_over(call, kind, bytes))
    })??;
    match found {
        Inline::Value(value) => value,
        Inline::InFile => call.int(OTHER),
        Inline::Missing => call.int(MISS),
    }
}

/// Hands a value over: a string as such, other bytes through the scratch memory if they fit,
/// else in a Buffer of their own.
pub fn hand_over<const N: usize>(call: &Call<'_, N>, kind: Kind, bytes: &[u8]) -> Returned {
    let header = call.environment.header.get();
    header.set_word(word::KIND, i32::from(kind.0));
    header.set_word(word::LENGTH, bytes.len() as i32);
    if values::is_string(kind) {
        return values::string(call.env, kind, bytes);
    }
    if call.environment.scratch.get().write(0, bytes) {
        call.int(HIT)
    } else {
        values::buffer(call.env, bytes)
    }
}

/// `diskHas(handle, key)`
fn has(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let found = call.with_text(1, |key| handle.cache.peek(key, |_| ()))??;
    call.int(i32::from(found.is_some()))
}

/// `diskGetTtl(handle, key)`: remaining milliseconds, infinity, or `MISS`.
fn get_ttl(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    match call.with_text(1, |key| handle.cache.remaining_ms(key))?? {
        None => call.int(MISS),
        Some(None) => call.number(f64::INFINITY),
        Some(Some(ms)) => call.number(ms as f64),
    }
}

/// `diskLoad(handle, key, operation)`: a value that may be in a file, read on another thread.
fn load(call: &Call<'_, 3>) -> Returned {
    let handle = handle_of(call, 0)?;
    let done = answer(call.environment, call.u32(2)?, |found| match found {
        Some((kind, payload)) => Reply::Value(kind, payload),
        None => Reply::None,
    });
    call.with_text(1, |key| handle.cache.load_elsewhere(key, done))?;
    call.undefined()
}

/// `diskSet(handle, key, kind, payload, start, end, ttlMs, operation)`
fn set(call: &Call<'_, 8>) -> Returned {
    let handle = handle_of(call, 0)?;
    let lifetime = lifetime(call.f64(6)?);
    let done = answer(call.environment, call.u32(7)?, Reply::Flag);
    call.with_text(1, |key| {
        values::with_encoded(call, [2, 3, 4, 5], |kind, payload| {
            handle.cache.set(key, kind, payload, lifetime, done);
        })
    })??;
    call.undefined()
}

/// `diskDelete(handle, key, operation)`
fn delete(call: &Call<'_, 3>) -> Returned {
    let handle = handle_of(call, 0)?;
    let done = answer(call.environment, call.u32(2)?, Reply::Flag);
    call.with_text(1, |key| handle.cache.delete(key, done))?;
    call.undefined()
}

/// `diskTouch(handle, key, ttlMs, operation)`
fn touch(call: &Call<'_, 4>) -> Returned {
    let handle = handle_of(call, 0)?;
    let lifetime = lifetime(call.f64(2)?);
    let done = answer(call.environment, call.u32(3)?, Reply::Flag);
    call.with_text(1, |key| handle.cache.touch(key, lifetime, done))?;
    call.undefined()
}

/// `diskIncrement(handle, key, by, ttlMs, operation)`
fn increment(call: &Call<'_, 5>) -> Returned {
    let handle = handle_of(call, 0)?;
    let (by, lifetime) = (call.f64(2)?, lifetime(call.f64(3)?));
    let done = answer(call.environment, call.u32(4)?, Reply::Number);
    call.with_text(1, |key| handle.cache.increment(key, by, lifetime, done))?;
    call.undefined()
}
