//! Renderings: made on the monitoring thread, handed over piece by piece.

use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;
use parking_lot::Mutex;

use super::{Result, environment, monitors};
use crate::binding::to_napi;
use crate::engine::completion::{Outcome, Reply};
use crate::engine::monitor::render::{self, Format, History, Pieces};
use crate::engine::monitor::worker::process;
use crate::error::Error;

/// A rendering that JavaScript reads.
#[derive(Clone)]
pub struct Rendering(Arc<Mutex<Box<dyn Pieces>>>);

impl std::fmt::Debug for Rendering {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rendering").finish_non_exhaustive()
    }
}

impl Rendering {
    fn new(pieces: impl Pieces + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(pieces))))
    }

    fn next(&self) -> Option<Vec<u8>> {
        self.0.lock().next(&process().store)
    }
}

fn metrics(format: &str) -> Rendering {
    let format = Format::parse(format).unwrap_or(Format::Prometheus);
    Rendering::new(process().with(|store| render::Rendering::new(store, format)))
}

/// Begins a rendering of all metrics and returns its number.
#[napi(catch_unwind)]
pub fn open_rendering(env: &Env, format: String) -> Result<u32> {
    let environment = environment(env)?;
    Ok(environment.monitoring.renderings.add(|_| metrics(&format)))
}

/// Begins a rendering of a monitor's samples and returns its number.
#[napi(catch_unwind)]
pub fn open_history(env: &Env, monitor: u32, format: String) -> Result<u32> {
    let environment = environment(env)?;
    let names = monitors::find(env, monitor)?.monitor.names(false);
    process().drain();
    let history = Rendering::new(History::new(names, format == "json"));
    Ok(environment.monitoring.renderings.add(|_| history))
}

/// The next piece of a rendering, as the answer to an operation: a Buffer, or undefined at the
/// end.
#[napi(catch_unwind)]
pub fn next_piece(env: &Env, rendering: u32, operation: u32) -> Result<()> {
    let environment = environment(env)?;
    let found = environment.monitoring.renderings.get(rendering);
    let rendering = found.ok_or_else(|| to_napi(Error::Closed { engine: "rendering" }))?;
    let (rendering, queue) = ((*rendering).clone(), environment.queue.clone());
    process().later(move || {
        let reply = rendering.next().map_or(Reply::None, Reply::Bytes);
        // Refused when the thread that asked is gone.
        queue.push(operation, Outcome::Done(reply));
    });
    Ok(())
}

/// Ends a rendering before its end.
#[napi(catch_unwind)]
pub fn close_rendering(env: &Env, rendering: u32) -> Result<()> {
    environment(env)?.monitoring.renderings.remove(rendering);
    Ok(())
}
