//! Rows of comma-separated values.

use std::borrow::Cow;

use super::filter::Field;
use super::source::Block;
use super::{Chunk, Plan};

/// A parser of rows that may have any number of fields.
pub fn reader(delimiter: u8, quote: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quote(quote);
    builder
}

/// Parses the rows of a block.
pub fn parse(block: &Block, plan: &Plan, delimiter: u8, quote: u8) -> Chunk {
    let mut chunk = Chunk::begin(block);
    let columns = block.columns.as_deref().unwrap_or_default();
    let place = |name: &String| columns.iter().position(|column| column == name);
    let places: Vec<_> = plan.names.iter().map(place).collect();
    let shown: Vec<(usize, String)> = match plan.fields {
        Some(fields) => places[..fields]
            .iter()
            .filter_map(|place| *place)
            .collect::<Vec<_>>(),
        None => (0..columns.len()).collect(),
    }
    .into_iter()
    .map(|place| {
        (
            place,
            serde_json::Value::from(columns[place].as_str()).to_string(),
        )
    })
    .collect();
    let mut rows = reader(delimiter, quote)
        .buffer_capacity(1 << 16)
        .from_reader(block.bytes.as_slice());
    let mut row = csv::ByteRecord::new();
    // Reading from memory never fails, and rows of any shape are accepted.
    while let Ok(true) = rows.read_byte_record(&mut row) {
        let line = block.line
            + row
                .position()
                .map_or(0, |position| lines_before(&block.bytes, position));
        chunk.read += 1;
        if row.len() != columns.len() {
            chunk.report(
                line,
                format!("it has {} fields instead of {}", row.len(), columns.len()),
            );
            continue;
        }
        // Each by itself: what two fields end and begin with may make a character together.
        if row.iter().any(|field| std::str::from_utf8(field).is_err()) {
            chunk.report(line, "it is not UTF-8");
            continue;
        }
        let text = |place: usize| {
            row.get(place)
                .map_or("", |field| std::str::from_utf8(field).unwrap_or_default())
        };
        let passes = plan.filter.passes(|name| match places[name] {
            Some(place) => Field::Untyped(Cow::Borrowed(text(place))),
            None => Field::Missing,
        });
        if !passes {
            continue;
        }
        chunk.begin_record(line);
        chunk.records.push(b'{');
        for (index, (place, quoted)) in shown.iter().enumerate() {
            if index > 0 {
                chunk.records.push(b',');
            }
            chunk.records.extend_from_slice(quoted.as_bytes());
            chunk.records.push(b':');
            quote_into(&mut chunk.records, text(*place));
        }
        chunk.records.push(b'}');
    }
    chunk.finish()
}

/// Lines of a block that end before a row. Its position is that of the end of the row
/// before: line ends come in between, and perhaps empty lines.
fn lines_before(bytes: &[u8], position: &csv::Position) -> u64 {
    let between = bytes.get(position.byte() as usize..).unwrap_or_default();
    let ends = between.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() - 1 + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// Appends a text as a JSON string.
fn quote_into(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, text);
    }
}
