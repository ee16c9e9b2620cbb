//! Globs, and what caches read from disk and from Redis.

use hotpath::engine::cache::disk::record::{self, Head, Place};
use hotpath::engine::cache::glob::Glob;
use hotpath::engine::cache::record::Kind;
use hotpath::engine::cache::redis::dictionary::Document;

/// Up to the first NUL a glob, then a key.
pub fn glob(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let (Some(pattern), key) = (parts.next(), parts.next().unwrap_or_default()) else {
        return;
    };
    let Ok(glob) = Glob::new(pattern) else { return };
    let matches = glob.matches(key);
    assert!(!matches || key.starts_with(glob.literal_prefix()));
    if let Some(literal) = glob.literal() {
        assert_eq!(matches, key == literal);
        assert!(glob.matches(literal));
    }
}

/// What globs are made of, each with a key.
pub fn globs() -> Vec<Vec<u8>> {
    [
        "user:*\0user:1",
        "a[!b-d]?\\*]\0ax?*]",
        "**[]a-]\0-",
        "[z-a\0[z-a",
        "\u{e9}?*[\u{1f600}]\0\u{e9}x\u{1f600}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Reads an entry as it is, and with the right checksum: what can be read is written again
/// the same.
pub fn disk_entry(input: &[u8]) {
    let _ = record::decode(input);
    let mut sealed = input.to_vec();
    if record::decode_unchecked(input).is_none() || sealed.len() < 40 {
        return;
    }
    // Writes the checksum, too.
    record::set_expires(&mut sealed, 17);
    let stored = record::decode(&sealed).expect("its checksum is right");
    assert!(record::cost(&stored) >= stored.key.len() as u64);
    let again = record::encode(&stored.head, stored.key, stored.attributes, stored.place);
    // Nobody writes attributes of no length.
    if stored.attributes.is_empty() && again.len() != sealed.len() {
        return;
    }
    // Two bytes are spare.
    assert_eq!(again[16..38], sealed[16..38]);
    assert_eq!(again[40..], sealed[40..]);
}

/// A value in place, and one in a file, both with attributes.
pub fn entries() -> Vec<Vec<u8>> {
    let head = Head {
        kind: Kind(8),
        created_ms: 1,
        expires_ms: u64::MAX,
        indexed_ms: 2,
    };
    [
        Place::Inline(b"payload"),
        Place::File {
            id: 7,
            length: 1 << 40,
        },
    ]
    .map(|place| record::encode(&head, b"key", b"attributes", place))
    .to_vec()
}

/// Reads a dictionary, and adds the second half of the input to it.
pub fn redis_dictionary(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let document = parts.next().and_then(Document::parse);
    let shape = parts.next().unwrap_or_default();
    let Some(text) = Document::with_shape(document.as_ref(), shape, 3) else {
        return;
    };
    let grown = Document::parse(&text).expect("our own");
    let before = document.map_or(0, |document| document.stamp.shapes);
    assert_eq!(grown.stamp.shapes, before + 1);
    assert!(
        Document::with_shape(Some(&grown), shape, 3).is_none(),
        "it is there already"
    );
}

/// Dictionaries, each with a shape to add.
pub fn dictionaries() -> Vec<Vec<u8>> {
    [
        r#"{"id":7,"shapes":[["a","b"]]}"#,
        r#"{"id":4294967295,"shapes":[]}"#,
        "none",
    ]
    .map(|text| [text.as_bytes(), b"\0[\"c\"]"].concat())
    .to_vec()
}
