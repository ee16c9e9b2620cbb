//! An open environment: reading, writing, and how it is opened and closed.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use heed::types::Bytes;
use heed::{CommitOrAbort, Env, EnvFlags, EnvOpenOptions, MdbError, WithoutTls};
use parking_lot::{Mutex, RwLock};

use super::failure::{self, io, lmdb, storage};
use super::format::{self, Found};
use super::options::{Damage, Durability, Options};
use super::writer::{self, Operation, Queue};
use super::{ReadTransaction, WriteTransaction, boot, checkpoint, pages, registry, verify};
use crate::error::{Error, Result, StorageProblem};

/// A database in an environment. Copies are free and live as long as the environment.
pub type Database = heed::Database<'static, Bytes, Bytes>;

/// Databases that fit into one environment.
const MOST_DATABASES: u32 = 64;

/// Reader slots, shared by all processes. A slot is taken while a transaction reads.
const READERS: u32 = 512;

/// What a full map grows by. The list of a gigabyte of freed pages takes two megabytes.
const GROWTH_BYTES: usize = 16 << 20;

/// How long an opening waits for a closing of the same path to end.
const CLOSING: Duration = Duration::from_secs(30);

/// What the threads of an environment share.
pub(super) struct Shared {
    pub env: Env<WithoutTls>,
    /// Every transaction holds it shared; alone, the map may be moved.
    gate: RwLock<()>,
    pub directory: PathBuf,
    pub options: Options,
    /// The run of the machine, where checkpoints are kept.
    pub boot: Option<String>,
    /// The database that describes the environment.
    pub format: Database,
    generation: u32,
    pub queue: Queue,
}

/// An environment of this process. Dropping it writes what is queued, in the background;
/// see [`release`](Self::release).
pub struct Environment {
    shared: Arc<Shared>,
    databases: Mutex<HashMap<String, Database>>,
    rebuilt: Option<String>,
    ended: bool,
}

/// How full an environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that the environment can hold.
    pub map_bytes: u64,
    /// Bytes of pages in use or free for reuse: the size of the file.
    pub file_bytes: u64,
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

/// Counts how often this process was forked, in the children.
static GENERATION: AtomicU32 = AtomicU32::new(0);

fn generation() -> u32 {
    #[cfg(unix)]
    {
        extern "C" fn child() {
            GENERATION.fetch_add(1, Ordering::Relaxed);
        }
        static HOOK: std::sync::Once = std::sync::Once::new();
        HOOK.call_once(|| {
            // SAFETY: the hook only changes an atomic number.
            unsafe { libc::pthread_atfork(None, None, Some(child)) };
        });
    }
    GENERATION.load(Ordering::Relaxed)
}

