//! The one thread that writes to an environment.
//!
//! Writes are queued; the thread takes all that wait, runs them in one transaction, commits,
//! and tells each. While it commits, the next group gathers: the busier the queue, the
//! cheaper a write. The thread starts with the first write and ends with the environment.
//!
//! Who waits for each write before the next pays for two wake-ups a write, which cost more than
//! the write does. While writes follow each other that closely, the thread looks out for the
//! next one for a moment before it sleeps, and gives way to whoever wants its processor.
//!
//! An error ends a whole transaction in LMDB, so a group with a write that fails is undone
//! and its writes are run again, each on its own: only the one that is to blame fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::WriteTransaction;
use super::checkpoint::Point;
use super::environment::Shared;
use super::failure::{lmdb, storage};
use super::filesystem;
use super::options::Durability;
use crate::error::{Error, Result, StorageProblem};

/// Most writes of one transaction: bounds how long others wait for it.
const MOST_IN_GROUP: usize = 1024;

/// Pages by which the file may grow before a checkpoint is due: pages that the last one holds
/// are not reused, so a busy writer needs new ones. 32 MiB of the usual ones.
const MOST_GROWN: usize = 8192;

/// How soon after the last group the next one has to come for it to be worth waiting awake.
const SOON: Duration = Duration::from_micros(100);

/// A write.
pub trait Operation: Send {
    /// Does it. May run again after its transaction was undone, and has to start over then.
    /// An error undoes everything that it did; a refusal that is part of the operation's own
    /// logic is no error here but part of its result.
    fn run(&mut self, transaction: &mut WriteTransaction<'_>) -> heed::Result<()>;

    /// Whether it makes room. Even deleting takes some pages, so for such a write a full map
    /// is made larger.
    fn frees(&self) -> bool {
        false
    }

    /// Is told, on the writing thread, after the commit or when it cannot be had.
    fn finish(self: Box<Self>, outcome: Result<()>);
}

struct Closures<R, F, T> {
    run: R,
    finish: F,
    frees: bool,
    result: Option<T>,
}

impl<R, F, T> Operation for Closures<R, F, T>
where
    R: FnMut(&mut WriteTransaction<'_>) -> heed::Result<T> + Send,
    F: FnOnce(Result<T>) + Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut WriteTransaction<'_>) -> heed::Result<()> {
        self.result = Some((self.run)(transaction)?);
        Ok(())
    }

    fn frees(&self) -> bool {
        self.frees
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let Self { finish, result, .. } = *self;
        let never_ran = Error::Closed { engine: "storage" };
        finish(outcome.and_then(|()| result.ok_or(never_ran)));
    }
}

/// An operation of two closures.
pub fn closures<T: Send + 'static>(
    frees: bool,
    run: impl FnMut(&mut WriteTransaction<'_>) -> heed::Result<T> + Send + 'static,
    finish: impl FnOnce(Result<T>) + Send + 'static,
) -> Box<dyn Operation> {
    Box::new(Closures {
        run,
        finish,
        frees,
        result: None,
    })
}

type Flushed = Box<dyn FnOnce(Result<()>) + Send>;
type Called = Box<dyn FnOnce() + Send>;

enum Message {
    Write(Box<dyn Operation>),
    /// Everything before is to be on the disk.
    Flush(Flushed),
    /// Everything before is to be committed.
    Barrier(Called),
}

#[derive(Default)]
struct State {
    waiting: Vec<Message>,
    started: bool,
    sleeping: bool,
    /// The last user has gone.
    ended: bool,
    /// The thread has written everything and takes nothing any more.
    finished: bool,
    closed: Option<Called>,
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    /// Something waits, or the end has come: to be seen without the lock.
    pending: AtomicBool,
}

/// Queues a write.
pub(super) fn submit(shared: &Arc<Shared>, operation: Box<dyn Operation>) {
    if let Err(error) = shared.check_process() {
        return operation.finish(Err(error));
    }
    if let Err(Message::Write(operation)) = send(shared, Message::Write(operation)) {
        operation.finish(Err(Error::NoThreads));
    }
}

/// Queues a flush.
pub(super) fn flush(shared: &Arc<Shared>, done: Flushed) {
    if let Err(Message::Flush(done)) = send(shared, Message::Flush(done)) {
        done(Err(Error::NoThreads));
    }
}

/// Calls `done` after everything that is queued.
pub(super) fn after_commit(shared: &Arc<Shared>, done: Called) {
    let idle = {
        let state = shared.queue.state.lock();
        !state.started || state.finished
    };
    if idle {
        return done();
    }
    if let Err(Message::Barrier(done)) = send(shared, Message::Barrier(done)) {
        done();
    }
}

