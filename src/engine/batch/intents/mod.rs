//! Intents: which of thousands of patterns match a text, in one pass and in linear time.
//!
//! A set is built once and never changes. It sorts its patterns into four classes:
//!
//! 1. *Literal*: the pattern is some words, one of which has to occur. One automaton over
//!    the words of all patterns (Aho and Corasick, 1975) finds those that do.
//! 2. *Filtered*: the pattern requires a literal. The same automaton rules it out, or makes
//!    it a candidate, which is then matched by itself. It is compiled when this happens for
//!    the first time; compiled patterns are dropped, all at once, when they pass
//!    [`MOST_COMPILED_BYTES`].
//! 3. *Unfiltered*: it requires nothing, as `\d+ \d+`. Such patterns are searched for in
//!    groups, each one automaton.
//! 4. *Foreign*: JavaScript alone can tell. The set names them, and leaves them out.
//!
//! Searches never backtrack (Thompson, 1968): their time is at worst the length of the text
//! times the size of the candidates. They take no lock, and any number of threads may search
//! at once, each with a [`Scratch`] of its own.

pub mod literals;
pub mod translate;
pub mod units;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, MatchKind as LiteralMatchKind};
use arc_swap::ArcSwapOption;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use regex_automata::meta::{Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};
use regex_syntax::hir::Hir;

use self::literals::{Requirement, requirements};
use self::translate::{Foreign, translate};
use self::units::CaseTable;
use super::threads;
use crate::error::{Error, Result};

/// Most bytes of compiled candidates that a set keeps.
pub const MOST_COMPILED_BYTES: usize = 64 << 20;

/// Bytes that searches of one candidate may take for their automaton's states.
const CANDIDATE_CACHE_BYTES: usize = 128 << 10;

/// The same for a group.
const GROUP_CACHE_BYTES: usize = 4 << 20;

/// Patterns, and their cost together, that one group takes. A larger group would have
/// states that are dearer to make than groups are to search.
const GROUP_PATTERNS: usize = 64;
const GROUP_COST: usize = 16_384;

/// Bytes that compiling may take: far above what a pattern of the highest cost needs.
const MOST_NFA_BYTES: usize = 32 << 20;

#[derive(Debug)]
enum Class {
    Literal,
    Filtered {
        source: Box<str>,
        compiled: ArcSwapOption<Compiled>,
    },
    /// Some group looks after it, or JavaScript does.
    Elsewhere,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    bytes: usize,
}

#[derive(Debug)]
struct Group {
    regex: Regex,
    patterns: Vec<u32>,
}

/// What a search needs besides the set. Belongs to one thread, and fits every set.
#[derive(Debug, Default)]
pub struct Scratch {
    text: Vec<u8>,
    /// By literal: the last round in which it was seen.
    seen: Vec<u32>,
    round: u32,
    candidates: Vec<u32>,
    matched: Vec<u32>,
}

impl Scratch {
    /// Bytes that it holds on to, about as many as the longest text had.
    pub fn text_capacity(&self) -> usize {
        self.text.capacity()
    }
}

/// A set of patterns, numbered in the order in which they were given.
#[derive(Debug)]
pub struct IntentSet {
    table: &'static CaseTable,
    classes: Vec<Class>,
    automaton: Option<AhoCorasick>,
    /// By literal: the patterns that it speaks for, ascending.
    by_literal: Vec<Vec<u32>>,
    groups: Vec<Group>,
    foreign: Vec<(u32, Foreign)>,
    compiled_bytes: AtomicUsize,
}

impl IntentSet {
    /// Builds a set. `None` stands for a pattern that is foreign from the start.
    ///
    /// # Errors
    /// The literals of all patterns together do not fit into an automaton.
    pub fn new(patterns: &[Option<&str>], table: &'static CaseTable) -> Result<Self> {
        let mut builder = Builder::default();
        for (pattern, number) in patterns.iter().zip(0u32..) {
            let translated = pattern.map_or(Err(Foreign::Unknown), |pattern| translate(pattern, table));
            match translated {
                Ok(translated) => builder.add(number, pattern.unwrap_or_default(), translated),
                Err(reason) => builder.leave(number, reason),
            }
        }
        builder.build(table)
    }

    /// The patterns that JavaScript has to look after, in order, and why.
    pub fn foreign(&self) -> &[(u32, Foreign)] {
        &self.foreign
    }

    /// How many patterns there are, those left to JavaScript included.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The first pattern that matches a text, given in WTF-8.
    ///
    /// # Errors
    /// A candidate cannot be compiled for want of memory.
    pub fn first(&self, wtf8: &[u8], scratch: &mut Scratch) -> Result<Option<u32>> {
        self.gather(wtf8, scratch);
        let mut first = None;
        for group in &self.groups {
            // Patterns are dealt to groups in order, so a later group may be out of the race.
            if first.is_some_and(|first| group.patterns.first().is_some_and(|least| *least > first)) {
                break;
            }
            first = first.into_iter().chain(group.first(&scratch.text)).min();
        }
        for &candidate in &scratch.candidates {
            if first.is_some_and(|first| first < candidate) {
                break;
            }
            if self.confirms(candidate, &scratch.text)? {
                return Ok(Some(candidate));
            }
        }
        Ok(first)
    }

