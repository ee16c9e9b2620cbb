//! What follows from a change: versions, tags, patterns, events, expiry, the end.

use super::*;
use crate::engine::cache::events::EventKind;
use crate::engine::cache::glob::Glob;
use crate::engine::registry::Engine;
use crate::error::Error;

fn glob(pattern: &str) -> Glob {
    Glob::new(pattern.as_bytes()).expect("compiles")
}

/// A lifetime that is over as good as at once.
const MOMENT: Lifetime = ttl(1);

type Change = fn(&MemoryCache);

/// Waits until the background thread has left no more than so many entries.
fn wait_for_sweep(cache: &MemoryCache, left: u64) {
    wait_until("the sweep", || cache.len() <= left);
    // Takes every lock: whatever follows from the last expiry has happened, too.
    validate(cache);
}

#[test]
fn versions_move_with_every_change_of_a_key() {
    let changes: [(&str, Change); 11] = [
        ("set", |cache| set(cache, "k", "w")),
        ("take", |cache| drop(cache.take(key("k")))),
        ("touch", |cache| assert!(cache.touch(key("k"), ttl(2 * HOUR_MS)))),
        ("touch for ever", |cache| assert!(cache.touch(key("k"), ENDLESS))),
        ("increment", |cache| drop(cache.increment(key("n"), by(1.0)))),
        ("evict", |cache| assert!(cache.evict(u64::MAX) > 0)),
        ("resize", |cache| cache.resize(None, Some(1))),
        ("clear", |cache| cache.clear()),
        ("close", |cache| cache.close()),
        ("tags", |cache| {
            assert_eq!(cache.invalidate_tags(&strings(&["t"])), 2);
        }),
        ("pattern", |cache| assert_eq!(cache.delete_pattern(&glob("?")), 2)),
    ];
    for (what, change) in changes {
        each(|cache| {
            set_with(cache, "k", "v", HOUR, &["t"]);
            let number = Number {
                by: 1.0,
                lifetime: HOUR,
                tags: &strings(&["t"]),
            };
            assert_eq!(cache.increment(key("n"), number), Ok(1.0));
            let name = if what == "increment" { "n" } else { "k" };
            let before = version(cache, name);
            change(cache);
            assert_ne!(version(cache, name), before, "{what}");
        });
    }
}

#[test]
fn versions_stand_still_while_nothing_changes() {
    each(|cache| {
        set_with(cache, "k", "v", HOUR, &["t"]);
        let words = |cache: &MemoryCache| -> Vec<u32> {
            let slots = 0..cache.versions().words().len();
            slots.map(|slot| cache.versions().current(slot)).collect()
        };
        let before = words(cache);
        cache.get(key("k"));
        cache.peek(key("k"));
        cache.get(key("absent"));
        cache.take(key("absent"));
        cache.touch(key("absent"), HOUR);
        cache.remaining_ms(key("k"));
        cache.credit(key("k").hash, 3);
        cache.prefetch(key("k").hash);
        let _ = cache.increment(key("k"), by(1.0));
        cache.invalidate_tags(&strings(&["absent"]));
        cache.delete_pattern(&glob("absent*"));
        cache.evict(0);
        cache.resize(Some(10), None);
        keys(cache);
        validate(cache);
        assert_eq!(words(cache), before);
    });
}

#[test]
fn tags_delete_their_carriers_and_nothing_else() {
    each(|cache| {
        set_with(cache, "a", "v", ENDLESS, &["red", "warm", "red"]);
        set_with(cache, "b", "v", ENDLESS, &["red"]);
        set_with(cache, "c", "v", ENDLESS, &["blue"]);
        set(cache, "d", "v");
        validate(cache);
        assert_eq!(cache.invalidate_tags(&strings(&["red", "warm", "absent"])), 2);
        assert_eq!(keys(cache), ["c", "d"]);
        assert_eq!(cache.stats().deletes, 2);
        assert_eq!(cache.invalidate_tags(&strings(&["red"])), 0);
        assert_eq!(cache.invalidate_tags(&[]), 0);
        assert_eq!(cache.effects.tags.pairs(), 1);
    });
}

