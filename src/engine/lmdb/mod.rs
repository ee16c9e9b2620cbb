//! LMDB environments: what everything that is kept on disk stands on.
//!
//! LMDB has rules that a caller must not have to remember, and breaking one of them damages
//! files or ends the process. They are kept here, once:
//!
//! - **One environment per path and process** ([`open`]): a second opening of the same
//!   directory, by whatever engine, joins the first. It is closed when the last user goes.
//! - **A fixed map.** Growing the map under live transactions is unsafe, so it is made large
//!   enough at the start: twice the data and slack, in a sparse file, smaller where address
//!   space is short. A file that another process opened with a larger map is mapped anew
//!   between transactions.
//! - **One writer** ([`writer`]): LMDB lets one transaction write at a time, and a commit
//!   costs more than a small write. Writes are queued, one thread puts all that wait into
//!   one transaction, and tells each of them after the commit.
//! - **Short reads** ([`Environment::read`]): a read transaction lasts as long as a
//!   closure, because an open one keeps pages from being reused. Reader slots belong to
//!   transactions, not to threads, and those of dead processes are given back.
//! - **No forks, no network**: a child made by `fork` and network file systems are refused.
//! - **Format** ([`format`]): a record says who wrote the environment and in which form.
//! - **Damage** ([`verify`]): LMDB trusts its file, so its structure is checked before LMDB
//!   may read it.
//! - **Power** ([`checkpoint`]): what a crash of the machine may cost.
//!
//! # Durability
//! Every commit survives the end of the process, `kill -9` included: it is in the system's
//! page cache before anybody is told. What a power failure leaves is chosen by
//! [`Durability`].
//!
//! # Locks
//! The registry's lock is held while an environment is opened, and nothing else is waited
//! for inside it but a lock on the directory. The gate (see [`environment`]) is taken by
//! every transaction, shared, and alone only to map the file anew. The writer's queue has a
//! lock of its own that encloses nothing.

pub mod boot;
pub mod checkpoint;
pub mod environment;
pub mod failure;
pub mod filesystem;
pub mod format;
pub mod options;
pub mod pages;
pub mod registry;
pub mod verify;
pub mod writer;

#[cfg(test)]
mod tests;

pub use environment::{Database, Environment, Usage};
pub use options::{Damage, Durability, Options};
pub use registry::open;
pub use writer::Operation;

/// A transaction that reads.
pub type ReadTransaction<'a> = heed::RoTxn<'a, heed::WithoutTls>;

/// A transaction that writes; reads too.
pub type WriteTransaction<'a> = heed::RwTxn<'a>;
