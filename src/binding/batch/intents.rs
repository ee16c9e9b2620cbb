//! Sets of intents: building, matching, and matching in the background.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Env};
use napi_derive::napi;

use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::environment::Environment;
use crate::binding::{to_napi, values};
use crate::engine::batch::intents::translate::Foreign;
use crate::engine::batch::intents::units::CaseTable;
use crate::engine::batch::intents::{IntentSet, Scratch};
use crate::engine::batch::threads;
use crate::engine::completion::{Outcome, Reply};
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "intentsFirst" => first,
    "intentsAll" => all,
    "intentsFirstOfMany" => first_of_many,
};

/// One handle: a JavaScript object's access to a set.
#[derive(Debug)]
pub struct IntentsHandle(Arc<IntentSet>);

/// No pattern matches.
const NONE: i32 = -1;

const CLOSED: Error = Error::Closed {
    engine: "intent matcher",
};

/// What was built.
#[napi(object)]
pub struct OpenedIntents {
    /// Its number.
    pub handle: u32,
    /// Patterns that are left to JavaScript, ascending.
    pub foreign: Vec<u32>,
    /// Why, in the same order.
    pub reasons: Vec<String>,
}

/// Whether the table of upper-case letters still has to be given.
#[napi(catch_unwind)]
pub fn needs_case_table() -> bool {
    CaseTable::installed().is_none()
}

/// Gives the upper-case form of each code unit, two bytes each in the order of this machine.
#[napi(catch_unwind)]
pub fn install_case_table(upper: Buffer) {
    CaseTable::install(|unit| match upper.get(usize::from(unit) * 2..) {
        Some([low, high, ..]) => u16::from_ne_bytes([*low, *high]),
        _ => unit,
    });
}

/// Builds a set of patterns; `null` stands for one that is left to JavaScript anyway.
#[napi(catch_unwind)]
pub fn open_intents(env: Env, patterns: Vec<Option<String>>) -> Result<OpenedIntents> {
    let uninitialised = |reason: String| napi::Error::new("ERR_HOTPATH_NATIVE", reason);
    let environment = Environment::of(&env).map_err(|error| uninitialised(error.reason.clone()))?;
    let table = CaseTable::installed().ok_or_else(|| uninitialised("There is no case table".into()))?;
    let patterns: Vec<_> = patterns.iter().map(Option::as_deref).collect();
    let set = Arc::new(IntentSet::new(&patterns, table).map_err(to_napi)?);
    let reason = |reason: &Foreign| match reason {
        Foreign::LookAround => "lookAround",
        Foreign::BackReference => "backReference",
        Foreign::TooLarge => "tooLarge",
        Foreign::Unknown => "unknown",
    };
    let foreign = set.foreign();
    Ok(OpenedIntents {
        foreign: foreign.iter().map(|(number, _)| *number).collect(),
        reasons: foreign.iter().map(|(_, why)| reason(why).to_owned()).collect(),
        handle: environment.batches.intents.add(|_| IntentsHandle(set)),
    })
}

/// Gives a handle back. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_intents(env: Env, handle: u32) {
    if let Ok(environment) = Environment::of(&env) {
        environment.batches.intents.remove(handle);
    }
}

fn set<const N: usize>(call: &Call<'_, N>) -> std::result::Result<Arc<IntentSet>, Failure> {
    let handle = call.environment.batches.intents.get(call.u32(0)?);
    handle.map(|handle| handle.0.clone()).ok_or(CLOSED.into())
}

/// `intentsFirst(handle, text)`: the number of the first pattern that matches, or -1.
fn first(call: &Call<'_, 2>) -> Returned {
    let set = set(call)?;
    let scratch = &mut *call.environment.batches.scratch.borrow_mut();
    let first = call.with_text(1, |text| set.first(text, scratch))??;
    trim(scratch);
    call.int(first.map_or(NONE, |number| number as i32))
}

/// `intentsAll(handle, text)`: the numbers of all patterns that match, ascending.
fn all(call: &Call<'_, 2>) -> Returned {
    let set = set(call)?;
    let scratch = &mut *call.environment.batches.scratch.borrow_mut();
    let numbers = call.with_text(1, |text| set.all(text, scratch).map(<[u32]>::to_vec))??;
    trim(scratch);
    let numbers: std::result::Result<Vec<_>, _> = numbers
        .iter()
        .map(|number| values::number(call.env, f64::from(*number)))
        .collect();
    values::array(call.env, &numbers?)
}

/// One very long text must not be paid for ever after.
fn trim(scratch: &mut Scratch) {
    if scratch.text_capacity() > 1 << 20 {
        *scratch = Scratch::default();
    }
}

/// `intentsFirstOfMany(handle, texts, count, operation)`: completes the operation with the
/// number of the first pattern for each text, -1 for none.
fn first_of_many(call: &Call<'_, 4>) -> Returned {
    let set = set(call)?;
    let (texts, count, operation) = (call.argument(1), call.u32(2)?, call.u32(3)?);
    let text = |position| {
        let element = call.element(texts, position)?;
        crate::binding::call::with_text(call.env, element, |bytes| Box::from(bytes))
    };
    let texts: Vec<_> = (0..count).map(text).collect::<std::result::Result<_, _>>()?;
    let queue = call.environment.queue.clone();
    threads::pool()?.spawn(move || {
        let search = std::panic::AssertUnwindSafe(|| set.first_of_many(&texts));
        let found = std::panic::catch_unwind(search).unwrap_or_else(|_| {
            let reason = "the intent matcher panicked; please report this".to_owned();
            Err(Error::Inconsistent { reason })
        });
        let number = |number: &Option<u32>| number.map_or(f64::from(NONE), f64::from);
        let reply = found.map(|found| Reply::Numbers(found.iter().map(number).collect()));
        queue.push(operation, Outcome::from(reply));
    });
    call.undefined()
}