#[test]
fn whatever_leaves_the_cache_leaves_the_tags() {
    let ways: [(&str, Change); 7] = [
        ("replaced", |cache| {
            set_with(cache, "k", "w", ENDLESS, &["u"]);
            assert_eq!(cache.effects.tags.pairs(), 1);
            assert_eq!(cache.invalidate_tags(&strings(&["t"])), 0);
            assert_eq!(peek(cache, "k").as_deref(), Some("w"));
            cache.take(key("k"));
        }),
        ("taken", |cache| drop(cache.take(key("k")))),
        ("evicted", |cache| assert!(cache.evict(u64::MAX) > 0)),
        ("squeezed", |cache| cache.resize(None, Some(1))),
        ("refused", |cache| {
            cache.resize(None, Some(2000));
            set_with(cache, "k", &"x".repeat(3000), ENDLESS, &["t"]);
        }),
        ("cleared", |cache| cache.clear()),
        ("expired", |cache| {
            cache.touch(key("k"), MOMENT);
            wait_for_sweep(cache, 0);
        }),
    ];
    for (way, leave) in ways {
        each(|cache| {
            set_with(cache, "k", "v", ENDLESS, &["t", "s"]);
            assert_eq!(cache.effects.tags.pairs(), 2);
            leave(cache);
            assert_eq!(cache.effects.tags.pairs(), 0, "{way}");
            assert_eq!(cache.invalidate_tags(&strings(&["t", "s"])), 0, "{way}");
        });
    }
}

#[test]
fn patterns_list_and_delete_what_they_mean() {
    each(|cache| {
        for name in ["user:1", "user:2", "user:10", "post:1"] {
            set(cache, name, "v");
        }
        let listed = |pattern: &str| {
            let mut listed = 0;
            cache.for_each_key(Some(&glob(pattern)), &mut |_| listed += 1);
            listed
        };
        assert_eq!(
            (listed("user:*"), listed("*:1"), listed("user:?"), listed("*")),
            (3, 2, 2, 4)
        );
        assert_eq!(cache.delete_pattern(&glob("user:?")), 2);
        assert_eq!(keys(cache), ["post:1", "user:10"]);
        assert_eq!(cache.delete_pattern(&glob("absent")), 0);
        assert_eq!(cache.delete_pattern(&glob("*")), 2);
        assert_eq!(cache.stats().deletes, 4);
    });
}

#[test]
fn events_tell_all_changes_in_their_order() {
    use EventKind::{Clear, Delete, Evict, Expire, Set};
    each(|cache| {
        let subscription = subscribe(cache);
        let heard = || -> Vec<(EventKind, String, String)> {
            let tell = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
            let events = subscription.take();
            let parts = events.iter().map(|event| match &event.subject {
                Some(record) => (event.kind, tell(record.key()), tell(record.payload())),
                None => (event.kind, String::new(), String::new()),
            });
            parts.collect()
        };
        let event = |kind, key: &str, value: &str| (kind, key.to_owned(), value.to_owned());

        set(cache, "a", "1");
        set(cache, "a", "2");
        set_with(cache, "b", "3", ENDLESS, &["t"]);
        cache.take(key("a"));
        cache.invalidate_tags(&strings(&["t"]));
        set(cache, "c", "4");
        cache.delete_pattern(&glob("c*"));
        let expected = [
            event(Set, "a", "1"),
            event(Set, "a", "2"),
            event(Set, "b", "3"),
            event(Delete, "a", "2"),
            event(Delete, "b", "3"),
            event(Set, "c", "4"),
            event(Delete, "c", "4"),
        ];
        assert_eq!(heard(), expected);

        // Reads, misses and another lifetime are no changes of a value.
        set(cache, "a", "1");
        heard();
        cache.get(key("a"));
        cache.take(key("absent"));
        cache.touch(key("a"), HOUR);
        cache.touch(key("a"), ttl(2 * HOUR_MS));
        assert!(heard().is_empty());

        cache.evict(u64::MAX);
        set_with(cache, "e", "5", MOMENT, &[]);
        wait_for_sweep(cache, 0);
        set(cache, "f", "6");
        cache.clear();
        let expected = [
            event(Evict, "a", "1"),
            event(Set, "e", "5"),
            event(Expire, "e", "5"),
            event(Set, "f", "6"),
            event(Clear, "", ""),
        ];
        assert_eq!(heard(), expected);

        cache.subscriptions().remove(&subscription);
        set(cache, "a", "1");
        assert!(heard().is_empty());
    });
}

