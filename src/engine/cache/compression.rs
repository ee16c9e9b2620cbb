//! Compression of stored values.
//!
//! Zstandard may use a [`dictionary`] trained from the values of a cache, for values that are short
//! and alike.
//!
//! Two algorithms: LZ4 (block format, crate `lz4_flex`), fast both ways, and Zstandard level 3
//! (crate `zstd`), smaller and slower. The compressed form carries neither the algorithm nor the
//! original length: the store keeps both beside it.
//!
//! Working memory is kept per thread, made when a thread first needs it and freed when it ends:
//! 24 KiB for LZ4, up to about 1.3 MiB for Zstandard (its context grows with the largest value the
//! thread has compressed), and a buffer for the output of values up to 256 KiB. Values above that
//! get a buffer of their own for the length of the call.

pub mod dictionary;

use dictionary::Dictionary;
use lz4_flex::block::{self, CompressTable};
use std::cell::RefCell;
use zstd::bulk;
use zstd::zstd_safe::{CCtx, DCtx};

/// Output that the per-thread buffer is kept large enough for.
const KEPT_BUFFER_BYTES: usize = 320 * 1024;

/// LZ4's own limit for one block (`LZ4_MAX_INPUT_SIZE`, 0x7E000000 bytes, just below 2 GiB);
/// larger values stay as they are, with either algorithm.
const MAX_INPUT_BYTES: usize = 0x7E00_0000;

/// From here on LZ4 needs 32-bit positions.
const SMALL_TABLE_BYTES: usize = u16::MAX as usize;

/// An LZ4 block cannot stand for more bytes than this many times its own.
const LZ4_MAX_RATIO: usize = 255;

const ZSTD_LEVEL: i32 = 3;

/// How values are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// LZ4, block format.
    Lz4,
    /// Zstandard, level 3, one frame with its content size.
    Zstd,
}

/// Why a value could not be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// The bytes are not what the algorithm writes, or stand for another number of bytes.
    #[error("the compressed value is damaged")]
    Corrupt,
    /// There is no memory for the original.
    #[error("not enough memory to decompress the value")]
    OutOfMemory,
}

/// Decides what is compressed, and does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressor {
    /// What to compress with.
    pub algorithm: Algorithm,
    /// Values of fewer bytes than this are left alone.
    pub threshold: usize,
    /// Whether dictionaries are trained from the values. For Zstandard only.
    pub dictionary: bool,
}

impl Compressor {
    /// The compressed form, in a vector of exactly its size; `None` if `data` should be stored as
    /// it is: below the threshold, above about 2 GiB, or not at least 10 % smaller when compressed
    /// (also if there is no memory to try).
    ///
    /// A dictionary is for Zstandard alone, and has to be given to [`decompress`] again.
    ///
    /// Runs on the calling thread: on JSON of 1 KiB to 8 MiB about 2 GB/s for LZ4 and 0.3 to 1 GB/s
    /// for Zstandard, which halves the size once more.
    #[must_use]
    pub fn compress(&self, data: &[u8], dictionary: Option<&Dictionary>) -> Option<Vec<u8>> {
        if data.len() < self.threshold || data.len() > MAX_INPUT_BYTES {
            return None;
        }
        // `try_with` fails on a thread whose locals are gone already.
        WORKSPACE
            .try_with(|workspace| {
                workspace
                    .try_borrow_mut()
                    .ok()?
                    .compress(self.algorithm, data, dictionary)
            })
            .ok()?
    }
}

