//! What tasks read and answer with: numbers in a row, their own or lent by JavaScript.

use std::ptr::NonNull;

use faer::traits::RealField;

use crate::engine::completion::Reply;
use crate::error::{Error, Result};

/// What a matrix can be made of: `f64` and `f32`.
pub trait Element: RealField + Copy + Default + Into<f64> + Send + Sync + 'static {
    /// The slab of this kind in `numbers`, if that is its kind.
    fn of(numbers: &Numbers) -> Option<&[Self]>;
    /// Numbers of this kind as an answer.
    fn answer(numbers: Vec<Self>) -> Reply;
    /// From the wider type, rounded.
    fn from_f64(value: f64) -> Self;
}

/// Numbers in memory that a task reads. Owned, or lent: then whoever lent them keeps them.
#[derive(Debug)]
pub struct Slab<T> {
    data: NonNull<T>,
    length: usize,
    /// What `data` points to, when it is ours.
    _owner: Option<Vec<T>>,
}

// SAFETY: a slab is only ever read, and `T` is plain data. Lent memory may be used from any
// thread by the promise that `Slab::lent` asks for.
unsafe impl<T: Send + Sync> Send for Slab<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Slab<T> {}

impl<T> Slab<T> {
    /// Numbers that somebody else keeps.
    ///
    /// # Safety
    /// `data` is aligned and readable for `length` numbers until the task that gets the slab
    /// has completed. JavaScript may write there meanwhile if the memory is shared: a task
    /// must not take two reads of one place to be equal where safety depends on it.
    #[must_use]
    pub unsafe fn lent(data: *const T, length: usize) -> Self {
        Self {
            data: NonNull::new(data.cast_mut()).unwrap_or(NonNull::dangling()),
            length,
            _owner: None,
        }
    }

    /// The numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: owned memory lives as long as the slab and does not move with it; lent
        // memory is readable by the promise given to `lent`.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.length) }
    }
}

impl<T> From<Vec<T>> for Slab<T> {
    fn from(mut owner: Vec<T>) -> Self {
        Self {
            data: NonNull::new(owner.as_mut_ptr()).unwrap_or(NonNull::dangling()),
            length: owner.len(),
            _owner: Some(owner),
        }
    }
}

/// Numbers of either width.
#[derive(Debug)]
pub enum Numbers {
    /// A Float64Array, or an array of numbers.
    Double(Slab<f64>),
    /// A Float32Array.
    Single(Slab<f32>),
}

impl Numbers {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Double(slab) => slab.length,
            Self::Single(slab) => slab.length,
        }
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies those from `start` on into `target`, as `f64`.
    pub fn read_into(&self, start: usize, target: &mut [f64]) {
        match self {
            Self::Double(slab) => target.copy_from_slice(&slab.as_slice()[start..][..target.len()]),
            Self::Single(slab) => {
                let source = &slab.as_slice()[start..][..target.len()];
                for (to, from) in target.iter_mut().zip(source) {
                    *to = f64::from(*from);
                }
            }
        }
    }
}

impl Element for f64 {
    fn of(numbers: &Numbers) -> Option<&[Self]> {
        match numbers {
            Numbers::Double(slab) => Some(slab.as_slice()),
            Numbers::Single(_) => None,
        }
    }

    fn answer(numbers: Vec<Self>) -> Reply {
        Reply::Numbers(numbers)
    }

    fn from_f64(value: f64) -> Self {
        value
    }
}

impl Element for f32 {
    fn of(numbers: &Numbers) -> Option<&[Self]> {
        match numbers {
            Numbers::Double(_) => None,
            Numbers::Single(slab) => Some(slab.as_slice()),
        }
    }

    fn answer(numbers: Vec<Self>) -> Reply {
        Reply::Floats(numbers)
    }

    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

/// Numbers by rows.
#[derive(Debug)]
pub struct Matrix {
    numbers: Numbers,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// A matrix over `rows` times `columns` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not exactly so many.
    pub fn new(numbers: Numbers, rows: usize, columns: usize) -> Result<Self> {
        if rows.checked_mul(columns) != Some(numbers.len()) {
            let length = numbers.len();
            let reason = format!("{length} numbers are not {rows} rows of {columns}");
            return Err(Error::Shape { reason });
        }
        Ok(Self {
            numbers,
            rows,
            columns,
        })
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers, row after row.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }
}

/// So many zeros.
///
/// # Errors
/// [`Error::OutOfMemory`], where `vec!` would end the process.
pub fn zeros<T: Copy + Default>(rows: usize, columns: usize) -> Result<Vec<T>> {
    let length = rows.checked_mul(columns).ok_or(Error::OutOfMemory)?;
    let mut numbers = Vec::new();
    numbers
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory)?;
    numbers.resize(length, T::default());
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_has_exactly_its_numbers() {
        let six = || Numbers::Double(vec![0.0; 6].into());
        assert!(Matrix::new(six(), 2, 3).is_ok());
        assert!(Matrix::new(six(), 0, 0).is_err());
        assert!(Matrix::new(six(), usize::MAX, 2).is_err());
        assert!(Matrix::new(Numbers::Single(Vec::new().into()), 0, 7).is_ok());
    }

    #[test]
    fn nothing_is_lent_by_a_null_pointer() {
        // SAFETY: no numbers are read from no memory.
        let slab = unsafe { Slab::<f64>::lent(std::ptr::null(), 0) };
        assert!(slab.as_slice().is_empty());
    }

    #[test]
    fn what_does_not_fit_into_memory_is_an_error() {
        assert_eq!(zeros::<f64>(usize::MAX, 2), Err(Error::OutOfMemory));
        assert_eq!(zeros::<f64>(1 << 40, 1 << 10), Err(Error::OutOfMemory));
    }
}