    /// All patterns that match a text, ascending.
    ///
    /// # Errors
    /// As for [`first`](Self::first).
    pub fn all<'s>(&self, wtf8: &[u8], scratch: &'s mut Scratch) -> Result<&'s [u32]> {
        self.gather(wtf8, scratch);
        scratch.matched.clear();
        for group in &self.groups {
            group.all(&scratch.text, &mut scratch.matched);
        }
        for &candidate in &scratch.candidates {
            if self.confirms(candidate, &scratch.text)? {
                scratch.matched.push(candidate);
            }
        }
        scratch.matched.sort_unstable();
        Ok(&scratch.matched)
    }

    /// The first pattern that matches each of many texts, worked out by several threads.
    ///
    /// # Errors
    /// As for [`first`](Self::first), or the system refuses to start threads.
    pub fn first_of_many(&self, texts: &[Box<[u8]>]) -> Result<Vec<Option<u32>>> {
        let search = || {
            let texts = texts.par_iter();
            let first = texts.map_init(Scratch::default, |scratch, text| self.first(text, scratch));
            first.collect()
        };
        threads::pool()?.install(search)
    }

    /// Finds the patterns whose literals the text contains, ascending.
    fn gather(&self, wtf8: &[u8], scratch: &mut Scratch) {
        self.table.write(wtf8, &mut scratch.text);
        scratch.candidates.clear();
        let Some(automaton) = &self.automaton else {
            return;
        };
        if scratch.seen.len() < self.by_literal.len() {
            scratch.seen.resize(self.by_literal.len(), 0);
        }
        scratch.round = scratch.round.wrapping_add(1);
        if scratch.round == 0 {
            scratch.seen.fill(0);
            scratch.round = 1;
        }
        for found in automaton.find_overlapping_iter(&scratch.text) {
            let literal = found.pattern().as_usize();
            if scratch.seen[literal] != scratch.round {
                scratch.seen[literal] = scratch.round;
                scratch.candidates.extend_from_slice(&self.by_literal[literal]);
            }
        }
        scratch.candidates.sort_unstable();
        scratch.candidates.dedup();
    }

    /// Whether a candidate matches after all.
    fn confirms(&self, number: u32, text: &[u8]) -> Result<bool> {
        let Some(Class::Filtered { source, compiled }) = self.classes.get(number as usize) else {
            return Ok(true);
        };
        if let Some(ready) = &*compiled.load() {
            return Ok(ready.regex.is_match(text));
        }
        let ready = Arc::new(compile(source, self.table)?);
        let matches = ready.regex.is_match(text);
        self.keep(compiled, ready);
        Ok(matches)
    }

    fn keep(&self, place: &ArcSwapOption<Compiled>, ready: Arc<Compiled>) {
        let bytes = ready.bytes;
        if self.compiled_bytes.load(Ordering::Relaxed) + bytes > MOST_COMPILED_BYTES {
            for class in &self.classes {
                if let Class::Filtered { compiled, .. } = class
                    && let Some(dropped) = compiled.swap(None)
                {
                    self.compiled_bytes.fetch_sub(dropped.bytes, Ordering::Relaxed);
                }
            }
        }
        self.compiled_bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(previous) = place.swap(Some(ready)) {
            self.compiled_bytes.fetch_sub(previous.bytes, Ordering::Relaxed);
        }
    }
}

impl Group {
    fn matches(&self, text: &[u8]) -> PatternSet {
        let mut set = PatternSet::new(self.patterns.len());
        self.regex.which_overlapping_matches(&Input::new(text), &mut set);
        set
    }

    fn first(&self, text: &[u8]) -> Option<u32> {
        let least = self.matches(text).iter().next()?;
        self.patterns.get(least.as_usize()).copied()
    }

    fn all(&self, text: &[u8], matched: &mut Vec<u32>) {
        let numbers = self.matches(text);
        matched.extend(
            numbers
                .iter()
                .filter_map(|number| self.patterns.get(number.as_usize())),
        );
    }
}

fn config() -> Config {
    Config::new()
        .utf8_empty(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(MOST_NFA_BYTES))
}

fn build(hirs: &[Hir], config: Config) -> Result<Regex> {
    let mut builder = Regex::builder();
    builder
        .configure(config)
        .syntax(syntax::Config::new().utf8(false));
    builder.build_many_from_hir(hirs).map_err(|error| Error::Pattern {
        reason: error.to_string(),
    })
}