/// Appends to `out` the `original_len` bytes that `data` was made from by [`Compressor::compress`].
/// On an error `out` is as it was.
///
/// The length must be exact. Damaged input is an error, though not all damage can be told from
/// data. Allocates `original_len` bytes beyond what `out` has room for, and nothing for lengths
/// that `data` cannot possibly stand for, so a damaged length does no harm. On JSON about 7 GB/s
/// for LZ4 and 1 to 3 GB/s for Zstandard.
///
/// # Errors
/// [`CompressionError::Corrupt`], or [`CompressionError::OutOfMemory`] if `out` cannot grow.
pub fn decompress(
    algorithm: Algorithm,
    dictionary: Option<&Dictionary>,
    data: &[u8],
    original_len: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let plausible = match algorithm {
        Algorithm::Lz4 => original_len <= data.len().saturating_mul(LZ4_MAX_RATIO),
        Algorithm::Zstd => {
            let declared = zstd::zstd_safe::get_frame_content_size(data).ok().flatten();
            declared == u64::try_from(original_len).ok()
        }
    };
    if !plausible {
        return Err(CompressionError::Corrupt);
    }
    let start = out.len();
    out.try_reserve_exact(original_len)
        .map_err(|_| CompressionError::OutOfMemory)?;
    out.resize(start + original_len, 0);
    let target = out.get_mut(start..).unwrap_or_default();
    let written = match algorithm {
        Algorithm::Lz4 => block::decompress_into(data, target).ok(),
        Algorithm::Zstd => WORKSPACE
            .try_with(|workspace| {
                workspace
                    .try_borrow_mut()
                    .ok()?
                    .zstd_decompress(data, target, dictionary)
            })
            .ok()
            .flatten(),
    };
    if written == Some(original_len) {
        return Ok(());
    }
    out.truncate(start);
    Err(CompressionError::Corrupt)
}

/// The working memory of a thread. All of it is made when first needed.
struct Workspace {
    lz4_small: Option<CompressTable>,
    lz4_large: Option<CompressTable>,
    compressor: Option<bulk::Compressor<'static>>,
    decompressor: Option<bulk::Decompressor<'static>>,
    /// For dictionaries, which change from call to call.
    compression: Option<CCtx<'static>>,
    decompression: Option<DCtx<'static>>,
    buffer: Vec<u8>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = const {
        RefCell::new(Workspace {
            lz4_small: None,
            lz4_large: None,
            compressor: None,
            decompressor: None,
            compression: None,
            decompression: None,
            buffer: Vec::new(),
        })
    };
}

impl Workspace {
    fn compress(
        &mut self,
        algorithm: Algorithm,
        data: &[u8],
        dictionary: Option<&Dictionary>,
    ) -> Option<Vec<u8>> {
        let bound = match algorithm {
            Algorithm::Lz4 => block::get_maximum_output_size(data.len()),
            Algorithm::Zstd => zstd::zstd_safe::compress_bound(data.len()),
        };
        // Taken out for the call, so that an early return drops nothing but itself.
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.len() < bound {
            buffer.try_reserve_exact(bound - buffer.len()).ok()?;
            buffer.resize(bound, 0);
        }
        let length = match algorithm {
            Algorithm::Lz4 => self.lz4_compress(data, &mut buffer),
            Algorithm::Zstd => self.zstd_compress(data, &mut buffer, dictionary),
        };
        let result = length
            .and_then(|length| buffer.get(..length))
            .filter(|compressed| is_worth_it(data.len(), compressed.len()))
            .and_then(to_exact_vec);
        if buffer.len() <= KEPT_BUFFER_BYTES {
            self.buffer = buffer;
        }
        result
    }

    fn lz4_compress(&mut self, data: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let table = if data.len() < SMALL_TABLE_BYTES {
            self.lz4_small.get_or_insert_with(CompressTable::small)
        } else {
            self.lz4_large.get_or_insert_with(CompressTable::large)
        };
        block::compress_into_with_table(data, buffer, table).ok()
    }

