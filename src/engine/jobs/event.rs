//! What happens to jobs, for those who listen.

use super::value::{Cause, Value};

/// Sorts of events, in the order in which JavaScript numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Sort {
    /// A job was accepted. Figures: priority, delay in milliseconds.
    Queued = 0,
    /// An attempt begins. Figures: attempt, milliseconds that the job was ready before.
    Active = 1,
    /// The processor told how far it is. Figure: attempt.
    Progress = 2,
    /// The job has succeeded. Figures: attempt, its milliseconds.
    Completed = 3,
    /// An attempt has failed. Figures: attempt, its milliseconds.
    Failed = 4,
    /// Another attempt will be made. Figures: attempt that failed, milliseconds until then.
    Retrying = 5,
    /// Somebody ended it. Figure: 1 if it was being worked on.
    Cancelled = 6,
    /// No attempts are left. Figure: how many were made.
    Dead = 7,
}

impl Sort {
    /// The bit by which it is asked for.
    pub fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// What an event has beside figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// Nothing.
    None,
    /// A result, or progress.
    Value(Value),
    /// Why an attempt failed.
    Cause(Cause),
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What has happened.
    pub sort: Sort,
    /// The job's name.
    pub id: String,
    /// The job's type.
    pub kind: String,
    /// See [`Sort`].
    pub figures: [f64; 2],
    /// See [`Detail`].
    pub detail: Detail,
}
