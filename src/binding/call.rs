//! Raw entry points: what a hot call needs, and not a nanosecond more.
//!
//! The macros of `napi-derive` copy every string to the heap and check every argument again;
//! that costs more than a cache lookup. An entry point here is a plain function over a
//! [`Call`], which reads arguments in place: a key goes into a buffer on the stack in one
//! call.

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::sys;

use super::environment::Environment;
use crate::engine::cache::record::Key;
use crate::engine::text;
use crate::error::Error;

/// Keys up to about this many bytes never touch the heap.
const STACK_KEY_BYTES: usize = 512;

/// Why an entry point throws.
#[derive(Debug)]
pub enum Failure {
    /// The engine refused.
    Engine(Error),
    /// Node-API refused; an exception may already be pending.
    Status(sys::napi_status),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// What an entry point returns.
pub type Returned = Result<sys::napi_value, Failure>;

/// Fails unless Node-API says that all is well.
pub fn check(status: sys::napi_status) -> Result<(), Failure> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Failure::Status(status))
    }
}

/// One call from JavaScript with up to `N` arguments; missing ones are `undefined`.
#[derive(Debug)]
pub struct Call<'a, const N: usize> {
    /// The environment that calls.
    pub env: sys::napi_env,
    /// Its state.
    pub environment: &'a Environment,
    arguments: [sys::napi_value; N],
}

/// Runs an entry point and throws what it fails with. Nothing unwinds into Node.
///
/// # Safety
/// To be called by Node-API only, as the callback of a function made by [`export`].
pub unsafe fn enter<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    body: fn(&Call<'_, N>) -> Returned,
) -> sys::napi_value {
    let mut count = N;
    let mut arguments = [ptr::null_mut(); N];
    let mut data = ptr::null_mut();
    // SAFETY: `env` and `info` are valid for this callback, and the array has `count` places.
    let status = unsafe {
        let arguments = arguments.as_mut_ptr();
        sys::napi_get_cb_info(env, info, &mut count, arguments, ptr::null_mut(), &mut data)
    };
    if status != sys::Status::napi_ok || data.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `export` gave the environment as data; it lives as long as JavaScript runs.
    let environment = unsafe { &*data.cast::<Environment>() };
    let call = Call {
        env,
        environment,
        arguments,
    };
    match catch_unwind(AssertUnwindSafe(|| body(&call))) {
        Ok(Ok(value)) => value,
        Ok(Err(failure)) => throw(env, failure),
        Err(_) => {
            let reason = "an engine panicked; please report this".to_owned();
            throw(env, Failure::Engine(Error::Inconsistent { reason }))
        }
    }
}

fn throw(env: sys::napi_env, failure: Failure) -> sys::napi_value {
    let (code, message) = match failure {
        Failure::Engine(error) => (error.code(), error.to_string()),
        Failure::Status(status) => ("ERR_HOTPATH_NATIVE", format!("Node-API status {status}")),
    };
    let mut pending = false;
    // SAFETY: plain queries and constructors on the calling environment.
    unsafe {
        sys::napi_is_exception_pending(env, &mut pending);
        if !pending {
            let (code, message) = (CString::new(code), CString::new(message));
            if let (Ok(code), Ok(message)) = (code, message) {
                sys::napi_throw_error(env, code.as_ptr(), message.as_ptr());
            }
        }
    }
    ptr::null_mut()
}

/// Adds a function to the addon's exports.
pub fn export(
    env: sys::napi_env,
    exports: sys::napi_value,
    name: &str,
    callback: sys::napi_callback,
    environment: &Environment,
) -> napi::Result<()> {
    let mut function = ptr::null_mut();
    let name = CString::new(name)?;
    let data = ptr::from_ref(environment).cast_mut().cast::<c_void>();
    // SAFETY: the callback is an entry point of this module's shape, and `data` outlives it.
    let status = unsafe {
        let length = name.as_bytes().len() as isize;
        sys::napi_create_function(env, name.as_ptr(), length, callback, data, &mut function)
    };
    napi::check_status!(status)?;
    // SAFETY: both values are alive in this callback's scope.
    napi::check_status!(unsafe { sys::napi_set_named_property(env, exports, name.as_ptr(), function) })
}

/// Declares entry points: a table of names and callbacks for [`export`].
macro_rules! entry_points {
    ($($name:literal => $body:path),+ $(,)?) => {
        &[$(($name, {
            unsafe extern "C" fn callback(
                env: napi::sys::napi_env,
                info: napi::sys::napi_callback_info,
            ) -> napi::sys::napi_value {
                // SAFETY: Node-API calls this with its own arguments.
                unsafe { $crate::binding::call::enter(env, info, $body) }
            }
            Some(callback)
        })),+]
    };
}
pub(super) use entry_points;

