//! Rows brought to mean 0 and to length 1.
//!
//! Sums are kept in lanes, so that the processor adds several numbers at once instead of waiting
//! for each addition, and the compiler makes vectors of them for the processor at hand.

use pulp::{Arch, Simd, WithSimd};

const LANES: usize = 16;

/// Sums of squares in between have lost nothing to the ends of the range of numbers.
const SAFE_SQUARES: std::ops::Range<f64> = 1e-280..1e280;

/// Brings a row to mean 0.
pub fn centre(arch: Arch, row: &mut [f64]) {
    arch.dispatch(Centre(row));
}

/// Brings a row to length 1; a row of zeros stays one.
pub fn scale(arch: Arch, row: &mut [f64]) {
    arch.dispatch(Scale(row));
}

#[inline(always)]
fn sum(row: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|number| term(*number)).sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += term(chunk[lane]);
        }
    }
    rest + lanes.iter().sum::<f64>()
}

struct Centre<'a>(&'a mut [f64]);

impl WithSimd for Centre<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let row = self.0;
        let length = row.len() as f64;
        let mean = sum(row, |number| number) / length;
        row.iter_mut().for_each(|number| *number -= mean);
        // What is left of the mean is rounding, which a constant row consists of.
        let rest = sum(row, |number| number) / length;
        let noise = mean.abs() * f64::EPSILON * 2.0;
        if row.iter().all(|number| number.abs() <= noise) {
            row.fill(0.0);
        } else {
            row.iter_mut().for_each(|number| *number -= rest);
        }
    }
}

struct Scale<'a>(&'a mut [f64]);

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let squares = sum(self.0, |number| number * number);
        if SAFE_SQUARES.contains(&squares) {
            let factor = 1.0 / squares.sqrt();
            self.0.iter_mut().for_each(|number| *number *= factor);
        } else {
            scale_carefully(self.0);
        }
    }
}

/// For numbers that overflow, or vanish, when they are squared.
#[cold]
fn scale_carefully(row: &mut [f64]) {
    let largest = row
        .iter()
        .fold(0.0f64, |largest, number| largest.max(number.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return;
    }
    let squares = sum(row, |number| (number / largest).powi(2));
    let root = squares.sqrt();
    row.iter_mut()
        .for_each(|number| *number = *number / largest / root);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaled(row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        scale(Arch::new(), &mut row);
        row
    }

    fn length(row: &[f64]) -> f64 {
        row.iter().map(|number| number * number).sum::<f64>().sqrt()
    }

    #[test]
    fn rows_of_any_magnitude_become_as_long_as_1() {
        for magnitude in [1e-300, 1e-160, 1e-3, 1.0, 1e140, 1e300] {
            let row: Vec<f64> = (1..40).map(|number| f64::from(number) * magnitude).collect();
            assert!((length(&scaled(&row)) - 1.0).abs() < 1e-12, "{magnitude}");
        }
        assert_eq!(scaled(&[0.0; 20]), [0.0; 20]);
        assert_eq!(scaled(&[f64::INFINITY, 1.0]), [f64::INFINITY, 1.0]);
    }

    #[test]
    fn a_centred_row_has_mean_0_and_a_constant_one_is_nothing() {
        let mut row: Vec<f64> = (0..37).map(|number| 1e6 + f64::from(number * number)).collect();
        centre(Arch::new(), &mut row);
        assert!(row.iter().sum::<f64>().abs() < 1e-9);
        let mut constant = [0.1; 19];
        centre(Arch::new(), &mut constant);
        assert_eq!(constant, [0.0; 19]);
    }
}
