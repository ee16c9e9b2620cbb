//! A rolling window over operations that take time and succeed or fail.
//!
//! The window is a row of slices. A slice leaves as a whole when it is older than the window,
//! so what is told covers the window and at most one slice more. Percentiles come from the
//! merged counts of all slices, hence they are those of all values together.

use std::collections::VecDeque;

use super::histogram::rank;
use super::sparse::Sparse;

/// What [`Window::summary`] tells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// Operations in the window.
    pub count: u64,
    /// Those that failed.
    pub failures: u64,
    /// All their time.
    pub sum: f64,
    /// The fastest; 0 while there is none.
    pub min: f64,
    /// The slowest.
    pub max: f64,
    /// Percentiles 50, 95 and 99.
    pub quantiles: [f64; 3],
    /// Operations since the beginning.
    pub total: u64,
    /// Failures since the beginning.
    pub total_failures: u64,
    /// Time since the beginning.
    pub total_sum: f64,
}

#[derive(Debug)]
struct Slice {
    number: i64,
    count: u64,
    failures: u64,
    sum: f64,
    min: f64,
    max: f64,
    buckets: Sparse,
}

/// See the module.
#[derive(Debug)]
pub struct Window {
    slice_ms: f64,
    slices: VecDeque<Slice>,
    most: i64,
    bits: u32,
    total: u64,
    total_failures: u64,
    total_sum: f64,
}

impl Window {
    /// A window of `window_ms` in `slices` parts. Values are told apart by `bits` binary digits:
    /// ten give three decimal ones.
    pub fn new(window_ms: f64, slices: u32, bits: u32) -> Self {
        let slices = slices.max(1);
        Self {
            slice_ms: (window_ms / f64::from(slices)).max(1.0),
            slices: VecDeque::new(),
            most: i64::from(slices),
            bits: bits.clamp(1, 20),
            total: 0,
            total_failures: 0,
            total_sum: 0.0,
        }
    }

    /// Counts an operation. Time that runs backwards counts in the newest slice.
    pub fn record(&mut self, now_ms: f64, value: f64, failed: bool) {
        let number = (now_ms / self.slice_ms) as i64;
        if self.slices.back().is_none_or(|slice| slice.number < number) {
            self.expire(number);
            self.slices.push_back(Slice {
                number,
                count: 0,
                failures: 0,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                buckets: Sparse::default(),
            });
        }
        let position = self.position(value);
        self.total += 1;
        self.total_sum += value;
        self.total_failures += u64::from(failed);
        if let Some(slice) = self.slices.back_mut() {
            slice.count += 1;
            slice.failures += u64::from(failed);
            slice.sum += value;
            slice.min = slice.min.min(value);
            slice.max = slice.max.max(value);
            slice.buckets.add(position, 1);
        }
    }

    /// Log-linear: the exponent and the first bits of the significand, as they stand in memory.
    fn position(&self, value: f64) -> i32 {
        (value.max(0.0).to_bits() >> (52 - self.bits)) as i32
    }

    fn middle(&self, position: i32) -> f64 {
        if position == 0 {
            return 0.0;
        }
        let shift = 52 - self.bits;
        f64::from_bits(((position as u64) << shift) | (1 << (shift - 1)))
    }

    fn expire(&mut self, current: i64) {
        while self
            .slices
            .front()
            .is_some_and(|slice| slice.number <= current - self.most)
        {
            self.slices.pop_front();
        }
    }

    /// What happened in the window that ends now.
    pub fn summary(&mut self, now_ms: f64) -> Summary {
        self.expire((now_ms / self.slice_ms) as i64);
        let mut summary = Summary {
            total: self.total,
            total_failures: self.total_failures,
            total_sum: self.total_sum,
            ..Summary::default()
        };
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut merged = Sparse::default();
        for slice in &self.slices {
            summary.count += slice.count;
            summary.failures += slice.failures;
            summary.sum += slice.sum;
            min = min.min(slice.min);
            max = max.max(slice.max);
            merged.merge(&slice.buckets);
        }
        if summary.count > 0 {
            (summary.min, summary.max) = (min, max);
            summary.quantiles = [0.5, 0.95, 0.99].map(|quantile| {
                let wanted = rank(quantile, summary.count);
                let mut seen = 0;
                let found = merged.iter().find(|(_, count)| {
                    seen += count;
                    seen >= wanted
                });
                found
                    .map_or(max, |(position, _)| self.middle(position))
                    .clamp(min, max)
            });
        }
        summary
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.slices.clear();
        (self.total, self.total_failures, self.total_sum) = (0, 0, 0.0);
    }

    /// Slices that are held.
    pub fn slices(&self) -> usize {
        self.slices.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slices_leave_as_time_passes() {
        let mut window = Window::new(60_000.0, 60, 10);
        window.record(1_000.0, 10.0, true);
        window.record(30_000.0, 20.0, false);
        assert_eq!(window.summary(59_000.0).count, 2);
        let later = window.summary(62_000.0);
        assert_eq!((later.count, later.failures, later.min), (1, 0, 20.0));
        let empty = window.summary(1e9);
        assert_eq!(
            (empty.count, empty.max, empty.total, empty.total_failures),
            (0, 0.0, 2, 1)
        );
    }

    #[test]
    fn a_clock_that_runs_backwards_loses_nothing() {
        let mut window = Window::new(1_000.0, 10, 10);
        window.record(5_000.0, 1.0, false);
        window.record(3_000.0, 1.0, false);
        assert_eq!(window.summary(5_000.0).count, 2);
    }

    #[test]
    fn memory_is_flat_over_a_day() {
        let mut window = Window::new(60_000.0, 60, 10);
        for second in 0..86_400 {
            window.record(
                f64::from(second) * 1000.0,
                f64::from(second % 97),
                second % 10 == 0,
            );
            assert!(window.slices() <= 60);
        }
        assert_eq!(window.summary(86_399_000.0).count, 60);
    }

    proptest! {
        #[test]
        fn percentiles_of_the_window_are_those_of_all_its_values(
            mut values in prop::collection::vec(0.001f64..100_000.0, 1..400),
        ) {
            let mut window = Window::new(60_000.0, 60, 10);
            for (index, value) in values.iter().enumerate() {
                window.record(index as f64 * 100.0, *value, false);
            }
            let summary = window.summary(values.len() as f64 * 100.0);
            values.sort_by(f64::total_cmp);
            for (quantile, found) in [0.5, 0.95, 0.99].into_iter().zip(summary.quantiles) {
                let exact = values[rank(quantile, values.len() as u64) as usize - 1];
                prop_assert!((found - exact).abs() <= exact * 0.001, "{quantile}: {found} for {exact}");
            }
        }
    }
}
