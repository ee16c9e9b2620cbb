//! Bloom filters. Adding and asking are hot: they take the item as the call has it.

use std::rc::Rc;

use super::Held;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::values;
use crate::engine::memory::bloom::Bloom;
use crate::error::Error;

/// The rows of these functions. Handles come first.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "openBloom" => open,
    "deserializeBloom" => deserialize,
    "closeBloom" => close,
    "bloomAdd" => add,
    "bloomHas" => has,
    "bloomAddBytes" => add_bytes,
    "bloomHasBytes" => has_bytes,
    "bloomAddMany" => add_many,
    "bloomHasMany" => has_many,
    "bloomUnion" => union,
    "bloomClear" => clear,
    "bloomSerialize" => serialize,
    "bloomFigures" => figures,
};

/// `openBloom(capacity, rate, seed)`
fn open(call: &Call<'_, 3>) -> Returned {
    let seed = call.f64(2)? as u64;
    add_handle(
        call,
        Bloom::new(call.f64(0)? as u64, call.f64(1)?, u128::from(seed))?,
    )
}

/// `deserializeBloom(bytes)`
fn deserialize(call: &Call<'_, 1>) -> Returned {
    add_handle(call, Bloom::deserialize(call.buffer(0)?)?)
}

fn add_handle<const N: usize>(call: &Call<'_, N>, bloom: Bloom) -> Returned {
    let bytes = bloom.bytes();
    let held = Held::new(bloom);
    held.report(call.env, bytes);
    let handle = call.environment.structures.blooms.add(|_| held);
    call.number(f64::from(handle))
}

fn close(call: &Call<'_, 1>) -> Returned {
    if let Some(held) = call.environment.structures.blooms.remove(call.u32(0)?) {
        held.report(call.env, 0);
    }
    call.undefined()
}

fn held<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Rc<Held<Bloom>>, Failure> {
    let held = call.environment.structures.blooms.get(call.u32(index)?);
    held.ok_or(Failure::Engine(Error::Closed {
        engine: "bloom filter",
    }))
}

/// `bloomAdd(handle, string)`: 1 if it was new.
fn add(call: &Call<'_, 2>) -> Returned {
    let held = held(call, 0)?;
    let is_new = call.with_text(1, |item| held.structure.borrow_mut().add(item))?;
    call.int(i32::from(is_new))
}

/// `bloomHas(handle, string)`
fn has(call: &Call<'_, 2>) -> Returned {
    let held = held(call, 0)?;
    let has = call.with_text(1, |item| held.structure.borrow().has(item))?;
    call.int(i32::from(has))
}

fn add_bytes(call: &Call<'_, 2>) -> Returned {
    let is_new = held(call, 0)?.structure.borrow_mut().add(call.buffer(1)?);
    call.int(i32::from(is_new))
}

fn has_bytes(call: &Call<'_, 2>) -> Returned {
    let has = held(call, 0)?.structure.borrow().has(call.buffer(1)?);
    call.int(i32::from(has))
}

/// `bloomAddMany(handle, joined, count)`: how many were new.
fn add_many(call: &Call<'_, 3>) -> Returned {
    let held = held(call, 0)?;
    let mut bloom = held.structure.borrow_mut();
    let new = call.with_joined([1, 2], |items| {
        items.iter().filter(|item| bloom.add(item)).count()
    })?;
    call.number(new as f64)
}

/// `bloomHasMany(handle, joined, count)`: writes a byte for each item into the scratch memory.
fn has_many(call: &Call<'_, 3>) -> Returned {
    let held = held(call, 0)?;
    let bloom = held.structure.borrow();
    let answers: Vec<u8> = call.with_joined([1, 2], |items| {
        items.iter().map(|item| u8::from(bloom.has(item))).collect()
    })?;
    call.environment.scratch.get().write(0, &answers);
    call.undefined()
}

/// `bloomUnion(handle, other)`: a handle on a new filter.
fn union(call: &Call<'_, 2>) -> Returned {
    let mut united = held(call, 0)?.structure.borrow().clone();
    united.unite(&held(call, 1)?.structure.borrow())?;
    add_handle(call, united)
}

fn clear(call: &Call<'_, 1>) -> Returned {
    held(call, 0)?.structure.borrow_mut().clear();
    call.undefined()
}

fn serialize(call: &Call<'_, 1>) -> Returned {
    let bytes = held(call, 0)?.structure.borrow().serialize()?;
    values::owned_buffer(call.env, bytes)
}

/// `bloomFigures(handle)`: capacity, rate, count and bytes.
fn figures(call: &Call<'_, 1>) -> Returned {
    let held = held(call, 0)?;
    let bloom = held.structure.borrow();
    let figures = [
        bloom.capacity() as f64,
        bloom.rate(),
        bloom.count() as f64,
        bloom.bytes() as f64,
    ];
    let values = figures.map(|figure| values::number(call.env, figure));
    values::array(call.env, &values.into_iter().collect::<Result<Vec<_>, _>>()?)
}
