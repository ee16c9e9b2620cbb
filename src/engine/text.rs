//! Conversions between the text of JavaScript and the bytes that engines keep.
//!
//! A JavaScript string is a sequence of 16-bit units in which a surrogate may stand alone. UTF-8
//! has no place for one, and replacing it by U+FFFD would let two different keys collide. Keys are
//! therefore kept as WTF-8 (Simon Sapin, <https://simonsapin.github.io/wtf-8/>): UTF-8, in which a
//! lone surrogate is written as the three bytes that its number would have (`ED A0..BF xx`). Text
//! without lone surrogates is plain UTF-8, and different strings always have different bytes.
//!
//! All functions are linear in their input and accept any bytes. Those that write append to `out`.

use encoding_rs::mem;

/// The first byte of a lone surrogate; also of U+D000 to U+D7FF (part of Hangul).
const SURROGATE_LEAD: u8 = 0xED;

/// Appends UTF-16 units as WTF-8: a surrogate pair becomes the four bytes of its character, a lone
/// surrogate three bytes `ED A0..BF xx`.
///
/// Leaves up to three bytes of capacity per unit in `out`.
pub fn utf16_to_wtf8(units: &[u16], out: &mut Vec<u8>) {
    let mut rest = units;
    loop {
        let (valid, tail) = rest.split_at(mem::utf16_valid_up_to(rest));
        let start = out.len();
        out.resize(start + valid.len() * 3, 0);
        let written = mem::convert_utf16_to_utf8(valid, &mut out[start..]);
        out.truncate(start + written);
        let Some((lone, after)) = tail.split_first() else {
            return;
        };
        let low_six = |shift: u32| 0x80 | (lone >> shift & 0x3F) as u8;
        out.extend_from_slice(&[SURROGATE_LEAD, low_six(6), low_six(0)]);
        rest = after;
    }
}

/// Appends WTF-8 as UTF-16 units: the inverse of [`utf16_to_wtf8`].
///
/// Bytes that are not WTF-8 become U+FFFD, as the WHATWG Encoding Standard replaces them.
pub fn wtf8_to_utf16(bytes: &[u8], out: &mut Vec<u16>) {
    let mut rest = bytes;
    loop {
        let lone = find_lone_surrogate(rest);
        let (valid, tail) = rest.split_at(lone.unwrap_or(rest.len()));
        let start = out.len();
        // The converter demands one unit more than it can fill.
        out.resize(start + valid.len() + 1, 0);
        let written = mem::convert_utf8_to_utf16(valid, &mut out[start..]);
        out.truncate(start + written);
        let [_, second, third, after @ ..] = tail else {
            return;
        };
        out.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
        rest = after;
    }
}

/// Whether WTF-8 holds a lone surrogate, that is, whether it is not UTF-8.
///
/// A search for the byte `ED`, which only surrogates and a part of Hangul begin with.
#[must_use]
pub fn has_lone_surrogate(bytes: &[u8]) -> bool {
    find_lone_surrogate(bytes).is_some()
}

/// Whether all bytes are below 0x80: then they are at once UTF-8, WTF-8 and Latin-1.
#[must_use]
pub fn is_ascii(bytes: &[u8]) -> bool {
    bytes.is_ascii()
}

/// Appends UTF-8 as Latin-1 (one byte a character, the engine's cheapest string) if every
/// character is below U+0100. If one is not, or the bytes are not UTF-8: `false`, and `out` is as
/// it was.
///
/// Stops reading at the first character that does not fit.
#[must_use]
pub fn utf8_to_latin1(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    if !mem::is_utf8_latin1(bytes) {
        return false;
    }
    let start = out.len();
    out.resize(start + bytes.len(), 0);
    let written = mem::convert_utf8_to_latin1_lossy(bytes, &mut out[start..]);
    out.truncate(start + written);
    true
}

/// Whether UTF-8 holds U+FFFD (`EF BF BD`): text that came through Node-API's UTF-8 getters may
/// then have lost a lone surrogate, and has to be read as UTF-16 instead.
///
/// A search for the byte `EF`, which U+F000 to U+FFFF begin with.
#[must_use]
pub fn contains_replacement_character(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0xEF, bytes).any(|at| matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBD])))
}

