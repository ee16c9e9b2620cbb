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
    /// A recount found a counter that disagrees with the entries.
    #[error("The cache is inconsistent: {reason}")]
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
            Error::NotFinite | Error::TooLarge | Error::Pattern { .. } => "ERR_OUT_OF_RANGE",
            Error::Damaged { .. } => "ERR_HOTPATH_DAMAGED",
            Error::NoThreads => "ERR_HOTPATH_NO_THREADS",
            Error::Inconsistent { .. } => "ERR_HOTPATH_INCONSISTENT",
        }
    }
}

/// The result of an engine's operation.
pub type Result<T> = std::result::Result<T, Error>;
