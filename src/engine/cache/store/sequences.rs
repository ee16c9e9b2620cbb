//! Any sequence of operations, on every store, against a plain map; and a recount at the end.
//!
//! A bounded store may have given up what the map still has. What it has must be what was
//! written last, its bounds must hold after every step, and everything that came and went
//! must have been told.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::contract::{Book, ENDLESS, Make, STORES, put, record, remove};
use super::{Capacity, Change, Store};
use crate::engine::cache::record::{Key, Lifetime};
use crate::engine::clock;

#[derive(Debug, Clone)]
enum Step {
    Put {
        key: u8,
        bytes: usize,
        ttl_ms: Option<u64>,
    },
    Renew {
        key: u8,
        ttl_ms: Option<u64>,
    },
    Remove(u8),
    RemoveIf {
        key: u8,
        bytes: usize,
    },
    Get(u8),
    Credit(u8, u32),
    Expire,
    ExpireAll,
    Evict(u64),
    Resize(Capacity),
    Clear,
}

/// Two lives that a test sees the end of only if it says so.
fn ttl() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(3_600_000)), 1 => Just(Some(7_200_000))]
}

fn capacity() -> impl Strategy<Value = Capacity> {
    prop_oneof![
        Just(Capacity {
            entries: u64::MAX,
            bytes: 1 << 30
        }),
        (1u64..40, 2_000u64..40_000).prop_map(|(entries, bytes)| Capacity { entries, bytes }),
        (3_000u64..30_000).prop_map(|bytes| Capacity {
            entries: u64::MAX,
            bytes
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0u8..50;
    prop_oneof![
        8 => (key.clone(), 0usize..900, ttl()).prop_map(|(key, bytes, ttl_ms)| Step::Put { key, bytes, ttl_ms }),
        2 => (key.clone(), ttl()).prop_map(|(key, ttl_ms)| Step::Renew { key, ttl_ms }),
        2 => key.clone().prop_map(Step::Remove),
        1 => (key.clone(), 0usize..900).prop_map(|(key, bytes)| Step::RemoveIf { key, bytes }),
        8 => key.clone().prop_map(Step::Get),
        1 => (key, 0u32..20).prop_map(|(key, times)| Step::Credit(key, times)),
        1 => Just(Step::Expire),
        1 => Just(Step::ExpireAll),
        1 => (0u64..20_000).prop_map(Step::Evict),
        1 => capacity().prop_map(Step::Resize),
        1 => Just(Step::Clear),
    ]
}

fn name(key: u8) -> String {
    format!("key {key}")
}

/// Size of the value and whether it expires, by key.
type Model = HashMap<u8, (usize, bool)>;

fn take(
    store: &dyn Store,
    model: &mut Model,
    bound: &mut Capacity,
    step: &Step,
) -> Result<(), TestCaseError> {
    let hash_of = |key: u8| Key::new(name(key).as_bytes()).hash;
    match *step {
        Step::Put { key, bytes, ttl_ms } => {
            let lifetime = Lifetime {
                ttl_ms,
                idle_ms: None,
            };
            let lifetime = if ttl_ms.is_none() { ENDLESS } else { lifetime };
            put(store, record(&name(key), bytes, lifetime));
            model.insert(key, (bytes, ttl_ms.is_some()));
        }
        Step::Renew { key, ttl_ms } => {
            let name = name(key);
            let lifetime = Lifetime {
                ttl_ms,
                idle_ms: None,
            };
            let mut found = false;
            store.update(Key::new(name.as_bytes()), &mut |there| {
                found = there.is_some();
                Change::Renew(lifetime)
            });
            if let (true, Some(known)) = (found, model.get_mut(&key)) {
                known.1 = ttl_ms.is_some();
            }
        }
        Step::Remove(key) => {
            remove(store, &name(key));
            model.remove(&key);
        }
        Step::RemoveIf { key, bytes } => {
            if store.remove_if(hash_of(key), &mut |record| record.payload().len() == bytes) {
                prop_assert_eq!(model.remove(&key).map(|known| known.0), Some(bytes));
            }
        }
        Step::Get(key) => {
            let found = store.get(Key::new(name(key).as_bytes()));
            if let Some(record) = found {
                prop_assert_eq!(Some(record.payload().len()), model.get(&key).map(|known| known.0));
            }
        }
        Step::Credit(key, times) => store.credit(hash_of(key), times),
        Step::Expire => {
            store.expire(clock::now_ms());
        }
        Step::ExpireAll => {
            store.expire(clock::now_ms() + 10_000_000);
            model.retain(|_, known| !known.1);
        }
        Step::Evict(bytes) => {
            let before = store.bytes();
            let freed = store.evict(bytes);
            prop_assert_eq!(before - store.bytes(), freed);
            prop_assert!(freed >= bytes || store.is_empty());
        }
        Step::Resize(capacity) => {
            store.resize(capacity);
            *bound = capacity;
        }
        Step::Clear => {
            store.clear();
            model.clear();
            prop_assert!(store.is_empty() && store.bytes() == 0);
        }
    }
    Ok(())
}

fn run(make: Make, mut bound: Capacity, steps: &[Step]) -> Result<(), TestCaseError> {
    let book = Arc::new(Book::default());
    let store = make(bound, book.clone());
    let mut model = Model::new();
    let mut cleared = false;
    for step in steps {
        take(&*store, &mut model, &mut bound, step)?;
        cleared |= matches!(step, Step::Clear);
        prop_assert!(
            store.len() <= bound.entries && store.bytes() <= bound.bytes,
            "{:?}",
            step
        );
        prop_assert!(store.len() <= model.len() as u64, "{:?}", step);
    }
    let mut seen = 0;
    store.for_each(&mut |_, record| {
        let key = String::from_utf8_lossy(record.key()).into_owned();
        let known = (0..50)
            .find(|&number| name(number) == key)
            .and_then(|number| model.get(&number));
        assert_eq!(known.map(|known| known.0), Some(record.payload().len()), "{key}");
        seen += 1;
    });
    prop_assert_eq!(seen, store.len());
    if !cleared {
        let told = book.0.lock();
        let gone = told.iter().filter(|(_, departure)| departure.is_some()).count() as u64;
        prop_assert_eq!(
            told.len() as u64 - 2 * gone,
            store.len(),
            "what came and did not go"
        );
    }
    prop_assert_eq!(store.validate(&mut |_| Ok(())), Ok(()));
    Ok(())
}

proptest! {
    #[test]
    fn every_sequence_of_operations_ends_in_a_store_that_recounts_itself(
        bound in capacity(),
        steps in prop::collection::vec(step(), 0..250),
    ) {
        for (_, make) in STORES {
            run(make, bound, &steps)?;
        }
    }
}
