//! What monitoring is in a process: the store, the rings, and the native thread that drains
//! them, samples the system, and does the jobs that the event loop must not wait for.
//!
//! The thread starts with the first ring or job and lives as long as the process. It sleeps
//! for good while there is neither a ring nor anything periodic.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, OnceLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::ring::Ring;
use super::store::Store;

/// How long a published record waits at most until it is counted, if nobody asks.
pub const DRAIN_EVERY: Duration = Duration::from_millis(100);

/// Work that is repeated while its owner lives.
pub trait Periodic: Send + Sync {
    /// The time until it wants to run next, counted from the start of this run.
    fn run(&self) -> Duration;
}

type Job = Box<dyn FnOnce() + Send>;

/// See the module.
#[derive(Default)]
pub struct Monitoring {
    /// Everything that is recorded.
    pub store: Mutex<Store>,
    rings: Mutex<Vec<Arc<Ring>>>,
    jobs: Mutex<VecDeque<Job>>,
    periodic: Mutex<Vec<(Weak<dyn Periodic>, Instant)>>,
    thread: OnceLock<Option<Thread>>,
}

impl std::fmt::Debug for Monitoring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Monitoring").finish_non_exhaustive()
    }
}

/// The monitoring of this process.
pub fn process() -> &'static Monitoring {
    static PROCESS: LazyLock<Monitoring> = LazyLock::new(Monitoring::default);
    &PROCESS
}

impl Monitoring {
    /// A ring for the calling thread.
    pub fn open_ring(&'static self) -> Arc<Ring> {
        let ring = Arc::new(Ring::default());
        self.rings.lock().push(ring.clone());
        self.wake();
        ring
    }

    /// Takes in what is left in a ring whose thread ends.
    pub fn close_ring(&self, ring: &Arc<Ring>) {
        ring.drain(&self.store);
        self.rings.lock().retain(|other| !Arc::ptr_eq(ring, other));
    }

    /// Takes in everything that was published before the call.
    pub fn drain(&self) {
        let rings = self.rings.lock().clone();
        for ring in rings {
            ring.drain(&self.store);
        }
    }

    /// Looks at, or changes, the store after everything published has arrived there.
    pub fn with<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        self.drain();
        look(&mut self.store.lock())
    }

    /// Does a job on the native thread, or right here if there is none to be had.
    pub fn later(&'static self, job: impl FnOnce() + Send + 'static) {
        if self.thread().is_none() {
            return job();
        }
        self.jobs.lock().push_back(Box::new(job));
        self.wake();
    }

    /// Repeats a task, from now on.
    pub fn enlist(&'static self, task: Weak<dyn Periodic>) {
        self.periodic.lock().push((task, Instant::now()));
        self.wake();
    }

    /// Makes the native thread look around at once.
    fn wake(&'static self) {
        if let Some(thread) = self.thread() {
            thread.unpark();
        }
    }

    fn thread(&'static self) -> Option<&'static Thread> {
        let start = || {
            let builder = std::thread::Builder::new().name("hotpath-monitor".into());
            let handle = builder.spawn(|| self.work()).ok()?;
            Some(handle.thread().clone())
        };
        self.thread.get_or_init(start).as_ref()
    }

    fn work(&self) {
        loop {
            // What panics must not end the thread that everybody counts on.
            let round = std::panic::AssertUnwindSafe(|| self.round());
            match std::panic::catch_unwind(round).unwrap_or(Some(DRAIN_EVERY)) {
                Some(pause) => std::thread::park_timeout(pause),
                None => std::thread::park(),
            }
        }
    }

    /// One look around. Returns how long to sleep; none: until woken.
    fn round(&self) -> Option<Duration> {
        loop {
            let job = self.jobs.lock().pop_front();
            match job {
                Some(job) => job(),
                None => break,
            }
            // Between jobs the rings have their turn: a long rendering is many jobs.
            self.drain();
        }
        self.drain();
        let mut next = (!self.rings.lock().is_empty()).then_some(DRAIN_EVERY);
        for pause in self.run_due() {
            next = Some(next.map_or(pause, |next| next.min(pause)));
        }
        next
    }

    /// Runs the periodic tasks that are due and returns the pauses until each is due again.
    fn run_due(&self) -> Vec<Duration> {
        let now = Instant::now();
        let mut tasks = std::mem::take(&mut *self.periodic.lock());
        tasks.retain_mut(|(task, due)| {
            let Some(task) = task.upgrade() else {
                return false;
            };
            if *due <= now {
                *due = now + task.run();
            }
            true
        });
        let pauses = tasks
            .iter()
            .map(|(_, due)| due.saturating_duration_since(now))
            .collect();
        // Tasks that were enlisted meanwhile are there already.
        self.periodic.lock().append(&mut tasks);
        pauses
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::{Target, slot};
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn monitoring() -> &'static Monitoring {
        Box::leak(Box::default())
    }

    #[test]
    fn published_records_arrive_without_being_asked_for() {
        let monitoring = monitoring();
        let target = monitoring.store.lock().add(Target::Counter(0.0));
        let ring = monitoring.open_ring();
        ring.write(slot(target, false), 2.0);
        while monitoring.store.lock().number(target) != Some(2.0) {
            std::thread::yield_now();
        }
        ring.write(slot(target, false), 3.0);
        monitoring.close_ring(&ring);
        assert_eq!(monitoring.store.lock().number(target), Some(5.0));
    }

    #[test]
    fn jobs_run_even_after_one_that_panics() {
        let monitoring = monitoring();
        let (sender, receiver) = std::sync::mpsc::channel();
        monitoring.later(|| panic!("expected by the test"));
        monitoring.later(move || sender.send(7).unwrap());
        assert_eq!(receiver.recv(), Ok(7));
    }

    struct Counter(AtomicUsize);

    impl Periodic for Counter {
        fn run(&self) -> Duration {
            self.0.fetch_add(1, Ordering::SeqCst);
            Duration::from_millis(1)
        }
    }

    #[test]
    fn a_periodic_task_runs_until_its_owner_is_gone() {
        let monitoring = monitoring();
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let task: Arc<dyn Periodic> = counter.clone();
        monitoring.enlist(Arc::downgrade(&task));
        drop(task);
        while counter.0.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        drop(counter);
        while !monitoring.periodic.lock().is_empty() {
            monitoring.wake();
            std::thread::yield_now();
        }
    }
}
