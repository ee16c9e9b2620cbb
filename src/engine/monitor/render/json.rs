//! JSON: an array of families, each with its series.

use serde_json::{Map, Value, json};

use super::{Figure, Writer};
use crate::engine::monitor::metrics::Definition;

/// Shares whose percentiles are told.
pub const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

#[derive(Default)]
pub struct Json {
    families: usize,
    series: usize,
}

impl Writer for Json {
    fn begin(&mut self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn family(&mut self, out: &mut Vec<u8>, definition: &Definition) {
        if self.families > 0 {
            out.push(b',');
        }
        self.families += 1;
        self.series = 0;
        out.extend_from_slice(b"\n{\"name\":");
        push(out, &Value::from(definition.name.as_str()));
        out.extend_from_slice(b",\"help\":");
        push(out, &Value::from(definition.help.as_str()));
        out.extend_from_slice(b",\"type\":");
        push(out, &Value::from(definition.kind.name()));
        out.extend_from_slice(b",\"series\":[");
    }

    fn series(
        &mut self,
        out: &mut Vec<u8>,
        definition: &Definition,
        values: &[Box<str>],
        figure: &Figure<'_>,
    ) {
        if self.series > 0 {
            out.push(b',');
        }
        self.series += 1;
        let pairs = definition.label_names.iter().zip(values);
        let labels: Map<String, Value> = pairs
            .map(|(name, value)| (name.clone(), Value::from(&**value)))
            .collect();
        let series = match figure {
            Figure::Number(number) => json!({ "labels": labels, "value": number }),
            Figure::Histogram(histogram) => {
                let range = histogram.range();
                let mut cumulative = 0;
                let buckets: Vec<Value> = histogram
                    .classic()
                    .map(|(end, count)| {
                        cumulative += count;
                        let end = if end.is_finite() {
                            Value::from(end)
                        } else {
                            Value::from("+Inf")
                        };
                        json!({ "le": end, "count": cumulative })
                    })
                    .collect();
                let mut series = json!({
                    "labels": labels,
                    "count": histogram.count(),
                    "sum": histogram.sum(),
                    "min": range.map(|(min, _)| min),
                    "max": range.map(|(_, max)| max),
                });
                for (name, quantile) in QUANTILES {
                    series[name] = Value::from(histogram.quantile(quantile));
                }
                series["buckets"] = Value::from(buckets);
                series
            }
        };
        push(out, &series);
    }

    fn end_family(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}");
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n]\n");
    }
}

/// Appends a value. What is not finite becomes `null`.
fn push(out: &mut Vec<u8>, value: &Value) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, value);
}
