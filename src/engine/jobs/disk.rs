//! The tables of a queue on disk: databases of one LMDB environment, and who is alive.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tables::{Entry, NAMES, Reads, Table, Tables};
use crate::engine::lmdb::{
    self, Damage, Database, Durability, Environment, Options, ReadTransaction, WriteTransaction,
};
use crate::error::{Error, Result, StorageProblem};

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    /// Its environment.
    pub environment: Arc<Environment>,
    databases: [Database; NAMES.len()],
}

impl Store {
    /// Opens the store in a directory, which is made if need be.
    ///
    /// # Errors
    /// See [`lmdb::open`]. Damaged files are left as they are.
    pub fn open(directory: &Path, data_bytes: u64) -> Result<Self> {
        let options = Options {
            data_bytes,
            durability: Durability::EachCommit,
            damage: Damage::Refuse,
        };
        let environment = lmdb::open(directory, &options)?;
        let mut databases = [environment.database(NAMES[0])?; NAMES.len()];
        for (database, name) in databases.iter_mut().zip(NAMES) {
            *database = environment.database(name)?;
        }
        Ok(Self {
            environment,
            databases,
        })
    }

    /// Reads in one transaction.
    pub fn read<T>(&self, body: impl FnOnce(&dyn Reads) -> heed::Result<T>) -> Result<T> {
        let databases = &self.databases;
        self.environment.read(|transaction| {
            body(&ReadTables {
                transaction,
                databases,
            })
        })
    }

    /// The tables inside a transaction that writes.
    pub fn tables<'a, 't>(&'a self, transaction: &'a mut WriteTransaction<'t>) -> WriteTables<'a, 't> {
        WriteTables {
            transaction,
            databases: &self.databases,
        }
    }
}

fn get<'a>(
    databases: &[Database; NAMES.len()],
    transaction: &'a heed::RoTxn<'_>,
    table: Table,
    key: &[u8],
) -> heed::Result<Option<Cow<'a, [u8]>>> {
    let value = databases[table as usize].get(transaction, key)?;
    Ok(value.map(Cow::Borrowed))
}

fn at_or_after(
    databases: &[Database; NAMES.len()],
    transaction: &heed::RoTxn<'_>,
    table: Table,
    key: &[u8],
) -> heed::Result<Option<Entry>> {
    let database = databases[table as usize];
    let entry = database.get_greater_than_or_equal_to(transaction, nonempty(key))?;
    Ok(entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
}

struct ReadTables<'a, 't> {
    transaction: &'a ReadTransaction<'t>,
    databases: &'a [Database; NAMES.len()],
}

impl Reads for ReadTables<'_, '_> {
    fn get(&self, table: Table, key: &[u8]) -> heed::Result<Option<Cow<'_, [u8]>>> {
        get(self.databases, self.transaction, table, key)
    }

    fn at_or_after(&self, table: Table, key: &[u8]) -> heed::Result<Option<Entry>> {
        at_or_after(self.databases, self.transaction, table, key)
    }
}

/// The tables of a store inside a transaction.
#[expect(missing_debug_implementations, reason = "transactions have none")]
pub struct WriteTables<'a, 't> {
    transaction: &'a mut WriteTransaction<'t>,
    databases: &'a [Database; NAMES.len()],
}

impl Reads for WriteTables<'_, '_> {
    fn get(&self, table: Table, key: &[u8]) -> heed::Result<Option<Cow<'_, [u8]>>> {
        get(self.databases, self.transaction, table, key)
    }

    fn at_or_after(&self, table: Table, key: &[u8]) -> heed::Result<Option<Entry>> {
        at_or_after(self.databases, self.transaction, table, key)
    }
}

impl Tables for WriteTables<'_, '_> {
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> heed::Result<()> {
        self.databases[table as usize].put(self.transaction, key, value)
    }

    fn delete(&mut self, table: Table, key: &[u8]) -> heed::Result<bool> {
        self.databases[table as usize].delete(self.transaction, key)
    }
}

/// LMDB has no empty keys.
fn nonempty(key: &[u8]) -> &[u8] {
    match key {
        [] => &[0],
        key => key,
    }
}

/// Says that an owner is alive, for as long as its process lives and no longer: a lock that
/// the system gives back, however the process ends.
#[derive(Debug)]
pub struct SignOfLife {
    path: PathBuf,
    file: Option<File>,
}

const OWNERS: &str = "owners";

fn path_of(directory: &Path, owner: u64) -> PathBuf {
    directory.join(OWNERS).join(format!("{owner:016x}"))
}

impl SignOfLife {
    /// Begins.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn give(directory: &Path, owner: u64) -> Result<Self> {
        let path = path_of(directory, owner);
        let give = || {
            fs::create_dir_all(directory.join(OWNERS))?;
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)?;
            file.lock()?;
            Ok(file)
        };
        let file = give().map_err(|error: std::io::Error| Error::Storage {
            problem: StorageProblem::Failed,
            what: "Cannot open the directory",
            reason: error.to_string(),
        })?;
        Ok(Self {
            path,
            file: Some(file),
        })
    }

    /// Stops, and leaves behind what a process does that was killed.
    #[cfg(test)]
    pub fn stop(&mut self) {
        self.file = None;
    }
}

impl Drop for SignOfLife {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// True when an owner gives no sign of life any more. What cannot be told is no proof.
pub fn is_gone(directory: &Path, owner: u64) -> bool {
    let path = path_of(directory, owner);
    match File::open(&path) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                let _ = fs::remove_file(&path);
                true
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
    }
}
