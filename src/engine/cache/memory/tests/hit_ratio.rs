//! How often the cache has what is asked for: on real traces, against plain LRU, moka and
//! quick_cache, and against the figures of the design that the policy was built after.
//!
//! Everything goes through [`MemoryCache`], so that sharding, batching and the accounting of
//! bytes are in the figures. Hashes are seeded anew in every process, and with them the
//! policy's samples: a ratio is the mean over several sets of keys.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::*;
use crate::engine::cache::memory::MemoryCache;

/// Names that each trace's keys are given in turn.
const ROUNDS: usize = 3;

/// Points that `adaptive` may be behind the best of the others, and behind the design.
const SLACK_TO_BEST: f64 = 0.5;
const SLACK_TO_DESIGN: f64 = 1.0;

struct Trial {
    trace: &'static str,
    capacity: usize,
    /// Percent of hits of the design, as it was measured before it was built.
    design: f64,
}

const TRIALS: [Trial; 7] = [
    trial("web07", 75, 36.91),
    trial("web07", 300, 46.70),
    trial("web07", 1200, 54.79),
    trial("multi2", 600, 52.16),
    trial("multi2", 1200, 59.80),
    trial("sprite", 200, 49.84),
    trial("sprite", 800, 88.45),
];

const fn trial(trace: &'static str, capacity: usize, design: f64) -> Trial {
    Trial {
        trace,
        capacity,
        design,
    }
}

fn trace(name: &str) -> Vec<u16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benchmark/traces/{name}.u16"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (words, rest) = bytes.as_chunks::<2>();
    assert!(rest.is_empty() && !words.is_empty());
    words.iter().map(|&word| u16::from_le_bytes(word)).collect()
}

/// Percent of the accesses that `access` answers with true.
fn percent(trace: &[u16], mut access: impl FnMut(u16) -> bool) -> f64 {
    let hits = trace.iter().filter(|&&key| access(key)).count();
    100.0 * hits as f64 / trace.len() as f64
}

fn plain_lru(capacity: usize) -> impl FnMut(u16) -> bool {
    let (mut used, mut order, mut now) = (HashMap::new(), BTreeMap::new(), 0u64);
    move |key| {
        now += 1;
        order.insert(now, key);
        if let Some(before) = used.insert(key, now) {
            order.remove(&before);
            return true;
        }
        if used.len() > capacity {
            let (_, oldest) = order.pop_first().expect("as many as are held");
            used.remove(&oldest);
        }
        false
    }
}

fn held_moka(capacity: usize) -> impl FnMut(u16) -> bool {
    let cache = ::moka::sync::Cache::<u16, ()>::new(capacity as u64);
    move |key| {
        let hit = cache.get(&key).is_some();
        if !hit {
            cache.insert(key, ());
        }
        // Left to itself it holds more entries than it was asked to.
        cache.run_pending_tasks();
        hit
    }
}

fn quick_cache(capacity: usize) -> impl FnMut(u16) -> bool {
    let mut cache = ::quick_cache::unsync::Cache::<u16, ()>::new(capacity);
    move |key| {
        let hit = cache.get(&key).is_some();
        if !hit {
            cache.insert(key, ());
        }
        hit
    }
}

fn adaptive(capacity: usize, round: usize) -> impl FnMut(u16) -> bool {
    let cache = MemoryCache::new(&Options {
        max_entries: Some(capacity as u64),
        ..Options::default()
    });
    move |number| {
        let name = format!("{round}:{number}");
        let hit = cache.get(key(&name)).is_some();
        if !hit {
            cache.set(key(&name), text("", ENDLESS, &[]));
            assert!(cache.len() <= capacity as u64, "more entries than allowed");
        }
        hit
    }
}

fn mean_adaptive(trace: &[u16], capacity: usize) -> f64 {
    let rounds = (0..ROUNDS).map(|round| percent(trace, adaptive(capacity, round)));
    rounds.sum::<f64>() / ROUNDS as f64
}

fn best_of_others(trace: &[u16], capacity: usize) -> f64 {
    percent(trace, plain_lru(capacity))
        .max(percent(trace, held_moka(capacity)))
        .max(percent(trace, quick_cache(capacity)))
}

