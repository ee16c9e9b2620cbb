//! Disk caches: handles, streams, and what JavaScript calls on them.

mod cold;
mod hot;
mod streams;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::call::{Call, EntryPoint, Failure};
use super::environment::Environment;
use super::handles::Handles;
use crate::engine::cache::disk::DiskCache;
use crate::engine::cache::disk::events::Subscription;
use crate::engine::cache::disk::writes::Lifetime;
use crate::engine::completion::{CompletionQueue, Reply};
use crate::error::{Error, Result};

/// Entry points of all files here.
pub const ENTRY_POINTS: &[EntryPoint] = &{
    const PARTS: [&[EntryPoint]; 2] = [hot::ENTRY_POINTS, streams::ENTRY_POINTS];
    let mut table = [PARTS[0][0]; PARTS[0].len() + PARTS[1].len()];
    let mut index = 0;
    while index < table.len() {
        table[index] = if index < PARTS[0].len() {
            PARTS[0][index]
        } else {
            PARTS[1][index - PARTS[0].len()]
        };
        index += 1;
    }
    table
};

/// One handle: a JavaScript object's access to a cache.
#[derive(Debug)]
pub struct DiskHandle {
    cache: Arc<DiskCache>,
    subscription: Arc<Subscription>,
    ended: Cell<bool>,
}

impl DiskHandle {
    /// Ends the handle, once; `done` is called when what it began is committed.
    fn end(&self, done: impl FnOnce() + Send + 'static) {
        if !self.ended.replace(true) {
            self.cache.subscriptions.remove(&self.subscription);
            self.cache.close(done);
        }
    }
}

/// What one environment uses of disk caches.
#[derive(Debug, Default)]
pub struct DiskCaches {
    handles: Handles<DiskHandle>,
    streams: streams::Streams,
}

impl DiskCaches {
    /// The cache of a handle, for those who use it as a tier.
    pub fn cache(&self, handle: u32) -> Option<Arc<DiskCache>> {
        Some(self.handles.get(handle)?.cache.clone())
    }

    /// Gives everything back. What was queued is written all the same.
    pub fn tear_down(&self) {
        self.streams.tear_down();
        for handle in self.handles.take_all() {
            handle.end(|| ());
        }
    }
}

/// The handle that an argument names.
fn handle_of<const N: usize>(
    call: &Call<'_, N>,
    index: usize,
) -> std::result::Result<Rc<DiskHandle>, Failure> {
    let handle = call.environment.disk_caches.handles.get(call.u32(index)?);
    handle.ok_or_else(|| Error::Closed { engine: "cache" }.into())
}

/// The lifetime that JavaScript means: negative for the cache's default, infinity for ever.
fn lifetime(ttl_ms: f64) -> Lifetime {
    if ttl_ms < 0.0 {
        Lifetime::Default
    } else if ttl_ms.is_finite() {
        Lifetime::Ms(ttl_ms.ceil() as u64)
    } else {
        Lifetime::Unlimited
    }
}

/// Answers an operation of JavaScript's, from whatever thread.
fn answer<T, F: FnOnce(T) -> Reply + Send + 'static>(
    environment: &Environment,
    operation: u32,
    reply: F,
) -> impl FnOnce(Result<T>) + Send + use<T, F> {
    let queue: Arc<CompletionQueue> = environment.queue.clone();
    move |result: Result<T>| {
        queue.push(operation, result.map(reply).into());
    }
}
