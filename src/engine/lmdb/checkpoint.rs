//! Checkpoints: what a power failure may cost.
//!
//! LMDB is safe against power failures if it waits for the disk twice in every commit, which
//! is too slow for a cache, and with `MDB_NOSYNC` it is not safe at all: the system brings
//! pages to the disk in any order, so the newest root may point at pages that never
//! arrived. Here is a middle way that LMDB's own rules make possible:
//!
//! 1. A read transaction is opened on the newest state, with writers locked out for that
//!    moment, and both meta pages are copied. As long as the transaction is open, LMDB
//!    overwrites no page of that state.
//! 2. The file is synced. Writers go on meanwhile. All pages of the state are now on the
//!    disk.
//! 3. The meta pages go into the file `checkpoint`, with the identity of this run of the
//!    machine. Only now the read transaction of the checkpoint before is given up.
//!
//! Whoever opens the environment after the machine was started again puts the meta pages of
//! the checkpoint back in their place: the state that they head is whole.
//!
//! With several processes, the newest checkpoint in the file counts, and a process holds on
//! to its own, older one: an older reader protects all newer states too. So does a process
//! that has written nothing yet, because the first thing it does before it writes is a
//! checkpoint of its own. Hence at any time some living process that writes protects the
//! state in the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use heed::{Env, RoTxn, WithoutTls};
use xxhash_rust::xxh3::xxh3_64;

use super::pages::{META_BYTES, Meta, read_metas, u64_at, write_at};

/// The file beside LMDB's own.
pub const FILE: &str = "checkpoint";

const MAGIC: &[u8; 8] = b"HPCKPT\x00\x01";

/// A state that LMDB keeps whole while this lives.
pub struct Point {
    metas: [Meta; 2],
    _reader: RoTxn<'static, WithoutTls>,
}

impl std::fmt::Debug for Point {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("Point")
            .field(&transaction(&self.metas))
            .finish()
    }
}

impl Point {
    /// Holds the newest state. Waits for the transaction that writes, if there is one.
    pub fn take(env: &Env<WithoutTls>) -> heed::Result<Self> {
        let file = env.try_clone_inner_file()?;
        let writers_wait = env.write_txn()?;
        let reader = env.clone().static_read_txn()?;
        let metas = read_metas(&file)?;
        drop(writers_wait);
        // The environment is open, so its meta pages were readable.
        let metas = metas.ok_or(heed::Error::Mdb(heed::MdbError::Invalid))?;
        Ok(Self {
            metas,
            _reader: reader,
        })
    }

    /// Brings the state to the disk, and says so in the checkpoint's file. Slow.
    pub fn keep(&self, env: &Env<WithoutTls>, directory: &Path, boot: &str) -> heed::Result<()> {
        env.force_sync()?;
        let _lock = super::registry::lock_directory(directory)?;
        let newer = read(directory)
            .is_some_and(|there| there.boot == boot && transaction(&there.metas) >= transaction(&self.metas));
        if !newer {
            write(directory, boot, &self.metas)?;
        }
        Ok(())
    }
}

/// Puts the last checkpoint back if the machine has been started again since. To be called
/// with the directory locked and the environment closed. Returns whether anything was done.
pub fn restore(directory: &Path, boot: &str) -> io::Result<bool> {
    let Some(checkpoint) = read(directory) else {
        return Ok(false);
    };
    if checkpoint.boot == boot {
        return Ok(false);
    }
    let file = match OpenOptions::new()
        .read(true)
        .write(true)
        .open(directory.join("data.mdb"))
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::remove_file(directory.join(FILE))?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let page_bytes = checkpoint.metas[0].page_bytes as u64;
    let newest = &checkpoint.metas[newest(&checkpoint.metas)];
    // A file that is older than its checkpoint is another file: it was put there by hand.
    let current = read_metas(&file)?;
    if current.is_some_and(|metas| transaction(&metas) < newest.transaction) {
        fs::remove_file(directory.join(FILE))?;
        return Ok(false);
    }
    for (index, meta) in checkpoint.metas.iter().enumerate() {
        write_at(&file, &meta.bytes, index as u64 * page_bytes)?;
    }
    file.sync_all()?;
    write(directory, boot, &checkpoint.metas)?;
    Ok(true)
}

/// Which of the two meta pages counts.
fn newest(metas: &[Meta; 2]) -> usize {
    usize::from(metas[1].transaction > metas[0].transaction)
}

fn transaction(metas: &[Meta; 2]) -> u64 {
    metas[newest(metas)].transaction
}

struct Stored {
    boot: String,
    metas: [Meta; 2],
}

/// The checkpoint in the directory, if there is one and it is whole.
fn read(directory: &Path) -> Option<Stored> {
    let bytes = fs::read(directory.join(FILE)).ok()?;
    let body = bytes.strip_prefix(MAGIC)?;
    let (body, sum) = body.split_at_checked(body.len().checked_sub(8)?)?;
    if u64_at(sum, 0) != xxh3_64(body) {
        return None;
    }
    let (metas, boot) = body.split_at_checked(2 * META_BYTES)?;
    let meta = |index: usize| Meta::parse(metas[index * META_BYTES..][..META_BYTES].try_into().ok()?);
    Some(Stored {
        boot: String::from_utf8(boot.to_vec()).ok()?,
        metas: [meta(0)?, meta(1)?],
    })
}

/// True when the directory has a checkpoint: it is one of ours.
pub fn exists(directory: &Path) -> bool {
    read(directory).is_some()
}

fn write(directory: &Path, boot: &str, metas: &[Meta; 2]) -> io::Result<()> {
    let body = [&metas[0].bytes, &metas[1].bytes, boot.as_bytes()].concat();
    let temporary = directory.join(format!("{FILE}.{}", std::process::id()));
    let mut file = File::create(&temporary)?;
    file.write_all(MAGIC)?;
    file.write_all(&body)?;
    file.write_all(&xxh3_64(&body).to_le_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(FILE))?;
    // The new name has to last as well.
    #[cfg(unix)]
    File::open(directory)?.sync_all()?;
    Ok(())
}
