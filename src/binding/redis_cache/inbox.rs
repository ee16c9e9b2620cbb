//! Answers on their way to JavaScript: described by the shared header, with their bytes in the
//! shared scratch memory, as many at a time as fit.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values;
use crate::engine::cache::redis::request::Answer;
use crate::engine::cache::redis::wire::Value;
use crate::error::{Error, Result};

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "redisTake" => take,
    "redisTakeLarge" => take_large,
    "redisTakeError" => take_error,
    "redisRelease" => release,
    "redisTakeChanges" => take_changes,
};

/// Words of each described answer: its form, and where its bytes start and end.
const WORDS: usize = 3;

/// Answers that one call describes at most.
const MOST: usize = 768;

/// Forms of answers that are no values; those of values are the codec's kinds.
mod form {
    pub const MISS: i32 = -1;
    pub const LARGE: i32 = -3;
    pub const DONE: i32 = -4;
    pub const YES: i32 = -5;
    pub const NO: i32 = -6;
    pub const NUMBER: i32 = -7;
    pub const ERROR: i32 = -8;
    /// Begins a list: its length stands in place of the start.
    pub const LIST: i32 = -9;
}

/// An answer, or a part of one.
#[derive(Debug)]
enum Item {
    Value(Option<Value>),
    Number(f64),
    Flag(bool),
    Done,
    List(usize),
    Error(Error),
}

/// Keys that others changed and that JavaScript has not heard of.
#[derive(Debug)]
enum Changes {
    /// Too many, or nobody knows which.
    All,
    Keys(Vec<Vec<u8>>),
}

/// Changed keys that wait one by one; more of them are told as all keys.
const MOST_CHANGES: usize = 65_536;

#[derive(Debug, Default)]
struct Contents {
    /// Answers of batches, flat, by the number of their operation.
    batches: HashMap<u32, Vec<Item>>,
    /// Changes, by the number of the subscription.
    changes: HashMap<u32, Changes>,
}

/// What waits for JavaScript. Takes nothing once it is closed.
#[derive(Debug)]
pub struct Inbox(Mutex<Option<Contents>>);

impl Default for Inbox {
    fn default() -> Self {
        Self(Mutex::new(Some(Contents::default())))
    }
}

impl Inbox {
    /// Keeps the answers of a batch, unless the environment is gone.
    pub fn put(&self, operation: u32, answers: Vec<Result<Answer>>) {
        let mut items = Vec::with_capacity(answers.len());
        for answer in answers {
            flatten(answer, &mut items);
        }
        if let Some(contents) = self.0.lock().as_mut() {
            contents.batches.insert(operation, items);
        }
    }

    /// Keeps changed keys, none for all. True if there was nothing before.
    pub fn add_changes(&self, subscription: u32, keys: Option<&[&[u8]]>) -> bool {
        let mut contents = self.0.lock();
        let Some(contents) = contents.as_mut() else {
            return false;
        };
        let Some(waiting) = contents.changes.get_mut(&subscription) else {
            let owned = |keys: &[&[u8]]| keys.iter().map(|key| key.to_vec()).collect();
            let changes = keys.map_or(Changes::All, |keys| Changes::Keys(owned(keys)));
            contents.changes.insert(subscription, changes);
            return true;
        };
        match (waiting, keys) {
            (Changes::Keys(known), Some(more)) if known.len() + more.len() <= MOST_CHANGES => {
                known.extend(more.iter().map(|key| key.to_vec()));
            }
            (waiting, _) => *waiting = Changes::All,
        }
        false
    }

    /// Drops everything, and takes nothing any more.
    pub fn close(&self) {
        *self.0.lock() = None;
    }

    fn with<T>(&self, operation: u32, read: impl FnOnce(&[Item]) -> T) -> Option<T> {
        let contents = self.0.lock();
        contents
            .as_ref()?
            .batches
            .get(&operation)
            .map(|items| read(items))
    }
}

fn flatten(answer: Result<Answer>, items: &mut Vec<Item>) {
    let item = match answer {
        Ok(Answer::Value(value)) => Item::Value(value),
        Ok(Answer::Values(values)) => {
            items.push(Item::List(values.len()));
            items.extend(values.into_iter().map(Item::Value));
            return;
        }
        // A value, then its time: two items for an entry, one for none.
        Ok(Answer::Entry(Some((value, ttl_ms)))) => {
            items.push(Item::Value(Some(value)));
            Item::Number(ttl_ms.map_or(f64::INFINITY, |ms| ms as f64))
        }
        Ok(Answer::Entry(None)) => Item::Value(None),
        Ok(Answer::Flag(flag)) => Item::Flag(flag),
        Ok(Answer::Number(number)) => Item::Number(number),
        Ok(Answer::Remaining(Some(ms))) => Item::Number(ms),
        Ok(Answer::Remaining(None)) => Item::Value(None),
        // Scripts of JavaScript's own there are none.
        Ok(Answer::Done | Answer::Raw(_)) => Item::Done,
        Err(error) => Item::Error(error),
    };
    items.push(item);
}

