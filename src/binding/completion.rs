//! How a completion queue wakes its environment: one threadsafe function per environment.
//!
//! A threadsafe function that native threads still use while its environment goes down
//! crashes the process. So the queue calls it only under a lock of its own and never after it was
//! closed, and the environment closes the queue in a cleanup hook that runs before Node
//! tears the function down (hooks run last in, first out, and ours is added after it).

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use napi::sys;

use super::call::{Failure, check};
use crate::engine::completion::Waker;

type Function = sys::napi_threadsafe_function__;

/// Wakes the event loop of one environment.
#[derive(Debug)]
pub struct LoopWaker(AtomicPtr<Function>);

impl LoopWaker {
    /// A waker without a loop; see [`attach`](Self::attach).
    pub const fn detached() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// True once [`attach`](Self::attach) was called.
    pub fn is_attached(&self) -> bool {
        !self.0.load(Ordering::SeqCst).is_null()
    }

    /// Makes wake-ups call `callback` on the environment's thread. They do not keep the
    /// process alive.
    pub fn attach(&self, env: sys::napi_env, callback: sys::napi_value) -> Result<(), Failure> {
        let mut name = ptr::null_mut();
        let mut function = ptr::null_mut();
        // SAFETY: `env` is the calling environment, and all out-pointers are valid.
        unsafe {
            let text = c"hotpath";
            let length = text.to_bytes().len() as isize;
            check(sys::napi_create_string_utf8(
                env,
                text.as_ptr(),
                length,
                &mut name,
            ))?;
            check(sys::napi_create_threadsafe_function(
                env,
                callback,
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                None,
                &mut function,
            ))?;
            check(sys::napi_unref_threadsafe_function(env, function))?;
        }
        self.0.store(function, Ordering::SeqCst);
        Ok(())
    }

    /// Chooses whether the event loop stays alive for what is still to come. To be called on
    /// the environment's thread.
    pub fn hold_loop(&self, env: sys::napi_env, hold: bool) -> Result<(), Failure> {
        let function = self.0.load(Ordering::SeqCst);
        if function.is_null() {
            return Ok(());
        }
        // SAFETY: the function lives until `detach`, which runs on this thread too.
        check(unsafe {
            if hold {
                sys::napi_ref_threadsafe_function(env, function)
            } else {
                sys::napi_unref_threadsafe_function(env, function)
            }
        })
    }

    /// Lets go of the loop. To be called after the queue was closed, while the environment
    /// still stands.
    pub fn detach(&self) {
        let function = self.0.swap(ptr::null_mut(), Ordering::SeqCst);
        if !function.is_null() {
            // SAFETY: the queue is closed, so nobody uses the function any more.
            unsafe {
                let mode = sys::ThreadsafeFunctionReleaseMode::abort;
                sys::napi_release_threadsafe_function(function, mode);
            }
        }
    }
}

impl Waker for std::sync::Arc<LoopWaker> {
    fn wake(&self) {
        let function = self.0.load(Ordering::SeqCst);
        if !function.is_null() {
            // SAFETY: called under a lock of the queue before it is closed, hence before
            // `detach` releases the function.
            unsafe {
                let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
                sys::napi_call_threadsafe_function(function, ptr::null_mut(), mode);
            }
        }
    }
}
