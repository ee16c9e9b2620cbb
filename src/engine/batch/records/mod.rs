//! Records from files: split, parsed, filtered and cut down to some fields, by several
//! threads, in the order of the file and in bounded memory.
//!
//! A [`Scan`] reads a file in blocks of about [`BLOCK_BYTES`] that end where a record ends
//! ([`source`]). Threads take turns at reading, and parse side by side ([`json`], [`csv`]);
//! a record that fails the [`filter`] leaves no trace, and many are told by a search for bytes
//! ([`needles`]). What remains of a block is the text
//! of a JSON array, which JavaScript turns into objects at once: nothing here builds values.
//!
//! Results are handed over one block at a time, when they are asked for. Threads that are
//! [`WINDOW_PER_THREAD`] blocks ahead wait, so the size of a file does not matter, nor how
//! slow its reader is. A scan can begin at any block that an earlier one has handed over.
//!
//! # Locks
//! The source's lock is held while a block is read, and inside it, to wait for room, the
//! lock of the results; that one encloses a completion queue and nothing else.

pub mod csv;
pub mod filter;
pub mod json;
mod needles;
pub mod scan;
pub mod source;

#[cfg(test)]
mod tests;

pub use scan::Scan;

use self::filter::Filter;

/// About how many bytes are read and parsed at a time.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Longest record. What is longer is reported as malformed and passed over.
pub const LONGEST_RECORD: usize = 16 << 20;

/// How many blocks each thread may be ahead of who takes the results.
pub const WINDOW_PER_THREAD: u64 = 3;

/// Malformed records of a block that are told one by one; the others are counted.
pub const MOST_MALFORMED: usize = 100;

/// How records are written in a file.
#[derive(Debug, Clone)]
pub enum Format {
    /// One JSON value a line.
    Ndjson,
    /// Comma-separated values, as RFC 4180 has them.
    Csv {
        /// What separates fields.
        delimiter: u8,
        /// What encloses fields with special characters.
        quote: u8,
        /// Names of the columns; `None` if the first record tells them.
        columns: Option<Vec<String>>,
    },
}

/// What a scan looks for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// See [`Format`].
    pub format: Format,
    /// Names of all fields that are read; those asked for come first.
    pub names: Vec<String>,
    /// How many of `names` are handed over. `None` for whole records.
    pub fields: Option<usize>,
    /// What a record has to fulfil; refers to `names` by their places.
    pub filter: Filter,
}

/// A record that is not what it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed {
    /// Its first line in the file, from 1.
    pub line: u64,
    /// What is wrong with it. Never shows its content.
    pub reason: String,
}

/// What became of a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// The records that are left, as the text of a JSON array.
    pub records: Vec<u8>,
    /// The line of each of them.
    pub lines: Vec<u32>,
    /// The first malformed ones.
    pub malformed: Vec<Malformed>,
    /// How many there were in all.
    pub malformed_count: u64,
    /// Records read, malformed ones included.
    pub read: u64,
    /// Where the block begins and ends in the file.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The line that it begins with.
    pub line: u64,
}

impl Chunk {
    fn begin(block: &source::Block) -> Self {
        Self {
            records: b"[".to_vec(),
            start: block.offset,
            end: block.end,
            line: block.line,
            ..Self::default()
        }
    }

    /// Makes room for a record of this line; its text is appended by the caller.
    fn begin_record(&mut self, line: u64) {
        if !self.lines.is_empty() {
            self.records.push(b',');
        }
        self.lines.push(line as u32);
    }

    fn report(&mut self, line: u64, reason: impl Into<String>) {
        self.malformed_count += 1;
        if self.malformed.len() < MOST_MALFORMED {
            let reason = reason.into();
            self.malformed.push(Malformed { line, reason });
        }
    }

    fn finish(mut self) -> Self {
        self.records.push(b']');
        self
    }
}
