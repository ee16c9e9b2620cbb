//! Multi-level caches: handles, and what JavaScript calls on them.

mod calls;
mod cold;
mod requests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::cache::record::Kind;
use crate::engine::cache::tiered::{Stack, Tiered};
use crate::engine::completion::CompletionQueue;
use crate::engine::registry::{Handle, Pin};

/// Entry points of all files here.
pub const ENTRY_POINTS: [&[EntryPoint]; 2] = [calls::ENTRY_POINTS, requests::ENTRY_POINTS];

/// A load that this environment waits for, and may have to do.
#[derive(Debug)]
struct PendingLoad {
    cache: Arc<Tiered>,
    /// The ticket, once this environment runs the loader.
    ticket: Option<u64>,
}

/// What one environment uses of multi-level caches.
#[derive(Debug, Default)]
pub struct TieredCaches {
    handles: Handles<TieredHandle>,
    /// By the number of JavaScript's operation.
    loads: RefCell<HashMap<u32, PendingLoad>>,
    pins: RefCell<HashMap<String, Pin<Tiered>>>,
}

impl TieredCaches {
    /// An operation was answered. One whose loader is still running stays known.
    pub fn answered(&self, operation: u32) {
        let mut loads = self.loads.borrow_mut();
        if loads.get(&operation).is_some_and(|load| load.ticket.is_none()) {
            loads.remove(&operation);
        }
    }

    /// An operation is asked to run its loader.
    pub fn leads(&self, operation: u32, ticket: u64) {
        if let Some(load) = self.loads.borrow_mut().get_mut(&operation) {
            load.ticket = Some(ticket);
        }
    }

    /// Gives everything back. The environment's `queue` is closed by then.
    pub fn tear_down(&self, queue: &Arc<CompletionQueue>) {
        for load in self.loads.take().into_values() {
            load.cache.loads().leave(queue);
        }
        for handle in self.handles.take_all() {
            handle.end(Handle::tear_down);
        }
        for pin in self.pins.take().into_values() {
            pin.release();
        }
    }
}

/// A key and an encoded value.
type Staged = (Arc<[u8]>, Kind, Bytes);

/// One handle: a JavaScript object's access to a cache, and its tiers.
#[derive(Debug)]
struct TieredHandle {
    cache: Arc<Tiered>,
    stack: Arc<Stack>,
    name: Option<String>,
    handle: RefCell<Option<Handle<Tiered>>>,
    /// Values that the next call writes together.
    staged: RefCell<Vec<Staged>>,
}

impl TieredHandle {
    /// Ends the handle in one of the registry's ways.
    fn end<T>(&self, end: impl FnOnce(Handle<Tiered>) -> T) -> Option<T> {
        let handle = self.handle.take()?;
        self.stack.agent.close();
        Some(end(handle))
    }
}
