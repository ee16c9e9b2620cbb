//! Globs over keys: `keys('user:*')`, `deletePattern('session:[0-9]*')`.
//!
//! | written | matches |
//! |---|---|
//! | `*` | any run of characters, also an empty one; line ends are characters like any other |
//! | `?` | exactly one character: a code point, or a surrogate that stands alone |
//! | `[abc]` `[a-z]` `[!a]` `[^a]` | one character that is, or is not, in the set |
//! | `\x` | the character `x`, whatever it is; also within a set |
//!
//! In a set `]` stands for itself when it comes first, `-` when it comes first or last; a range
//! whose ends are swapped means the same range. A `[` that is never closed and a `\` at the very
//! end stand for themselves. The whole key has to match; case counts.
//!
//! Keys and patterns are WTF-8 (see [`crate::engine::text`]). The pattern's literal beginning is
//! compared as bytes; only what follows it becomes a regular expression, for the crate `regex`,
//! whose matching time is linear in the key whatever the pattern. So a pattern without wildcards,
//! or with a single `*` at its end, costs a comparison, and no pattern can be made to explode.

mod parse;
#[cfg(test)]
mod tests;

use parse::Token;
use regex::bytes::{Regex, RegexBuilder};
use std::fmt::Write;

/// Characters of pattern that may follow the literal beginning. More is refused before it is
/// translated: in the worst case matching looks at all of them for each byte of a key.
const MAX_WILD_CHARACTERS: usize = 1024;

/// Bytes that a compiled expression may take. One `?` or set takes up to about 1 KiB.
const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// One character in a byte expression: a code point or a lone surrogate.
const ANY_CHARACTER: &str = r"(?:(?s:.)|(?-u:\xED[\xA0-\xBF][\x80-\xBF]))";

/// Why a pattern was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// The part from the first wildcard on is longer than 1,024 characters, or needs more than 1 MiB once
    /// compiled (about 800 `?`).
    #[error("the pattern is too long or has too many wildcards")]
    TooComplex,
}

/// A compiled glob. Cheap to share between threads; not cheap to make (microseconds to
/// milliseconds unless it is a literal or `prefix*`), so make it once per operation.
#[derive(Debug)]
pub struct Glob {
    prefix: Vec<u8>,
    rest: Rest,
}

/// What must follow the prefix.
#[derive(Debug)]
enum Rest {
    Nothing,
    Anything,
    Matching(Regex),
}

impl Glob {
    /// Compiles a pattern given as WTF-8. For other bytes some glob comes out; which is not
    /// specified.
    ///
    /// # Errors
    /// [`GlobError::TooComplex`] if the pattern would take too much memory or time.
    pub fn new(pattern: &[u8]) -> Result<Self, GlobError> {
        let parsed = parse::parse(pattern);
        let rest = match parsed.tokens.as_slice() {
            [] => Rest::Nothing,
            [Token::Run] => Rest::Anything,
            _ if parsed.wild_characters > MAX_WILD_CHARACTERS => return Err(GlobError::TooComplex),
            tokens => Rest::Matching(compile(tokens)?),
        };
        Ok(Self {
            prefix: parsed.prefix,
            rest,
        })
    }

    /// Whether the whole key (WTF-8) matches. Linear in the key; a comparison of bytes for
    /// patterns without wildcards and for `prefix*`. Bytes that are not WTF-8 match `*` only.
    #[must_use]
    pub fn matches(&self, key: &[u8]) -> bool {
        match &self.rest {
            Rest::Nothing => key == self.prefix,
            Rest::Anything => key.starts_with(&self.prefix),
            Rest::Matching(regex) => key
                .strip_prefix(self.prefix.as_slice())
                .is_some_and(|rest| regex.is_match(rest)),
        }
    }

    /// The one key that can match, if the pattern has no wildcard: look it up instead of scanning.
    /// Escapes are resolved, so this is the key and not the pattern.
    #[must_use]
    pub fn literal(&self) -> Option<&[u8]> {
        matches!(self.rest, Rest::Nothing).then_some(&self.prefix)
    }

    /// What every matching key begins with (WTF-8, escapes resolved); may be empty.
    #[must_use]
    pub fn literal_prefix(&self) -> &[u8] {
        &self.prefix
    }
}

fn compile(tokens: &[Token]) -> Result<Regex, GlobError> {
    let mut expression = String::from(r"\A");
    for token in tokens {
        match token {
            // Bytes, not characters: what follows a run begins with a character's first byte.
            Token::Run => expression.push_str(r"(?s-u:.)*"),
            Token::One => expression.push_str(ANY_CHARACTER),
            Token::Literal(code) => push_set(&mut expression, &[(*code, *code)]),
            Token::Set(ranges) => push_set(&mut expression, ranges),
        }
    }
    expression.push_str(r"\z");
    RegexBuilder::new(&expression)
        .size_limit(MAX_COMPILED_BYTES)
        .build()
        .map_err(|_| GlobError::TooComplex)
}

/// Writes an expression for one character in sorted ranges that do not overlap.
fn push_set(expression: &mut String, ranges: &[(u32, u32)]) {
    const SURROGATES: (u32, u32) = (0xD800, 0xDFFF);
    let mut scalars = String::new();
    let mut surrogates = String::new();
    for (first, last) in ranges {
        // Writing to a String cannot fail.
        if *first < SURROGATES.0 {
            let _ = write!(
                scalars,
                r"\x{{{first:X}}}-\x{{{:X}}}",
                last.min(&(SURROGATES.0 - 1))
            );
        }
        if *last > SURROGATES.1 {
            let _ = write!(
                scalars,
                r"\x{{{:X}}}-\x{{{last:X}}}",
                first.max(&(SURROGATES.1 + 1))
            );
        }
        push_surrogates(
            &mut surrogates,
            *first.max(&SURROGATES.0),
            *last.min(&SURROGATES.1),
        );
    }
    let _ = match (scalars.as_str(), surrogates.as_str()) {
        // An empty set (the complement of everything) matches nothing.
        ("", "") => write!(expression, r"[^\x{{0}}-\x{{10FFFF}}]"),
        (scalars, "") => write!(expression, "[{scalars}]"),
        ("", surrogates) => write!(expression, "(?-u:{})", &surrogates[1..]),
        (scalars, surrogates) => write!(expression, "(?:[{scalars}]|(?-u:{}))", &surrogates[1..]),
    };
}

/// Writes `|`-led alternatives for the bytes of the surrogates from `first` to `last`.
fn push_surrogates(alternatives: &mut String, first: u32, last: u32) {
    if (first, last) == (0xD800, 0xDFFF) {
        alternatives.push_str(r"|\xED[\xA0-\xBF][\x80-\xBF]");
        return;
    }
    let mut code = first;
    while code <= last {
        let block_end = last.min(code | 0x3F);
        let _ = write!(
            alternatives,
            r"|\xED\x{:X}[\x{:X}-\x{:X}]",
            0x80 | code >> 6 & 0x3F,
            0x80 | code & 0x3F,
            0x80 | block_end & 0x3F
        );
        code = block_end + 1;
    }
}
