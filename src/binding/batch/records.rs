//! Scans of files of records.

use std::path::PathBuf;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use crate::binding::environment::Environment;
use crate::binding::to_napi;
use crate::engine::batch::records::filter::Filter;
use crate::engine::batch::records::source::Start;
use crate::engine::batch::records::{Chunk, Format, Plan, Scan};
use crate::engine::cache::record::Kind;
use crate::engine::completion::{Outcome, Reply};
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// One handle: a JavaScript object's own scan.
#[derive(Debug)]
pub struct ScanHandle(Scan);

/// What to scan for, checked and normalised by JavaScript.
#[napi(object)]
pub struct ScanOptions {
    /// The file.
    pub path: String,
    /// Whether it has comma-separated values; else it has a JSON value a line.
    pub csv: bool,
    /// Character codes of what separates and encloses fields.
    pub delimiter: u32,
    pub quote: u32,
    /// Names of the columns, if the file does not tell them.
    pub columns: Option<Vec<String>>,
    /// Fields to read, and how many of them to hand over; all of a record, if not given.
    pub names: Vec<String>,
    pub fields: Option<u32>,
    /// Conditions, as [`Filter::from_json`] reads them.
    pub filter: String,
    /// Where to begin: an offset and its line, as an earlier scan has told them.
    pub offset: f64,
    pub line: f64,
}

/// Begins to scan a file, and returns the number of the scan.
#[napi(catch_unwind)]
pub fn open_scan(env: Env, options: ScanOptions) -> Result<u32> {
    let invalid = || {
        to_napi(Error::Pattern {
            reason: "the conditions cannot be read".to_owned(),
        })
    };
    let format = match options.csv {
        true => Format::Csv {
            delimiter: options.delimiter as u8,
            quote: options.quote as u8,
            columns: options.columns,
        },
        false => Format::Ndjson,
    };
    let plan = Plan {
        format,
        names: options.names,
        fields: options.fields.map(|fields| fields as usize),
        filter: Filter::from_json(&options.filter).ok_or_else(invalid)?,
    };
    let start = Start {
        offset: options.offset as u64,
        line: options.line as u64,
    };
    let environment = environment(&env)?;
    let scan = Scan::start(PathBuf::from(options.path), plan, start).map_err(to_napi)?;
    Ok(environment.batches.scans.add(|_| ScanHandle(scan)))
}

/// Completes the operation with the next chunk, or with nothing at the end: the text of its
/// records, their lines as four bytes each, and what else there is to tell as JSON.
#[napi(catch_unwind)]
pub fn take_chunk(env: Env, handle: u32, operation: u32) -> Result<()> {
    let environment = environment(&env)?;
    let queue = environment.queue.clone();
    let closed = || to_napi(Error::Closed { engine: "scan" });
    let handle = environment.batches.scans.get(handle).ok_or_else(closed)?;
    handle.0.take(move |answer| {
        let reply = answer.map(|chunk| chunk.map_or(Reply::None, reply));
        queue.push(operation, Outcome::from(reply));
    });
    Ok(())
}

/// Ends a scan and its threads. Without effect on one that has ended.
#[napi(catch_unwind)]
pub fn close_scan(env: Env, handle: u32) -> Result<()> {
    environment(&env)?.batches.scans.remove(handle);
    Ok(())
}

fn environment(env: &Env) -> Result<&Environment> {
    let uninitialised = |error: napi::Error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason.clone());
    Environment::of(env).map_err(uninitialised)
}

fn reply(chunk: Chunk) -> Reply {
    let kind = match chunk.records.is_ascii() {
        true => Kind::LATIN1,
        false => Kind::UTF8,
    };
    let lines = chunk.lines.iter().flat_map(|line| line.to_le_bytes()).collect();
    let malformed: Vec<_> = chunk
        .malformed
        .iter()
        .map(|one| (one.line, &one.reason))
        .collect();
    let facts = serde_json::json!({
        "read": chunk.read,
        "start": chunk.start,
        "end": chunk.end,
        "line": chunk.line,
        "malformed": malformed,
        "malformedCount": chunk.malformed_count,
    });
    Reply::Values(vec![
        Some((kind, chunk.records)),
        Some((Kind::BUFFER, lines)),
        Some((Kind::UTF8, facts.to_string().into_bytes())),
    ])
}
