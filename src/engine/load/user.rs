//! Users who arrive on a schedule, each with a connection of its own, and do what a scenario says.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tokio::sync::mpsc;

use super::failure::Failure;
use super::pace::Pace;
use super::plan::{Ask, Capture, Key, Scenario, Source, Step, Users};
use super::random::Random;
use super::schedule::{Due, seconds};
use super::template::{path, render};
use super::wire::{Answer, Prepared, Wire};
use super::worker::{Deadline, End, Thread, address, uri};
use crate::error::{Error, Result};

/// Everything that users are made of.
#[derive(Debug)]
pub struct Cast {
    /// What they do.
    pub scenarios: Vec<Scenario>,
    weights: f64,
    slots: usize,
    variables: Vec<(usize, Vec<Value>)>,
    tables: Vec<Table>,
    seed: u64,
}

#[derive(Debug)]
struct Table {
    slots: Vec<usize>,
    rows: Vec<Vec<Value>>,
    random: bool,
}

impl Cast {
    /// Reads the tables.
    ///
    /// # Errors
    /// One of them is not CSV, has no rows, or rows that are too short.
    pub fn new(users: &Users) -> Result<Self> {
        let mut tables = Vec::new();
        for payload in &users.payloads {
            let rows = rows(payload)?;
            let (slots, random) = (payload.slots.clone(), payload.random);
            tables.push(Table { slots, rows, random });
        }
        Ok(Self {
            scenarios: users.scenarios.clone(),
            weights: users.scenarios.iter().map(|scenario| scenario.weight).sum(),
            slots: users.slots,
            variables: users.variables.clone(),
            tables,
            seed: users.seed,
        })
    }

    /// The scenario and the variables of user number `number`.
    fn user(&self, number: u64) -> (usize, Vec<Value>, Random) {
        let mut random = Random::new(self.seed.wrapping_add(number.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        let mut values = vec![Value::Null; self.slots];
        for (slot, choices) in &self.variables {
            values[*slot] = choices[random.below(choices.len() as u64) as usize].clone();
        }
        for table in &self.tables {
            let count = table.rows.len() as u64;
            let row = if table.random {
                random.below(count)
            } else {
                number % count
            };
            for (slot, value) in table.slots.iter().zip(&table.rows[row as usize]) {
                values[*slot] = value.clone();
            }
        }
        let mut left = random.unit() * self.weights;
        let chosen = self.scenarios.iter().position(|scenario| {
            left -= scenario.weight;
            left < 0.0
        });
        (chosen.unwrap_or(self.scenarios.len() - 1), values, random)
    }
}

fn rows(payload: &super::plan::Payload) -> Result<Vec<Vec<Value>>> {
    let bad = |reason: String| Error::BadData {
        what: "payload",
        reason,
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(payload.delimiter).unwrap_or(b','))
        .has_headers(payload.skip_header)
        .flexible(true)
        .from_reader(payload.text.as_bytes());
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| bad(error.to_string()))?;
        if record.len() < payload.slots.len() {
            let (has, wants) = (record.len(), payload.slots.len());
            return Err(bad(format!("row {} has {has} of {wants} fields", index + 1)));
        }
        rows.push(record.iter().map(|field| cast(field, payload.cast)).collect());
    }
    if rows.is_empty() {
        return Err(bad("it has no rows".to_owned()));
    }
    Ok(rows)
}

/// A number is one only if it would be written the same way: `007` and `1e3` stay text.
fn cast(field: &str, numbers: bool) -> Value {
    if numbers
        && let Ok(number) = serde_json::from_str::<serde_json::Number>(field)
        && number.to_string() == field
    {
        return Value::Number(number);
    }
    Value::String(field.to_owned())
}

/// Lets the users of a thread arrive and waits until the last has gone.
pub async fn crowd(thread: &Thread<'_>) {
    let common = thread.common;
    let (Some(schedule), Some(cast)) = (&common.schedule, &common.cast) else {
        return;
    };
    let pace = Pace::new(
        schedule.clone(),
        common.start,
        thread.index,
        common.plan.threads.max(1),
    );
    let (door, mut arrivals) = mpsc::unbounded_channel();
    let keeper = async move {
        pace.each(|number, due| {
            // The receiver lives as long as this is polled.
            let _ = door.send((number, due));
        })
        .await;
    };
    let inside = async {
        let mut users = FuturesUnordered::new();
        loop {
            tokio::select! {
                arrived = arrivals.recv() => match arrived {
                    Some((number, due)) => {
                        if let Some(user) = arrive(thread, cast, number, due) {
                            users.push(user);
                        }
                    }
                    None => break,
                },
                Some(()) = users.next(), if !users.is_empty() => {}
            }
        }
        while users.next().await.is_some() {}
    };
    let end = thread
        .until_over(async { tokio::join!(keeper, inside) }, None)
        .await;
    if end == End::Stopped {
        let mut tally = common.tallies[thread.index].lock();
        let users = tally.users;
        tally.unfinished = users.started - users.completed - users.failed;
    }
    thread.publish();
}

