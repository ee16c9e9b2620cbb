use std::cmp::Ordering;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use proptest::prelude::*;

use super::filter::{Condition, Field, Filter, Operand, Test};
use super::source::Start;
use super::*;
use crate::error::Error;

/// A file that is removed with this.
struct Temporary(PathBuf);

impl Temporary {
    fn new(content: &[u8]) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hotpath-records-{}-{number}", std::process::id()));
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn plan(format: Format, names: &[&str], fields: Option<usize>, filter: Vec<Vec<Condition>>) -> Plan {
    Plan {
        format,
        names: names.iter().map(ToString::to_string).collect(),
        fields,
        filter: Filter(filter),
    }
}

fn csv() -> Format {
    Format::Csv {
        delimiter: b',',
        quote: b'"',
        columns: None,
    }
}

fn chunks(file: &Temporary, plan: Plan, start: Start) -> Result<Vec<Chunk>, Error> {
    let scan = Scan::start(file.0.clone(), plan, start)?;
    let mut chunks = Vec::new();
    loop {
        let (sender, receiver) = channel();
        scan.take(move |answer| sender.send(answer).unwrap());
        match receiver.recv().unwrap()? {
            Some(chunk) => chunks.push(chunk),
            None => return Ok(chunks),
        }
    }
}

fn records(chunks: &[Chunk]) -> Vec<serde_json::Value> {
    let parse = |chunk: &Chunk| serde_json::from_slice::<Vec<serde_json::Value>>(&chunk.records).unwrap();
    chunks.iter().flat_map(parse).collect()
}

fn scan(content: &str, plan: Plan) -> (Vec<serde_json::Value>, Vec<(u64, String)>) {
    let chunks = chunks(&Temporary::new(content.as_bytes()), plan, Start::default()).unwrap();
    let malformed = chunks.iter().flat_map(|chunk| &chunk.malformed);
    let told = malformed
        .map(|malformed| (malformed.line, malformed.reason.clone()))
        .collect();
    (records(&chunks), told)
}

fn condition(field: usize, test: Test) -> Condition {
    Condition { field, test }
}

#[test]
fn fields_and_filters_of_json() {
    let content = "{\"n\":1,\"t\":\"x\",\"deep\":{\"n\":[9]}}\n\n {\"t\":\"y\",\"n\":2.50}\r\n{\"\\u006e\":3,\"n\":4}\n[1]\n{\"n\":\n";
    let over_one = condition(0, Test::Compare(Operand::Number(1.0), &[Ordering::Greater]));
    let wanted = plan(Format::Ndjson, &["n", "deep"], Some(2), vec![vec![over_one]]);
    let (found, malformed) = scan(content, wanted);
    assert_eq!(
        found,
        [serde_json::json!({ "n": 2.5 }), serde_json::json!({ "n": 4 })]
    );
    let lines: Vec<u64> = malformed.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [5, 6]);
    let (whole, malformed) = scan(
        "1\n \"a\"\n[[]]\n{} {}\nnul\n",
        plan(Format::Ndjson, &[], None, vec![]),
    );
    assert_eq!(whole.len() + malformed.len(), 5, "{malformed:?}");
}

#[test]
fn what_cannot_pass_is_checked_all_the_same() {
    let is_c7 = condition(0, Test::OneOf(vec![Operand::Text("C7".into())]));
    let content = "{\"c\":\"C8\"}\n{\"c\":\"C8\"\n{\"c\":\"C\\u0037\"}\n[\"C8\"]\n{\"c\":\"C7\"}\n{\"d\":\"C7\"}\n{c:1}";
    let (found, malformed) = scan(content, plan(Format::Ndjson, &["c"], Some(1), vec![vec![is_c7]]));
    assert_eq!(found, vec![serde_json::json!({ "c": "C7" }); 2]);
    let lines: Vec<u64> = malformed.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 7]);
}

