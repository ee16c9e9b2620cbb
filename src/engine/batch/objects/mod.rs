//! Objects that data providers keep off the JavaScript heap, in containers, by UUID.
//!
//! Objects are encoded values; nothing here looks inside. UUIDs of version 7 begin with the
//! time, so a container in the order of its UUIDs is in the order of its additions.
//!
//! - [`MemoryObjects`] belongs to one thread and takes no lock.
//! - [`DiskObjects`] is an LMDB environment, shared by all threads and processes that open
//!   the same directory. A batch of additions is one transaction: all of it, or nothing.

mod disk;
mod memory;

pub use disk::DiskObjects;
pub use memory::MemoryObjects;

use crate::engine::cache::record::Kind;

/// The number that a UUID is.
pub type Uuid = u128;

/// An encoded object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The codec's kind.
    pub kind: Kind,
    /// Its payload.
    pub bytes: Box<[u8]>,
}

/// UUIDs of version 7 (RFC 9562), ascending: also within a millisecond, and for all threads of
/// the process.
pub fn new_uuids(count: usize) -> impl Iterator<Item = Uuid> {
    (0..count).map(|_| uuid::Uuid::now_v7().as_u128())
}

/// Length of a UUID in its usual form.
pub const UUID_LENGTH: usize = uuid::fmt::Hyphenated::LENGTH;

/// Reads a UUID in its usual form, 36 characters. `None` for anything else: no object has
/// such a name.
pub fn parse_uuid(text: &[u8]) -> Option<Uuid> {
    if text.len() != UUID_LENGTH {
        return None;
    }
    uuid::Uuid::try_parse_ascii(text).ok().map(|uuid| uuid.as_u128())
}

/// Appends the usual form of a UUID, all ASCII.
pub fn write_uuid(uuid: Uuid, text: &mut Vec<u8>) {
    let mut form = [0; UUID_LENGTH];
    let form = uuid::Uuid::from_u128(uuid).hyphenated().encode_lower(&mut form);
    text.extend_from_slice(form.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_uuids_ascend() {
        let uuids: Vec<Uuid> = new_uuids(10_000).collect();
        assert!(uuids.is_sorted_by(|a, b| a < b));
        assert!(
            uuids
                .iter()
                .all(|uuid| uuid >> 76 & 15 == 7 && uuid >> 62 & 3 == 2)
        );
    }

    #[test]
    fn uuids_are_read_in_one_form_only() {
        let text = "0193e5a4-7b2c-7def-8123-456789abcdef";
        let uuid = parse_uuid(text.as_bytes()).unwrap();
        let mut written = Vec::new();
        write_uuid(uuid, &mut written);
        assert_eq!(written, text.as_bytes());
        assert_eq!(parse_uuid(text.to_uppercase().as_bytes()), Some(uuid));
        for other in [
            "",
            "x",
            &text.replace('-', ""),
            &format!("{{{text}}}"),
            &text.replace('a', "g"),
        ] {
            assert_eq!(parse_uuid(other.as_bytes()), None, "{other}");
        }
    }
}
