//! Families of metrics and their series.

use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use super::{Result, returned};
use crate::binding::{to_napi, values};
use crate::engine::completion::Reply;
use crate::engine::monitor::metrics::{Definition, Kind};
use crate::engine::monitor::store::Target;
use crate::engine::monitor::worker::process;

/// A family as JavaScript defines it, checked there.
#[napi(object)]
pub struct MetricOptions {
    /// Its name.
    pub name: String,
    /// One line for the reader.
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// The names of its labels.
    pub label_names: Vec<String>,
    /// Upper ends of the classic buckets, ascending.
    pub buckets: Option<Vec<f64>>,
    /// The smallest difference told apart without labels.
    pub resolution: f64,
    /// Most series.
    pub max_series: f64,
}

impl From<MetricOptions> for Definition {
    fn from(options: MetricOptions) -> Self {
        Self {
            name: options.name,
            help: options.help,
            kind: Kind::parse(&options.kind).unwrap_or(Kind::Gauge),
            label_names: options.label_names,
            bounds: options.buckets.map(Into::into),
            resolution: options.resolution,
            max_series: options.max_series as usize,
        }
    }
}

/// Defines a family, or finds the one that is there, and returns its number.
#[napi(catch_unwind)]
pub fn define_metric(options: MetricOptions) -> Result<u32> {
    let number = process().store.lock().define(options.into()).map_err(to_napi)?;
    Ok(number as u32)
}

/// Defines a gauge that is the first counter's share of the sum of both.
#[napi(catch_unwind)]
pub fn define_share(options: MetricOptions, part: u32, rest: u32) -> Result<()> {
    let mut store = process().store.lock();
    store.define_share(options.into(), part, rest).map_err(to_napi)
}

/// The target of the series with these values of its labels; negative for the overflow series.
#[napi(catch_unwind)]
pub fn metric_series(metric: u32, values: Vec<String>) -> f64 {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let place = process().store.lock().series(metric as usize, &values);
    let target = f64::from(place.target);
    if place.overflow { -target } else { target }
}

/// Drops a series.
#[napi(catch_unwind)]
pub fn remove_metric_series(metric: u32, values: Vec<String>) -> bool {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    process().with(|store| store.remove_series(metric as usize, &values))
}

/// Sets all metrics to 0.
#[napi(catch_unwind)]
pub fn reset_metrics() {
    process().with(|store| store.reset_metrics());
}

/// What a target holds now: a number; for a histogram a Float64Array of count, sum, smallest,
/// largest, and percentiles 50, 95 and 99; undefined for one that is gone.
#[napi(catch_unwind)]
pub fn metric_value(env: &Env, target: u32) -> Result<Unknown<'_>> {
    let raw = env.raw();
    let figures = process().with(|store| match store.get(target) {
        Target::Histogram(histogram) => {
            let (min, max) = histogram.range().unwrap_or((0.0, 0.0));
            let quantile = |share| histogram.quantile(share).unwrap_or(0.0);
            let quantiles = [quantile(0.5), quantile(0.95), quantile(0.99)];
            let mut figures = vec![histogram.count() as f64, histogram.sum(), min, max];
            figures.extend(quantiles);
            figures
        }
        _ => store.number(target).into_iter().collect(),
    });
    let value = match figures.as_slice() {
        [] => values::undefined(raw),
        [number] => values::number(raw, *number),
        _ => values::reply(raw, Reply::Numbers(figures)),
    };
    returned(env, value)
}

/// The series of a family as pairs in a flat array: the values of the labels, and the target.
#[napi(catch_unwind)]
pub fn list_metric_series(metric: u32) -> Vec<(Vec<String>, u32)> {
    let store = process().store.lock();
    let Some(family) = store.metrics.families().get(metric as usize) else {
        return Vec::new();
    };
    let texts = |values: &[Box<str>]| values.iter().map(|value| value.to_string()).collect();
    family
        .series()
        .iter()
        .map(|series| (texts(&series.values), series.target))
        .collect()
}
