//! What native code asks of JavaScript, and its answers.

use std::sync::Arc;

use bytes::Bytes;
use napi::sys;

use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values::{self, with_encoded};
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::{Entry, Tag};
use crate::engine::cache::tiered::agent::{Ask, Given, Taken};
use crate::engine::cache::tiered::news::Event;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "tieredTake" => take,
    "tieredAnswer" => answer,
    "tieredAnswerKeys" => answer_keys,
};

fn text(env: sys::napi_env, text: &str) -> Returned {
    values::string(env, Kind::UTF8, text.as_bytes())
}

fn optional_number(env: sys::napi_env, number: Option<u64>) -> Returned {
    match number {
        Some(number) => values::number(env, number as f64),
        None => values::undefined(env),
    }
}

/// `tieredTake(handle)`: `[requests, events]`. A request is `[number, level, what, ...]`, an event
/// `[name, ...]`.
fn take(call: &Call<'_, 1>) -> Returned {
    let env = call.env;
    let Some(handle) = call.environment.tiered.handles.get(call.u32(0)?) else {
        return call.undefined();
    };
    let (requests, events) = handle.stack.agent.take();
    let requests: Result<Vec<_>, _> = requests.iter().map(|taken| request(env, taken)).collect();
    let events: Result<Vec<_>, _> = events.iter().map(|told| event(env, told)).collect();
    values::array(
        env,
        &[values::array(env, &requests?)?, values::array(env, &events?)?],
    )
}

fn request(env: sys::napi_env, taken: &Taken) -> Returned {
    let mut parts = vec![
        values::number(env, f64::from(taken.number))?,
        values::number(env, f64::from(taken.level))?,
    ];
    match &taken.ask {
        Ask::Get(key) => parts.extend([text(env, "get")?, values::key(env, key)?]),
        Ask::Set { key, entry, ttl_ms } => {
            parts.extend([
                text(env, "set")?,
                values::key(env, key)?,
                values::number(env, f64::from(entry.kind.0))?,
                values::stored(env, entry.kind, &entry.payload)?,
                optional_number(env, *ttl_ms)?,
            ]);
            if !entry.is_plain() {
                parts.extend([
                    optional_number(env, entry.expires)?,
                    optional_number(env, entry.kept_until)?,
                    tag_array(env, &entry.tags)?,
                ]);
            }
        }
        Ask::Delete(keys) => {
            let keys: Result<Vec<_>, _> = keys.iter().map(|key| values::key(env, key)).collect();
            parts.extend([text(env, "delete")?, values::array(env, &keys?)?]);
        }
        Ask::Clear => parts.push(text(env, "clear")?),
        Ask::Keys => parts.push(text(env, "keys")?),
        Ask::Translate(kind, payload) => parts.extend([
            text(env, "translate")?,
            values::undefined(env)?,
            values::number(env, f64::from(kind.0))?,
            values::stored(env, *kind, payload)?,
        ]),
    }
    values::array(env, &parts)
}

/// Names and generations, in turns.
fn tag_array(env: sys::napi_env, tags: &[Tag]) -> Returned {
    let mut flat = Vec::with_capacity(tags.len() * 2);
    for tag in tags {
        flat.push(text(env, &tag.name)?);
        flat.push(values::number(env, tag.generation as f64)?);
    }
    values::array(env, &flat)
}

fn event(env: sys::napi_env, event: &Event) -> Returned {
    let number = |number: u8| values::number(env, f64::from(number));
    let parts = match event {
        Event::Promotion { key, from } => {
            vec![text(env, "promotion")?, values::key(env, key)?, number(*from)?]
        }
        Event::Failure {
            operation,
            key,
            level,
            tier,
            error,
        } => vec![
            text(env, "error")?,
            match key {
                Some(key) => values::key(env, key)?,
                None => values::undefined(env)?,
            },
            number(*level)?,
            text(env, tier)?,
            text(env, operation)?,
            values::error(env, error)?,
        ],
        Event::Stale { key, reason } => {
            vec![
                text(env, "stale")?,
                values::key(env, key)?,
                text(env, reason.name())?,
            ]
        }
        Event::Refresh { key } => vec![text(env, "refresh")?, values::key(env, key)?],
        Event::Breaker { level, tier, state } => vec![
            text(env, "breaker")?,
            number(*level)?,
            text(env, tier)?,
            text(env, state.name())?,
        ],
    };
    values::array(env, &parts)
}

/// What an answer says; shared with JavaScript.
mod status {
    pub const NOTHING: u32 = 0;
    pub const SOMETHING: u32 = 1;
    pub const VALUE: u32 = 2;
}

/// `tieredAnswer(handle, number, status, kind, payload, start, end, expires, keptUntil, tags)`:
/// times in milliseconds since 1970, 0 for none; tags as strings, names and generations in turns.
fn answer(call: &Call<'_, 10>) -> Returned {
    let Some(handle) = call.environment.tiered.handles.get(call.u32(0)?) else {
        return call.undefined();
    };
    let given = match call.u32(2)? {
        status::NOTHING => Given::Nothing,
        status::SOMETHING => Given::Something,
        status::VALUE => Given::Entry(entry(call)?),
        _ => Given::Failed,
    };
    handle.stack.agent.answer(call.u32(1)?, given);
    call.undefined()
}

/// `tieredAnswerKeys(handle, number, keys)`
fn answer_keys(call: &Call<'_, 3>) -> Returned {
    if let Some(handle) = call.environment.tiered.handles.get(call.u32(0)?) {
        let keys = call.texts(2, |bytes| Arc::from(bytes))?;
        handle.stack.agent.answer(call.u32(1)?, Given::Keys(keys));
    }
    call.undefined()
}

fn entry(call: &Call<'_, 10>) -> Result<Entry, Failure> {
    let time = |index| -> Result<Option<u64>, Failure> {
        let ms = call.f64(index)?;
        Ok((ms > 0.0 && ms.is_finite()).then_some(ms as u64))
    };
    let flat = call.strings(9)?;
    let tag = |pair: &[String]| {
        Some(Tag {
            name: pair.first()?.as_str().into(),
            generation: pair.get(1)?.parse().ok()?,
        })
    };
    let (kind, payload) = with_encoded(call, [3, 4, 5, 6], |kind, payload| {
        (kind, Bytes::copy_from_slice(payload))
    })?;
    Ok(Entry {
        kind,
        payload,
        expires: time(7)?,
        kept_until: time(8)?,
        tags: flat.chunks(2).filter_map(tag).collect(),
    })
}
