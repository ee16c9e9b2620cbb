//! From JavaScript's regular expressions to those of the `regex` crates, by meaning.
//!
//! A pattern is parsed by a parser of JavaScript's own syntax, Annex B included, and built
//! anew as a [`Hir`] over the bytes of [`CaseTable::write`]. Nothing passes through as text:
//! `\d`, `\s`, `\b`, `$`, `.` and the folding of case mean other things in Rust's syntax.
//!
//! Only whether a pattern matches is of interest, not where or how. That makes groups and
//! greediness irrelevant, and leaves few patterns that cannot be told: see [`Foreign`].

use oxc_allocator::Allocator;
use oxc_regular_expression::{LiteralParser, Options, ast};
use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::units::{CaseTable, UnitSet};

/// Why a pattern is left to the JavaScript engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It looks ahead or behind.
    LookAround,
    /// It refers to what a group has matched.
    BackReference,
    /// It would take too much memory here.
    TooLarge,
    /// It is something else that this translation does not know.
    Unknown,
}

/// Groups within groups that a pattern may have: parsers and compilers recurse.
const MOST_NESTING: usize = 200;

/// Steps that a compiled pattern may have.
const MOST_COST: usize = 8_192;

/// `\d`
const DIGIT: &[(u16, u16)] = &[(0x30, 0x39)];
/// `\w`
const WORD: &[(u16, u16)] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
/// `\s`: white space and line terminators.
const SPACE: &[(u16, u16)] = &[
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
];
/// What `.` does not match.
const LINE_TERMINATOR: &[(u16, u16)] = &[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)];

/// A pattern that was understood.
#[derive(Debug)]
pub struct Translated {
    /// What it means, over bytes.
    pub hir: Hir,
    /// About how many steps it takes compiled.
    pub cost: usize,
}

/// Translates a pattern as `new RegExp(pattern, 'i')` would understand it.
///
/// # Errors
/// It has to be left to JavaScript.
pub fn translate(pattern: &str, table: &CaseTable) -> Result<Translated, Foreign> {
    if nesting(pattern) > MOST_NESTING {
        return Err(Foreign::TooLarge);
    }
    let allocator = Allocator::default();
    let parsed = LiteralParser::new(&allocator, pattern, None, Options::default())
        .parse()
        .map_err(|_| Foreign::Unknown)?;
    let hir = Translator { table }.disjunction(&parsed.body)?;
    let properties = hir.properties();
    // Between the bytes of one unit stands no word boundary, and that is the one assertion
    // that an empty match could find there and nowhere else.
    if properties.look_set().contains(Look::WordAsciiNegate) && properties.minimum_len() == Some(0) {
        return Err(Foreign::Unknown);
    }
    let cost = cost(&hir);
    if cost > MOST_COST {
        return Err(Foreign::TooLarge);
    }
    Ok(Translated { hir, cost })
}

/// How deep groups are nested at most. Counts what only looks like a group, too.
fn nesting(pattern: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in pattern.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// About how many states a compiled pattern has.
fn cost(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(class) => match class {
            regex_syntax::hir::Class::Unicode(class) => 2 + 3 * class.ranges().len(),
            regex_syntax::hir::Class::Bytes(_) => 1,
        },
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            cost(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Capture(capture) => cost(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(cost).fold(1, usize::saturating_add)
        }
    }
}

struct Translator<'t> {
    table: &'t CaseTable,
}

