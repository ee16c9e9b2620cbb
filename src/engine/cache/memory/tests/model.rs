//! Any sequence of operations, against a model that anybody can check by reading it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::engine::cache::compression::{Algorithm, Compressor};
use crate::engine::cache::events::EventKind;
use crate::engine::cache::glob::Glob;
use crate::error::Error;

#[derive(Debug, Clone)]
enum Op {
    Set(u8, Content, bool, BTreeSet<u8>),
    Get(u8),
    Take(u8),
    Touch(u8, bool),
    Increment(u8, i8, bool, BTreeSet<u8>),
    Invalidate(BTreeSet<u8>),
    DeletePattern(u8),
    Clear,
    Evict(u16),
    Resize(u8, u16),
}

#[derive(Debug, Clone, PartialEq)]
enum Content {
    Text(usize),
    Number(f64),
}

#[derive(Debug, Clone, PartialEq)]
struct Held {
    content: Content,
    expires: bool,
    tags: BTreeSet<u8>,
}

type Model = BTreeMap<u8, Held>;

fn name(id: u8) -> String {
    format!("k{}:{}", id % 3, id)
}

fn names(tags: &BTreeSet<u8>) -> Vec<String> {
    tags.iter().map(|tag| format!("t{tag}")).collect()
}

fn lifetime(expires: bool) -> Lifetime {
    if expires { HOUR } else { ENDLESS }
}

/// Texts of a length are all the same, and pack well from a certain length on.
fn bytes(content: &Content) -> (Kind, Vec<u8>) {
    match content {
        Content::Text(length) => (Kind::LATIN1, vec![b'a' + (length % 26) as u8; *length]),
        Content::Number(number) => (Kind::NUMBER, number.to_le_bytes().into()),
    }
}

fn content(record: &Record) -> Content {
    if let Some(number) = record.as_number() {
        return Content::Number(number);
    }
    let mut out = Vec::new();
    if !MemoryCache::unpack(record, &mut out).expect("unpacks") {
        out = record.payload().to_vec();
    }
    let content = Content::Text(out.len());
    assert_eq!(bytes(&content), (record.kind(), out));
    content
}

fn op() -> impl Strategy<Value = Op> {
    let id = || 0u8..24;
    let tags = || prop::collection::btree_set(0u8..5, 0..3);
    let content = prop_oneof![
        3 => (0usize..400).prop_map(Content::Text),
        1 => Just(Content::Text(100_000)),
        2 => any::<i8>().prop_map(|number| Content::Number(number.into())),
    ];
    prop_oneof![
        12 => (id(), content, any::<bool>(), tags()).prop_map(|(id, content, expires, tags)| {
            Op::Set(id, content, expires, tags)
        }),
        6 => id().prop_map(Op::Get),
        4 => id().prop_map(Op::Take),
        4 => (id(), any::<bool>()).prop_map(|(id, expires)| Op::Touch(id, expires)),
        6 => (id(), any::<i8>(), any::<bool>(), tags())
            .prop_map(|(id, by, expires, tags)| Op::Increment(id, by, expires, tags)),
        2 => tags().prop_map(Op::Invalidate),
        1 => (0u8..3).prop_map(Op::DeletePattern),
        1 => Just(Op::Clear),
        1 => (0u16..3000).prop_map(Op::Evict),
        1 => (1u8..20, 0u16..20_000).prop_map(|(entries, bytes)| Op::Resize(entries, bytes)),
    ]
}

