//! Load on an HTTP server, made and measured by native threads.
//!
//! A [`Run`](run::Run) works a [`Plan`](plan::Plan) off. What it guarantees:
//!
//! - **No coordinated omission.** In an open loop the [schedule](schedule::Schedule) says when
//!   each request is due, whatever became of those before it. A latency counts from that moment,
//!   so a server that stalls is charged for everybody who would have waited. A closed loop, in
//!   which each connection asks when it was answered, measures from the sending; it cannot see
//!   what it did not ask, and says so by its name. (Gil Tene, "How NOT to Measure Latency"; the
//!   distinction is Schroeder, Wierman and Harchol-Balter's, NSDI 2006.)
//! - **Every request ends up in one count**: answered, failed of one [kind](failure::Failure), or
//!   given up when the run was stopped. What timed out is in the histogram with the time that it
//!   was waited for: leaving it out would flatter the server.
//! - **Bounded.** Each request has a deadline; so has the run, which ends at the latest one
//!   timeout after its last request was due.
//!
//! Each thread owns a runtime of one thread, its connections and its [`Tally`](tally::Tally);
//! threads share the budget of requests, the stop flag, and nothing else, so they do not slow each
//! other down. On HTTP/1.1 a connection is polled by the very task that waits for its answer
//! ([`wire`]): no hand-over between tasks, which is most of what an exchange costs. On HTTP/2
//! lanes share connections.
//!
//! Moments in an open loop are kept by a timer of the kernel's with nanoseconds where there is
//! one ([`pace`]): the runtime's own wheel turns once a millisecond, which would be counted as
//! the server's.
//!
//! Locks: a tally's, held for one record or one copy; nothing else is locked under it. End: the
//! last thread to finish merges the tallies and reports once; a [stopped](run::Run::stop) run
//! drops its connections where they stand.

pub mod failure;
pub mod origin;
pub mod pace;
pub mod plan;
pub mod random;
pub mod report;
pub mod run;
pub mod schedule;
pub mod tally;
pub mod template;
pub mod tls;
pub mod user;
pub mod wire;
pub mod worker;

#[cfg(test)]
mod tests;