fn send(shared: &Arc<Shared>, message: Message) -> std::result::Result<(), Message> {
    let mut state = shared.queue.state.lock();
    if !state.started {
        let worker = shared.clone();
        let thread = std::thread::Builder::new().name("hotpath-writer".into());
        if thread.spawn(move || Writer::new(worker).work()).is_err() {
            return Err(message);
        }
        state.started = true;
    }
    state.waiting.push(message);
    shared.queue.pending.store(true, Ordering::Release);
    if state.sleeping {
        state.sleeping = false;
        shared.queue.arrived.notify_one();
    }
    Ok(())
}

/// The environment has lost its last user: writes what is queued, closes, and calls
/// `closed`.
pub(super) fn end(shared: &Arc<Shared>, closed: Option<Called>) {
    let mut state = shared.queue.state.lock();
    state.ended = true;
    shared.queue.pending.store(true, Ordering::Release);
    if state.started {
        state.closed = closed;
        shared.queue.arrived.notify_one();
    } else {
        drop(state);
        // Nothing was written. The caller drops the last reference right after this.
        let event = shared.env.clone().prepare_for_closing();
        let call = move || {
            event.wait_timeout(Duration::from_secs(1));
            closed.into_iter().for_each(|closed| closed());
        };
        super::super::background::once(call);
    }
}

struct Writer {
    shared: Arc<Shared>,
    /// When the oldest change since the last checkpoint was made.
    dirty_since: Option<Instant>,
    /// The end of the file at the last checkpoint.
    last_page: usize,
    /// What protects the newest checkpoint, or an older one than that.
    point: Option<Point>,
    /// A checkpoint on its way to the disk.
    keeping: Option<JoinHandle<Option<Point>>>,
    /// When the last group was done.
    idle_since: Option<Instant>,
    /// True while groups follow each other closely.
    is_awaited: bool,
}

