//! Histograms of one series: exact classic buckets, and beside them detail for percentiles.

use std::sync::{Arc, LazyLock};

use hdrhistogram::Histogram as Hdr;

use super::sparse::Sparse;

/// Buckets for durations in seconds, those that Prometheus clients have by default.
pub const DEFAULT_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Buckets per power of two of a new series, as a power of two itself: Prometheus calls it
/// the schema.
pub const FINEST_SCHEMA: i32 = 5;

/// At about 150 bytes each, this is the 4 KB that the buckets of a series may take.
const MOST_CHUNKS: usize = 27;

/// Values up to this count as 0: 2^-128, as Prometheus has it.
pub const ZERO_THRESHOLD: f64 = 2.938735877055719e-39;

/// Significant digits of the dense form.
const DIGITS: u8 = 3;

/// Fractions of a power of two where the buckets of the finest schema end.
/// The last one is for what lies beyond all of them.
static BOUNDS: LazyLock<[f64; (1 << FINEST_SCHEMA) + 1]> = LazyLock::new(|| {
    let mut bounds = std::array::from_fn(|k| (k as f64 / f64::from(1 << FINEST_SCHEMA)).exp2());
    bounds[1 << FINEST_SCHEMA] = 2.0;
    bounds
});

/// Cells of equal width that the significands are sorted into, as a power of two. The narrowest
/// bucket, the first, is more than five times as wide as a cell.
const CELL_BITS: u32 = 8;

/// The first bucket that reaches into a cell.
static CELLS: LazyLock<[u8; 1 << CELL_BITS]> = LazyLock::new(|| {
    std::array::from_fn(|cell| {
        let begin = 1.0 + cell as f64 / f64::from(1 << CELL_BITS);
        BOUNDS.iter().filter(|bound| **bound < begin).count() as u8
    })
});

/// The position of a positive value among the buckets of the finest schema: bucket `i` ends
/// at `2^(i/32)`, which belongs to it.
fn position(value: f64) -> i32 {
    const PER_OCTAVE: i32 = 1 << FINEST_SCHEMA;
    let bits = value.to_bits();
    let exponent = (bits >> 52) as i32;
    if exponent == 0 {
        // Subnormal: brought into the normal range by an exact multiplication.
        return position(value * 2f64.powi(200)) - 200 * PER_OCTAVE;
    }
    // The significand in [1, 2): its first bits name a cell, which has one end of a bucket in
    // it at most. No branch depends on the value.
    let significand = bits & ((1 << 52) - 1);
    let fraction = f64::from_bits(significand | (1023 << 52));
    let first = CELLS[(significand >> (52 - CELL_BITS)) as usize];
    let bucket = i32::from(first) + i32::from(BOUNDS[usize::from(first)] < fraction);
    (exponent - 1023) * PER_OCTAVE + bucket
}

/// Sparse exponential buckets of bounded size.
#[derive(Debug, Clone)]
pub struct Exponential {
    buckets: Sparse,
    schema: i32,
    zeros: u64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            buckets: Sparse::default(),
            schema: FINEST_SCHEMA,
            zeros: 0,
        }
    }
}

impl Exponential {
    /// Counts a value, which is not negative.
    #[inline]
    pub fn add(&mut self, value: f64, count: u64) {
        if value <= ZERO_THRESHOLD {
            self.zeros += count;
            return;
        }
        // A coarser bucket joins two: (i + 1) / 2, rounded down, once for each halving.
        let halvings = FINEST_SCHEMA - self.schema;
        self.buckets.add(((position(value) - 1) >> halvings) + 1, count);
        if self.buckets.chunks() > MOST_CHUNKS {
            self.halve();
        }
    }

    #[cold]
    fn halve(&mut self) {
        let mut coarser = Sparse::default();
        for (bucket, count) in self.buckets.iter() {
            coarser.add(((bucket - 1) >> 1) + 1, count);
        }
        self.buckets = coarser;
        self.schema -= 1;
    }

    /// How fine the buckets are: bucket `i` ends at `2^(i / 2^schema)`.
    pub fn schema(&self) -> i32 {
        self.schema
    }

    /// How many values were 0.
    pub fn zeros(&self) -> u64 {
        self.zeros
    }

