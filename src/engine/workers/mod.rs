//! Worker pools: tasks of JavaScript threads, run by other JavaScript threads.
//!
//! # What it guarantees
//!
//! - **Every task ends once**: with the answer of its function, with the error of its last
//!   attempt, or with the abort or end that somebody asked for. A task is at any moment in
//!   exactly one place, the queue, the waiting room between two attempts, or the ledger of one worker;
//!   [`Scheduler::validate`](scheduler::Scheduler::validate) recounts that.
//! - **A task answers for itself alone**: what dies with a worker through the fault of
//!   another task goes back into the queue, and its attempt is not counted.
//! - **At least once**: a worker that dies may have done part of its task, or all of it.
//! - **Order**: see [`queue`].
//! - **Nothing waits for an event loop** but what only a JavaScript thread can do: starting
//!   and ending worker threads. Retries, deadlines and queues are native.
//!
//! # How it is made
//!
//! [`scheduler`] is a pure state machine. [`pool`] puts a lock around it, [`timers`] call it
//! when something is due. *Clients* are the handles of JavaScript: they order tasks, are told
//! how those end, and the one that has been there longest *hosts*, that is, it starts worker
//! threads when told to. *Workers* take tasks and answer; one that finds nothing to do sleeps
//! by its [`bell`] (or in its event loop), and is signalled when there is something.
//!
//! # Locks
//!
//! The state of a pool is one lock, and nothing is locked inside it. Whoever has to be woken
//! is collected inside and woken outside: a bell, or a completion queue.
//!
//! # The end
//!
//! [`Scheduler::terminate`](scheduler::Scheduler::terminate) ends the tasks of one client. With the last client the pool ends:
//! every worker is told to leave, and its host ends those that do not.

pub mod backoff;
pub mod bell;
pub mod client;
pub mod config;
mod crew;
pub mod pool;
pub mod queue;
pub mod scheduler;
pub mod stats;
mod sync;
pub mod task;
pub mod timers;

#[cfg(test)]
mod shuttled;
