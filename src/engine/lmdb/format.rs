//! The record that says in which form an environment was written.

use heed::types::Bytes;

use super::WriteTransaction;
use super::environment::Database;

/// Grows with every change that older code could not read.
pub const VERSION: u32 = 1;

/// The database that describes the environment; names of others never begin with a dot.
pub const DATABASE: &str = ".hotpath";

const KEY: &[u8] = b"format";

/// What the record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none: the environment is new.
    Nothing,
    /// Ours.
    Current,
    /// Of another version.
    Other(u32),
}

/// Reads the record.
pub fn read(database: Database, txn: &heed::RoTxn<'_>) -> heed::Result<Found> {
    let database = database.remap_types::<Bytes, Bytes>();
    Ok(match database.get(txn, KEY)? {
        None => Found::Nothing,
        Some(bytes) => match bytes.try_into().map(u32::from_le_bytes) {
            Ok(VERSION) => Found::Current,
            Ok(other) => Found::Other(other),
            Err(_) => Found::Other(0),
        },
    })
}

/// Writes the record.
pub fn write(database: Database, txn: &mut WriteTransaction<'_>) -> heed::Result<()> {
    write_version(database, txn, VERSION)
}

/// Commits a change that means nothing: pages that the last commit gave up become free.
pub fn touch(database: Database, mut txn: WriteTransaction<'_>) -> heed::Result<()> {
    let number = txn.id() as u64;
    database.put(&mut txn, b"touched", &number.to_le_bytes())?;
    txn.commit()
}

pub(super) fn write_version(
    database: Database,
    txn: &mut WriteTransaction<'_>,
    version: u32,
) -> heed::Result<()> {
    database.put(txn, KEY, &version.to_le_bytes())
}
