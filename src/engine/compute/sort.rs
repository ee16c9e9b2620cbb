//! Sorting: runs sorted on all threads, then merged in rounds. Both are cut into pieces, so
//! that a sort of a hundred million numbers can be stopped.

use super::numbers::{Element, zeros};
use super::share::Share;
use crate::error::{Error, Result};

/// Elements of a run. As keys they take 512 KiB, which stay in the second cache of a core.
const RUN: usize = 1 << 16;
/// Elements merged between two looks at the stop flag.
const STRIDE: usize = 1 << 16;

/// The numbers in the order of JavaScript's typed arrays: ascending or descending, -0 before
/// +0, and NaN last either way.
///
/// # Errors
/// [`Error::OutOfMemory`], and what stops a task.
pub fn numbers<T: Element>(share: &Share<'_>, source: &[T], descending: bool) -> Result<Vec<T>> {
    let mut keys: Vec<u64> = zeros(source.len(), 1)?;
    for (keys, source) in keys.chunks_mut(STRIDE).zip(source.chunks(STRIDE)) {
        share.check()?;
        for (key, number) in keys.iter_mut().zip(source) {
            *key = key_of((*number).into(), descending);
        }
    }
    let keys = sorted(share, keys, |left, right| left < right)?;
    let mut target = zeros(source.len(), 1)?;
    for (target, keys) in target.chunks_mut(STRIDE).zip(keys.chunks(STRIDE)) {
        share.check()?;
        for (number, key) in target.iter_mut().zip(keys) {
            *number = T::from_f64(number_of(*key, descending));
        }
    }
    Ok(target)
}

/// The elements so that none comes before one that is `less` than it. Equal ones may change
/// places: elements that are told apart must not be equal.
///
/// # Errors
/// [`Error::OutOfMemory`], and what stops a task.
pub fn sorted<T: Copy + Default + Send + Sync>(
    share: &Share<'_>,
    mut elements: Vec<T>,
    less: impl Fn(&T, &T) -> bool + Sync,
) -> Result<Vec<T>> {
    let order = |left: &T, right: &T| less(right, left).cmp(&less(left, right));
    share.each(elements.chunks_mut(RUN), |run| {
        run.sort_unstable_by(order);
        Ok(())
    })?;
    if elements.len() <= RUN {
        return Ok(elements);
    }
    let mut merged = zeros(elements.len(), 1)?;
    let mut run = RUN;
    while run < elements.len() {
        let pairs = merged.chunks_mut(run * 2).zip(elements.chunks(run * 2));
        share.each(pairs, |(target, source)| {
            let (left, right) = source.split_at(run.min(source.len()));
            merge(share, target, left, right, &less)
        })?;
        std::mem::swap(&mut elements, &mut merged);
        run *= 2;
    }
    Ok(elements)
}

fn merge<'a, T: Copy>(
    share: &Share<'_>,
    target: &mut [T],
    mut left: &'a [T],
    mut right: &'a [T],
    less: impl Fn(&T, &T) -> bool,
) -> Result<()> {
    for target in target.chunks_mut(STRIDE) {
        share.check()?;
        for place in target {
            let from = match (left.first(), right.first()) {
                (Some(first), Some(second)) if !less(second, first) => &mut left,
                (Some(_), None) => &mut left,
                _ => &mut right,
            };
            let (first, rest) = from.split_first().ok_or(Error::OutOfMemory)?;
            *place = *first;
            *from = rest;
        }
    }
    Ok(())
}

/// A whole number that sorts as `number` should (after Terdiman, "Radix sort revisited").
fn key_of(number: f64, descending: bool) -> u64 {
    if number.is_nan() {
        return u64::MAX;
    }
    let bits = number.to_bits();
    let sign = 1 << 63;
    let ascending = if bits & sign == 0 { bits | sign } else { !bits };
    if descending { !ascending } else { ascending }
}

fn number_of(key: u64, descending: bool) -> f64 {
    if key == u64::MAX {
        return f64::NAN;
    }
    let sign = 1 << 63;
    let ascending = if descending { !key } else { key };
    f64::from_bits(if ascending & sign == 0 {
        !ascending
    } else {
        ascending ^ sign
    })
}

#[cfg(test)]
mod tests {
    use super::super::share::tests::{run, run_until};
    use super::super::stop::Stop;
    use super::*;

    fn shuffled(length: usize) -> Vec<f64> {
        let mut state = 1u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 1_000_003) as f64 - 500_000.0
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn agrees_with_the_standard_library_at_all_sizes() {
        for length in [0, 1, 2, RUN - 1, RUN, RUN + 1, 3 * RUN + 5, 1_000_000] {
            let source = shuffled(length);
            let mut expected = source.clone();
            expected.sort_by(f64::total_cmp);
            assert!(run(|share| numbers(share, &source, false)).unwrap() == expected);
            expected.reverse();
            assert!(run(|share| numbers(share, &source, true)).unwrap() == expected);
        }
    }

    #[test]
    fn zeros_have_an_order_and_what_is_no_number_comes_last() {
        let source = [
            f64::NAN,
            1.0,
            0.0,
            f64::NEG_INFINITY,
            -0.0,
            -1.0,
            f64::INFINITY,
            -f64::NAN,
        ];
        let bits = |sorted: Vec<f64>| sorted.iter().map(|number| number.to_string()).collect::<Vec<_>>();
        let ascending = run(|share| numbers(share, &source, false)).unwrap();
        assert_eq!(
            bits(ascending),
            ["-inf", "-1", "-0", "0", "1", "inf", "NaN", "NaN"]
        );
        let descending = run(|share| numbers(share, &source, true)).unwrap();
        assert_eq!(
            bits(descending),
            ["inf", "1", "0", "-0", "-1", "-inf", "NaN", "NaN"]
        );
    }

    #[test]
    fn single_precision_stays_what_it_is() {
        let source = [0.1f32, f32::MIN_POSITIVE, -0.3];
        let sorted = run(|share| numbers(share, &source, false)).unwrap();
        assert_eq!(sorted, [-0.3f32, f32::MIN_POSITIVE, 0.1]);
    }

    #[test]
    fn a_sort_can_be_stopped() {
        let stop = Stop::after(None);
        stop.cancel();
        assert!(run_until(&stop, |share| numbers(share, &shuffled(100), false)).is_err());
    }
}
