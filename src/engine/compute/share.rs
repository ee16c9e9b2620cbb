//! A running task's share of the threads: pieces of work spread over as many threads as the
//! engine has free.

use parking_lot::Mutex;

use super::slots::Slots;
use super::stop::Stop;
use crate::error::Result;

/// What a task needs to run: when to stop, and who may help.
pub struct Share<'a> {
    stop: &'a Stop,
    slots: &'a Slots,
    released: &'a (dyn Fn() + Sync),
}

impl<'a> Share<'a> {
    /// The share of a task that holds one of the slots. `released` is called when helpers
    /// have given others back.
    #[must_use]
    pub fn new(stop: &'a Stop, slots: &'a Slots, released: &'a (dyn Fn() + Sync)) -> Self {
        Self {
            stop,
            slots,
            released,
        }
    }

    /// Fails when the task has to stop.
    ///
    /// # Errors
    /// See [`Stop::check`].
    pub fn check(&self) -> Result<()> {
        self.stop.check()
    }

    /// At how many pieces every thread has something to do.
    #[must_use]
    pub fn width(&self) -> usize {
        self.slots.width()
    }

    /// Does `work` on every piece, on this thread and on others that are free. Between two
    /// pieces the task may be stopped, so a piece should take milliseconds at most, or look
    /// itself.
    ///
    /// # Errors
    /// The first one that a piece or [`check`](Self::check) gives; the pieces left are not
    /// begun.
    pub fn each<P: Send>(
        &self,
        pieces: impl IntoIterator<Item = P, IntoIter: Send>,
        work: impl Fn(P) -> Result<()> + Sync,
    ) -> Result<()> {
        let pieces = Mutex::new(pieces.into_iter());
        let failure = Mutex::new(None);
        // True when there was a piece.
        let step = || {
            let Some(piece) = pieces.lock().next() else {
                return false;
            };
            match self.check().and_then(|()| work(piece)) {
                Ok(()) => failure.lock().is_none(),
                Err(error) => {
                    failure.lock().get_or_insert(error);
                    false
                }
            }
        };
        if self.width() == 1 || rayon::current_thread_index().is_none() {
            while step() {}
        } else {
            rayon::scope(|scope| {
                for _ in 1..self.width() {
                    // Lent to one task or another as they need it, so that a task alone gets
                    // all threads and a crowd of them one each.
                    scope.spawn(|_| {
                        self.slots.help(step);
                        (self.released)();
                    });
                }
                while step() {}
            });
        }
        match failure.into_inner() {
            Some(error) => Err(error),
            None => self.check(),
        }
    }
}

impl std::fmt::Debug for Share<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Share").finish_non_exhaustive()
    }
}

/// How tests of kernels run them.
#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Runs a kernel as a task would, on two threads.
    pub fn run<T: Send>(kernel: impl FnOnce(&Share<'_>) -> Result<T> + Send) -> Result<T> {
        run_until(&Stop::after(None), kernel)
    }

    /// The same with a stop of the test's own.
    pub fn run_until<T: Send>(stop: &Stop, kernel: impl FnOnce(&Share<'_>) -> Result<T> + Send) -> Result<T> {
        let slots = Slots::new(2);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| kernel(&Share::new(stop, &slots, &|| ())))
    }

    #[test]
    fn every_piece_is_done_once() {
        let mut numbers = vec![0u32; 1000];
        run(|share| {
            share.each(numbers.chunks_mut(7), |piece| {
                piece.iter_mut().for_each(|number| *number += 1);
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(numbers, [1; 1000]);
    }

    #[test]
    fn a_stopped_task_begins_no_further_piece() {
        let stop = Stop::after(None);
        let done = AtomicUsize::new(0);
        let result = run_until(&stop, |share| {
            share.each(0..1_000_000, |_| {
                if done.fetch_add(1, Ordering::Relaxed) == 10 {
                    stop.cancel();
                }
                Ok(())
            })
        });
        assert_eq!(result, Err(Error::Cancelled { what: "task" }));
        // Each thread may have been in the middle of one.
        assert!(done.load(Ordering::Relaxed) <= 13);
    }

    #[test]
    fn an_error_ends_the_rest() {
        let result = run(|share| {
            share.each(
                0..,
                |piece: u32| if piece < 5 { Ok(()) } else { Err(Error::Singular) },
            )
        });
        assert_eq!(result, Err(Error::Singular));
    }
}
