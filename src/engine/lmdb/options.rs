//! How an environment is opened.

use std::time::Duration;

/// What a commit is worth when the machine loses power. All of them survive the end of the
/// process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A commit is on the disk before it is told: for what must not be lost. Costs at least
    /// one wait for the disk per group of writes.
    EachCommit,
    /// The state is brought to the disk this often while it changes. A power failure takes
    /// the environment back to the last such point, never to a damaged one: for caches.
    /// See [`checkpoint`](super::checkpoint).
    Checkpoints(Duration),
}

impl Durability {
    /// Checkpoints every second.
    pub const RELAXED: Self = Self::Checkpoints(Duration::from_secs(1));
}

/// What to do with files that are damaged, foreign or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Move them aside and begin anew: for caches.
    Rebuild,
    /// Fail, and leave them as they are: for everything else.
    Refuse,
}

/// How an environment is opened. The first to open a directory in a process decides; who
/// joins later has to agree about durability.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes that are to be kept. The map is twice that and slack, since LMDB never
    /// overwrites what somebody may still read.
    pub data_bytes: u64,
    /// See [`Durability`].
    pub durability: Durability,
    /// See [`Damage`].
    pub damage: Damage,
}

/// Room beside the data: page tables, and what a burst of writes leaves behind.
const SLACK_BYTES: u64 = 64 << 20;

/// A map below this is of no use.
const LEAST_MAP_BYTES: u64 = 16 << 20;

/// Maps are whole multiples of this, which every page size divides.
const MAP_UNIT: u64 = 1 << 20;

impl Options {
    /// Sizes to try for the map, the best first.
    pub(super) fn map_sizes(&self) -> impl Iterator<Item = usize> {
        // Sparse files are not a matter of course on Windows: there the map is real.
        let best = match cfg!(windows) {
            true => self.data_bytes.saturating_add(self.data_bytes / 2),
            false => self.data_bytes.saturating_mul(2),
        };
        // Address spaces have 47 bits for a process, and others want some too.
        let best = best.saturating_add(SLACK_BYTES).min(1 << 45) / MAP_UNIT * MAP_UNIT;
        let halves = std::iter::successors(Some(best), |size| Some(size / 2 / MAP_UNIT * MAP_UNIT));
        halves
            .take_while(|size| *size >= LEAST_MAP_BYTES)
            .filter_map(|size| usize::try_from(size).ok())
    }
}
