//! Compute engines: handles, and what JavaScript calls on them.

mod tasks;

use std::sync::Arc;

use napi::bindgen_prelude::{Env, Float64Array};
use napi_derive::napi;

use super::call::{Call, Failure};
use super::environment::Environment;
use super::handles::Handles;
use super::to_napi;
use crate::engine::compute::ComputeEngine;
use crate::error::Error;

pub use tasks::ENTRY_POINTS;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// What one environment uses of compute engines.
#[derive(Debug, Default)]
pub struct Computes {
    handles: Handles<Arc<ComputeEngine>>,
}

impl Computes {
    fn get(&self, number: u32) -> Option<Arc<ComputeEngine>> {
        Some(Arc::clone(&*self.handles.get(number)?))
    }

    /// Ends all engines, and waits until no thread reads what this environment has lent: its
    /// heap goes next. Tasks stop within milliseconds.
    pub fn tear_down(&self) {
        let engines = self.handles.take_all();
        engines.iter().for_each(|engine| engine.destroy());
        engines.iter().for_each(|engine| engine.wait_until_idle());
    }
}

fn closed() -> Error {
    Error::Closed {
        engine: "parallel processing engine",
    }
}

/// The engine that the first argument of a raw call names.
fn engine_of<const N: usize>(call: &Call<'_, N>) -> std::result::Result<Arc<ComputeEngine>, Failure> {
    let engine = call.environment.computes.get(call.u32(0)?);
    engine.ok_or(Failure::Engine(closed()))
}

fn engine(env: &Env, number: u32) -> Result<Arc<ComputeEngine>> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    let engine = environment.computes.get(number);
    engine.ok_or_else(|| to_napi(closed()))
}

fn uninitialised(error: napi::Error) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", error.reason)
}

/// Opens an engine of at most so many threads and returns its number.
#[napi(catch_unwind)]
pub fn open_compute(env: Env, max_workers: f64) -> Result<u32> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    let engine = ComputeEngine::new(max_workers as usize);
    Ok(environment.computes.handles.add(|_| engine))
}

/// Refuses tasks from now on; those that were taken go on.
#[napi(catch_unwind)]
pub fn close_compute(env: Env, number: u32) -> Result<()> {
    engine(&env, number).map(|engine| engine.close())
}

/// Refuses tasks from now on, and stops those that were taken.
#[napi(catch_unwind)]
pub fn destroy_compute(env: Env, number: u32) -> Result<()> {
    engine(&env, number).map(|engine| engine.destroy())
}

/// Ends an engine that nobody will use any more, and gives its number back. JavaScript calls
/// this when no task is left; if one were, memory that it reads would be about to go.
#[napi(catch_unwind)]
pub fn collect_compute(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(engine) = environment.computes.handles.remove(number) {
        engine.destroy();
        engine.wait_until_idle();
    }
    Ok(())
}

/// Stops one task. Without effect on one that is over.
#[napi(catch_unwind)]
pub fn cancel_compute_task(env: Env, number: u32, operation: u32) -> Result<()> {
    engine(&env, number).map(|engine| engine.cancel(operation))
}

/// The engine's counts: threads, busy ones, pending by priority (high, normal, low), running,
/// submitted, started, completed, failed, cancelled, timed out, and the sums of waiting and of
/// execution in milliseconds.
#[napi(catch_unwind)]
pub fn compute_counts(env: Env, number: u32) -> Result<Float64Array> {
    let counts = engine(&env, number)?.counts();
    let whole = [
        counts.threads as u64,
        counts.busy as u64,
        counts.pending[0] as u64,
        counts.pending[1] as u64,
        counts.pending[2] as u64,
        counts.running as u64,
        counts.submitted,
        counts.started,
        counts.completed,
        counts.failed,
        counts.cancelled,
        counts.timed_out,
    ];
    let mut flat: Vec<f64> = whole.iter().map(|count| *count as f64).collect();
    flat.extend([counts.wait, counts.execution].map(|sum| sum.as_secs_f64() * 1000.0));
    Ok(Float64Array::new(flat))
}
