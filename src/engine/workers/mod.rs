//! Workers: how tasks are ordered, repeated, limited in time and accounted for.

pub mod backoff;
pub mod queue;
pub mod timers;