/// Where the first lone surrogate begins. It is three bytes long.
fn find_lone_surrogate(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(SURROGATE_LEAD, bytes)
        .find(|at| matches!(bytes.get(at + 1..at + 3), Some([0xA0..=0xBF, 0x80..=0xBF])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Units that meet all cases often: ASCII, Latin-1, Hangul at `ED`, both kinds of surrogates,
    /// the replacement character, anything.
    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit = prop_oneof![
            4 => 0x20u16..0x7F,
            1 => 0x80u16..0x100,
            1 => 0xD000u16..0xD800,
            2 => 0xD800u16..0xDC00,
            2 => 0xDC00u16..0xE000,
            1 => 0xFFF0u16..=0xFFFF,
            1 => any::<u16>(),
        ];
        prop::collection::vec(unit, 0..80)
    }

    fn to_wtf8(units: &[u16]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        utf16_to_wtf8(units, &mut out);
        out.split_off(6)
    }

    fn to_utf16(bytes: &[u8]) -> Vec<u16> {
        let mut out = vec![1, 2, 3];
        wtf8_to_utf16(bytes, &mut out);
        out.split_off(3)
    }

    /// By the definition, unit by unit.
    fn naive_wtf8(units: &[u16]) -> Vec<u8> {
        let mut out = Vec::new();
        for decoded in char::decode_utf16(units.iter().copied()) {
            match decoded {
                Ok(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(lone) => {
                    let unit = u32::from(lone.unpaired_surrogate());
                    let bytes = [0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F];
                    out.extend(bytes.map(|byte| byte as u8));
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn any_units_round_trip(units in units()) {
            let bytes = to_wtf8(&units);
            prop_assert_eq!(&bytes, &naive_wtf8(&units));
            prop_assert_eq!(to_utf16(&bytes), &units[..]);
            prop_assert_eq!(has_lone_surrogate(&bytes), std::str::from_utf8(&bytes).is_err());
        }

        #[test]
        fn text_is_plain_utf8(text in any::<String>()) {
            let units: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(to_wtf8(&units), text.as_bytes());
            prop_assert_eq!(to_utf16(text.as_bytes()), units);
            prop_assert!(!has_lone_surrogate(text.as_bytes()));
            prop_assert_eq!(is_ascii(text.as_bytes()), text.chars().all(|char| char < '\u{80}'));
        }

        #[test]
        fn any_bytes_are_accepted(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xED), Just(0xA0), Just(0xEF)], 0..60)) {
            let _ = has_lone_surrogate(&bytes);
            let _ = contains_replacement_character(&bytes);
            // What has become text once stays the same text.
            let units = to_utf16(&bytes);
            prop_assert_eq!(to_utf16(&to_wtf8(&units)), units);
            if !has_lone_surrogate(&bytes) {
                let lossy: Vec<u16> = String::from_utf8_lossy(&bytes).encode_utf16().collect();
                prop_assert_eq!(to_utf16(&bytes), lossy);
            }
        }

        #[test]
        fn latin1_round_trips_or_is_refused(text in "[a-z\u{80}-\u{FF}]{0,40}[\u{100}-\u{10FFFF}]?") {
            let mut out = vec![7];
            let fits = text.chars().all(|char| char < '\u{100}');
            prop_assert_eq!(utf8_to_latin1(text.as_bytes(), &mut out), fits);
            let expected: String = out[1..].iter().map(|byte| char::from(*byte)).collect();
            prop_assert_eq!(expected, if fits { text } else { String::new() });
        }

        #[test]
        fn finds_the_replacement_character(text in "[a\u{F000}-\u{FFFF}\u{FFFD}]{0,9}") {
            prop_assert_eq!(contains_replacement_character(text.as_bytes()), text.contains('\u{FFFD}'));
        }
    }

    #[test]
    fn fixed_examples() {
        assert_eq!(to_wtf8(&[0xD83D, 0xDE00]), "😀".as_bytes());
        assert_eq!(to_wtf8(&[0xDE00, 0xD83D]), [0xED, 0xB8, 0x80, 0xED, 0xA0, 0xBD]);
        assert_eq!(to_wtf8(&[0, 0xD800, 0x41]), [0, 0xED, 0xA0, 0x80, 0x41]);
        assert_eq!(to_utf16(&[0xED, 0xA0]), [0xFFFD, 0xFFFD]);
        assert!(!utf8_to_latin1(&[0xED, 0xA0, 0x80], &mut Vec::new()));
        assert!(!utf8_to_latin1(&[0xFF], &mut Vec::new()));
        assert!(utf8_to_latin1(b"", &mut Vec::new()));
        assert!(!has_lone_surrogate("힣".as_bytes()));
    }

    #[test]
    fn long_keys_work() {
        let mut units = vec![0x61; 70_000];
        units.extend([0xD800; 70_000]);
        assert_eq!(to_utf16(&to_wtf8(&units)), units);
    }
}
