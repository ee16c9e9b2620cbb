//! Compressed data, and the serialized structures.

use hotpath::engine::memory::bloom::Bloom;
use hotpath::engine::memory::compression::{Format, compress, decompress as unpack};
use hotpath::engine::memory::envelope::Envelope;
use hotpath::engine::memory::sparse::Sparse;

const FORMATS: [Format; 5] = [
    Format::Gzip,
    Format::Deflate,
    Format::Brotli,
    Format::Lz4,
    Format::Zstd,
];

/// The first byte chooses the format, the rest is decompressed. What comes out is within the
/// limit, and survives a round trip.
pub fn decompress(input: &[u8]) {
    const LIMIT: usize = 1 << 20;
    let Some((choice, data)) = input.split_first() else {
        return;
    };
    let format = FORMATS[usize::from(*choice) % FORMATS.len()];
    if let Ok(original) = unpack(format, data, LIMIT) {
        assert!(original.len() <= LIMIT);
        let again = compress(format, 1, &original).expect("memory for a megabyte");
        assert!(unpack(format, &again, LIMIT).expect("our own") == original);
    }
}

/// A text in every format.
pub fn compressed() -> Vec<Vec<u8>> {
    let text = b"hotpath says the same thing again and again. ".repeat(40);
    let seed = |(choice, format): (usize, &Format)| {
        let mut input = vec![choice as u8];
        input.extend(compress(*format, 5, &text).expect("memory"));
        input
    };
    FORMATS.iter().enumerate().map(seed).collect()
}

/// Reads a matrix, and uses what can be read: all parts must fit each other.
pub fn sparse_matrix(input: &[u8]) {
    both_ways(input, *b"HPSM", |bytes| {
        let Ok(mut matrix) = Sparse::deserialize(bytes) else {
            return;
        };
        let (rows, columns) = matrix.shape();
        let count = matrix.elements((0, 0), usize::MAX).expect("memory").len();
        assert!(count <= matrix.len());
        assert_eq!(matrix.get(rows, columns), 0.0);
        // A matrix of many columns and no elements is small; what turns columns into rows is not.
        if columns < 1 << 16 {
            let turned = matrix.transpose().expect("memory");
            assert_eq!(turned.shape(), (columns, rows));
        }
        assert!(matrix.serialize().expect("memory") == bytes);
    });
}

/// An empty one, and one with elements.
pub fn sparse_matrices() -> Vec<Vec<u8>> {
    let mut matrix = Sparse::new(6, 9).expect("memory");
    let mut seeds = vec![matrix.serialize().expect("memory")];
    for place in 0..20 {
        matrix
            .set(place * 7 % 6, place * 5 % 9, f64::from(place) + 0.5)
            .expect("inside");
    }
    seeds.push(matrix.serialize().expect("memory"));
    seeds
}

/// Reads a filter, and uses what can be read.
pub fn bloom_filter(input: &[u8]) {
    both_ways(input, *b"HPBF", |bytes| {
        let Ok(mut filter) = Bloom::deserialize(bytes) else {
            return;
        };
        assert!(filter.serialize().expect("memory") == bytes);
        filter.add(b"item");
        assert!(filter.has(b"item"));
        let other = filter.clone();
        filter.unite(&other).expect("two of a kind");
    });
}

/// Filters of several sizes.
pub fn bloom_filters() -> Vec<Vec<u8>> {
    let filter = |capacity, rate| {
        let mut filter = Bloom::new(capacity, rate, 7).expect("memory");
        (0..10u8).for_each(|item| _ = filter.add(&[item]));
        filter.serialize().expect("memory")
    };
    vec![filter(1, 0.5), filter(20, 0.01), filter(500, 0.1)]
}

/// As it is, and as the body of a frame with the right checksum, which no mutation would find.
fn both_ways(input: &[u8], name: [u8; 4], read: impl Fn(&[u8])) {
    read(input);
    let frame = Envelope {
        name,
        version: 1,
        what: "input",
    };
    const HEADER: usize = 16;
    let body = input.get(HEADER..input.len().saturating_sub(4)).unwrap_or(input);
    let sealed = frame
        .seal(body.len(), |bytes| bytes.extend(body))
        .expect("memory");
    read(&sealed);
}
