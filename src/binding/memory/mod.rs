//! Compression and the structures: what JavaScript calls on them.

mod bloom;
mod compression;
mod compression_stream;
mod sparse;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use napi::sys;
use parking_lot::Mutex;

use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::memory::bloom::Bloom;
use crate::engine::memory::compression_stream::Encoder;
use crate::engine::memory::sparse::Sparse;

pub use bloom::ENTRY_POINTS as BLOOM_ENTRY_POINTS;
pub use compression::ENTRY_POINTS as COMPRESSION_ENTRY_POINTS;
pub use compression_stream::ENTRY_POINTS as COMPRESSION_STREAM_ENTRY_POINTS;
pub use sparse::ENTRY_POINTS as SPARSE_ENTRY_POINTS;

/// The tables of all files here.
pub fn entry_points() -> impl Iterator<Item = &'static EntryPoint> {
    let tables = [
        BLOOM_ENTRY_POINTS,
        COMPRESSION_ENTRY_POINTS,
        COMPRESSION_STREAM_ENTRY_POINTS,
        SPARSE_ENTRY_POINTS,
    ];
    tables.into_iter().flatten()
}

/// The structures of one environment. They are its own: no other thread sees them.
#[derive(Debug, Default)]
pub struct Structures {
    blooms: Handles<Held<Bloom>>,
    encoders: Handles<Arc<Mutex<Encoder>>>,
    sparses: Handles<Held<Sparse>>,
}

impl Structures {
    /// Gives everything back.
    pub fn tear_down(&self) {
        drop(self.blooms.take_all());
        drop(self.encoders.take_all());
        drop(self.sparses.take_all());
    }
}

/// A structure, and what V8 was told that it weighs.
#[derive(Debug)]
struct Held<T> {
    structure: RefCell<T>,
    reported: Cell<i64>,
}

impl<T> Held<T> {
    fn new(structure: T) -> Self {
        Self {
            structure: RefCell::new(structure),
            reported: Cell::new(0),
        }
    }

    /// Tells V8 what the structure weighs now, so that its collector sees it.
    fn report(&self, env: sys::napi_env, bytes: usize) {
        /// Smaller changes are not worth the call.
        const STEP: i64 = 64 * 1024;
        let bytes = bytes as i64;
        let change = bytes - self.reported.get();
        if change.abs() >= STEP || (bytes == 0 && change != 0) {
            let mut total = 0;
            // SAFETY: `env` is the calling environment. A failure costs precision only.
            unsafe { sys::napi_adjust_external_memory(env, change, &mut total) };
            self.reported.set(bytes);
        }
    }
}
