//! What a line must contain, as bytes, if its record is to pass a filter.
//!
//! Most filters let few records pass, and most of the others lack a text that is asked for. A
//! search for bytes tells so many times quicker than a parser does; of these lines, only the
//! syntax has to be checked. Source: Palkar, Abuzaid, Bailis, Zaharia, "Filter Before You
//! Parse" (VLDB 2018).

use aho_corasick::AhoCorasick;
use memchr::memchr;

use super::filter::{Condition, Filter, Operand, Test};

/// Beyond so many texts the search is no longer worth it.
const MOST_NEEDLES: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct Needles(Option<AhoCorasick>);

impl Needles {
    /// The texts of which a record that passes must have at least one.
    pub fn new(filter: &Filter) -> Self {
        let of_alternative = |all: &Vec<Condition>| all.iter().find_map(|condition| of_test(&condition.test));
        let needles: Option<Vec<_>> = filter.0.iter().map(of_alternative).collect();
        let needles: Vec<_> = needles.unwrap_or_default().into_iter().flatten().collect();
        let are_useful = !needles.is_empty() && needles.len() <= MOST_NEEDLES;
        Self(are_useful.then(|| AhoCorasick::new(needles).ok()).flatten())
    }

    /// Whether no record that is written so can pass.
    pub fn rule_out(&self, line: &str) -> bool {
        let Some(needles) = &self.0 else { return false };
        // With escapes, a text may be written in other ways.
        !needles.is_match(line) && memchr(b'\\', line.as_bytes()).is_none()
    }
}

/// Texts of which a field that passes shows one, where nothing is escaped.
fn of_test(test: &Test) -> Option<Vec<String>> {
    match test {
        Test::OneOf(operands) => operands.iter().map(of_operand).collect(),
        Test::Contains(part) if !part.is_empty() => Some(vec![part.clone()]),
        Test::StartsWith(part) => Some(vec![format!("\"{part}")]),
        Test::EndsWith(part) => Some(vec![format!("{part}\"")]),
        _ => None,
    }
}

fn of_operand(operand: &Operand) -> Option<String> {
    match operand {
        Operand::Text(text) => Some(format!("\"{text}\"")),
        // A number can be written in many ways.
        _ => None,
    }
}
