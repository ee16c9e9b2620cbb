//! Patterns of JavaScript, translated and matched.

use hotpath::engine::batch::intents::translate::translate;
use hotpath::engine::batch::intents::units::CaseTable;
use hotpath::engine::batch::intents::{IntentSet, Scratch};

/// Up to the first NUL a pattern, then a text. Whatever is beside it in a set, a pattern
/// matches a text or it does not.
pub fn intents(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let (Some(pattern), text) = (parts.next(), parts.next().unwrap_or_default()) else {
        return;
    };
    let (Ok(pattern), Ok(text)) = (std::str::from_utf8(pattern), std::str::from_utf8(text)) else {
        return;
    };
    let table = CaseTable::install(upper);
    if translate(pattern, table).is_err() {
        return;
    }
    let scratch = &mut Scratch::default();
    let alone = IntentSet::new(&[Some(pattern)], table).expect("one pattern fits");
    let others = [
        Some("zebra 9"),
        Some(pattern),
        None,
        Some(r"\d\d\d [xyz]"),
        Some(pattern),
    ];
    let among = IntentSet::new(&others, table).expect("five patterns fit");
    let left = |set: &IntentSet, number| set.foreign().iter().any(|(foreign, _)| *foreign == number);
    if left(&alone, 0) || left(&among, 1) {
        return;
    }
    let matches = alone.first(text.as_bytes(), scratch).expect("memory").is_some();
    let all = among.all(text.as_bytes(), scratch).expect("memory").to_vec();
    assert_eq!(
        (all.contains(&1), all.contains(&4)),
        (matches, matches),
        "{pattern:?} on {text:?}"
    );
    let first = among.first(text.as_bytes(), scratch).expect("memory");
    assert_eq!(first, all.first().copied(), "{pattern:?} on {text:?}");
    let many = among.first_of_many(&[text.as_bytes().into()]).expect("threads");
    assert_eq!(many, [first]);
}

fn upper(unit: u16) -> u16 {
    let Some(character) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

/// What patterns are made of, each with a text that it matches.
pub fn patterns() -> Vec<Vec<u8>> {
    [
        (r"^show (?:me )?order \d+$", "show me order 17"),
        (r"\b(cancel|end)\b.{0,3}[^a-c\u00e9]?", "please CANCEL \u{e9}!"),
        (r"(?<name>x|y){2,}?z*\.\/\x41\cJ", "xyz./A\n"),
        (r"[\w\-\]]+\s\S\D\B", "a-] b c"),
        ("caf\u{e9}|stra\u{df}e|\u{1f600}", "CAF\u{c9}"),
        ("(?:a|b(?:c|d(?:e)*)+)?$", "bcdee"),
        ("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaa!"),
    ]
    .map(|(pattern, text)| [pattern.as_bytes(), &[0], text.as_bytes()].concat())
    .to_vec()
}
