//! The system, and the event loop of this thread.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::{Monitoring, Result, environment};
use crate::engine::monitor::loop_probe::{LoopProbe, SUBSCRIPTION};
use crate::engine::monitor::system::{Sampler, ThreadClock};
use crate::engine::monitor::worker::{self, Periodic};

/// What watches this thread.
#[derive(Debug)]
pub struct Watch {
    probe: Arc<LoopProbe>,
    _clock: Arc<ThreadClock>,
}

impl Monitoring {
    /// See [`LoopProbe::answer`].
    pub fn answer(&self) -> Option<f64> {
        self.watch.borrow().as_ref()?.probe.answer()
    }
}

/// Watches this thread's event loop and processor time until as many `unwatch` calls have
/// come. Returns the number under which the loop is asked.
#[napi(catch_unwind)]
pub fn monitor_watch(env: &Env) -> Result<u32> {
    let environment = environment(env)?;
    let monitoring = &environment.monitoring;
    monitoring.watchers.set(monitoring.watchers.get() + 1);
    let mut watch = monitoring.watch.borrow_mut();
    if watch.is_none() {
        let probe = Arc::new(LoopProbe::new(environment.queue.clone()));
        let clock = Arc::new(ThreadClock::current());
        Sampler::running().watch(&clock);
        let task: Arc<dyn Periodic> = probe.clone();
        worker::process().enlist(Arc::downgrade(&task));
        *watch = Some(Watch { probe, _clock: clock });
    }
    Ok(SUBSCRIPTION)
}

/// Ends one `watch`.
#[napi(catch_unwind)]
pub fn monitor_unwatch(env: &Env) -> Result<()> {
    let monitoring = &environment(env)?.monitoring;
    let left = monitoring.watchers.get().saturating_sub(1);
    monitoring.watchers.set(left);
    if left == 0 {
        monitoring.watch.take();
    }
    Ok(())
}

/// Delays of this thread's event loop, in milliseconds.
#[napi(object)]
pub struct NativeDelays {
    pub count: f64,
    pub mean: f64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    pub pending: f64,
}

/// What is known of this thread's event loop; null while it is not watched.
#[napi(catch_unwind)]
pub fn monitor_delays(env: &Env) -> Result<Option<NativeDelays>> {
    let watch = environment(env)?.monitoring.watch.borrow();
    Ok(watch.as_ref().map(|watch| {
        let delays = watch.probe.delays();
        NativeDelays {
            count: delays.count as f64,
            mean: delays.mean,
            p50: delays.quantiles[0],
            p99: delays.quantiles[1],
            max: delays.max,
            pending: delays.pending,
        }
    }))
}

/// A sample of the system; see the engine's `Snapshot`.
#[napi(object)]
pub struct NativeSystem {
    pub time: f64,
    pub process_cpu: f64,
    pub thread_cpu: f64,
    pub host_cpu: f64,
    pub cpu_seconds: f64,
    pub cores: f64,
    pub load: Vec<f64>,
    pub resident: f64,
    pub memory_limit: f64,
    pub memory_total: f64,
    pub memory_available: f64,
    pub disk_total: f64,
    pub disk_free: f64,
    pub disk_read: f64,
    pub disk_written: f64,
    pub network_received: f64,
    pub network_sent: f64,
    pub host_uptime: f64,
    pub open_files: f64,
}

/// The latest sample of the system; a new one when it is older than `ageMs`. Sampling starts
/// with the first call.
#[napi(catch_unwind)]
pub fn monitor_system(age_ms: Option<f64>) -> NativeSystem {
    let sampler = Sampler::running();
    let sample = match age_ms {
        Some(age) => sampler.refresh(Duration::from_secs_f64(age.clamp(0.0, 1e9) / 1000.0)),
        None => sampler.snapshot(),
    };
    NativeSystem {
        time: sample.time,
        process_cpu: sample.process_cpu,
        thread_cpu: sample.thread_cpu,
        host_cpu: sample.host_cpu,
        cpu_seconds: sample.cpu_seconds,
        cores: sample.cores,
        load: sample.load.to_vec(),
        resident: sample.resident,
        memory_limit: sample.memory_limit,
        memory_total: sample.memory_total,
        memory_available: sample.memory_available,
        disk_total: sample.disk_total,
        disk_free: sample.disk_free,
        disk_read: sample.disk_read,
        disk_written: sample.disk_written,
        network_received: sample.network_received,
        network_sent: sample.network_sent,
        host_uptime: sample.host_uptime,
        open_files: sample.open_files,
    }
}
