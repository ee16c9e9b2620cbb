//! Monitors: handles, samples, windows and alerts.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use super::{Result, environment, returned};
use crate::binding::{to_napi, values};
use crate::engine::cache::record::Kind;
use crate::engine::monitor::alerts::{Incident, Observation, Rule};
use crate::engine::monitor::monitors::{Form, Monitor};
use crate::engine::monitor::now_ms;
use crate::engine::monitor::samples::Point;
use crate::engine::monitor::store::Target;
use crate::engine::monitor::worker::process;
use crate::engine::registry::Handle;
use crate::error::Error;

/// One handle: a JavaScript object's access to a monitor.
#[derive(Debug)]
pub struct MonitorHandle {
    /// The monitor.
    pub monitor: Arc<Monitor>,
    name: Option<String>,
    handle: RefCell<Option<Handle<Monitor>>>,
}

impl MonitorHandle {
    /// Ends the handle with its environment.
    pub fn tear_down(&self) {
        if let Some(handle) = self.handle.take() {
            handle.tear_down();
        }
    }
}

/// The open handle of this number.
pub fn find(env: &Env, number: u32) -> Result<Rc<MonitorHandle>> {
    let found = environment(env)?.monitoring.monitors.get(number);
    let closed = || to_napi(Error::Closed { engine: "monitor" });
    found
        .filter(|handle| !handle.monitor.is_closed())
        .ok_or_else(closed)
}

/// Opens a handle on a monitor and returns its number. `options` are pairs of name and value.
#[napi(catch_unwind)]
pub fn open_monitor(env: &Env, name: Option<String>, options: Vec<(String, String)>) -> Result<u32> {
    let handle = match &name {
        None => Handle::private(Arc::new(Monitor::new(options))),
        Some(name) => Monitor::open(name, options).map_err(to_napi)?,
    };
    let monitor = handle.engine().clone();
    Ok(environment(env)?.monitoring.monitors.add(|_| MonitorHandle {
        monitor,
        name,
        handle: RefCell::new(Some(handle)),
    }))
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_monitor(env: &Env, number: u32) -> Result<()> {
    process().drain();
    if let Some(handle) = environment(env)?.monitoring.monitors.remove(number)
        && let Some(handle) = handle.handle.take()
    {
        handle.close();
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named monitor stays.
#[napi(catch_unwind)]
pub fn collect_monitor(env: &Env, number: u32) -> Result<()> {
    let monitoring = &environment(env)?.monitoring;
    if let Some(ended) = monitoring.monitors.remove(number)
        && let Some(handle) = ended.handle.take()
        && let (Some(pin), Some(name)) = (handle.collect(), &ended.name)
        && let Some(previous) = monitoring.pins.borrow_mut().insert(name.clone(), pin)
    {
        previous.release();
    }
    Ok(())
}

/// The target that samples of a name go to; negative when the name must not be remembered,
/// because the monitor has its most names.
#[napi(catch_unwind)]
pub fn monitor_samples(
    env: &Env,
    number: u32,
    name: String,
    capacity: f64,
    retention_ms: f64,
) -> Result<f64> {
    let form = Form::Samples(capacity as usize, retention_ms);
    Ok(signed(find(env, number)?.monitor.target(&name, form)))
}

/// The target of a rolling window; negative likewise.
#[napi(catch_unwind)]
pub fn monitor_window(
    env: &Env,
    number: u32,
    name: String,
    length_ms: f64,
    slices: u32,
    bits: u32,
) -> Result<f64> {
    let form = Form::Window(length_ms, slices, bits);
    Ok(signed(find(env, number)?.monitor.target(&name, form)))
}

fn signed((target, remember): (u32, bool)) -> f64 {
    let target = f64::from(target);
    if remember { target } else { -target }
}

/// The names of a monitor's samples, or of its windows, sorted.
#[napi(catch_unwind)]
pub fn monitor_names(env: &Env, number: u32, windows: bool) -> Result<Vec<String>> {
    let names = find(env, number)?.monitor.names(windows);
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

/// Adds a sample with a note, at once.
#[napi(catch_unwind)]
pub fn note_sample(target: u32, time: f64, value: f64, note: String) {
    process().with(|store| store.note(target, Point { time, value }, Some(note.into())));
}

/// The samples of a name after a time, as a flat array, three places each: value, time and
/// note, which may be undefined.
#[napi(catch_unwind)]
pub fn monitor_points<'env>(env: &'env Env, number: u32, name: String, since: f64) -> Result<Unknown<'env>> {
    let target = find(env, number)?.monitor.find(&name);
    let points = process().with(|store| match target.map(|target| store.get(target)) {
        Some(Target::Samples(samples)) => samples
            .after(since)
            .map(|(point, note)| (point, note.cloned()))
            .collect(),
        _ => Vec::new(),
    });
    let raw = env.raw();
    let flatten = || {
        let mut flat = Vec::with_capacity(3 * points.len());
        for (point, note) in &points {
            flat.push(values::number(raw, point.value)?);
            flat.push(values::number(raw, point.time)?);
            flat.push(match note {
                Some(note) => values::string(raw, Kind::UTF8, note.as_bytes())?,
                None => values::undefined(raw)?,
            });
        }
        values::array(raw, &flat)
    };
    returned(env, flatten())
}

/// Statistics of the samples of a name after a time: count, smallest, largest, mean, and
/// percentiles 50, 95 and 99; empty without samples.
#[napi(catch_unwind)]
pub fn monitor_stats(env: &Env, number: u32, name: String, since: f64) -> Result<Vec<f64>> {
    let target = find(env, number)?.monitor.find(&name);
    let stats = process().with(|store| match target.map(|target| store.get(target)) {
        Some(Target::Samples(samples)) => samples.stats(since),
        _ => None,
    });
    Ok(stats.map_or_else(Vec::new, |stats| {
        let mut list = vec![stats.count as f64, stats.min, stats.max, stats.avg];
        list.extend(stats.quantiles);
        list
    }))
}

/// What happened in a window: count, failures, sum, smallest, largest, percentiles 50, 95 and
/// 99, and count, failures and sum since the beginning; empty for another target.
#[napi(catch_unwind)]
pub fn window_summary(target: u32) -> Vec<f64> {
    process().with(|store| match store.get_mut(target) {
        Some(Target::Window(window)) => {
            let summary = window.summary(now_ms());
            let mut list = vec![summary.count as f64, summary.failures as f64, summary.sum];
            list.extend([summary.min, summary.max]);
            list.extend(summary.quantiles);
            list.extend([
                summary.total as f64,
                summary.total_failures as f64,
                summary.total_sum,
            ]);
            list
        }
        _ => Vec::new(),
    })
}

/// Starts everything that a monitor holds afresh.
#[napi(catch_unwind)]
pub fn reset_monitor(env: &Env, number: u32) -> Result<()> {
    let monitor = find(env, number)?.monitor.clone();
    let targets = [monitor.names(false), monitor.names(true)].concat();
    process().with(|store| targets.iter().for_each(|(_, target)| store.reset(*target)));
    Ok(())
}

/// An incident.
#[napi(object)]
pub struct NativeIncident {
    pub id: f64,
    pub kind: String,
    pub severity: String,
    pub value: f64,
    pub threshold: f64,
    pub since: f64,
    pub note: String,
}

impl From<&Incident> for NativeIncident {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id as f64,
            kind: incident.kind.clone(),
            severity: incident.severity.clone(),
            value: incident.value,
            threshold: incident.threshold,
            since: incident.since,
            note: incident.note.clone(),
        }
    }
}

