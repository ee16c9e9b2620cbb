//! Where two mechanisms meet.

use super::*;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::memory::flights::{Caller, Part};
use crate::engine::clock;
use crate::error::Error;

/// Begins a load, removes something, and ends the load with a value that carries tag `t`.
fn load_overtaken_by(remove: fn(&MemoryCache)) {
    each(|cache| {
        let caller = Caller {
            environment: environment(),
            operation: 0,
        };
        let Ok(Part::Lead(ticket)) = cache.join(key("k"), caller) else {
            panic!("nothing else is loading");
        };
        remove(cache);
        cache.settle(key("k"), ticket, text("stale", ENDLESS, &strings(&["t"])));
        assert_eq!(peek(cache, "k"), None);
    });
}

#[test]
fn a_tag_invalidated_during_a_load_keeps_its_value_out() {
    load_overtaken_by(|cache| assert_eq!(cache.invalidate_tags(&strings(&["t"])), 0));
}

#[test]
fn a_pattern_deleted_during_a_load_keeps_its_value_out() {
    load_overtaken_by(|cache| assert_eq!(cache.delete_pattern(&Glob::new(b"k*").unwrap()), 0));
}

#[test]
fn an_entry_bound_that_cannot_bind_costs_no_bytes() {
    let options = Options {
        max_entries: Some(600_000),
        max_bytes: Some(1_000_000),
        ..Options::default()
    };
    each_with(&options, |cache| {
        (0..8000).for_each(|number| set(cache, &number.to_string(), "v"));
        let (policy, bytes) = (cache.config().eviction_policy, cache.bytes());
        assert!(bytes > 990_000, "{policy:?} uses {bytes} of 1,000,000 bytes");
    });
}

#[test]
fn a_resize_keeps_account_of_what_has_expired() {
    each(|cache| {
        for number in 0..200 {
            set_with(cache, &number.to_string(), "v", ttl(1), &[]);
        }
        let over = clock::now_ms() + 3;
        wait_until("the entries to expire", || clock::coarse_ms() >= over);
        cache.resize(Some(1000), None);
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_number_under_a_key_larger_than_the_cache_is_refused() {
    let options = Options {
        max_bytes: Some(4096),
        ..Options::default()
    };
    each_with(&options, |cache| {
        set(cache, "other", "v");
        let sum = cache.increment(key(&"x".repeat(5000)), by(1.0));
        assert_eq!(sum, Err(Error::TooLarge));
        assert!(peek(cache, "other").is_some());
        assert_eq!(cache.stats().refusals, 1);
    });
}
