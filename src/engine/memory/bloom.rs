//! A Bloom filter (Bloom 1970): a set that never forgets an item and now and then claims one
//! that it does not hold.
//!
//! Bits, hashing and the mathematics are fastbloom's: SipHash-1-3 makes 64 bits of an item,
//! from which the places follow by double hashing (Kirsch and Mitzenmacher 2006). Serialized
//! filters depend on it; `a_filter_of_this_version` would fail if a new release of the crate
//! hashed otherwise.

use fastbloom::BloomFilter;

use super::envelope::{Envelope, read_u64};
use crate::error::{Error, Result};

const ENVELOPE: Envelope = Envelope {
    name: *b"HPBF",
    version: 1,
    what: "bloom filter",
};

/// Capacity, rate, seed, count and hashes, eight bytes each (the seed sixteen).
const FIELDS: usize = 48;

/// Larger filters than 32 GiB are a mistake.
const MAX_BITS: usize = 1 << 38;

/// See [the module](self).
#[derive(Debug, Clone)]
pub struct Bloom {
    bits: BloomFilter,
    capacity: u64,
    rate: f64,
    seed: u128,
    count: u64,
}

impl Bloom {
    /// A filter that, once it holds `capacity` items, claims others with probability `rate`.
    /// Filters of the same three values can be united; a seed that is kept secret keeps
    /// others from choosing items that collide.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above 32 GiB, [`Error::OutOfMemory`].
    pub fn new(capacity: u64, rate: f64, seed: u128) -> Result<Self> {
        let (words, hashes) = shape(capacity, rate)?;
        Ok(Self {
            bits: BloomFilter::from_vec(zeros(words)?).seed(&seed).hashes(hashes),
            capacity,
            rate,
            seed,
            count: 0,
        })
    }

    /// Adds an item. True if it was certainly not there before.
    pub fn add(&mut self, item: &[u8]) -> bool {
        let is_new = !self.bits.insert(item);
        // A count that was read may be anything.
        self.count = self.count.saturating_add(u64::from(is_new));
        is_new
    }

    /// False if the item was certainly never added.
    #[must_use]
    pub fn has(&self, item: &[u8]) -> bool {
        self.bits.contains(item)
    }

    /// Adds everything that another filter holds. The count becomes an estimate, by the share
    /// of bits that are set (Swamidass and Baldi 2007).
    ///
    /// # Errors
    /// [`Error::Shape`] when the two were not made alike.
    pub fn unite(&mut self, other: &Self) -> Result<()> {
        let alike = (self.capacity, self.rate.to_bits(), self.seed);
        if alike != (other.capacity, other.rate.to_bits(), other.seed) {
            let reason = "filters of different capacity, false-positive rate or seed".to_owned();
            return Err(Error::Shape { reason });
        }
        self.bits.union(&other.bits);
        let set: u64 = self.words().iter().map(|word| u64::from(word.count_ones())).sum();
        let (bits, hashes) = (self.bits.num_bits() as f64, f64::from(self.bits.num_hashes()));
        let estimate = -(bits / hashes) * (1.0 - set as f64 / bits).ln();
        // A full filter says nothing about how many it holds.
        let most = self.count.saturating_add(other.count);
        self.count = if estimate.is_finite() {
            (estimate.round() as u64).min(most)
        } else {
            most
        };
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bits.clear();
        self.count = 0;
    }

    /// How many items it was made for.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The probability of a false claim at capacity.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// How many items it holds: those that were new when they were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of its bits.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bits.num_bits() / 8
    }

    fn words(&self) -> &[u64] {
        self.bits.as_slice()
    }

    /// The filter as bytes, for any machine.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn serialize(&self) -> Result<Vec<u8>> {
        ENVELOPE.seal(FIELDS + self.bytes(), |bytes| {
            bytes.extend(self.capacity.to_le_bytes());
            bytes.extend(self.rate.to_le_bytes());
            bytes.extend(self.seed.to_le_bytes());
            bytes.extend(self.count.to_le_bytes());
            bytes.extend(u64::from(self.bits.num_hashes()).to_le_bytes());
            bytes.extend(self.words().iter().flat_map(|word| word.to_le_bytes()));
        })
    }

    /// The filter that [`serialize`](Self::serialize) wrote.
    ///
    /// # Errors
    /// [`Error::BadData`], [`Error::OutOfMemory`].
    pub fn deserialize(bytes: &[u8]) -> Result<Self> {
        let body = ENVELOPE.open(bytes)?;
        if body.len() <= FIELDS || !(body.len() - FIELDS).is_multiple_of(8) {
            return Err(ENVELOPE.bad("it has no bits"));
        }
        let field = |index: usize| read_u64(&body[index * 8..]);
        let (capacity, rate, count) = (field(0), f64::from_bits(field(1)), field(4));
        let seed = u128::from(field(2)) | u128::from(field(3)) << 64;
        if !(rate > 0.0 && rate < 1.0) {
            return Err(ENVELOPE.bad("its false-positive rate is none"));
        }
        let words = (body.len() - FIELDS) / 8;
        let hashes = u32::try_from(field(5)).unwrap_or(0);
        // Bits and hashes follow from capacity and rate: nothing else was ever written, and an
        // absurd number of hashes would make every look-up take for ever.
        if shape(capacity, rate) != Ok((words, hashes)) {
            return Err(ENVELOPE.bad("its size does not follow from its capacity and rate"));
        }
        let mut bits = zeros(words)?;
        for (word, bytes) in bits.iter_mut().zip(body[FIELDS..].chunks_exact(8)) {
            *word = read_u64(bytes);
        }
        Ok(Self {
            bits: BloomFilter::from_vec(bits).seed(&seed).hashes(hashes),
            capacity,
            rate,
            seed,
            count,
        })
    }
}

