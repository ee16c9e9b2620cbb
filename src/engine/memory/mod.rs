//! Bytes made smaller, and structures that need few of them.
//!
//! - [`compression`]: gzip, deflate, brotli, lz4 and zstd in the formats that other programs
//!   read, with a bound on what decompression may produce.
//! - [`compression_stream`]: the same piece by piece, for what is sent while it is made.
//! - [`sparse`]: a matrix that stores what is not zero.
//! - [`bloom`]: a set that answers "perhaps" in ten bits an item.
//! - [`envelope`]: the frame of serialized structures: what it is, which version, a checksum.
//!
//! Everything here is plain data without locks or threads. What comes from outside (bytes to
//! decompress, or to read a structure from) is checked before it is believed: damaged input is
//! [`Error::BadData`](crate::error::Error::BadData), never a panic, and never more memory than
//! the input or the caller's bound accounts for. The fuzz targets in `fuzz/` hold it to that.

pub mod bloom;
pub mod compression;
pub mod compression_stream;
pub mod envelope;
pub mod sparse;
