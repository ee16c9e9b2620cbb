//! Compressing and decompressing bytes, here or on another thread.

use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values;
use crate::engine::completion::Reply;
use crate::engine::memory::compression::{Format, compress, decompress};
use crate::engine::processors;
use crate::error::{Error, Result};

/// The rows of these functions.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "compressBytes" => compress_bytes,
    "compressBytesSync" => compress_bytes_sync,
    "decompressBytes" => decompress_bytes,
    "decompressBytesSync" => decompress_bytes_sync,
};

/// `compressBytes(operation, format, level, bytes)`: the operation gives a Buffer.
fn compress_bytes(call: &Call<'_, 4>) -> Returned {
    let (format, level) = (format(call, 1)?, call.f64(2)? as i32);
    in_background(call, 3, move |data| compress(format, level, data))
}

/// `compressBytesSync(format, level, bytes)`: a Buffer.
fn compress_bytes_sync(call: &Call<'_, 3>) -> Returned {
    let compressed = compress(format(call, 0)?, call.f64(1)? as i32, call.buffer(2)?)?;
    values::owned_buffer(call.env, compressed)
}

/// `decompressBytes(operation, format, limit, bytes)`: the operation gives a Buffer.
fn decompress_bytes(call: &Call<'_, 4>) -> Returned {
    let (format, limit) = (format(call, 1)?, call.f64(2)? as usize);
    in_background(call, 3, move |data| decompress(format, data, limit))
}

/// `decompressBytesSync(format, limit, bytes)`: a Buffer.
fn decompress_bytes_sync(call: &Call<'_, 3>) -> Returned {
    let data = decompress(format(call, 0)?, call.buffer(2)?, call.f64(1)? as usize)?;
    values::owned_buffer(call.env, data)
}

pub(super) fn format<const N: usize>(
    call: &Call<'_, N>,
    index: usize,
) -> std::result::Result<Format, Failure> {
    let name = call.with_text(index, |name| String::from_utf8_lossy(name).into_owned())?;
    Format::parse(&name).ok_or(Failure::Status(napi::sys::Status::napi_invalid_arg))
}

/// Works on a copy of the bytes: JavaScript may change or detach its own at any time.
fn in_background<const N: usize>(
    call: &Call<'_, N>,
    index: usize,
    work: impl FnOnce(&[u8]) -> Result<Vec<u8>> + Send + 'static,
) -> Returned {
    let (operation, queue) = (call.u32(0)?, call.environment.queue.clone());
    let given = call.buffer(index)?;
    let mut data = Vec::new();
    data.try_reserve_exact(given.len())
        .map_err(|_| Error::OutOfMemory)?;
    data.extend_from_slice(given);
    processors::spawn(move || {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&data)));
        let result = done.unwrap_or_else(|_| {
            let reason = "compression panicked; please report this".to_owned();
            Err(Error::Inconsistent { reason })
        });
        queue.push(operation, result.map(Reply::Bytes).into());
    });
    call.undefined()
}
