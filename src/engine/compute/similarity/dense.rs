//! Entities that are rows of numbers.
//!
//! Pearson's measure and the cosine become one product of matrices, once each row is centred
//! and scaled to length 1: that is where most of the speed comes from. The distance is summed
//! directly, because the product's way to it (a² + b² - 2ab) loses all digits for neighbours.
//! Jaccard compares bits, 64 places at a time.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::Arch;

use super::super::numbers::{Matrix, zeros};
use super::super::share::Share;
use super::scaling::{centre, scale};
use super::{Entities, Measure};
use crate::error::Result;

/// Rows prepared by one piece.
const BAND: usize = 64;
/// Sums that are kept apart, so that the processor can add in parallel.
const LANES: usize = 16;

/// Rows, prepared for one measure.
#[derive(Debug)]
pub enum Rows {
    /// Rows of length 1: the score is their product.
    Scaled {
        /// The rows, one after another.
        numbers: Vec<f64>,
        /// Numbers of one row.
        length: usize,
        /// How many rows.
        count: usize,
    },
    /// Rows as they came: the score falls with their distance.
    Plain {
        /// The rows, one after another.
        numbers: Vec<f64>,
        /// Numbers of one row.
        length: usize,
        /// How many rows.
        count: usize,
    },
    /// A bit for each place that is not 0.
    Bits {
        /// The words of all rows.
        words: Vec<u64>,
        /// Words of one row.
        length: usize,
        /// How many rows.
        count: usize,
    },
}

impl Rows {
    /// Prepares the rows of a matrix. Takes a copy of it, for Jaccard 1/64 of one.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfMemory`], and what stops a task.
    pub fn prepare(share: &Share<'_>, matrix: &Matrix, measure: Measure) -> Result<Self> {
        let (count, length) = (matrix.rows(), matrix.columns());
        if measure == Measure::Jaccard {
            return Self::bits(share, matrix);
        }
        let mut numbers = zeros(count, length)?;
        let arch = Arch::new();
        if length > 0 {
            let bands = numbers.chunks_mut(BAND * length).enumerate();
            share.each(bands, |(index, band)| {
                matrix.numbers().read_into(index * BAND * length, band);
                for row in band.chunks_mut(length) {
                    match measure {
                        Measure::Pearson => {
                            centre(arch, row);
                            scale(arch, row);
                        }
                        Measure::Cosine => scale(arch, row),
                        Measure::Euclidean | Measure::Jaccard => {}
                    }
                }
                Ok(())
            })?;
        }
        Ok(if measure == Measure::Euclidean {
            Self::Plain {
                numbers,
                length,
                count,
            }
        } else {
            Self::Scaled {
                numbers,
                length,
                count,
            }
        })
    }

    fn bits(share: &Share<'_>, matrix: &Matrix) -> Result<Self> {
        let (count, columns) = (matrix.rows(), matrix.columns());
        let length = columns.div_ceil(64);
        let mut words = zeros(count, length)?;
        if length > 0 {
            let bands = words.chunks_mut(BAND * length).enumerate();
            share.each(bands, |(index, band)| {
                let mut row = vec![0.0; columns];
                for (offset, words) in band.chunks_mut(length).enumerate() {
                    matrix
                        .numbers()
                        .read_into((index * BAND + offset) * columns, &mut row);
                    for (word, places) in words.iter_mut().zip(row.chunks(64)) {
                        let bit = |(place, number): (usize, &f64)| u64::from(*number != 0.0) << place;
                        *word = places.iter().enumerate().map(bit).sum();
                    }
                }
                Ok(())
            })?;
        }
        Ok(Self::Bits { words, length, count })
    }
}

impl Entities for Rows {
    fn count(&self) -> usize {
        match self {
            Self::Scaled { count, .. } | Self::Plain { count, .. } | Self::Bits { count, .. } => *count,
        }
    }