    fn zstd_compress(
        &mut self,
        data: &[u8],
        buffer: &mut [u8],
        dictionary: Option<&Dictionary>,
    ) -> Option<usize> {
        if let Some(dictionary) = dictionary {
            let trained = dictionary.trained()?;
            let context = match &mut self.compression {
                Some(context) => context,
                none => none.insert(CCtx::try_create()?),
            };
            return context.compress_using_cdict(buffer, data, &trained.encoder).ok();
        }
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            none => none.insert(bulk::Compressor::new(ZSTD_LEVEL).ok()?),
        };
        compressor.compress_to_buffer(data, buffer).ok()
    }

    fn zstd_decompress(
        &mut self,
        data: &[u8],
        target: &mut [u8],
        dictionary: Option<&Dictionary>,
    ) -> Option<usize> {
        if let Some(dictionary) = dictionary {
            let trained = dictionary.trained()?;
            let context = match &mut self.decompression {
                Some(context) => context,
                none => none.insert(DCtx::try_create()?),
            };
            return context
                .decompress_using_ddict(target, data, &trained.decoder)
                .ok();
        }
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(bulk::Decompressor::new().ok()?),
        };
        decompressor.decompress_to_buffer(data, target).ok()
    }
}

/// Whether at least a tenth is saved.
const fn is_worth_it(original: usize, compressed: usize) -> bool {
    compressed <= original - original.div_ceil(10)
}

