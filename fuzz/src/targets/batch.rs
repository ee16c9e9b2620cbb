//! Records of files, filters over them, names of objects.

use std::path::PathBuf;

use hotpath::engine::batch::objects::{parse_uuid, write_uuid};
use hotpath::engine::batch::records::filter::{Field, Filter};
use hotpath::engine::batch::records::source::{Source, Start};
use hotpath::engine::batch::records::{self, Chunk, Format, Plan};
use serde_json::Value;
use serde_json::value::RawValue;

/// The first byte chooses what is asked for, the rest is a file of lines. Each line is told
/// once: as a record, as malformed, or not at all where a filter keeps it back. What comes
/// out is JSON, whatever went in.
pub fn ndjson(input: &[u8]) {
    let Some((choice, content)) = input.split_first() else {
        return;
    };
    let fields = [None, Some(0), Some(1), Some(2)][usize::from(choice & 3)];
    let filtered = choice & 4 != 0;
    // Whoever asks for members asks for objects.
    let names: Vec<String> = match fields.is_some() || filtered {
        true => vec!["a".into(), "b".into()],
        false => Vec::new(),
    };
    let plan = Plan {
        format: Format::Ndjson,
        names: names.clone(),
        fields,
        filter: filter(filtered, r#"[[[1, "exists", true]], [[0, "gt", 1]]]"#),
    };
    let chunks = scan("ndjson", content, &plan, |block| {
        records::json::parse(block, &plan)
    });
    let all: Vec<&[u8]> = content
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(content)
        .split(|byte| *byte == b'\n')
        .collect();
    let is_json = |line: &&[u8]| {
        std::str::from_utf8(line).is_ok_and(|line| serde_json::from_str::<&RawValue>(line).is_ok())
            && (names.is_empty() || line.trim_ascii_start().starts_with(b"{"))
    };
    let whole = all.iter().filter(|line| is_json(line)).count();
    let kept = checked(&chunks, all.len());
    assert!(kept.len() <= whole);
    if !filtered {
        assert_eq!(kept.len(), whole);
    }
    let records = kept.iter().zip(chunks.iter().flat_map(|chunk| &chunk.lines));
    for (record, line) in records {
        let line = all[*line as usize - 1];
        if fields.is_none() {
            assert_eq!(record.get().as_bytes(), line.trim_ascii());
        } else if let Ok(Value::Object(members)) = serde_json::from_str(record.get()) {
            assert!(members.len() <= fields.unwrap_or(0));
            // Numbers beyond a double, and surrogates that stand alone, are not for `Value`.
            let Ok(Value::Object(original)) = serde_json::from_slice(line) else {
                continue;
            };
            members
                .iter()
                .for_each(|(name, value)| assert_eq!(original.get(name), Some(value)));
        }
    }
}

/// Lines of every kind, with every choice.
pub fn lines() -> Vec<Vec<u8>> {
    let text = "{\"a\":1,\"b\":[true,null]}\n\n {\"b\":\"\\u0061\\ud800\",\"a\":-1.5e3} \r\n[1,{\"a\":2}]\n\"text\"\n{\"a\":\n{\"\\u0061\":7,\"a\":8}";
    (0..8u8)
        .map(|choice| [&[choice], text.as_bytes()].concat())
        .collect()
}

/// As [`ndjson`], for rows: the whole file, read by the crate alone, is what must come out.
pub fn csv_rows(input: &[u8]) {
    let Some((choice, content)) = input.split_first() else {
        return;
    };
    let (delimiter, quote) = [(b',', b'"'), (b';', b'\'')][usize::from(choice & 1)];
    let columns = (choice & 2 != 0).then(|| vec!["a".to_owned(), "b".to_owned()]);
    let format = Format::Csv {
        delimiter,
        quote,
        columns: columns.clone(),
    };
    let plan = Plan {
        format,
        names: vec!["a".into()],
        fields: (choice & 4 != 0).then_some(1),
        filter: filter(choice & 8 != 0, r#"[[[0, "contains", "x"]]]"#),
    };
    let chunks = scan("csv", content, &plan, |block| {
        records::csv::parse(block, &plan, delimiter, quote)
    });
    let lines = content.split(|byte| *byte == b'\n').count();
    let kept = checked(&chunks, lines);
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let mut reader = records::csv::reader(delimiter, quote).from_reader(content);
    let rows: Vec<csv::ByteRecord> = reader
        .byte_records()
        .map(|row| row.expect("any bytes are rows"))
        .collect();
    let mut rows = rows.iter();
    let names = match columns {
        Some(columns) => columns,
        None => match rows.next().map(|header| {
            header
                .iter()
                .map(|name| String::from_utf8(name.to_vec()))
                .collect()
        }) {
            Some(Ok(names)) => names,
            Some(Err(_)) => return,
            None => Vec::new(),
        },
    };
    let place = names.iter().position(|name| name == "a");
    let wanted = |row: &&csv::ByteRecord| {
        row.len() == names.len()
            && row.iter().all(|field| std::str::from_utf8(field).is_ok())
            && (choice & 8 == 0 || place.is_some_and(|place| row[place].contains(&b'x')))
    };
    let expected: Vec<_> = rows.filter(wanted).collect();
    assert_eq!(kept.len(), expected.len());
    for (record, row) in kept.iter().zip(expected) {
        let Ok(Value::Object(members)) = serde_json::from_str(record.get()) else {
            panic!("a row is an object")
        };
        if let (Some(place), Some(value)) = (place, members.get("a")) {
            // Of two columns with one name, the last is the one that JavaScript sees.
            let last = names.iter().rposition(|name| name == "a").unwrap_or(place);
            let shown = if choice & 4 == 0 { last } else { place };
            assert_eq!(value.as_str().map(str::as_bytes), Some(&row[shown]));
        }
    }
}

/// Rows of every kind, with every choice.
pub fn rows() -> Vec<Vec<u8>> {
    let text =
        "a,b\n1,x\n\"two\nlines\",\"a \"\"quote\"\"\"\r\nmis\"placed,2\n\nthree,fields,here\n'x;',;y\n\"open";
    (0..16u8)
        .map(|choice| [&[choice], text.as_bytes()].concat())
        .collect()
}

/// What a block's chunk must be, and its records.
fn checked(chunks: &[Chunk], lines: usize) -> Vec<Box<RawValue>> {
    let mut kept = Vec::new();
    let mut last = 0;
    for chunk in chunks {
        let records: Vec<Box<RawValue>> = serde_json::from_slice(&chunk.records).expect("an array of JSON");
        assert_eq!(records.len(), chunk.lines.len());
        assert!(chunk.malformed.len() as u64 <= chunk.malformed_count);
        assert!(records.len() as u64 + chunk.malformed_count <= chunk.read);
        for line in &chunk.lines {
            // Rows may also end at a carriage return, within a line.
            assert!(
                *line >= last && *line as usize <= lines,
                "line {line} after {last}, of {lines}"
            );
            last = *line;
        }
        kept.extend(records);
    }
    kept
}

/// All blocks of a file with this content. None if there are no columns to be found.
fn scan(
    name: &str,
    content: &[u8],
    plan: &Plan,
    parse: impl Fn(&records::source::Block) -> Chunk,
) -> Vec<Chunk> {
    let path = temporary(name);
    std::fs::write(&path, content).expect("room for a small file");
    let Ok(mut source) = Source::open(&path, &plan.format, Start::default()) else {
        return Vec::new();
    };
    let mut chunks = Vec::new();
    while let Some(block) = source.next_block().expect("a file that can be read") {
        chunks.push(parse(&block));
    }
    chunks
}

fn temporary(name: &str) -> PathBuf {
    // A file a thousand times a second: in memory, where there is such a place.
    let memory = std::path::Path::new("/dev/shm");
    let directory = if memory.is_dir() {
        memory.into()
    } else {
        std::env::temp_dir()
    };
    directory.join(format!("hotpath-fuzz-{}-{name}", std::process::id()))
}

fn filter(wanted: bool, text: &str) -> Filter {
    if wanted {
        Filter::from_json(text).expect("a filter")
    } else {
        Filter::default()
    }
}

/// Reads a filter, and uses what can be read.
pub fn record_filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Some(filter) = Filter::from_json(text) else {
        return;
    };
    let fields = [
        Field::Missing,
        Field::Null,
        Field::Flag(true),
        Field::Number(f64::NAN),
        Field::Number(-0.0),
        Field::Text(text.into()),
        Field::Untyped("1e3".into()),
        Field::Composite,
    ];
    for first in 0..fields.len() {
        let passes = filter.passes(|place| fields[(place.wrapping_add(first)) % fields.len()].clone());
        assert!(passes || !filter.0.is_empty());
    }
}

/// One for each test.
pub fn filters() -> Vec<Vec<u8>> {
    [
        r#"[]"#,
        r#"[[]]"#,
        r#"[[[0,"in",[1,"a",null,true]],[1,"notIn",[2.5]]],[[2,"exists",false]]]"#,
        r#"[[[0,"lt",1],[1,"lte","b"],[2,"gt",null],[3,"gte",false]]]"#,
        r#"[[[0,"contains","x"],[1,"startsWith",""],[2,"endsWith","\u00e9"]]]"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Reads the name of an object; only one spelling of it is one, but for its case.
pub fn object_name(input: &[u8]) {
    let Some(uuid) = parse_uuid(input) else { return };
    let mut text = Vec::new();
    write_uuid(uuid, &mut text);
    assert!(text.eq_ignore_ascii_case(input));
}

/// Names, and what is nearly one.
pub fn names() -> Vec<Vec<u8>> {
    let name = "0193e5a4-7b2c-7def-8123-456789abcdef";
    vec![
        name.into(),
        name.replace('-', "").into(),
        format!("{{{name}}}").into(),
    ]
}
