//! What a run found out, as JSON. Times in milliseconds.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use serde_json::{Map, Value, json};

use super::failure::KINDS;
use super::tally::Tally;

/// What a report is made from.
#[derive(Debug)]
pub struct Figures<'a> {
    /// Everything that was counted.
    pub tally: &'a Tally,
    /// For how long.
    pub elapsed: Duration,
    /// Whether it was ended before it was over.
    pub stopped: bool,
    /// The phase, and how many users are there, where there are users.
    pub live: Option<(usize, usize)>,
    /// With the histogram.
    pub whole: bool,
}

const PERCENTILES: [(&str, f64); 7] = [
    ("p50", 50.0),
    ("p75", 75.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p999", 99.9),
    ("p9999", 99.99),
];

/// The report.
pub fn render(figures: &Figures<'_>) -> String {
    let tally = figures.tally;
    let (succeeded, failed) = (tally.successes(), tally.failed_requests());
    let total = succeeded + failed;
    let measured = tally.latencies.len();
    let mean = ratio(ms(tally.sum), measured as f64);
    let answered: u64 = tally.statuses.iter().sum();
    let least = if measured == 0 { 0.0 } else { ms(tally.least) };
    let mut report = json!({
        "totalRequests": total,
        "successfulRequests": succeeded,
        "failedRequests": failed,
        "successRate": rounded(ratio(succeeded as f64 * 100.0, total as f64)),
        "averageResponseTime": rounded(mean),
        "maxResponseTime": rounded(ms(tally.most)),
        "minResponseTime": rounded(least),
        "totalTime": rounded(ms(figures.elapsed)),
        "requestsPerSecond": rounded(ratio(answered as f64, figures.elapsed.as_secs_f64())),
        "latency": latency(tally, mean, least),
        "statusCodes": statuses(tally),
        "errors": failures(tally),
        "bytesReceived": tally.received,
        "bytesSent": tally.sent,
        "connections": tally.connections,
        "unfinished": tally.unfinished,
        "aborted": figures.stopped,
    });
    if let Some((phase, active)) = figures.live {
        let users = tally.users;
        report["users"] = json!({
            "started": users.started,
            "completed": users.completed,
            "failed": users.failed,
            "skipped": users.skipped,
            "active": active,
        });
        report["scenarios"] = json!(tally.scenarios);
        report["phase"] = json!(phase);
    }
    if figures.whole {
        report["histogram"] = histogram(&tally.latencies);
    }
    report.to_string()
}

fn latency(tally: &Tally, mean: f64, least: f64) -> Value {
    let histogram = &tally.latencies;
    let mut latency = Map::new();
    for (name, percentile) in PERCENTILES {
        latency.insert(name.to_owned(), json!(at(histogram, percentile)));
    }
    let spread = if histogram.is_empty() {
        0.0
    } else {
        histogram.stdev() / 1000.0
    };
    latency.insert("mean".to_owned(), json!(rounded(mean)));
    latency.insert("stdev".to_owned(), json!(rounded(spread)));
    latency.insert("min".to_owned(), json!(rounded(least)));
    latency.insert("max".to_owned(), json!(rounded(ms(tally.most))));
    Value::Object(latency)
}

fn statuses(tally: &Tally) -> Value {
    let counted = tally.statuses.iter().enumerate().filter(|(_, count)| **count > 0);
    Value::Object(
        counted
            .map(|(status, count)| (status.to_string(), json!(count)))
            .collect(),
    )
}

fn failures(tally: &Tally) -> Value {
    let counted = KINDS.iter().zip(tally.failures).filter(|(_, count)| *count > 0);
    Value::Object(
        counted
            .map(|((_, name), count)| ((*name).to_owned(), json!(count)))
            .collect(),
    )
}

/// The whole distribution: steps for a chart, and the interchange format of HdrHistogram.
fn histogram(latencies: &Histogram<u64>) -> Value {
    let steps = latencies.iter_quantiles(5).map(|step| {
        json!({
            "percentile": step.quantile_iterated_to() * 100.0,
            "value": rounded(step.value_iterated_to() as f64 / 1000.0),
            "count": step.count_since_last_iteration(),
        })
    });
    let mut bytes = Vec::new();
    // Into memory, where writing does not fail.
    let _ = V2DeflateSerializer::new().serialize(latencies, &mut bytes);
    json!({
        "unit": "microseconds",
        "significantDigits": latencies.sigfig(),
        "count": latencies.len(),
        "percentiles": steps.collect::<Vec<_>>(),
        "encoded": STANDARD.encode(&bytes),
    })
}

fn at(histogram: &Histogram<u64>, percentile: f64) -> f64 {
    rounded(histogram.value_at_percentile(percentile) as f64 / 1000.0)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
