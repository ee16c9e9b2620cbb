//! Large values: a file each, beside the environment.
//!
//! A file is written under a temporary name and renamed when it is whole, and only then does
//! an entry point at it; whoever fails before leaves nothing but a file that no entry knows.
//! Such orphans are collected when the cache is opened. A file that is being written is
//! locked, so an orphan can be told from it, even by another process.
//!
//! The value stands in blocks, each followed by a checksum: a reader never hands out a block
//! before it has checked it, and needs no more memory than a block.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::record::{FileId, Hash};

/// Bytes of a value between two checksums.
pub const BLOCK_BYTES: usize = 64 * 1024;

const SUM_BYTES: usize = 8;

/// The end of the names of files that are not whole yet.
const UNFINISHED: &str = ".part";

/// What a value of this length takes in a file.
pub fn size_of(length: u64) -> u64 {
    length.saturating_add(
        length
            .div_ceil(BLOCK_BYTES as u64)
            .saturating_mul(SUM_BYTES as u64),
    )
}

/// The checksum of a block: of its contents and of its place, so that a block of another
/// file, or from elsewhere in this one, does not pass.
fn block_sum(id: FileId, index: u64, block: &[u8]) -> u64 {
    xxh3_64_with_seed(block, id ^ index.rotate_left(32))
}

fn name(hash: &Hash, id: FileId) -> String {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}-{id:016x}")
}

/// The opposite of [`name`]; none for files that are not ours.
fn parse(name: &str) -> Option<(Hash, FileId)> {
    let (hex, id) = name.split_once('-')?;
    if hex.len() != 32 || id.len() != 16 || !hex.is_ascii() {
        return None;
    }
    let mut hash = Hash::default();
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
    }
    Some((hash, FileId::from_str_radix(id, 16).ok()?))
}

/// A number that no other file of this hash has.
fn new_id() -> FileId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let parts = [
        now.as_nanos() as u64,
        u64::from(std::process::id()),
        COUNT.fetch_add(1, Ordering::Relaxed),
    ];
    xxh3_64(&parts.map(u64::to_le_bytes).concat())
}

/// The files of one cache.
#[derive(Debug, Clone)]
pub struct Files {
    directory: PathBuf,
}

impl Files {
    /// The files in a folder of the cache's directory. It is made when it is needed.
    pub fn new(cache: &Path) -> Self {
        Self {
            directory: cache.join("files"),
        }
    }

    /// Begins a file for a value of this key.
    pub fn create(&self, hash: Hash) -> io::Result<Draft> {
        fs::create_dir_all(&self.directory)?;
        let (id, temporary, file) = loop {
            let id = new_id();
            let temporary = self.directory.join(name(&hash, id) + UNFINISHED);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&temporary)?;
            file.lock()?;
            // Before it was locked, a collection may have taken it for an orphan.
            if temporary.try_exists()? {
                break (id, temporary, file);
            }
        };
        Ok(Draft {
            file: Some(file),
            temporary,
            path: self.directory.join(name(&hash, id)),
            id,
            block: Vec::with_capacity(BLOCK_BYTES + SUM_BYTES),
            blocks: 0,
            length: 0,
        })
    }

    /// Opens a value for reading.
    ///
    /// # Errors
    /// It is not there, or its size is not that of a value of this length.
    pub fn open(&self, hash: &Hash, id: FileId, length: u64) -> io::Result<Reader> {
        let file = File::open(self.directory.join(name(hash, id)))?;
        if file.metadata()?.len() != size_of(length) {
            return Err(damaged());
        }
        Ok(Reader {
            file,
            id,
            index: 0,
            left: length,
        })
    }

    /// Removes a file that no entry points at any more. Readers that have it open go on.
    pub fn remove(&self, hash: &Hash, id: FileId) {
        // One that cannot be removed now is an orphan, and collected later.
        let _ = fs::remove_file(self.directory.join(name(hash, id)));
    }

    /// Removes the files that nobody knows and nobody writes. Returns how many, and their
    /// bytes.
    pub fn collect(&self, is_known: impl Fn(&Hash, FileId) -> bool) -> (u64, u64) {
        let mut removed = (0, 0);
        let Ok(listing) = fs::read_dir(&self.directory) else {
            return removed;
        };
        for entry in listing.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let unfinished = name.ends_with(UNFINISHED);
            let Some((hash, id)) = parse(name.trim_end_matches(UNFINISHED)) else {
                continue;
            };
            if !unfinished && is_known(&hash, id) {
                continue;
            }
            let Ok(file) = OpenOptions::new().read(true).write(true).open(entry.path()) else {
                continue;
            };
            // Who writes it holds the lock until its entry is committed: so a second look,
            // with the lock, at whether it is known by now.
            if file.try_lock().is_err() || (!unfinished && is_known(&hash, id)) {
                continue;
            }
            let bytes = file.metadata().map_or(0, |metadata| metadata.len());
            if fs::remove_file(entry.path()).is_ok() {
                removed.0 += 1;
                removed.1 += bytes;
            }
        }
        removed
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a stored value is damaged")
}

