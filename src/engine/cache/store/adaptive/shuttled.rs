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

/// How a record gets its mark and is given up, and nothing else: as
/// [`AdaptiveStore`](super::AdaptiveStore) does it, with a list of changes that one thread
/// follows for all.
#[derive(Default)]
struct Model {
    policy: Mutex<Policy>,
    shard: RwLock<HashMap<u64, Marked>>,
    changes: Mutex<Vec<Change>>,
}

#[derive(Default)]
struct Policy {
    nodes: HashMap<u32, u64>,
    last: u32,
}

type Marked = Arc<AtomicU32>;

/// The key, what left and what came.
type Change = (u64, Option<Marked>, Option<Marked>);

const UNMARKED: u32 = u32::MAX;

const CAPACITY: usize = 2;

/// Few, so that threads meet changes that were left.
const ROUNDS: usize = 2;

impl Model {
    fn write(&self, key: u64) {
        let record = Arc::new(AtomicU32::new(UNMARKED));
        let mut shard = self.shard.write().unwrap();
        let before = shard.insert(key, record.clone());
        self.changes.lock().unwrap().push((key, before, Some(record)));
        drop(shard);
        self.settle();
        // Others may have written since.
        assert!(self.shard.read().unwrap().len() <= CAPACITY + 1);
    }

    fn delete(&self, key: u64) {
        let mut shard = self.shard.write().unwrap();
        let Some(before) = shard.remove(&key) else { return };
        self.changes.lock().unwrap().push((key, Some(before), None));
        drop(shard);
        self.settle();
    }

    fn settle(&self) {
        for _ in 0..ROUNDS {
            let mut policy = match self.policy.try_lock() {
                Ok(policy) => policy,
                Err(_) if self.shard.read().unwrap().len() <= CAPACITY => return,
                Err(_) => self.policy.lock().unwrap(),
            };
            self.follow(&mut policy);
            self.enforce(&mut policy);
            drop(policy);
            if self.changes.lock().unwrap().is_empty() {
                return;
            }
        }
    }

    fn follow(&self, policy: &mut Policy) {
        let changes = std::mem::take(&mut *self.changes.lock().unwrap());
        for (key, removed, stored) in changes {
            if let Some(removed) = removed {
                policy.nodes.remove(&removed.load(Ordering::Relaxed));
            }
            if let Some(stored) = stored {
                policy.last += 1;
                policy.nodes.insert(policy.last, key);
                stored.store(policy.last, Ordering::Relaxed);
            }
        }
    }

    fn enforce(&self, policy: &mut Policy) {
        while self.shard.read().unwrap().len() > CAPACITY {
            let Some((&mark, &key)) = policy.nodes.iter().min() else {
                return;
            };
            policy.nodes.remove(&mark);
            let mut shard = self.shard.write().unwrap();
            if shard
                .get(&key)
                .is_some_and(|record| record.load(Ordering::Relaxed) == mark)
            {
                shard.remove(&key);
            }
        }
    }

    /// A reader has a record, and tells the policy its mark, whatever became of it.
    fn read(&self, key: u64) {
        let record = self.shard.read().unwrap().get(&key).cloned();
        if let Some(record) = record {
            let mark = record.load(Ordering::Relaxed);
            let policy = self.policy.lock().unwrap();
            let known = policy.nodes.get(&mark);
            assert!(known.is_none_or(|&known| known == key), "a mark of another key");
            drop(policy);
            self.settle();
        }
    }
}

#[test]
fn the_policy_follows_all_changes() {
    let run = || {
        let model = Arc::new(Model::default());
        type Work = fn(&Model);
        let work: [Work; 4] = [
            |model| (0..3).for_each(|key| model.write(key)),
            |model| (1..4).for_each(|key| model.write(key)),
            |model| (0..3).for_each(|key| model.delete(key)),
            |model| (0..4).for_each(|key| model.read(key)),
        ];
        let threads: Vec<_> = work
            .into_iter()
            .map(|work| {
                let model = model.clone();
                shuttle::thread::spawn(move || work(&model))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // What was left, the next operation follows.
        assert!(model.shard.read().unwrap().len() <= CAPACITY);
        model.settle();
        let (policy, shard) = (model.policy.lock().unwrap(), model.shard.read().unwrap());
        assert!(shard.len() <= CAPACITY);
        assert_eq!(policy.nodes.len(), shard.len(), "each record has one node");
        for (key, record) in shard.iter() {
            let mark = record.load(Ordering::Relaxed);
            assert_eq!(policy.nodes.get(&mark), Some(key));
        }
    };
    shuttle::check_random(run, 10 * ITERATIONS);
}
