//! Single entries and the bounds: reading, writing, counting, refusing.

use super::*;
use crate::engine::cache::compression::{Algorithm, Compressor};
use crate::error::Error;

#[test]
fn what_is_set_is_read_until_it_is_taken() {
    each(|cache| {
        assert!(cache.get(key("k")).is_none() && cache.is_empty());
        set(cache, "k", "one");
        set(cache, "k", "two");
        assert_eq!(payload(cache.get(key("k"))).as_deref(), Some("two"));
        assert_eq!(peek(cache, "k").as_deref(), Some("two"));
        assert_eq!(cache.len(), 1);
        assert!(cache.bytes() > 0);
        assert_eq!(payload(cache.take(key("k"))).as_deref(), Some("two"));
        assert!(cache.take(key("k")).is_none() && cache.peek(key("k")).is_none());
        assert_eq!((cache.len(), cache.bytes()), (0, 0));
        let stats = cache.stats();
        assert_eq!((stats.sets, stats.deletes, stats.evictions), (2, 1, 0));
    });
}

#[test]
fn keys_and_values_may_be_empty_or_large() {
    let large = "x".repeat(100_000);
    each(|cache| {
        for name in ["", large.as_str()] {
            for value in ["", "v", large.as_str()] {
                set(cache, name, value);
                assert_eq!(peek(cache, name).as_deref(), Some(value));
            }
        }
        assert_eq!(cache.len(), 2);
    });
}

#[test]
fn a_touch_restarts_the_life_and_nothing_else() {
    each(|cache| {
        assert_eq!(cache.remaining_ms(key("k")), None);
        assert!(!cache.touch(key("k"), HOUR));
        set_with(cache, "k", "v", ENDLESS, &["t"]);
        assert_eq!(cache.remaining_ms(key("k")), Some(None));
        let left = || cache.remaining_ms(key("k")).flatten();
        // Endless to limited, limited to limited, with an idle time, and back.
        assert!(cache.touch(key("k"), HOUR));
        assert!(left().is_some_and(|left| left <= HOUR_MS && left > HOUR_MS / 2));
        assert!(cache.touch(key("k"), ttl(2 * HOUR_MS)));
        assert!(left().is_some_and(|left| left <= 2 * HOUR_MS && left > HOUR_MS));
        let idle = Lifetime {
            ttl_ms: Some(2 * HOUR_MS),
            idle_ms: Some(HOUR_MS / 2),
        };
        assert!(cache.touch(key("k"), idle));
        assert!(left().is_some_and(|left| left < HOUR_MS));
        assert!(cache.touch(key("k"), ENDLESS));
        assert_eq!(cache.remaining_ms(key("k")), Some(None));
        assert_eq!(peek(cache, "k").as_deref(), Some("v"));
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.stats().sets, 1);
        validate(cache);
        assert_eq!(cache.invalidate_tags(&strings(&["t"])), 1);
    });
}

#[test]
fn an_increment_begins_at_zero_and_keeps_tags_and_expiry() {
    each(|cache| {
        assert_eq!(cache.increment(key("n"), by(2.5)), Ok(2.5));
        assert_eq!(cache.remaining_ms(key("n")), Some(None));
        let first = Number {
            by: 1.0,
            lifetime: HOUR,
            tags: &strings(&["t"]),
        };
        assert_eq!(cache.increment(key("m"), first), Ok(1.0));
        let other = Number {
            by: -3.0,
            lifetime: ENDLESS,
            tags: &strings(&["other"]),
        };
        assert_eq!(cache.increment(key("m"), other), Ok(-2.0));
        assert_eq!(number(cache, "m"), Some(-2.0));
        let left = cache.remaining_ms(key("m")).flatten();
        assert!(left.is_some_and(|left| left <= HOUR_MS && left > HOUR_MS / 2));
        validate(cache);
        assert_eq!(cache.invalidate_tags(&strings(&["other"])), 0);
        assert_eq!(cache.invalidate_tags(&strings(&["t"])), 1);
        assert_eq!(number(cache, "n"), Some(2.5));
    });
}

#[test]
fn a_sum_that_cannot_be_leaves_things_unchanged() {
    each(|cache| {
        set_with(cache, "text", "1", HOUR, &["t"]);
        assert_eq!(cache.increment(key("n"), by(f64::MAX)), Ok(f64::MAX));
        let before = (version(cache, "text"), version(cache, "n"), cache.stats().sets);
        assert_eq!(cache.increment(key("text"), by(1.0)), Err(Error::NotANumber));
        assert_eq!(cache.increment(key("n"), by(f64::MAX)), Err(Error::NotFinite));
        assert_eq!(cache.increment(key("n"), by(f64::NAN)), Err(Error::NotFinite));
        assert_eq!(
            cache.increment(key("new"), by(f64::INFINITY)),
            Err(Error::NotFinite)
        );
        let after = (version(cache, "text"), version(cache, "n"), cache.stats().sets);
        assert_eq!(before, after);
        assert_eq!(peek(cache, "text").as_deref(), Some("1"));
        assert_eq!(number(cache, "n"), Some(f64::MAX));
        assert_eq!(cache.len(), 2);
        assert_eq!(cache.invalidate_tags(&strings(&["t"])), 1);
    });
}

