use super::units::tests::table;
use super::*;

fn set(patterns: &[&str]) -> IntentSet {
    let patterns: Vec<_> = patterns.iter().copied().map(Some).collect();
    IntentSet::new(&patterns, table()).unwrap()
}

fn first(set: &IntentSet, text: &str) -> Option<u32> {
    set.first(text.as_bytes(), &mut Scratch::default()).unwrap()
}

#[test]
fn the_first_in_order_wins_whatever_its_class() {
    let set = set(&[
        "never",
        r"\d+ \d+",
        "hello (?:big )?world",
        "hello",
        "[a-z] [a-z]",
    ]);
    assert_eq!(first(&set, "HELLO WORLD"), Some(2));
    assert_eq!(first(&set, "hello there"), Some(3));
    assert_eq!(first(&set, "hello 1 2"), Some(1));
    assert_eq!(first(&set, "a b"), Some(4));
    assert_eq!(first(&set, "nothing-here"), None);
    let mut scratch = Scratch::default();
    assert_eq!(set.all(b"hello world 1 2", &mut scratch).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn what_rust_cannot_tell_is_named() {
    let set = set(&["a(?=b)", r"(a)\1", r"(?:\Bx?)*", "a{9000}", "fine"]);
    assert_eq!(
        set.foreign(),
        [
            (0, Foreign::LookAround),
            (1, Foreign::BackReference),
            (2, Foreign::Unknown),
            (3, Foreign::TooLarge)
        ]
    );
    assert_eq!(first(&set, "fine"), Some(4));
}

#[test]
fn javascripts_meaning_not_rusts() {
    for (pattern, text, matches) in [
        (r"^\d$", "٣", false),
        (r"^\w$", "é", false),
        (r"^\s$", "\u{FEFF}", true),
        (r"^\s$", "\u{85}", false),
        (r"a$", "a\n", false),
        ("^.$", "\u{2028}", false),
        ("^.$", "\u{85}", true),
        ("^.$", "😀", false),
        ("^..$", "😀", true),
        ("^[😀]$", "😀", false),
        ("É", "é", true),
        ("ſ", "s", false),
        ("[^x]", "X", false),
        (r"\bé", "é", false),
        ("^k$", "\u{212A}", false),
        (r"^\cA$", "\u{1}", true),
        (r"^\07$", "\u{7}", true),
        ("^a{,2}$", "A{,2}", true),
        ("[]", "a", false),
        ("^[^]$", "\n", true),
    ] {
        assert_eq!(
            first(&set(&[pattern]), text).is_some(),
            matches,
            "/{pattern}/i on {text:?}"
        );
    }
}

#[test]
fn lone_surrogates_are_units_like_others() {
    let set = set(&[r"^\ud83d$", r"^[\ud800-\udbff]\ude00$"]);
    let mut scratch = Scratch::default();
    assert_eq!(set.first(&[0xED, 0xA0, 0xBD], &mut scratch).unwrap(), Some(0));
    assert_eq!(set.first("😀".as_bytes(), &mut scratch).unwrap(), Some(1));
}

#[test]
fn ten_thousand_patterns_of_all_classes() {
    let patterns: Vec<String> = (0..10_000)
        .map(|number| match number % 3 {
            0 => format!("word{number}"),
            1 => format!(r"item\s+{number}\b"),
            _ => format!("[x-z]{{2}}{}$", number % 10),
        })
        .collect();
    let patterns: Vec<_> = patterns.iter().map(|pattern| Some(pattern.as_str())).collect();
    let set = IntentSet::new(&patterns, table()).unwrap();
    assert_eq!(set.foreign(), []);
    assert_eq!(first(&set, "an Item  9997!"), Some(9997));
    assert_eq!(first(&set, "WORD9999"), Some(9));
    assert_eq!(first(&set, "xy5"), Some(5));
}

#[test]
fn hostile_texts_and_patterns_end() {
    let set = set(&["(a+)+$", "(x+x+)+y", r"(\w+\s?)*!", "(?:(?:a?){30}){30}b"]);
    let text = format!("{}!{}", "a".repeat(50_000), "x".repeat(50_000));
    assert_eq!(first(&set, &text), Some(2));
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(self::set(&[&deep]).foreign(), [(0, Foreign::TooLarge)]);
}

#[test]
fn compiled_candidates_stay_within_their_bound() {
    let patterns: Vec<String> = (0..2_000)
        .map(|number| format!("key{number}[^]{{0,200}}z"))
        .collect();
    let set = set(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
    let mut scratch = Scratch::default();
    for number in 0..2_000 {
        set.all(format!("key{number} z").as_bytes(), &mut scratch)
            .unwrap();
        assert!(set.compiled_bytes.load(Ordering::Relaxed) <= MOST_COMPILED_BYTES);
    }
    assert!(set.compiled_bytes.load(Ordering::Relaxed) > 0);
}
