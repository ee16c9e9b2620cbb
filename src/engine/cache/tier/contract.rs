//! What every tier has to do, as tests. To be run over an empty tier.

use std::sync::Arc;

use super::{Entry, Pending, Tag, Tier, unix_ms};
use crate::engine::cache::glob::Glob;
use crate::engine::cache::record::Kind;
use crate::engine::runtime;
use crate::error::Result;

fn done<T>(pending: Pending<'_, T>) -> Result<T> {
    runtime::handle().unwrap().block_on(pending)
}

fn key(name: &str) -> Arc<[u8]> {
    name.as_bytes().into()
}

fn text(value: &str) -> Entry {
    Entry::new(Kind::LATIN1, value.to_owned())
}

fn lasting(value: &str, ms: u64) -> Entry {
    let expires = Some(unix_ms() + ms);
    Entry {
        expires,
        kept_until: expires,
        ..text(value)
    }
}

/// Runs the suite.
pub fn run(tier: &dyn Tier) {
    values_come_back_as_they_went_in(tier);
    the_last_write_counts(tier);
    keys_are_any_bytes(tier);
    many_at_a_time_are_the_same_as_one_by_one(tier);
    entries_know_when_they_expire(tier);
    entries_leave_when_nobody_wants_them(tier);
    tags_and_grace_travel_along(tier);
    keys_are_named_by_pattern(tier);
    clearing_leaves_nothing(tier);
}

/// Runs the suite for a tier that was closed, or that cannot be reached: it fails, and does
/// not say that there is nothing.
pub fn run_closed(tier: &dyn Tier) {
    assert!(done(tier.get(b"a")).is_err());
    assert!(done(tier.get_many(&[key("a")])).is_err());
    assert!(done(tier.set(b"a", &text("1"))).is_err());
    assert!(done(tier.set_many(&[(key("a"), text("1"))])).is_err());
    assert!(done(tier.delete(&[key("a")])).is_err());
    assert!(done(tier.clear()).is_err());
    assert!(done(tier.keys(None)).is_err());
}

fn values_come_back_as_they_went_in(tier: &dyn Tier) {
    let number = 1.5_f64.to_le_bytes().to_vec();
    let kinds = [0, 1, 2, 3].map(|kind| (Kind(kind), Vec::new()));
    let bytes = [Kind::BUFFER, Kind::BYTES, Kind(11), Kind(12), Kind::PORTABLE];
    let strings = [Kind::LATIN1, Kind::UTF8];
    let entries = kinds
        .into_iter()
        .chain([(Kind::NUMBER, number), (Kind::LATIN1, Vec::new())])
        .chain(bytes.map(|kind| (kind, vec![0, 255, 7])))
        .chain(strings.map(|kind| (kind, b"text".to_vec())))
        .chain([(Kind::BUFFER, vec![9; 200_000])]);
    for (kind, payload) in entries {
        let entry = Entry::new(kind, payload);
        done(tier.set(b"value", &entry)).unwrap();
        let read = done(tier.get(b"value")).unwrap().unwrap();
        assert_eq!(read, entry);
    }
    assert_eq!(done(tier.get(b"nothing")).unwrap(), None);
}

fn the_last_write_counts(tier: &dyn Tier) {
    done(tier.set(b"last", &text("1"))).unwrap();
    done(tier.set(b"last", &text("2"))).unwrap();
    assert_eq!(done(tier.get(b"last")).unwrap(), Some(text("2")));
    assert!(done(tier.delete(&[key("last"), key("nothing")])).unwrap());
    assert!(!done(tier.delete(&[key("last")])).unwrap());
    assert_eq!(done(tier.get(b"last")).unwrap(), None);
}

fn keys_are_any_bytes(tier: &dyn Tier) {
    let keys = ["", "\0", "a\0b", "ü", "*", "{a}", &"k".repeat(70_000)].map(key);
    for (index, key) in keys.iter().enumerate() {
        done(tier.set(key, &text(&index.to_string()))).unwrap();
    }
    for (index, key) in keys.iter().enumerate() {
        let read = done(tier.get(key)).unwrap();
        assert_eq!(read, Some(text(&index.to_string())), "key {index}");
    }
    assert!(done(tier.delete(&keys)).unwrap());
}

