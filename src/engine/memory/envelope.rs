//! The frame around a serialized structure: four letters that name it, a version, the length
//! of what follows, and behind it a CRC-32 of everything before. All numbers are little-endian.

use flate2::Crc;

use crate::error::{Error, Result};

/// Name, version and three bytes of zeros, length.
const HEADER: usize = 16;
const CHECKSUM: usize = 4;

/// What a structure is called in bytes, and in errors.
#[derive(Debug, Clone, Copy)]
pub struct Envelope {
    /// Four letters.
    pub name: [u8; 4],
    /// The version that is written, and the only one that is read.
    pub version: u8,
    /// For error messages, for example `bloom filter`.
    pub what: &'static str,
}

impl Envelope {
    /// Bytes that the frame adds.
    pub const BYTES: usize = HEADER + CHECKSUM;

    /// A body in its frame. `write` appends the body of `length` bytes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn seal(&self, length: usize, write: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(length + Self::BYTES)
            .map_err(|_| Error::OutOfMemory)?;
        bytes.extend(self.name);
        bytes.extend([self.version, 0, 0, 0]);
        bytes.extend((length as u64).to_le_bytes());
        write(&mut bytes);
        debug_assert_eq!(bytes.len(), HEADER + length);
        let checksum = crc(&bytes);
        bytes.extend(checksum.to_le_bytes());
        Ok(bytes)
    }

    /// The body of a frame.
    ///
    /// # Errors
    /// [`Error::BadData`] for anything that [`seal`](Self::seal) has not written.
    pub fn open<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(self.bad("it is too short"));
        };
        if header[..4] != self.name {
            return Err(self.bad("it is something else"));
        }
        if header[4] != self.version {
            let reason = format!("it is of version {}, and this is {}", header[4], self.version);
            return Err(self.bad(&reason));
        }
        let length = read_u64(&header[8..]);
        let expected = length.checked_add(CHECKSUM as u64);
        if header[5..8] != [0; 3] || expected != Some(rest.len() as u64) {
            return Err(self.bad("it has another length than it says"));
        }
        let (covered, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
        if crc(covered).to_le_bytes() != checksum {
            return Err(self.bad("its checksum is wrong"));
        }
        Ok(&covered[HEADER..])
    }

    /// An error about this structure.
    #[must_use]
    pub fn bad(&self, reason: &str) -> Error {
        Error::BadData {
            what: self.what,
            reason: reason.to_owned(),
        }
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The first eight bytes as a number; missing ones are zeros.
#[must_use]
pub fn read_u64(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    for (place, byte) in number.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: Envelope = Envelope {
        name: *b"HPXX",
        version: 3,
        what: "test",
    };

    #[test]
    fn what_was_sealed_is_opened() {
        for body in [&b""[..], b"body", &[7; 1000]] {
            let sealed = TEST.seal(body.len(), |bytes| bytes.extend(body)).unwrap();
            assert_eq!(TEST.open(&sealed), Ok(body));
        }
    }

    #[test]
    fn every_change_is_found() {
        let sealed = TEST.seal(5, |bytes| bytes.extend(b"hello")).unwrap();
        for length in 0..sealed.len() {
            assert!(TEST.open(&sealed[..length]).is_err());
        }
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(TEST.open(&damaged).is_err(), "bit {bit}");
        }
        let longer = [&sealed[..], b"!"].concat();
        assert!(TEST.open(&longer).is_err());
    }
}