    fn score(&self, first: usize, rows: usize, from: usize, to: usize, scores: &mut [f64]) {
        match self {
            Self::Scaled { numbers, length, .. } => {
                let part = |start: usize, count: usize| {
                    let numbers = &numbers[start * length..(start + count) * length];
                    MatRef::from_row_major_slice(numbers, count, *length)
                };
                let target = MatMut::from_row_major_slice_mut(scores, rows, to - from);
                let (left, right) = (part(first, rows), part(from, to - from).transpose());
                matmul(target, Accum::Replace, left, right, 1.0, Par::Seq);
                // Rounding may carry a perfect match a digit beyond 1.
                scores
                    .iter_mut()
                    .for_each(|score| *score = score.clamp(-1.0, 1.0));
            }
            Self::Plain { numbers, length, .. } => {
                let row = |index: usize| &numbers[index * length..(index + 1) * length];
                let arch = Arch::new();
                for_pairs(first, rows, from, to, scores, |left, right| {
                    let squares = arch.dispatch(Squares(row(left), row(right)));
                    1.0 / (1.0 + squares.sqrt())
                });
            }
            Self::Bits { words, length, .. } => {
                let row = |index: usize| &words[index * length..(index + 1) * length];
                let arch = Arch::new();
                for_pairs(first, rows, from, to, scores, |left, right| {
                    arch.dispatch(Overlap(row(left), row(right)))
                });
            }
        }
    }
}

/// Fills a band of scores pair by pair.
pub fn for_pairs(
    first: usize,
    rows: usize,
    from: usize,
    to: usize,
    scores: &mut [f64],
    score: impl Fn(usize, usize) -> f64,
) {
    let mut places = scores.iter_mut();
    for left in first..first + rows {
        for (right, place) in (from..to).zip(&mut places) {
            *place = score(left, right);
        }
    }
}

/// The squared distance of two rows.
struct Squares<'a>(&'a [f64], &'a [f64]);

impl pulp::WithSimd for Squares<'_> {
    type Output = f64;

    // The lanes are an array: compiled for the processor at hand, it becomes vectors.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        let mut sums = [0.0; LANES];
        let (left, right) = (self.0.chunks_exact(LANES), self.1.chunks_exact(LANES));
        let rest = left.remainder().iter().zip(right.remainder());
        let mut total: f64 = rest.map(|(a, b)| (a - b) * (a - b)).sum();
        for (left, right) in left.zip(right) {
            for lane in 0..LANES {
                let difference = left[lane] - right[lane];
                sums[lane] += difference * difference;
            }
        }
        total += sums.iter().sum::<f64>();
        total
    }
}

/// Shared bits over all bits of two rows.
struct Overlap<'a>(&'a [u64], &'a [u64]);