fn compile(source: &str, table: &CaseTable) -> Result<Compiled> {
    let hir = translate(source, table)
        .map_err(|reason| Error::Pattern {
            reason: format!("{reason:?}"),
        })?
        .hir;
    let regex = build(&[hir], config().hybrid_cache_capacity(CANDIDATE_CACHE_BYTES))?;
    // The states of the first searches come on top.
    let bytes = regex.memory_usage() + CANDIDATE_CACHE_BYTES / 8;
    Ok(Compiled { regex, bytes })
}

/// A pattern with the requirements to choose from.
struct Filtered {
    number: u32,
    requirements: Vec<Requirement>,
}

#[derive(Default)]
struct Builder {
    classes: Vec<Class>,
    foreign: Vec<(u32, Foreign)>,
    filtered: Vec<Filtered>,
    unfiltered: Vec<(u32, translate::Translated)>,
}

impl Builder {
    fn leave(&mut self, number: u32, reason: Foreign) {
        self.foreign.push((number, reason));
        self.classes.push(Class::Elsewhere);
    }

    fn add(&mut self, number: u32, source: &str, translated: translate::Translated) {
        let requirements = requirements(&translated.hir);
        if requirements.is_empty() {
            self.unfiltered.push((number, translated));
            self.classes.push(Class::Elsewhere);
            return;
        }
        // Alone in its sequence, hence the only one.
        let literal = requirements.iter().any(|requirement| requirement.exact);
        self.filtered.push(Filtered { number, requirements });
        self.classes.push(match literal {
            true => Class::Literal,
            false => Class::Filtered {
                source: source.into(),
                compiled: ArcSwapOption::empty(),
            },
        });
    }

    fn build(self, table: &'static CaseTable) -> Result<IntentSet> {
        let by_literal = choose(self.filtered);
        let (literals, by_literal): (Vec<_>, Vec<_>) = by_literal.into_iter().unzip();
        let automaton = if literals.is_empty() {
            None
        } else {
            let automaton = AhoCorasick::builder()
                .match_kind(LiteralMatchKind::Standard)
                .build(&literals);
            Some(automaton.map_err(|error| Error::Pattern {
                reason: error.to_string(),
            })?)
        };
        Ok(IntentSet {
            table,
            classes: self.classes,
            automaton,
            by_literal,
            groups: group(self.unfiltered)?,
            foreign: self.foreign,
            compiled_bytes: AtomicUsize::new(0),
        })
    }
}

/// Chooses a requirement for each pattern, the one that the fewest share, and of those the
/// longest: the rarer a literal, the fewer candidates. Ascending by literal.
fn choose(filtered: Vec<Filtered>) -> Vec<(Vec<u8>, Vec<u32>)> {
    let mut shared: HashMap<&[u8], u32> = HashMap::new();
    for pattern in &filtered {
        for literal in pattern
            .requirements
            .iter()
            .flat_map(|requirement| &requirement.any_of)
        {
            *shared.entry(literal).or_default() += 1;
        }
    }
    let rank = |requirement: &Requirement| {
        let most = requirement
            .any_of
            .iter()
            .map(|literal| shared[literal.as_slice()])
            .max();
        let shortest = requirement.any_of.iter().map(Vec::len).min();
        (!requirement.exact, most, std::cmp::Reverse(shortest))
    };
    let mut chosen: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
    for pattern in &filtered {
        let best = pattern
            .requirements
            .iter()
            .min_by_key(|requirement| rank(requirement));
        for literal in best.into_iter().flat_map(|requirement| &requirement.any_of) {
            let numbers = chosen.entry(literal.clone()).or_default();
            if numbers.last() != Some(&pattern.number) {
                numbers.push(pattern.number);
            }
        }
    }
    let mut chosen: Vec<_> = chosen.into_iter().collect();
    chosen.sort_unstable();
    chosen
}

fn group(patterns: Vec<(u32, translate::Translated)>) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    let mut pending: (Vec<u32>, Vec<Hir>, usize) = Default::default();
    let mut finish = |(patterns, hirs, _): (Vec<u32>, Vec<Hir>, usize)| -> Result<()> {
        if !patterns.is_empty() {
            let config = config()
                .match_kind(MatchKind::All)
                .hybrid_cache_capacity(GROUP_CACHE_BYTES);
            let regex = build(&hirs, config)?;
            groups.push(Group { regex, patterns });
        }
        Ok(())
    };
    for (number, translated) in patterns {
        if pending.0.len() == GROUP_PATTERNS || pending.2 + translated.cost > GROUP_COST {
            finish(std::mem::take(&mut pending))?;
        }
        pending.0.push(number);
        pending.1.push(translated.hir);
        pending.2 += translated.cost;
    }
    finish(pending)?;
    Ok(groups)
}
