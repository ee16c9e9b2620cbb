//! Submitting tasks: from typed arrays to what the engine computes with, without a copy.
//!
//! The memory of a typed array is lent to the task. JavaScript keeps it, and keeps everybody
//! else from detaching it, until the operation has completed (`lib/compute/lending.js`); if
//! its environment ends first, the teardown waits for the task.

use std::ptr;
use std::time::Duration;

use napi::sys;

use super::engine_of;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, check, entry_points};
use crate::engine::compute::numbers::{Matrix, Numbers, Slab};
use crate::engine::compute::queue::Caller;
use crate::engine::compute::similarity::Measure;
use crate::engine::compute::task::{Compared, Task, Wanted};
use crate::error::Error;

/// Each takes the engine's number, the operation's, the priority and the timeout (infinite for
/// none) first.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "computeMultiply" => multiply,
    "computeTranspose" => transpose,
    "computeInverse" => inverse,
    "computeSolve" => solve,
    "computeSimilarity" => similarity,
    "computeRatings" => ratings,
    "computeStatistics" => statistics,
    "computeSort" => sort,
};

/// `computeMultiply(..., left, rows, columns, right, rows, columns)`
fn multiply(call: &Call<'_, 10>) -> Returned {
    submit(call, Task::Multiply(matrix(call, 4)?, matrix(call, 7)?))
}

/// `computeTranspose(..., matrix, rows, columns)`
fn transpose(call: &Call<'_, 7>) -> Returned {
    submit(call, Task::Transpose(matrix(call, 4)?))
}

/// `computeInverse(..., matrix, rows, columns)`
fn inverse(call: &Call<'_, 7>) -> Returned {
    submit(call, Task::Inverse(matrix(call, 4)?))
}

/// `computeSolve(..., matrix, rows, columns, right, rows, columns)`
fn solve(call: &Call<'_, 10>) -> Returned {
    submit(call, Task::Solve(matrix(call, 4)?, matrix(call, 7)?))
}

/// `computeSimilarity(..., measure, form, minimum, best, matrix, rows, columns)`
fn similarity(call: &Call<'_, 11>) -> Returned {
    let entities = Compared::Rows(matrix(call, 8)?, measure(call)?);
    let wanted = wanted(call)?;
    submit(call, Task::Similarity { entities, wanted })
}

/// `computeRatings(..., measure, form, minimum, best, starts, items, values)`
fn ratings(call: &Call<'_, 11>) -> Returned {
    let Numbers::Double(values) = numbers(call, 10)? else {
        return Err(Failure::Status(sys::Status::napi_invalid_arg));
    };
    let entities = Compared::Rated(words(call, 8)?, words(call, 9)?, values, measure(call)?);
    let wanted = wanted(call)?;
    submit(call, Task::Similarity { entities, wanted })
}

/// `computeStatistics(..., numbers, percentiles)`
fn statistics(call: &Call<'_, 6>) -> Returned {
    let percentiles = match numbers(call, 5)? {
        Numbers::Double(slab) => slab.as_slice().to_vec(),
        Numbers::Single(_) => Vec::new(),
    };
    submit(call, Task::Statistics(numbers(call, 4)?, percentiles))
}

/// `computeSort(..., numbers, descending)`
fn sort(call: &Call<'_, 6>) -> Returned {
    let task = Task::Sort {
        numbers: numbers(call, 4)?,
        descending: call.u32(5)? != 0,
    };
    submit(call, task)
}

fn submit<const N: usize>(call: &Call<'_, N>, task: Task) -> Returned {
    let engine = engine_of(call)?;
    let caller = Caller {
        queue: call.environment.queue.clone(),
        operation: call.u32(1)?,
    };
    let priority = call.f64(2)? as i32;
    let timeout = call.f64(3)?;
    let timeout = timeout
        .is_finite()
        .then(|| Duration::from_secs_f64((timeout / 1000.0).clamp(0.0, 1e9)));
    engine.submit(task, caller, priority, timeout)?;
    call.undefined()
}

fn measure<const N: usize>(call: &Call<'_, N>) -> Result<Measure, Failure> {
    let name = call.with_text(4, |name| String::from_utf8_lossy(name).into_owned())?;
    Measure::parse(&name).ok_or(Failure::Status(sys::Status::napi_invalid_arg))
}

fn wanted<const N: usize>(call: &Call<'_, N>) -> Result<Wanted, Failure> {
    const MATRIX: u32 = 0;
    const PAIRS: u32 = 1;
    let minimum = call.f64(6)?;
    Ok(match call.u32(5)? {
        MATRIX => Wanted::Matrix,
        PAIRS => Wanted::From(minimum),
        _ => Wanted::Nearest(minimum, call.u32(7)? as usize),
    })
}

/// A typed array and the two sizes behind it.
fn matrix<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Matrix, Failure> {
    let (rows, columns) = (call.u32(index + 1)?, call.u32(index + 2)?);
    Ok(Matrix::new(
        numbers(call, index)?,
        rows as usize,
        columns as usize,
    )?)
}

struct View {
    kind: sys::napi_typedarray_type,
    data: *const std::ffi::c_void,
    length: usize,
}

fn view<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<View, Failure> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    let (mut memory, mut offset) = (ptr::null_mut(), 0);
    // SAFETY: the value is alive in this callback's scope; anything that is not a typed array
    // is refused.
    check(unsafe {
        let array = call.argument(index);
        sys::napi_get_typedarray_info(
            call.env,
            array,
            &mut kind,
            &mut length,
            &mut data,
            &mut memory,
            &mut offset,
        )
    })?;
    Ok(View { kind, data, length })
}

/// A Float64Array or Float32Array, lent to the task.
fn numbers<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Numbers, Failure> {
    let View { kind, data, length } = view(call, index)?;
    // SAFETY: Node-API gave pointer and length of the array's memory, which is aligned for its
    // kind, and JavaScript keeps it until the operation completes; see the module.
    unsafe {
        match kind {
            sys::TypedarrayType::float64_array => Ok(Numbers::Double(Slab::lent(data.cast(), length))),
            sys::TypedarrayType::float32_array => Ok(Numbers::Single(Slab::lent(data.cast(), length))),
            _ => Err(Failure::Status(sys::Status::napi_invalid_arg)),
        }
    }
}

/// A copy of a Uint32Array.
fn words<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Vec<u32>, Failure> {
    let View { kind, data, length } = view(call, index)?;
    if kind != sys::TypedarrayType::uint32_array {
        return Err(Failure::Status(sys::Status::napi_invalid_arg));
    }
    let mut copy = Vec::new();
    copy.try_reserve_exact(length)
        .map_err(|_| Failure::Engine(Error::OutOfMemory))?;
    if length > 0 {
        // SAFETY: Node-API gave pointer and length of the array's memory, aligned for words,
        // and no JavaScript runs while it is read.
        copy.extend_from_slice(unsafe { std::slice::from_raw_parts(data.cast::<u32>(), length) });
    }
    Ok(copy)
}