/// `redisTake(operation, from)`: describes items of a batch from number `from` on, and says
/// how many.
fn take(call: &Call<'_, 2>) -> Returned {
    let from = call.u32(1)? as usize;
    let described = call.environment.redis_caches.inbox.with(call.u32(0)?, |items| {
        let mut start = 0;
        let rest = items.get(from..).unwrap_or_default();
        for (index, item) in rest.iter().take(MOST).enumerate() {
            match describe(call, index * WORDS, start, item) {
                Some(end) => start = end,
                // The shared memory is full. If it is empty, the item will never fit.
                None if start > 0 => return index,
                None => set(call, index * WORDS, form::LARGE, 0, 0),
            }
        }
        rest.len().min(MOST)
    });
    call.int(described.unwrap_or(0) as i32)
}

fn set(call: &Call<'_, 2>, base: usize, form: i32, start: usize, end: usize) {
    let header = call.environment.header.get();
    header.set_word(base, form);
    header.set_word(base + 1, start as i32);
    header.set_word(base + 2, end as i32);
}

/// Describes an item. Its end in the shared memory, or none if it does not fit.
fn describe(call: &Call<'_, 2>, base: usize, start: usize, item: &Item) -> Option<usize> {
    let scratch = call.environment.scratch.get();
    let (form, bytes): (i32, &[u8]) = match item {
        Item::Value(Some(value)) => (i32::from(value.kind.0), value.payload()),
        Item::Number(number) => {
            let end = start + size_of::<f64>();
            scratch.write(start, &number.to_le_bytes()).then_some(())?;
            set(call, base, form::NUMBER, start, end);
            return Some(end);
        }
        Item::List(length) => {
            set(call, base, form::LIST, *length, 0);
            return Some(start);
        }
        Item::Value(None) => (form::MISS, &[]),
        Item::Flag(true) => (form::YES, &[]),
        Item::Flag(false) => (form::NO, &[]),
        Item::Done => (form::DONE, &[]),
        Item::Error(_) => (form::ERROR, &[]),
    };
    scratch.write(start, bytes).then_some(())?;
    set(call, base, form, start, start + bytes.len());
    Some(start + bytes.len())
}

fn gone() -> Failure {
    Failure::Engine(Error::Inconsistent {
        reason: "an answer was taken twice".to_owned(),
    })
}

/// `redisTakeLarge(operation, item)`: a value that is too large for the shared memory; the
/// header says its kind.
fn take_large(call: &Call<'_, 2>) -> Returned {
    let index = call.u32(1)? as usize;
    let value = call.environment.redis_caches.inbox.with(call.u32(0)?, |items| {
        let Some(Item::Value(Some(value))) = items.get(index) else {
            return Err(gone());
        };
        call.environment.header.get().set_word(0, i32::from(value.kind.0));
        match values::is_string(value.kind) {
            true => values::string(call.env, value.kind, value.payload()),
            false => values::buffer(call.env, value.payload()),
        }
    });
    value.unwrap_or_else(|| Err(gone()))
}

/// `redisTakeError(operation, item)`: an error object, not thrown.
fn take_error(call: &Call<'_, 2>) -> Returned {
    let index = call.u32(1)? as usize;
    let error = call
        .environment
        .redis_caches
        .inbox
        .with(call.u32(0)?, |items| match items.get(index) {
            Some(Item::Error(error)) => values::error(call.env, error),
            _ => Err(gone()),
        });
    error.unwrap_or_else(|| Err(gone()))
}

/// `redisRelease(operation)`: all items of a batch were taken.
fn release(call: &Call<'_, 1>) -> Returned {
    let operation = call.u32(0)?;
    let mut contents = call.environment.redis_caches.inbox.0.lock();
    let items = contents
        .as_mut()
        .and_then(|contents| contents.batches.remove(&operation));
    drop(contents);
    // Freed outside the lock: there may be megabytes of them.
    drop(items);
    call.undefined()
}

/// `redisTakeChanges(subscription)`: the keys that others changed since the last call; null
/// stands for all keys.
fn take_changes(call: &Call<'_, 1>) -> Returned {
    let subscription = call.u32(0)?;
    let mut contents = call.environment.redis_caches.inbox.0.lock();
    let changes = contents
        .as_mut()
        .and_then(|contents| contents.changes.remove(&subscription));
    drop(contents);
    match changes {
        Some(Changes::All) => values::null(call.env),
        Some(Changes::Keys(keys)) => values::keys_array(call.env, &keys),
        None => values::array(call.env, &[]),
    }
}