    /// The buckets that count something, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.buckets.iter()
    }

    /// Bytes in use, about.
    pub fn bytes(&self) -> usize {
        self.buckets.chunks() * 150
    }

    fn quantile(&self, rank: u64) -> f64 {
        let mut seen = self.zeros;
        if rank <= seen {
            return 0.0;
        }
        for (bucket, count) in self.buckets() {
            seen += count;
            if rank <= seen {
                // The middle of the bucket as the eye sees it on a logarithmic scale.
                let width = f64::from(1u32 << self.schema.max(0));
                return ((f64::from(bucket) - 0.5) / width * f64::from(1u32 << (-self.schema).max(0))).exp2();
            }
        }
        f64::INFINITY
    }
}

/// An hdrhistogram over multiples of a smallest unit.
#[derive(Debug, Clone)]
pub struct Dense {
    counts: Hdr<u64>,
    resolution: f64,
    /// Its inverse: a division and a call of `round` would take longer than all the rest.
    units: f64,
}

impl Dense {
    fn new(resolution: f64) -> Option<Self> {
        let counts = Hdr::new(DIGITS).ok()?;
        Some(Self {
            counts,
            resolution,
            units: 1.0 / resolution,
        })
    }

    fn add(&mut self, value: f64) {
        let units = value * self.units + 0.5;
        // The cast saturates; what is beyond the largest that can be counted is counted there.
        let most = (1u64 << 62) - 1;
        // Cannot fail: it grows as far as `most`.
        let _ = self.counts.record((units as u64).min(most));
    }
}

#[derive(Debug, Clone)]
enum Detail {
    Dense(Dense),
    Sparse(Exponential),
}

/// How a histogram counts.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Upper ends of the classic buckets, ascending, without infinity.
    pub bounds: Arc<[f64]>,
    /// The smallest difference that the dense form tells apart; sparse without.
    pub resolution: Option<f64>,
}

/// All that a series knows of its values.
#[derive(Debug, Clone)]
pub struct Histogram {
    bounds: Arc<[f64]>,
    /// One more than there are bounds. Each value is counted once.
    classic: Box<[u64]>,
    sum: f64,
    min: f64,
    max: f64,
    detail: Detail,
}

impl Histogram {
    /// An empty one.
    pub fn new(shape: &Shape) -> Self {
        let dense = shape.resolution.and_then(Dense::new);
        Self {
            bounds: shape.bounds.clone(),
            classic: vec![0; shape.bounds.len() + 1].into(),
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            detail: dense.map_or_else(|| Detail::Sparse(Exponential::default()), Detail::Dense),
        }
    }

    /// Counts a value, which is finite and not negative.
    pub fn record(&mut self, value: f64) {
        // Compared with all bounds: a dozen comparisons without a branch beat a binary search.
        let bucket = self.bounds.iter().filter(|bound| value > **bound).count();
        self.classic[bucket] += 1;
        self.sum += value;
        // Branches that are nearly never taken, instead of two stores each time.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        match &mut self.detail {
            Detail::Dense(dense) => dense.add(value),
            Detail::Sparse(sparse) => sparse.add(value, 1),
        }
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.classic.iter().sum()
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The smallest and the largest, unless there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        (self.min <= self.max).then_some((self.min, self.max))
    }

    /// The classic buckets: upper ends, infinity last, with the values in each.
    pub fn classic(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let ends = self.bounds.iter().copied().chain([f64::INFINITY]);
        ends.zip(self.classic.iter().copied())
    }

    /// The value that a share of `quantile` (0 to 1) of all values does not exceed.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let (min, max) = self.range()?;
        let rank = rank(quantile, self.count());
        let value = match &self.detail {
            Detail::Dense(dense) => {
                let units = dense.counts.value_at_quantile(quantile);
                dense.counts.median_equivalent(units) as f64 * dense.resolution
            }
            Detail::Sparse(sparse) => sparse.quantile(rank),
        };
        Some(value.clamp(min, max))
    }

    /// The exponential buckets. Those of a dense histogram are made from its counts, so that a
    /// value within a thousandth of a border may be counted on its other side.
    pub fn exponential(&self) -> Exponential {
        match &self.detail {
            Detail::Sparse(sparse) => sparse.clone(),
            Detail::Dense(dense) => {
                let mut exponential = Exponential::default();
                for step in dense.counts.iter_recorded() {
                    let value = step.value_iterated_to() as f64 * dense.resolution;
                    exponential.add(value.clamp(self.min, self.max), step.count_at_value());
                }
                exponential
            }
        }
    }

    /// Forgets all values.
    pub fn reset(&mut self) {
        let resolution = match &self.detail {
            Detail::Dense(dense) => Some(dense.resolution),
            Detail::Sparse(_) => None,
        };
        *self = Self::new(&Shape {
            bounds: self.bounds.clone(),
            resolution,
        });
    }
}

