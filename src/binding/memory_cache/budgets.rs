//! Budgets that several caches share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::cold::{Result, uninitialised};
use crate::binding::environment::Environment;
use crate::binding::to_napi;
use crate::engine::cache::budget::Budget;
use crate::engine::cache::memory::config::DEFAULT_MAX_BYTES;
use crate::engine::registry::Handle;
use crate::error::Error;

/// A JavaScript object's access to a budget.
#[derive(Debug)]
pub struct BudgetHandle {
    budget: Arc<Budget>,
    name: Option<String>,
    handle: RefCell<Option<Handle<Budget>>>,
}

impl BudgetHandle {
    /// Ends the handle in one of the registry's ways.
    fn end<T>(&self, end: impl FnOnce(Handle<Budget>) -> T) -> Option<T> {
        self.handle.take().map(end)
    }

    /// Ends the handle with its environment.
    pub fn tear_down(&self) {
        self.end(Handle::tear_down);
    }
}

fn handle(env: &Env, number: u32) -> Result<Rc<BudgetHandle>> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    environment
        .memory_caches
        .budgets
        .get(number)
        .ok_or_else(|| to_napi(Error::Closed { engine: "budget" }))
}

/// The budget behind a number.
pub fn budget(env: &Env, number: u32) -> Result<Arc<Budget>> {
    Ok(handle(env, number)?.budget.clone())
}

/// Opens a handle on a budget and returns its number.
#[napi(catch_unwind)]
pub fn open_memory_budget(env: &Env, name: Option<String>, max_bytes: Option<f64>) -> Result<u32> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    let explicit = max_bytes.map(|bytes| bytes as u64);
    let total = explicit.unwrap_or(DEFAULT_MAX_BYTES);
    let handle = match &name {
        None => Handle::private(Budget::new(None, total)),
        Some(name) => Budget::registry()
            .open(
                name,
                |budget| budget.agree(name, explicit),
                || Budget::new(Some(name.clone()), total),
            )
            .map_err(to_napi)?,
    };
    Ok(environment.memory_caches.budgets.add(|_| BudgetHandle {
        budget: handle.engine().clone(),
        name,
        handle: RefCell::new(Some(handle)),
    }))
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_memory_budget(env: &Env, number: u32) -> Result<()> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    if let Some(handle) = environment.memory_caches.budgets.remove(number) {
        handle.end(Handle::close);
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named budget stays.
#[napi(catch_unwind)]
pub fn collect_memory_budget(env: &Env, number: u32) -> Result<()> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    if let Some(handle) = environment.memory_caches.budgets.remove(number)
        && let Some(pin) = handle.end(Handle::collect).flatten()
        && let Some(name) = &handle.name
    {
        environment.memory_caches.pin_budget(name.clone(), pin);
    }
    Ok(())
}

/// Changes the size of a budget.
#[napi(catch_unwind)]
pub fn memory_budget_resize(env: &Env, number: u32, max_bytes: f64) -> Result<()> {
    handle(env, number)?.budget.resize(max_bytes as u64);
    Ok(())
}

/// One cache of a budget.
#[napi(object)]
pub struct NativeBudgetMember {
    pub name: Option<String>,
    pub bytes: f64,
    pub max_bytes: f64,
    pub near_misses: f64,
}

/// What a budget counts.
#[napi(object)]
pub struct NativeBudgetStats {
    pub max_bytes: f64,
    pub moves: f64,
    pub caches: Vec<NativeBudgetMember>,
}

/// A snapshot of a budget's counters.
#[napi(catch_unwind)]
pub fn memory_budget_stats(env: &Env, number: u32) -> Result<NativeBudgetStats> {
    let stats = handle(env, number)?.budget.stats();
    let members = stats.members.into_iter().map(|member| NativeBudgetMember {
        name: member.name,
        bytes: member.bytes as f64,
        max_bytes: member.allotment as f64,
        near_misses: member.ghost_hits as f64,
    });
    Ok(NativeBudgetStats {
        max_bytes: stats.max_bytes as f64,
        moves: stats.moves as f64,
        caches: members.collect(),
    })
}
