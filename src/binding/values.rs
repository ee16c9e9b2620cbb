//! Results: from stored bytes to JavaScript values.

use std::ptr;

use napi::sys;

use super::call::{Failure, Returned, check};
use crate::engine::cache::memory::MemoryCache;
use crate::engine::cache::record::{Kind, Record};
use crate::engine::text;

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
