//! What a queue counts. Kept with the jobs, in the same transaction.

use super::head::{Reader, STATES, Seq, State};

/// Key in the table [`Meta`](super::tables::Table::Meta).
pub const KEY: &[u8] = b"counts";

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The newest job.
    pub last_seq: Seq,
    /// Jobs by state, those that are remembered.
    pub states: [u64; STATES],
    /// Jobs accepted since the beginning.
    pub submitted: u64,
    /// Jobs that have succeeded.
    pub completed: u64,
    /// Jobs that became dead letters.
    pub failed: u64,
    /// Jobs that somebody ended.
    pub cancelled: u64,
    /// Attempts that were repeated because they failed.
    pub retried: u64,
    /// Attempts that took too long.
    pub timed_out: u64,
    /// Attempts whose process or thread ended.
    pub interrupted: u64,
    /// Dead letters that were given another chance.
    pub revived: u64,
}

impl Counts {
    /// Jobs in a state.
    pub fn of(&self, state: State) -> u64 {
        self.states[state as usize]
    }

    /// A job enters a state.
    pub fn enter(&mut self, state: State) {
        self.states[state as usize] += 1;
    }

    /// A job leaves a state.
    pub fn leave(&mut self, state: State) {
        let count = &mut self.states[state as usize];
        *count = count.saturating_sub(1);
    }

    /// The bytes that are kept.
    pub fn encode(&self) -> Vec<u8> {
        let totals = [
            self.submitted,
            self.completed,
            self.failed,
            self.cancelled,
            self.retried,
            self.timed_out,
            self.interrupted,
            self.revived,
        ];
        let all = [self.last_seq].into_iter().chain(self.states).chain(totals);
        all.flat_map(u64::to_le_bytes).collect()
    }

    /// From the bytes that were kept.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut counts = Self {
            last_seq: reader.number()?,
            ..Self::default()
        };
        for count in &mut counts.states {
            *count = reader.number()?;
        }
        counts.submitted = reader.number()?;
        counts.completed = reader.number()?;
        counts.failed = reader.number()?;
        counts.cancelled = reader.number()?;
        counts.retried = reader.number()?;
        counts.timed_out = reader.number()?;
        counts.interrupted = reader.number()?;
        counts.revived = reader.number()?;
        Some(counts)
    }
}
