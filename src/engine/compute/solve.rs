//! Linear systems and inverses by LU factorisation with partial pivoting (Golub and Van Loan,
//! "Matrix Computations", section 3.4), in blocks.
//!
//! faer factors a panel of columns and multiplies; the loop over the panels is ours, because
//! a task must be able to stop between them and faer's own cannot. Matrices are by columns
//! here. A matrix is singular when a pivot is exactly zero, as in LAPACK: one that is singular
//! but for rounding gives huge numbers instead.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{solve_unit_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, MatMut, MatRef, Par};

use super::multiply::transpose;
use super::numbers::{Element, zeros};
use super::share::Share;
use crate::error::{Error, Result};

/// Columns of a panel.
const PANEL: usize = 64;
/// Columns of the rest, or of right-hand sides, that one piece works on.
const BLOCK: usize = 128;

/// The columns of X in `matrix` X = `right`. `matrix` has `side` rows, `right` has `side`
/// rows of `columns`; all by rows.
///
/// # Errors
/// [`Error::Singular`], [`Error::OutOfMemory`], and what stops a task.
pub fn solve<T: Element>(
    share: &Share<'_>,
    (matrix, right): (&[T], &[T]),
    (side, columns): (usize, usize),
) -> Result<Vec<T>> {
    let factors = Factors::of(share, transpose(share, matrix, (side, side))?, side)?;
    let mut unknowns = transpose(share, right, (side, columns))?;
    factors.solve_in_place(share, &mut unknowns)?;
    transpose(share, &unknowns, (columns, side))
}

/// The inverse of `matrix`, which has `side` rows.
///
/// # Errors
/// As [`solve`].
pub fn inverse<T: Element>(share: &Share<'_>, matrix: &[T], side: usize) -> Result<Vec<T>> {
    // By columns this is the transpose, and the inverse of the transpose is the transpose of
    // the inverse: nothing needs to be turned.
    let mut copy = zeros(side, side)?;
    copy.copy_from_slice(matrix);
    let factors = Factors::of(share, copy, side)?;
    let mut unknowns = zeros(side, side)?;
    for diagonal in unknowns.iter_mut().step_by(side + 1) {
        *diagonal = T::from_f64(1.0);
    }
    factors.solve_in_place(share, &mut unknowns)?;
    Ok(unknowns)
}

/// P, L and U of a square matrix with PA = LU, in its place and by columns.
struct Factors<T> {
    side: usize,
    /// L below the diagonal, where its own is all ones; U from the diagonal on.
    numbers: Vec<T>,
    /// For each panel, which of its rows (counted from the panel's first) comes where.
    orders: Vec<Vec<usize>>,
}

impl<T: Element> Factors<T> {
    fn of(share: &Share<'_>, mut numbers: Vec<T>, side: usize) -> Result<Self> {
        let mut orders = Vec::with_capacity(side.div_ceil(PANEL));
        for start in (0..side).step_by(PANEL) {
            share.check()?;
            let width = PANEL.min(side - start);
            let (left, rest) = numbers.split_at_mut(start * side);
            let (panel, right) = rest.split_at_mut(width * side);
            let order = factor_panel(panel, side, start)?;
            share.each(left.chunks_mut(BLOCK * side), |block| {
                block
                    .chunks_mut(side)
                    .for_each(|column| reorder(column, start, &order));
                Ok(())
            })?;
            let panel = &*panel;
            share.each(right.chunks_mut(BLOCK * side), |block| {
                block
                    .chunks_mut(side)
                    .for_each(|column| reorder(column, start, &order));
                eliminate(panel, side, start, block);
                Ok(())
            })?;
            orders.push(order);
        }
        Ok(Self {
            side,
            numbers,
            orders,
        })
    }

    /// Replaces the columns B of `right` by those of X in AX = B.
    fn solve_in_place(&self, share: &Share<'_>, right: &mut [T]) -> Result<()> {
        let side = self.side;
        if side == 0 {
            return Ok(());
        }
        share.each(right.chunks_mut(BLOCK * side), |block| {
            // All rows go to their final places before the first elimination: the factoring of
            // later panels has reordered the rows of earlier ones.
            for (start, order) in (0..side).step_by(PANEL).zip(&self.orders) {
                block
                    .chunks_mut(side)
                    .for_each(|column| reorder(column, start, order));
            }
            for start in (0..side).step_by(PANEL) {
                share.check()?;
                eliminate(self.panel(start), side, start, block);
            }
            for start in (0..side).step_by(PANEL).rev() {
                share.check()?;
                self.substitute(start, block);
            }
            Ok(())
        })
    }

    fn panel(&self, start: usize) -> &[T] {
        let end = (start + PANEL).min(self.side);
        &self.numbers[start * self.side..end * self.side]
    }

