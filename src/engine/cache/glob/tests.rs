use super::*;
use crate::engine::text;
use proptest::prelude::*;

fn matches(pattern: &str, key: &str) -> bool {
    Glob::new(pattern.as_bytes())
        .expect("a small pattern")
        .matches(key.as_bytes())
}

fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    text::utf16_to_wtf8(units, &mut out);
    out
}

fn codes(units: &[u16]) -> Vec<u32> {
    char::decode_utf16(units.iter().copied())
        .map(|code| code.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from))
        .collect()
}

/// The rules of the module's page, one by one and with backtracking.
fn naive(pattern: &[u32], key: &[u32]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return key.is_empty();
    };
    match char::from_u32(*first) {
        Some('*') => (0..=key.len()).any(|from| naive(rest, &key[from..])),
        Some('?') => !key.is_empty() && naive(rest, &key[1..]),
        Some('[') if naive_set(rest).is_some() => {
            let (negated, ranges, length) = naive_set(rest).expect("just seen");
            key.first().is_some_and(|code| {
                ranges.iter().any(|(a, b)| a.min(b) <= code && code <= a.max(b)) != negated
            }) && naive(&rest[length..], &key[1..])
        }
        Some('\\') if !rest.is_empty() => key.first() == rest.first() && naive(&rest[1..], &key[1..]),
        _ => key.first() == Some(first) && naive(rest, &key[1..]),
    }
}

type NaiveSet = (bool, Vec<(u32, u32)>, usize);

/// What follows a `[`: negated, ranges, length with the closing bracket.
fn naive_set(text: &[u32]) -> Option<NaiveSet> {
    let is = |at: usize, char: char| text.get(at) == Some(&u32::from(char));
    let element = |at: usize| {
        if is(at, '\\') {
            text.get(at + 1).map(|code| (*code, at + 2))
        } else {
            text.get(at).map(|code| (*code, at + 1))
        }
    };
    let negated = is(0, '!') || is(0, '^');
    let start = usize::from(negated);
    let (mut at, mut ranges) = (start, Vec::new());
    while at == start || !is(at, ']') {
        let (first, after) = element(at)?;
        at = after;
        let mut last = first;
        if is(at, '-') && !is(at + 1, ']') {
            (last, at) = element(at + 1)?;
        }
        ranges.push((first, last));
    }
    Some((negated, ranges, at + 1))
}

/// Few characters, so that patterns and keys meet: those with a meaning, letters, a line end, two,
/// three and four bytes, surrogates of both kinds.
fn units() -> impl Strategy<Value = Vec<u16>> {
    let special: Vec<Vec<u16>> = r"*?[]!^-\".encode_utf16().map(|unit| vec![unit]).collect();
    let plain: Vec<Vec<u16>> = ["a", "b", "c", "\n", "é", "힣", "\u{FFFD}", "😀"]
        .map(|text| text.encode_utf16().collect())
        .to_vec();
    let surrogates = vec![
        vec![0xD800],
        vec![0xD841],
        vec![0xDBFF],
        vec![0xDC00],
        vec![0xDFFF],
    ];
    let unit = prop_oneof![
        4 => prop::sample::select(special),
        4 => prop::sample::select(plain),
        1 => prop::sample::select(surrogates),
    ];
    prop::collection::vec(unit, 0..9).prop_map(|units| units.concat())
}

