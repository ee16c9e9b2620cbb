//! Redis caches: handles, and what JavaScript calls on them.
//!
//! The requests that a thread makes in one turn of its event loop gather in its handle, and go
//! off together by `redisFlush`. Their answers come back together, too: they wait in the
//! [`Inbox`] under the number of the batch, and JavaScript takes them through the shared
//! memory.

mod cold;
mod hot;
mod inbox;
mod options;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::cache::redis::RedisCache;
use crate::engine::cache::redis::request::Request;
use crate::engine::registry::{Handle, Pin};

pub use hot::ENTRY_POINTS as HOT;
use inbox::Inbox;
pub use options::RedisBreaker;

/// Entry points of all files here.
pub const ENTRY_POINTS: [&[EntryPoint]; 2] = [HOT, inbox::ENTRY_POINTS];

/// What one environment uses of Redis caches.
#[derive(Debug, Default)]
pub struct RedisCaches {
    /// Its handles.
    pub handles: Handles<RedisHandle>,
    /// Answers that JavaScript has not taken yet.
    pub inbox: Arc<Inbox>,
    pins: RefCell<HashMap<String, Pin<RedisCache>>>,
}

impl RedisCaches {
    /// Keeps a named cache whose handle was collected, once per name.
    fn pin(&self, name: String, pin: Pin<RedisCache>) {
        if let Some(previous) = self.pins.borrow_mut().insert(name, pin) {
            previous.release();
        }
    }

    /// Gives everything back. The environment's queue is closed by then.
    pub fn tear_down(&self) {
        self.inbox.close();
        for handle in self.handles.take_all() {
            handle.end(Handle::tear_down);
        }
        for pin in self.pins.take().into_values() {
            pin.release();
        }
    }
}

/// One handle: a JavaScript object's access to a cache.
#[derive(Debug)]
pub struct RedisHandle {
    /// The cache.
    pub cache: Arc<RedisCache>,
    /// Its name, if it has one.
    name: Option<String>,
    handle: RefCell<Option<Handle<RedisCache>>>,
    /// Requests of this turn.
    outbox: RefCell<Vec<Request>>,
    /// Keys of a bulk request that is being put together.
    named: RefCell<Vec<Vec<u8>>>,
    /// Values of a bulk write that is being put together.
    staged: RefCell<Vec<(Vec<u8>, Vec<u8>)>>,
    /// The number of its interest in what others change.
    listener: RefCell<Option<u64>>,
}

impl RedisHandle {
    /// Ends the handle in one of the registry's ways.
    fn end<T>(&self, end: impl FnOnce(Handle<RedisCache>) -> T) -> Option<T> {
        let handle = self.handle.take()?;
        if let Some(listener) = self.listener.take() {
            self.cache.listeners.remove(listener);
        }
        Some(end(handle))
    }
}