fn many_at_a_time_are_the_same_as_one_by_one(tier: &dyn Tier) {
    let pairs: Vec<_> = (0..300)
        .map(|n| (key(&format!("many:{n}")), text(&n.to_string())))
        .collect();
    done(tier.set_many(&pairs)).unwrap();
    let mut keys: Vec<_> = pairs.iter().map(|(key, _)| key.clone()).collect();
    keys.insert(1, key("nothing"));
    let read = done(tier.get_many(&keys)).unwrap();
    assert_eq!(read.len(), keys.len());
    assert_eq!(read[0], Some(text("0")));
    assert_eq!(read[1], None);
    assert_eq!(read[300], Some(text("299")));
    assert!(done(tier.delete(&keys)).unwrap());
    assert_eq!(done(tier.get_many(&keys)).unwrap(), vec![None; keys.len()]);
    assert_eq!(done(tier.get_many(&[])).unwrap(), []);
    done(tier.set_many(&[])).unwrap();
    assert!(!done(tier.delete(&[])).unwrap());
}

fn entries_know_when_they_expire(tier: &dyn Tier) {
    let entry = lasting("v", 60_000);
    done(tier.set(b"lasting", &entry)).unwrap();
    let read = done(tier.get(b"lasting")).unwrap().unwrap();
    let late = entry.expires.unwrap() as i64 - read.expires.unwrap() as i64;
    assert!(late.abs() < 1_000, "expiry moved by {late} ms");
    done(tier.set(b"lasting", &text("v"))).unwrap();
    assert_eq!(done(tier.get(b"lasting")).unwrap().unwrap().expires, None);
    done(tier.delete(&[key("lasting")])).unwrap();
}

fn entries_leave_when_nobody_wants_them(tier: &dyn Tier) {
    done(tier.set(b"brief", &lasting("v", 30))).unwrap();
    let gone = || {
        let entry = done(tier.get(b"brief")).unwrap();
        entry.is_none_or(|entry| !entry.is_kept(unix_ms()))
    };
    while !gone() {
        std::thread::yield_now();
    }
}

fn tags_and_grace_travel_along(tier: &dyn Tier) {
    let now = unix_ms();
    let tag = Tag {
        name: "red".into(),
        generation: 77,
    };
    let entry = Entry {
        expires: Some(now + 50_000),
        kept_until: Some(now + 90_000),
        tags: [tag].into(),
        ..text("v")
    };
    done(tier.set(b"tagged", &entry)).unwrap();
    let read = done(tier.get(b"tagged")).unwrap().unwrap();
    assert_eq!(read.tags.len(), 1);
    assert_eq!(&*read.tags[0].name, "red");
    if !tier.forgets_tags_at_once() {
        assert_eq!(read, entry);
    }
    done(tier.delete(&[key("tagged")])).unwrap();
}

fn keys_are_named_by_pattern(tier: &dyn Tier) {
    done(tier.clear()).unwrap();
    for name in ["user:1", "user:2", "order:1", "wi*d"] {
        done(tier.set(name.as_bytes(), &text("v"))).unwrap();
    }
    let named = |pattern: Option<&str>| {
        let glob = pattern.map(|pattern| Arc::new(Glob::new(pattern.as_bytes()).unwrap()));
        let mut keys = done(tier.keys(glob.clone())).unwrap();
        keys.retain(|key| glob.as_ref().is_none_or(|glob| glob.matches(key)));
        keys.sort();
        keys
    };
    assert_eq!(named(Some("user:*")), ["user:1", "user:2"].map(key));
    assert_eq!(named(Some("order:1")), [key("order:1")]);
    assert_eq!(named(Some("nothing")), []);
    assert_eq!(named(None).len(), 4);
}

fn clearing_leaves_nothing(tier: &dyn Tier) {
    let keys = [key("one"), key("two")];
    for key in &keys {
        done(tier.set(key, &text("v"))).unwrap();
    }
    done(tier.clear()).unwrap();
    assert_eq!(done(tier.get_many(&keys)).unwrap(), [None, None]);
}