/// The number of words and of hashes of a filter.
fn shape(capacity: u64, rate: f64) -> Result<(usize, u32)> {
    let items = usize::try_from(capacity).unwrap_or(usize::MAX).max(1);
    if items > MAX_BITS {
        return Err(Error::TooLarge);
    }
    let bits = fastbloom::optimal_size(items, rate);
    if bits > MAX_BITS {
        return Err(Error::TooLarge);
    }
    let words = bits.div_ceil(64).max(1);
    Ok((words, fastbloom::optimal_hashes(words * 64, items).max(1)))
}

fn zeros(words: usize) -> Result<Vec<u64>> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(words).map_err(|_| Error::OutOfMemory)?;
    zeros.resize(words, 0);
    Ok(zeros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u32) -> Vec<u8> {
        format!("item {number}").into_bytes()
    }

    #[test]
    fn what_was_added_is_there_and_the_rest_as_rarely_as_asked() {
        for rate in [0.1, 0.01, 0.001] {
            let mut filter = Bloom::new(20_000, rate, 0).unwrap();
            (0..20_000).for_each(|number| {
                filter.add(&item(number));
            });
            assert!((0..20_000).all(|number| filter.has(&item(number))));
            let tried = 400_000;
            let claimed = (20_000..20_000 + tried)
                .filter(|number| filter.has(&item(*number)))
                .count();
            let measured = claimed as f64 / f64::from(tried);
            assert!((measured / rate - 1.0).abs() < 0.2, "{measured} for {rate}");
        }
    }

    #[test]
    fn new_items_are_counted_once() {
        let mut filter = Bloom::new(100, 0.01, 7).unwrap();
        assert!(filter.add(b"a"));
        assert!(!filter.add(b"a"));
        assert_eq!(filter.count(), 1);
        filter.clear();
        assert!(!filter.has(b"a"));
        assert_eq!(filter.count(), 0);
    }

    #[test]
    fn a_union_holds_both() {
        let mut left = Bloom::new(1000, 0.01, 1).unwrap();
        let mut right = left.clone();
        (0..300).for_each(|number| _ = left.add(&item(number)));
        (200..500).for_each(|number| _ = right.add(&item(number)));
        left.unite(&right).unwrap();
        assert!((0..500).all(|number| left.has(&item(number))));
        assert!((450..550).contains(&left.count()));
        for other in [(999, 0.01, 1), (1000, 0.02, 1), (1000, 0.01, 2)] {
            let other = Bloom::new(other.0, other.1, other.2).unwrap();
            assert!(left.unite(&other).is_err());
        }
    }

    #[test]
    fn bytes_and_back() {
        let mut filter = Bloom::new(500, 0.02, u128::MAX - 5).unwrap();
        (0..100).for_each(|number| _ = filter.add(&item(number)));
        let bytes = filter.serialize().unwrap();
        let read = Bloom::deserialize(&bytes).unwrap();
        assert!((0..100).all(|number| read.has(&item(number))));
        assert_eq!(
            (read.count(), read.capacity(), read.rate()),
            (filter.count(), 500, 0.02)
        );
        assert_eq!(read.serialize().unwrap(), bytes);
    }

    #[test]
    fn a_filter_of_this_version() {
        let mut filter = Bloom::new(4, 0.1, 42).unwrap();
        filter.add(b"hotpath");
        assert_eq!(filter.words(), GOLDEN);
    }

    /// Written by the first release. If this changes, so must the version.
    const GOLDEN: [u64; 1] = [4_723_506_650_546_817];

    #[test]
    fn fields_that_lie_are_refused() {
        let lie = |capacity: u64, rate: f64, hashes: u64, words: usize| {
            let sealed = ENVELOPE.seal(FIELDS + words * 8, |bytes| {
                bytes.extend(capacity.to_le_bytes());
                bytes.extend(rate.to_le_bytes());
                bytes.extend([0; 24]);
                bytes.extend(hashes.to_le_bytes());
                bytes.extend(vec![0; words * 8]);
            });
            Bloom::deserialize(&sealed.unwrap()).is_err()
        };
        assert!(lie(10, 0.01, u64::MAX, 2));
        assert!(lie(10, 0.01, 1, 2));
        assert!(lie(10, f64::NAN, 7, 2));
        assert!(lie(10, 2.0, 7, 2));
        assert!(lie(u64::MAX, 0.01, 7, 2));
        assert!(lie(10, 0.01, 7, 0));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        assert!(Bloom::new(u64::MAX, 0.01, 0).is_err());
        assert!(Bloom::new(0, 0.5, 0).is_ok());
    }
}
