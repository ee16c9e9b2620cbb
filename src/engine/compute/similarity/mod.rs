//! How alike entities are, all pairs of them.
//!
//! Entities are rows of a matrix ([`dense`]) or sets of ratings ([`ratings`]). Either gives
//! the scores of a band of entities against all others, and [`select`] keeps what was asked
//! for: the whole matrix, the pairs from a threshold on, or the best few of each entity. The
//! scores of all pairs never stand in memory unless they are the answer.
//!
//! | measure | of rows | of ratings |
//! |---|---|---|
//! | [`Pearson`](Measure::Pearson) | correlation | correlation over what both have rated |
//! | [`Cosine`](Measure::Cosine) | cosine of the angle | the same, what is not rated counts 0 |
//! | [`Jaccard`](Measure::Jaccard) | of the places that are not 0: shared / all | of the items rated: shared / all |
//! | [`Euclidean`](Measure::Euclidean) | 1 / (1 + distance) | the same over what both have rated |
//!
//! Where a measure has no value (a constant row correlates with nothing, two entities have no
//! item in common) the score is 0; of an entity with itself it is 1.

pub mod dense;
pub mod ratings;
mod scaling;
pub mod select;

/// How alikeness is measured. All scores are at most 1; Pearson's and the cosine can be
/// negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Pearson's correlation coefficient.
    Pearson,
    /// Cosine similarity.
    Cosine,
    /// Jaccard index.
    Jaccard,
    /// Similarity by Euclidean distance.
    Euclidean,
}

impl Measure {
    /// The measure of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pearson" => Self::Pearson,
            "cosine" => Self::Cosine,
            "jaccard" => Self::Jaccard,
            "euclidean" => Self::Euclidean,
            _ => return None,
        })
    }
}

/// Entities that can be compared.
pub trait Entities: Sync {
    /// How many.
    fn count(&self) -> usize;

    /// Writes the scores of the entities `first..first + rows` against those from `from` up
    /// to, but not including, `to`: `rows` rows of `to - from` scores.
    fn score(&self, first: usize, rows: usize, from: usize, to: usize, scores: &mut [f64]);
}