#[test]
fn rows_of_csv() {
    let content = "\u{FEFF}id,\"the name\",n\r\n1,\"a \"\"b\"\"\nc\",5\r\n2,x\n3,é,70\n4,,8";
    let wanted = plan(csv(), &["n", "the name"], Some(2), vec![]);
    let (found, malformed) = scan(content, wanted);
    assert_eq!(
        found,
        [
            serde_json::json!({ "n": "5", "the name": "a \"b\"\nc" }),
            serde_json::json!({ "n": "70", "the name": "é" }),
            serde_json::json!({ "n": "8", "the name": "" })
        ]
    );
    assert_eq!(malformed, [(4, "it has 2 fields instead of 3".to_owned())]);
    let at_least = condition(
        0,
        Test::Compare(Operand::Number(10.0), &[Ordering::Equal, Ordering::Greater]),
    );
    assert_eq!(
        scan(content, plan(csv(), &["n"], None, vec![vec![at_least]]))
            .0
            .len(),
        1
    );
    let nobody = chunks(
        &Temporary::new(b"a\n1\n"),
        plan(csv(), &["b"], Some(1), vec![]),
        Start::default(),
    );
    assert_eq!(nobody.unwrap_err(), Error::NoColumn { name: "b".into() });
}

#[test]
fn files_of_many_blocks_keep_their_order_and_can_be_taken_up_anywhere() {
    let line = |index: usize| format!("{{\"i\":{index},\"pad\":\"{}\"}}\n", "x".repeat(index % 300));
    let content: String = (0..40_000).map(line).collect();
    let file = Temporary::new(content.as_bytes());
    let wanted = || plan(Format::Ndjson, &["i"], Some(1), vec![]);
    let all = chunks(&file, wanted(), Start::default()).unwrap();
    assert!(all.len() > 4);
    let number = |record: &serde_json::Value| record["i"].as_u64().unwrap();
    assert!(records(&all).iter().map(number).eq(0..40_000));
    assert!(all.iter().flat_map(|chunk| &chunk.lines).copied().eq(1..=40_000));
    let third = Start {
        offset: all[3].start,
        line: all[3].line,
    };
    assert_eq!(chunks(&file, wanted(), third).unwrap(), all[3..]);
}

#[test]
fn what_is_too_long_is_passed_over() {
    let mut content = b"1\n\"".to_vec();
    content.resize(LONGEST_RECORD + 3 * BLOCK_BYTES, b'x');
    content.extend_from_slice(b"\"\n3\n");
    let file = Temporary::new(&content);
    let all = chunks(&file, plan(Format::Ndjson, &[], None, vec![]), Start::default()).unwrap();
    assert_eq!(records(&all), [1, 3]);
    let lines: Vec<u64> = all
        .iter()
        .flat_map(|chunk| &chunk.malformed)
        .map(|told| told.line)
        .collect();
    assert_eq!(lines, [2]);
    assert_eq!(all.last().unwrap().lines, [3]);
    // A quote that is never closed costs the line it is in.
    let mut content = b"a,b\n1,\"open\n".to_vec();
    while content.len() < LONGEST_RECORD + BLOCK_BYTES {
        content.extend_from_slice(b"22222222,22222222\n");
    }
    let rows = (content.len() - 12) / 18;
    let all = chunks(
        &Temporary::new(&content),
        plan(csv(), &["a"], Some(1), vec![]),
        Start::default(),
    )
    .unwrap();
    assert_eq!(records(&all).len(), rows);
    assert_eq!(all.iter().map(|chunk| chunk.malformed_count).sum::<u64>(), 1);
}

#[test]
fn a_character_does_not_span_two_fields() {
    let content = b"a,b\n\xd5,\x88\nx,y\n";
    let all = chunks(
        &Temporary::new(content),
        plan(csv(), &["a", "b"], Some(2), vec![]),
        Start::default(),
    )
    .unwrap();
    assert_eq!(records(&all).len(), 1);
    assert_eq!(all[0].malformed_count, 1);
}

