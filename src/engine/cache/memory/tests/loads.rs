//! Loads: one caller leads, the others follow, and a write in between wins.

use super::*;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::memory::flights::{Caller, Part};
use crate::engine::completion::Outcome;
use crate::engine::registry::Engine;

type Environment = Arc<CompletionQueue>;

fn join(cache: &MemoryCache, environment: &Environment, operation: u32) -> Result<Part, Record> {
    let caller = Caller {
        environment: environment.clone(),
        operation,
    };
    cache.join(key("k"), caller)
}

fn lead(cache: &MemoryCache, environment: &Environment) -> u64 {
    match join(cache, environment, 0) {
        Ok(Part::Lead(ticket)) => ticket,
        other => panic!("expected to lead, not {other:?}"),
    }
}

fn follow(cache: &MemoryCache, environment: &Environment, operation: u32) {
    let part = join(cache, environment, operation).ok();
    assert_eq!(part, Some(Part::Follow));
}

fn settle(cache: &MemoryCache, ticket: u64, value: &str) {
    cache.settle(key("k"), ticket, text(value, HOUR, &strings(&["t"])));
}

/// What an environment was told: operations and values.
fn told(environment: &Environment) -> Vec<(u32, String)> {
    let completions = environment.drain().into_iter();
    let tell = |outcome| match outcome {
        Outcome::Value(record) => payload(Some(record)).unwrap_or_default(),
        Outcome::Failure(error) => format!("failure {}", String::from_utf8_lossy(&error)),
        Outcome::Lead(_) => "lead".to_owned(),
        Outcome::Events => "events".to_owned(),
        Outcome::Done(_) | Outcome::Refused(_) => "none of a load's".to_owned(),
    };
    completions
        .map(|completion| (completion.operation, tell(completion.outcome)))
        .collect()
}

fn pair(operation: u32, value: &str) -> (u32, String) {
    (operation, value.to_owned())
}

#[test]
fn a_load_is_stored_and_handed_to_all_who_wait() {
    each(|cache| {
        let (a, b) = (environment(), environment());
        let ticket = lead(cache, &a);
        follow(cache, &a, 1);
        follow(cache, &b, 2);
        assert_eq!(cache.flights.len(), 1);
        settle(cache, ticket + 1, "a foreign ticket");
        assert!(cache.is_empty() && told(&b).is_empty());
        settle(cache, ticket, "v");
        assert_eq!(told(&a), [pair(1, "v")]);
        assert_eq!(told(&b), [pair(2, "v")]);
        assert!(cache.flights.is_empty());
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
        assert!(cache.remaining_ms(key("k")).flatten().is_some());
        settle(cache, ticket, "a second time");
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
        assert_eq!((cache.stats().loads, cache.stats().sets), (1, 1));
        assert_eq!(cache.invalidate_tags(&strings(&["t"])), 1);
    });
}

#[test]
fn a_failure_is_told_and_nothing_stored() {
    each(|cache| {
        let (a, b) = (environment(), environment());
        let ticket = lead(cache, &a);
        follow(cache, &b, 1);
        cache.settle_failure(key("k"), ticket, b"boom");
        assert_eq!(told(&b), [pair(1, "failure boom")]);
        assert!(cache.flights.is_empty() && cache.is_empty());
        assert_eq!((cache.stats().loads, cache.stats().load_failures), (1, 1));
        // The next caller may try again.
        settle(cache, lead(cache, &b), "v");
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
    });
}

#[test]
fn a_write_during_a_load_wins_and_the_callers_get_what_was_loaded() {
    type Change = fn(&MemoryCache);
    let changes: [(&str, Option<&str>, Change); 8] = [
        ("set", Some("newer"), |cache| set(cache, "k", "newer")),
        ("take", None, |cache| drop(cache.take(key("k")))),
        ("set and take", None, |cache| {
            set(cache, "k", "newer");
            cache.take(key("k"));
        }),
        ("set and evict", None, |cache| {
            set(cache, "k", "newer");
            cache.evict(u64::MAX);
        }),
        ("refused", None, |cache| {
            let large = "x".repeat(5000);
            assert_eq!(set_with(cache, "k", &large, ENDLESS, &[]), Written::Refused);
        }),
        ("clear", None, |cache| cache.clear()),
        ("close", None, |cache| cache.close()),
        ("increment", Some(""), |cache| {
            assert_eq!(cache.increment(key("k"), by(1.0)), Ok(1.0));
        }),
    ];
    let options = Options {
        max_bytes: Some(4096),
        ..Options::default()
    };
    for (what, left, change) in changes {
        each_with(&options, |cache| {
            let (a, b) = (environment(), environment());
            let ticket = lead(cache, &a);
            follow(cache, &b, 1);
            change(cache);
            settle(cache, ticket, "stale");
            assert_eq!(told(&b), [pair(1, "stale")], "{what}");
            match left {
                Some("") => assert_eq!(number(cache, "k"), Some(1.0), "{what}"),
                left => assert_eq!(peek(cache, "k").as_deref(), left, "{what}"),
            }
            assert!(cache.flights.is_empty(), "{what}");
        });
    }
}

