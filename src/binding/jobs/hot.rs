//! The hot calls: submitting, taking notices, answering.

use std::sync::Arc;

use super::handle_of;
use super::notices::flat;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values::{self, with_encoded};
use crate::engine::cache::record::Kind;
use crate::engine::completion::{Outcome as Answered, Reply};
use crate::engine::jobs::book::Draft;
use crate::engine::jobs::head::Seq;
use crate::engine::jobs::value::{Cause, Outcome, Value};

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "jobsSubmit" => submit,
    "jobsNotice" => notice,
    "jobsAnswer" => answer,
    "jobsProgress" => progress,
};

/// Ways to answer, as JavaScript numbers them.
mod answer_as {
    pub const DONE: u32 = 0;
    pub const FATAL: u32 = 2;
}

fn value<const N: usize>(call: &Call<'_, N>, places: [usize; 4]) -> Result<Value, Failure> {
    with_encoded(call, places, |kind, bytes| Value {
        kind,
        bytes: bytes.to_vec(),
    })
}

/// `jobsSubmit(handle, operation, type, kind, payload, start, end, priority, retries, timeoutMs,
/// delayMs, group, id)`: the job's name where the queue is in memory; otherwise the operation
/// is answered with it. An empty name is none, and a negative timeout or -1 retries are the queue's.
fn submit(call: &Call<'_, 13>) -> Returned {
    let handle = handle_of(call, 0)?;
    let config = &handle.jobs.config;
    let text = |index| call.with_text(index, |bytes| String::from_utf8_lossy(bytes).into_owned());
    let (retries, timeout_ms) = (call.f64(8)?, call.f64(9)?);
    let id = text(12)?;
    let draft = Draft {
        kind: text(2)?,
        data: value(call, [3, 4, 5, 6])?,
        priority: call.f64(7)? as i64,
        retries: match retries {
            retries if retries < 0.0 => config.retries,
            retries => retries as u32,
        },
        timeout_ms: match timeout_ms {
            ms if ms < 0.0 => config.timeout_ms,
            ms => ms.is_finite().then(|| ms.ceil() as u64),
        },
        delay_ms: call.f64(10)?.ceil() as u64,
        group: text(11)?,
        id: (!id.is_empty()).then_some(id),
    };
    if !handle.jobs.is_durable() {
        let (id, _) = handle.jobs.submit_now(&draft)?;
        return values::string(call.env, Kind::UTF8, id.as_bytes());
    }
    let operation = call.u32(1)?;
    let queue = Arc::clone(&call.environment.queue);
    let told = move |result: crate::error::Result<(String, bool)>| {
        let outcome: Answered = result.map(|(id, _)| Reply::Text(id)).into();
        queue.push(operation, outcome);
    };
    handle.jobs.submit(draft, Box::new(told));
    call.undefined()
}

/// `jobsNotice(handle)`: the next notice as a flat array, or null.
fn notice(call: &Call<'_, 1>) -> Returned {
    let Ok(handle) = handle_of(call, 0) else {
        return values::null(call.env);
    };
    match handle.jobs.next_notice(handle.client) {
        None => values::null(call.env),
        Some(notice) => flat(call.env, notice),
    }
}

/// `jobsAnswer(handle, job, run, how, kind, payload, start, end)`
fn answer(call: &Call<'_, 8>) -> Returned {
    let handle = handle_of(call, 0)?;
    let (seq, run, how) = (call.f64(1)? as Seq, call.u32(2)?, call.u32(3)?);
    let value = value(call, [4, 5, 6, 7])?;
    let outcome = match how {
        answer_as::DONE => Outcome::Done(value),
        _ => Outcome::Failed(Cause::Thrown(value.bytes)),
    };
    handle.jobs.answer(seq, run, outcome, how == answer_as::FATAL);
    call.undefined()
}

/// `jobsProgress(handle, job, run, kind, payload, start, end)`
fn progress(call: &Call<'_, 7>) -> Returned {
    let handle = handle_of(call, 0)?;
    let (seq, run) = (call.f64(1)? as Seq, call.u32(2)?);
    let value = value(call, [3, 4, 5, 6])?;
    values::boolean(call.env, handle.jobs.progress(seq, run, value))
}
