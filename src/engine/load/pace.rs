//! Lets lanes have their requests when they are due, and keeps time to do so.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::schedule::{Due, Schedule};

/// Arrivals in a row that nobody waited for, before others get a turn.
const BURST: u64 = 256;

/// The part of a schedule that is one thread's: every so many arrivals, one.
#[derive(Debug)]
pub struct Pace {
    schedule: Arc<Schedule>,
    start: Instant,
    first: u64,
    stride: u64,
    released: Cell<u64>,
    taken: Cell<u64>,
    permits: Semaphore,
}

impl Pace {
    /// The part of thread `first` of `stride`.
    pub fn new(schedule: Arc<Schedule>, start: Instant, first: usize, stride: usize) -> Self {
        Self {
            schedule,
            start,
            first: first as u64,
            stride: stride as u64,
            released: Cell::new(0),
            taken: Cell::new(0),
            permits: Semaphore::new(0),
        }
    }

    fn nth(&self, nth: u64) -> Option<(u64, Due)> {
        let number = self.first + nth * self.stride;
        Some((number, self.schedule.at(number)?))
    }

    /// Waits for one arrival after the other, and tells `arrived` its number and when it was due.
    pub async fn each(&self, mut arrived: impl FnMut(u64, Due)) {
        let timer = Timer::new();
        let mut nth = 0;
        while let Some((number, due)) = self.nth(nth) {
            let when = self.start + due.after;
            if when > Instant::now() {
                timer.until(when).await;
            } else if nth % BURST == BURST - 1 {
                tokio::task::yield_now().await;
            }
            nth += 1;
            self.released.set(nth);
            arrived(number, due);
        }
    }

    /// Lets lanes have arrivals when they are due, and sends that many lanes home afterwards.
    pub async fn release(&self, lanes: usize) {
        self.each(|_, _| self.permits.add_permits(1)).await;
        self.permits.add_permits(lanes);
    }

    /// The next moment at which a request is, or was, due.
    pub async fn next(&self) -> Option<Instant> {
        self.permits.acquire().await.ok()?.forget();
        let nth = self.taken.get();
        if nth >= self.released.get() {
            return None;
        }
        self.taken.set(nth + 1);
        Some(self.start + self.nth(nth)?.1.after)
    }

    /// Moments that nobody took, of those that have passed.
    pub fn missed(&self, now: Instant) -> impl Iterator<Item = Instant> + '_ {
        let moments = (self.taken.get()..).map_while(|nth| Some(self.start + self.nth(nth)?.1.after));
        moments.take_while(move |moment| *moment <= now)
    }
}

/// Wakes at a moment.
#[derive(Debug)]
struct Timer {
    #[cfg(target_os = "linux")]
    kernel: Option<kernel::Timer>,
}

impl Timer {
    fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            kernel: kernel::Timer::new().ok(),
        }
    }

    async fn until(&self, when: Instant) {
        #[cfg(target_os = "linux")]
        if let Some(kernel) = &self.kernel {
            while let Some(rest) = rest(when) {
                if kernel.wait(rest).await.is_err() {
                    break;
                }
            }
        }
        if rest(when).is_some() {
            tokio::time::sleep_until(when.into()).await;
        }
    }
}

fn rest(when: Instant) -> Option<Duration> {
    let rest = when.saturating_duration_since(Instant::now());
    (!rest.is_zero()).then_some(rest)
}

#[cfg(target_os = "linux")]
mod kernel {
    //! The kernel's own timers: nanoseconds instead of the runtime's milliseconds.

    use std::fs::File;
    use std::io::{self, Read};
    use std::os::fd::FromRawFd;
    use std::ptr;
    use std::time::Duration;

    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub struct Timer(AsyncFd<File>);

    impl Timer {
        pub fn new() -> io::Result<Self> {
            // SAFETY: no pointers; the result is checked.
            let descriptor = unsafe {
                libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC)
            };
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: just opened, and nobody else's.
            let file = unsafe { File::from_raw_fd(descriptor) };
            // SAFETY: the file is never handed out, so its descriptor stays open and its own for as
            // long as this lives.
            let registered = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) };
            Ok(Self(registered?))
        }

        pub async fn wait(&self, rest: Duration) -> io::Result<()> {
            use std::os::fd::AsRawFd;
            let setting = libc::itimerspec {
                it_interval: libc::timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                },
                it_value: libc::timespec {
                    tv_sec: rest.as_secs() as libc::time_t,
                    tv_nsec: rest.subsec_nanos() as libc::c_long,
                },
            };
            // SAFETY: the descriptor is open, and the setting lives through the call.
            let set = unsafe { libc::timerfd_settime(self.0.as_raw_fd(), 0, &setting, ptr::null_mut()) };
            if set < 0 {
                return Err(io::Error::last_os_error());
            }
            loop {
                let mut ready = self.0.readable().await?;
                let mut expirations = [0; 8];
                match ready.try_io(|timer| timer.get_ref().read(&mut expirations)) {
                    Ok(read) => return read.map(drop),
                    Err(_) => continue,
                }
            }
        }
    }
}
