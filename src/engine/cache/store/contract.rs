//! What every store has to fulfil, run over each of them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::adaptive::AdaptiveStore;
use super::moka::MokaStore;
use super::{Arrival, Capacity, Change, Departure, Observer, Store};
use crate::engine::cache::dice::Dice;
use crate::engine::cache::record::{Key, Kind, Lifetime, Record, Value};
use crate::engine::clock;

/// Keeps a book of what a store reports.
#[derive(Default)]
pub(super) struct Book(pub(super) Mutex<Vec<(String, Option<Departure>)>>);

impl Observer for Book {
    fn arrived(&self, _: u64, record: &Record, _: Arrival) {
        self.0.lock().push((name(record), None));
    }
    fn departed(&self, _: u64, record: &Record, departure: Departure) {
        self.0.lock().push((name(record), Some(departure)));
    }
    fn renewed(&self, _: u64) {}
    fn cleared(&self) {}
}

fn name(record: &Record) -> String {
    String::from_utf8_lossy(record.key()).into_owned()
}

pub(super) fn record(key: &str, bytes: usize, lifetime: Lifetime) -> Record {
    let payload = vec![b'x'; bytes];
    let value = Value {
        kind: Kind::LATIN1,
        payload: &payload,
        packed: None,
    };
    Record::new(key.as_bytes(), value, Box::default(), lifetime)
}

pub(super) const ENDLESS: Lifetime = Lifetime {
    ttl_ms: None,
    idle_ms: None,
};
const ROOMY: Capacity = Capacity {
    entries: u64::MAX,
    bytes: 1 << 30,
};

pub(super) type Make = fn(Capacity, Arc<Book>) -> Box<dyn Store>;

pub(super) const STORES: [(&str, Make); 3] = [
    ("adaptive", |capacity, book| {
        Box::new(AdaptiveStore::new(capacity, book))
    }),
    ("tinylfu", |capacity, book| {
        Box::new(MokaStore::tinylfu(capacity, book))
    }),
    ("lru", |capacity, book| Box::new(MokaStore::lru(capacity, book))),
];

fn each(capacity: Capacity, check: impl Fn(&str, &dyn Store, &Book)) {
    for (name, make) in STORES {
        let book = Arc::new(Book::default());
        let store = make(capacity, book.clone());
        check(name, &*store, &book);
        assert_eq!(store.validate(&mut |_| Ok(())), Ok(()), "{name}");
    }
}

pub(super) fn put(store: &dyn Store, record: Record) {
    let key = record.clone();
    store.update(Key::new(key.key()), &mut |_| Change::Put(record.clone()));
}

pub(super) fn remove(store: &dyn Store, key: &str) {
    store.update(Key::new(key.as_bytes()), &mut |_| Change::Remove);
}

fn has(store: &dyn Store, key: &str) -> bool {
    store.peek(Key::new(key.as_bytes())).is_some()
}

#[test]
fn an_update_sees_the_record_and_decides() {
    each(ROOMY, |name, store, book| {
        let key = Key::new(b"k");
        store.update(key, &mut |found| {
            assert!(found.is_none());
            Change::Put(record("k", 10, ENDLESS))
        });
        store.update(key, &mut |found| {
            assert_eq!(found.map(|record| record.payload().len()), Some(10));
            Change::Put(record("k", 20, ENDLESS))
        });
        store.update(key, &mut |_| Change::Keep);
        assert_eq!(
            store.get(key).map(|record| record.payload().len()),
            Some(20),
            "{name}"
        );
        assert_eq!(store.len(), 1);
        store.update(key, &mut |_| Change::Remove);
        store.update(key, &mut |_| Change::Remove);
        assert!(store.get(key).is_none() && store.is_empty());
        assert_eq!(store.bytes(), 0);
        let told: Vec<_> = book.0.lock().iter().map(|(_, departure)| *departure).collect();
        let (replaced, deleted) = (Some(Departure::Replaced), Some(Departure::Deleted));
        assert_eq!(told, [None, replaced, None, deleted], "{name}");
    });
}

#[test]
fn a_condition_guards_a_removal() {
    each(ROOMY, |_, store, _| {
        put(store, record("k", 10, ENDLESS));
        let hash = Key::new(b"k").hash;
        assert!(!store.remove_if(hash, &mut |record| record.payload().len() == 11));
        assert!(store.remove_if(hash, &mut |record| record.payload().len() == 10));
        assert!(!store.remove_if(hash, &mut |_| true));
        assert!(!has(store, "k"));
    });
}

#[test]
fn bounds_hold_after_every_write() {
    for capacity in [
        Capacity {
            entries: 7,
            bytes: 1 << 30,
        },
        Capacity {
            entries: u64::MAX,
            bytes: 12_000,
        },
        Capacity {
            entries: 30,
            bytes: 9_000,
        },
        Capacity {
            entries: 1,
            bytes: 2_000,
        },
    ] {
        each(capacity, |name, store, _| {
            let mut dice = Dice(7);
            for step in 0..4_000 {
                let key = format!("k{}", dice.below(60));
                match dice.below(5) {
                    0 => remove(store, &key),
                    1 => drop(store.get(Key::new(key.as_bytes()))),
                    _ => put(store, record(&key, dice.below(700) as usize, ENDLESS)),
                }
                let held = (store.len(), store.bytes());
                assert!(
                    held.0 <= capacity.entries && held.1 <= capacity.bytes,
                    "{name} holds {held:?} of {capacity:?} in step {step}"
                );
            }
        });
    }
}

