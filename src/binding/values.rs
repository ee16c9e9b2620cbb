//! Results: from stored bytes to JavaScript values.

use std::ffi::c_void;
use std::ptr;

use napi::sys;

use super::call::{Call, Failure, Returned, check};
use crate::engine::cache::memory::MemoryCache;
use crate::engine::cache::record::{Kind, Record};
use crate::engine::completion::Reply;
use crate::engine::text;
use crate::error::Error;

/// A number.
pub fn number(env: sys::napi_env, value: f64) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the calling environment.
    check(unsafe { sys::napi_create_double(env, value, &mut result) })?;
    Ok(result)
}

/// `undefined`, where a value must stand.
pub fn undefined(env: sys::napi_env) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the calling environment.
    check(unsafe { sys::napi_get_undefined(env, &mut result) })?;
    Ok(result)
}

/// `null`.
pub fn null(env: sys::napi_env) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the calling environment.
    check(unsafe { sys::napi_get_null(env, &mut result) })?;
    Ok(result)
}

/// A new Buffer with a copy of the bytes.
pub fn buffer(env: sys::napi_env, bytes: &[u8]) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: the bytes are copied before the call returns.
    check(unsafe {
        let data = bytes.as_ptr().cast();
        sys::napi_create_buffer_copy(env, bytes.len(), data, ptr::null_mut(), &mut result)
    })?;
    Ok(result)
}

/// A string of the given stored form.
pub fn string(env: sys::napi_env, kind: Kind, bytes: &[u8]) -> Returned {
    let mut result = ptr::null_mut();
    let length = bytes.len() as isize;
    // SAFETY: pointer and length describe initialised memory, which V8 copies.
    let status = unsafe {
        match kind {
            Kind::LATIN1 => sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), length, &mut result),
            Kind::UTF8 => sys::napi_create_string_utf8(env, bytes.as_ptr().cast(), length, &mut result),
            _ => {
                // Stored bytes have no alignment to speak of.
                let units: Vec<u16> = bytes
                    .chunks_exact(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                    .collect();
                let length = units.len() as isize;
                sys::napi_create_string_utf16(env, units.as_ptr(), length, &mut result)
            }
        }
    };
    check(status)?;
    Ok(result)
}

/// A key, from its WTF-8.
pub fn key(env: sys::napi_env, bytes: &[u8]) -> Returned {
    if text::is_ascii(bytes) {
        return string(env, Kind::LATIN1, bytes);
    }
    if !text::has_lone_surrogate(bytes) {
        return string(env, Kind::UTF8, bytes);
    }
    let mut units = Vec::with_capacity(bytes.len());
    text::wtf8_to_utf16(bytes, &mut units);
    let mut result = ptr::null_mut();
    // SAFETY: pointer and length describe initialised memory, which V8 copies.
    check(unsafe {
        let length = units.len() as isize;
        sys::napi_create_string_utf16(env, units.as_ptr(), length, &mut result)
    })?;
    Ok(result)
}

/// True for the forms that become JavaScript strings.
pub fn is_string(kind: Kind) -> bool {
    (Kind::LATIN1.0..=Kind::UTF16.0).contains(&kind.0)
}

/// True for the forms that JavaScript has to decode.
pub fn is_encoded(kind: Kind) -> bool {
    kind != Kind::NUMBER && !is_string(kind)
}

/// A stored value as a standalone JavaScript value: a string, a number, or a Buffer with the
/// encoded bytes.
pub fn payload(env: sys::napi_env, record: &Record) -> Returned {
    let mut unpacked = Vec::new();
    let bytes = match MemoryCache::unpack(record, &mut unpacked)? {
        true => &unpacked,
        false => record.payload(),
    };
    match record.kind() {
        Kind::NUMBER => number(env, record.as_number().unwrap_or(f64::NAN)),
        kind if is_string(kind) => string(env, kind, bytes),
        _ => buffer(env, bytes),
    }
}

/// An encoded value that stands alone: see [`payload`].
pub fn stored(env: sys::napi_env, kind: Kind, bytes: &[u8]) -> Returned {
    match kind {
        Kind::NUMBER => {
            let number_of = |bytes| f64::from_le_bytes(bytes);
            number(env, bytes.try_into().map_or(f64::NAN, number_of))
        }
        kind if is_string(kind) => string(env, kind, bytes),
        _ => buffer(env, bytes),
    }
}

