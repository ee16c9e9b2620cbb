//! Compression in the formats that other programs read: gzip, deflate (zlib), Brotli, LZ4
//! frames and Zstandard frames.
//!
//! Decompression takes a bound for its result and stops there: a few kilobytes can stand for
//! gigabytes. Input that is cut short, that is something else, or that has bytes behind its end
//! is an error.
//!
//! Brotli is Google's own, in C: the Rust port (crate `brotli`) compressed at 54 to 78 % of its
//! speed at the levels that serve requests. Checksums: gzip and deflate carry their own, LZ4 and
//! Zstandard frames are written with one; Brotli has none.

use std::io::{self, ErrorKind, Read, Write};

use brotlic::{BrotliEncoderOptions, CompressorWriter, DecompressorReader, Quality};
use flate2::Compression;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use lz4_flex::frame::{BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use crate::error::{Error, Result};

/// A format. Levels out of a format's range count as the nearest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952. Levels 0 to 9.
    Gzip,
    /// RFC 1950, what HTTP calls deflate. Levels 0 to 9.
    Deflate,
    /// RFC 7932. Levels 0 to 11.
    Brotli,
    /// LZ4 frames. No levels.
    Lz4,
    /// RFC 8878. Levels 1 to 22.
    Zstd,
}

/// Results are grown by so many bytes at least.
const CHUNK: usize = 64 * 1024;

const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

impl Format {
    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "brotli" => Self::Brotli,
            "lz4" => Self::Lz4,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// What errors call data of this format.
    fn what(self) -> &'static str {
        match self {
            Self::Gzip => "gzip data",
            Self::Deflate => "deflate data",
            Self::Brotli => "brotli data",
            Self::Lz4 => "lz4 data",
            Self::Zstd => "zstd data",
        }
    }
}

/// The compressed form. Runs on the calling thread.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub fn compress(format: Format, level: i32, data: &[u8]) -> Result<Vec<u8>> {
    let compressed = match format {
        Format::Gzip => write_all(
            data,
            |out| GzEncoder::new(out, deflate_level(level)),
            GzEncoder::finish,
        ),
        Format::Deflate => write_all(
            data,
            |out| ZlibEncoder::new(out, deflate_level(level)),
            ZlibEncoder::finish,
        ),
        Format::Brotli => brotli(level, data),
        Format::Lz4 => lz4(data),
        Format::Zstd => zstd(level, data),
    };
    // Writing to memory fails for want of memory alone.
    compressed.map_err(|_| Error::OutOfMemory)
}

fn write_all<W: Write>(
    data: &[u8],
    encoder: impl FnOnce(Vec<u8>) -> W,
    finish: impl FnOnce(W) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let mut encoder = encoder(reserved(data.len() / 4)?);
    encoder.write_all(data)?;
    finish(encoder)
}

fn deflate_level(level: i32) -> Compression {
    Compression::new(level.clamp(0, 9).unsigned_abs())
}

fn brotli(level: i32, data: &[u8]) -> io::Result<Vec<u8>> {
    let level = u8::try_from(level.clamp(0, 11)).unwrap_or(11);
    let quality = Quality::new(level).map_err(|_| ErrorKind::InvalidInput)?;
    let mut options = BrotliEncoderOptions::new();
    options.quality(quality);
    options.size_hint(u32::try_from(data.len()).unwrap_or(u32::MAX));
    let encoder = options.build().map_err(|_| ErrorKind::OutOfMemory)?;
    let finish =
        |writer: CompressorWriter<Vec<u8>>| writer.into_inner().map_err(|_| ErrorKind::OutOfMemory.into());
    write_all(data, |out| CompressorWriter::with_encoder(encoder, out), finish)
}

fn lz4(data: &[u8]) -> io::Result<Vec<u8>> {
    let info = FrameInfo::new()
        // The encoder has a copy of a block, and room for its result. Larger blocks compress no
        // better and no faster, smaller ones see less of the text behind them.
        .block_size(BlockSize::Max1MB)
        .content_size(Some(data.len() as u64))
        .content_checksum(true);
    let finish = |encoder: FrameEncoder<Vec<u8>>| encoder.finish().map_err(|_| ErrorKind::OutOfMemory.into());
    write_all(data, |out| FrameEncoder::with_frame_info(info, out), finish)
}

