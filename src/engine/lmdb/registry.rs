//! One environment per path and process.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::environment::Environment;
use super::filesystem;
use super::options::Options;
use crate::error::{Error, Result};

static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Environment>>>> = LazyLock::new(Mutex::default);

/// Opens the environment in `directory`, or joins those of this process who use it already.
/// The directory is made if need be. Reads the structure of what is there, up to 64 MiB.
///
/// # Errors
/// See [`StorageProblem`](crate::error::StorageProblem); and who joins with another
/// durability than the first has a conflict of options.
pub fn open(directory: &Path, options: &Options) -> Result<Arc<Environment>> {
    let path = filesystem::prepare(directory)?;
    let mut open = OPEN.lock();
    if let Some(environment) = open.get(&path).and_then(Weak::upgrade) {
        agree(&environment, options)?;
        return Ok(environment);
    }
    open.retain(|_, environment| environment.strong_count() > 0);
    let environment = Arc::new(Environment::open(&path, options)?);
    open.insert(path, Arc::downgrade(&environment));
    Ok(environment)
}

fn agree(environment: &Environment, options: &Options) -> Result<()> {
    let existing = environment.options().durability;
    if existing == options.durability {
        return Ok(());
    }
    Err(Error::OptionConflict {
        name: "the directory".to_owned(),
        option: "durability",
        existing: format!("{existing:?}"),
        requested: format!("{:?}", options.durability),
    })
}

/// Keeps other threads and processes from opening or repairing an environment until the
/// result is dropped.
pub fn lock_directory(directory: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("opening.lock"))?;
    file.lock()?;
    Ok(file)
}
