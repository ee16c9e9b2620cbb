//! The one error type of the engines.

use thiserror::Error;

/// What can go wrong in an engine. Each kind has a stable [`code`](Error::code), which
/// JavaScript sees as `error.code`.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum Error {
    /// The engine, or the handle on it, was closed.
    #[error("The {engine} is closed")]
    Closed {
        /// What was closed, for example `cache`.
        engine: &'static str,
    },
    /// A named engine exists with another value for an option that was given explicitly.
    #[error("Option {option} of '{name}' is {existing}, but {requested} was asked for")]
    OptionConflict {
        /// Name of the engine.
        name: String,
        /// Name of the option.
        option: &'static str,
        /// The value that the engine runs with.
        existing: String,
        /// The value that was asked for.
        requested: String,
    },
    /// An arithmetic operation met a value that is not a number.
    #[error("The value of this key is not a number")]
    NotANumber,
    /// An arithmetic operation would leave the range of finite numbers.
    #[error("The result is not a finite number")]
    NotFinite,
    /// An entry that alone is larger than the cache.
    #[error("The entry is larger than the cache")]
    TooLarge,
    /// A glob pattern that cannot be compiled.
    #[error("The pattern is too complex: {reason}")]
    Pattern {
        /// The compiler's own words.
        reason: String,
    },
    /// A stored value could not be restored.
    #[error("A stored value is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The system refuses to start threads.
    #[error("The system refuses to start another thread")]
    NoThreads,
    /// Something on the disk does not work, or is not what it should be.
    #[error("{what}: {reason}")]
    Storage {
        /// The kind of trouble, which decides the code.
        problem: StorageProblem,
        /// What was being done. Never a path: paths may tell more than a log should.
        what: &'static str,
        /// The words of the system or of LMDB.
        reason: String,
    },
    /// A tier behind the cache cannot be reached, or cannot serve.
    #[error("The tier {tier} is not available: {reason}")]
    Unavailable {
        /// Which tier, for example `redis`.
        tier: &'static str,
        /// Why, without anything secret.
        reason: String,
    },
    /// A tier answered with an error of its own.
    #[error("The tier {tier} failed: {reason}")]
    Server {
        /// Which tier, for example `redis`.
        tier: &'static str,
        /// The tier's own words.
        reason: String,
    },
    /// What was asked for did not come in time.
    #[error("No answer from {what} within {ms} ms")]
    Timeout {
        /// Who was asked, for example `redis`.
        what: &'static str,
        /// The limit in milliseconds.
        ms: u64,
    },
    /// The caller gave up on an operation before it was done.
    #[error("The {what} was cancelled")]
    Cancelled {
        /// What was cancelled, for example `task`.
        what: &'static str,
    },
    /// Matrices, or other parts of a task, whose sizes do not fit each other.
    #[error("The sizes do not fit: {reason}")]
    Shape {
        /// What was given.
        reason: String,
    },
    /// A matrix without an inverse.
    #[error("The matrix is singular")]
    Singular,
    /// A result that JavaScript could not hold.
    #[error("More than {limit} pairs: ask for a higher minimum, or for the best few of each")]
    TooManyPairs {
        /// How many pairs there may be.
        limit: usize,
    },
    /// Compressed or serialized data that cannot be read.
    #[error("The {what} cannot be read: {reason}")]
    BadData {
        /// What it should have been, for example `gzip data`.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A result that is larger than the caller allows.
    #[error("The result is larger than {limit} bytes, the limit of this call")]
    ExceedsLimit {
        /// The limit in bytes.
        limit: usize,
    },
    /// There is no memory for the result.
    #[error("Not enough memory")]
    OutOfMemory,
    /// A file of records has no column of this name.
    #[error("The file has no column '{name}'")]
    NoColumn {
        /// The name that was asked for.
        name: String,
    },
    /// A recount found a counter that disagrees with the entries.
    #[error("Something is inconsistent: {reason}")]
    Inconsistent {
        /// The first disagreement.
        reason: String,
    },
}

impl Error {
    /// The stable code of this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Closed { .. } => "ERR_HOTPATH_CLOSED",
            Error::OptionConflict { .. } => "ERR_HOTPATH_OPTION_CONFLICT",
            Error::NotANumber => "ERR_HOTPATH_NOT_A_NUMBER",
            Error::NotFinite
            | Error::TooLarge
            | Error::Pattern { .. }
            | Error::Shape { .. }
            | Error::TooManyPairs { .. } => "ERR_OUT_OF_RANGE",
            Error::Cancelled { .. } => "ERR_HOTPATH_CANCELLED",
            Error::Singular => "ERR_HOTPATH_SINGULAR_MATRIX",
            Error::BadData { .. } => "ERR_HOTPATH_BAD_DATA",
            Error::ExceedsLimit { .. } => "ERR_HOTPATH_LIMIT",
            Error::OutOfMemory => "ERR_HOTPATH_OUT_OF_MEMORY",
            Error::Damaged { .. } => "ERR_HOTPATH_DAMAGED",
            Error::NoThreads => "ERR_HOTPATH_NO_THREADS",
            Error::Storage { problem, .. } => problem.code(),
            Error::Unavailable { .. } => "ERR_HOTPATH_TIER_UNAVAILABLE",
            Error::Server { .. } => "ERR_HOTPATH_TIER_FAILED",
            Error::Timeout { .. } => "ERR_HOTPATH_TIMEOUT",
            Error::NoColumn { .. } => "ERR_HOTPATH_NO_COLUMN",
            Error::Inconsistent { .. } => "ERR_HOTPATH_INCONSISTENT",
        }
    }
}

/// What is wrong with storage on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageProblem {
    /// Reading or writing failed.
    Failed,
    /// The disk, or the space set aside on it, is full.
    Full,
    /// The directory cannot be written to.
    ReadOnly,
    /// Files are damaged, or are not ours.
    Damaged,
    /// Files were written by another version of this package.
    Version,
    /// It cannot work here: a network file system, a forked process.
    Unsupported,
}

impl StorageProblem {
    /// The stable code of errors of this kind.
    pub fn code(self) -> &'static str {
        match self {
            Self::Failed => "ERR_HOTPATH_STORAGE",
            Self::Full => "ERR_HOTPATH_STORAGE_FULL",
            Self::ReadOnly => "ERR_HOTPATH_STORAGE_READ_ONLY",
            Self::Damaged => "ERR_HOTPATH_STORAGE_DAMAGED",
            Self::Version => "ERR_HOTPATH_STORAGE_VERSION",
            Self::Unsupported => "ERR_HOTPATH_STORAGE_UNSUPPORTED",
        }
    }
}

/// The result of an engine's operation.
pub type Result<T> = std::result::Result<T, Error>;