fn zstd(level: i32, data: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(level.clamp(1, 22))?;
    compressor.include_checksum(true)?;
    compressor.compress(data)
}

/// What was compressed, if it has at most `limit` bytes. Runs on the calling thread, and takes
/// memory as the result grows: never more than the limit, but for the format's own window
/// (at most 128 MiB).
///
/// # Errors
/// [`Error::BadData`], [`Error::ExceedsLimit`], [`Error::OutOfMemory`].
pub fn decompress(format: Format, data: &[u8], limit: usize) -> Result<Vec<u8>> {
    // Some decoders take nothing for the compressed form of nothing.
    if data.is_empty() {
        return Err(bad(format, "it is empty"));
    }
    match format {
        Format::Gzip => {
            let mut decoder = MultiGzDecoder::new(data);
            read_all(format, &mut decoder, limit, data.len())
        }
        Format::Deflate => {
            let mut decoder = ZlibDecoder::new(data);
            let result = read_all(format, &mut decoder, limit, data.len())?;
            ended(format, decoder.get_ref(), result)
        }
        Format::Brotli => {
            let mut decoder = DecompressorReader::new(data);
            let result = read_all(format, &mut decoder, limit, data.len())?;
            let (rest, state) = decoder.into_parts();
            if !state.is_finished() {
                return Err(bad(format, "it ends too early"));
            }
            ended(format, rest, result)
        }
        Format::Lz4 => decompress_lz4(data, limit),
        Format::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(data);
            let mut decoder = decoder.map_err(|error| refused(format, &error))?;
            read_all(format, &mut decoder, limit, data.len())
        }
    }
}

fn decompress_lz4(data: &[u8], limit: usize) -> Result<Vec<u8>> {
    let format = Format::Lz4;
    // The decoder takes an end of its input between two blocks for the end of the frame.
    let mut rest = data;
    while !rest.is_empty() {
        rest =
            behind_lz4_frame(rest).ok_or_else(|| bad(format, "it ends too early, or is something else"))?;
    }
    let result = read_all(format, &mut FrameDecoder::new(data), limit, data.len())?;
    Ok(result)
}

/// What is behind the first frame of LZ4 data, if that is whole (LZ4 frame format 1.6.1).
fn behind_lz4_frame(data: &[u8]) -> Option<&[u8]> {
    let rest = data.strip_prefix(&LZ4_MAGIC)?;
    let flags = *rest.first()?;
    let bytes_if = |bit: u8, bytes: usize| usize::from(flags >> bit & 1) * bytes;
    let (block_checksum, content_checksum) = (bytes_if(4, 4), bytes_if(2, 4));
    let (content_size, dictionary) = (bytes_if(3, 8), bytes_if(0, 4));
    let mut rest = rest.get(3 + content_size + dictionary..)?;
    loop {
        let (size, block) = rest.split_first_chunk::<4>()?;
        // The highest bit tells that the block is not compressed.
        match u32::from_le_bytes(*size) & 0x7fff_ffff {
            0 => return block.get(content_checksum..),
            size => rest = block.get(size as usize + block_checksum..)?,
        }
    }
}

fn ended(format: Format, rest: &[u8], result: Vec<u8>) -> Result<Vec<u8>> {
    if rest.is_empty() {
        return Ok(result);
    }
    Err(bad(format, "there are bytes behind its end"))
}

