//! Values as Redis holds them.
//!
//! In the native form a value is a byte with the codec's kind, and its payload. Numbers are the
//! exception: they stand as decimal text, so that Redis can add to them and everybody can read
//! them. What does not begin with a kind was written by another client: text that is a number
//! is read as a number, other text as a string, and bytes as a Buffer.
//!
//! Entries of a multi-level cache with tags or grace stand in an
//! [`envelope`](crate::engine::cache::tier::envelope), behind a byte of their own.
//!
//! In the JSON form a value is JSON text, which JavaScript makes and reads.
//!
//! A record names the dictionary that its shapes are in, and how many of its shapes it may use:
//! its *stamp*, five bytes before the payload. See [`dictionary`](super::dictionary).

use bytes::Bytes;

use super::config::Format;
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::{Entry, envelope, unix_ms};
use crate::error::{Error, Result};

/// The codec's kind of plain data with a dictionary.
pub const RECORD: Kind = Kind(10);

/// The largest kind that the codec knows.
const LAST_KIND: u8 = Kind::PORTABLE.0;

/// Bytes of a stamp.
pub const STAMP_BYTES: usize = 5;

/// Which dictionary a record was written with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The dictionary; 0 for none.
    pub dictionary: u32,
    /// How many of its shapes were known.
    pub shapes: u8,
}

impl Stamp {
    fn bytes(self) -> [u8; STAMP_BYTES] {
        let [a, b, c, d] = self.dictionary.to_le_bytes();
        [a, b, c, d, self.shapes]
    }

    /// The stamp at the beginning of a record's payload.
    pub fn of(payload: &[u8]) -> Option<Self> {
        let &[a, b, c, d, shapes, ..] = payload else {
            return None;
        };
        let dictionary = u32::from_le_bytes([a, b, c, d]);
        Some(Self { dictionary, shapes })
    }
}

/// Begins an entry of a multi-level cache that has more than a value and an expiry.
const SEALED: u8 = 14;

/// An encoded value as it came from Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its form.
    pub kind: Kind,
    /// The entry that it is the value of, if it stood in an envelope.
    pub envelope: Option<Entry>,
    bytes: Vec<u8>,
    start: usize,
}

impl Value {
    /// Its payload. That of a record begins with its [`Stamp`].
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Kind and payload.
    pub fn into_parts(mut self) -> (Kind, Vec<u8>) {
        self.bytes.drain(..self.start);
        (self.kind, self.bytes)
    }

    /// False for an entry of a multi-level cache that is only kept to be served when there is
    /// nothing better.
    pub fn is_fresh(&self) -> bool {
        self.envelope
            .as_ref()
            .is_none_or(|entry| entry.is_fresh(unix_ms()))
    }

    /// The dictionary that is needed to read it, if it is one.
    pub fn stamp(&self) -> Option<Stamp> {
        if self.kind != RECORD {
            return None;
        }
        Stamp::of(self.payload()).filter(|stamp| stamp.shapes > 0)
    }
}

/// Puts an encoded value into the form of Redis. The stamp is for a record whose payload does
/// not have one yet.
pub fn write(format: Format, kind: Kind, payload: &[u8], stamp: Option<Stamp>) -> Vec<u8> {
    if format == Format::Json {
        return text(kind, payload);
    }
    if kind == Kind::NUMBER
        && let Some(number) = number(payload)
    {
        return number;
    }
    let stamp = stamp.filter(|_| kind == RECORD).map(Stamp::bytes);
    let mut bytes = Vec::with_capacity(1 + STAMP_BYTES + payload.len());
    bytes.push(kind.0);
    bytes.extend(stamp.into_iter().flatten());
    bytes.extend_from_slice(payload);
    bytes
}

/// Puts an entry's envelope into the form of Redis.
pub fn seal(envelope: &[u8]) -> Vec<u8> {
    [&[SEALED], envelope].concat()
}