impl Writer {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            dirty_since: None,
            last_page: 0,
            point: None,
            keeping: None,
            idle_since: None,
            is_awaited: false,
        }
    }

    fn work(mut self) {
        while let Some(messages) = self.next() {
            if let Some(since) = self.idle_since.filter(|_| !messages.is_empty()) {
                self.is_awaited = since.elapsed() < SOON;
            }
            self.process(messages);
            self.checkpoint_if_due();
            self.idle_since = Some(Instant::now());
            if self.is_awaited {
                self.look_out();
            }
        }
        self.close();
    }

    /// Waits for the next write without sleeping, for a moment.
    fn look_out(&self) {
        let until = Instant::now() + SOON;
        while !self.shared.queue.pending.load(Ordering::Acquire) && Instant::now() < until {
            std::thread::yield_now();
        }
    }

    /// Waits for writes. Empty when it is time for a checkpoint; none at the end.
    fn next(&mut self) -> Option<Vec<Message>> {
        let queue = &self.shared.queue;
        let mut state = queue.state.lock();
        while state.waiting.is_empty() {
            if state.ended {
                state.finished = true;
                return None;
            }
            state.sleeping = true;
            let due = self.due();
            match due {
                Some(due) if queue.arrived.wait_until(&mut state, due).timed_out() => {
                    state.sleeping = false;
                    return Some(Vec::new());
                }
                Some(_) => {}
                None => queue.arrived.wait(&mut state),
            }
        }
        state.sleeping = false;
        if state.waiting.len() <= MOST_IN_GROUP {
            queue.pending.store(state.ended, Ordering::Release);
            return Some(std::mem::take(&mut state.waiting));
        }
        Some(state.waiting.drain(..MOST_IN_GROUP).collect())
    }

    fn process(&mut self, messages: Vec<Message>) {
        let mut group = Vec::new();
        for message in messages {
            match message {
                Message::Write(operation) => group.push(operation),
                Message::Flush(done) => {
                    self.commit(std::mem::take(&mut group));
                    let flushed = self
                        .flush()
                        .map_err(|error| lmdb("Cannot bring data to the disk", error));
                    guarded(|| done(flushed));
                }
                Message::Barrier(done) => {
                    self.commit(std::mem::take(&mut group));
                    guarded(done);
                }
            }
        }
        self.commit(group);
    }

    fn commit(&mut self, mut group: Vec<Box<dyn Operation>>) {
        if group.is_empty() {
            return;
        }
        if let Err(error) = self.protect() {
            let error = lmdb("Cannot write", error);
            for operation in group {
                finish(operation, Err(error.clone()));
            }
            return;
        }
        self.dirty_since.get_or_insert_with(Instant::now);
        if self.run(&mut group).is_ok() {
            for operation in group {
                finish(operation, Ok(()));
            }
            return;
        }
        for operation in group {
            let mut alone = [operation];
            let mut result = self.run(&mut alone);
            if is_full(&result) {
                // Fails as well if there is no room at all.
                let _ = self.reclaim();
                result = self.run(&mut alone);
                if is_full(&result) && alone[0].frees() && self.shared.grow().is_ok() {
                    result = self.run(&mut alone);
                }
            }
            let [operation] = alone;
            finish(operation, result);
        }
    }

    /// Lets go of the pages that the last checkpoint holds. Those that the last commit gave
    /// up become free only by one more.
    fn reclaim(&mut self) -> heed::Result<()> {
        let touch = super::format::touch;
        let _ = self
            .shared
            .write_transaction(|transaction| touch(self.shared.format, transaction))?;
        self.flush()
    }

    /// Runs writes in one transaction.
    fn run(&self, group: &mut [Box<dyn Operation>]) -> Result<()> {
        let run = |mut transaction: WriteTransaction<'_>| {
            for operation in group.iter_mut() {
                operation.run(&mut transaction)?;
            }
            transaction.commit()
        };
        let what = "Cannot write";
        match catch_unwind(AssertUnwindSafe(|| self.shared.write_transaction(run))) {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error)) | Err(error)) => Err(self.explain(lmdb(what, error))),
            Err(_) => Err(storage(
                StorageProblem::Failed,
                what,
                "An engine panicked; please report this",
            )),
        }
    }

    /// LMDB calls a write that the system has cut short an error of input or output, which is
    /// how a disk becomes full.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Storage {
                problem: StorageProblem::Failed,
                what,
                ..
            } if filesystem::is_full(&self.shared.directory, self.file_bytes()) => {
                storage(StorageProblem::Full, what, "No space is left")
            }
            error => error,
        }
    }

    fn file_bytes(&self) -> u64 {
        self.shared.env.real_disk_size().unwrap_or(0)
    }

    /// Before the first write: protects the state that it starts from.
    fn protect(&mut self) -> heed::Result<()> {
        if self.point.is_none() && self.shared.boot.is_some() {
            self.flush()?;
        }
        Ok(())
    }

    fn interval(&self) -> Option<Duration> {
        match self.shared.options.durability {
            Durability::Checkpoints(interval) => Some(interval),
            Durability::EachCommit => None,
        }
    }

    fn due(&self) -> Option<Instant> {
        Some(self.dirty_since? + self.interval()?)
    }

    /// Starts a checkpoint when enough time has passed, or when the file has grown so much
    /// because of the last one that it would soon be full.
    fn checkpoint_if_due(&mut self) {
        match &self.keeping {
            Some(thread) if !thread.is_finished() => return,
            // At once, because it lets go of pages that the one before it held.
            Some(_) => self.adopt(),
            None => {}
        }
        let Some(due) = self.due() else {
            return;
        };
        let info = self.shared.env.info();
        let grown = info.last_page_number.saturating_sub(self.last_page);
        if Instant::now() < due && grown < MOST_GROWN.min(info.map_size / 8 / 4096) {
            return;
        }
        let Ok(point) = Point::take(&self.shared.env) else {
            // The next write or the end of the environment tries again.
            self.dirty_since = Some(Instant::now());
            return;
        };
        self.last_page = info.last_page_number;
        self.dirty_since = None;
        let shared = self.shared.clone();
        let keep = move || keep(&shared, &point).is_ok().then_some(point);
        let thread = std::thread::Builder::new().name("hotpath-sync".into());
        match thread.spawn(keep) {
            Ok(handle) => self.keeping = Some(handle),
            Err(_) => self.dirty_since = Some(Instant::now()),
        }
    }

    /// Takes over a checkpoint that has reached the disk; waits for it if need be.
    fn adopt(&mut self) {
        let Some(thread) = self.keeping.take() else {
            return;
        };
        match thread.join() {
            Ok(Some(point)) => self.point = Some(point),
            _ => self.dirty_since = Some(Instant::now()),
        }
    }

    /// Brings everything to the disk, and waits for it.
    fn flush(&mut self) -> heed::Result<()> {
        self.adopt();
        if self.shared.boot.is_none() {
            // Each commit was.
            return Ok(());
        }
        let point = Point::take(&self.shared.env)?;
        keep(&self.shared, &point)?;
        self.last_page = self.shared.env.info().last_page_number;
        self.point = Some(point);
        self.dirty_since = None;
        Ok(())
    }

    fn close(mut self) {
        self.adopt();
        if self.dirty_since.is_some() {
            // What cannot be kept now is not lost, unless the machine fails as well.
            let _ = self.flush();
        }
        self.point = None;
        let closed = self.shared.queue.state.lock().closed.take();
        let event = self.shared.env.clone().prepare_for_closing();
        drop(self.shared);
        if let Some(closed) = closed {
            // The user who let go of it last may still be about to.
            event.wait_timeout(Duration::from_secs(1));
            guarded(closed);
        }
    }
}

fn keep(shared: &Shared, point: &Point) -> heed::Result<()> {
    match &shared.boot {
        Some(boot) => point.keep(&shared.env, &shared.directory, boot),
        None => Ok(()),
    }
}

fn finish(operation: Box<dyn Operation>, outcome: Result<()>) {
    guarded(|| operation.finish(outcome));
}

fn is_full(result: &Result<()>) -> bool {
    matches!(result, Err(Error::Storage { problem, .. }) if *problem == StorageProblem::Full)
}

/// Who is told must not take the writing thread down.
fn guarded(call: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(call));
}
