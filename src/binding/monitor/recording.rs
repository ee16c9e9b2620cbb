//! The ring of this environment, and the few calls that recording needs beside it.

use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use super::{Result, environment, returned};
use crate::binding::call::{Call, EntryPoint, Returned, entry_points};
use crate::binding::values;
use crate::engine::monitor::ring::{Memory, SLOTS};
use crate::engine::monitor::worker;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "monitorMakeRoom" => make_room,
    "monitorWrite" => write,
    "monitorAnswer" => answer,
};

/// The ring of this thread as an ArrayBuffer over native memory, or null where such memory is
/// refused.
#[napi(catch_unwind)]
pub fn monitor_ring(env: &Env) -> Result<Unknown<'_>> {
    let environment = environment(env)?;
    let ring = environment
        .monitoring
        .ring
        .get_or_init(|| worker::process().open_ring());
    let data = std::ptr::from_ref(ring.memory()).cast_mut().cast();
    // The memory is all atomics, and lives as long as the ring, which the ArrayBuffer owns
    // a share of.
    let memory = values::external_memory(env.raw(), data, size_of::<Memory>(), ring.clone());
    returned(env, memory.or_else(|_| values::null(env.raw())))
}

/// `monitorMakeRoom()`: counts the oldest of what this thread has recorded.
fn make_room(call: &Call<'_, 0>) -> Returned {
    if let Some(ring) = call.environment.monitoring.ring.get() {
        ring.make_room(&worker::process().store);
    }
    call.undefined()
}

/// `monitorWrite(slot, value)`: records without shared memory.
fn write(call: &Call<'_, 2>) -> Returned {
    let ring = call
        .environment
        .monitoring
        .ring
        .get_or_init(|| worker::process().open_ring());
    if ring.waiting() == SLOTS {
        ring.drain(&worker::process().store);
    }
    ring.write(call.u32(0)?, call.f64(1)?);
    call.undefined()
}

/// `monitorAnswer()`: the event loop has come to the question how late it is. Returns the
/// delay in milliseconds, or -1 when nobody has asked.
fn answer(call: &Call<'_, 0>) -> Returned {
    let delay = call.environment.monitoring.answer();
    call.number(delay.unwrap_or(-1.0))
}
