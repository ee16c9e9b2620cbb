//! Single-flight loads: joining one, and settling it.

use super::{Flight, hot};
use crate::binding::call::{Call, EntryPoint, Returned, entry_points};
use crate::binding::values;
use crate::engine::cache::memory::Entry;
use crate::engine::cache::memory::flights::{Caller, Part};
use crate::engine::cache::record::Key;
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "join" => join,
    "settle" => settle,
    "settleFailure" => settle_failure,
};

/// The caller leads the load.
const LEAD: i32 = 1;
/// The caller will be told.
const FOLLOW: i32 = 2;

/// `join(handle, key, operation)`: `LEAD`, `FOLLOW`, or a value that came meanwhile, handed
/// over like that of a read.
fn join(call: &Call<'_, 3>) -> Returned {
    let (number, operation) = (call.u32(0)?, call.u32(2)?);
    let Some(handle) = call.environment.memory_caches.handles.get(number) else {
        return Err(Error::Closed { engine: "cache" }.into());
    };
    let environment = call.environment;
    call.with_key(1, |key| {
        let caller = Caller {
            environment: environment.queue.clone(),
            operation,
        };
        let part = match handle.cache.join(key, caller) {
            Ok(part) => part,
            Err(record) => return hot::hand_over(call, &record),
        };
        let (ticket, answer) = match part {
            Part::Lead(ticket) => (Some(ticket), LEAD),
            Part::Follow => (None, FOLLOW),
        };
        let cache = handle.cache.clone();
        let flight = Flight {
            cache,
            handle: number,
            key: key.bytes.into(),
            ticket,
        };
        environment
            .memory_caches
            .flights
            .borrow_mut()
            .insert(operation, flight);
        call.int(answer)
    })?
}

/// `settle(operation, kind, payload, start, end, ttlMs, idleMs, tags)`: the value that was
/// loaded, for the cache and for all who wait.
fn settle(call: &Call<'_, 8>) -> Returned {
    let tags = call.strings(7)?;
    let (ttl_ms, idle_ms) = (call.f64(5)?, call.f64(6)?);
    let flight = call
        .environment
        .memory_caches
        .flights
        .borrow_mut()
        .remove(&call.u32(0)?);
    if let Some(Flight {
        cache,
        key,
        ticket: Some(ticket),
        ..
    }) = flight
    {
        let lifetime = super::lifetime(&cache, ttl_ms, idle_ms);
        values::with_encoded(call, [1, 2, 3, 4], |kind, payload| {
            let entry = Entry {
                kind,
                payload,
                lifetime,
                tags: &tags,
            };
            cache.settle(Key::new(&key), ticket, entry);
        })?;
    }
    call.undefined()
}

/// `settleFailure(operation, error)`: the encoded error, for all who wait.
fn settle_failure(call: &Call<'_, 2>) -> Returned {
    let error = call.buffer(1)?;
    let flight = call
        .environment
        .memory_caches
        .flights
        .borrow_mut()
        .remove(&call.u32(0)?);
    if let Some(Flight {
        cache,
        key,
        ticket: Some(ticket),
        ..
    }) = flight
    {
        cache.settle_failure(Key::new(&key), ticket, error);
    }
    call.undefined()
}
