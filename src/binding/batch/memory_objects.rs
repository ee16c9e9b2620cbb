//! Objects of data providers in memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::environment::Environment;
use crate::binding::memory_cache::hot;
use crate::binding::values;
use crate::engine::batch::objects::{MemoryObjects, Object, UUID_LENGTH, new_uuids, parse_uuid, write_uuid};
use crate::engine::cache::record::Kind;
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "memoryObjectsAdd" => add,
    "memoryObjectsGet" => get,
    "memoryObjectsRemove" => remove,
    "memoryObjectsPage" => page,
    "memoryObjectsCount" => count,
    "memoryObjectsClear" => clear,
    "memoryObjectsBytes" => bytes,
};

/// A change of bytes that is worth a report to V8.
const REPORT_BYTES: i64 = 1 << 20;

/// One handle: a JavaScript object's own store.
#[derive(Debug, Default)]
pub struct MemoryObjectsHandle {
    objects: RefCell<MemoryObjects>,
    reported: Cell<i64>,
}

impl MemoryObjectsHandle {
    /// Tells V8 now and then what the collector would free with the provider.
    fn report(&self, env: sys::napi_env, bytes: i64) {
        let change = bytes - self.reported.get();
        if change.abs() >= REPORT_BYTES || (bytes == 0 && change != 0) {
            let mut total = 0;
            // SAFETY: `env` is the calling environment. A failure costs precision only.
            unsafe { sys::napi_adjust_external_memory(env, change, &mut total) };
            self.reported.set(bytes);
        }
    }

    fn report_now(&self, env: sys::napi_env) {
        let bytes = self.objects.borrow().bytes() as i64;
        self.report(env, bytes);
    }
}

/// Opens a store of objects in memory and returns its number.
#[napi(catch_unwind)]
pub fn open_memory_objects(env: Env) -> napi::Result<u32> {
    let environment = Environment::of(&env)?;
    Ok(environment
        .batches
        .memory_objects
        .add(|_| MemoryObjectsHandle::default()))
}

/// Closes a store, and everything in it is gone. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_memory_objects(env: Env, handle: u32) -> napi::Result<()> {
    if let Some(handle) = Environment::of(&env)?.batches.memory_objects.remove(handle) {
        handle.report(env.raw(), 0);
    }
    Ok(())
}

fn store<const N: usize>(call: &Call<'_, N>) -> Result<Rc<MemoryObjectsHandle>, Failure> {
    let handle = call.environment.batches.memory_objects.get(call.u32(0)?);
    handle.ok_or_else(|| {
        let engine = "data provider";
        Error::Closed { engine }.into()
    })
}

/// `memoryObjectsAdd(handle, container, payloads, count)`: adds objects whose payloads lie one
/// behind the other; their kinds and where they end stand in the scratch memory. Answers with
/// their new UUIDs, one behind the other.
fn add(call: &Call<'_, 4>) -> Returned {
    let store = store(call)?;
    let (payloads, count) = (call.buffer(2)?, call.u32(3)? as usize);
    let shapes = call.environment.scratch.get();
    let mut uuids = Vec::with_capacity(count * UUID_LENGTH);
    call.with_text(1, |container| {
        let mut objects = store.objects.borrow_mut();
        let mut start = 0;
        for (index, uuid) in new_uuids(count).enumerate() {
            let end = shapes.word(2 * index + 1) as u32 as usize;
            let object = Object {
                kind: Kind(shapes.word(2 * index) as u8),
                bytes: payloads.get(start..end).unwrap_or_default().into(),
            };
            start = end;
            objects.put(container, uuid, object);
            write_uuid(uuid, &mut uuids);
        }
    })?;
    store.report_now(call.env);
    values::string(call.env, Kind::LATIN1, &uuids)
}

/// `memoryObjectsGet(handle, container, uuid)`: handed over as reads of a cache are.
fn get(call: &Call<'_, 3>) -> Returned {
    let store = store(call)?;
    let uuid = call.with_text(2, parse_uuid)?;
    let objects = store.objects.borrow();
    call.with_text(1, |container| {
        match uuid.and_then(|uuid| objects.get(container, uuid)) {
            Some(Object { kind, bytes }) => hot::hand_over_bytes(call, *kind, bytes),
            None => call.int(hot::MISS),
        }
    })?
}

/// `memoryObjectsRemove(handle, container, uuid)`: 1 if there was one.
fn remove(call: &Call<'_, 3>) -> Returned {
    let store = store(call)?;
    let uuid = call.with_text(2, parse_uuid)?;
    let removed = call.with_text(1, |container| {
        uuid.is_some_and(|uuid| store.objects.borrow_mut().remove(container, uuid))
    })?;
    store.report_now(call.env);
    call.int(i32::from(removed))
}

/// `memoryObjectsPage(handle, container, after, most)`: UUIDs that come after one, or from
/// the first on; one behind the other.
fn page(call: &Call<'_, 4>) -> Returned {
    let store = store(call)?;
    let after = call.with_text(2, parse_uuid)?;
    let most = call.u32(3)? as usize;
    let uuids = call.with_text(1, |container| store.objects.borrow().page(container, after, most))?;
    let mut text = Vec::with_capacity(uuids.len() * UUID_LENGTH);
    uuids.into_iter().for_each(|uuid| write_uuid(uuid, &mut text));
    values::string(call.env, Kind::LATIN1, &text)
}

/// `memoryObjectsCount(handle, container)`
fn count(call: &Call<'_, 2>) -> Returned {
    let store = store(call)?;
    let count = call.with_text(1, |container| store.objects.borrow().count(container))?;
    call.number(count as f64)
}

/// `memoryObjectsClear(handle, container)`: how many were removed; an empty name means all.
fn clear(call: &Call<'_, 2>) -> Returned {
    let store = store(call)?;
    let removed = call.with_text(1, |container| {
        let container = (!container.is_empty()).then_some(container);
        store.objects.borrow_mut().clear(container)
    })?;
    store.report_now(call.env);
    call.number(removed as f64)
}

/// `memoryObjectsBytes(handle)`
fn bytes(call: &Call<'_, 1>) -> Returned {
    let bytes = store(call)?.objects.borrow().bytes();
    call.number(bytes as f64)
}