impl Environment {
    /// Opens the environment in a directory that exists and that no other environment of
    /// this process is open in; see [`registry::open`].
    pub(super) fn open(directory: &Path, options: &Options) -> Result<Self> {
        const WHAT: &str = "Cannot open the directory";
        // Its last user has gone, and its thread is about to close it: before the directory
        // is locked, because the last checkpoint locks it too.
        if let Some(closing) = heed::env_closing_event(directory) {
            closing.wait_timeout(CLOSING);
        }
        let _lock = registry::lock_directory(directory).map_err(|error| io(WHAT, &error))?;
        let mut options = *options;
        let mut boot = None;
        if let Durability::Checkpoints(_) = options.durability {
            boot = boot::identity();
            if boot.is_none() {
                // Where runs of the machine cannot be told apart, checkpoints mean nothing.
                options.durability = Durability::EachCommit;
            }
        }
        if let Some(boot) = &boot {
            checkpoint::restore(directory, boot).map_err(|error| io(WHAT, &error))?;
        }
        let mut rebuilt = None;
        let (env, format) = match open_sound(directory, &options)? {
            Ok(opened) => opened,
            Err(trouble) if options.damage == Damage::Refuse => return Err(trouble),
            Err(trouble) => {
                move_aside(directory).map_err(|error| io("Cannot remove damaged files", &error))?;
                rebuilt = Some(trouble.to_string());
                open_sound(directory, &options)??
            }
        };
        let shared = Shared {
            env,
            gate: RwLock::new(()),
            directory: directory.to_owned(),
            options,
            boot,
            format,
            generation: generation(),
            queue: Queue::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            databases: Mutex::new(HashMap::from([(format::DATABASE.to_owned(), format)])),
            rebuilt,
            ended: false,
        })
    }

    /// As it was opened; the durability is the one in force.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Where it lives.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Why the environment was begun anew when it was opened, if it was.
    pub fn rebuilt(&self) -> Option<&str> {
        self.rebuilt.as_deref()
    }

    /// How full it is. Cheap.
    pub fn usage(&self) -> Usage {
        let info = self.shared.env.info();
        Usage {
            map_bytes: info.map_size as u64,
            file_bytes: (info.last_page_number as u64 + 1) * page_size(&self.shared.env),
        }
    }

    /// The last transaction that wrote, of whatever process. Cheap: tells whether anything
    /// has changed.
    pub fn last_transaction(&self) -> usize {
        self.shared.env.info().last_txn_id
    }

    /// The database of this name, made if need be. Waits for the transaction that writes.
    pub fn database(&self, name: &str) -> Result<Database> {
        const WHAT: &str = "Cannot open the database";
        self.shared.check_process()?;
        let mut databases = self.databases.lock();
        if let Some(database) = databases.get(name) {
            return Ok(*database);
        }
        let _gate = self.shared.gate.read_recursive();
        let database = create_database(&self.shared.env, name).map_err(|error| lmdb(WHAT, error))?;
        databases.insert(name.to_owned(), database);
        Ok(database)
    }

    /// Runs `body` in a transaction that reads. It must be short and must not wait for
    /// anything: while it runs, no page that it might see is reused.
    pub fn read<T>(&self, body: impl FnOnce(&ReadTransaction<'_>) -> heed::Result<T>) -> Result<T> {
        self.shared
            .read(body)
            .map_err(|error| lmdb("Cannot read", error))?
    }

    /// Queues a write. It is told by [`Operation::finish`].
    pub fn submit(&self, operation: Box<dyn Operation>) {
        writer::submit(&self.shared, operation);
    }

    /// Queues a write made of two closures: `run`, which may run more than once, and
    /// `finish`, which gets the result of its last run after the commit.
    pub fn submit_with<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut WriteTransaction<'_>) -> heed::Result<T> + Send + 'static,
        finish: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.submit(writer::closures(false, run, finish));
    }

    /// The same for a write that makes room; see [`Operation::frees`].
    pub fn submit_freeing<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut WriteTransaction<'_>) -> heed::Result<T> + Send + 'static,
        finish: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.submit(writer::closures(true, run, finish));
    }

    /// Writes, and waits for the commit. Not to be called from [`Operation`]s.
    pub fn write<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut WriteTransaction<'_>) -> heed::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.submit_with(run, move |result| {
            let _ = sender.send(result);
        });
        receiver.recv().map_err(|_| Error::Closed { engine: "storage" })?
    }

    /// Calls `done` when all writes that were queued before are on the disk, safe from
    /// power failures.
    pub fn flush(&self, done: impl FnOnce(Result<()>) + Send + 'static) {
        writer::flush(&self.shared, Box::new(done));
    }

    /// Gives up one use of the environment, and calls `done`, on some thread, when all
    /// writes that were queued before are committed; if it was the last use, when the
    /// environment is closed and its files are free.
    pub fn release(self: Arc<Self>, done: impl FnOnce() + Send + 'static) {
        let shared = self.shared.clone();
        match Arc::into_inner(self) {
            Some(mut environment) => {
                environment.ended = true;
                writer::end(&shared, Some(Box::new(done)));
            }
            None => writer::after_commit(&shared, Box::new(done)),
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if !self.ended {
            writer::end(&self.shared, None);
        }
    }
}

