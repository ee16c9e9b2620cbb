//! An entry as bytes, for tiers that keep nothing else: what goes with a value stands before it.
//!
//! ```text
//! version  kind  expires  kept until  tags                               payload
//! 1 byte   1     8        8           varint count, each varint length,  the rest
//!                                     name, 8 bytes of generation
//! ```
//!
//! Numbers are little endian, times are milliseconds since 1970, and 0 stands for "never".

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Entry, Tag};
use crate::engine::cache::record::Kind;
use crate::error::{Error, Result};

/// What the form is called; another one would have another number.
const VERSION: u8 = 1;

/// Bytes before the tags.
const FIXED: usize = 18;

/// Where the times are.
const EXPIRES: usize = 2;

/// Puts an entry into bytes.
pub fn write(entry: &Entry) -> Vec<u8> {
    let mut bytes = BytesMut::with_capacity(FIXED + 8 + tag_bytes(&entry.tags) + entry.payload.len());
    bytes.put_u8(VERSION);
    bytes.put_u8(entry.kind.0);
    bytes.put_u64_le(entry.expires.unwrap_or(0));
    bytes.put_u64_le(entry.kept_until.unwrap_or(0));
    put_varint(&mut bytes, entry.tags.len());
    for tag in entry.tags.iter() {
        put_varint(&mut bytes, tag.name.len());
        bytes.put_slice(tag.name.as_bytes());
        bytes.put_u64_le(tag.generation);
    }
    bytes.put_slice(&entry.payload);
    bytes.into()
}

/// Reads what [`write`] wrote. The payload is a part of `bytes`, not a copy.
///
/// # Errors
/// [`Error::Damaged`] when it is something else.
pub fn read(mut bytes: Bytes) -> Result<Entry> {
    if bytes.len() < FIXED || bytes.get_u8() != VERSION {
        return Err(damaged());
    }
    let kind = Kind(bytes.get_u8());
    let (expires, kept_until) = (bytes.get_u64_le(), bytes.get_u64_le());
    let count = varint(&mut bytes)?;
    let mut tags = Vec::new();
    for _ in 0..count {
        let length = varint(&mut bytes)?;
        if length.checked_add(8).is_none_or(|length| length > bytes.len()) {
            return Err(damaged());
        }
        let name = bytes.split_to(length);
        let name = std::str::from_utf8(&name).map_err(|_| damaged())?.into();
        let generation = bytes.get_u64_le();
        tags.push(Tag { name, generation });
    }
    let time = |ms: u64| (ms != 0).then_some(ms);
    Ok(Entry {
        kind,
        payload: bytes,
        expires: time(expires),
        kept_until: time(kept_until),
        tags: Arc::from(tags),
    })
}

/// When the entry of an envelope expires, without a look at the rest.
pub fn expires(bytes: &[u8]) -> Option<u64> {
    let ms = bytes.get(EXPIRES..EXPIRES + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(ms)).filter(|ms| *ms != 0)
}

/// Lets the entry of an envelope end at a time, and keeps it for no longer. Without effect on
/// what is no envelope.
pub fn set_times(bytes: &mut [u8], expires: Option<u64>) {
    let ms = expires.unwrap_or(0).to_le_bytes();
    if let Some(times) = bytes.get_mut(EXPIRES..FIXED) {
        times.copy_from_slice(&[ms, ms].concat());
    }
}

fn tag_bytes(tags: &[Tag]) -> usize {
    tags.iter().map(|tag| tag.name.len() + 10).sum()
}

fn put_varint(bytes: &mut BytesMut, mut number: usize) {
    while number >= 0x80 {
        bytes.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.put_u8(number as u8);
}

fn varint(bytes: &mut Bytes) -> Result<usize> {
    let mut number = 0;
    for shift in (0..28).step_by(7) {
        if bytes.is_empty() {
            return Err(damaged());
        }
        let byte = bytes.get_u8();
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged())
}

fn damaged() -> Error {
    Error::Damaged {
        reason: "it has no proper envelope".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let tag = |name: &str, generation| Tag {
            name: name.into(),
            generation,
        };
        Entry {
            expires: Some(1_700_000_000_000),
            kept_until: None,
            tags: [tag("red", 0), tag(&"ü".repeat(300), u64::MAX)].into(),
            ..Entry::new(Kind::BUFFER, &b"\0payload"[..])
        }
    }

    #[test]
    fn everything_comes_back() {
        for entry in [entry(), Entry::new(Kind(0), Bytes::new())] {
            assert_eq!(read(write(&entry).into()).unwrap(), entry);
        }
    }

    #[test]
    fn times_are_read_and_set_where_they_are() {
        let mut bytes = write(&entry());
        assert_eq!(expires(&bytes), entry().expires);
        for times in [Some(7), None] {
            set_times(&mut bytes, times);
            assert_eq!(expires(&bytes), times);
            let read = read(bytes.clone().into()).unwrap();
            assert_eq!((read.expires, read.kept_until), (times, times));
            assert_eq!((read.tags, read.payload), (entry().tags, entry().payload));
        }
        assert_eq!(expires(b"short"), None);
        set_times(&mut [1, 2, 3], Some(4));
    }

    #[test]
    fn what_is_cut_or_changed_is_refused_or_read_without_panic() {
        let whole = write(&entry());
        for end in 0..whole.len() - entry().payload.len() {
            assert!(read(Bytes::copy_from_slice(&whole[..end])).is_err(), "{end}");
        }
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 0xff;
            let _ = read(changed.into());
        }
    }
}
