//! Several threads at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use super::*;
use crate::engine::cache::glob::Glob;

#[test]
fn increments_of_several_threads_add_up() {
    const TIMES: usize = 5000;
    each(|cache| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..TIMES {
                        cache.increment(key("n"), by(1.0)).expect("is a number");
                    }
                });
            }
        });
        assert_eq!(number(cache, "n"), Some((4 * TIMES) as f64));
        assert_eq!((cache.len(), cache.stats().sets), (1, 4 * TIMES as u64));
    });
}

#[test]
fn every_thread_takes_what_no_other_took() {
    each(|cache| {
        let taken = AtomicU64::new(0);
        (0..1000).for_each(|n| set(cache, &n.to_string(), "v"));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mine = (0..1000).filter(|n| cache.take(key(&n.to_string())).is_some());
                    taken.fetch_add(mine.count() as u64, SeqCst);
                });
            }
        });
        assert_eq!((taken.load(SeqCst), cache.stats().deletes), (1000, 1000));
    });
}

/// The near cache's use of versions, without JavaScript: a copy is kept together with the
/// version that was read before it, and served while that version stands. A copy that is
/// served must not be older than any write that was over before it was served.
fn copies_are_never_stale(write: impl Fn(&MemoryCache, u64) + Sync) {
    const WRITES: u64 = 3000;
    each(|cache| {
        let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let slot = cache.versions().slot(key("n").hash);
        let current = || cache.versions().current(slot);
        let value = || cache.get(key("n")).and_then(|record| record.as_number());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut copy = None;
                    let mut last_round = false;
                    while !last_round {
                        last_round = over.load(SeqCst);
                        let least = done.load(SeqCst);
                        match copy {
                            Some((version, number)) if version == current() => {
                                assert!(number >= least as f64, "{number} was served after write {least}");
                            }
                            _ => {
                                let version = current();
                                copy = value().map(|number| (version, number));
                            }
                        }
                    }
                    // Nobody writes any more: a copy made now stands, and is what is held.
                    let (version, number) = (current(), value());
                    assert_eq!((current(), value()), (version, number));
                    if let Some((kept, copied)) = copy
                        && kept == version
                    {
                        assert_eq!(Some(copied), number);
                    }
                });
            }
            for write_number in 1..=WRITES {
                write(cache, write_number);
                done.store(write_number, SeqCst);
                if write_number % 50 == 0 {
                    // Let copies be served now and then.
                    thread::yield_now();
                }
            }
            over.store(true, SeqCst);
        });
    });
}

#[test]
fn a_version_never_vouches_for_a_value_older_than_itself() {
    copies_are_never_stale(|cache, n| {
        assert_eq!(cache.increment(key("n"), by(1.0)), Ok(n as f64));
    });
}

#[test]
fn a_version_never_vouches_for_a_value_that_is_gone() {
    // Every value is the number of its write, so that a deletion makes all copies too old.
    let put = |cache: &MemoryCache, n: u64| {
        let entry = Entry {
            kind: Kind::NUMBER,
            payload: &(n as f64).to_le_bytes(),
            lifetime: if n % 4 == 1 { HOUR } else { ENDLESS },
            tags: &strings(&["t"]),
        };
        assert_eq!(cache.set(key("n"), entry), Written::Stored);
    };
    copies_are_never_stale(|cache, n| match n % 12 {
        0 => drop(cache.take(key("n"))),
        2 => assert_eq!(cache.invalidate_tags(&strings(&["t"])), 1),
        4 => assert_eq!(cache.delete_pattern(&Glob::new(b"n").expect("compiles")), 1),
        6 => assert!(cache.evict(u64::MAX) > 0),
        8 if n % 96 == 8 => cache.clear(),
        _ => put(cache, n),
    });
}

fn riot(options: &Options, rounds: u64, ways: u64) {
    each_with(options, |cache| {
        thread::scope(|scope| {
            for seed in 0..4 {
                scope.spawn(move || {
                    let mut dice = Dice(seed);
                    for _ in 0..rounds {
                        disturb(cache, &mut dice, ways);
                    }
                });
            }
        });
        let stats = cache.stats();
        assert!(stats.entries <= stats.max_entries && stats.bytes <= stats.max_bytes);
        validate(cache);
        cache.clear();
        assert_eq!(
            (cache.len(), cache.bytes(), cache.effects.tags.pairs()),
            (0, 0, 0)
        );
    });
}

fn disturb(cache: &MemoryCache, dice: &mut Dice, ways: u64) {
    let name = format!("k{}", dice.below(100));
    let tag = format!("t{}", dice.below(8));
    match dice.below(ways) {
        0 => drop(cache.take(key(&name))),
        1 => drop(cache.invalidate_tags(&[tag])),
        2 => drop(cache.touch(key(&name), if dice.below(2) == 0 { HOUR } else { ENDLESS })),
        3 if dice.below(20) == 0 => cache.clear(),
        3 if dice.below(10) == 0 => drop(cache.delete_pattern(&Glob::new(b"k?").expect("compiles"))),
        3 => drop(cache.increment(key(&name), by(1.0))),
        4 => drop(cache.get(key(&name))),
        5..10 => {
            let lifetime = if dice.below(3) == 0 {
                ttl(dice.below(3))
            } else {
                ENDLESS
            };
            set_with(cache, &name, "v", lifetime, &[&tag, "all"]);
        }
        10 => drop(cache.evict(dice.below(5000))),
        _ => cache.resize(Some(30 + dice.below(30)), None),
    }
}

#[test]
fn threads_that_write_delete_and_clear_leave_everything_consistent() {
    riot(&Options::default(), 4000, 10);
}

#[test]
fn threads_that_also_evict_leave_everything_consistent() {
    let tight = Options {
        max_entries: Some(40),
        ..Options::default()
    };
    riot(&tight, 2000, 11);
}
