//! Figures that describe numbers.
//!
//! Sums are compensated (Neumaier 1974) per piece and the pieces added in their order, so the
//! result depends neither on the size of the input nor on the number of threads. The variance
//! is taken around the mean in a second pass, and corrected for the mean's own rounding (Chan,
//! Golub and LeVeque 1983).

use parking_lot::Mutex;

use super::numbers::{Element, Numbers};
use super::share::Share;
use super::sort;
use crate::error::Result;

/// Numbers of one piece.
const PIECE: usize = 1 << 16;

/// Figures come in this order, percentiles behind them.
const FIGURES: usize = 8;

/// `[count, sum, mean, population variance, sample variance, min, max, median]` and the
/// percentiles that were asked for (0 to 100, interpolated linearly between neighbours). What
/// has no value is NaN: of no numbers all but count and sum, of one the sample variance, and
/// of numbers with a NaN among them everything but the count.
///
/// # Errors
/// [`crate::error::Error::OutOfMemory`] for the sorted copy, and what stops a task.
pub fn describe(share: &Share<'_>, numbers: &Numbers, percentiles: &[f64]) -> Result<Vec<f64>> {
    match numbers {
        Numbers::Double(slab) => describe_slice(share, slab.as_slice(), percentiles),
        Numbers::Single(slab) => describe_slice(share, slab.as_slice(), percentiles),
    }
}

fn describe_slice<T: Element>(share: &Share<'_>, numbers: &[T], percentiles: &[f64]) -> Result<Vec<f64>> {
    // NaN sorts last, and then nothing but the count has a value.
    let sorted = sort::numbers(share, numbers, false)?;
    let count = numbers.len() as f64;
    if sorted.last().is_some_and(|last| (*last).into().is_nan()) {
        let mut figures = vec![f64::NAN; FIGURES + percentiles.len()];
        figures[0] = count;
        return Ok(figures);
    }
    let sum = total(share, numbers, |number| number)?;
    let mean = sum / count;
    let residue = total(share, numbers, |number| number - mean)?;
    let squares = total(share, numbers, |number| (number - mean) * (number - mean))?;
    let deviations = squares - residue * residue / count;
    let edge = |number: Option<&T>| number.map_or(f64::NAN, |number| (*number).into());
    let mut figures = vec![
        count,
        sum,
        mean,
        deviations / count,
        if numbers.len() > 1 {
            deviations / (count - 1.0)
        } else {
            f64::NAN
        },
        edge(sorted.first()),
        edge(sorted.last()),
        quantile(&sorted, 0.5),
    ];
    figures.extend(
        percentiles
            .iter()
            .map(|percent| quantile(&sorted, percent / 100.0)),
    );
    Ok(figures)
}

/// The sum of `term` over all numbers.
fn total<T: Element>(share: &Share<'_>, numbers: &[T], term: impl Fn(f64) -> f64 + Sync) -> Result<f64> {
    let sums = Mutex::new(vec![0.0; numbers.len().div_ceil(PIECE)]);
    share.each(numbers.chunks(PIECE).enumerate(), |(index, piece)| {
        let sum = compensated(piece.iter().map(|number| term((*number).into())));
        sums.lock()[index] = sum;
        Ok(())
    })?;
    Ok(compensated(sums.into_inner().into_iter()))
}

fn compensated(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() {
            (sum - next) + term
        } else {
            (term - next) + sum
        };
        sum = next;
    }
    // An infinite sum has lost infinitely much of itself, which is not a number.
    if sum.is_finite() { sum + lost } else { sum }
}

fn quantile<T: Element>(sorted: &[T], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = last as f64 * share;
    let below = (place.floor() as usize).min(last);
    let (low, high): (f64, f64) = (sorted[below].into(), sorted[(below + 1).min(last)].into());
    let fraction = place - below as f64;
    // Between two infinities, or on a number itself, nothing is to be interpolated.
    if fraction == 0.0 || low == high {
        low
    } else {
        low + (high - low) * fraction
    }
}

#[cfg(test)]
mod tests {
    use super::super::share::tests::run;
    use super::*;

    fn figures(numbers: Vec<f64>, percentiles: &[f64]) -> Vec<f64> {
        let numbers = Numbers::Double(numbers.into());
        run(|share| describe(share, &numbers, percentiles)).unwrap()
    }

    #[test]
    fn known_figures() {
        let got = figures(
            vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0],
            &[0.0, 25.0, 90.0, 100.0],
        );
        assert_eq!(got[..8], [8.0, 40.0, 5.0, 4.0, 32.0 / 7.0, 2.0, 9.0, 4.5]);
        assert_eq!(got[8..10], [2.0, 4.0]);
        assert!((got[10] - 7.6).abs() < 1e-12);
        assert_eq!(got[11], 9.0);
    }

    #[test]
    fn what_has_no_value_is_nan() {
        let empty = figures(Vec::new(), &[50.0]);
        assert_eq!(empty[..2], [0.0, 0.0]);
        assert!(empty[2..].iter().all(|figure| figure.is_nan()));
        let one = figures(vec![3.0], &[]);
        assert_eq!(one[..4], [1.0, 3.0, 3.0, 0.0]);
        assert!(one[4].is_nan());
        let spoilt = figures(vec![1.0, f64::NAN, 2.0], &[10.0]);
        assert_eq!(spoilt[0], 3.0);
        assert!(spoilt[1..].iter().all(|figure| figure.is_nan()));
    }

    #[test]
    fn large_offsets_do_not_swallow_the_variance() {
        let numbers = (0..200_000).map(|n| 1e9 + f64::from(n % 2)).collect();
        let got = figures(numbers, &[]);
        assert_eq!(got[1], 200_000.0 * 1e9 + 100_000.0);
        assert!((got[3] - 0.25).abs() < 1e-12);
    }

    #[test]
    fn infinities_stay_infinite() {
        let got = figures(vec![f64::INFINITY, 1.0, 2.0, f64::INFINITY], &[100.0]);
        assert_eq!(got[1], f64::INFINITY);
        assert_eq!(got[7], f64::INFINITY);
        assert_eq!(got[8], f64::INFINITY);
    }
}
