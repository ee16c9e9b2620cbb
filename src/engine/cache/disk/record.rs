//! An entry as it is stored: bookkeeping, the full key, and the value or where it is.
//!
//! LMDB takes keys of at most 511 bytes, so entries stand under a hash of 128 bits, and the
//! key stands in the value. Two keys with one hash push each other out; neither is ever
//! taken for the other.
//!
//! An entry that a multi-level cache wrote may have more to it (tags, a time for which it is
//! kept beyond its freshness): such a one is *sealed*, with its attributes, an
//! [`envelope`] without payload, between key and value. Its time in the bookkeeping is that
//! until which it is kept.

use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::envelope;

/// Bytes of the hash that entries stand under.
pub const HASH_BYTES: usize = 16;

/// The name of an entry in LMDB.
pub type Hash = [u8; HASH_BYTES];

/// The hash of a key. The same in every process, since they share the entries.
pub fn hash_of(key: &[u8]) -> Hash {
    // Big-endian, so that LMDB sorts by it and a random hash is a random place.
    xxh3_128(key).to_be_bytes()
}

/// "Never", for times.
pub const NEVER: u64 = u64::MAX;

/// Bytes before the key: checksum, indexed, created, expires, length of the key, kind, place.
const HEAD_BYTES: usize = 40;

/// From here on the checksum counts. The time that the expiry index knows is left out: it
/// changes with the entry's history, and a wrong one costs a look, never a wrong value.
const SUMMED: usize = 16;

/// No file is longer: what says so is damaged, and sums of lengths cannot overflow.
const MOST_FILE_BYTES: u64 = 1 << 60;

const INLINE: u8 = 0;
const FILE: u8 = 1;
/// Added to the place of an entry with attributes, whose length comes before them.
const SEALED: u8 = 2;

/// What tells a file of values from others of the same key.
pub type FileId = u64;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Right here.
    Inline(&'a [u8]),
    /// In a file beside the environment.
    File {
        /// Its name, with the hash.
        id: FileId,
        /// Bytes of the value.
        length: u64,
    },
}

/// The bookkeeping of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The form of the value.
    pub kind: Kind,
    /// When it was written, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it expires, likewise, or [`NEVER`].
    pub expires_ms: u64,
    /// Its time in the expiry index, or [`NEVER`].
    pub indexed_ms: u64,
}

impl Head {
    /// True when its time is over.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_ms <= now_ms
    }
}

/// A stored entry, seen in LMDB's memory.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// Its bookkeeping.
    pub head: Head,
    /// Its key.
    pub key: &'a [u8],
    /// What goes with it; empty for one that is not sealed.
    pub attributes: &'a [u8],
    /// Its value.
    pub place: Place<'a>,
    /// All of it, as it is stored.
    pub bytes: &'a [u8],
}

impl Stored<'_> {
    /// True while it may be handed out as it is.
    pub fn is_fresh(&self, now_ms: u64) -> bool {
        now_ms < self.fresh_until_ms()
    }

    /// Until when it may be handed out as it is, or [`NEVER`].
    pub fn fresh_until_ms(&self) -> u64 {
        match self.attributes {
            [] => self.head.expires_ms,
            sealed => envelope::expires(sealed)
                .unwrap_or(NEVER)
                .min(self.head.expires_ms),
        }
    }
}

/// Makes the bytes of an entry.
pub fn encode(head: &Head, key: &[u8], attributes: &[u8], place: Place<'_>) -> Vec<u8> {
    let payload = match place {
        Place::Inline(payload) => payload.len(),
        Place::File { .. } => 16,
    };
    let mut bytes = Vec::with_capacity(HEAD_BYTES + key.len() + 4 + attributes.len() + payload);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&head.indexed_ms.to_le_bytes());
    bytes.extend_from_slice(&head.created_ms.to_le_bytes());
    bytes.extend_from_slice(&head.expires_ms.to_le_bytes());
    bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
    let place_tag = match place {
        Place::Inline(_) => INLINE,
        Place::File { .. } => FILE,
    };
    let sealed = if attributes.is_empty() { 0 } else { SEALED };
    bytes.extend_from_slice(&[head.kind.0, place_tag | sealed, 0, 0]);
    bytes.extend_from_slice(key);
    if !attributes.is_empty() {
        bytes.extend_from_slice(&(attributes.len() as u32).to_le_bytes());
        bytes.extend_from_slice(attributes);
    }
    match place {
        Place::Inline(payload) => bytes.extend_from_slice(payload),
        Place::File { id, length } => {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
        }
    }
    let sum = xxh3_64(&bytes[SUMMED..]);
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// An encoded entry in three parts, the second being the time that the expiry index knows,
/// which is only known when the entry is written.
pub fn around_indexed(bytes: &[u8]) -> [&[u8]; 3] {
    [&bytes[..8], &bytes[8..SUMMED], &bytes[SUMMED..]]
}

/// Changes when an encoded entry expires. One that would be kept beyond that is no longer.
pub fn set_expires(bytes: &mut [u8], expires_ms: u64) {
    bytes[24..32].copy_from_slice(&expires_ms.to_le_bytes());
    if let Some(sealed) = attributes_within(bytes) {
        let expires = (expires_ms != NEVER).then_some(expires_ms);
        envelope::set_times(&mut bytes[sealed], expires);
    }
    let sum = xxh3_64(&bytes[SUMMED..]);
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
}

