//! Notices, jobs and causes as flat arrays.

use napi::sys;

use crate::binding::call::{Failure, Returned};
use crate::binding::values;
use crate::engine::cache::record::Kind;
use crate::engine::jobs::book::View;
use crate::engine::jobs::client::Notice;
use crate::engine::jobs::event::Detail;
use crate::engine::jobs::value::{Cause, Outcome, Value};

/// Notices as JavaScript numbers them.
mod sort {
    pub const RUN: f64 = 0.0;
    pub const ABORT: f64 = 1.0;
    pub const EVENT: f64 = 2.0;
    pub const TROUBLE: f64 = 3.0;
}

/// Outcomes and details as JavaScript numbers them.
mod form {
    pub const NONE: f64 = -1.0;
    pub const VALUE: f64 = 0.0;
    pub const THROWN: f64 = 1.0;
    pub const TIMED_OUT: f64 = 2.0;
    pub const INTERRUPTED: f64 = 3.0;
}

fn text(env: sys::napi_env, text: &str) -> Returned {
    values::string(env, Kind::UTF8, text.as_bytes())
}

/// A value in two places: its kind and itself.
fn value(env: sys::napi_env, value: Option<Value>) -> Result<[sys::napi_value; 2], Failure> {
    match value {
        None => Ok([values::number(env, form::NONE)?, values::undefined(env)?]),
        Some(Value { kind, bytes }) => {
            let number = values::number(env, f64::from(kind.0))?;
            let value = match kind {
                Kind::NUMBER => values::stored(env, kind, &bytes)?,
                kind if values::is_string(kind) => values::stored(env, kind, &bytes)?,
                _ => values::owned_buffer(env, bytes)?,
            };
            Ok([number, value])
        }
    }
}

/// An outcome in three places: its form, a figure or kind, and a value.
fn outcome(env: sys::napi_env, outcome: Option<Outcome>) -> Result<[sys::napi_value; 3], Failure> {
    let number = |value| values::number(env, value);
    Ok(match outcome {
        None => [number(form::NONE)?, number(0.0)?, values::undefined(env)?],
        Some(Outcome::Done(result)) => {
            let [kind, result] = value(env, Some(result))?;
            [number(form::VALUE)?, kind, result]
        }
        Some(Outcome::Failed(Cause::Thrown(error))) => [
            number(form::THROWN)?,
            number(0.0)?,
            values::owned_buffer(env, error)?,
        ],
        Some(Outcome::Failed(Cause::TimedOut { ms })) => [
            number(form::TIMED_OUT)?,
            number(ms as f64)?,
            values::undefined(env)?,
        ],
        Some(Outcome::Failed(Cause::Interrupted)) => {
            [number(form::INTERRUPTED)?, number(0.0)?, values::undefined(env)?]
        }
    })
}

/// `[sort, ...]`
pub fn flat(env: sys::napi_env, notice: Notice) -> Returned {
    let number = |value| values::number(env, value);
    let parts = match notice {
        Notice::Run(taken) => {
            let taken = *taken;
            let [kind, data] = value(env, Some(taken.data))?;
            vec![
                number(sort::RUN)?,
                number(taken.seq as f64)?,
                number(f64::from(taken.head.runs))?,
                text(env, &taken.head.id(taken.seq))?,
                text(env, &taken.head.kind)?,
                kind,
                data,
                number(f64::from(taken.head.attempts))?,
                number(taken.head.timeout_ms.map_or(f64::INFINITY, |ms| ms as f64))?,
                number(taken.head.priority as f64)?,
            ]
        }
        Notice::Abort(seq, run, ending) => vec![
            number(sort::ABORT)?,
            number(seq as f64)?,
            number(f64::from(run))?,
            number(f64::from(ending as u8))?,
        ],
        Notice::Event(event) => {
            let event = *event;
            let detail = match event.detail {
                Detail::None => None,
                Detail::Value(value) => Some(Outcome::Done(value)),
                Detail::Cause(cause) => Some(Outcome::Failed(cause)),
            };
            let mut parts = vec![
                number(sort::EVENT)?,
                number(f64::from(event.sort as u8))?,
                text(env, &event.id)?,
                text(env, &event.kind)?,
                number(event.figures[0])?,
                number(event.figures[1])?,
            ];
            parts.extend(outcome(env, detail)?);
            parts
        }
        Notice::Trouble(error) => vec![number(sort::TROUBLE)?, values::error(env, &error)?],
    };
    values::array(env, &parts)
}

/// A job as a flat array.
pub fn job(env: sys::napi_env, view: View) -> Returned {
    let number = |value| values::number(env, value);
    let head = view.head;
    let mut parts = vec![
        text(env, &head.id(view.seq))?,
        text(env, &head.kind)?,
        number(f64::from(head.state as u8))?,
        number(head.priority as f64)?,
        text(env, &head.group)?,
        number(f64::from(head.attempts))?,
        number(f64::from(head.retries))?,
        number(head.timeout_ms.map_or(f64::INFINITY, |ms| ms as f64))?,
        number(head.created_ms as f64)?,
        number(head.ready_ms as f64)?,
        number(head.started_ms as f64)?,
        number(head.ended_ms as f64)?,
    ];
    parts.extend(value(env, view.data)?);
    parts.extend(value(env, view.progress)?);
    parts.extend(outcome(env, view.outcome)?);
    values::array(env, &parts)
}
