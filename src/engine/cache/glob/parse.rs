//! From a pattern's text to tokens. Linear in the pattern.

use crate::engine::text;

/// The largest code point.
const MAX_CODE: u32 = 0x0010_FFFF;

/// One element of a pattern. Characters are code points; a lone surrogate is its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `*`
    Run,
    /// `?`
    One,
    /// A character that stands for itself.
    Literal(u32),
    /// A set, as sorted ranges (first, last) that neither overlap nor touch.
    Set(Vec<(u32, u32)>),
}

/// A pattern taken apart.
pub(super) struct Parsed {
    /// Its characters before the first wildcard, as WTF-8.
    pub(super) prefix: Vec<u8>,
    /// What follows. Empty, or begins with a wildcard.
    pub(super) tokens: Vec<Token>,
    /// How many characters that part was written in.
    pub(super) wild_characters: usize,
}

/// Takes a pattern apart. Any bytes are a pattern.
pub(super) fn parse(pattern: &[u8]) -> Parsed {
    let special = pattern
        .iter()
        .position(|byte| b"*?[\\".contains(byte))
        .unwrap_or(pattern.len());
    let (plain, rest) = pattern.split_at(special);
    let mut units = Vec::new();
    text::wtf8_to_utf16(rest, &mut units);
    let codes: Vec<u32> = char::decode_utf16(units)
        .map(|decoded| decoded.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from))
        .collect();
    let mut parser = Parser {
        codes: &codes,
        at: 0,
        unclosed: false,
    };

    let mut prefix = plain.to_vec();
    let mut tokens = Vec::new();
    let mut prefix_end = 0;
    while let Some(token) = parser.next_token() {
        match (token, tokens.last()) {
            (Token::Literal(code), None) => {
                push_wtf8(&mut prefix, code);
                prefix_end = parser.at;
            }
            // Two runs are one run, and `*?` is `?*`, which leaves less to try.
            (Token::Run, Some(Token::Run)) => {}
            (Token::One, Some(Token::Run)) => tokens.insert(tokens.len() - 1, Token::One),
            (token, _) => tokens.push(token),
        }
    }
    Parsed {
        prefix,
        tokens,
        wild_characters: codes.len() - prefix_end,
    }
}

fn push_wtf8(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        // A surrogate, which fits one unit.
        None => text::utf16_to_wtf8(&[code as u16], out),
    }
}

struct Parser<'a> {
    codes: &'a [u32],
    at: usize,
    /// A `[` was found that is never closed. Then no later one is closed either, and looking for
    /// its end again would make parsing quadratic.
    unclosed: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u32> {
        self.codes.get(self.at).copied()
    }

    fn next_is(&self, char: char) -> bool {
        self.peek() == Some(u32::from(char))
    }

    fn bump(&mut self) -> Option<u32> {
        let code = self.peek()?;
        self.at += 1;
        Some(code)
    }

    /// The next character, or the one that a backslash escapes. A last backslash is itself.
    fn bump_escaped(&mut self) -> Option<u32> {
        let code = self.bump()?;
        if code == u32::from('\\') {
            self.bump().or(Some(code))
        } else {
            Some(code)
        }
    }

    fn next_token(&mut self) -> Option<Token> {
        match char::from_u32(self.peek()?) {
            Some('*') => self.bump().map(|_| Token::Run),
            Some('?') => self.bump().map(|_| Token::One),
            Some('[') => {
                let start = self.at;
                self.at += 1;
                if let Some(ranges) = self.set() {
                    return Some(Token::Set(ranges));
                }
                self.unclosed = true;
                self.at = start + 1;
                Some(Token::Literal(u32::from('[')))
            }
            _ => self.bump_escaped().map(Token::Literal),
        }
    }

    /// What follows a `[`, to the closing bracket; `None` if there is none.
    fn set(&mut self) -> Option<Vec<(u32, u32)>> {
        if self.unclosed {
            return None;
        }
        let negated = self.next_is('!') || self.next_is('^');
        if negated {
            self.at += 1;
        }
        let mut ranges = Vec::new();
        while ranges.is_empty() || !self.next_is(']') {
            let first = self.bump_escaped()?;
            let last = if self.next_is('-') && self.codes.get(self.at + 1)? != &u32::from(']') {
                self.at += 1;
                self.bump_escaped()?
            } else {
                first
            };
            ranges.push((first.min(last), first.max(last)));
        }
        self.at += 1;
        let ranges = merge(ranges);
        Some(if negated { complement(&ranges) } else { ranges })
    }
}

/// Sorts ranges and joins those that overlap or touch.
fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// All code points and surrogates that are in none of the ranges, which are merged.
fn complement(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut gaps = Vec::with_capacity(ranges.len() + 1);
    let mut from = 0;
    for (first, last) in ranges {
        if *first > from {
            gaps.push((from, first - 1));
        }
        from = last + 1;
    }
    if from <= MAX_CODE {
        gaps.push((from, MAX_CODE));
    }
    gaps
}