#[test]
fn expired_entries_leave_without_being_touched() {
    each(|cache| {
        let idle = Lifetime {
            ttl_ms: None,
            idle_ms: Some(1),
        };
        let before = version(cache, "ttl");
        set_with(cache, "ttl", "v", MOMENT, &["t"]);
        set_with(cache, "idle", "v", idle, &["t"]);
        set_with(cache, "stays", "v", HOUR, &["t"]);
        set(cache, "touched", "v");
        cache.touch(key("touched"), MOMENT);
        let counted = Number {
            by: 1.0,
            lifetime: MOMENT,
            tags: &[],
        };
        assert_eq!(cache.increment(key("counted"), counted), Ok(1.0));
        wait_for_sweep(cache, 1);
        assert_eq!(cache.stats().expirations, 4);
        let moved = version(cache, "ttl").wrapping_sub(before);
        assert!(moved >= 2, "once when it came and once when it went");
        assert_eq!(keys(cache), ["stays"]);
        // The sweep has ended its work and takes it up again.
        cache.clear();
        wait_until("the sweep to end", || {
            !cache.swept.load(std::sync::atomic::Ordering::SeqCst)
        });
        set_with(cache, "ttl", "v", MOMENT, &[]);
        wait_for_sweep(cache, 0);
        assert_eq!(cache.stats().expirations, 5);
    });
}

#[test]
fn what_is_over_is_as_good_as_gone() {
    each(|cache| {
        set_with(cache, "k", "v", ttl(0), &["t"]);
        wait_until("the deadline", || cache.peek(key("k")).is_none());
        assert!(cache.get(key("k")).is_none() && cache.take(key("k")).is_none());
        assert!(!cache.touch(key("k"), HOUR));
        assert_eq!(cache.remaining_ms(key("k")), None);
        assert_eq!(cache.increment(key("k"), by(1.0)), Ok(1.0));
        assert_eq!(cache.remaining_ms(key("k")), Some(None));
        let stats = cache.stats();
        assert_eq!((stats.expirations, stats.deletes, cache.len()), (1, 0, 1));
    });
}

#[test]
fn a_closed_cache_is_empty_and_stays_so() {
    each(|cache| {
        set_with(cache, "k", "v", HOUR, &["t"]);
        let subscription = subscribe(cache);
        assert!(!cache.is_closed());
        cache.close();
        assert!(cache.is_closed() && cache.is_empty() && cache.bytes() == 0);
        let kinds: Vec<_> = subscription.take().iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Clear]);
        let sets = cache.stats().sets;
        set_with(cache, "k", "v", HOUR, &["t"]);
        assert_eq!(
            cache.increment(key("n"), by(1.0)),
            Err(Error::Closed { engine: "cache" })
        );
        assert!(!cache.touch(key("k"), HOUR));
        assert!(cache.take(key("k")).is_none() && cache.get(key("k")).is_none());
        assert_eq!(cache.invalidate_tags(&strings(&["t"])), 0);
        assert_eq!(cache.delete_pattern(&glob("*")), 0);
        cache.resize(Some(5), None);
        cache.evict(u64::MAX);
        cache.clear();
        cache.close();
        assert!(cache.is_empty());
        assert_eq!(cache.stats().sets, sets);
    });
}
