//! What the store `adaptive` costs per operation, beside moka in the same run:
//! `cargo bench --bench store`.
//!
//! 100,000 entries with keys of about 12 bytes and values of 100; keys are drawn by Zipf's law
//! from 100,000 (hits) or 400,000 (inserts), so that the memory of an entry is as often in the
//! processor's caches as it is in a server. Both hash the key, both copy what they are given.
//! With two threads, divan shows the time of a thread: the throughput is what `items` says.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use hotpath::engine::cache::record::{Key, Kind, Lifetime, Record, Value};
use hotpath::engine::cache::store::adaptive::AdaptiveStore;
use hotpath::engine::cache::store::{Arrival, Capacity, Change, Departure, Observer, Store};

const ENTRIES: usize = 100_000;
const KEYS: usize = 4 * ENTRIES;
const DRAWS: usize = 1 << 20;

/// Operations of a sample.
const BATCH: usize = 10_000;

const ENDLESS: Lifetime = Lifetime {
    ttl_ms: None,
    idle_ms: None,
};

fn main() {
    divan::main();
}

struct Nobody;

impl Observer for Nobody {
    fn arrived(&self, _: u64, _: &Record, _: Arrival) {}
    fn departed(&self, _: u64, _: &Record, _: Departure) {}
    fn renewed(&self, _: u64) {}
    fn cleared(&self) {}
}

fn name(number: usize) -> String {
    format!("key:{number}")
}

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| (0..KEYS).map(name).collect());

/// Numbers below `bound`, by Zipf's law with s = 1: by inversion of its continuous form.
fn draws(bound: usize) -> Vec<u32> {
    let mut state = 42u64;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = (state >> 11) as f64 / (1u64 << 53) as f64;
        let rank = ((bound as f64).powf(share) - 1.0) as usize;
        // Neighbours in rank are not neighbours in memory.
        ((rank.min(bound - 1) * 7_919) % bound) as u32
    };
    (0..DRAWS).map(|_| draw()).collect()
}

static HITS: LazyLock<Vec<u32>> = LazyLock::new(|| draws(ENTRIES));
static INSERTS: LazyLock<Vec<u32>> = LazyLock::new(|| draws(KEYS));

thread_local! {
    static CURSOR: Cell<usize> = const { Cell::new(0) };
}

/// The next keys of this thread.
fn next(draws: &'static [u32]) -> impl Iterator<Item = &'static str> {
    let from = CURSOR.get();
    CURSOR.set(from + BATCH);
    (from..from + BATCH).map(move |place| NAMES[draws[place % DRAWS] as usize].as_str())
}

fn record(key: &str) -> Record {
    let value = Value {
        kind: Kind::LATIN1,
        payload: &[b'x'; 100],
        packed: None,
    };
    Record::new(key.as_bytes(), value, Box::default(), ENDLESS)
}

fn put(store: &AdaptiveStore, key: &str) {
    let mut fresh = Some(record(key));
    store.update(Key::new(key.as_bytes()), &mut |_| {
        fresh.take().map_or(Change::Keep, Change::Put)
    });
}

fn adaptive() -> AdaptiveStore {
    let capacity = Capacity {
        entries: ENTRIES as u64,
        bytes: 1 << 40,
    };
    let store = AdaptiveStore::new(capacity, Arc::new(Nobody));
    NAMES[..ENTRIES].iter().for_each(|key| put(&store, key));
    store
}

type Moka = moka::sync::Cache<Box<[u8]>, Arc<[u8]>, ahash::RandomState>;

fn put_moka(cache: &Moka, key: &str) {
    cache.insert(key.as_bytes().into(), [b'x'; 100].as_slice().into());
}

fn filled_moka() -> Moka {
    let builder = moka::sync::Cache::builder().max_capacity(ENTRIES as u64);
    let cache = builder.build_with_hasher(ahash::RandomState::new());
    NAMES[..ENTRIES].iter().for_each(|key| put_moka(&cache, key));
    cache.run_pending_tasks();
    cache
}

mod hit {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn adaptive(bencher: Bencher<'_, '_>) {
        let store = super::adaptive();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            next(&HITS).for_each(|key| drop(black_box(store.get(Key::new(key.as_bytes())))));
        });
    }

    #[divan::bench(threads = [1, 2])]
    fn moka(bencher: Bencher<'_, '_>) {
        let cache = filled_moka();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            next(&HITS).for_each(|key| drop(black_box(cache.get(key.as_bytes()))));
        });
    }
}

mod insert_into_a_full_one {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn adaptive(bencher: Bencher<'_, '_>) {
        let store = super::adaptive();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            next(&INSERTS).for_each(|key| put(&store, key));
        });
    }

    #[divan::bench(threads = [1, 2])]
    fn moka(bencher: Bencher<'_, '_>) {
        let cache = filled_moka();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            next(&INSERTS).for_each(|key| put_moka(&cache, key));
        });
    }
}

/// Nine reads to a write, as a server has them.
mod mixed {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn adaptive(bencher: Bencher<'_, '_>) {
        let store = super::adaptive();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            for (step, key) in next(&HITS).enumerate() {
                match step % 10 {
                    0 => put(&store, key),
                    _ => drop(black_box(store.get(Key::new(key.as_bytes())))),
                }
            }
        });
    }

    #[divan::bench(threads = [1, 2])]
    fn moka(bencher: Bencher<'_, '_>) {
        let cache = filled_moka();
        bencher.counter(ItemsCount::new(BATCH)).bench(|| {
            for (step, key) in next(&HITS).enumerate() {
                match step % 10 {
                    0 => put_moka(&cache, key),
                    _ => drop(black_box(cache.get(key.as_bytes()))),
                }
            }
        });
    }
}