#[test]
fn adaptive_keeps_up_with_the_best_on_every_trace() {
    let mut missed = Vec::new();
    for Trial {
        trace: name,
        capacity,
        design,
    } in TRIALS
    {
        let trace = trace(name);
        let (ours, best) = (mean_adaptive(&trace, capacity), best_of_others(&trace, capacity));
        let report = format!("{name} at {capacity}: {ours:.2}, best of others {best:.2}, design {design:.2}");
        println!("{report}");
        if ours < best - SLACK_TO_BEST || ours < design - SLACK_TO_DESIGN {
            missed.push(report);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Phases that reward opposite policies, in one cache: what was learnt in one must not spoil
/// the next for long.
#[test]
fn adaptive_follows_when_the_traffic_changes() {
    let traces = ["web07", "multi2", "sprite"].map(trace);
    // Each trace's keys are its own: they are told apart by the places of their numbers.
    let mut phases = Vec::new();
    let mut first = 0;
    for trace in &traces {
        phases.extend(trace.iter().map(|&key| first + key));
        first += trace.iter().max().expect("a trace has accesses") + 1;
    }
    for capacity in [300, 800, 1200] {
        let (ours, best) = (
            mean_adaptive(&phases, capacity),
            best_of_others(&phases, capacity),
        );
        println!("phases at {capacity}: {ours:.2}, best of others {best:.2}");
        assert!(
            ours >= best - SLACK_TO_BEST,
            "{ours:.2} at {capacity}, others {best:.2}"
        );
    }
}

/// Traffic that nobody tuned the policy to: families of made-up traces, each with a rule of its
/// own. Keys are below 60,000.
mod families {
    use super::*;
    use crate::engine::cache::dice::Dice;

    const LENGTH: usize = 60_000;

    /// Points behind the best: caches begin empty here, and the largest sees only twelve times as
    /// many accesses as it has entries, so what it takes to find the right window shows. Most
    /// stay within half a point; the worst is 1.2 behind.
    const SLACK: f64 = 1.25;

    fn share(dice: &mut Dice) -> f64 {
        dice.below(1 << 30) as f64 / f64::from(1 << 30)
    }

    /// A rank below `bound`, by Zipf's law with exponent `s` below 1, by inversion.
    fn zipf(dice: &mut Dice, bound: f64, s: f64) -> u16 {
        let rank = bound * share(dice).powf(1.0 / (1.0 - s));
        (rank as u16).min(bound as u16 - 1)
    }

    /// Popularity that never changes.
    fn popular(s: f64) -> Vec<u16> {
        let mut dice = Dice(11);
        (0..LENGTH).map(|_| zipf(&mut dice, 20_000.0, s)).collect()
    }

    /// The same with a scan through keys that are never seen again, every so often.
    fn popular_with_scans() -> Vec<u16> {
        let (mut dice, mut fresh) = (Dice(12), 20_000u32);
        let mut trace = Vec::with_capacity(LENGTH);
        while trace.len() < LENGTH {
            trace.extend((0..6_000).map(|_| zipf(&mut dice, 20_000.0, 0.8)));
            trace.extend((0..2_000).map(|_| {
                fresh = if fresh >= 60_000 { 20_000 } else { fresh + 1 };
                fresh as u16
            }));
        }
        trace
    }

    /// What was asked for lately is asked for again, and soon never more.
    fn recent() -> Vec<u16> {
        let mut dice = Dice(13);
        let mut trace: Vec<u16> = Vec::with_capacity(LENGTH);
        for step in 0..LENGTH {
            let newest = (step / 3) as f64;
            let age = -(1.0 - share(&mut dice)).ln() * 400.0;
            trace.push((newest - age).max(0.0) as u16);
        }
        trace
    }

    /// Loops over a little more than a cache of 1,000 holds, between popular keys.
    fn loops() -> Vec<u16> {
        let mut dice = Dice(14);
        let step = |step: usize| match step % 3 {
            0 => zipf(&mut dice, 5_000.0, 0.9),
            _ => 10_000 + (step % 1_700) as u16,
        };
        (0..LENGTH).map(step).collect()
    }

    /// Popular keys that become others, little by little.
    fn drifting() -> Vec<u16> {
        let mut dice = Dice(15);
        let step = |step: usize| (step / 20) as u16 + zipf(&mut dice, 8_000.0, 0.85);
        (0..LENGTH).map(step).collect()
    }

    /// One family after the other.
    fn phases() -> Vec<u16> {
        let part = |trace: Vec<u16>| trace.into_iter().take(LENGTH / 3);
        part(popular(0.9))
            .chain(part(recent()))
            .chain(part(loops()))
            .collect()
    }

    #[test]
    fn adaptive_keeps_up_with_the_best_on_traces_of_other_kinds() {
        let families = [
            ("popular, s = 0.7", popular(0.7)),
            ("popular, s = 0.95", popular(0.95)),
            ("popular with scans", popular_with_scans()),
            ("recent", recent()),
            ("loops", loops()),
            ("drifting", drifting()),
            ("phases", phases()),
        ];
        let mut missed = Vec::new();
        for (name, trace) in families {
            for capacity in [100, 1_000, 5_000] {
                let ours = mean_adaptive(&trace, capacity);
                let best = best_of_others(&trace, capacity);
                let report = format!("{name} at {capacity}: {ours:.2}, best of others {best:.2}");
                println!("{report}");
                if ours < best - SLACK {
                    missed.push(report);
                }
            }
        }
        assert!(missed.is_empty(), "{missed:#?}");
    }
}
