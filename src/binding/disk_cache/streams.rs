//! Values that come and go in pieces.

use std::sync::Arc;

use parking_lot::Mutex;

use super::hot::{MISS, OTHER, hand_over, handle, word};
use super::{answer, handle_of, lifetime};
use crate::binding::call::{Call, EntryPoint, Returned, entry_points};
use crate::binding::handles::Handles;
use crate::engine::cache::disk::DiskCache;
use crate::engine::cache::disk::files::Reader;
use crate::engine::cache::disk::reads::{Value, Wanted};
use crate::engine::cache::disk::streams::ValueWriter;
use crate::engine::cache::disk::writes::blocking;
use crate::engine::cache::record::Kind;
use crate::engine::completion::Reply;
use crate::engine::lmdb::failure::storage;
use crate::error::{Error, Result, StorageProblem};

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "diskOpenWriter" => open_writer,
    "diskWrite" => write,
    "diskEndWriter" => end_writer,
    "diskAbortWriter" => abort_writer,
    "diskOpenReader" => open_reader,
    "diskRead" => read,
    "diskCloseReader" => close_reader,
};

const CLOSED: i32 = -2;

/// Blocks that one piece of a value has: 256 KiB.
const BLOCKS: usize = 4;

/// A value that is being read.
#[derive(Debug)]
struct OpenReader {
    cache: Arc<DiskCache>,
    key: Vec<u8>,
    reader: Reader,
}

/// The streams of one environment.
#[derive(Debug, Default)]
pub struct Streams {
    writers: Handles<Arc<Mutex<Option<ValueWriter>>>>,
    readers: Handles<Arc<Mutex<OpenReader>>>,
}

impl Streams {
    /// Abandons what is still written.
    pub fn tear_down(&self) {
        drop(self.writers.take_all());
        drop(self.readers.take_all());
    }
}

fn over() -> Error {
    Error::Closed { engine: "stream" }
}

/// `diskOpenWriter(handle, key)`: the number of a writer.
fn open_writer(call: &Call<'_, 2>) -> Returned {
    let handle = handle_of(call, 0)?;
    let writer = call.with_text(1, |key| ValueWriter::new(handle.cache.clone(), key))?;
    let writers = &call.environment.disk_caches.streams.writers;
    let number = writers.add(|_| Arc::new(Mutex::new(Some(writer))));
    call.number(f64::from(number))
}

/// `diskWrite(writer, bytes, operation)`: false once the value is larger than the cache.
fn write(call: &Call<'_, 3>) -> Returned {
    let writer = call.environment.disk_caches.streams.writers.get(call.u32(0)?);
    let writer = Arc::clone(&*writer.ok_or_else(over)?);
    let bytes = call.buffer(1)?.to_vec();
    let done = answer(call.environment, call.u32(2)?, Reply::Flag);
    blocking(done, move |done: _| {
        let mut writer = writer.lock();
        done(match writer.as_mut() {
            Some(writer) => writer.write(&bytes),
            None => Err(over()),
        });
    });
    call.undefined()
}

/// `diskEndWriter(writer, ttlMs, operation)`: whether the value was stored.
fn end_writer(call: &Call<'_, 3>) -> Returned {
    let writer = call.environment.disk_caches.streams.writers.remove(call.u32(0)?);
    let writer = Arc::clone(&*writer.ok_or_else(over)?);
    let lifetime = lifetime(call.f64(1)?);
    let done = answer(call.environment, call.u32(2)?, Reply::Flag);
    blocking(done, move |done| {
        let writer = writer.lock().take();
        match writer {
            Some(writer) => writer.finish(Kind::BUFFER, lifetime, done),
            None => done(Err(over())),
        }
    });
    call.undefined()
}

/// `diskAbortWriter(writer)`: nothing of the value stays.
fn abort_writer(call: &Call<'_, 1>) -> Returned {
    let writer = call.environment.disk_caches.streams.writers.remove(call.u32(0)?);
    if let Some(writer) = writer {
        let writer = Arc::clone(&*writer);
        // A piece may just be written, and the file is removed afterwards.
        blocking(|_: Result<()>| (), move |_| drop(writer.lock().take()));
    }
    call.undefined()
}

/// `diskOpenReader(handle, key)`: a value as reads hand it over, if it is small; for a file
/// `OTHER`, with the kind in the header, and the number of a reader and the length of the
/// value in the scratch memory.
fn open_reader(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let (value, key) = call.with_text(1, |key| (handle.cache.value(key, Wanted::Fresh), key.to_vec()))?;
    let (head, reader) = match value? {
        None => return call.int(MISS),
        Some(Value::Whole(found)) => return hand_over(call, found.head.kind, &found.payload),
        Some(Value::File(found, reader)) => (found.head, reader),
    };
    let length = reader.left();
    let cache = handle.cache.clone();
    let readers = &call.environment.disk_caches.streams.readers;
    let number = readers.add(|_| Arc::new(Mutex::new(OpenReader { cache, key, reader })));
    let header = call.environment.header.get();
    header.set_word(word::KIND, i32::from(head.kind.0));
    let scratch = call.environment.scratch.get();
    scratch.write(0, &f64::from(number).to_ne_bytes());
    scratch.write(8, &(length as f64).to_ne_bytes());
    call.int(OTHER)
}

/// `diskRead(reader, operation)`: the next piece, empty at the end.
fn read(call: &Call<'_, 2>) -> Returned {
    let reader = call.environment.disk_caches.streams.readers.get(call.u32(0)?);
    let reader = Arc::clone(&*reader.ok_or_else(over)?);
    let done = answer(call.environment, call.u32(1)?, Reply::Bytes);
    blocking(done, move |done| {
        let mut open = reader.lock();
        let mut piece = Vec::new();
        let read = open.reader.read(BLOCKS, &mut piece);
        done(read.map(|()| piece).map_err(|error| {
            open.cache.drop_damaged_key(&open.key);
            storage(StorageProblem::Damaged, "Cannot read a stored value", error)
        }));
    });
    call.undefined()
}

/// `diskCloseReader(reader)`
fn close_reader(call: &Call<'_, 1>) -> Returned {
    drop(call.environment.disk_caches.streams.readers.remove(call.u32(0)?));
    call.undefined()
}
