//! Compression piece by piece: what comes in is made smaller as it comes, and can be flushed, so
//! that a reader sees everything that was written so far.
//!
//! One thread at a time may use an encoder; its owner sees to that, and to the order of the
//! pieces. An encoder holds the window of its format: some hundred kilobytes for gzip, some
//! megabytes for brotli and zstd. It ends with its last owner, finished or not.

use std::io::{self, Write};
use std::mem;

use brotlic::{BrotliEncoderOptions, CompressorWriter, Quality};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::compression::Format;
use crate::error::{Error, Result};

/// The largest window of zstd that HTTP allows is 8 MiB (RFC 9659); levels beyond this one have
/// larger ones.
const ZSTD_LEVELS: (i32, i32) = (1, 19);

/// What is to be done after a piece was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// More will come: what is given out is whatever has become full.
    Continue,
    /// Everything so far is given out. Costs some bytes.
    Flush,
    /// Nothing more will come.
    Finish,
}

/// An encoder of one stream.
pub struct Encoder(State);

enum State {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Brotli(CompressorWriter<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    /// Finished, with what was not given out yet.
    Last(Vec<u8>),
    Ended,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.0 {
            State::Gzip(_) => "gzip",
            State::Deflate(_) => "deflate",
            State::Brotli(_) => "brotli",
            State::Zstd(_) => "zstd",
            State::Last(_) | State::Ended => "ended",
        };
        formatter.debug_tuple("Encoder").field(&name).finish()
    }
}

impl Encoder {
    /// An encoder at its beginning. Levels out of a format's range count as the nearest one.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; and [`Error::Inconsistent`] for LZ4, which no HTTP client reads.
    pub fn new(format: Format, level: i32) -> Result<Self> {
        let state = match format {
            Format::Gzip => State::Gzip(GzEncoder::new(Vec::new(), deflate_level(level))),
            Format::Deflate => State::Deflate(ZlibEncoder::new(Vec::new(), deflate_level(level))),
            Format::Brotli => State::Brotli(brotli(level)?),
            Format::Zstd => {
                let level = level.clamp(ZSTD_LEVELS.0, ZSTD_LEVELS.1);
                let encoder = zstd::stream::write::Encoder::new(Vec::new(), level);
                State::Zstd(encoder.map_err(|_| Error::OutOfMemory)?)
            }
            Format::Lz4 => {
                let reason = "lz4 has no stream encoder here".to_owned();
                return Err(Error::Inconsistent { reason });
            }
        };
        Ok(Self(state))
    }

    /// Takes a piece in, and gives out what there is. After [`Then::Finish`], and after an
    /// error, the encoder gives nothing any more.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn push(&mut self, piece: &[u8], then: Then) -> Result<Vec<u8>> {
        let done = match then {
            Then::Finish => self.write(piece).and_then(|()| self.finish()),
            Then::Flush => self.write(piece).and_then(|()| self.flush()),
            Then::Continue => self.write(piece),
        };
        match done {
            Ok(()) => Ok(self.take()),
            // Writing to memory fails for want of memory alone.
            Err(_) => {
                self.0 = State::Ended;
                Err(Error::OutOfMemory)
            }
        }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            State::Gzip(encoder) => encoder.write_all(piece),
            State::Deflate(encoder) => encoder.write_all(piece),
            State::Brotli(encoder) => encoder.write_all(piece),
            State::Zstd(encoder) => encoder.write_all(piece),
            State::Last(_) | State::Ended => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            State::Gzip(encoder) => encoder.flush(),
            State::Deflate(encoder) => encoder.flush(),
            State::Brotli(encoder) => encoder.flush(),
            State::Zstd(encoder) => encoder.flush(),
            State::Last(_) | State::Ended => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        let rest = match mem::replace(&mut self.0, State::Ended) {
            State::Gzip(encoder) => encoder.finish()?,
            State::Deflate(encoder) => encoder.finish()?,
            State::Brotli(encoder) => encoder
                .into_inner()
                .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?,
            State::Zstd(encoder) => encoder.finish()?,
            State::Last(rest) => rest,
            State::Ended => Vec::new(),
        };
        self.0 = State::Last(rest);
        Ok(())
    }

    fn take(&mut self) -> Vec<u8> {
        match &mut self.0 {
            State::Gzip(encoder) => mem::take(encoder.get_mut()),
            State::Deflate(encoder) => mem::take(encoder.get_mut()),
            State::Brotli(encoder) => mem::take(encoder.get_mut()),
            State::Zstd(encoder) => mem::take(encoder.get_mut()),
            State::Last(rest) => {
                let rest = mem::take(rest);
                self.0 = State::Ended;
                rest
            }
            State::Ended => Vec::new(),
        }
    }
}

