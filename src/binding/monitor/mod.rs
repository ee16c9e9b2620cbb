//! Monitoring: the ring of this environment, metrics, monitors, renderings.

mod metrics;
mod monitors;
mod recording;
mod rendering;
mod watching;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, Unknown};
use napi::sys;

use super::call::{EntryPoint, Failure};
use super::environment::Environment;
use super::handles::Handles;
use crate::engine::monitor::monitors::Monitor;
use crate::engine::monitor::ring::Ring;
use crate::engine::monitor::worker;
use crate::engine::registry::Pin;

pub const ENTRY_POINTS: &[EntryPoint] = recording::ENTRY_POINTS;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// What one environment uses of monitoring.
#[derive(Debug, Default)]
pub struct Monitoring {
    ring: OnceCell<Arc<Ring>>,
    watch: RefCell<Option<watching::Watch>>,
    watchers: Cell<u32>,
    monitors: Handles<monitors::MonitorHandle>,
    pins: RefCell<HashMap<String, Pin<Monitor>>>,
    renderings: Handles<rendering::Rendering>,
}

impl Monitoring {
    /// Counts what this thread has recorded last, and gives everything back.
    pub fn tear_down(&self) {
        self.watch.take();
        if let Some(ring) = self.ring.get() {
            worker::process().close_ring(ring);
        }
        self.renderings.take_all();
        for handle in self.monitors.take_all() {
            handle.tear_down();
        }
        for pin in self.pins.take().into_values() {
            pin.release();
        }
    }
}

fn environment(env: &Env) -> Result<&Environment> {
    Environment::of(env).map_err(|error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason))
}

/// A value made by hand, as the macros want it.
fn returned(env: &Env, value: std::result::Result<sys::napi_value, Failure>) -> Result<Unknown<'_>> {
    let value = value.map_err(|failure| napi::Error::new("ERR_HOTPATH_NATIVE", format!("{failure:?}")))?;
    // SAFETY: a value of the calling scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
}
