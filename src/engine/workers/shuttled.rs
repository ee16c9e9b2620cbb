//! The bell and the way to sleep by it, in every order of events.

/// The same code over primitives whose order the tests decide.
#[path = "bell.rs"]
#[expect(clippy::duplicate_mod, reason = "each has a `super::sync` of its own")]
mod bell;

mod sync {
    pub use shuttle::sync::atomic::{AtomicBool, Ordering};
    pub use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub use std::time::Duration;
}

use bell::Bell;
use shuttle::sync::{Arc, Mutex};
use std::time::Duration;

/// How a pool and its workers sleep and wake, and nothing else: a task that is queued while a worker
/// looks, falls asleep or wakes is done in any case.
fn every_task_is_taken(workers: usize, tasks: usize) {
    struct State {
        ready: usize,
        listening: Vec<usize>,
        done: usize,
        ended: bool,
    }
    let state = Arc::new(Mutex::new(State {
        ready: 0,
        listening: Vec::new(),
        done: 0,
        ended: false,
    }));
    let bells: Vec<Arc<Bell>> = (0..workers).map(|_| Arc::new(Bell::default())).collect();
    let threads: Vec<_> = (0..workers)
        .map(|me| {
            let (state, bell) = (state.clone(), bells[me].clone());
            shuttle::thread::spawn(move || {
                loop {
                    bell.reset();
                    {
                        let mut state = state.lock().unwrap();
                        if state.ready > 0 {
                            state.ready -= 1;
                            state.done += 1;
                            continue;
                        }
                        if state.ended {
                            return;
                        }
                        if !state.listening.contains(&me) {
                            state.listening.push(me);
                        }
                    }
                    // Shuttle's waits know no time: a ring that is lost is a deadlock.
                    bell.wait(Duration::from_secs(1));
                }
            })
        })
        .collect();
    for _ in 0..tasks {
        let rung = {
            let mut state = state.lock().unwrap();
            state.ready += 1;
            state.listening.pop()
        };
        if let Some(worker) = rung {
            bells[worker].ring();
        }
    }
    state.lock().unwrap().ended = true;
    for bell in &bells {
        bell.ring();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(state.lock().unwrap().done, tasks);
}

#[test]
fn no_ring_is_lost() {
    shuttle::check_random(|| every_task_is_taken(2, 3), 2_000);
    shuttle::check_pct(|| every_task_is_taken(2, 2), 2_000, 3);
}
