//! Memory caches: handles, and what JavaScript calls on them.

mod budgets;
mod cold;
pub mod hot;
mod loads;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use napi::sys;

use budgets::BudgetHandle;

use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::cache::budget::Budget;
use crate::engine::cache::events::Subscription;
use crate::engine::cache::memory::MemoryCache;
use crate::engine::cache::memory::stats::HandleCounters;
use crate::engine::cache::record::{Lifetime, Record};
use crate::engine::completion::CompletionQueue;
use crate::engine::registry::{Handle, Pin};

/// Entry points of all files here, in one table.
pub const ENTRY_POINTS: &[EntryPoint] = &{
    const PARTS: [&[EntryPoint]; 2] = [hot::ENTRY_POINTS, loads::ENTRY_POINTS];
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

/// Writes between two reports of a cache's bytes to V8.
const REPORT_EVERY: u32 = 256;

/// A change of bytes that is worth a report to V8.
const REPORT_BYTES: i64 = 1 << 20;

/// A load that this environment leads or waits for.
#[derive(Debug)]
pub struct Flight {
    /// The cache.
    pub cache: Arc<MemoryCache>,
    /// The handle that it began with.
    pub handle: u32,
    /// The key, in WTF-8.
    pub key: Box<[u8]>,
    /// The ticket, once this environment leads.
    pub ticket: Option<u64>,
}

/// What one environment uses of memory caches.
#[derive(Debug, Default)]
pub struct MemoryCaches {
    /// Its handles.
    pub handles: Handles<CacheHandle>,
    /// Loads by the number of JavaScript's operation.
    pub flights: RefCell<HashMap<u32, Flight>>,
    /// Where compressed values are unpacked.
    pub unpacked: RefCell<Vec<u8>>,
    /// Handles on budgets.
    pub budgets: Handles<BudgetHandle>,
    pins: RefCell<HashMap<String, Pin<MemoryCache>>>,
    budget_pins: RefCell<HashMap<String, Pin<Budget>>>,
}

impl MemoryCaches {
    /// Keeps a named cache whose handle was collected, once per name.
    pub fn pin(&self, name: String, pin: Pin<MemoryCache>) {
        if let Some(previous) = self.pins.borrow_mut().insert(name, pin) {
            previous.release();
        }
    }

    /// The same for a budget.
    pub fn pin_budget(&self, name: String, pin: Pin<Budget>) {
        if let Some(previous) = self.budget_pins.borrow_mut().insert(name, pin) {
            previous.release();
        }
    }

    /// Passes on what a collected handle was loading: nobody is left who could settle it.
    pub fn abandon_flights(&self, handle: u32) {
        let abandoned = |_: &u32, flight: &mut Flight| flight.handle == handle;
        let abandoned: Vec<_> = self.flights.borrow_mut().extract_if(abandoned).collect();
        for (_, flight) in abandoned {
            if let Some(ticket) = flight.ticket {
                flight.cache.flights.abandon(&flight.key, ticket);
            }
        }
    }

    /// Gives everything back. The environment's `queue` is closed by then.
    pub fn tear_down(&self, queue: &Arc<CompletionQueue>) {
        for flight in self.flights.take().into_values() {
            flight.cache.flights.leave(queue);
        }
        for handle in self.handles.take_all() {
            handle.tear_down();
        }
        for pin in self.pins.take().into_values() {
            pin.release();
        }
        for budget in self.budgets.take_all() {
            budget.tear_down();
        }
        for pin in self.budget_pins.take().into_values() {
            pin.release();
        }
    }
}

/// The lifetime that JavaScript means: negative for the cache's default, infinity for ever.
fn lifetime(cache: &MemoryCache, ttl_ms: f64, idle_ms: f64) -> Lifetime {
    let choose = |given: f64, default| {
        if given < 0.0 {
            default
        } else {
            given.is_finite().then(|| given.ceil() as u64)
        }
    };
    let default = cache.config().lifetime;
    Lifetime {
        ttl_ms: choose(ttl_ms, default.ttl_ms),
        idle_ms: choose(idle_ms, default.idle_ms),
    }
}

/// One handle: a JavaScript object's access to a cache.
#[derive(Debug)]
pub struct CacheHandle {
    /// The cache.
    pub cache: Arc<MemoryCache>,
    /// Reads through this handle.
    pub counters: Arc<HandleCounters>,
    /// Its interest in events.
    pub subscription: Arc<Subscription<Record>>,
    /// What the registry knows it by, if it is named.
    pub key: Option<String>,
    handle: RefCell<Option<Handle<MemoryCache>>>,
    writes: Cell<u32>,
    reported: Cell<i64>,
}

impl CacheHandle {
    /// Tells V8 now and then what a private cache weighs: it goes with its handle, so the
    /// collector should know what an unreachable handle holds. Named caches are not the
    /// handle's.
    pub fn count_write(&self, env: sys::napi_env) {
        let writes = self.writes.get().wrapping_add(1);
        self.writes.set(writes);
        if writes.is_multiple_of(REPORT_EVERY) && self.key.is_none() {
            self.report(env, self.cache.bytes() as i64);
        }
    }

    fn report(&self, env: sys::napi_env, bytes: i64) {
        let change = bytes - self.reported.get();
        if change.abs() >= REPORT_BYTES || (bytes == 0 && change != 0) {
            let mut total = 0;
            // SAFETY: `env` is the calling environment. A failure costs precision only.
            unsafe { sys::napi_adjust_external_memory(env, change, &mut total) };
            self.reported.set(bytes);
        }
    }

    /// Ends the handle in one of the registry's ways.
    fn end<T>(&self, end: impl FnOnce(Handle<MemoryCache>) -> T) -> Option<T> {
        let handle = self.handle.take()?;
        self.cache.subscriptions().remove(&self.subscription);
        self.cache.reads.close_handle(&self.counters);
        Some(end(handle))
    }

    /// Ends the handle with its environment.
    pub fn tear_down(&self) {
        self.end(Handle::tear_down);
    }
}
