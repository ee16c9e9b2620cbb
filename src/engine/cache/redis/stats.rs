//! Counts of a Redis cache.

use std::sync::atomic::{AtomicU64, Ordering};

use super::request::{Answer, Request};
use crate::error::{Error, Result};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counters that all threads add to.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)+
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counters {
            /// What they are now.
            pub fn snapshot(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counters! {
    /// Values that were read.
    hits,
    /// Keys that were read and not there.
    misses,
    /// Values that were written.
    sets,
    /// Keys that were removed one by one.
    deletes,
    /// Requests that were answered.
    commands,
    /// Pipelines that carried them.
    batches,
    /// Requests that failed, for whatever reason.
    errors,
    /// Those of them that had no answer in time.
    timeouts,
    /// Those of them that were not sent, because the breaker was open.
    rejections,
    /// Connections made after the first.
    reconnects,
    /// Records that could not be read because their dictionary is gone; they count as misses.
    undecodable,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    if amount > 0 {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

impl Counters {
    /// Counts what became of a request.
    pub fn count(&self, request: &Request, answer: &Result<Answer>) {
        add(&self.commands, 1);
        match answer {
            Ok(answer) => self.count_answer(request, answer),
            Err(error) => self.count_error(error),
        }
    }

    /// Counts a failure.
    pub fn count_error(&self, error: &Error) {
        add(&self.errors, 1);
        if matches!(error, Error::Timeout { .. }) {
            add(&self.timeouts, 1);
        }
    }

    fn count_answer(&self, request: &Request, answer: &Answer) {
        match answer {
            Answer::Value(value) => self.count_reads(usize::from(value.is_some()), 1),
            Answer::Entry(entry) => self.count_reads(usize::from(entry.is_some()), 1),
            Answer::Values(values) => {
                let hits = values.iter().filter(|value| value.is_some()).count();
                self.count_reads(hits, values.len());
            }
            Answer::Number(number) if matches!(request, Request::Delete(_)) => {
                add(&self.deletes, *number as u64);
            }
            _ => match request {
                Request::Set { .. } | Request::Increment { .. } => add(&self.sets, 1),
                Request::SetMany { entries, .. } => add(&self.sets, entries.len() as u64),
                _ => {}
            },
        }
    }

    fn count_reads(&self, hits: usize, reads: usize) {
        add(&self.hits, hits as u64);
        add(&self.misses, (reads - hits) as u64);
    }
}
