//! The text formats of Prometheus and OpenMetrics.
//!
//! Both are line by line; what differs: in OpenMetrics a counter's family has no `_total` and
//! its samples have it, bucket ends are floating-point numbers, and the last line says so.

use super::{Figure, Writer, push_number};
use crate::engine::monitor::metrics::{Definition, Kind};

pub struct Text {
    open_metrics: bool,
    /// The labels of the present series, written once for all its lines.
    labels: Vec<u8>,
    /// What the lines of a series begin with.
    name: Vec<u8>,
}

impl Text {
    pub fn new(open_metrics: bool) -> Self {
        Self {
            open_metrics,
            labels: Vec::new(),
            name: Vec::new(),
        }
    }

    fn family_name<'a>(&self, definition: &'a Definition) -> &'a str {
        let name = definition.name.as_str();
        match definition.kind {
            Kind::Counter if self.open_metrics => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        }
    }

    /// `name_suffix{labels,le="end"} value`
    fn line(&self, out: &mut Vec<u8>, suffix: &str, end: Option<f64>, value: f64) {
        out.extend_from_slice(&self.name);
        out.extend_from_slice(suffix.as_bytes());
        if end.is_some() || !self.labels.is_empty() {
            out.push(b'{');
            out.extend_from_slice(&self.labels);
            if let Some(end) = end {
                if !self.labels.is_empty() {
                    out.push(b',');
                }
                out.extend_from_slice(b"le=\"");
                push_number(out, end);
                if self.open_metrics && end.fract() == 0.0 {
                    out.extend_from_slice(b".0");
                }
                out.push(b'"');
            }
            out.push(b'}');
        }
        out.push(b' ');
        push_number(out, value);
        out.push(b'\n');
    }
}

impl Writer for Text {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn family(&mut self, out: &mut Vec<u8>, definition: &Definition) {
        let name = self.family_name(definition);
        out.extend_from_slice(b"# HELP ");
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
        escape(out, &definition.help, self.open_metrics);
        out.extend_from_slice(b"\n# TYPE ");
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
        out.extend_from_slice(definition.kind.name().as_bytes());
        out.push(b'\n');
        self.name = name.into();
    }

    fn series(
        &mut self,
        out: &mut Vec<u8>,
        definition: &Definition,
        values: &[Box<str>],
        figure: &Figure<'_>,
    ) {
        self.labels.clear();
        for (name, value) in definition.label_names.iter().zip(values) {
            if !self.labels.is_empty() {
                self.labels.push(b',');
            }
            self.labels.extend_from_slice(name.as_bytes());
            self.labels.extend_from_slice(b"=\"");
            escape(&mut self.labels, value, true);
            self.labels.push(b'"');
        }
        match figure {
            Figure::Number(number) => {
                let total = self.open_metrics && definition.kind == Kind::Counter;
                self.line(out, if total { "_total" } else { "" }, None, *number);
            }
            Figure::Histogram(histogram) => {
                let mut cumulative = 0;
                for (end, count) in histogram.classic() {
                    cumulative += count;
                    self.line(out, "_bucket", Some(end), cumulative as f64);
                }
                self.line(out, "_sum", None, histogram.sum());
                self.line(out, "_count", None, histogram.count() as f64);
            }
        }
    }

    fn end_family(&mut self, _: &mut Vec<u8>) {}

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.open_metrics {
            out.extend_from_slice(b"# EOF\n");
        }
    }
}

/// Backslashes and line ends, and quotes where the text stands in quotes.
fn escape(out: &mut Vec<u8>, text: &str, quotes: bool) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if quotes => out.extend_from_slice(b"\\\""),
            _ => out.push(byte),
        }
    }
}
