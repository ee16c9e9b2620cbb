//! Products and transposes.
//!
//! The product is faer's, cut into pieces that take a few milliseconds each: bands of rows
//! for the threads, and within a band blocks of columns and panels of the inner dimension,
//! between which the task can be stopped. The cut does not depend on the number of threads,
//! so neither do the last digits of the result.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::numbers::{Element, zeros};
use super::share::Share;
use crate::error::{Error, Result};

/// Rows of the result that one piece computes. Smaller ones would pack the right factor again
/// too often.
const BAND: usize = 128;
/// Columns, and terms of each sum, between two looks at the stop flag: 128 x 512 x 1024
/// multiplications take a core about two milliseconds.
const BLOCK: usize = 512;
const PANEL: usize = 1024;

/// Side of the squares that a transpose is done in: two of them fit into the first cache.
const TILE: usize = 32;

/// `left` (`rows` by `inner`) times `right` (`inner` by `columns`), all by rows.
///
/// # Errors
/// [`Error::OutOfMemory`] for the result, and what stops a task.
pub fn multiply<T: Element>(
    share: &Share<'_>,
    (left, right): (&[T], &[T]),
    (rows, inner, columns): (usize, usize, usize),
) -> Result<Vec<T>> {
    let mut product = zeros(rows, columns)?;
    if inner == 0 || product.is_empty() {
        return Ok(product);
    }
    let right = MatRef::from_row_major_slice(right, inner, columns);
    let bands = product.chunks_mut(BAND * columns).zip(left.chunks(BAND * inner));
    share.each(bands, |(band, left)| {
        let left = MatRef::from_row_major_slice(left, left.len() / inner, inner);
        let mut band = MatMut::from_row_major_slice_mut(band, left.nrows(), columns);
        for column in (0..columns).step_by(BLOCK) {
            let width = BLOCK.min(columns - column);
            let mut block = band.as_mut().subcols_mut(column, width);
            for term in (0..inner).step_by(PANEL) {
                share.check()?;
                let depth = PANEL.min(inner - term);
                let factors = (
                    left.subcols(term, depth),
                    right.submatrix(term, column, depth, width),
                );
                let accumulate = if term == 0 { Accum::Replace } else { Accum::Add };
                let one = T::from_f64(1.0);
                matmul(block.as_mut(), accumulate, factors.0, factors.1, one, Par::Seq);
            }
        }
        Ok(())
    })?;
    Ok(product)
}

/// The transpose of `source`, which has `rows` rows of `columns`.
///
/// # Errors
/// [`Error::OutOfMemory`] for the result, and what stops a task.
pub fn transpose<T: Copy + Default + Send + Sync>(
    share: &Share<'_>,
    source: &[T],
    (rows, columns): (usize, usize),
) -> Result<Vec<T>> {
    if source.len() != rows * columns {
        return Err(Error::OutOfMemory);
    }
    let mut target = zeros(columns, rows)?;
    if target.is_empty() {
        return Ok(target);
    }
    let bands = target.chunks_mut(TILE * rows).enumerate();
    share.each(bands, |(index, band)| {
        let first = index * TILE;
        for start in (0..rows).step_by(TILE) {
            let end = (start + TILE).min(rows);
            for (offset, line) in band.chunks_mut(rows).enumerate() {
                for (row, place) in (start..end).zip(&mut line[start..end]) {
                    *place = source[row * columns + first + offset];
                }
            }
        }
        Ok(())
    })?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::super::share::tests::{run, run_until};
    use super::super::stop::Stop;
    use super::*;

    fn numbers(length: usize) -> Vec<f64> {
        (0..length)
            .map(|n| ((n * 7919) % 1013) as f64 / 17.0 - 20.0)
            .collect()
    }

    fn naive(left: &[f64], right: &[f64], (rows, inner, columns): (usize, usize, usize)) -> Vec<f64> {
        let sum = |row: usize, column: usize| {
            (0..inner)
                .map(|term| left[row * inner + term] * right[term * columns + column])
                .sum()
        };
        (0..rows * columns)
            .map(|place| sum(place / columns, place % columns))
            .collect()
    }

    #[test]
    fn products_of_all_shapes_agree_with_the_definition() {
        for shape @ (rows, inner, columns) in [
            (1, 1, 1),
            (3, 5, 2),
            (130, 70, 513),
            (257, 1030, 3),
            (2, 0, 2),
            (0, 4, 4),
            (4, 4, 0),
        ] {
            let (left, right) = (numbers(rows * inner), numbers(inner * columns));
            let product = run(|share| multiply(share, (&left[..], &right[..]), shape)).unwrap();
            for (got, expected) in product.iter().zip(naive(&left, &right, shape)) {
                assert!(
                    (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                    "{shape:?}"
                );
            }
        }
    }

    #[test]
    fn a_transpose_twice_is_the_original() {
        for shape @ (rows, columns) in [(1, 1), (33, 70), (100, 1), (1, 100), (0, 3), (64, 64)] {
            let source = numbers(rows * columns);
            let once = run(|share| transpose(share, &source, shape)).unwrap();
            assert!((0..rows * columns).all(|n| once[(n % columns) * rows + n / columns] == source[n]));
            assert_eq!(
                run(|share| transpose(share, &once, (columns, rows))).unwrap(),
                source
            );
        }
    }

    #[test]
    fn a_product_without_end_can_be_stopped() {
        let stop = Stop::after(Some(std::time::Duration::from_millis(5)));
        // Tens of seconds of work.
        let side = numbers(8_000_000);
        let result = run_until(&stop, |share| {
            multiply(share, (&side[..], &side[..]), (4000, 2000, 4000)).and_then(|first| {
                let wide = (4000, 4000, 4000);
                (0..50).try_fold(first, |product, _| {
                    multiply(share, (&product[..], &product[..]), wide)
                })
            })
        });
        assert!(matches!(result, Err(Error::Timeout { .. })));
    }
}