/// What an operation answers with.
pub fn reply(env: sys::napi_env, answer: Reply) -> Returned {
    match answer {
        Reply::None => undefined(env),
        Reply::Flag(flag) => boolean(env, flag),
        Reply::Number(value) => number(env, value),
        Reply::Text(text) => string(env, Kind::UTF8, text.as_bytes()),
        Reply::Bytes(bytes) => owned_buffer(env, bytes),
        Reply::Numbers(numbers) => number_array(env, numbers, sys::TypedarrayType::float64_array),
        Reply::Floats(numbers) => number_array(env, numbers, sys::TypedarrayType::float32_array),
        Reply::Value(kind, bytes) => stored(env, kind, &bytes),
        Reply::Values(entries) => {
            let mut flat = Vec::with_capacity(entries.len() * 2);
            for entry in &entries {
                match entry {
                    Some((kind, bytes)) => {
                        flat.push(number(env, f64::from(kind.0))?);
                        flat.push(stored(env, *kind, bytes)?);
                    }
                    None => flat.extend([number(env, -1.0)?, undefined(env)?]),
                }
            }
            array(env, &flat)
        }
        Reply::Keys(keys) => keys_array(env, &keys),
        Reply::Found { kind, payload, .. } => stored(env, kind, &payload),
        Reply::Many(replies) => {
            let mut flat = Vec::with_capacity(replies.len() * 2);
            for one in replies {
                flat.push(number(env, f64::from(one.form()))?);
                flat.push(reply(env, one)?);
            }
            array(env, &flat)
        }
        Reply::Texts(texts) => {
            let string_of = |text: &String| string(env, Kind::UTF8, text.as_bytes());
            array(env, &texts.iter().map(string_of).collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// An array of keys, from their WTF-8.
pub fn keys_array(env: sys::napi_env, keys: &[Vec<u8>]) -> Returned {
    let keys: Result<Vec<_>, _> = keys.iter().map(|bytes| key(env, bytes)).collect();
    array(env, &keys?)
}

/// A boolean.
pub fn boolean(env: sys::napi_env, flag: bool) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the calling environment.
    check(unsafe { sys::napi_get_boolean(env, flag, &mut result) })?;
    Ok(result)
}

/// An error object with a code, not thrown.
pub fn error(env: sys::napi_env, error: &Error) -> Returned {
    let code = string(env, Kind::UTF8, error.code().as_bytes())?;
    let message = string(env, Kind::UTF8, error.to_string().as_bytes())?;
    let mut result = ptr::null_mut();
    // SAFETY: both strings are alive in this callback's scope.
    check(unsafe { sys::napi_create_error(env, code, message, &mut result) })?;
    Ok(result)
}

/// Bytes from this size on are handed over where they lie; less is copied faster than V8
/// tracks a foreign buffer.
const EXTERNAL_BYTES: usize = 16 * 1024;

/// A Buffer over the bytes, without a copy where they are many.
pub fn owned_buffer(env: sys::napi_env, bytes: Vec<u8>) -> Returned {
    if bytes.len() < EXTERNAL_BYTES {
        return buffer(env, &bytes);
    }
    let owner = Box::into_raw(Box::new(bytes));
    let mut result = ptr::null_mut();
    // SAFETY: the bytes stay where they are until the finalizer drops their owner.
    let status = unsafe {
        let (data, length) = ((*owner).as_mut_ptr().cast(), (*owner).len());
        let finalize = Some(drop_owner::<Vec<u8>> as unsafe extern "C" fn(_, _, _));
        sys::napi_create_external_buffer(env, length, data, finalize, owner.cast(), &mut result)
    };
    if status == sys::Status::napi_ok {
        return Ok(result);
    }
    // Some runtimes refuse foreign memory.
    // SAFETY: Node-API refused, so the owner is still ours.
    let bytes = unsafe { Box::from_raw(owner) };
    buffer(env, &bytes)
}

/// A Buffer over the payload of a record, without a copy where it is large. The record lives as
/// long as the Buffer.
pub fn lent_buffer(env: sys::napi_env, record: Record) -> Returned {
    let (length, data) = (record.payload().len(), record.payload().as_ptr());
    if length < EXTERNAL_BYTES {
        return buffer(env, record.payload());
    }
    let owner = Box::into_raw(Box::new(record));
    let mut result = ptr::null_mut();
    // SAFETY: a record never moves or changes its payload, and the finalizer drops this owner
    // after the Buffer. JavaScript code of ours alone gets such a Buffer, and only reads it.
    let status = unsafe {
        let finalize = Some(drop_owner::<Record> as unsafe extern "C" fn(_, _, _));
        let data = data.cast_mut().cast();
        sys::napi_create_external_buffer(env, length, data, finalize, owner.cast(), &mut result)
    };
    if status == sys::Status::napi_ok {
        return Ok(result);
    }
    // Some runtimes refuse foreign memory.
    // SAFETY: Node-API refused, so the owner is still ours.
    let record = unsafe { Box::from_raw(owner) };
    buffer(env, record.payload())
}

/// A typed array of the given kind, which must be that of `T`, over the numbers.
fn number_array<T: Copy + 'static>(
    env: sys::napi_env,
    numbers: Vec<T>,
    kind: sys::napi_typedarray_type,
) -> Returned {
    let length = numbers.len();
    let memory = array_buffer(env, numbers)?;
    let mut result = ptr::null_mut();
    // SAFETY: the ArrayBuffer has room for `length` numbers, and is aligned for them.
    check(unsafe { sys::napi_create_typedarray(env, kind, length, memory, 0, &mut result) })?;
    Ok(result)
}

/// An ArrayBuffer over the numbers, or with a copy of them where they are few or foreign
/// memory is refused.
fn array_buffer<T: Copy + 'static>(env: sys::napi_env, mut numbers: Vec<T>) -> Returned {
    let length = size_of_val(numbers.as_slice());
    if length >= EXTERNAL_BYTES {
        let data = numbers.as_mut_ptr().cast();
        numbers = match external_memory(env, data, length, numbers) {
            Ok(memory) => return Ok(memory),
            Err(numbers) => numbers,
        };
    }
    let (mut data, mut result) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the new memory has `length` bytes, as the numbers have, and cannot overlap them.
    unsafe {
        check(sys::napi_create_arraybuffer(env, length, &mut data, &mut result))?;
        if length > 0 {
            ptr::copy_nonoverlapping(numbers.as_ptr().cast::<u8>(), data.cast(), length);
        }
    }
    Ok(result)
}

/// An ArrayBuffer over native memory that `owner` keeps in its place: the owner is dropped
/// when the ArrayBuffer was collected. Where foreign memory is refused, the owner comes back.
pub fn external_memory<T>(
    env: sys::napi_env,
    data: *mut c_void,
    length: usize,
    owner: T,
) -> Result<sys::napi_value, T> {
    let owner = Box::into_raw(Box::new(owner));
    let mut result = ptr::null_mut();
    let finalize = Some(drop_owner::<T> as unsafe extern "C" fn(_, _, _));
    // SAFETY: the memory lives as long as its owner, which the finalizer ends after the
    // ArrayBuffer.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(env, data, length, finalize, owner.cast(), &mut result)
    };
    if status == sys::Status::napi_ok {
        return Ok(result);
    }
    // SAFETY: Node-API did not take the owner.
    Err(*unsafe { Box::from_raw(owner) })
}

