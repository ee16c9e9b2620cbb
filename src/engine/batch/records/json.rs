//! Lines of JSON.
//!
//! A line is checked as strictly as `JSON.parse` checks it, but of its values only those
//! asked for are looked at, and these are passed on as they were written.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr_iter};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::filter::Field;
use super::needles::Needles;
use super::source::Block;
use super::{Chunk, Plan};

/// Parses the lines of a block.
pub fn parse(block: &Block, plan: &Plan) -> Chunk {
    let mut chunk = Chunk::begin(block);
    let wanted: Vec<Wanted> = plan.names.iter().map(|name| Wanted::new(name)).collect();
    let needles = Needles::new(&plan.filter);
    let mut values = vec![None; wanted.len()];
    let mut start = 0;
    let ends = memchr_iter(b'\n', &block.bytes).chain([block.bytes.len()]);
    for (index, end) in ends.enumerate() {
        let line = trim(&block.bytes[start.min(end)..end]);
        start = end + 1;
        if line.is_empty() {
            continue;
        }
        let number = block.line + index as u64;
        chunk.read += 1;
        // Once for the whole line: the parser then takes every text as it is.
        match std::str::from_utf8(line) {
            Ok(text) if needles.rule_out(text) && is_object(text) => {}
            Ok(text) => record(text, number, plan, &wanted, &mut values, &mut chunk),
            Err(_) => chunk.report(number, "it is not UTF-8"),
        }
    }
    chunk.finish()
}

fn trim(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let end = line
        .iter()
        .rposition(|byte| !is_space(byte))
        .map_or(start, |last| last + 1);
    &line[start..end]
}

/// Whether a line is an object, without a look at what is in it.
fn is_object(line: &str) -> bool {
    line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok()
}

fn record<'l>(
    line: &'l str,
    number: u64,
    plan: &Plan,
    wanted: &[Wanted],
    values: &mut Vec<Option<&'l RawValue>>,
    chunk: &mut Chunk,
) {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let parsed = if wanted.is_empty() && plan.fields.is_none() {
        IgnoredAny::deserialize(&mut deserializer).map(|_| ())
    } else {
        values.fill(None);
        Members { wanted, values }.deserialize(&mut deserializer)
    };
    if let Err(error) = parsed.and_then(|()| deserializer.end()) {
        chunk.report(number, reason(&error));
        return;
    }
    if !plan.filter.passes(|place| field(values[place])) {
        return;
    }
    chunk.begin_record(number);
    let Some(fields) = plan.fields else {
        chunk.records.extend_from_slice(line.as_bytes());
        return;
    };
    chunk.records.push(b'{');
    let mut first = true;
    for (wanted, value) in wanted.iter().zip(values.iter()).take(fields) {
        let Some(value) = value else { continue };
        if !std::mem::take(&mut first) {
            chunk.records.push(b',');
        }
        chunk.records.extend_from_slice(wanted.quoted.as_bytes());
        chunk.records.push(b':');
        chunk.records.extend_from_slice(value.get().as_bytes());
    }
    chunk.records.push(b'}');
}

/// The parser's words without its position, which counts lines in its own way.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(words, _)| words);
    format!("{words} at column {}", error.column())
}

/// The name of a field, ready to be compared with names as they are written.
struct Wanted {
    name: String,
    quoted: String,
}

impl Wanted {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            quoted: serde_json::Value::from(name).to_string(),
        }
    }

    /// Whether a key, as written, is this name; `escaped` if it has escapes.
    fn is(&self, key: &str, escaped: bool) -> bool {
        key == self.quoted || (escaped && unescape(key).is_some_and(|key| key == self.name))
    }
}

/// The text of a JSON string. `None` if it has lone surrogates.
fn unescape(quoted: &str) -> Option<Cow<'_, str>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(quoted).ok().map(Cow::Owned)
}

/// A value, as far as conditions can see it.
fn field(value: Option<&RawValue>) -> Field<'_> {
    let Some(text) = value.map(RawValue::get) else {
        return Field::Missing;
    };
    match text.as_bytes().first() {
        Some(b'"') => unescape(text).map_or(Field::Composite, Field::Text),
        Some(b't') => Field::Flag(true),
        Some(b'f') => Field::Flag(false),
        Some(b'n') => Field::Null,
        Some(b'[' | b'{') => Field::Composite,
        _ => text.parse().map_or(Field::Composite, Field::Number),
    }
}

/// Collects the members of an object that are wanted; of several with one name, the last.
struct Members<'w, 'v, 'de> {
    wanted: &'w [Wanted],
    values: &'v mut Vec<Option<&'de RawValue>>,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        // Keys as they are written: their escapes need not be Unicode that Rust can hold.
        while let Some(key) = members.next_key::<&RawValue>()? {
            let key = key.get();
            if !key.starts_with('"') {
                return Err(A::Error::custom("key must be a string"));
            }
            // Looked for once, not for each name.
            let escaped = memchr(b'\\', key.as_bytes()).is_some();
            match self.wanted.iter().position(|wanted| wanted.is(key, escaped)) {
                Some(place) => self.values[place] = Some(members.next_value()?),
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
