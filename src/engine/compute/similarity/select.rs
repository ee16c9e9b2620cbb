//! What is kept of all scores.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use parking_lot::Mutex;

use super::super::numbers::zeros;
use super::super::share::Share;
use super::super::sort;
use super::Entities;
use crate::error::{Error, Result};

/// Entities that a piece compares with all others, and of these how many at a time: the scores
/// of a block fit into the second cache.
const BAND: usize = 64;
const BLOCK: usize = 256;

/// More pairs than this are refused: as objects they would fill any JavaScript heap.
pub const MAX_PAIRS: usize = 1 << 26;

/// Two entities and their score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pair {
    /// The first entity.
    pub left: u32,
    /// The second one.
    pub right: u32,
    /// How alike they are.
    pub score: f64,
}

impl Pair {
    /// The best first, then in the order of the entities.
    fn before(&self, other: &Self) -> bool {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then((self.left, self.right).cmp(&(other.left, other.right))) == Ordering::Less
    }
}

/// All scores: a symmetric matrix by rows with ones on the diagonal.
///
/// # Errors
/// [`Error::OutOfMemory`], and what stops a task.
pub fn matrix(share: &Share<'_>, entities: &impl Entities) -> Result<Vec<f64>> {
    let count = entities.count();
    let mut scores = zeros(count, count)?;
    if count == 0 {
        return Ok(scores);
    }
    share.each(scores.chunks_mut(BAND * count).enumerate(), |(index, band)| {
        let first = index * BAND;
        blocks(
            share,
            entities,
            first,
            band.len() / count,
            first,
            |from, row, block| {
                band[row * count + from..][..block.len()].copy_from_slice(block);
            },
        )
    })?;
    for row in 0..count {
        if row % BAND == 0 {
            share.check()?;
        }
        let (above, rest) = scores.split_at_mut(row * count);
        for (column, place) in rest[..row].iter_mut().enumerate() {
            *place = above[column * count + row];
        }
        rest[row] = 1.0;
    }
    Ok(scores)
}

/// The pairs whose score is at least `minimum`, the best first.
///
/// # Errors
/// [`Error::TooManyPairs`], [`Error::OutOfMemory`], and what stops a task.
pub fn pairs(share: &Share<'_>, entities: &impl Entities, minimum: f64) -> Result<Vec<Pair>> {
    let count = entities.count();
    let found = Mutex::new(Vec::new());
    share.each((0..count).step_by(BAND), |first| {
        let rows = BAND.min(count - first);
        let mut mine = Vec::new();
        blocks(share, entities, first, rows, first, |from, row, block| {
            let left = first + row;
            for (right, score) in (from..).zip(block) {
                if right > left && *score >= minimum {
                    mine.push(pair(left, right, *score));
                }
            }
        })?;
        let mut found = found.lock();
        if found.len() + mine.len() > MAX_PAIRS {
            return Err(Error::TooManyPairs { limit: MAX_PAIRS });
        }
        found.try_reserve(mine.len()).map_err(|_| Error::OutOfMemory)?;
        found.append(&mut mine);
        Ok(())
    })?;
    sort::sorted(share, found.into_inner(), Pair::before)
}

/// For each entity the `best` ones of the others whose score is at least `minimum`: by entity,
/// the best first.
///
/// # Errors
/// As [`pairs`].
pub fn nearest(share: &Share<'_>, entities: &impl Entities, minimum: f64, best: usize) -> Result<Vec<Pair>> {
    let count = entities.count();
    if best.saturating_mul(count) > MAX_PAIRS && count.saturating_mul(count - 1) > MAX_PAIRS {
        return Err(Error::TooManyPairs { limit: MAX_PAIRS });
    }
    let found = Mutex::new(vec![Vec::new(); count.div_ceil(BAND)]);
    share.each((0..count).step_by(BAND), |first| {
        let rows = BAND.min(count - first);
        let mut kept: Vec<BinaryHeap<Worst>> = (0..rows).map(|_| BinaryHeap::new()).collect();
        blocks(share, entities, first, rows, 0, |from, row, block| {
            let heap = &mut kept[row];
            for (right, score) in (from..).zip(block) {
                if right == first + row || score.is_nan() || *score < minimum {
                    continue;
                }
                let candidate = Worst(pair(first + row, right, *score));
                if heap.len() < best {
                    heap.push(candidate);
                } else if heap.peek().is_some_and(|worst| candidate < *worst) {
                    heap.pop();
                    heap.push(candidate);
                }
            }
        })?;
        let best_first = |heap: BinaryHeap<Worst>| heap.into_sorted_vec().into_iter().map(|kept| kept.0);
        found.lock()[first / BAND] = kept.into_iter().flat_map(best_first).collect();
        Ok(())
    })?;
    Ok(found.into_inner().concat())
}

/// Scores a band of entities against those from `start` on, and hands over each row of each
/// block with the entity that it begins with.
fn blocks(
    share: &Share<'_>,
    entities: &impl Entities,
    first: usize,
    rows: usize,
    start: usize,
    mut take: impl FnMut(usize, usize, &[f64]),
) -> Result<()> {
    let count = entities.count();
    let mut scores = vec![0.0; rows * BLOCK.min(count)];
    for from in (start..count).step_by(BLOCK) {
        share.check()?;
        let to = (from + BLOCK).min(count);
        let scores = &mut scores[..rows * (to - from)];
        entities.score(first, rows, from, to, scores);
        for (row, block) in scores.chunks(to - from).enumerate() {
            take(from, row, block);
        }
    }
    Ok(())
}

fn pair(left: usize, right: usize, score: f64) -> Pair {
    // JavaScript's arrays, where the entities come from, have fewer places than `u32` counts.
    Pair {
        left: left as u32,
        right: right as u32,
        score,
    }
}

/// Orders by what should be given up first.
#[derive(PartialEq)]
struct Worst(Pair);

impl Eq for Worst {}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.before(&self.0).cmp(&self.0.before(&other.0))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