/// Drops what an external value lay over.
unsafe extern "C" fn drop_owner<T>(_: sys::napi_env, _: *mut c_void, owner: *mut c_void) {
    // SAFETY: boxed by whoever made the external value, and given back once.
    drop(unsafe { Box::from_raw(owner.cast::<T>()) });
}

/// An array of the given values.
pub fn array(env: sys::napi_env, values: &[sys::napi_value]) -> Returned {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the calling environment.
    check(unsafe { sys::napi_create_array_with_length(env, values.len(), &mut result) })?;
    for (index, value) in values.iter().enumerate() {
        // SAFETY: array and value are alive in this callback's scope.
        check(unsafe { sys::napi_set_element(env, result, index as u32, *value) })?;
    }
    Ok(result)
}

/// Lends the encoded value that four arguments describe: its kind, its payload, and where
/// in the payload it starts and ends.
pub fn with_encoded<const N: usize, T>(
    call: &Call<'_, N>,
    [kind, payload, start, end]: [usize; 4],
    read: impl FnOnce(Kind, &[u8]) -> T,
) -> Result<T, Failure> {
    let kind = Kind(call.u32(kind)? as u8);
    match kind {
        Kind::NUMBER => Ok(read(kind, &call.f64(payload)?.to_le_bytes())),
        Kind::LATIN1 => with_encoded_string(call.env, call.argument(payload), read),
        Kind(0..=3) => Ok(read(kind, &[])),
        _ => {
            let (start, end) = (call.u32(start)? as usize, call.u32(end)? as usize);
            let bytes = call.buffer(payload)?;
            Ok(read(kind, bytes.get(start..end).unwrap_or_default()))
        }
    }
}

/// A JavaScript string in the most compact stored form: its kind and bytes.
pub fn with_encoded_string<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    read: impl FnOnce(Kind, &[u8]) -> T,
) -> Result<T, Failure> {
    // A long string is read once as UTF-16: measuring it as UTF-8 first would walk it twice.
    const LONG: usize = 1024;
    let mut length = 0;
    // SAFETY: without a buffer, Node-API only measures, in constant time.
    check(unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) })?;
    if length < LONG {
        return super::call::with_text(env, value, |bytes| {
            let mut other = Vec::new();
            if text::is_ascii(bytes) {
                read(Kind::LATIN1, bytes)
            } else if text::has_lone_surrogate(bytes) {
                let mut units = Vec::new();
                text::wtf8_to_utf16(bytes, &mut units);
                read(Kind::UTF16, &utf16_bytes(&units))
            } else if text::utf8_to_latin1(bytes, &mut other) {
                read(Kind::LATIN1, &other)
            } else {
                read(Kind::UTF8, bytes)
            }
        });
    }
    let units = super::call::utf16(env, value)?;
    if encoding_rs::mem::is_utf16_latin1(&units) {
        let mut bytes = vec![0; units.len()];
        encoding_rs::mem::convert_utf16_to_latin1_lossy(&units, &mut bytes);
        return Ok(read(Kind::LATIN1, &bytes));
    }
    match String::from_utf16(&units) {
        Ok(text) => Ok(read(Kind::UTF8, text.as_bytes())),
        Err(_) => Ok(read(Kind::UTF16, &utf16_bytes(&units))),
    }
}

fn utf16_bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}