impl Shared {
    /// An environment must not be used by a child of the process that opened it.
    pub fn check_process(&self) -> Result<()> {
        if GENERATION.load(Ordering::Relaxed) == self.generation {
            return Ok(());
        }
        let reason = "This process was forked from the one that opened the directory";
        Err(storage(
            StorageProblem::Unsupported,
            "Cannot use the directory",
            reason,
        ))
    }

    fn read<T>(&self, body: impl FnOnce(&ReadTransaction<'_>) -> heed::Result<T>) -> heed::Result<Result<T>> {
        if let Err(error) = self.check_process() {
            return Ok(Err(error));
        }
        let mut tries = 0;
        loop {
            let gate = self.gate.read_recursive();
            let error = match self.env.read_txn() {
                Ok(transaction) => return body(&transaction).map(Ok),
                Err(error) => error,
            };
            drop(gate);
            tries += 1;
            self.recover(error, tries)?;
        }
    }

    /// Begins a transaction that writes and hands it to `body`, with the gate held.
    pub fn write_transaction<T>(&self, body: impl FnOnce(WriteTransaction<'_>) -> T) -> heed::Result<T> {
        let mut tries = 0;
        loop {
            let gate = self.gate.read_recursive();
            let error = match self.env.write_txn() {
                Ok(transaction) => return Ok(body(transaction)),
                Err(error) => error,
            };
            drop(gate);
            tries += 1;
            self.recover(error, tries)?;
        }
    }

    /// Makes the map a little larger. Only for what makes room afterwards, so that it does not
    /// come to this again.
    pub fn grow(&self) -> heed::Result<()> {
        let _alone = self.gate.write();
        let size = self.env.info().map_size + GROWTH_BYTES;
        // SAFETY: as in `recover`; and other processes map the file anew when they meet a page
        // beyond their map.
        unsafe { self.env.resize(size) }
    }

    /// Does something about why a transaction could not begin, so that it may be tried again.
    fn recover(&self, error: heed::Error, tries: u32) -> heed::Result<()> {
        const MOST_TRIES: u32 = 3;
        match error {
            heed::Error::Mdb(MdbError::MapResized) if tries < MOST_TRIES => {
                let _alone = self.gate.write();
                // SAFETY: every transaction of this process that reads pages holds the gate;
                // that of a checkpoint reads none.
                unsafe { self.env.resize(0) }
            }
            heed::Error::Mdb(MdbError::ReadersFull) if tries < MOST_TRIES => {
                self.env.clear_stale_readers().map(|_| ())
            }
            error => Err(error),
        }
    }
}

fn page_size(env: &Env<WithoutTls>) -> u64 {
    u64::from(env.unnamed_database_stat().page_size)
}

fn create_database(env: &Env<WithoutTls>, name: &str) -> heed::Result<Database> {
    let transaction = env.write_txn()?;
    let created = env.create_databases_and_commit(transaction, |opener, transaction| {
        let database = opener.create_database::<Bytes, Bytes>(transaction, Some(name))?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(database))
    })?;
    Ok(created.unwrap_commit())
}

type Opened = (Env<WithoutTls>, Database);

/// Opens what is there and makes sure that it is sound and ours. The inner error is one that
/// beginning anew would heal.
fn open_sound(directory: &Path, options: &Options) -> Result<Result<Opened>> {
    const WHAT: &str = "Cannot open the directory";
    let damaged = |reason: &str| storage(StorageProblem::Damaged, "The stored data are damaged", reason);
    let env = match open_map(directory, options) {
        Ok(env) => env,
        Err(heed::Error::Mdb(MdbError::VersionMismatch)) => return Err(foreign()),
        Err(_) if fs::File::open(directory.join("data.mdb")).is_ok_and(|file| pages::is_of_a_fork(&file)) => {
            return Err(foreign());
        }
        Err(error) if failure::is_damage(&error) => return Ok(Err(damaged(&error.to_string()))),
        Err(error) => return Err(lmdb(WHAT, error)),
    };
    if let Some(finding) = verify::check(&env).map_err(|error| lmdb(WHAT, error))? {
        return Ok(Err(damaged(finding)));
    }
    env.clear_stale_readers().map_err(|error| lmdb(WHAT, error))?;
    if is_foreign(&env).map_err(|error| lmdb(WHAT, error))? {
        return Err(foreign());
    }
    let format = create_database(&env, format::DATABASE).map_err(|error| lmdb(WHAT, error))?;
    match claim(&env, format).map_err(|error| lmdb(WHAT, error))? {
        Found::Nothing | Found::Current => Ok(Ok((env, format))),
        Found::Other(version) => {
            let reason = format!("It has format {version}, this is format {}", format::VERSION);
            let what = "The stored data are of another version";
            Ok(Err(storage(StorageProblem::Version, what, reason)))
        }
    }
}

/// Somebody else's, and whole: never ours to remove.
fn foreign() -> Error {
    let reason = "An LMDB environment of another program is in it";
    storage(StorageProblem::Damaged, "Cannot open the directory", reason)
}

/// Writes the format into a new environment.
fn claim(env: &Env<WithoutTls>, database: Database) -> heed::Result<Found> {
    let mut transaction = env.write_txn()?;
    let found = format::read(database, &transaction)?;
    if found == Found::Nothing {
        format::write(database, &mut transaction)?;
        transaction.commit()?;
    }
    Ok(found)
}

fn is_foreign(env: &Env<WithoutTls>) -> heed::Result<bool> {
    if env.unnamed_database_stat().entries == 0 {
        return Ok(false);
    }
    let transaction = env.read_txn()?;
    let ours = env.open_databases_and_commit(transaction, |opener, transaction| {
        let database = opener.open_database::<Bytes, Bytes>(transaction, Some(format::DATABASE))?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(database))
    })?;
    Ok(ours.unwrap_commit().is_none())
}

