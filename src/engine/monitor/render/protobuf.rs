//! Prometheus's protocol buffers (`io.prometheus.client.MetricFamily`, each behind its length):
//! the only form in which a Prometheus server takes native histograms. The messages are few and
//! flat, so they are written here by hand.

use super::{Figure, Writer};
use crate::engine::monitor::histogram::{Histogram, ZERO_THRESHOLD};
use crate::engine::monitor::metrics::{Definition, Kind};

#[derive(Default)]
pub struct Protobuf {
    /// The present family, whose length has to come before it.
    family: Vec<u8>,
}

impl Writer for Protobuf {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn family(&mut self, _: &mut Vec<u8>, definition: &Definition) {
        self.family.clear();
        text(&mut self.family, 1, &definition.name);
        text(&mut self.family, 2, &definition.help);
        let kind = match definition.kind {
            Kind::Counter => 0,
            Kind::Gauge => 1,
            Kind::Histogram => 4,
        };
        number(&mut self.family, 3, kind);
    }

    fn series(&mut self, _: &mut Vec<u8>, definition: &Definition, values: &[Box<str>], figure: &Figure<'_>) {
        let mut metric = Vec::new();
        for (name, value) in definition.label_names.iter().zip(values) {
            let mut pair = Vec::new();
            text(&mut pair, 1, name);
            text(&mut pair, 2, value);
            message(&mut metric, 1, &pair);
        }
        let mut body = Vec::new();
        let field = match figure {
            Figure::Number(value) => {
                double(&mut body, 1, *value);
                if definition.kind == Kind::Gauge { 2 } else { 3 }
            }
            Figure::Histogram(histogram) => {
                self::histogram(&mut body, histogram);
                7
            }
        };
        message(&mut metric, field, &body);
        message(&mut self.family, 4, &metric);
    }

    fn end_family(&mut self, out: &mut Vec<u8>) {
        varint(out, self.family.len() as u64);
        out.append(&mut self.family);
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

fn histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    number(out, 1, histogram.count());
    double(out, 2, histogram.sum());
    let mut cumulative = 0;
    for (end, count) in histogram.classic() {
        cumulative += count;
        let mut bucket = Vec::new();
        number(&mut bucket, 1, cumulative);
        double(&mut bucket, 2, end);
        message(out, 3, &bucket);
    }
    let native = histogram.exponential();
    number(out, 5, zigzag(i64::from(native.schema())));
    double(out, 6, ZERO_THRESHOLD);
    number(out, 7, native.zeros());
    // Spans of neighbouring buckets: the gap before each and its length; then all counts, each
    // as the difference from the one before.
    let mut spans: Vec<(i32, u32)> = Vec::new();
    let mut next = 0;
    for (bucket, _) in native.buckets() {
        match spans.last_mut() {
            Some((_, length)) if bucket == next => *length += 1,
            _ => spans.push((bucket - next, 1)),
        }
        next = bucket + 1;
    }
    if spans.is_empty() {
        // Tells an empty native histogram from a classic one.
        spans.push((0, 0));
    }
    for (offset, length) in spans {
        let mut span = Vec::new();
        number(&mut span, 1, zigzag(i64::from(offset)));
        number(&mut span, 2, u64::from(length));
        message(out, 12, &span);
    }
    let mut before = 0;
    for (_, count) in native.buckets() {
        number(out, 13, zigzag(count as i64 - before));
        before = count as i64;
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn double(out: &mut Vec<u8>, field: u64, value: f64) {
    varint(out, field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn text(out: &mut Vec<u8>, field: u64, text: &str) {
    message(out, field, text.as_bytes());
}