/// A change of an incident.
#[napi(object)]
pub struct NativeTransition {
    pub number: f64,
    pub began: bool,
    pub time: f64,
    pub incident: NativeIncident,
}

/// Adds a rule for incidents of this kind, or changes it. Returns its number.
#[napi(catch_unwind)]
pub fn alert_rule(
    env: &Env,
    number: u32,
    kind: String,
    severity: String,
    above: bool,
    hold_ms: f64,
) -> Result<u32> {
    let rule = Rule {
        kind,
        severity,
        above,
        hold_ms,
    };
    Ok(find(env, number)?.monitor.alerts.lock().rule(rule) as u32)
}

/// What a rule is told: its figure, if there is one, and its limits.
#[napi(object)]
pub struct NativeObservation {
    pub value: Option<f64>,
    pub threshold: f64,
    pub resolve_at: f64,
    pub note: String,
}

/// Tells a rule what is seen.
#[napi(catch_unwind)]
pub fn alert_observe(env: &Env, number: u32, rule: u32, seen: NativeObservation, now: f64) -> Result<()> {
    let observation = Observation {
        value: seen.value,
        threshold: seen.threshold,
        resolve_at: seen.resolve_at,
    };
    let handle = find(env, number)?;
    let mut alerts = handle.monitor.alerts.lock();
    alerts.observe(rule as usize, observation, &seen.note, now);
    Ok(())
}

/// The incidents that have not ended.
#[napi(catch_unwind)]
pub fn open_alerts(env: &Env, number: u32) -> Result<Vec<NativeIncident>> {
    let handle = find(env, number)?;
    let alerts = handle.monitor.alerts.lock();
    Ok(alerts.open().map(NativeIncident::from).collect())
}

/// What changed after the transition of this number.
#[napi(catch_unwind)]
pub fn alert_transitions(env: &Env, number: u32, after: f64) -> Result<Vec<NativeTransition>> {
    let handle = find(env, number)?;
    let alerts = handle.monitor.alerts.lock();
    let native = |transition: &crate::engine::monitor::alerts::Transition| NativeTransition {
        number: transition.number as f64,
        began: transition.began,
        time: transition.time,
        incident: NativeIncident::from(&transition.incident),
    };
    Ok(alerts.after(after as u64).map(native).collect())
}

/// Ends an incident on somebody's word.
#[napi(catch_unwind)]
pub fn resolve_alert(env: &Env, number: u32, id: f64, now: f64) -> Result<bool> {
    Ok(find(env, number)?.monitor.alerts.lock().resolve(id as u64, now))
}

/// The number of the latest transition.
#[napi(catch_unwind)]
pub fn latest_alert(env: &Env, number: u32) -> Result<f64> {
    Ok(find(env, number)?.monitor.alerts.lock().latest() as f64)
}