/// A copy without spare capacity: what a cache stores is what it accounts for.
fn to_exact_vec(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut exact = Vec::new();
    exact.try_reserve_exact(bytes.len()).ok()?;
    exact.extend_from_slice(bytes);
    Some(exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Algorithm; 2] = [Algorithm::Lz4, Algorithm::Zstd];

    fn compress(algorithm: Algorithm, data: &[u8]) -> Option<Vec<u8>> {
        Compressor {
            algorithm,
            threshold: 0,
            dictionary: false,
        }
        .compress(data, None)
    }

    fn decompressed(algorithm: Algorithm, data: &[u8], length: usize) -> Result<Vec<u8>, CompressionError> {
        let mut out = b"kept".to_vec();
        let result = decompress(algorithm, None, data, length, &mut out);
        assert!(out.starts_with(b"kept"));
        assert!(out.len() == 4 + if result.is_ok() { length } else { 0 });
        result.map(|()| out.split_off(4))
    }

    /// Data with repetitions, so that most of it compresses.
    fn data() -> impl Strategy<Value = Vec<u8>> {
        let piece = (prop::collection::vec(any::<u8>(), 1..20), 1usize..300);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| {
            pieces
                .into_iter()
                .flat_map(|(bytes, times)| bytes.repeat(times))
                .collect()
        })
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..length).map(|_| next()).collect()
    }

    proptest! {
        #[test]
        fn round_trips_and_saves_a_tenth(data in data(), zstd in any::<bool>()) {
            let algorithm = BOTH[usize::from(zstd)];
            if let Some(compressed) = compress(algorithm, &data) {
                prop_assert!(compressed.len() * 10 <= data.len() * 9);
                prop_assert_eq!(compressed.capacity(), compressed.len());
                prop_assert_eq!(decompressed(algorithm, &compressed, data.len()), Ok(data.clone()));
                for wrong in [0, data.len() - 1, data.len() + 1, data.len() * 2, usize::MAX, usize::MAX / 2] {
                    prop_assert!(decompressed(algorithm, &compressed, wrong).is_err());
                }
            }
        }

        #[test]
        fn damage_is_an_error_or_other_data_of_the_same_length(
            data in data(),
            zstd in any::<bool>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let algorithm = BOTH[usize::from(zstd)];
            if let Some(mut compressed) = compress(algorithm, &data) {
                let length = cut.index(compressed.len());
                prop_assert!(decompressed(algorithm, &compressed[..length], data.len()).is_err());
                for (at, byte) in damage {
                    let at = at.index(compressed.len());
                    compressed[at] = byte;
                }
                // `decompressed` checks the length.
                let _ = decompressed(algorithm, &compressed, data.len());
            }
        }

        #[test]
        fn noise_is_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), length in 0usize..5000) {
            for algorithm in BOTH {
                let _ = decompressed(algorithm, &bytes, length);
            }
        }
    }

    #[test]
    fn the_threshold_counts_bytes() {
        let compressor = Compressor {
            algorithm: Algorithm::Lz4,
            threshold: 100,
            dictionary: false,
        };
        assert!(compressor.compress(&[b'a'; 99], None).is_none());
        assert!(compressor.compress(&[b'a'; 100], None).is_some());
    }

    #[test]
    fn what_does_not_shrink_stays() {
        for algorithm in BOTH {
            for length in [0, 1, 12, 1000, 100_000] {
                assert!(compress(algorithm, &noise(length)).is_none());
            }
        }
        assert!(is_worth_it(1000, 900));
        assert!(!is_worth_it(1000, 901));
        assert!(!is_worth_it(0, 1));
        assert!(is_worth_it(11, 9));
        assert!(!is_worth_it(11, 10));
    }

    #[test]
    fn values_of_all_sizes_share_a_thread() {
        for algorithm in BOTH {
            for length in [70_000, 2000, 5_000_000, 65_534, 65_535, 65_536, 300_000, 1500] {
                let mut data = noise(length / 2);
                data.extend_from_within(..);
                data.extend(vec![0; length]);
                let compressed = compress(algorithm, &data).expect("half is zeros");
                assert_eq!(decompressed(algorithm, &compressed, data.len()), Ok(data));
            }
        }
        WORKSPACE.with_borrow(|workspace| assert!(workspace.buffer.capacity() <= KEPT_BUFFER_BYTES));
    }

    #[test]
    fn an_impossible_length_allocates_nothing() {
        let compressed = compress(Algorithm::Lz4, &[0; 1000]).expect("zeros");
        let mut out = Vec::new();
        assert_eq!(
            decompress(Algorithm::Lz4, None, &compressed, 1 << 40, &mut out),
            Err(CompressionError::Corrupt)
        );
        let compressed = compress(Algorithm::Zstd, &[0; 1000]).expect("zeros");
        assert_eq!(
            decompress(Algorithm::Zstd, None, &compressed, 1 << 40, &mut out),
            Err(CompressionError::Corrupt)
        );
        assert_eq!(out.capacity(), 0);
    }

    /// Records that have their shape in common, and little else.
    fn record(number: usize) -> Vec<u8> {
        let mail = noise(8 + number % 5)
            .iter()
            .map(|byte| char::from(b'a' + byte % 26))
            .collect::<String>();
        format!(
            r#"{{"id":{number},"name":"customer {number}","mail":"{mail}@example.org","active":{},"city":"Praha"}}"#,
            number.is_multiple_of(3)
        )
        .into_bytes()
    }

    #[test]
    fn a_dictionary_pays_for_short_values_and_lives_as_long_as_it_is_needed() {
        let samples: Vec<_> = (0..1_000).map(record).collect();
        let sizes: Vec<_> = samples.iter().map(Vec::len).collect();
        let (dictionary, bytes) =
            Dictionary::train(&samples.concat(), &sizes, 8 * 1024).expect("much in common");
        assert!(bytes <= 8 * 1024);
        let compressor = Compressor {
            algorithm: Algorithm::Zstd,
            threshold: 0,
            dictionary: false,
        };
        let original = record(5_000);
        let with = compressor
            .compress(&original, Some(&dictionary))
            .expect("compresses");
        let without = compressor
            .compress(&original, None)
            .map_or(original.len(), |bytes| bytes.len());
        assert!(2 * with.len() < without, "{} and {without} bytes", with.len());
        let copy = dictionary.clone();
        drop(dictionary);
        let mut out = Vec::new();
        assert_eq!(
            super::decompress(Algorithm::Zstd, Some(&copy), &with, original.len(), &mut out),
            Ok(())
        );
        assert_eq!(out, original);
        // Without it, or with another one, the value is damaged, and that is all.
        let (other, _) = Dictionary::train(&samples.concat(), &sizes, 4 * 1024).expect("much in common");
        for wrong in [None, Some(&other)] {
            let result = super::decompress(Algorithm::Zstd, wrong, &with, original.len(), &mut out);
            assert_eq!(result, Err(CompressionError::Corrupt));
        }
        let before = Dictionary::count();
        drop((copy, other));
        assert!(Dictionary::count() < before);
        assert!(Dictionary::train(b"", &[], 1024).is_none());
    }
}
