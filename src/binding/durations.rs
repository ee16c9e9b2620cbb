//! How long tasks and jobs waited and ran, as JavaScript is told.

use napi_derive::napi;

use crate::engine::workers::stats::Summary;

/// Durations in milliseconds.
#[napi(object)]
pub struct NativeDurations {
    pub count: f64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
}

impl From<Summary> for NativeDurations {
    fn from(summary: Summary) -> Self {
        Self {
            count: summary.count as f64,
            min: summary.min,
            max: summary.max,
            mean: summary.mean,
            p50: summary.p50,
            p90: summary.p90,
            p95: summary.p95,
            p99: summary.p99,
        }
    }
}
