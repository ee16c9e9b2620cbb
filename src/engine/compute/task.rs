//! The tasks that are computed natively.

use super::numbers::{Element, Matrix, Numbers, Slab};
use super::share::Share;
use super::similarity::dense::Rows;
use super::similarity::ratings::Ratings;
use super::similarity::select::{self, Pair};
use super::similarity::{Entities, Measure};
use super::{multiply, solve, sort, statistics};
use crate::engine::completion::Reply;
use crate::error::{Error, Result};

/// What can be asked for. Its answer comes as a [`Reply`].
#[derive(Debug)]
pub enum Task {
    /// The product of two matrices, as numbers by rows.
    Multiply(Matrix, Matrix),
    /// The transpose of a matrix.
    Transpose(Matrix),
    /// The inverse of a square matrix.
    Inverse(Matrix),
    /// X in AX = B, for a square A.
    Solve(Matrix, Matrix),
    /// How alike entities are.
    Similarity {
        /// Who is compared.
        entities: Compared,
        /// Which of the scores are wanted.
        wanted: Wanted,
    },
    /// Figures that describe numbers, and percentiles; see [`statistics::describe`].
    Statistics(Numbers, Vec<f64>),
    /// Numbers in order.
    Sort {
        /// The numbers.
        numbers: Numbers,
        /// The largest first.
        descending: bool,
    },
}

/// Entities to compare, and by which measure.
#[derive(Debug)]
pub enum Compared {
    /// The rows of a matrix.
    Rows(Matrix, Measure),
    /// Sets of ratings: where each entity's begin, their items and their values.
    Rated(Vec<u32>, Vec<u32>, Slab<f64>, Measure),
}

/// Which scores are answered with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// All, as a square matrix.
    Matrix,
    /// Those from this one on: all left entities, then all right ones, then their scores.
    From(f64),
    /// The same, but so many of each entity at most.
    Nearest(f64, usize),
}

impl Task {
    /// Computes.
    ///
    /// # Errors
    /// [`Error::Shape`] when the parts do not fit each other, what the task itself gives, and
    /// what stops it.
    pub fn run(&self, share: &Share<'_>) -> Result<Reply> {
        match self {
            Self::Multiply(left, right) => product(share, left, right),
            Self::Transpose(matrix) => transpose(share, matrix),
            Self::Inverse(matrix) => inverse(share, matrix),
            Self::Solve(matrix, right) => solution(share, matrix, right),
            Self::Similarity { entities, wanted } => similarity(share, entities, *wanted),
            Self::Statistics(numbers, percentiles) => {
                statistics::describe(share, numbers, percentiles).map(Reply::Numbers)
            }
            Self::Sort { numbers, descending } => match numbers {
                Numbers::Double(slab) => {
                    sort::numbers(share, slab.as_slice(), *descending).map(Reply::Numbers)
                }
                Numbers::Single(slab) => {
                    sort::numbers(share, slab.as_slice(), *descending).map(Reply::Floats)
                }
            },
        }
    }
}

/// Calls a kernel with two matrices of one kind: both single, or both made double.
fn with_both<R>(
    share: &Share<'_>,
    (left, right): (&Numbers, &Numbers),
    single: impl FnOnce(&[f32], &[f32]) -> Result<R>,
    double: impl FnOnce(&[f64], &[f64]) -> Result<R>,
) -> Result<R> {
    if let (Numbers::Single(left), Numbers::Single(right)) = (left, right) {
        return single(left.as_slice(), right.as_slice());
    }
    share.check()?;
    double(&widened(left)?, &widened(right)?)
}

fn widened(numbers: &Numbers) -> Result<std::borrow::Cow<'_, [f64]>> {
    if let Some(slice) = f64::of(numbers) {
        return Ok(slice.into());
    }
    let mut copy = super::numbers::zeros(numbers.len(), 1)?;
    numbers.read_into(0, &mut copy);
    Ok(copy.into())
}

fn product(share: &Share<'_>, left: &Matrix, right: &Matrix) -> Result<Reply> {
    if left.columns() != right.rows() {
        let (columns, rows) = (left.columns(), right.rows());
        let reason = format!("a matrix of {columns} columns times one of {rows} rows");
        return Err(Error::Shape { reason });
    }
    let shape = (left.rows(), left.columns(), right.columns());
    let both = (left.numbers(), right.numbers());
    with_both(
        share,
        both,
        |left, right| multiply::multiply(share, (left, right), shape).map(f32::answer),
        |left, right| multiply::multiply(share, (left, right), shape).map(f64::answer),
    )
}

fn transpose(share: &Share<'_>, matrix: &Matrix) -> Result<Reply> {
    let shape = (matrix.rows(), matrix.columns());
    match matrix.numbers() {
        Numbers::Double(slab) => multiply::transpose(share, slab.as_slice(), shape).map(Reply::Numbers),
        Numbers::Single(slab) => multiply::transpose(share, slab.as_slice(), shape).map(Reply::Floats),
    }
}

fn inverse(share: &Share<'_>, matrix: &Matrix) -> Result<Reply> {
    let side = square(matrix)?;
    match matrix.numbers() {
        Numbers::Double(slab) => solve::inverse(share, slab.as_slice(), side).map(Reply::Numbers),
        Numbers::Single(slab) => solve::inverse(share, slab.as_slice(), side).map(Reply::Floats),
    }
}

fn solution(share: &Share<'_>, matrix: &Matrix, right: &Matrix) -> Result<Reply> {
    let side = square(matrix)?;
    if right.rows() != side {
        let rows = right.rows();
        let reason = format!("{side} equations with {rows} right-hand sides");
        return Err(Error::Shape { reason });
    }
    let shape = (side, right.columns());
    with_both(
        share,
        (matrix.numbers(), right.numbers()),
        |matrix, right| solve::solve(share, (matrix, right), shape).map(f32::answer),
        |matrix, right| solve::solve(share, (matrix, right), shape).map(f64::answer),
    )
}

fn square(matrix: &Matrix) -> Result<usize> {
    let (rows, columns) = (matrix.rows(), matrix.columns());
    if rows == columns {
        return Ok(rows);
    }
    let reason = format!("a square matrix is needed, not {rows} rows of {columns}");
    Err(Error::Shape { reason })
}

fn similarity(share: &Share<'_>, entities: &Compared, wanted: Wanted) -> Result<Reply> {
    match entities {
        Compared::Rows(matrix, measure) => scores(share, &Rows::prepare(share, matrix, *measure)?, wanted),
        Compared::Rated(starts, items, values, measure) => {
            let ratings = Ratings::new(*measure, starts, items, values.as_slice())?;
            scores(share, &ratings, wanted)
        }
    }
}

fn scores(share: &Share<'_>, entities: &impl Entities, wanted: Wanted) -> Result<Reply> {
    let pairs = match wanted {
        Wanted::Matrix => return select::matrix(share, entities).map(Reply::Numbers),
        Wanted::From(minimum) => select::pairs(share, entities, minimum)?,
        Wanted::Nearest(minimum, best) => select::nearest(share, entities, minimum, best)?,
    };
    let mut columns = Vec::new();
    columns
        .try_reserve_exact(pairs.len() * 3)
        .map_err(|_| Error::OutOfMemory)?;
    let parts: [fn(&Pair) -> f64; 3] = [
        |pair| f64::from(pair.left),
        |pair| f64::from(pair.right),
        |pair| pair.score,
    ];
    for part in parts {
        share.check()?;
        columns.extend(pairs.iter().map(part));
    }
    Ok(Reply::Numbers(columns))
}