impl pulp::WithSimd for Overlap<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> f64 {
        let (mut shared, mut all) = (0u64, 0u64);
        for (left, right) in self.0.iter().zip(self.1) {
            shared += u64::from((left & right).count_ones());
            all += u64::from((left | right).count_ones());
        }
        if all == 0 { 0.0 } else { shared as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::numbers::Numbers;
    use super::super::super::share::tests::run;
    use super::super::select;
    use super::*;

    fn rows(numbers: &[f64], count: usize) -> Matrix {
        Matrix::new(
            Numbers::Double(numbers.to_vec().into()),
            count,
            numbers.len() / count,
        )
        .unwrap()
    }

    fn scores(measure: Measure, numbers: &[f64], count: usize) -> Vec<f64> {
        let matrix = rows(numbers, count);
        run(|share| select::matrix(share, &Rows::prepare(share, &matrix, measure)?)).unwrap()
    }

    fn close(got: &[f64], expected: &[f64]) -> bool {
        got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn known_scores() {
        let two = [1.0, 2.0, 3.0, 6.0, 4.0, 2.0];
        assert!(close(&scores(Measure::Pearson, &two, 2), &[1.0, -1.0, -1.0, 1.0]));
        let right_angle = [1.0, 0.0, 0.0, 5.0];
        assert!(close(
            &scores(Measure::Cosine, &right_angle, 2),
            &[1.0, 0.0, 0.0, 1.0]
        ));
        let apart = [0.0, 0.0, 3.0, 4.0];
        let near = 1.0 / 6.0;
        assert!(close(
            &scores(Measure::Euclidean, &apart, 2),
            &[1.0, near, near, 1.0]
        ));
        let sets = [1.0, 1.0, 0.0, 0.0, -2.0, 3.0];
        let shared = 1.0 / 3.0;
        assert!(close(
            &scores(Measure::Jaccard, &sets, 2),
            &[1.0, shared, shared, 1.0]
        ));
    }

    #[test]
    fn what_has_no_score_scores_nothing() {
        let constant = [0.1, 0.1, 0.1, 1.0, 2.0, 3.0];
        assert_eq!(scores(Measure::Pearson, &constant, 2), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(
            scores(Measure::Cosine, &[0.0, 0.0, 1.0, 1.0], 2),
            [1.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(scores(Measure::Jaccard, &[0.0, 0.0], 2), [1.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn extreme_numbers_do_not_overflow() {
        let huge = [1e300, 2e300, 3e300, 2e-300, 4e-300, 6e-300];
        assert!(close(&scores(Measure::Cosine, &huge, 2), &[1.0; 4]));
        assert!(close(&scores(Measure::Pearson, &huge, 2), &[1.0; 4]));
    }

    #[test]
    fn many_rows_agree_with_one_pair_at_a_time() {
        let (count, length) = (300, 37);
        let numbers: Vec<f64> = (0..count * length)
            .map(|n| {
                if n % 3 == 0 {
                    0.0
                } else {
                    ((n * 7919) % 1013) as f64 - 500.0
                }
            })
            .collect();
        for measure in [
            Measure::Pearson,
            Measure::Cosine,
            Measure::Jaccard,
            Measure::Euclidean,
        ] {
            let all = scores(measure, &numbers, count);
            for (left, right) in [(0, 299), (17, 18), (130, 5), (299, 128), (64, 63)] {
                let row = |index: usize| &numbers[index * length..(index + 1) * length];
                let two = [row(left), row(right)].concat();
                let expected = scores(measure, &two, 2)[1];
                assert!(
                    (all[left * count + right] - expected).abs() < 1e-12,
                    "{measure:?}"
                );
            }
        }
    }

    #[test]
    fn pairs_and_nearest_agree_with_the_matrix() {
        let (count, length) = (200, 5);
        let numbers: Vec<f64> = (0..count * length).map(|n| ((n * 7919) % 1013) as f64).collect();
        let all = scores(Measure::Cosine, &numbers, count);
        let matrix = rows(&numbers, count);
        let pairs =
            run(|share| select::pairs(share, &Rows::prepare(share, &matrix, Measure::Cosine)?, 0.9)).unwrap();
        let expected = (0..count * count)
            .filter(|place| place % count > place / count && all[*place] >= 0.9)
            .count();
        assert_eq!(pairs.len(), expected);
        assert!(pairs.windows(2).all(|two| two[0].score >= two[1].score));
        let best = 3;
        let nearest = run(|share| {
            select::nearest(
                share,
                &Rows::prepare(share, &matrix, Measure::Cosine)?,
                -1.0,
                best,
            )
        })
        .unwrap();
        assert_eq!(nearest.len(), count * best);
        for (entity, kept) in nearest.chunks(best).enumerate() {
            let mut others: Vec<f64> = (0..count)
                .filter(|other| *other != entity)
                .map(|other| all[entity * count + other])
                .collect();
            others.sort_by(|a, b| b.total_cmp(a));
            assert!(kept.iter().all(|pair| pair.left as usize == entity));
            assert!(close(
                &kept.iter().map(|pair| pair.score).collect::<Vec<_>>(),
                &others[..best]
            ));
        }
    }
}
