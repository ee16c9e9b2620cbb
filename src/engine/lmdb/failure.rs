//! What LMDB and the system report, as errors of the engines.

use std::io;

use heed::MdbError;

use crate::error::{Error, StorageProblem};

/// An error about `what` was being done.
pub fn storage(problem: StorageProblem, what: &'static str, reason: impl ToString) -> Error {
    Error::Storage {
        problem,
        what,
        reason: reason.to_string(),
    }
}

/// An error of the system.
pub fn io(what: &'static str, error: &io::Error) -> Error {
    storage(io_problem(error), what, plain(error))
}

/// An error of LMDB.
pub fn lmdb(what: &'static str, error: heed::Error) -> Error {
    match error {
        heed::Error::Io(error) => io(what, &error),
        heed::Error::Mdb(error) => match error {
            // LMDB passes codes of the system through.
            MdbError::Other(code) => io(what, &io::Error::from_raw_os_error(code)),
            _ => storage(mdb_problem(error), what, error),
        },
        other => storage(StorageProblem::Failed, what, other),
    }
}

/// True when LMDB says that its file is no such file, or broken.
pub fn is_damage(error: &heed::Error) -> bool {
    matches!(error, heed::Error::Mdb(error) if mdb_problem(*error) == StorageProblem::Damaged)
}

fn mdb_problem(error: MdbError) -> StorageProblem {
    match error {
        MdbError::MapFull | MdbError::TxnFull | MdbError::DbsFull => StorageProblem::Full,
        MdbError::PageNotFound
        | MdbError::Corrupted
        | MdbError::Invalid
        | MdbError::Panic
        | MdbError::VersionMismatch
        | MdbError::Incompatible => StorageProblem::Damaged,
        _ => StorageProblem::Failed,
    }
}

fn io_problem(error: &io::Error) -> StorageProblem {
    use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => StorageProblem::Full,
        PermissionDenied | ReadOnlyFilesystem => StorageProblem::ReadOnly,
        _ => StorageProblem::Failed,
    }
}

/// The system's words without Rust's number at the end.
fn plain(error: &io::Error) -> String {
    let words = error.to_string();
    match words.find(" (os error") {
        Some(end) => words[..end].to_owned(),
        None => words,
    }
}
