//! Compressing piece by piece, on another thread.

use std::sync::Arc;

use parking_lot::Mutex;

use super::compression::format;
use crate::binding::call::{Call, EntryPoint, Returned, entry_points};
use crate::engine::completion::Reply;
use crate::engine::memory::compression_stream::{Encoder, Then};
use crate::engine::processors;
use crate::error::Error;

/// The rows of these functions.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "openEncoder" => open,
    "encode" => encode,
    "closeEncoder" => close,
};

/// `openEncoder(format, level)`: a handle.
fn open(call: &Call<'_, 2>) -> Returned {
    let encoder = Encoder::new(format(call, 0)?, call.f64(1)? as i32)?;
    let encoders = &call.environment.structures.encoders;
    call.number(f64::from(encoders.add(|_| Arc::new(Mutex::new(encoder)))))
}

/// `encode(operation, handle, then, bytes)`: the operation gives a Buffer with what there is to
/// give out. `then` is 0 to go on, 1 to flush, 2 to finish. Pieces go in one at a time: the next
/// may follow when the operation has ended.
fn encode(call: &Call<'_, 4>) -> Returned {
    let (operation, queue) = (call.u32(0)?, call.environment.queue.clone());
    let held = call.environment.structures.encoders.get(call.u32(1)?);
    let encoder = Arc::clone(held.as_deref().ok_or(Error::Closed { engine: "encoder" })?);
    let then = match call.u32(2)? {
        0 => Then::Continue,
        1 => Then::Flush,
        _ => Then::Finish,
    };
    // A copy: JavaScript may change or detach its own at any time.
    let given = call.buffer(3)?;
    let mut piece = Vec::new();
    piece
        .try_reserve_exact(given.len())
        .map_err(|_| Error::OutOfMemory)?;
    piece.extend_from_slice(given);
    processors::spawn(move || {
        let work = || encoder.lock().push(&piece, then);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let result = done.unwrap_or_else(|_| {
            let reason = "compression panicked; please report this".to_owned();
            Err(Error::Inconsistent { reason })
        });
        queue.push(operation, result.map(Reply::Bytes).into());
    });
    call.undefined()
}

/// `closeEncoder(handle)`: lets go of it; a piece under way still gets its answer.
fn close(call: &Call<'_, 1>) -> Returned {
    drop(call.environment.structures.encoders.remove(call.u32(0)?));
    call.undefined()
}