#[test]
fn bounds_hold_after_every_write_and_after_a_resize() {
    let tight = Options {
        max_entries: Some(50),
        max_bytes: Some(1 << 20),
        ..Options::default()
    };
    each_with(&tight, |cache| {
        let fill = |from: u32, to: u32| {
            for n in from..to {
                set(cache, &format!("k{n}"), &"v".repeat(n as usize % 500));
                let stats = cache.stats();
                assert!(stats.entries <= stats.max_entries && stats.bytes <= stats.max_bytes);
            }
        };
        fill(0, 200);
        assert_eq!(cache.len(), 50, "no more is evicted than need be");
        cache.resize(Some(2000), None);
        fill(200, 2200);
        assert!(cache.len() > 1000, "the new room is used");
        cache.resize(Some(1_000_000), Some(100_000));
        assert!(cache.bytes() <= 100_000 && cache.len() > 50);
        fill(2200, 2500);
        cache.resize(Some(7), None);
        assert!(cache.len() <= 7);
        cache.resize(None, Some(1));
        assert!(cache.is_empty());
        let stats = cache.stats();
        assert_eq!((stats.max_entries, stats.max_bytes), (7, 1));
        assert_eq!(stats.evictions, stats.sets);
        cache.resize(None, Some(1 << 20));
        set(cache, "k", "v");
        assert_eq!(cache.len(), 1);
    });
}

#[test]
fn a_large_cache_shrinks_at_once() {
    each(|cache| {
        (0..20_000).for_each(|n| set(cache, &n.to_string(), "v"));
        cache.resize(Some(100), None);
        assert!(cache.len() <= 100);
        assert_eq!(cache.stats().evictions, 20_000 - cache.len());
    });
}

#[test]
fn entries_are_given_up_until_the_bytes_are_freed() {
    each(|cache| {
        (0..500).for_each(|n| set(cache, &n.to_string(), "v"));
        let before = cache.bytes();
        let freed = cache.evict(before / 4);
        assert_eq!(freed, before - cache.bytes());
        assert!(freed >= before / 4 && freed < before / 2);
        assert_eq!(cache.evict(0), 0);
        validate(cache);
        assert_eq!(cache.evict(u64::MAX), before - freed);
        assert!(cache.is_empty());
        assert_eq!(cache.stats().evictions, 500);
    });
}

#[test]
fn a_value_larger_than_the_cache_is_refused_and_removes_the_old_one() {
    let small = Options {
        max_bytes: Some(4096),
        ..Options::default()
    };
    each_with(&small, |cache| {
        set(cache, "other", "stays");
        set_with(cache, "k", "old", ENDLESS, &["t"]);
        let before = version(cache, "k");
        let large = "x".repeat(5000);
        assert_eq!(set_with(cache, "k", &large, ENDLESS, &[]), Written::Refused);
        assert_eq!(set_with(cache, "new", &large, ENDLESS, &[]), Written::Refused);
        assert_ne!(version(cache, "k"), before);
        assert_eq!(keys(cache), ["other"]);
        let stats = cache.stats();
        assert_eq!((stats.refusals, stats.sets, stats.deletes), (2, 2, 1));
        validate(cache);
    });
}

#[test]
fn packed_values_come_back_and_are_accounted_for() {
    let repetitive = "hotpath ".repeat(2000);
    let mut dice = Dice(1);
    let noise: Vec<u8> = (0..200_000).map(|_| dice.below(256) as u8).collect();
    // Half of it packs, so that what is stored is still large.
    let mixed = [noise.as_slice(), &[7; 200_000]].concat();
    for algorithm in [Algorithm::Lz4, Algorithm::Zstd] {
        let options = Options {
            compression: Some(Some(Compressor {
                algorithm,
                threshold: 1000,
                dictionary: false,
            })),
            ..Options::default()
        };
        each_with(&options, |cache| {
            let write = |name: &str, payload: &[u8]| {
                let entry = Entry {
                    kind: Kind::BUFFER,
                    payload,
                    lifetime: ENDLESS,
                    tags: &[],
                };
                assert_eq!(cache.set(key(name), entry), Written::Stored);
            };
            let read = |name: &str| {
                let record = cache.get(key(name)).expect("is in the cache");
                assert_eq!(record.kind(), Kind::BUFFER);
                let mut out = b"rest of another value".to_vec();
                let was_packed = MemoryCache::unpack(&record, &mut out).expect("unpacks");
                (
                    if was_packed {
                        out
                    } else {
                        record.payload().to_vec()
                    },
                    was_packed,
                )
            };
            write("repetitive", repetitive.as_bytes());
            write("mixed", &mixed);
            write("noise", &noise);
            write("short", &repetitive.as_bytes()[..999]);
            assert_eq!(read("repetitive"), (repetitive.clone().into_bytes(), true));
            // Another lifetime is another record.
            assert!(cache.touch(key("mixed"), HOUR));
            assert_eq!(read("mixed"), (mixed.clone(), true));
            assert_eq!(read("noise"), (noise.clone(), false));
            assert_eq!(read("short").0.len(), 999);
            assert!(!read("short").1);
            let stats = cache.stats();
            let original = (repetitive.len() + mixed.len()) as u64;
            assert_eq!((stats.packed_entries, stats.packed_original), (2, original));
            assert!(stats.packed_stored > 200_000 && stats.packed_stored < 250_000);
            write("repetitive", b"short now");
            let stats = cache.stats();
            assert_eq!(
                (stats.packed_entries, stats.packed_original),
                (1, mixed.len() as u64)
            );
            validate(cache);
            cache.take(key("mixed"));
            let empty = |cache: &MemoryCache| {
                let stats = cache.stats();
                (stats.packed_entries, stats.packed_original, stats.packed_stored) == (0, 0, 0)
            };
            assert!(empty(cache));
            write("repetitive", repetitive.as_bytes());
            cache.evict(u64::MAX);
            assert!(empty(cache));
            write("repetitive", repetitive.as_bytes());
            cache.clear();
            assert!(empty(cache));
        });
    }
}