impl Translator<'_> {
    fn disjunction(&self, disjunction: &ast::Disjunction<'_>) -> Result<Hir, Foreign> {
        let alternatives: Result<Vec<_>, _> = disjunction
            .body
            .iter()
            .map(|alternative| self.alternative(alternative))
            .collect();
        Ok(Hir::alternation(alternatives?))
    }

    fn alternative(&self, alternative: &ast::Alternative<'_>) -> Result<Hir, Foreign> {
        let terms: Result<Vec<_>, _> = alternative.body.iter().map(|term| self.term(term)).collect();
        Ok(Hir::concat(terms?))
    }

    fn term(&self, term: &ast::Term<'_>) -> Result<Hir, Foreign> {
        match term {
            ast::Term::BoundaryAssertion(assertion) => Ok(Hir::look(match assertion.kind {
                // Without the flag `m` these mean the ends of the text alone.
                ast::BoundaryAssertionKind::Start => Look::Start,
                ast::BoundaryAssertionKind::End => Look::End,
                // Folding keeps word characters apart from all others.
                ast::BoundaryAssertionKind::Boundary => Look::WordAscii,
                ast::BoundaryAssertionKind::NegativeBoundary => Look::WordAsciiNegate,
            })),
            ast::Term::Quantifier(quantifier) => self.quantifier(quantifier),
            ast::Term::Character(character) => self.character(character),
            ast::Term::Dot(_) => Ok(set(LINE_TERMINATOR).complement().to_hir()),
            ast::Term::CharacterClassEscape(escape) => Ok(self.folded(&escaped_set(escape.kind))),
            ast::Term::CharacterClass(class) => self.class(class),
            ast::Term::CapturingGroup(group) => self.disjunction(&group.body),
            ast::Term::IgnoreGroup(group) if group.modifiers.is_none() => self.disjunction(&group.body),
            ast::Term::LookAroundAssertion(_) => Err(Foreign::LookAround),
            ast::Term::IndexedReference(_) | ast::Term::NamedReference(_) => Err(Foreign::BackReference),
            ast::Term::IgnoreGroup(_) | ast::Term::UnicodePropertyEscape(_) => Err(Foreign::Unknown),
        }
    }

    fn quantifier(&self, quantifier: &ast::Quantifier<'_>) -> Result<Hir, Foreign> {
        let count = |count| u32::try_from(count).map_err(|_| Foreign::TooLarge);
        Ok(Hir::repetition(Repetition {
            min: count(quantifier.min)?,
            max: quantifier.max.map(count).transpose()?,
            greedy: true,
            sub: Box::new(self.term(&quantifier.body)?),
        }))
    }

    fn character(&self, character: &ast::Character) -> Result<Hir, Foreign> {
        let unit = unit(character)?;
        Ok(self.folded(&UnitSet::new([(unit, unit)])))
    }

    fn class(&self, class: &ast::CharacterClass<'_>) -> Result<Hir, Foreign> {
        let mut ranges = Vec::new();
        for content in &class.body {
            match content {
                ast::CharacterClassContents::CharacterClassRange(range) => {
                    ranges.push((class_unit(&range.min)?, class_unit(&range.max)?));
                }
                ast::CharacterClassContents::Character(character) => {
                    let unit = class_unit(character)?;
                    ranges.push((unit, unit));
                }
                ast::CharacterClassContents::CharacterClassEscape(escape) => {
                    ranges.extend_from_slice(escaped_set(escape.kind).ranges());
                }
                _ => return Err(Foreign::Unknown),
            }
        }
        // Negation comes after folding: `[^a]` is every unit that is not some form of `a`.
        let folded = UnitSet::new(ranges).canonical(self.table);
        Ok(match class.negative {
            true => folded.complement().to_hir(),
            false => folded.to_hir(),
        })
    }

    fn folded(&self, set: &UnitSet) -> Hir {
        set.canonical(self.table).to_hir()
    }
}

fn set(ranges: &[(u16, u16)]) -> UnitSet {
    UnitSet::new(ranges.iter().copied())
}

fn escaped_set(kind: ast::CharacterClassEscapeKind) -> UnitSet {
    use ast::CharacterClassEscapeKind as Escape;
    match kind {
        Escape::D => set(DIGIT),
        Escape::NegativeD => set(DIGIT).complement(),
        Escape::S => set(SPACE),
        Escape::NegativeS => set(SPACE).complement(),
        Escape::W => set(WORD),
        Escape::NegativeW => set(WORD).complement(),
    }
}

/// Patterns without the flag `u` are made of code units.
fn unit(character: &ast::Character) -> Result<u16, Foreign> {
    u16::try_from(character.value).map_err(|_| Foreign::Unknown)
}

/// A character of a class. `[\cA]` reaches us as a backslash and two letters, which is not
/// what JavaScript makes of it; no other way to write a backslash has this kind.
fn class_unit(character: &ast::Character) -> Result<u16, Foreign> {
    if character.value == u32::from(b'\\') && character.kind == ast::CharacterKind::Symbol {
        return Err(Foreign::Unknown);
    }
    unit(character)
}