#[test]
fn sequences_of_operations_agree_with_a_plain_map() {
    each(ROOMY, |name, store, _| {
        let mut dice = Dice(42);
        let mut model: HashMap<String, usize> = HashMap::new();
        for step in 0..20_000 {
            let key = format!("k{}", dice.below(300));
            match dice.below(8) {
                0 => {
                    remove(store, &key);
                    model.remove(&key);
                }
                1..=3 => {
                    let size = dice.below(300) as usize;
                    put(store, record(&key, size, ENDLESS));
                    model.insert(key, size);
                }
                4 => store.credit(Key::new(key.as_bytes()).hash, 3),
                5 if step % 4_000 == 0 => {
                    store.clear();
                    model.clear();
                }
                _ => {
                    let found = store.get(Key::new(key.as_bytes()));
                    let size = found.map(|record| record.payload().len());
                    assert_eq!(size, model.get(&key).copied(), "{name}, step {step}");
                }
            }
            assert_eq!(store.len(), model.len() as u64, "{name}, step {step}");
        }
        let mut seen = 0;
        store.for_each(&mut |_, record| {
            assert_eq!(model.get(&self::name(record)), Some(&record.payload().len()));
            seen += 1;
        });
        assert_eq!(seen, model.len());
    });
}

#[test]
fn what_is_hot_survives_a_stream_of_newcomers() {
    each(
        Capacity {
            entries: 500,
            bytes: 1 << 30,
        },
        |name, store, _| {
            for round in 0..5_000 {
                let hot = format!("hot{}", round % 50);
                if store.get(Key::new(hot.as_bytes())).is_none() {
                    put(store, record(&hot, 10, ENDLESS));
                }
                put(store, record(&format!("cold{round}"), 10, ENDLESS));
            }
            let kept = (0..50).filter(|index| has(store, &format!("hot{index}"))).count();
            assert!(kept >= 45, "{name} kept {kept} of 50");
        },
    );
}

#[test]
fn resizing_and_evicting_make_room() {
    each(
        Capacity {
            entries: 1_000,
            bytes: 1 << 30,
        },
        |name, store, _| {
            (0..1_000).for_each(|index| put(store, record(&format!("k{index}"), 100, ENDLESS)));
            let (before, freed) = (store.bytes(), store.evict(50_000));
            assert!(
                freed >= 50_000 && before - store.bytes() == freed,
                "{name} freed {freed}"
            );
            assert!(freed < 100_000, "{name} freed {freed}, twice what was asked for");
            store.resize(Capacity {
                entries: 100,
                bytes: 1 << 30,
            });
            assert_eq!(store.len(), 100, "{name}");
            store.resize(Capacity {
                entries: 2_000,
                bytes: 1 << 30,
            });
            (0..1_500).for_each(|index| put(store, record(&format!("k{index}"), 100, ENDLESS)));
            assert!(store.len() >= 1_490, "{name} holds {}", store.len());
            assert!(store.evict(u64::MAX) > 0 && store.is_empty(), "{name}");
        },
    );
}

#[test]
fn expired_records_are_not_handed_out_and_leave() {
    let _clock = clock::Lease::acquire();
    each(ROOMY, |name, store, book| {
        let short = Lifetime {
            ttl_ms: Some(30),
            idle_ms: None,
        };
        put(store, record("short", 10, short));
        put(store, record("long", 10, ENDLESS));
        put(store, record("renewed", 10, short));
        let hour = Lifetime {
            ttl_ms: Some(3_600_000),
            idle_ms: None,
        };
        store.update(Key::new(b"renewed"), &mut |_| Change::Renew(hour));
        let deadline = clock::now_ms() + 60;
        while clock::coarse_ms() < deadline {
            std::thread::yield_now();
        }
        assert!(store.expire(clock::now_ms()));
        assert_eq!(store.len(), 2, "{name}");
        assert!(!has(store, "short") && has(store, "renewed") && has(store, "long"));
        assert!(
            book.0
                .lock()
                .contains(&("short".into(), Some(Departure::Expired)))
        );
    });
}

#[test]
fn threads_may_do_anything_at_once() {
    each(
        Capacity {
            entries: 200,
            bytes: 1 << 30,
        },
        |_, store, _| {
            std::thread::scope(|scope| {
                for seed in 0..4 {
                    scope.spawn(move || {
                        let mut dice = Dice(seed);
                        for _ in 0..5_000 {
                            let key = format!("k{}", dice.below(400));
                            match dice.below(10) {
                                0 => remove(store, &key),
                                1..=4 => {
                                    let lifetime = Lifetime {
                                        ttl_ms: Some(1 + dice.below(5)),
                                        idle_ms: None,
                                    };
                                    put(store, record(&key, 10, lifetime));
                                }
                                5 => {
                                    store.expire(clock::now_ms());
                                }
                                6 if dice.below(500) == 0 => store.clear(),
                                _ => drop(store.get(Key::new(key.as_bytes()))),
                            }
                        }
                    });
                }
            });
        },
    );
}