fn read_all(format: Format, decoder: &mut impl Read, limit: usize, hint: usize) -> Result<Vec<u8>> {
    let mut result: Vec<u8> = Vec::new();
    let mut chunk = hint.saturating_mul(4).clamp(CHUNK, 1 << 22);
    loop {
        // One byte more than is allowed tells that there is more.
        let room = chunk.min((limit - result.len()).saturating_add(1));
        let start = result.len();
        result.try_reserve(room).map_err(|_| Error::OutOfMemory)?;
        result.resize(start + room, 0);
        let mut filled = start;
        while filled < result.len() {
            match decoder.read(&mut result[filled..]) {
                Ok(0) => {
                    result.truncate(filled);
                    return checked(result, limit);
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(refused(format, &error)),
            }
        }
        if result.len() > limit {
            return Err(Error::ExceedsLimit { limit });
        }
        chunk = result.len().clamp(CHUNK, 1 << 26);
    }
}

fn checked(result: Vec<u8>, limit: usize) -> Result<Vec<u8>> {
    if result.len() > limit {
        return Err(Error::ExceedsLimit { limit });
    }
    Ok(result)
}

fn refused(format: Format, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => bad(format, "it ends too early"),
        ErrorKind::OutOfMemory => Error::OutOfMemory,
        _ => bad(format, &error.to_string()),
    }
}

fn bad(format: Format, reason: &str) -> Error {
    Error::BadData {
        what: format.what(),
        reason: reason.to_owned(),
    }
}

fn reserved(length: usize) -> io::Result<Vec<u8>> {
    let mut vector = Vec::new();
    vector.try_reserve(length).map_err(|_| ErrorKind::OutOfMemory)?;
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Format; 5] = [
        Format::Gzip,
        Format::Deflate,
        Format::Brotli,
        Format::Lz4,
        Format::Zstd,
    ];
    const LIMIT: usize = 1 << 24;

    fn text(length: usize) -> Vec<u8> {
        b"hotpath compresses text. "
            .iter()
            .copied()
            .cycle()
            .take(length)
            .collect()
    }

    #[test]
    fn everything_comes_back_at_every_level() {
        for format in ALL {
            for data in [text(0), text(1), text(100_000), text(5_000_000)] {
                for level in [-5, 1, 4, 9, 99] {
                    let level = if data.len() > 100_000 { level.min(4) } else { level };
                    let compressed = compress(format, level, &data).unwrap();
                    assert!(
                        decompress(format, &compressed, data.len()).as_ref() == Ok(&data),
                        "{format:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 50_000_000];
        for format in ALL {
            let bomb = compress(format, 5, &zeros).unwrap();
            assert!(bomb.len() < 300_000);
            for limit in [0, 1, 1000, 49_999_999] {
                assert_eq!(
                    decompress(format, &bomb, limit),
                    Err(Error::ExceedsLimit { limit }),
                    "{format:?}"
                );
            }
            assert_eq!(
                decompress(format, &bomb, zeros.len()).map(|data| data.len()),
                Ok(zeros.len())
            );
        }
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        for format in ALL {
            let compressed = compress(format, 5, &text(3000)).unwrap();
            for length in 0..compressed.len() {
                let result = decompress(format, &compressed[..length], LIMIT);
                assert!(
                    matches!(result, Err(Error::BadData { .. })),
                    "{format:?} at {length}: {result:?}"
                );
            }
        }
    }

    #[test]
    fn what_has_more_behind_its_end_is_an_error() {
        for format in ALL {
            let longer = [compress(format, 5, &text(3000)).unwrap(), vec![1, 2, 3]].concat();
            assert!(
                matches!(decompress(format, &longer, LIMIT), Err(Error::BadData { .. })),
                "{format:?}"
            );
        }
    }

    #[test]
    fn no_format_takes_another_for_its_own() {
        for format in ALL {
            for other in ALL.into_iter().filter(|other| *other != format) {
                let compressed = compress(other, 5, &text(3000)).unwrap();
                assert!(
                    decompress(format, &compressed, LIMIT).is_err(),
                    "{other:?} as {format:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn noise_and_damage_are_no_panic(
            noise in prop::collection::vec(any::<u8>(), 0..300),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            for format in ALL {
                let _ = decompress(format, &noise, LIMIT);
                let mut damaged = compress(format, 3, &text(500)).unwrap();
                let at = at.index(damaged.len());
                damaged[at] = byte;
                let _ = decompress(format, &damaged, LIMIT);
            }
        }
    }
}
