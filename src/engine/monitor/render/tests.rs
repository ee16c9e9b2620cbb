use super::super::metrics::tests::definition;
use super::*;
use crate::engine::monitor::samples::Point;
use crate::engine::monitor::store::slot;

fn store() -> Mutex<Store> {
    let mut store = Store::default();
    let requests = store
        .define(definition("requests_total", Kind::Counter, &["path"]))
        .unwrap();
    let level = store.define(definition("level", Kind::Gauge, &[])).unwrap();
    let seconds = store.define(definition("seconds", Kind::Histogram, &[])).unwrap();
    let record = |store: &mut Store, place: crate::engine::monitor::metrics::Place, value| {
        store.apply(slot(place.target, false), value, &mut 0.0, 0.0);
    };
    for (path, value) in [("/a\"b\\c\nd", 1.0), ("/é", 2.5)] {
        let place = store.series(requests, &[path]);
        record(&mut store, place, value);
    }
    let place = store.series(level, &[]);
    record(&mut store, place, -3.0);
    let place = store.series(seconds, &[]);
    for value in [0.004, 0.3, 99.0] {
        record(&mut store, place, value);
    }
    Mutex::new(store)
}

fn render(store: &Mutex<Store>, format: Format) -> Vec<u8> {
    let mut rendering = Rendering::new(&store.lock(), format);
    std::iter::from_fn(|| rendering.next(store)).flatten().collect()
}

fn text(store: &Mutex<Store>, format: Format) -> String {
    String::from_utf8(render(store, format)).unwrap()
}

#[test]
fn prometheus_text() {
    let text = text(&store(), Format::Prometheus);
    let expected = [
        "# HELP requests_total Help for requests_total",
        "# TYPE requests_total counter",
        r#"requests_total{path="/a\"b\\c\nd"} 1"#,
        r#"requests_total{path="/é"} 2.5"#,
        "# HELP level Help for level",
        "# TYPE level gauge",
        "level -3",
    ];
    assert!(text.starts_with(&expected.join("\n")), "{text}");
    for line in [
        r#"seconds_bucket{le="0.005"} 1"#,
        r#"seconds_bucket{le="1"} 2"#,
        r#"seconds_bucket{le="+Inf"} 3"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.ends_with("seconds_sum 99.304\nseconds_count 3\n"), "{text}");
}

#[test]
fn open_metrics_text() {
    let text = text(&store(), Format::OpenMetrics);
    assert!(
        text.contains("# TYPE requests counter\nrequests_total{path="),
        "{text}"
    );
    assert!(text.contains(r#"seconds_bucket{le="1.0"} 2"#), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn json_can_be_parsed() {
    let families: serde_json::Value = serde_json::from_slice(&render(&store(), Format::Json)).unwrap();
    assert_eq!(families[0]["series"][0]["labels"]["path"], "/a\"b\\c\nd");
    assert_eq!(families[1]["series"][0]["value"], -3.0);
    let seconds = &families[2]["series"][0];
    assert_eq!(
        (seconds["count"].as_u64(), seconds["max"].as_f64()),
        (Some(3), Some(99.0))
    );
    assert_eq!(seconds["buckets"][11]["le"], "+Inf");
}

#[test]
fn csv_quotes_what_needs_it() {
    let bytes = render(&store(), Format::Csv);
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(&rows[0][2], "path=/a\"b\\c\nd");
    assert!(rows.iter().any(|row| &row[0] == "seconds" && &row[3] == "p50"));
}

#[test]
fn refused_series_are_counted_in_the_export() {
    let store = store();
    for number in 0..5 {
        store.lock().series(0, &[&number.to_string()]);
    }
    let text = text(&store, Format::Prometheus);
    assert!(
        text.contains(r#"hotpath_metrics_refused_series_total{metric="requests_total"} 4"#),
        "{text}"
    );
    assert!(
        text.contains(r#"requests_total{path="__overflow__"} 0"#),
        "{text}"
    );
}

#[test]
fn a_large_rendering_comes_in_pieces() {
    let mut store = Store::default();
    let mut wide = definition("many_total", Kind::Counter, &["number"]);
    wide.max_series = 100_000;
    let number = store.define(wide).unwrap();
    for series in 0..10_000 {
        store.series(number, &[&series.to_string()]);
    }
    let store = Mutex::new(store);
    let mut rendering = Rendering::new(&store.lock(), Format::Prometheus);
    let pieces: Vec<Vec<u8>> = std::iter::from_fn(|| rendering.next(&store)).collect();
    assert!(pieces.len() > 2);
    assert!(pieces.iter().all(|piece| piece.len() < 2 * PIECE_BYTES));
    let lines = pieces.concat().iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, 10_002);
}

#[test]
fn numbers_survive() {
    for number in [
        0.0,
        1.0,
        -2.5,
        1e-9,
        1e300,
        123456789.125,
        9.007199254740993e15,
        f64::MIN_POSITIVE,
    ] {
        let mut out = Vec::new();
        push_number(&mut out, number);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.parse::<f64>().unwrap(), number, "{text}");
        assert!(text.len() < 30);
    }
}

#[test]
fn a_protobuf_histogram_has_both_kinds_of_buckets() {
    let bytes = render(&store(), Format::Protobuf);
    // Each family stands behind its length; the lengths must lead exactly to the end.
    let (mut at, mut families) = (0, 0);
    while at < bytes.len() {
        let (mut length, mut shift) = (0usize, 0);
        loop {
            let byte = bytes[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        at += length;
        families += 1;
    }
    assert_eq!((at, families), (bytes.len(), 3));
}

#[test]
fn a_history_is_complete_in_both_forms() {
    let store = Mutex::new(Store::default());
    let mut names = Vec::new();
    for name in ["a", "b, \"c\"", "empty"] {
        let samples = crate::engine::monitor::samples::Samples::new(10_000, f64::INFINITY);
        let target = store.lock().add(Target::Samples(Box::new(samples)));
        names.push((name.to_owned(), target));
    }
    for time in 0..5_000 {
        for (_, target) in &names[..2] {
            store.lock().note(
                *target,
                Point {
                    time: f64::from(time),
                    value: 0.5,
                },
                None,
            );
        }
    }
    let render = |json| {
        let mut history = History::new(names.clone(), json);
        std::iter::from_fn(|| history.next(&store))
            .flatten()
            .collect::<Vec<u8>>()
    };
    let json: serde_json::Value = serde_json::from_slice(&render(true)).unwrap();
    assert_eq!(json["b, \"c\""].as_array().unwrap().len(), 5_000);
    assert_eq!(json["a"][7]["timestamp"], 7);
    assert_eq!(json["empty"].as_array().unwrap().len(), 0);
    let text = render(false);
    assert_eq!(
        ::csv::Reader::from_reader(text.as_slice()).records().count(),
        10_000
    );
}