/// Does the same to the cache and to the model, and compares the answers.
fn apply(cache: &MemoryCache, model: &mut Model, op: &Op) {
    match op {
        Op::Set(id, content, expires, tags) => {
            let (kind, payload) = bytes(content);
            let entry = Entry {
                kind,
                payload: &payload,
                lifetime: lifetime(*expires),
                tags: &names(tags),
            };
            let held = Held {
                content: content.clone(),
                expires: *expires,
                tags: tags.clone(),
            };
            match cache.set(key(&name(*id)), entry) {
                Written::Stored => model.insert(*id, held),
                Written::Refused => model.remove(id),
            };
        }
        Op::Get(id) => {
            let found = cache.get(key(&name(*id)));
            let held = model.get(id).map(|held| held.content.clone());
            assert_eq!(found.as_ref().map(content), held);
        }
        Op::Take(id) => {
            let taken = cache.take(key(&name(*id)));
            let held = model.remove(id).map(|held| held.content);
            assert_eq!(taken.as_ref().map(content), held);
        }
        Op::Touch(id, expires) => {
            let touched = cache.touch(key(&name(*id)), lifetime(*expires));
            assert_eq!(touched, model.contains_key(id));
            model.entry(*id).and_modify(|held| held.expires = *expires);
        }
        Op::Increment(id, by, expires, tags) => {
            let number = Number {
                by: (*by).into(),
                lifetime: lifetime(*expires),
                tags: &names(tags),
            };
            let sum = cache.increment(key(&name(*id)), number);
            if sum == Err(Error::TooLarge) {
                // Nothing changes, and a roomy cache never says so.
                assert!(cache.stats().max_bytes < 1024);
                return;
            }
            let sum = sum.ok();
            let held = model.entry(*id).or_insert_with(|| Held {
                content: Content::Number(0.0),
                expires: *expires,
                tags: tags.clone(),
            });
            let expected = match &mut held.content {
                Content::Number(number) => {
                    *number += f64::from(*by);
                    Some(*number)
                }
                Content::Text(_) => None,
            };
            assert_eq!(sum, expected);
        }
        Op::Invalidate(tags) => {
            let before = model.len();
            model.retain(|_, held| held.tags.is_disjoint(tags));
            assert_eq!(cache.invalidate_tags(&names(tags)), (before - model.len()) as u64);
        }
        Op::DeletePattern(group) => {
            let before = model.len();
            model.retain(|id, _| id % 3 != *group);
            let glob = Glob::new(format!("k{group}:*").as_bytes()).expect("compiles");
            assert_eq!(cache.delete_pattern(&glob), (before - model.len()) as u64);
        }
        Op::Clear => {
            cache.clear();
            model.clear();
        }
        Op::Evict(bytes) => {
            let before = cache.bytes();
            assert_eq!(cache.evict((*bytes).into()), before - cache.bytes());
            assert!(cache.bytes() + u64::from(*bytes) <= before || cache.is_empty());
        }
        Op::Resize(entries, bytes) => cache.resize(Some((*entries).into()), Some((*bytes).into())),
    }
}

fn compare(cache: &MemoryCache, model: &Model) {
    let mut listed = BTreeSet::new();
    cache.for_each_key(None, &mut |key| assert!(listed.insert(key.to_vec())));
    let expected: BTreeSet<_> = model.keys().map(|id| name(*id).into_bytes()).collect();
    assert_eq!(listed, expected);
    let (mut packed, mut original, mut stored) = (0, 0, 0);
    for (id, held) in model {
        let record = cache.peek(key(&name(*id))).expect("is listed");
        let tags = record.tags().iter().map(|tag| tag.to_string());
        let found = (content(&record), record.deadline().is_some());
        assert_eq!(found, (held.content.clone(), held.expires));
        assert_eq!(tags.collect::<Vec<_>>(), names(&held.tags));
        if let Some(how) = record.packed() {
            packed += 1;
            original += u64::from(how.original_len);
            stored += record.payload().len() as u64;
        }
    }
    let stats = cache.stats();
    assert_eq!(
        (stats.packed_entries, stats.packed_original, stats.packed_stored),
        (packed, original, stored)
    );
    assert_eq!(stats.entries, model.len() as u64);
    assert!(stats.entries <= stats.max_entries && stats.bytes <= stats.max_bytes);
}

/// Evictions are the policy's choice: the model learns of them from the events, which
/// thereby are checked too.
fn run(options: &Options, ops: &[Op]) {
    each_with(options, |cache| {
        let subscription = cache.subscriptions().add(environment(), 0);
        cache
            .subscriptions()
            .choose(&subscription, EventKind::Evict as u8);
        let mut model = Model::new();
        for op in ops {
            apply(cache, &mut model, op);
            for event in subscription.take() {
                let record = event.subject.expect("an eviction has a record");
                let id = (0u8..24).find(|id| name(*id).as_bytes() == record.key());
                let evicted = id.and_then(|id| model.remove(&id));
                assert!(evicted.is_some(), "{op:?} evicted what is not there");
            }
            compare(cache, &model);
        }
        validate(cache);
    });
}

fn compressing(algorithm: Algorithm) -> Options {
    Options {
        compression: Some(Some(Compressor {
            algorithm,
            threshold: 64,
            dictionary: false,
        })),
        ..Options::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_roomy_cache_does_what_a_map_does(ops in prop::collection::vec(op(), 0..80), zstd in any::<bool>()) {
        run(&compressing(if zstd { Algorithm::Zstd } else { Algorithm::Lz4 }), &ops);
    }

    #[test]
    fn a_tight_cache_does_what_a_map_with_evictions_does(ops in prop::collection::vec(op(), 0..80)) {
        let options = Options {
            max_entries: Some(8),
            max_bytes: Some(10_000),
            ..Options::default()
        };
        run(&options, &ops);
    }
}