#[test]
fn a_scan_that_nobody_takes_from_waits_and_can_be_dropped() {
    let content = "{}\n".repeat(20 * BLOCK_BYTES / 3);
    let scan = Scan::start(
        Temporary::new(content.as_bytes()).0.clone(),
        plan(Format::Ndjson, &[], None, vec![]),
        Start::default(),
    );
    drop(scan.unwrap());
    let missing = chunks(
        &Temporary(PathBuf::from("/nowhere")),
        plan(csv(), &[], None, vec![]),
        Start::default(),
    );
    assert!(matches!(missing, Err(Error::Storage { .. })));
}

/// Conditions that texts fulfil or not, about one field of two.
fn conditions() -> impl Strategy<Value = Condition> {
    let operand = prop_oneof![
        "[ab\"\\\\é]{0,2}".prop_map(Operand::Text),
        (0..3u8).prop_map(|number| Operand::Number(f64::from(number))),
    ];
    let part = "[ab\"\\\\é]{0,2}";
    let test = prop_oneof![
        prop::collection::vec(operand, 0..3).prop_map(Test::OneOf),
        part.prop_map(Test::Contains),
        part.prop_map(Test::StartsWith),
        part.prop_map(Test::EndsWith),
        any::<bool>().prop_map(Test::Exists),
    ];
    (0..2usize, test).prop_map(|(field, test)| condition(field, test))
}

proptest! {
    #[test]
    fn a_search_for_bytes_passes_over_nothing_that_passes(
        filter in prop::collection::vec(prop::collection::vec(conditions(), 0..3), 0..3),
        values in prop::collection::vec(("[ab\"\\\\é]{0,3}", 0..3u8, 0..4u8), 1..20),
    ) {
        let line = |(text, number, form): &(String, u8, u8)| {
            let text = serde_json::Value::from(text.as_str()).to_string().replace('é', ["é", "\\u00e9"][*form as usize % 2]);
            if *form < 2 { format!("{{\"x\":{text},\"y\":{number}}}\n") } else { format!("{{\"y\":{text}}}\n") }
        };
        let content: String = values.iter().map(line).collect();
        let passes = |(text, number, form): &&(String, u8, u8)| {
            let text = Field::Text(text.as_str().into());
            Filter(filter.clone()).passes(|place| match (place, *form < 2) {
                (0, true) | (1, false) => text.clone(),
                (1, true) => Field::Number(f64::from(*number)),
                _ => Field::Missing,
            })
        };
        let (found, malformed) = scan(&content, plan(Format::Ndjson, &["x", "y"], Some(2), filter.clone()));
        prop_assert_eq!(malformed, []);
        prop_assert_eq!(found.len(), values.iter().filter(passes).count());
    }

    #[test]
    fn any_bytes_are_scanned(content in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\n'), Just(b','), Just(b'{')], 0..400)) {
        let file = Temporary::new(&content);
        for format in [Format::Ndjson, csv()] {
            for chunk in chunks(&file, plan(format, &[], None, vec![]), Start::default()).into_iter().flatten() {
                let texts: Vec<serde::de::IgnoredAny> = serde_json::from_slice(&chunk.records).unwrap();
                prop_assert_eq!(texts.len(), chunk.lines.len());
                prop_assert_eq!(chunk.read, chunk.malformed_count + texts.len() as u64);
            }
        }
    }

    #[test]
    fn rows_come_back_as_they_were_written(rows in prop::collection::vec(prop::collection::vec("[a\",\n\r é]{0,6}", 2), 1..20)) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "b"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let content = writer.into_inner().unwrap();
        let file = Temporary::new(&content);
        let all = chunks(&file, plan(csv(), &["a", "b"], Some(2), vec![]), Start::default()).unwrap();
        let found: Vec<Vec<String>> = records(&all)
            .iter()
            .map(|record| ["a", "b"].map(|name| record[name].as_str().unwrap().to_owned()).to_vec())
            .collect();
        prop_assert_eq!(found, rows);
    }
}
