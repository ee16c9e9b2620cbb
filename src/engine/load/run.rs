//! A run: threads that work a plan off, and what they have counted.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::plan::{Plan, Target, Work};
use super::report;
use super::schedule::Schedule;
use super::tally::Tally;
use super::tls::Sealer;
use super::user::Cast;
use super::worker;
use crate::error::{Error, Result};

type Done = Box<dyn FnOnce(Result<String>) + Send>;

/// What the threads of a run share.
pub struct Common {
    /// What is to be done.
    pub plan: Plan,
    /// Its target again, where threads can hold it.
    pub target: Arc<Target>,
    /// Encrypts connections.
    pub sealer: Option<Sealer>,
    /// When what is due, in an open loop.
    pub schedule: Option<Arc<Schedule>>,
    /// The users of a plan that has some.
    pub cast: Option<Arc<Cast>>,
    /// When it began.
    pub start: Instant,
    /// Requests that were taken from the budget, in a closed loop.
    pub issued: AtomicU64,
    /// Users who are there.
    pub live: AtomicUsize,
    /// One of each thread's.
    pub tallies: Vec<Mutex<Tally>>,
    /// True once it is to end.
    pub stop: watch::Sender<bool>,
    running: AtomicUsize,
    broken: AtomicBool,
    took: OnceLock<Duration>,
    done: Mutex<Option<Done>>,
}

/// A run that is under way, or over.
pub struct Run(Arc<Common>);

impl Run {
    /// Starts a run. `done` is told the report when it is over.
    ///
    /// # Errors
    /// What the plan names cannot be read, or there are no threads.
    pub fn start(plan: Plan, done: impl FnOnce(Result<String>) + Send + 'static) -> Result<Self> {
        let sealer = match &plan.target.tls {
            Some(tls) => Some(Sealer::new(tls, plan.target.http2)?),
            None => None,
        };
        let (schedule, cast) = match &plan.work {
            Work::Requests(requests) => {
                let even = |rate| Schedule::even(rate, requests.requests, requests.duration_ms);
                (requests.rate.map(even), None)
            }
            Work::Users(users) => (Some(Schedule::of_phases(&users.phases)), Some(Cast::new(users)?)),
        };
        let threads = plan.threads.max(1);
        let scenarios = cast.as_ref().map_or(0, |cast| cast.scenarios.len());
        let tallies = (0..threads).map(|_| Tally::new(scenarios).map(Mutex::new));
        let tallies = tallies.collect::<Option<Vec<_>>>().ok_or(Error::OutOfMemory)?;
        let common = Arc::new(Common {
            target: Arc::new(plan.target.clone()),
            plan,
            sealer,
            schedule: schedule.map(Arc::new),
            cast: cast.map(Arc::new),
            start: Instant::now(),
            issued: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            tallies,
            stop: watch::Sender::new(false),
            running: AtomicUsize::new(threads),
            broken: AtomicBool::new(false),
            took: OnceLock::new(),
            done: Mutex::new(Some(Box::new(done))),
        });
        for index in 0..threads {
            let shared = Arc::clone(&common);
            let thread = std::thread::Builder::new().name(format!("hotpath-load-{index}"));
            if thread.spawn(move || shared.work(index)).is_err() {
                // Nobody is told of a run that did not come about.
                common.done.lock().take();
                common.stop.send_replace(true);
                return Err(Error::NoThreads);
            }
        }
        Ok(Self(common))
    }

    /// Ends it now; the report says what there is so far.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// What there is so far, as JSON.
    pub fn progress(&self) -> String {
        self.0.report(false)
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Run").finish_non_exhaustive()
    }
}

impl Common {
    fn work(&self, index: usize) {
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker::work(self, index)));
        if !matches!(worked, Ok(Ok(()))) {
            self.broken.store(true, Ordering::SeqCst);
            self.stop.send_replace(true);
        }
        if self.running.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        let _ = self.took.set(self.start.elapsed());
        let Some(done) = self.done.lock().take() else {
            return;
        };
        if self.broken.load(Ordering::SeqCst) {
            let reason = "a thread of the load test could not go on".to_owned();
            done(Err(Error::Inconsistent { reason }));
        } else {
            done(Ok(self.report(true)));
        }
    }

    fn report(&self, whole: bool) -> String {
        let mut tallies = self.tallies.iter();
        let Some(first) = tallies.next() else {
            return "{}".to_owned();
        };
        let mut sum = first.lock().clone();
        tallies.for_each(|tally| sum.add(&tally.lock()));
        let elapsed = self.took.get().copied().unwrap_or_else(|| self.start.elapsed());
        let phase = match &self.plan.work {
            Work::Users(_) => self.schedule.as_ref().map(|schedule| schedule.phase_at(elapsed)),
            Work::Requests(_) => None,
        };
        report::render(&report::Figures {
            tally: &sum,
            elapsed,
            stopped: *self.stop.borrow(),
            live: phase.map(|phase| (phase, self.live.load(Ordering::Relaxed))),
            whole,
        })
    }
}