/// Opens with the largest map that the address space has room for.
fn open_map(directory: &Path, options: &Options) -> heed::Result<Env<WithoutTls>> {
    let mut flags = EnvFlags::empty();
    if let Durability::Checkpoints(_) = options.durability {
        flags |= EnvFlags::NO_SYNC;
    }
    // Random reads: reading ahead would only push other pages out of memory.
    flags |= EnvFlags::NO_READ_AHEAD;
    let mut last = heed::Error::Mdb(MdbError::Invalid);
    for size in options.map_sizes() {
        let mut opening = EnvOpenOptions::new().read_txn_without_tls();
        opening
            .map_size(size)
            .max_dbs(MOST_DATABASES)
            .max_readers(READERS);
        // SAFETY: the flag gives up syncing alone, which checkpoints take over. The file is
        // changed by LMDB alone; what else may have happened to it is checked before it is
        // read.
        let opened = unsafe { opening.flags(flags).open(directory) };
        match opened {
            Err(heed::Error::Mdb(MdbError::Other(code))) if is_no_room(code) => {
                last = heed::Error::Mdb(MdbError::Other(code));
            }
            Err(heed::Error::Io(error)) if error.raw_os_error().is_some_and(is_no_room) => {
                last = heed::Error::Io(error);
            }
            result => return result,
        }
    }
    Err(last)
}

fn is_no_room(code: i32) -> bool {
    #[cfg(unix)]
    return code == libc::ENOMEM || code == libc::EINVAL;
    #[cfg(windows)]
    // Not enough memory, disk full, commitment limit.
    return matches!(code, 8 | 112 | 1455);
}

/// Makes room for a new environment. What is known to be ours is removed; what may be
/// somebody's is kept under another name.
fn move_aside(directory: &Path) -> std::io::Result<()> {
    let data = directory.join("data.mdb");
    if checkpoint::exists(directory) {
        fs::remove_file(&data)?;
        fs::remove_file(directory.join(checkpoint::FILE))?;
    } else {
        fs::rename(&data, directory.join("data.mdb.damaged"))?;
    }
    // Processes that have the old pair open go on with it; the new one needs its own lock.
    match fs::remove_file(directory.join("lock.mdb")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