/// A finite number as decimal text that reads back as the same number.
pub fn decimal(number: f64) -> String {
    // Without an exponent, the largest numbers would be hundreds of digits long.
    if number == 0.0 || (1e-7..1e21).contains(&number.abs()) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

fn number(payload: &[u8]) -> Option<Vec<u8>> {
    let number = f64::from_le_bytes(payload.try_into().ok()?);
    number.is_finite().then(|| decimal(number).into_bytes())
}

/// JSON text comes as one of the codec's strings.
fn text(kind: Kind, payload: &[u8]) -> Vec<u8> {
    match kind {
        Kind::LATIN1 => payload
            .iter()
            .map(|&byte| char::from(byte))
            .collect::<String>()
            .into_bytes(),
        _ => payload.to_vec(),
    }
}

/// Reads what stands in Redis.
///
/// # Errors
/// [`Error::Damaged`] when it is not of the expected form.
pub fn read(format: Format, bytes: Vec<u8>) -> Result<Value> {
    if format == Format::Json {
        return match std::str::from_utf8(&bytes) {
            // The cheaper form to make a string of.
            Ok(text) if text.is_ascii() => Ok(whole(Kind::LATIN1, bytes)),
            Ok(_) => Ok(whole(Kind::UTF8, bytes)),
            Err(_) => Err(damaged("it is no JSON text")),
        };
    }
    match bytes.first() {
        Some(&kind) if kind <= LAST_KIND => {
            let start = 1;
            let kind = Kind(kind);
            if kind == RECORD && bytes.len() <= STAMP_BYTES + start {
                return Err(damaged("a record ends early"));
            }
            Ok(Value {
                kind,
                envelope: None,
                bytes,
                start,
            })
        }
        Some(&SEALED) => {
            let entry = envelope::read(Bytes::from(bytes).slice(1..))?;
            let (kind, payload) = (entry.kind, entry.payload.to_vec());
            let envelope = Some(entry);
            Ok(Value {
                envelope,
                ..whole(kind, payload)
            })
        }
        _ => Ok(foreign(bytes)),
    }
}

/// What another client wrote, or a number.
fn foreign(bytes: Vec<u8>) -> Value {
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return whole(Kind::BUFFER, bytes);
    };
    match text.parse::<f64>() {
        Ok(number)
            if number.is_finite() && text.ends_with(|last: char| last.is_ascii_digit() || last == '.') =>
        {
            whole(Kind::NUMBER, number.to_le_bytes().to_vec())
        }
        _ if text.is_ascii() => whole(Kind::LATIN1, bytes),
        _ => whole(Kind::UTF8, bytes),
    }
}

fn whole(kind: Kind, bytes: Vec<u8>) -> Value {
    Value {
        kind,
        envelope: None,
        bytes,
        start: 0,
    }
}

fn damaged(reason: &str) -> Error {
    Error::Damaged {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(kind: Kind, payload: &[u8]) {
        let value = read(Format::Native, write(Format::Native, kind, payload, None)).unwrap();
        assert_eq!((value.kind, value.payload()), (kind, payload));
        assert_eq!(value.into_parts(), (kind, payload.to_vec()));
    }

    #[test]
    fn every_kind_comes_back() {
        for kind in (0..=3).map(Kind) {
            round_trip(kind, &[]);
        }
        for kind in [
            Kind::LATIN1,
            Kind::UTF8,
            Kind::UTF16,
            Kind::BUFFER,
            Kind::BYTES,
            Kind(11),
            Kind(12),
        ] {
            round_trip(kind, b"abc");
            round_trip(kind, b"");
        }
        for number in [
            0.0,
            -0.0,
            1.5,
            -1e300,
            5e-324,
            1e21,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            round_trip(Kind::NUMBER, &number.to_le_bytes());
        }
        round_trip(Kind::NUMBER, &f64::NAN.to_le_bytes());
    }

    #[test]
    fn numbers_are_text_that_redis_can_add_to() {
        let text = |number: f64| write(Format::Native, Kind::NUMBER, &number.to_le_bytes(), None);
        assert_eq!(text(42.0), b"42");
        assert_eq!(text(-0.5), b"-0.5");
        assert_eq!(text(1e21), b"1e21");
    }

    #[test]
    fn what_other_clients_wrote_is_read_as_what_it_looks_like() {
        let kind = |bytes: &[u8]| read(Format::Native, bytes.to_vec()).unwrap().kind;
        assert_eq!(kind(b"42"), Kind::NUMBER);
        assert_eq!(kind(b"-1.5e3"), Kind::NUMBER);
        assert_eq!(kind(b"inf"), Kind::LATIN1);
        assert_eq!(kind(b"hello"), Kind::LATIN1);
        assert_eq!(kind("grün".as_bytes()), Kind::UTF8);
        assert_eq!(kind(b""), Kind::LATIN1);
        assert_eq!(kind(b"\xff\xfe"), Kind::BUFFER);
    }

    #[test]
    fn a_record_carries_its_stamp() {
        let stamp = Stamp {
            dictionary: 0xdead_beef,
            shapes: 3,
        };
        let value = read(Format::Native, write(Format::Native, RECORD, b"xyz", Some(stamp))).unwrap();
        assert_eq!(value.stamp(), Some(stamp));
        assert_eq!(&value.payload()[STAMP_BYTES..], b"xyz");
        assert!(read(Format::Native, vec![RECORD.0, 1, 2]).is_err());
    }

    #[test]
    fn what_is_sealed_comes_back_with_all_that_goes_with_it() {
        let entry = Entry {
            kept_until: Some(5),
            expires: Some(3),
            ..Entry::new(Kind::UTF8, "text")
        };
        let value = read(Format::Native, seal(&envelope::write(&entry))).unwrap();
        assert_eq!((value.kind, value.payload()), (Kind::UTF8, &b"text"[..]));
        assert!(!value.is_fresh());
        assert_eq!(value.envelope, Some(entry));
        assert!(read(Format::Native, vec![SEALED, 9]).is_err());
    }

    #[test]
    fn json_is_text_in_utf8() {
        assert_eq!(
            write(Format::Json, Kind::LATIN1, b"\"\xfc\"", None),
            "\"ü\"".as_bytes()
        );
        assert!(read(Format::Json, vec![0xff]).is_err());
    }
}