/// A row of [`entry_points`].
pub type EntryPoint = (&'static str, sys::napi_callback);

impl<const N: usize> Call<'_, N> {
    /// The raw argument.
    pub fn argument(&self, index: usize) -> sys::napi_value {
        self.arguments[index]
    }

    /// An unsigned integer. JavaScript has checked the range.
    pub fn u32(&self, index: usize) -> Result<u32, Failure> {
        let mut value = 0;
        // SAFETY: the value is alive in this callback's scope.
        check(unsafe { sys::napi_get_value_uint32(self.env, self.argument(index), &mut value) })?;
        Ok(value)
    }

    /// A number.
    pub fn f64(&self, index: usize) -> Result<f64, Failure> {
        let mut value = 0.0;
        // SAFETY: the value is alive in this callback's scope.
        check(unsafe { sys::napi_get_value_double(self.env, self.argument(index), &mut value) })?;
        Ok(value)
    }

    /// The contents of a Buffer, lent for the duration of the call.
    pub fn buffer(&self, index: usize) -> Result<&[u8], Failure> {
        let (mut data, mut length) = (ptr::null_mut(), 0);
        // SAFETY: the value is alive in this callback's scope.
        check(unsafe { sys::napi_get_buffer_info(self.env, self.argument(index), &mut data, &mut length) })?;
        if data.is_null() || length == 0 {
            return Ok(&[]);
        }
        // SAFETY: Node-API gave pointer and length of memory that the argument keeps alive,
        // and no JavaScript runs while it is read.
        Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })
    }

    /// Lends a string argument as WTF-8.
    pub fn with_text<T>(&self, index: usize, read: impl FnOnce(&[u8]) -> T) -> Result<T, Failure> {
        with_text(self.env, self.argument(index), read)
    }

    /// Lends a string argument as a key.
    pub fn with_key<T>(&self, index: usize, read: impl FnOnce(Key<'_>) -> T) -> Result<T, Failure> {
        self.with_text(index, |bytes| read(Key::new(bytes)))
    }

    /// An array of strings, or none for `undefined`.
    pub fn strings(&self, index: usize) -> Result<Vec<String>, Failure> {
        self.texts(index, |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// What `read` makes of an array of strings in WTF-8, or nothing for `undefined`.
    pub fn texts<T>(&self, index: usize, read: impl Fn(&[u8]) -> T) -> Result<Vec<T>, Failure> {
        let array = self.argument(index);
        let mut kind = 0;
        // SAFETY: the value is alive in this callback's scope.
        check(unsafe { sys::napi_typeof(self.env, array, &mut kind) })?;
        if kind == sys::ValueType::napi_undefined {
            return Ok(Vec::new());
        }
        let mut length = 0;
        // SAFETY: as above.
        check(unsafe { sys::napi_get_array_length(self.env, array, &mut length) })?;
        let text = |position| with_text(self.env, self.element(array, position)?, &read);
        (0..length).map(text).collect()
    }

    /// An element of an array.
    pub fn element(&self, array: sys::napi_value, position: u32) -> Returned {
        let mut element = ptr::null_mut();
        // SAFETY: the array is alive in this callback's scope.
        check(unsafe { sys::napi_get_element(self.env, array, position, &mut element) })?;
        Ok(element)
    }

    /// An integer result.
    pub fn int(&self, value: i32) -> Returned {
        let mut result = ptr::null_mut();
        // SAFETY: `env` is the calling environment.
        check(unsafe { sys::napi_create_int32(self.env, value, &mut result) })?;
        Ok(result)
    }

    /// A number as result.
    pub fn number(&self, value: f64) -> Returned {
        super::values::number(self.env, value)
    }

    /// No result: Node-API makes `undefined` of it.
    pub fn undefined(&self) -> Returned {
        Ok(ptr::null_mut())
    }
}

/// Lends a JavaScript string as WTF-8: one call into a buffer on the stack for short ones.
pub fn with_text<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T, Failure> {
    let mut stack = [MaybeUninit::<u8>::uninit(); STACK_KEY_BYTES];
    let mut length = 0;
    // SAFETY: the value is alive, and the buffer has the stated size.
    check(unsafe {
        let buffer = stack.as_mut_ptr().cast();
        sys::napi_get_value_string_utf8(env, value, buffer, STACK_KEY_BYTES, &mut length)
    })?;
    // A string that fills the buffer may have been cut before its last character.
    if length < STACK_KEY_BYTES - 4 {
        // SAFETY: Node-API wrote the first `length` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(stack.as_ptr().cast::<u8>(), length) };
        if !text::contains_replacement_character(bytes) {
            return Ok(read(bytes));
        }
    }
    let units = utf16(env, value)?;
    let mut bytes = Vec::with_capacity(units.len());
    text::utf16_to_wtf8(&units, &mut bytes);
    Ok(read(&bytes))
}

/// Copies a JavaScript string as UTF-16.
pub fn utf16(env: sys::napi_env, value: sys::napi_value) -> Result<Vec<u16>, Failure> {
    let mut length = 0;
    // SAFETY: without a buffer, Node-API only measures.
    check(unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) })?;
    let mut units = vec![0u16; length + 1];
    // SAFETY: the buffer has room for the text and the terminator that Node-API adds.
    check(unsafe {
        let buffer = units.as_mut_ptr();
        sys::napi_get_value_string_utf16(env, value, buffer, length + 1, &mut length)
    })?;
    units.truncate(length);
    Ok(units)
}