/// A user at the door.
fn arrive<'a>(
    thread: &'a Thread<'a>,
    cast: &'a Cast,
    number: u64,
    due: Due,
) -> Option<impl Future<Output = ()> + 'a> {
    let common = thread.common;
    let live = common.live.fetch_add(1, Ordering::Relaxed);
    let mut tally = common.tallies[thread.index].lock();
    if due.most.is_some_and(|most| live >= most) {
        common.live.fetch_sub(1, Ordering::Relaxed);
        tally.users.skipped += 1;
        return None;
    }
    let (scenario, values, random) = cast.user(number);
    tally.users.started += 1;
    tally.scenarios[scenario] += 1;
    drop(tally);
    let mut user = User {
        thread,
        values,
        random,
        wire: Wire::alone(&thread.origin),
        deadline: Deadline::new(),
        due: Some(common.start + due.after),
    };
    Some(async move {
        let done = user.steps(&cast.scenarios[scenario].steps).await;
        common.live.fetch_sub(1, Ordering::Relaxed);
        let users = &mut common.tallies[thread.index].lock().users;
        if done {
            users.completed += 1;
        } else {
            users.failed += 1;
        }
    })
}

struct User<'a> {
    thread: &'a Thread<'a>,
    values: Vec<Value>,
    random: Random,
    wire: Wire,
    deadline: Deadline,
    /// When the first request is due, until it is made.
    due: Option<Instant>,
}

impl User<'_> {
    /// Does one step after the other. False once it cannot go on.
    fn steps<'b>(&'b mut self, steps: &'b [Step]) -> Pin<Box<dyn Future<Output = bool> + 'b>> {
        Box::pin(async move {
            for step in steps {
                let goes_on = match step {
                    Step::Request(ask) => self.ask(ask).await,
                    Step::Think(ms) => {
                        tokio::time::sleep(seconds(ms / 1000.0)).await;
                        self.due = None;
                        true
                    }
                    Step::Repeat { count, slot, steps } => self.repeat(*count, *slot, steps).await,
                };
                if !goes_on {
                    return false;
                }
            }
            true
        })
    }

    async fn repeat(&mut self, count: u64, slot: usize, steps: &[Step]) -> bool {
        for round in 0..count {
            self.values[slot] = Value::from(round);
            if !self.steps(steps).await {
                return false;
            }
        }
        true
    }

    async fn ask(&mut self, ask: &Ask) -> bool {
        let now = Instant::now();
        let since = self.due.take().unwrap_or(now);
        let keep = !ask.captures.is_empty();
        let result = match self.prepare(ask) {
            None => Err(Failure::Template),
            Some(prepared) => {
                let exchange = self.wire.exchange(&prepared, now, keep);
                match self.deadline.within(now + self.thread.timeout, exchange).await {
                    Some(result) => result,
                    None => {
                        self.wire.abandon();
                        Err(Failure::Timeout)
                    }
                }
            }
        };
        self.thread.count(&result, since.elapsed());
        match result {
            Ok(answer) => self.capture(&ask.captures, answer),
            Err(_) => false,
        }
    }

    /// The request with all gaps filled, if it can be sent.
    fn prepare(&mut self, ask: &Ask) -> Option<Prepared> {
        let target = &self.thread.common.target;
        let mut headers = HeaderMap::new();
        for (name, value) in &ask.headers {
            let value = render(value, &self.values, &mut self.random);
            let name = HeaderName::try_from(name).ok()?;
            headers.insert(name, HeaderValue::try_from(value).ok()?);
        }
        headers.remove(CONTENT_LENGTH);
        address(&mut headers, target).ok()?;
        let path = path(&render(&ask.path, &self.values, &mut self.random));
        if !path.starts_with('/') {
            return None;
        }
        let body = ask
            .body
            .as_ref()
            .map(|body| render(body, &self.values, &mut self.random));
        Some(Prepared {
            method: Method::try_from(ask.method.as_str()).ok()?,
            uri: uri(&path, target).ok()?,
            headers,
            body: body.unwrap_or_default().into(),
        })
    }

    /// Keeps of an answer what later requests need. False when it is not there.
    fn capture(&mut self, captures: &[Capture], answer: Answer) -> bool {
        let Some((headers, body)) = answer.kept else {
            return true;
        };
        let mut json = None;
        for capture in captures {
            let found = match &capture.from {
                Source::Header(name) => {
                    let value = headers.get(name).and_then(|value| value.to_str().ok());
                    value.map(|value| Value::String(value.to_owned()))
                }
                Source::Json(way) => {
                    let json = json.get_or_insert_with(|| serde_json::from_slice::<Value>(&body).ok());
                    json.as_ref().and_then(|json| descend(json, way)).cloned()
                }
            };
            let Some(found) = found else {
                return false;
            };
            self.values[capture.slot] = found;
        }
        true
    }
}

fn descend<'a>(json: &'a Value, way: &[Key]) -> Option<&'a Value> {
    way.iter().try_fold(json, |value, key| match key {
        Key::Index(index) => value.get(index),
        Key::Name(name) => value.get(name),
    })
}