/// A pattern that has some chance to match the key: pieces of it replaced by wildcards.
fn related() -> impl Strategy<Value = (Vec<u16>, Vec<u16>)> {
    let edits = prop::collection::vec(
        (
            0usize..12,
            prop::sample::select(vec!["*", "?", "[!a]", "[a-z]", "[^]]", r"\", ""]),
        ),
        0..4,
    );
    (units(), edits).prop_map(|(key, edits)| {
        let mut pattern = key.clone();
        for (at, by) in edits {
            let at = at.min(pattern.len());
            let end = (at + 1).min(pattern.len());
            pattern.splice(at..end, by.encode_utf16());
        }
        (pattern, key)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn agrees_with_the_naive_matcher(
        (pattern, key) in prop_oneof![(units(), units()), related()],
    ) {
        let glob = Glob::new(&wtf8(&pattern)).expect("a small pattern");
        let (bytes, expected) = (wtf8(&key), naive(&codes(&pattern), &codes(&key)));
        prop_assert_eq!(glob.matches(&bytes), expected, "{:?}", glob);
        if expected {
            prop_assert!(bytes.starts_with(glob.literal_prefix()));
        }
        if let Some(literal) = glob.literal() {
            prop_assert_eq!(literal == bytes, expected);
        }
    }

    #[test]
    fn any_bytes_are_accepted(
        pattern in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"*?[]\\-\xED\xA0"[..])], 0..40),
        key in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        if let Ok(glob) = Glob::new(&pattern) {
            let _ = glob.matches(&key);
        }
    }
}

#[test]
fn the_rules_by_example() {
    for (pattern, hits, misses) in [
        ("", &[""][..], &["a"][..]),
        ("*", &["", "a", "a\nb", "\0"], &[]),
        ("user:*", &["user:", "user:1", "user:\n"], &["user", "xuser:1"]),
        ("*:name", &[":name", "a\nb:name"], &["name", ":names"]),
        ("a?c", &["abc", "a\nc", "a😀c", "aéc"], &["ac", "abbc"]),
        ("[abc]", &["a", "c"], &["d", "", "ab"]),
        ("[a-cx]", &["b", "x"], &["d", "-"]),
        ("[ac]", &["a", "c"], &["b"]),
        ("[c-a]", &["b"], &["-", "d"]),
        ("[!a-c]", &["d", "é", "\n"], &["b", ""]),
        ("[^a]", &["b"], &["a"]),
        ("[]a]", &["]", "a"], &["b"]),
        ("[!]]", &["a"], &["]"]),
        ("[a-]", &["a", "-"], &["b"]),
        (r"[\]\\]", &["]", r"\"], &["["]),
        (r"\*\?\[", &["*?["], &["x?[", r"\*\?\["]),
        ("a[b", &["a[b"], &["ab"]),
        ("[", &["["], &[""]),
        ("[]", &["[]"], &["]", ""]),
        (r"a\", &[r"a\"], &["a"]),
        ("A", &["A"], &["a"]),
        ("(a|b).$", &["(a|b).$"], &["a"]),
    ] {
        for key in hits {
            assert!(matches(pattern, key), "{pattern:?} should match {key:?}");
        }
        for key in misses {
            assert!(!matches(pattern, key), "{pattern:?} should not match {key:?}");
        }
    }
}

#[test]
fn a_lone_surrogate_is_one_character() {
    let key = wtf8(&[0x61, 0xD83D, 0x62]);
    for (pattern, expected) in [("a?b", true), ("a??b", false), ("a[!x]b", true), ("a[x]b", false)] {
        assert_eq!(
            Glob::new(pattern.as_bytes()).expect("small").matches(&key),
            expected,
            "{pattern}"
        );
    }
    let set = wtf8(&[0x5B, 0xD800, 0x2D, 0xD83E, 0x5D, 0x2A]);
    let glob = Glob::new(&set).expect("small");
    assert!(glob.matches(&wtf8(&[0xD83D])));
    assert!(!glob.matches(&wtf8(&[0xD83F])));
    // As a pair it is another character.
    assert!(!glob.matches(&wtf8(&[0xD83D, 0xDE00])));
}

#[test]
fn literals_need_no_expression() {
    let glob = Glob::new(br"user:\*").expect("small");
    assert_eq!(glob.literal(), Some(&b"user:*"[..]));
    let long = vec![b'k'; 1 << 20];
    assert!(Glob::new(&long).expect("a literal").matches(&long));
    let prefix = [&long[..], b"**"].concat();
    let glob = Glob::new(&prefix).expect("a prefix");
    assert!(glob.literal().is_none());
    assert_eq!(glob.literal_prefix(), long);
    assert!(glob.matches(&[&long[..], b"x"].concat()));
}

#[test]
fn hostile_patterns_end() {
    let key = vec![b'a'; 70_000];
    assert!(
        !Glob::new(&b"*a".repeat(20))
            .expect("small")
            .matches(&[&key[..], b"b"].concat())
    );
    assert!(
        !Glob::new(&[b"*?".repeat(300), b"b".to_vec()].concat())
            .expect("small")
            .matches(&key)
    );
    for pattern in [&b"?"[..], b"[!a]", b"*a", b"[", b"*[", "[!é]".as_bytes()] {
        let _ = Glob::new(&pattern.repeat(50_000));
    }
    assert_eq!(Glob::new(&b"?".repeat(50_000)).err(), Some(GlobError::TooComplex));
    assert_eq!(
        Glob::new(&b"[!a]".repeat(1000)).err(),
        Some(GlobError::TooComplex)
    );
}