/// Which of `count` sorted values, counted from 1, is the quantile.
pub fn rank(quantile: f64, count: u64) -> u64 {
    ((quantile * count as f64).ceil() as u64).clamp(1, count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(resolution: Option<f64>) -> Histogram {
        Histogram::new(&Shape {
            bounds: DEFAULT_BOUNDS.into(),
            resolution,
        })
    }

    #[test]
    fn classic_buckets_include_their_upper_end() {
        let mut histogram = histogram(None);
        for value in [0.0, 0.005, 0.0051, 0.1, 10.0, 10.1] {
            histogram.record(value);
        }
        let counts: Vec<u64> = histogram.classic().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.range(), Some((0.0, 10.1)));
    }

    proptest! {
        #[test]
        fn exponential_buckets_hold_their_values(value in prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL) {
            let value = value.abs();
            let bucket = f64::from(position(value));
            // Logarithms are exact to a few units in the last place only.
            let place = value.log2() * 32.0;
            prop_assert!(place <= bucket + 1e-9 && place > bucket - 1.0 - 1e-9, "{value}: {place} in {bucket}");
        }

        #[test]
        fn quantiles_agree_with_sorting(mut values in prop::collection::vec(1e-6f64..3600.0, 1..300)) {
            let (mut dense, mut sparse) = (histogram(Some(1e-9)), histogram(None));
            for value in &values {
                dense.record(*value);
                sparse.record(*value);
            }
            values.sort_by(f64::total_cmp);
            for quantile in [0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0] {
                let exact = values[rank(quantile, values.len() as u64) as usize - 1];
                let within = |found: Option<f64>, error: f64| found.is_some_and(|found| (found - exact).abs() <= exact * error);
                prop_assert!(within(dense.quantile(quantile), 0.001), "{quantile}: {:?} {exact}", dense.quantile(quantile));
                prop_assert!(within(sparse.quantile(quantile), 0.012), "{quantile}: {:?} {exact}", sparse.quantile(quantile));
            }
        }
    }

    #[test]
    fn powers_of_two_end_their_buckets() {
        assert_eq!([0.5, 1.0, 1.0000001, 2.0, 4.0].map(position), [-32, 0, 1, 32, 64]);
    }

    #[test]
    fn a_wide_spread_costs_resolution_not_memory() {
        let mut exponential = Exponential::default();
        for exponent in -300..300 {
            exponential.add(10f64.powi(exponent), 1);
        }
        assert!(exponential.bytes() <= 4096, "{} bytes", exponential.bytes());
        assert!(exponential.schema() < FINEST_SCHEMA);
        let counted = exponential.buckets().map(|(_, count)| count).sum::<u64>();
        assert_eq!(counted + exponential.zeros(), 600);
        // With buckets as wide as this one can tell the order of magnitude.
        let median = exponential.quantile(301).log10();
        assert!((-3.0..3.0).contains(&median), "{median}");
    }

    #[test]
    fn a_dense_histogram_gives_the_same_exponential_buckets() {
        let (mut dense, mut sparse) = (histogram(Some(1e-9)), histogram(None));
        for value in [0.0, 0.0013, 0.0013, 0.7, 42.0] {
            dense.record(value);
            sparse.record(value);
        }
        let (dense, sparse) = (dense.exponential(), sparse.exponential());
        assert_eq!(
            dense.buckets().collect::<Vec<_>>(),
            sparse.buckets().collect::<Vec<_>>()
        );
        assert_eq!((dense.zeros(), sparse.zeros()), (1, 1));
    }

    #[test]
    fn ten_million_values_keep_three_digits() {
        let mut histogram = histogram(Some(1e-9));
        let mut values = Vec::with_capacity(10_000_000);
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        for _ in 0..10_000_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Log-uniform from a microsecond to an hour, as far as latencies go.
            let share = (state >> 11) as f64 / (1u64 << 53) as f64;
            let value = 1e-6 * (share * (3600.0f64 / 1e-6).ln()).exp();
            values.push(value);
            histogram.record(value);
        }
        values.sort_unstable_by(f64::total_cmp);
        for quantile in [0.001, 0.5, 0.95, 0.99, 0.999, 0.9999] {
            let exact = values[rank(quantile, 10_000_000) as usize - 1];
            let found = histogram.quantile(quantile).unwrap();
            assert!(
                (found - exact).abs() <= exact * 0.001,
                "{quantile}: {found} for {exact}"
            );
        }
    }
}
