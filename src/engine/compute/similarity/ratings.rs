//! Entities that are sets of ratings: item and value, most items not rated by most.
//!
//! Two entities meet in a merge of their sorted items, so a comparison costs what both have
//! rated and not how many items there are.

use super::dense::for_pairs;
use super::{Entities, Measure};
use crate::error::{Error, Result};

/// The ratings of all entities, by entity and then by item.
#[derive(Debug)]
pub struct Ratings<'a> {
    measure: Measure,
    /// Where each entity's ratings begin, and where the last one's end.
    starts: &'a [u32],
    items: &'a [u32],
    values: &'a [f64],
    /// Lengths of the entities as vectors.
    norms: Vec<f64>,
}

impl<'a> Ratings<'a> {
    /// Ratings for one measure.
    ///
    /// # Errors
    /// [`Error::Shape`] when the parts do not fit each other, or an entity's items are not in
    /// ascending order.
    pub fn new(measure: Measure, starts: &'a [u32], items: &'a [u32], values: &'a [f64]) -> Result<Self> {
        let wrong = |reason: &str| Error::Shape {
            reason: reason.to_owned(),
        };
        let length = items.len();
        if starts.first() != Some(&0) || starts.last().map(|end| *end as usize) != Some(length) {
            return Err(wrong("the ratings of the entities do not cover all ratings"));
        }
        if starts.windows(2).any(|pair| pair[0] > pair[1]) || values.len() != length {
            return Err(wrong("ratings and entities do not fit each other"));
        }
        let mut norms = Vec::with_capacity(starts.len() - 1);
        for pair in starts.windows(2) {
            let range = pair[0] as usize..pair[1] as usize;
            if items[range.clone()].windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err(wrong("items are rated twice, or out of order"));
            }
            norms.push(length_of(&values[range]));
        }
        Ok(Self {
            measure,
            starts,
            items,
            values,
            norms,
        })
    }

    fn of(&self, entity: usize) -> (&[u32], &[f64]) {
        let range = self.starts[entity] as usize..self.starts[entity + 1] as usize;
        (&self.items[range.clone()], &self.values[range])
    }

    fn alike(&self, left: usize, right: usize) -> f64 {
        let (mine, yours) = (self.of(left), self.of(right));
        match self.measure {
            Measure::Pearson => pearson(mine, yours),
            Measure::Cosine => {
                let mut product = 0.0;
                meet(mine, yours, |a, b| product += a * b);
                let norms = self.norms[left] * self.norms[right];
                if norms > 0.0 {
                    (product / norms).clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            }
            Measure::Jaccard => {
                let mut shared = 0;
                meet(mine, yours, |_, _| shared += 1);
                let all = mine.0.len() + yours.0.len() - shared;
                if all == 0 { 0.0 } else { shared as f64 / all as f64 }
            }
            Measure::Euclidean => {
                let (mut squares, mut shared) = (0.0, false);
                meet(mine, yours, |a, b| {
                    shared = true;
                    squares += (a - b) * (a - b);
                });
                if shared {
                    1.0 / (1.0 + f64::sqrt(squares))
                } else {
                    0.0
                }
            }
        }
    }
}

impl Entities for Ratings<'_> {
    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn score(&self, first: usize, rows: usize, from: usize, to: usize, scores: &mut [f64]) {
        for_pairs(first, rows, from, to, scores, |left, right| {
            self.alike(left, right)
        });
    }
}

type Rated<'a> = (&'a [u32], &'a [f64]);

/// Calls back with both values of each item that both have rated.
fn meet((items, values): Rated<'_>, (others, theirs): Rated<'_>, mut both: impl FnMut(f64, f64)) {
    let (mut left, mut right) = (0, 0);
    while left < items.len() && right < others.len() {
        let (mine, yours) = (items[left], others[right]);
        if mine == yours {
            both(values[left], theirs[right]);
        }
        left += usize::from(mine <= yours);
        right += usize::from(yours <= mine);
    }
}

/// In two passes: sums of squares would lose the digits of ratings that lie close together.
fn pearson(mine: Rated<'_>, yours: Rated<'_>) -> f64 {
    let (mut shared, mut sums) = (0.0, (0.0, 0.0));
    meet(mine, yours, |a, b| {
        shared += 1.0;
        sums = (sums.0 + a, sums.1 + b);
    });
    let means = (sums.0 / shared, sums.1 / shared);
    let (mut product, mut squares) = (0.0, (0.0, 0.0));
    meet(mine, yours, |a, b| {
        let (a, b) = (a - means.0, b - means.1);
        product += a * b;
        squares = (squares.0 + a * a, squares.1 + b * b);
    });
    // Equal ratings vary by nothing but the rounding of their mean.
    let varies = |squares: f64, mean: f64| squares > shared * (mean * f64::EPSILON * 2.0).powi(2);
    if varies(squares.0, means.0) && varies(squares.1, means.1) {
        (product / (squares.0.sqrt() * squares.1.sqrt())).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

fn length_of(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first entity has rated items 0, 1 and 2, the second 1, 2 and 3, the third 7.
    fn score(measure: Measure, left: usize, right: usize) -> f64 {
        let (starts, items) = ([0, 3, 6, 7], [0, 1, 2, 1, 2, 3, 7]);
        let values = [5.0, 3.0, 4.0, 1.0, 2.0, 6.0, 9.0];
        Ratings::new(measure, &starts, &items, &values)
            .unwrap()
            .alike(left, right)
    }

    #[test]
    fn known_scores() {
        assert!((score(Measure::Pearson, 0, 1) - 1.0).abs() < 1e-12);
        let cosine = (3.0 + 8.0) / (50.0f64.sqrt() * 41.0f64.sqrt());
        assert!((score(Measure::Cosine, 0, 1) - cosine).abs() < 1e-12);
        assert_eq!(score(Measure::Jaccard, 0, 1), 0.5);
        assert!((score(Measure::Euclidean, 0, 1) - 1.0 / (1.0 + 8.0f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn nothing_in_common_is_nothing_alike() {
        for measure in [
            Measure::Pearson,
            Measure::Cosine,
            Measure::Jaccard,
            Measure::Euclidean,
        ] {
            assert_eq!(score(measure, 0, 2), 0.0);
            let nobody = Ratings::new(measure, &[0, 0, 0], &[], &[]).unwrap();
            assert_eq!(nobody.alike(0, 1), 0.0);
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let refused = |starts: &[u32], items: &[u32], values: &[f64]| {
            Ratings::new(Measure::Cosine, starts, items, values).is_err()
        };
        assert!(refused(&[], &[], &[]));
        assert!(refused(&[0, 2], &[0], &[1.0]));
        assert!(refused(&[0, 2, 1], &[0], &[1.0]));
        assert!(refused(&[0, 1], &[0], &[]));
        assert!(refused(&[0, 2], &[1, 1], &[1.0, 2.0]));
        assert!(refused(&[0, 2], &[2, 1], &[1.0, 2.0]));
    }
}
