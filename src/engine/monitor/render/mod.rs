//! Metrics as text, piece by piece.
//!
//! A rendering begins with a list of what there is, and then writes a piece at each call: the
//! store is locked for a few series at a time, so that a scrape of a hundred thousand series
//! keeps no recording thread waiting. Figures of different series may therefore be some
//! milliseconds apart; those of one series belong together.

mod csv;
mod history;
mod json;
mod protobuf;
mod text;

use std::sync::Arc;

use parking_lot::Mutex;

pub use history::History;

use super::histogram::Histogram;
use super::metrics::{Definition, Kind, REFUSED, Series};
use super::store::{Store, Target};

/// A piece is handed over when it has grown to this.
const PIECE_BYTES: usize = 128 * 1024;

/// Series that are rendered under one lock.
const LOCKED_SERIES: usize = 64;

/// How metrics can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format 0.0.4, with classic buckets.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus's protocol buffers, with classic and native buckets.
    Protobuf,
    /// An array of families.
    Json,
    /// One row per figure.
    Csv,
}

impl Format {
    /// The format of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "prometheus" => Self::Prometheus,
            "openmetrics" => Self::OpenMetrics,
            "protobuf" => Self::Protobuf,
            "json" => Self::Json,
            "csv" => Self::Csv,
            _ => return None,
        })
    }
}

/// What can be rendered in pieces.
pub trait Pieces: Send {
    /// The next piece; none after the last.
    fn next(&mut self, store: &Mutex<Store>) -> Option<Vec<u8>>;
}

/// What a series has to say.
enum Figure<'a> {
    Number(f64),
    Histogram(&'a Histogram),
}

/// One way to write metrics.
trait Writer: Send {
    fn begin(&mut self, out: &mut Vec<u8>);
    fn family(&mut self, out: &mut Vec<u8>, definition: &Definition);
    fn series(
        &mut self,
        out: &mut Vec<u8>,
        definition: &Definition,
        values: &[Box<str>],
        figure: &Figure<'_>,
    );
    fn end_family(&mut self, out: &mut Vec<u8>);
    fn end(&mut self, out: &mut Vec<u8>);
}

struct Plan {
    definition: Arc<Definition>,
    series: Vec<Series>,
    /// Figures of a family that has no targets of its own.
    computed: Option<Vec<f64>>,
}

/// A rendering of all metrics.
pub struct Rendering {
    writer: Box<dyn Writer>,
    plans: std::vec::IntoIter<Plan>,
    current: Option<(Plan, usize)>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    New,
    Running,
    Ended,
}

impl std::fmt::Debug for Rendering {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rendering").finish_non_exhaustive()
    }
}

impl Rendering {
    /// Lists what there is to render.
    pub fn new(store: &Store, format: Format) -> Self {
        let families = store.metrics.families();
        let mut plans: Vec<Plan> = families
            .iter()
            .map(|family| Plan {
                definition: family.definition.clone(),
                series: family.series().to_vec(),
                computed: None,
            })
            .collect();
        let refusing: Vec<_> = families.iter().filter(|family| family.refused() > 0.0).collect();
        if !refusing.is_empty() {
            plans.push(Plan {
                definition: Arc::new(refused()),
                series: refusing
                    .iter()
                    .map(|family| Series {
                        target: super::store::TIME,
                        values: [Box::from(family.definition.name.as_str())].into(),
                    })
                    .collect(),
                computed: Some(refusing.iter().map(|family| family.refused()).collect()),
            });
        }
        let writer: Box<dyn Writer> = match format {
            Format::Prometheus => Box::new(text::Text::new(false)),
            Format::OpenMetrics => Box::new(text::Text::new(true)),
            Format::Protobuf => Box::new(protobuf::Protobuf::default()),
            Format::Json => Box::new(json::Json::default()),
            Format::Csv => Box::new(csv::Csv::default()),
        };
        Self {
            writer,
            plans: plans.into_iter(),
            current: None,
            state: State::New,
        }
    }

    /// Writes some series under one lock. False when the family is done.
    fn some_series(&mut self, out: &mut Vec<u8>, store: &Mutex<Store>) -> bool {
        let Some((plan, next)) = &mut self.current else {
            return false;
        };
        let end = (*next + LOCKED_SERIES).min(plan.series.len());
        let store = store.lock();
        for (index, series) in plan.series.iter().enumerate().take(end).skip(*next) {
            let figure = match (&plan.computed, store.get(series.target)) {
                (Some(figures), _) => Figure::Number(figures[index]),
                (None, Target::Histogram(histogram)) => Figure::Histogram(histogram),
                (None, _) => match store.number(series.target) {
                    Some(number) => Figure::Number(number),
                    // Removed since the list was made.
                    None => continue,
                },
            };
            self.writer.series(out, &plan.definition, &series.values, &figure);
        }
        *next = end;
        end < plan.series.len()
    }
}

impl Pieces for Rendering {
    fn next(&mut self, store: &Mutex<Store>) -> Option<Vec<u8>> {
        if self.state == State::Ended {
            return None;
        }
        let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        if self.state == State::New {
            self.writer.begin(&mut out);
            self.state = State::Running;
        }
        while out.len() < PIECE_BYTES {
            if self.current.is_none() {
                let Some(plan) = self.plans.next() else {
                    self.writer.end(&mut out);
                    self.state = State::Ended;
                    break;
                };
                self.writer.family(&mut out, &plan.definition);
                self.current = Some((plan, 0));
            }
            if !self.some_series(&mut out, store) {
                self.writer.end_family(&mut out);
                self.current = None;
            }
        }
        Some(out)
    }
}

fn refused() -> Definition {
    Definition {
        name: REFUSED.into(),
        help: "Label sets that went to the overflow series because the metric has its most series".into(),
        kind: Kind::Counter,
        label_names: vec!["metric".into()],
        bounds: None,
        resolution: 1.0,
        max_series: usize::MAX,
    }
}

/// Appends a number as Prometheus and its relatives read it.
fn push_number(out: &mut Vec<u8>, number: f64) {
    use std::io::Write;
    // Writing to a vector cannot fail.
    let _ = if number.is_nan() {
        write!(out, "NaN")
    } else if number.is_infinite() {
        write!(out, "{}", if number > 0.0 { "+Inf" } else { "-Inf" })
    } else if number.fract() == 0.0 && number.abs() < 1e15 {
        write!(out, "{}", number as i64)
    } else if number != 0.0 && !(1e-7..1e21).contains(&number.abs()) {
        write!(out, "{number:e}")
    } else {
        write!(out, "{number}")
    };
}

#[cfg(test)]
mod tests;