/// Where the attributes of an encoded entry are, if it has any.
fn attributes_within(bytes: &[u8]) -> Option<Range<usize>> {
    let stored = decode_unchecked(bytes)?;
    let start = HEAD_BYTES + stored.key.len() + 4;
    (!stored.attributes.is_empty()).then(|| start..start + stored.attributes.len())
}

/// Reads an entry. None if it is damaged.
pub fn decode(bytes: &[u8]) -> Option<Stored<'_>> {
    let stored = decode_unchecked(bytes)?;
    (number(bytes, 0) == xxh3_64(&bytes[SUMMED..])).then_some(stored)
}

/// The same without a look at the checksum, for bookkeeping that does not depend on the
/// value.
pub fn decode_unchecked(bytes: &[u8]) -> Option<Stored<'_>> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let key_bytes = u32::from_le_bytes(head[32..36].try_into().ok()?) as usize;
    let (key, rest) = rest.split_at_checked(key_bytes)?;
    let (attributes, payload) = match head[37] & SEALED {
        0 => (&[][..], rest),
        _ => {
            let (length, rest) = rest.split_first_chunk()?;
            rest.split_at_checked(u32::from_le_bytes(*length) as usize)?
        }
    };
    let place = match head[37] & !SEALED {
        INLINE => Place::Inline(payload),
        FILE if payload.len() == 16 && number(payload, 8) <= MOST_FILE_BYTES => Place::File {
            id: number(payload, 0),
            length: number(payload, 8),
        },
        _ => return None,
    };
    Some(Stored {
        head: Head {
            kind: Kind(head[36]),
            created_ms: number(head, 16),
            expires_ms: number(head, 24),
            indexed_ms: number(head, 8),
        },
        key,
        attributes,
        place,
        bytes,
    })
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// What LMDB keeps in a leaf at most; longer entries get pages of their own.
const MOST_IN_LEAF: u64 = 2038;

const PAGE_BYTES: u64 = 4096;

/// Bytes of a node and its pointer, beside entry and hash.
const NODE_BYTES: u64 = 8 + 2 + HASH_BYTES as u64;

/// What an entry counts toward the quota: the room that it takes, in pages if it has its
/// own. Leaves that are partly empty are not counted; the map has room for them.
pub fn cost(stored: &Stored<'_>) -> u64 {
    let own = NODE_BYTES + stored.bytes.len() as u64;
    let in_environment = match own > MOST_IN_LEAF {
        true => NODE_BYTES + (stored.bytes.len() as u64 + 16).next_multiple_of(PAGE_BYTES),
        false => own,
    };
    match stored.place {
        Place::Inline(_) => in_environment,
        Place::File { length, .. } => {
            in_environment + super::files::size_of(length).next_multiple_of(PAGE_BYTES)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::tier::Entry;
    use proptest::prelude::*;

    fn head() -> Head {
        Head {
            kind: Kind(10),
            created_ms: 1,
            expires_ms: 2,
            indexed_ms: 3,
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(key in proptest::collection::vec(any::<u8>(), 0..600), attributes in proptest::collection::vec(any::<u8>(), 0..60), value in proptest::collection::vec(any::<u8>(), 0..600)) {
            let bytes = encode(&head(), &key, &attributes, Place::Inline(&value));
            let stored = decode(&bytes).unwrap();
            prop_assert_eq!(stored.head, head());
            prop_assert_eq!(stored.key, &key[..]);
            prop_assert_eq!(stored.attributes, &attributes[..]);
            prop_assert_eq!(stored.place, Place::Inline(&value));
        }

        #[test]
        fn no_changed_bit_goes_unnoticed(value in proptest::collection::vec(any::<u8>(), 0..100), bit in 0usize..10_000) {
            let mut bytes = encode(&head(), b"key", b"", Place::Inline(&value));
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let in_index = (8..16).contains(&(bit / 8));
            prop_assert_eq!(decode(&bytes).is_some(), in_index);
        }

        #[test]
        fn rubbish_is_never_an_entry(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes).is_none());
        }
    }

    #[test]
    fn times_can_be_changed_in_place() {
        let mut bytes = encode(&head(), b"key", b"", Place::File { id: 5, length: 6 });
        set_expires(&mut bytes, 77);
        let [before, _, after] = around_indexed(&bytes);
        let bytes = [before, &66u64.to_le_bytes(), after].concat();
        let stored = decode(&bytes).unwrap();
        assert_eq!((stored.head.expires_ms, stored.head.indexed_ms), (77, 66));
        assert_eq!(stored.place, Place::File { id: 5, length: 6 });
    }

    #[test]
    fn a_new_end_is_the_end_of_a_sealed_entry_too() {
        let entry = Entry {
            expires: Some(5),
            kept_until: Some(9),
            ..Entry::new(Kind::LATIN1, "")
        };
        let attributes = envelope::write(&entry);
        let mut bytes = encode(&head(), b"key", &attributes, Place::Inline(b"value"));
        let fresh = |bytes: &[u8], now| decode(bytes).unwrap().is_fresh(now);
        assert!(
            fresh(&bytes, 1) && !fresh(&bytes, 2),
            "kept for less than it would be fresh"
        );
        set_expires(&mut bytes, 77);
        assert!(fresh(&bytes, 76) && !fresh(&bytes, 77));
        assert_eq!(decode(&bytes).unwrap().place, Place::Inline(b"value"));
        set_expires(&mut bytes, NEVER);
        assert!(fresh(&bytes, NEVER - 1));
    }
}
