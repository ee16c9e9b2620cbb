use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan::{Phase, Plan};
use super::random::Random;
use super::run::Run;
use super::schedule::Schedule;
use super::template::{Form, Part, path, render};

fn phase(seconds: f64, from: f64, to: f64) -> Phase {
    Phase {
        duration_ms: seconds * 1000.0,
        from,
        to,
        most: None,
    }
}

#[test]
fn arrivals_of_a_constant_rate_are_evenly_spaced() {
    let schedule = Schedule::even(100.0, Some(50), None);
    assert_eq!(schedule.total(), 50);
    for number in 0..50 {
        let after = schedule.at(number).unwrap().after.as_secs_f64();
        assert!(
            (after - number as f64 / 100.0).abs() < 1e-9,
            "{number} at {after}"
        );
    }
    assert_eq!(schedule.at(50), None);
    assert_eq!(Schedule::even(100.0, Some(50), Some(100.0)).total(), 10);
    assert_eq!(Schedule::even(1000.0 / 3.0, None, Some(3000.0)).total(), 1000);
}

/// The number of arrivals until a moment is the integral of the rate, whatever the ramp.
#[test]
fn arrivals_of_a_ramp_follow_the_integral_of_its_rate() {
    for (from, to) in [(0.0, 100.0), (100.0, 0.0), (10.0, 200.0), (50.0, 50.0001)] {
        let schedule = Schedule::of_phases(&[phase(10.0, from, to)]);
        assert_eq!(
            schedule.total(),
            ((from + to) * 5.0 + 1e-6) as u64,
            "{from} to {to}"
        );
        let mut before = Duration::ZERO;
        for number in 0..schedule.total() {
            let after = schedule.at(number).unwrap().after;
            let t = after.as_secs_f64();
            let arrived = from * t + (to - from) * t * t / 20.0;
            assert!(
                (arrived - number as f64).abs() < 0.01,
                "{from} to {to}: {number} at {t}"
            );
            assert!(after >= before && t <= 10.0);
            before = after;
        }
    }
}

#[test]
fn phases_follow_each_other_and_pauses_have_no_arrivals() {
    let schedule = Schedule::of_phases(&[phase(1.0, 2.0, 2.0), phase(3.0, 0.0, 0.0), phase(1.0, 3.0, 3.0)]);
    let moments: Vec<f64> = (0..schedule.total())
        .map(|number| schedule.at(number).unwrap().after.as_secs_f64())
        .collect();
    assert_eq!(moments.len(), 5);
    assert_eq!(&moments[..3], &[0.0, 0.5, 4.0]);
    assert_eq!(schedule.end(), Duration::from_secs(5));
    let phase_at = |seconds| schedule.phase_at(Duration::from_secs_f64(seconds));
    assert_eq!([0.0, 0.9, 2.0, 4.5, 9.0].map(phase_at), [0, 0, 1, 2, 2]);
}

#[test]
fn what_fills_a_gap_keeps_to_its_form() {
    let values = [json!("a\"b & ü"), json!(5), Value::Null, json!({"x": [1]})];
    let fill = |slot, form| render(&[Part::Value { slot, form }], &values, &mut Random::new(1));
    assert_eq!(fill(0, Form::Plain), "a\"b & ü");
    assert_eq!(fill(0, Form::Json), r#""a\"b & ü""#);
    assert_eq!(fill(0, Form::Quoted), r#"a\"b & ü"#);
    assert_eq!(fill(0, Form::Encoded), "a%22b%20%26%20%C3%BC");
    assert_eq!(fill(1, Form::Json), "5");
    assert_eq!(fill(2, Form::Plain), "");
    assert_eq!(fill(2, Form::Json), "null");
    assert_eq!(fill(3, Form::Plain), r#"{"x":[1]}"#);
    assert_eq!(fill(9, Form::Json), "null");
    assert_eq!(path("/a b/ü?x=1&y=%20#z"), "/a%20b/%C3%BC?x=1&y=%20%23z");
}

#[test]
fn chance_stays_in_its_limits_and_reaches_them() {
    let mut random = Random::new(7);
    let mut seen = [0; 5];
    for _ in 0..1000 {
        seen[random.below(5) as usize] += 1;
        assert!((0.0..1.0).contains(&random.unit()));
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
    let part = [Part::Number {
        least: i64::MIN,
        most: i64::MAX,
    }];
    assert!(render(&part, &[], &mut random).parse::<i64>().is_ok());
}

/// A server of one connection at a time, as simple as one can be.
fn serve(requests: usize) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut left = requests;
        while left > 0 {
            let Ok((mut socket, _)) = listener.accept() else {
                return;
            };
            let mut seen = Vec::new();
            let mut buffer = [0; 1024];
            while left > 0 {
                let read = socket.read(&mut buffer).unwrap_or(0);
                if read == 0 {
                    break;
                }
                seen.extend_from_slice(&buffer[..read]);
                while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                    seen.drain(..end + 4);
                    let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                    left -= 1;
                }
            }
        }
    });
    address
}

#[test]
fn a_run_reports_once_and_counts_everything() {
    let address = serve(100);
    let plan: Plan = serde_json::from_value(json!({
        "target": { "addresses": [address], "authority": address.to_string(), "http2": false },
        "threads": 1,
        "timeoutMs": 10_000.0,
        "work": { "requests": {
            "method": "GET", "path": "/", "headers": [["x-a", "b"]], "concurrency": 1, "connections": 1,
            "keepAlive": true, "requests": 100,
        } },
    }))
    .unwrap();
    let (told, report) = mpsc::channel();
    let run = Run::start(plan, move |result| told.send(result).unwrap()).unwrap();
    let report: Value = serde_json::from_str(&report.recv().unwrap().unwrap()).unwrap();
    assert_eq!(report["totalRequests"], 100);
    assert_eq!(report["statusCodes"], json!({ "200": 100 }));
    assert_eq!(report["histogram"]["count"], 100);
    let progress: Value = serde_json::from_str(&run.progress()).unwrap();
    assert_eq!(progress["totalRequests"], 100);
    assert!(progress.get("histogram").is_none());
}