fn deflate_level(level: i32) -> Compression {
    Compression::new(level.clamp(0, 9).unsigned_abs())
}

fn brotli(level: i32) -> Result<CompressorWriter<Vec<u8>>> {
    let level = u8::try_from(level.clamp(0, 11)).unwrap_or(11);
    let quality = Quality::new(level).map_err(|_| Error::OutOfMemory)?;
    let encoder = BrotliEncoderOptions::new().quality(quality).build();
    let encoder = encoder.map_err(|_| Error::OutOfMemory)?;
    Ok(CompressorWriter::with_encoder(encoder, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::super::compression::decompress;
    use super::*;

    const FORMATS: [Format; 4] = [Format::Gzip, Format::Deflate, Format::Brotli, Format::Zstd];

    fn piece(seed: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| ((at * 31 + seed) % 61) as u8).collect()
    }

    #[test]
    fn pieces_come_back_in_order() {
        for format in FORMATS {
            let mut encoder = Encoder::new(format, 4).unwrap();
            let (mut original, mut compressed) = (Vec::new(), Vec::new());
            for (seed, length) in [3, 0, 70_000, 1, 300_000].into_iter().enumerate() {
                let piece = piece(seed, length);
                let then = if seed % 2 == 0 {
                    Then::Continue
                } else {
                    Then::Flush
                };
                compressed.extend(encoder.push(&piece, then).unwrap());
                original.extend(piece);
            }
            compressed.extend(encoder.push(b"the end", Then::Finish).unwrap());
            original.extend(b"the end");
            assert!(
                decompress(format, &compressed, original.len()).as_ref() == Ok(&original),
                "{format:?}"
            );
        }
    }

    #[test]
    fn a_flush_gives_out_everything() {
        use std::io::Read;
        for format in FORMATS {
            let mut encoder = Encoder::new(format, 4).unwrap();
            let mut seen = Vec::new();
            for turn in 0..20 {
                let text = format!("data: {turn}\n\n");
                seen.extend(encoder.push(text.as_bytes(), Then::Flush).unwrap());
            }
            let mut read = vec![0; 10_000];
            // A reader that wants no more than there is gets it before the end of the stream.
            let wanted: usize = (0..20).map(|turn| format!("data: {turn}\n\n").len()).sum();
            let read = &mut read[..wanted];
            match format {
                Format::Gzip => flate2::read::GzDecoder::new(&seen[..]).read_exact(read),
                Format::Deflate => flate2::read::ZlibDecoder::new(&seen[..]).read_exact(read),
                Format::Brotli => brotlic::DecompressorReader::new(&seen[..]).read_exact(read),
                _ => zstd::stream::read::Decoder::new(&seen[..])
                    .unwrap()
                    .read_exact(read),
            }
            .unwrap();
            assert!(read.ends_with(b"data: 19\n\n"), "{format:?}");
        }
    }

    #[test]
    fn nothing_comes_after_the_end() {
        for format in FORMATS {
            let mut encoder = Encoder::new(format, 4).unwrap();
            assert!(!encoder.push(b"", Then::Finish).unwrap().is_empty());
            assert!(encoder.push(b"more", Then::Flush).unwrap().is_empty());
            assert!(encoder.push(b"more", Then::Finish).unwrap().is_empty());
        }
        assert!(Encoder::new(Format::Lz4, 0).is_err());
    }
}
