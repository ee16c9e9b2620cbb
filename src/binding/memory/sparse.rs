//! Sparse matrices.

use std::rc::Rc;

use super::Held;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, check, entry_points};
use crate::binding::values;
use crate::engine::completion::Reply;
use crate::engine::memory::sparse::Sparse;
use crate::error::Error;
use napi::sys;

/// The rows of these functions. Handles come first.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "openSparse" => open,
    "sparseFromDense" => from_dense,
    "deserializeSparse" => deserialize,
    "closeSparse" => close,
    "sparseGet" => get,
    "sparseSet" => set,
    "sparseMultiply" => multiply,
    "sparseMultiplyColumn" => multiply_column,
    "sparseScale" => scale,
    "sparseTranspose" => transpose,
    "sparseToDense" => to_dense,
    "sparseElements" => elements,
    "sparseSerialize" => serialize,
    "sparseFigures" => figures,
};

/// `openSparse(rows, columns)`
fn open(call: &Call<'_, 2>) -> Returned {
    add_handle(call, Sparse::new(call.u32(0)?, call.u32(1)?)?)
}

/// `sparseFromDense(Float64Array, rows, columns)`
fn from_dense(call: &Call<'_, 3>) -> Returned {
    let (rows, columns) = (call.u32(1)?, call.u32(2)?);
    let sparse = with_doubles(call, 0, |dense| Sparse::from_dense(dense, rows, columns))??;
    add_handle(call, sparse)
}

/// `deserializeSparse(bytes)`
fn deserialize(call: &Call<'_, 1>) -> Returned {
    add_handle(call, Sparse::deserialize(call.buffer(0)?)?)
}

fn add_handle<const N: usize>(call: &Call<'_, N>, sparse: Sparse) -> Returned {
    let bytes = sparse.bytes();
    let held = Held::new(sparse);
    held.report(call.env, bytes);
    let handle = call.environment.structures.sparses.add(|_| held);
    call.number(f64::from(handle))
}

fn close(call: &Call<'_, 1>) -> Returned {
    if let Some(held) = call.environment.structures.sparses.remove(call.u32(0)?) {
        held.report(call.env, 0);
    }
    call.undefined()
}

fn held<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Rc<Held<Sparse>>, Failure> {
    let held = call.environment.structures.sparses.get(call.u32(index)?);
    held.ok_or(Failure::Engine(Error::Closed {
        engine: "sparse matrix",
    }))
}

/// `sparseGet(handle, row, column)`
fn get(call: &Call<'_, 3>) -> Returned {
    let value = held(call, 0)?.structure.borrow().get(call.u32(1)?, call.u32(2)?);
    call.number(value)
}

/// `sparseSet(handle, row, column, value)`
fn set(call: &Call<'_, 4>) -> Returned {
    let held = held(call, 0)?;
    let mut sparse = held.structure.borrow_mut();
    sparse.set(call.u32(1)?, call.u32(2)?, call.f64(3)?)?;
    held.report(call.env, sparse.bytes());
    call.undefined()
}

/// `sparseMultiply(handle, other)`: a handle on the product.
fn multiply(call: &Call<'_, 2>) -> Returned {
    let (left, right) = (held(call, 0)?, held(call, 1)?);
    let product = if Rc::ptr_eq(&left, &right) {
        left.structure.borrow_mut().squared()?
    } else {
        left.structure
            .borrow_mut()
            .multiply(&mut right.structure.borrow_mut())?
    };
    add_handle(call, product)
}

/// `sparseMultiplyColumn(handle, Float64Array)`: a Float64Array.
fn multiply_column(call: &Call<'_, 2>) -> Returned {
    let held = held(call, 0)?;
    let multiply = |column: &[f64]| held.structure.borrow_mut().multiply_column(column);
    let result = with_doubles(call, 1, multiply)??;
    values::reply(call.env, Reply::Numbers(result))
}

/// `sparseScale(handle, factor)`: a handle on the result.
fn scale(call: &Call<'_, 2>) -> Returned {
    let scaled = held(call, 0)?.structure.borrow_mut().scale(call.f64(1)?)?;
    add_handle(call, scaled)
}

fn transpose(call: &Call<'_, 1>) -> Returned {
    let transposed = held(call, 0)?.structure.borrow_mut().transpose()?;
    add_handle(call, transposed)
}

/// `sparseToDense(handle)`: a Float64Array by rows.
fn to_dense(call: &Call<'_, 1>) -> Returned {
    let dense = held(call, 0)?.structure.borrow_mut().to_dense()?;
    values::reply(call.env, Reply::Numbers(dense))
}

/// `sparseElements(handle, row, column, count)`: elements from a place on, three numbers each.
fn elements(call: &Call<'_, 4>) -> Returned {
    let place = (call.u32(1)?, call.u32(2)?);
    let elements = held(call, 0)?
        .structure
        .borrow_mut()
        .elements(place, call.u32(3)? as usize)?;
    let flat = elements
        .into_iter()
        .flat_map(|(row, column, value)| [f64::from(row), f64::from(column), value]);
    values::reply(call.env, Reply::Numbers(flat.collect()))
}

fn serialize(call: &Call<'_, 1>) -> Returned {
    let bytes = held(call, 0)?.structure.borrow_mut().serialize()?;
    values::owned_buffer(call.env, bytes)
}

/// `sparseFigures(handle)`: rows, columns, elements and bytes.
fn figures(call: &Call<'_, 1>) -> Returned {
    let held = held(call, 0)?;
    let sparse = held.structure.borrow();
    let (rows, columns) = sparse.shape();
    let figures = [
        f64::from(rows),
        f64::from(columns),
        sparse.len() as f64,
        sparse.bytes() as f64,
    ];
    let values = figures.map(|figure| values::number(call.env, figure));
    values::array(call.env, &values.into_iter().collect::<Result<Vec<_>, _>>()?)
}

/// Lends the numbers of a Float64Array for the duration of the call.
fn with_doubles<const N: usize, T>(
    call: &Call<'_, N>,
    index: usize,
    read: impl FnOnce(&[f64]) -> T,
) -> Result<T, Failure> {
    let (mut kind, mut length, mut data) = (0, 0, std::ptr::null_mut());
    let (mut memory, mut offset) = (std::ptr::null_mut(), 0);
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
    if kind != sys::TypedarrayType::float64_array {
        return Err(Failure::Status(sys::Status::napi_invalid_arg));
    }
    if length == 0 {
        return Ok(read(&[]));
    }
    // SAFETY: Node-API gave pointer and length of the array's memory, aligned for its kind,
    // and no JavaScript of this thread runs while it is read.
    Ok(read(unsafe {
        std::slice::from_raw_parts(data.cast::<f64>(), length)
    }))
}
