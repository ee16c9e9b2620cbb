use super::moka::MokaStore;
use super::*;
use crate::engine::cache::record::{Kind, Lifetime, Value};
use std::sync::Arc;
struct Nobody;
impl Observer for Nobody {
    fn arrived(&self, _: u64, _: &Record, _: Arrival) {}
    fn departed(&self, _: u64, _: &Record, _: Departure) {}
    fn renewed(&self, _: u64) {}
    fn cleared(&self) {}
}
#[test]
fn bytes_bound() {
    for lru in [false, true] {
        let cap = Capacity {
            entries: u64::MAX,
            bytes: 12_000,
        };
        let store = if lru {
            MokaStore::lru(cap, Arc::new(Nobody))
        } else {
            MokaStore::tinylfu(cap, Arc::new(Nobody))
        };
        let mut x = 1u64;
        for step in 0..200_000 {
            x = x
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let key = format!("k{}", (x >> 33) % 40);
            let len = (x >> 45) as usize % 600;
            let payload = vec![0u8; len];
            let k = Key::new(key.as_bytes());
            if (x >> 20) % 5 == 0 {
                store.update(k, &mut |_| Change::Remove);
            } else if (x >> 20) % 3 == 0 {
                store.get(k);
            } else {
                store.update(k, &mut |_| {
                    Change::Put(Record::new(
                        key.as_bytes(),
                        Value {
                            kind: Kind::LATIN1,
                            payload: &payload,
                            packed: None,
                        },
                        Box::default(),
                        Lifetime::default(),
                    ))
                });
            }
            assert!(
                store.bytes() <= 12_000,
                "lru {lru} step {step}: {} bytes {}; {:?}",
                store.bytes(),
                store.len(),
                store.validate(&mut |_| Ok(()))
            );
        }
    }
}