    /// Solves for the unknowns of one panel, and takes them out of the equations above.
    fn substitute(&self, start: usize, block: &mut [T]) {
        let (side, panel) = (self.side, self.panel(start));
        let width = panel.len() / side;
        let panel = MatRef::from_column_major_slice(panel, side, width);
        let block = MatMut::from_column_major_slice_mut(block, side, block.len() / side);
        let (above, mut unknowns) = block.split_at_row_mut(start);
        let mut unknowns = unknowns.as_mut().subrows_mut(0, width);
        solve_upper_triangular_in_place(panel.subrows(start, width), unknowns.as_mut(), Par::Seq);
        let (factor, minus) = (panel.subrows(0, start), T::from_f64(-1.0));
        matmul(above, Accum::Add, factor, unknowns.as_ref(), minus, Par::Seq);
    }
}

/// Factors the columns of `panel` from row `start` on, and says how its rows were reordered.
fn factor_panel<T: Element>(panel: &mut [T], side: usize, start: usize) -> Result<Vec<usize>> {
    let width = panel.len() / side;
    let rows = side - start;
    let mut order = vec![0usize; rows];
    let mut places = vec![0usize; rows];
    let mut memory = MemBuffer::new(lu_in_place_scratch::<usize, T>(
        rows,
        width,
        Par::Seq,
        Default::default(),
    ));
    let mut matrix = MatMut::from_column_major_slice_mut(panel, side, width);
    let mut active = matrix.as_mut().subrows_mut(start, rows);
    let stack = MemStack::new(&mut memory);
    lu_in_place(
        active.as_mut(),
        &mut order,
        &mut places,
        Par::Seq,
        stack,
        Default::default(),
    );
    if (0..width).any(|pivot| active[(pivot, pivot)] == T::default()) {
        return Err(Error::Singular);
    }
    Ok(order)
}

/// Puts the rows of one column from `start` on into a panel's order.
fn reorder<T: Copy>(column: &mut [T], start: usize, order: &[usize]) {
    let active = &mut column[start..];
    let before = active.to_vec();
    for (place, row) in active.iter_mut().zip(order) {
        *place = before[*row];
    }
}

/// Solves the rows of a panel for the columns of `block`, and takes them out of the rows
/// below.
fn eliminate<T: Element>(panel: &[T], side: usize, start: usize, block: &mut [T]) {
    let width = panel.len() / side;
    let panel = MatRef::from_column_major_slice(panel, side, width).subrows(start, side - start);
    let block = MatMut::from_column_major_slice_mut(block, side, block.len() / side);
    let (mut solved, below) = block.subrows_mut(start, side - start).split_at_row_mut(width);
    solve_unit_lower_triangular_in_place(panel.subrows(0, width), solved.as_mut(), Par::Seq);
    let (factor, minus) = (panel.subrows(width, side - start - width), T::from_f64(-1.0));
    matmul(below, Accum::Add, factor, solved.as_ref(), minus, Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::super::multiply::multiply;
    use super::super::share::tests::run;
    use super::*;

    /// Well-conditioned, and in need of pivoting.
    fn matrix(side: usize) -> Vec<f64> {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
        };
        let mut numbers: Vec<f64> = (0..side * side).map(|_| random()).collect();
        (0..side).for_each(|row| numbers[row * side + (row * 5 + 1) % side] += side as f64);
        numbers
    }

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        for side in [1, 2, 3, 64, 65, 130, 300] {
            let numbers = matrix(side);
            let product = run(|share| {
                let inverse = inverse(share, &numbers, side)?;
                multiply(share, (&numbers, &inverse), (side, side, side))
            });
            for (place, got) in product.unwrap().iter().enumerate() {
                let expected = f64::from(u8::from(place / side == place % side));
                assert!((got - expected).abs() < 1e-9, "{side}: {got} at {place}");
            }
        }
    }

    #[test]
    fn what_was_solved_for_fits() {
        for (side, columns) in [(1, 1), (70, 3), (129, 200)] {
            let numbers = matrix(side);
            let right: Vec<f64> = (0..side * columns).map(|n| (n % 23) as f64 - 11.0).collect();
            let product = run(|share| {
                let unknowns = solve(share, (&numbers[..], &right[..]), (side, columns))?;
                multiply(share, (&numbers[..], &unknowns[..]), (side, side, columns))
            });
            for (got, expected) in product.unwrap().iter().zip(&right) {
                assert!((got - expected).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn single_precision_and_the_empty_matrix() {
        let half = run(|share| inverse(share, &[2.0f32], 1)).unwrap();
        assert_eq!(half, [0.5]);
        assert!(run(|share| inverse::<f64>(share, &[], 0)).unwrap().is_empty());
    }

    #[test]
    fn a_singular_matrix_is_an_error() {
        for singular in [[1.0, 2.0, 2.0, 4.0], [0.0; 4], [0.0, 1.0, 0.0, 1.0]] {
            assert_eq!(run(|share| inverse(share, &singular, 2)), Err(Error::Singular));
        }
        let mut numbers = matrix(100);
        for row in 0..100 {
            numbers[row * 100 + 80] = 0.0;
        }
        assert_eq!(run(|share| inverse(share, &numbers, 100)), Err(Error::Singular));
    }
}
