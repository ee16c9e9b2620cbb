//! Background jobs: a queue in memory, or on disk.
//!
//! # What it guarantees
//!
//! - **A job is in exactly one place**: it waits for its turn, waits for its time, is worked
//!   on, or has ended. Every change moves it in one transaction, with the counters;
//!   [`upkeep::validate`](book::upkeep::validate) recounts.
//! - **On disk, what is told is stored**: a submission is answered, a job is handed out and an
//!   end is announced after their commit has reached the disk. Those that wait share one.
//! - **At least once**: a process that dies may have done part of a job, or all of it without
//!   being able to say so. Its jobs go back to their place in the queue.
//! - **Never twice by mistake**: who is alive is said by a lock of the system and by a lease that
//!   a native thread renews, so that a busy event loop never looks dead. Every handing out is
//!   a new *run*, and an answer to an older run than the current one is refused.
//! - **Order**: groups take turns; inside a group, larger priorities first, and waiting makes up
//!   for priority ([`keys::rank`]), so nothing waits for ever.
//!
//! # How it is made
//!
//! [`book`] is the state machine, written once over [`tables`]: ordered maps of bytes, which are
//! B-trees in memory and LMDB databases [`on disk`](disk). What waits, by turn and by time, is
//! in tables too: nothing of a million queued jobs is in memory that need not be, and several
//! processes can share a store without talking to each other. [`engine`] knows what only
//! concerns this process: the [`clients`](client), what they work on, deadlines, pauses.
//!
//! # Locks
//!
//! [`local`] is one lock. In memory, changes happen inside it. On disk they happen on the
//! environment's writing thread, which takes the lock to learn how many jobs are wanted and to
//! tell what has been committed; nobody waits for a commit while holding it. Whoever has to be
//! woken is collected inside and woken outside.
//!
//! # The end
//!
//! A client that leaves gives back what it works on. With the last one the queue ends: jobs
//! in memory are gone with it, those on disk stay, and the store is let go of when all that
//! was queued is written.

pub mod book;
pub mod client;
pub mod config;
pub mod counts;
pub mod disk;
pub mod engine;
pub mod event;
pub mod head;
pub mod keys;
mod local;
pub mod tables;
pub mod value;

#[cfg(test)]
mod tests;
