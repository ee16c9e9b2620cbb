//! A file being scanned by several threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::source::{Block, Source, Start};
use super::{Chunk, Format, Plan, WINDOW_PER_THREAD, csv, json};
use crate::engine::processors;
use crate::error::{Error, Result, StorageProblem};

/// Threads that one scan uses at most.
const MOST_THREADS: usize = 8;

/// Gets the next chunk, or nothing at the end of the file.
pub type Receiver = Box<dyn FnOnce(Result<Option<Chunk>>) + Send>;

#[derive(Default)]
struct Results {
    ready: BTreeMap<u64, Chunk>,
    /// The number of the chunk that is taken next.
    next: u64,
    /// How many blocks the file had, once that is known.
    end: Option<u64>,
    failed: Option<Error>,
    closed: bool,
    waiting: Option<Receiver>,
}

struct Shared {
    plan: Plan,
    threads: u64,
    source: Mutex<Option<Source>>,
    path: PathBuf,
    start: Start,
    results: Mutex<Results>,
    room: Condvar,
}

/// See the module. Dropping it ends its threads.
pub struct Scan(Arc<Shared>);

impl std::fmt::Debug for Scan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scan").finish_non_exhaustive()
    }
}

impl Scan {
    /// Begins to scan a file. What is wrong with the file is told by [`take`](Self::take).
    ///
    /// # Errors
    /// The system refuses to start a thread.
    pub fn start(path: PathBuf, plan: Plan, start: Start) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.min(MOST_THREADS);
        let scan = Self(Arc::new(Shared {
            plan,
            threads: threads as u64,
            source: Mutex::new(None),
            path,
            start,
            results: Mutex::default(),
            room: Condvar::new(),
        }));
        for index in 0..threads {
            let shared = scan.0.clone();
            let thread = std::thread::Builder::new().name(format!("hotpath-scan-{index}"));
            let started = thread.spawn(move || shared.run());
            // One thread does all the work, if need be.
            if started.is_err() && index == 0 {
                return Err(Error::NoThreads);
            }
        }
        Ok(scan)
    }

    /// Calls `receiver` with the next chunk, at once or on another thread. One receiver may
    /// wait at a time; a second one replaces the first.
    pub fn take(&self, receiver: impl FnOnce(Result<Option<Chunk>>) + Send + 'static) {
        let mut results = self.0.results.lock();
        match results.poll() {
            Some(answer) => {
                drop(results);
                self.0.room.notify_all();
                receiver(answer);
            }
            None => results.waiting = Some(Box::new(receiver)),
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        let mut results = self.0.results.lock();
        results.closed = true;
        results.waiting = None;
        results.ready.clear();
        drop(results);
        self.0.room.notify_all();
    }
}

impl Results {
    /// The answer to a receiver, if there is one already.
    fn poll(&mut self) -> Option<Result<Option<Chunk>>> {
        if let Some(chunk) = self.ready.remove(&self.next) {
            self.next += 1;
            return Some(Ok(Some(chunk)));
        }
        if self.end.is_some_and(|end| self.next >= end) {
            return Some(self.failed.clone().map_or(Ok(None), Err));
        }
        None
    }
}

impl Shared {
    fn run(&self) {
        processors::give_way();
        let work = AssertUnwindSafe(|| while self.step() {});
        if catch_unwind(work).is_err() {
            let reason = "a thread that scans a file panicked; please report this".to_owned();
            self.end(None, Some(Error::Inconsistent { reason }));
        }
    }

    /// Reads and parses one block. False when there is nothing more to do.
    fn step(&self) -> bool {
        let mut place = self.source.lock();
        let Some(block) = self.read(&mut place) else {
            return false;
        };
        drop(place);
        let chunk = self.parse(&block);
        let mut results = self.results.lock();
        results.ready.insert(block.sequence, chunk);
        self.answer(results);
        true
    }

    /// The next block, when there is room for it.
    fn read(&self, place: &mut Option<Source>) -> Option<Block> {
        let source = match place {
            Some(source) => source,
            None => match self.open() {
                Ok(source) => place.insert(source),
                Err(error) => {
                    self.end(Some(0), Some(error));
                    return None;
                }
            },
        };
        let mut results = self.results.lock();
        while !results.closed
            && results.end.is_none()
            && source.sequence() >= results.next + self.threads * WINDOW_PER_THREAD
        {
            self.room.wait(&mut results);
        }
        if results.closed || results.end.is_some() {
            return None;
        }
        drop(results);
        match source.next_block() {
            Ok(Some(block)) => Some(block),
            Ok(None) => {
                self.end(Some(source.sequence()), None);
                None
            }
            Err(error) => {
                self.end(Some(source.sequence()), Some(unreadable(&error)));
                None
            }
        }
    }

    fn open(&self) -> Result<Source> {
        let source =
            Source::open(&self.path, &self.plan.format, self.start).map_err(|error| unreadable(&error))?;
        match (source.columns(), &self.plan.format) {
            (Some(columns), Format::Csv { .. }) => {
                let missing = self.plan.names.iter().find(|name| !columns.contains(name));
                missing.map_or(Ok(source), |name| Err(Error::NoColumn { name: name.clone() }))
            }
            _ => Ok(source),
        }
    }

    fn parse(&self, block: &Block) -> Chunk {
        if block.oversized {
            let mut chunk = Chunk::begin(block);
            chunk.read = 1;
            chunk.report(block.line, "it is too long, or has a quote that is never closed");
            return chunk.finish();
        }
        match &self.plan.format {
            Format::Ndjson => json::parse(block, &self.plan),
            Format::Csv { delimiter, quote, .. } => csv::parse(block, &self.plan, *delimiter, *quote),
        }
    }

    /// Tells how many blocks there are. The first to tell is right.
    fn end(&self, blocks: Option<u64>, failed: Option<Error>) {
        let mut results = self.results.lock();
        if results.end.is_none() {
            // After a panic nobody knows which chunks are missing: the next one is the end.
            results.end = Some(blocks.unwrap_or(results.next));
            results.failed = failed;
        }
        self.answer(results);
        self.room.notify_all();
    }

    /// Tells who waits, if there is something to tell.
    fn answer(&self, mut results: parking_lot::MutexGuard<'_, Results>) {
        if results.waiting.is_none() {
            return;
        }
        if let Some(answer) = results.poll() {
            let receiver = results.waiting.take();
            drop(results);
            self.room.notify_all();
            if let Some(receiver) = receiver {
                receiver(answer);
            }
        }
    }
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::Storage {
        problem: StorageProblem::Failed,
        what: "Cannot read the file",
        reason: error.to_string(),
    }
}
