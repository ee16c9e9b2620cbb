//! What threads do at once, in every order of events that shuttle thinks of.

/// The same code over primitives whose order the tests decide.
#[path = "reads.rs"]
#[expect(clippy::duplicate_mod, reason = "each has a `super::sync` of its own")]
mod reads;

mod sync {
    pub use shuttle::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

    /// All threads share one stripe: that is the worst that can happen.
    pub fn own_number() -> usize {
        0
    }
}

use std::collections::{HashMap, HashSet};

use reads::{Read, Reads};
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::sync::{Arc, Mutex, RwLock};

const ITERATIONS: usize = if cfg!(miri) { 5 } else { 300 };

/// Threads push reads and apply them, each when its stripe is full and the lock is free.
fn reads_are_those_that_were_pushed(threads: u64, each: u64) {
    let reads = Arc::new(Reads::default());
    let applied = Arc::new(Mutex::new(Vec::new()));
    let readers: Vec<_> = (0..threads)
        .map(|thread| {
            let (reads, applied) = (reads.clone(), applied.clone());
            shuttle::thread::spawn(move || {
                for number in 0..each {
                    let hash = thread * each + number + 1;
                    let read = Read {
                        hash,
                        node: hash as u32,
                    };
                    if reads.push(read)
                        && let Ok(mut applied) = applied.try_lock()
                    {
                        reads.drain(&mut |read| applied.push(read));
                    }
                }
            })
        })
        .collect();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    let mut applied = applied.lock().unwrap();
    reads.drain(&mut |read| applied.push(read));
    // Reads may be lost, and read twice where a stripe is drained while it is written; none is
    // made up.
    let pushed: HashSet<u64> = (0..=threads * each).collect();
    for read in applied.iter() {
        assert!(pushed.contains(&read.hash) && pushed.contains(&u64::from(read.node)));
    }
    let mut rest = 0;
    reads.drain(&mut |_| rest += 1);
    assert_eq!(rest, 0, "what was drained is gone");
}

#[test]
fn no_read_is_made_up() {
    shuttle::check_random(|| reads_are_those_that_were_pushed(3, 70), ITERATIONS);
}

/// How a record gets its mark, is moved and is given up, and nothing else: as
/// [`AdaptiveStore`](super::AdaptiveStore) does it, the policy's lock around the shard's.
struct Model {
    policy: Mutex<(u32, HashMap<u32, u64>)>,
    shard: RwLock<HashMap<u64, Arc<AtomicU32>>>,
}

const UNMARKED: u32 = u32::MAX;

impl Model {
    fn write(&self, key: u64) {
        let mut policy = self.policy.lock().unwrap();
        let record = Arc::new(AtomicU32::new(UNMARKED));
        let before = self.shard.write().unwrap().insert(key, record.clone());
        if let Some(before) = before {
            policy.1.remove(&before.load(Ordering::Relaxed));
        }
        policy.0 += 1;
        let mark = policy.0;
        policy.1.insert(mark, key);
        record.store(mark, Ordering::Relaxed);
    }

    fn repack(&self) {
        let keys: Vec<u64> = self.shard.read().unwrap().keys().copied().collect();
        for key in keys {
            let _policy = self.policy.lock().unwrap();
            if let Some(record) = self.shard.write().unwrap().get_mut(&key) {
                *record = Arc::new(AtomicU32::new(record.load(Ordering::Relaxed)));
            }
        }
    }

    fn evict(&self) {
        let mut policy = self.policy.lock().unwrap();
        let Some((&mark, &key)) = policy.1.iter().next() else {
            return;
        };
        policy.1.remove(&mark);
        let mut shard = self.shard.write().unwrap();
        if shard
            .get(&key)
            .is_some_and(|record| record.load(Ordering::Relaxed) == mark)
        {
            shard.remove(&key);
        }
    }

    /// A reader has a record, and tells the policy its mark, whatever became of it.
    fn read(&self, key: u64) {
        let record = self.shard.read().unwrap().get(&key).cloned();
        if let Some(record) = record {
            let mark = record.load(Ordering::Relaxed);
            let policy = self.policy.lock().unwrap();
            let known = policy.1.get(&mark);
            assert!(known.is_none_or(|&known| known == key), "a mark of another key");
        }
    }
}

#[test]
fn a_record_that_is_moved_keeps_its_mark() {
    let run = || {
        let model = Arc::new(Model {
            policy: Mutex::new((0, HashMap::new())),
            shard: RwLock::new(HashMap::new()),
        });
        type Work = fn(&Model);
        let work: [Work; 4] = [
            |model| (0..3).for_each(|key| model.write(key)),
            |model| (1..4).for_each(|key| model.write(key)),
            Model::repack,
            |model| {
                model.evict();
                (0..4).for_each(|key| model.read(key));
            },
        ];
        let threads: Vec<_> = work
            .into_iter()
            .map(|work| {
                let model = model.clone();
                shuttle::thread::spawn(move || work(&model))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let (policy, shard) = (model.policy.lock().unwrap(), model.shard.read().unwrap());
        assert_eq!(policy.1.len(), shard.len(), "each record has one node");
        for (key, record) in shard.iter() {
            let mark = record.load(Ordering::Relaxed);
            assert_eq!(policy.1.get(&mark), Some(key));
        }
    };
    shuttle::check_random(run, 10 * ITERATIONS);
}