/// A file that is being written. Dropped unfinished, it is gone.
#[derive(Debug)]
pub struct Draft {
    file: Option<File>,
    temporary: PathBuf,
    path: PathBuf,
    id: FileId,
    block: Vec<u8>,
    blocks: u64,
    length: u64,
}

impl Draft {
    /// Appends to the value.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.block.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK_BYTES {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        let sum = block_sum(self.id, self.blocks, &self.block);
        self.block.extend_from_slice(&sum.to_le_bytes());
        if let Some(file) = &mut self.file {
            file.write_all(&self.block)?;
        }
        self.block.clear();
        self.blocks += 1;
        Ok(())
    }

    /// Bytes of the value so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Ends the value and gives the file its name. Waits for the disk: an entry must not
    /// outlive a power failure that its file did not.
    pub fn finish(mut self) -> io::Result<Finished> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        let file = self.file.take().ok_or_else(damaged)?;
        let named = file
            .sync_data()
            .and_then(|()| fs::rename(&self.temporary, &self.path));
        if let Err(error) = named {
            self.file = Some(file);
            return Err(error);
        }
        Ok(Finished {
            _locked: file,
            path: std::mem::take(&mut self.path),
            id: self.id,
            length: self.length,
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A whole file that no entry points at yet. To be kept until the entry is committed.
#[derive(Debug)]
pub struct Finished {
    _locked: File,
    path: PathBuf,
    /// Its name, with the hash.
    pub id: FileId,
    /// Bytes of the value.
    pub length: u64,
}

impl Finished {
    /// Removes it: no entry will point at it.
    pub fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A value that is being read.
#[derive(Debug)]
pub struct Reader {
    file: File,
    id: FileId,
    index: u64,
    left: u64,
}

impl Reader {
    /// Bytes that are still to come.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Appends the next `blocks` blocks to `buffer`. Nothing is appended at the end.
    ///
    /// # Errors
    /// Reading fails, or a block is damaged; what was read before is sound.
    pub fn read(&mut self, blocks: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        for _ in 0..blocks {
            let length = self.left.min(BLOCK_BYTES as u64) as usize;
            if length == 0 {
                return Ok(());
            }
            let start = buffer.len();
            buffer.resize(start + length + SUM_BYTES, 0);
            let read = self.file.read_exact(&mut buffer[start..]);
            let sum = buffer.split_off(start + length);
            let sound = || block_sum(self.id, self.index, &buffer[start..]).to_le_bytes() == sum[..];
            if read.is_err() || !sound() {
                buffer.truncate(start);
                return read.and(Err(damaged()));
            }
            self.index += 1;
            self.left -= length as u64;
        }
        Ok(())
    }

    /// All that is still to come.
    pub fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut buffer = Vec::new();
        let too_large = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let room = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .saturating_add(SUM_BYTES);
        buffer.try_reserve_exact(room).map_err(too_large)?;
        self.read(usize::MAX, &mut buffer)?;
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: Hash = [7; 16];

    fn written(files: &Files, length: usize) -> Finished {
        let mut draft = files.create(HASH).unwrap();
        let value: Vec<u8> = (0..length).map(|index| index as u8).collect();
        value.chunks(1000).for_each(|chunk| draft.write(chunk).unwrap());
        draft.finish().unwrap()
    }

    fn count(files: &Files) -> usize {
        fs::read_dir(&files.directory).map_or(0, Iterator::count)
    }

    #[test]
    fn values_of_all_lengths_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(directory.path());
        for length in [
            0,
            1,
            999,
            BLOCK_BYTES - 1,
            BLOCK_BYTES,
            BLOCK_BYTES + 1,
            3 * BLOCK_BYTES + 7,
        ] {
            let finished = written(&files, length);
            assert_eq!(
                fs::metadata(&finished.path).unwrap().len(),
                size_of(length as u64)
            );
            let mut reader = files.open(&HASH, finished.id, length as u64).unwrap();
            let value = reader.read_all().unwrap();
            assert!(value.iter().enumerate().all(|(index, byte)| *byte == index as u8));
            assert_eq!((value.len(), reader.left()), (length, 0));
        }
    }

    #[test]
    fn no_damaged_block_is_handed_out() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(directory.path());
        let length = 3 * BLOCK_BYTES;
        let finished = written(&files, length);
        let sound = fs::read(&finished.path).unwrap();
        let block = BLOCK_BYTES + SUM_BYTES;
        let mut swapped = sound.clone();
        swapped[..block].copy_from_slice(&sound[block..2 * block]);
        let mut flipped = sound.clone();
        flipped[BLOCK_BYTES + 100] ^= 1;
        for (bytes, good_blocks) in [(swapped, 0), (flipped, 1)] {
            fs::write(&finished.path, bytes).unwrap();
            let mut reader = files.open(&HASH, finished.id, length as u64).unwrap();
            let mut value = Vec::new();
            assert!(reader.read(10, &mut value).is_err());
            assert_eq!(value.len(), good_blocks * BLOCK_BYTES);
        }
        fs::write(&finished.path, &sound[1..]).unwrap();
        assert!(files.open(&HASH, finished.id, length as u64).is_err());
    }

    #[test]
    fn a_draft_that_is_dropped_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(directory.path());
        let mut draft = files.create(HASH).unwrap();
        draft.write(&[1; 200_000]).unwrap();
        assert_eq!(count(&files), 1);
        drop(draft);
        assert_eq!(count(&files), 0);
    }

    #[test]
    fn orphans_are_collected_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::new(directory.path());
        let known = written(&files, 10).id;
        let orphan = written(&files, 20).id;
        let uncommitted = written(&files, 30);
        let being_written = files.create(HASH).unwrap();
        fs::write(files.directory.join("readme.txt"), b"not ours").unwrap();
        // What a killed writer leaves.
        fs::write(files.directory.join(name(&HASH, 1) + UNFINISHED), b"half").unwrap();
        let (removed, bytes) = files.collect(|_, id| id == known);
        assert_eq!((removed, bytes), (2, size_of(20) + 4));
        assert!(files.open(&HASH, orphan, 20).is_err());
        assert!(files.open(&HASH, known, 10).is_ok());
        assert!(files.open(&HASH, uncommitted.id, 30).is_ok());
        assert_eq!(count(&files), 4);
        drop(being_written);
        uncommitted.discard();
        assert_eq!(count(&files), 2);
    }

    #[test]
    fn a_collection_takes_no_file_that_is_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path());
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    files.collect(|_, _| false);
                }
            });
            for _ in 0..300 {
                let mut draft = files.create(HASH).unwrap();
                draft.write(b"value").unwrap();
                let finished = draft.finish();
                let there = finished.as_ref().is_ok_and(|file| file.path.exists());
                if !there {
                    over.store(true, Ordering::Relaxed);
                }
                assert!(there, "{finished:?}");
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
