//! The history of a monitor: its samples, as JSON or CSV.

use std::io::Write;

use parking_lot::Mutex;

use super::{PIECE_BYTES, Pieces, push_number};
use crate::engine::monitor::store::{Store, Target};

/// Points that are written under one lock.
const LOCKED_POINTS: usize = 1_000;

/// A rendering of samples by name.
#[derive(Debug)]
pub struct History {
    names: Vec<(String, u32)>,
    json: bool,
    /// The name that is being written, and the time of its last point that was.
    at: usize,
    skip: usize,
    begun: bool,
    ended: bool,
}

impl History {
    /// A rendering of these samples: JSON, `{ name: [{ timestamp, value }] }`; or CSV with rows
    /// `timestamp,metric,value`.
    pub fn new(names: Vec<(String, u32)>, json: bool) -> Self {
        Self {
            names,
            json,
            at: 0,
            skip: 0,
            begun: false,
            ended: false,
        }
    }

    /// Writes some points of the present name. True when it has no more.
    fn some_points(&mut self, out: &mut Vec<u8>, store: &Mutex<Store>) -> bool {
        let (name, target) = &self.names[self.at];
        let store = store.lock();
        let Target::Samples(samples) = store.get(*target) else {
            return true;
        };
        let mut written = 0;
        for (point, _) in samples
            .after(f64::NEG_INFINITY)
            .skip(self.skip)
            .take(LOCKED_POINTS)
        {
            if self.json {
                let separator = if self.skip + written > 0 { "," } else { "" };
                let _ = write!(out, "{separator}{{\"timestamp\":{},\"value\":", point.time);
                match point.value.is_finite() {
                    true => push_number(out, point.value),
                    false => out.extend_from_slice(b"null"),
                }
                out.push(b'}');
            } else {
                let mut number = Vec::new();
                push_number(&mut number, point.value);
                let mut writer = csv::WriterBuilder::new().from_writer(&mut *out);
                let _ = writer.write_record([point.time.to_string().as_bytes(), name.as_bytes(), &number]);
            }
            written += 1;
        }
        self.skip += written;
        written < LOCKED_POINTS
    }

    fn begin_name(&self, out: &mut Vec<u8>) {
        if self.json {
            out.extend_from_slice(if self.at == 0 { b"\n" } else { b",\n" });
            let _ = serde_json::to_writer(&mut *out, &self.names[self.at].0);
            out.extend_from_slice(b":[");
        }
    }
}

impl Pieces for History {
    fn next(&mut self, store: &Mutex<Store>) -> Option<Vec<u8>> {
        if self.ended {
            return None;
        }
        let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        if !self.begun {
            self.begun = true;
            out.extend_from_slice(if self.json {
                b"{"
            } else {
                b"timestamp,metric,value\n"
            });
            if !self.names.is_empty() {
                self.begin_name(&mut out);
            }
        }
        while out.len() < PIECE_BYTES {
            if self.at == self.names.len() {
                if self.json {
                    out.extend_from_slice(b"\n}\n");
                }
                self.ended = true;
                break;
            }
            if self.some_points(&mut out, store) {
                if self.json {
                    out.push(b']');
                }
                self.at += 1;
                self.skip = 0;
                if self.at < self.names.len() {
                    self.begin_name(&mut out);
                }
            }
        }
        Some(out)
    }
}
