//! Sets of UTF-16 code units, and text as the matcher reads it.
//!
//! A pattern without the flag `u` sees code units, and the flag `i` compares their
//! *canonical* forms (ECMA-262, `Canonicalize`). Both are settled before a search begins:
//! the text is brought into canonical form, unit by unit, and each unit is written like a
//! character of its own, one to three bytes, also if it is a surrogate (CESU-8). What a
//! pattern means by "a character" is then one well-formed sequence of bytes, and two units
//! are equal exactly if their bytes are.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir};

use crate::engine::text;

const FIRST_SURROGATE: u16 = 0xD800;
const LAST_SURROGATE: u16 = 0xDFFF;

static TABLE: OnceLock<CaseTable> = OnceLock::new();

/// The canonical form of each code unit.
///
/// It comes from the JavaScript engine itself, so that the newest letters of Unicode fold
/// here as they fold there.
#[derive(Debug)]
pub struct CaseTable {
    canonical: Box<[u16; 0x10000]>,
    /// The units that are not their own canonical form, ascending.
    moved: Vec<u16>,
}

impl CaseTable {
    /// A table from the upper-case form of each unit; what has none of one unit stands for
    /// itself.
    pub fn new(upper: impl Fn(u16) -> u16) -> Self {
        let mut canonical = Box::new([0; 0x10000]);
        let mut moved = Vec::new();
        for unit in 0..=u16::MAX {
            let above = upper(unit);
            // No unit beyond ASCII folds into it: the last rule of `Canonicalize`.
            let folded = if unit >= 0x80 && above < 0x80 { unit } else { above };
            canonical[usize::from(unit)] = folded;
            if folded != unit {
                moved.push(unit);
            }
        }
        Self { canonical, moved }
    }

    /// Makes the table of this process, unless that is done.
    pub fn install(upper: impl Fn(u16) -> u16) -> &'static CaseTable {
        TABLE.get_or_init(|| CaseTable::new(upper))
    }

    /// The table of this process, once it was made.
    pub fn installed() -> Option<&'static CaseTable> {
        TABLE.get()
    }

    /// The canonical form of a unit.
    pub fn canonical(&self, unit: u16) -> u16 {
        self.canonical[usize::from(unit)]
    }

    /// Writes WTF-8 into `out` as the matcher reads it.
    pub fn write(&self, wtf8: &[u8], out: &mut Vec<u8>) {
        out.clear();
        if wtf8.is_ascii() {
            out.extend_from_slice(wtf8);
            // ASCII letters fold as they always have, whatever the table.
            out.make_ascii_uppercase();
            return;
        }
        let mut units = Vec::with_capacity(wtf8.len());
        text::wtf8_to_utf16(wtf8, &mut units);
        for unit in units {
            push_unit(self.canonical(unit), out);
        }
    }
}

/// Appends the bytes that stand for one unit.
fn push_unit(unit: u16, out: &mut Vec<u8>) {
    let low_six = |shift: u16| 0x80 | (unit >> shift & 0x3F) as u8;
    match unit {
        0..=0x7F => out.push(unit as u8),
        0x80..=0x7FF => out.extend([0xC0 | (unit >> 6) as u8, low_six(0)]),
        _ => out.extend([0xE0 | (unit >> 12) as u8, low_six(6), low_six(0)]),
    }
}

/// A set of code units: ranges with both ends, ascending, apart from each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitSet(Vec<(u16, u16)>);

impl UnitSet {
    /// The union of ranges, which may come in any order and overlap.
    pub fn new(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            match merged.last_mut() {
                Some(last) if u32::from(start) <= u32::from(last.1) + 1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    /// The ranges.
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.0
    }

    /// All units that are not in it.
    pub fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0u32;
        for &(start, end) in &self.0 {
            if u32::from(start) > next {
                ranges.push((next as u16, start - 1));
            }
            next = u32::from(end) + 1;
        }
        if next <= u32::from(u16::MAX) {
            ranges.push((next as u16, u16::MAX));
        }
        Self(ranges)
    }

    /// The canonical forms of its units.
    pub fn canonical(&self, table: &CaseTable) -> Self {
        let mut ranges = Vec::with_capacity(self.0.len());
        for &(start, end) in &self.0 {
            let from = table.moved.partition_point(|unit| *unit < start);
            let mut next = u32::from(start);
            for &unit in table.moved[from..].iter().take_while(|unit| **unit <= end) {
                if u32::from(unit) > next {
                    ranges.push((next as u16, unit - 1));
                }
                let folded = table.canonical(unit);
                ranges.push((folded, folded));
                next = u32::from(unit) + 1;
            }
            if next <= u32::from(end) {
                ranges.push((next as u16, end));
            }
        }
        Self::new(ranges)
    }

