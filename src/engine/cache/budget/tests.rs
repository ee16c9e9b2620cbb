//! Budgets over real caches.

use std::time::{Duration, Instant};

use super::*;
use crate::engine::cache::dice::Dice;
use crate::engine::cache::memory::config::Options;
use crate::engine::cache::memory::{Entry, MemoryCache, Written};
use crate::engine::cache::record::{Key, Kind, Lifetime};

const TOTAL: u64 = 4 << 20;

fn cache(budget: &Arc<Budget>, name: &str) -> Arc<MemoryCache> {
    MemoryCache::new(&Options {
        budget: Some(budget.clone()),
        name: Some(name.to_owned()),
        ..Options::default()
    })
}

fn write(cache: &MemoryCache, key: &str, bytes: usize) -> Written {
    let entry = Entry {
        kind: Kind::LATIN1,
        payload: &vec![b'x'; bytes],
        lifetime: Lifetime::default(),
        tags: &[],
    };
    cache.set(Key::new(key.as_bytes()), entry)
}

fn fill(cache: &MemoryCache, prefix: &str, entries: u64) {
    for index in 0..entries {
        write(cache, &format!("{prefix}{index}"), 1_000);
    }
}

/// Reads a key, and writes it when it is not there.
fn demand(cache: &MemoryCache, key: &str) -> bool {
    let hit = cache.get(Key::new(key.as_bytes())).is_some();
    if !hit {
        write(cache, key, 1_000);
    }
    hit
}

fn held(caches: &[&MemoryCache]) -> u64 {
    caches.iter().map(|cache| cache.bytes()).sum()
}

fn check(budget: &Budget) {
    let stats = budget.stats();
    let allotted: u64 = stats.members.iter().map(|member| member.allotment).sum();
    assert!(allotted <= stats.max_bytes, "{stats:?}");
    for member in &stats.members {
        assert!(member.bytes <= member.allotment, "{member:?}");
    }
}

#[test]
fn one_cache_may_use_all_of_it() {
    let budget = Budget::new(None, TOTAL);
    let (busy, idle) = (cache(&budget, "busy"), cache(&budget, "idle"));
    (0..10_000).for_each(|index| {
        assert_eq!(write(&busy, &format!("k{index}"), 1_000), Written::Stored);
        assert!(held(&[&busy, &idle]) <= TOTAL);
    });
    check(&budget);
    assert!(busy.bytes() > TOTAL * 9 / 10, "{:?}", budget.stats());
    // Who comes late is still sure of something.
    (0..5_000).for_each(|index| {
        write(&idle, &format!("k{index}"), 1_000);
        assert!(held(&[&busy, &idle]) <= TOTAL);
    });
    check(&budget);
    let guaranteed = budget.guaranteed(2);
    assert!(idle.bytes() > guaranteed * 9 / 10, "{:?}", budget.stats());
    busy.validate().unwrap();
    idle.validate().unwrap();
}

#[test]
fn what_one_does_not_use_goes_to_others() {
    let budget = Budget::new(None, TOTAL);
    let (first, second) = (cache(&budget, "first"), cache(&budget, "second"));
    fill(&first, "k", 10_000);
    first.clear();
    fill(&second, "k", 10_000);
    check(&budget);
    assert!(second.bytes() > TOTAL * 8 / 10, "{:?}", budget.stats());
    drop(first);
    fill(&second, "l", 3_000);
    assert_eq!(budget.stats().members.len(), 1);
    assert!(second.bytes() > TOTAL * 9 / 10, "{:?}", budget.stats());
}

#[test]
fn an_entry_as_large_as_a_share_finds_room() {
    let budget = Budget::new(None, TOTAL);
    let (first, second) = (cache(&budget, "first"), cache(&budget, "second"));
    fill(&first, "k", 10_000);
    assert_eq!(write(&second, "large", TOTAL as usize / 2), Written::Stored);
    assert_eq!(write(&second, "larger", 2 * TOTAL as usize), Written::Refused);
    assert!(held(&[&first, &second]) <= TOTAL);
    check(&budget);
}

#[test]
fn memory_moves_to_where_it_brings_hits() {
    let budget = Budget::new(None, TOTAL);
    let (useful, scanned) = (cache(&budget, "useful"), cache(&budget, "scanned"));
    let mut dice = Dice(3);
    let mut next = 0;
    let mut step = || {
        // One reads the same keys over and over, all of which fit only with most of the
        // budget; nothing in the other is ever read again.
        demand(&useful, &format!("k{}", dice.below(3_000)));
        next += 1;
        demand(&scanned, &format!("k{next}"));
        assert!(held(&[&useful, &scanned]) <= TOTAL);
    };
    let share = || useful.bytes() as f64 / TOTAL as f64;
    let end = Instant::now() + Duration::from_secs(60);
    while share() < 0.75 && Instant::now() < end {
        (0..1_000).for_each(|_| step());
    }
    check(&budget);
    assert!(
        share() >= 0.75 && budget.stats().moves > 0,
        "{:?}",
        budget.stats()
    );
}

#[test]
fn a_budget_can_be_resized() {
    let budget = Budget::new(None, TOTAL);
    let (first, second) = (cache(&budget, "first"), cache(&budget, "second"));
    for index in 0..3_000 {
        write(&first, &format!("k{index}"), 1_000);
        write(&second, &format!("k{index}"), 1_000);
    }
    budget.resize(TOTAL / 4);
    assert!(held(&[&first, &second]) <= TOTAL / 4);
    check(&budget);
    budget.resize(TOTAL);
    fill(&first, "l", 10_000);
    assert!(first.bytes() > TOTAL / 2, "{:?}", budget.stats());
    check(&budget);
}

#[test]
fn a_cache_keeps_its_own_bound_too() {
    let budget = Budget::new(None, TOTAL);
    let bounded = MemoryCache::new(&Options {
        budget: Some(budget.clone()),
        max_bytes: Some(100_000),
        ..Options::default()
    });
    fill(&bounded, "k", 1_000);
    assert!(bounded.bytes() <= 100_000 && bounded.bytes() > 90_000);
    check(&budget);
}

#[test]
fn threads_never_exceed_it_together() {
    let budget = Budget::new(None, TOTAL);
    let caches: Vec<_> = (0..3).map(|index| cache(&budget, &index.to_string())).collect();
    std::thread::scope(|scope| {
        for (seed, own) in caches.iter().enumerate() {
            scope.spawn(move || {
                let mut dice = Dice(seed as u64);
                for _ in 0..20_000 {
                    demand(own, &format!("k{}", dice.below(3_000)));
                }
            });
        }
    });
    check(&budget);
    caches.iter().for_each(|cache| cache.validate().unwrap());
}