#[test]
fn a_change_of_another_key_leaves_a_load_alone() {
    each(|cache| {
        let a = environment();
        set_with(cache, "other", "v", ENDLESS, &["u"]);
        let ticket = lead(cache, &a);
        set(cache, "another", "v");
        cache.take(key("another"));
        cache.invalidate_tags(&strings(&["u"]));
        cache.touch(key("k"), HOUR);
        cache.evict(u64::MAX);
        settle(cache, ticket, "v");
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
    });
}

#[test]
fn deleting_by_tag_or_pattern_overtakes_the_load_of_what_it_deletes() {
    let deletions: [fn(&MemoryCache) -> u64; 2] = [
        |cache| cache.invalidate_tags(&strings(&["t"])),
        |cache| cache.delete_pattern(&Glob::new(b"k*").expect("compiles")),
    ];
    for delete in deletions {
        each(|cache| {
            let (a, b) = (environment(), environment());
            lead(cache, &a);
            follow(cache, &b, 1);
            set_with(cache, "k", "newer", ENDLESS, &["t"]);
            // The lead passes to `b`, whose load begins now and is overtaken by nothing yet.
            cache.flights.leave(&a);
            let Outcome::Lead(ticket) = b.drain().remove(0).outcome else {
                panic!("the lead was not handed over");
            };
            assert!(cache.flights.may_store(b"k", ticket, &[]));
            assert_eq!(delete(cache), 1);
            settle(cache, ticket, "stale");
            assert!(cache.is_empty() && cache.flights.is_empty());
        });
    }
}

#[test]
fn an_environment_that_leaves_hands_its_load_over() {
    each(|cache| {
        let (a, b, c) = (environment(), environment(), environment());
        let first = lead(cache, &a);
        follow(cache, &a, 1);
        follow(cache, &b, 2);
        follow(cache, &c, 3);
        a.close();
        cache.flights.leave(&a);
        let Outcome::Lead(ticket) = b.drain().remove(0).outcome else {
            panic!("the lead was not handed over");
        };
        settle(cache, first, "too late");
        assert!(cache.is_empty() && told(&c).is_empty());
        settle(cache, ticket, "v");
        assert_eq!(told(&c), [pair(3, "v")]);
        assert!(told(&a).is_empty() && told(&b).is_empty());
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
        // With nobody left the load ends.
        cache.take(key("k"));
        lead(cache, &b);
        cache.flights.leave(&b);
        assert!(cache.flights.is_empty());
    });
}

#[test]
fn a_value_that_came_meanwhile_needs_no_load() {
    each(|cache| {
        let a = environment();
        assert!(cache.get(key("k")).is_none());
        set(cache, "k", "came meanwhile");
        let found = join(cache, &a, 0).expect_err("no load begins");
        assert_eq!(payload(Some(found)).as_deref(), Some("came meanwhile"));
        assert!(cache.flights.is_empty() && told(&a).is_empty());
        assert_eq!(cache.stats().loads, 0);
    });
}

#[test]
fn a_loaded_value_that_is_too_large_is_delivered_and_refused() {
    let small = Options {
        max_bytes: Some(4096),
        ..Options::default()
    };
    each_with(&small, |cache| {
        let (a, b) = (environment(), environment());
        let large = "x".repeat(5000);
        let ticket = lead(cache, &a);
        follow(cache, &b, 1);
        settle(cache, ticket, &large);
        assert_eq!(told(&b), [pair(1, &large)]);
        assert!(cache.is_empty() && cache.flights.is_empty());
        // Overtaken and too large: what is in the cache stays.
        let ticket = lead(cache, &a);
        set(cache, "k", "newer");
        settle(cache, ticket, &large);
        assert_eq!(peek(cache, "k").as_deref(), Some("newer"));
    });
}

#[test]
fn loads_go_on_in_a_closed_cache_and_store_nothing() {
    each(|cache| {
        let (a, b) = (environment(), environment());
        cache.close();
        let ticket = lead(cache, &a);
        follow(cache, &b, 1);
        settle(cache, ticket, "v");
        assert_eq!(told(&b), [pair(1, "v")]);
        assert!(cache.is_empty());
    });
}
