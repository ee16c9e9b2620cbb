//! Literals that a text must contain for a pattern to match.
//!
//! One pass of Aho and Corasick's automaton over a text finds which literals of all patterns
//! it contains; only patterns whose literals are there need a closer look. RE2's
//! `FilteredRE2` works this way (<https://swtch.com/~rsc/regexp/regexp4.html>).

use regex_syntax::hir::{Hir, HirKind};

/// Literals of which at least one must be there.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The literals.
    pub any_of: Vec<Vec<u8>>,
    /// Whether the pattern matches as soon as one of them is there.
    pub exact: bool,
}

/// Shorter literals are in nearly every text.
const SHORTEST: usize = 2;

/// Longer ones would only make the automaton larger.
const LONGEST: usize = 32;

/// Alternatives that a requirement may have.
const MOST_ALTERNATIVES: usize = 32;

/// Everything that a pattern requires, each requirement enough by itself to rule it out.
pub fn requirements(hir: &Hir) -> Vec<Requirement> {
    match hir.kind() {
        HirKind::Literal(literal) => required(&literal.0).into_iter().collect(),
        HirKind::Capture(capture) => requirements(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min >= 1 => {
            let mut requirements = requirements(&repetition.sub);
            for requirement in &mut requirements {
                requirement.exact &= repetition.min == 1;
            }
            requirements
        }
        HirKind::Concat(parts) => {
            let mut all: Vec<_> = parts.iter().flat_map(requirements).collect();
            for requirement in &mut all {
                requirement.exact = false;
            }
            all
        }
        HirKind::Alternation(parts) => alternatives(parts).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn required(literal: &[u8]) -> Option<Requirement> {
    (literal.len() >= SHORTEST).then(|| Requirement {
        any_of: vec![literal[..literal.len().min(LONGEST)].to_vec()],
        exact: literal.len() <= LONGEST,
    })
}

/// The best requirement of each alternative, together, if each has one.
fn alternatives(parts: &[Hir]) -> Option<Requirement> {
    let mut together = Requirement {
        any_of: Vec::new(),
        exact: true,
    };
    for part in parts {
        let shortest = |requirement: &Requirement| requirement.any_of.iter().map(Vec::len).min();
        let best = requirements(part).into_iter().max_by_key(shortest)?;
        together.exact &= best.exact;
        together.any_of.extend(best.any_of);
        if together.any_of.len() > MOST_ALTERNATIVES {
            return None;
        }
    }
    Some(together)
}

#[cfg(test)]
mod tests {
    use super::super::translate::translate;
    use super::super::units::tests::table;
    use super::*;

    fn of(pattern: &str) -> Vec<(Vec<String>, bool)> {
        let hir = translate(pattern, table()).unwrap().hir;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let shown = |requirement: Requirement| {
            (
                requirement.any_of.into_iter().map(text).collect(),
                requirement.exact,
            )
        };
        requirements(&hir).into_iter().map(shown).collect()
    }

    fn all(literals: &[&str]) -> Vec<String> {
        literals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_plain_word_is_all_there_is() {
        assert_eq!(of("weather"), [(all(&["WEATHER"]), true)]);
        assert_eq!(of("(?:hello|goodbye)"), [(all(&["HELLO", "GOODBYE"]), true)]);
    }

    #[test]
    fn parts_of_a_sequence_are_required_each() {
        assert_eq!(
            of(r"show\s+(me|us) the weather"),
            [
                (all(&["SHOW"]), false),
                (all(&["ME", "US"]), false),
                (all(&[" THE WEATHER"]), false)
            ]
        );
    }

    #[test]
    fn what_may_be_absent_is_not_required() {
        assert_eq!(of("(?:please)?"), []);
        assert_eq!(of("(?:please|)"), []);
        assert_eq!(of(r"\d+"), []);
        assert_eq!(of("(?:(?:ab)+){2}"), [(all(&["AB"]), false)]);
    }
}