    /// What matches one unit of the set, in the bytes of [`CaseTable::write`].
    pub fn to_hir(&self) -> Hir {
        if let [(start, end)] = self.0[..]
            && start == end
        {
            let mut bytes = Vec::new();
            push_unit(start, &mut bytes);
            return Hir::literal(bytes);
        }
        let mut characters = ClassUnicode::empty();
        let mut parts = Vec::new();
        for &(start, end) in &self.0 {
            for (start, end) in [
                (start, end.min(FIRST_SURROGATE - 1)),
                (start.max(LAST_SURROGATE + 1), end),
            ] {
                if let (Some(start), Some(end)) = (character(start), character(end))
                    && start <= end
                {
                    characters.push(ClassUnicodeRange::new(start, end));
                }
            }
            surrogates(start.max(FIRST_SURROGATE), end.min(LAST_SURROGATE), &mut parts);
        }
        if !characters.ranges().is_empty() {
            parts.push(Hir::class(Class::Unicode(characters)));
        }
        Hir::alternation(parts)
    }
}

fn character(unit: u16) -> Option<char> {
    char::from_u32(u32::from(unit))
}

/// What matches one surrogate between `start` and `end`: always `ED`, then a byte for the
/// upper bits, then one for the lower six.
fn surrogates(start: u16, end: u16, parts: &mut Vec<Hir>) {
    let mut next = u32::from(start);
    while next <= u32::from(end) {
        let row_end = (next | 0x3F).min(u32::from(end));
        // Whole rows share their last byte's range.
        let last_row = if next & 0x3F == 0 && u32::from(end) >= next | 0x3F {
            (u32::from(end) + 1) / 0x40 * 0x40 - 1
        } else {
            row_end
        };
        let byte = |shift: u32, value: u32| 0x80 | (value >> shift & 0x3F) as u8;
        let class = |from, to| Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(from, to)])));
        parts.push(Hir::concat(vec![
            Hir::literal([0xED]),
            class(byte(6, next), byte(6, last_row)),
            class(byte(0, next), byte(0, last_row)),
        ]));
        next = last_row + 1;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    /// Rust's own upper case, which agrees with JavaScript's but for the newest letters.
    pub(crate) fn rust_upper(unit: u16) -> u16 {
        let mut upper = char::from_u32(u32::from(unit))
            .map(char::to_uppercase)
            .into_iter()
            .flatten();
        match (upper.next(), upper.next()) {
            (Some(only), None) => u16::try_from(u32::from(only)).unwrap_or(unit),
            _ => unit,
        }
    }

    pub(crate) fn table() -> &'static CaseTable {
        CaseTable::install(rust_upper)
    }

    fn units() -> impl Strategy<Value = u16> {
        prop_oneof![0u16..0x80, 0x80u16..0x250, 0xD7F0u16..0xE010, any::<u16>()]
    }

    fn sets() -> impl Strategy<Value = UnitSet> {
        let range = (units(), units()).prop_map(|(a, b)| (a.min(b), a.max(b)));
        prop::collection::vec(range, 0..5).prop_map(UnitSet::new)
    }

    fn holds(set: &UnitSet, unit: u16) -> bool {
        set.ranges()
            .iter()
            .any(|&(start, end)| start <= unit && unit <= end)
    }

    proptest! {
        #[test]
        fn a_set_matches_its_units_and_no_other(set in sets(), probes in prop::collection::vec(units(), 40)) {
            let regex = Regex::builder().build_from_hir(&Hir::concat(vec![
                Hir::look(regex_syntax::hir::Look::Start), set.to_hir(), Hir::look(regex_syntax::hir::Look::End),
            ])).unwrap();
            let ends = set.ranges().iter().flat_map(|&(start, end)| [start, end]);
            for unit in probes.into_iter().chain(ends) {
                let mut bytes = Vec::new();
                push_unit(unit, &mut bytes);
                prop_assert_eq!(regex.is_match(&bytes), holds(&set, unit), "{:04x}", unit);
            }
        }

        #[test]
        fn a_complement_is_the_rest(set in sets(), probes in prop::collection::vec(units(), 40)) {
            let rest = set.complement();
            for unit in probes {
                prop_assert_eq!(holds(&set, unit), !holds(&rest, unit));
            }
            prop_assert_eq!(rest.complement(), set);
        }

        #[test]
        fn the_canonical_set_has_the_canonical_form_of_each_unit(set in sets()) {
            let mut expected: Vec<(u16, u16)> = Vec::new();
            for &(start, end) in set.ranges() {
                expected.extend((start..=end).map(|unit| (table().canonical(unit), table().canonical(unit))));
            }
            prop_assert_eq!(set.canonical(table()), UnitSet::new(expected));
        }
    }

    #[test]
    fn ascii_and_the_rest_never_fold_into_each_other() {
        for (unit, folded) in [
            (0x61, 0x41),
            (0x17F, 0x17F),
            (0x131, 0x131),
            (0xE9, 0xC9),
            (0xDF, 0xDF),
        ] {
            assert_eq!(table().canonical(unit), folded, "{unit:04x}");
        }
    }
}
