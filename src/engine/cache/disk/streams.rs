//! Values that are written and read piece by piece, so that neither side ever holds all of a
//! large one.
//!
//! What is written gathers in memory up to the threshold and goes into a file from there on.
//! Dropped before its end, it leaves nothing.

use std::sync::Arc;

use super::DiskCache;
use super::files::Draft;
use super::record;
use super::stats::Counter;
use super::writes::Lifetime;
use crate::engine::cache::record::Kind;
use crate::engine::lmdb::failure::io;
use crate::error::Result;

/// A value that is being written.
#[derive(Debug)]
pub struct ValueWriter {
    cache: Arc<DiskCache>,
    key: Vec<u8>,
    gathered: Vec<u8>,
    draft: Option<Draft>,
}

impl ValueWriter {
    /// Begins a value. Nothing happens on the disk yet.
    pub fn new(cache: Arc<DiskCache>, key: &[u8]) -> Self {
        Self {
            cache,
            key: key.to_vec(),
            gathered: Vec::new(),
            draft: None,
        }
    }

    /// Appends. False when the value has become larger than the cache: it will not be stored.
    /// May wait for the disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        const WHAT: &str = "Cannot write a file";
        if let Some(draft) = &mut self.draft {
            draft.write(bytes).map_err(|error| io(WHAT, &error))?;
            if draft.length() > self.cache.config.disk_limit {
                self.draft = None;
                self.cache.counters.add(Counter::Refusals, 1);
                return Ok(false);
            }
            return Ok(true);
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() as u64 > self.cache.config.stream_threshold {
            let hash = record::hash_of(&self.key);
            let mut draft = self.cache.files.create(hash).map_err(|error| io(WHAT, &error))?;
            draft
                .write(&std::mem::take(&mut self.gathered))
                .map_err(|error| io(WHAT, &error))?;
            self.draft = Some(draft);
            // Now that it is known to be large, look at the limit too.
            return self.write(&[]);
        }
        Ok(true)
    }

    /// Ends the value and stores it. Tells whether it was. May wait for the disk.
    pub fn finish(self, kind: Kind, lifetime: Lifetime, done: impl FnOnce(Result<bool>) + Send + 'static) {
        let Self {
            cache,
            key,
            gathered,
            draft,
        } = self;
        match draft.map(Draft::finish) {
            None => cache.set(&key, kind, &gathered, lifetime, done),
            Some(Ok(file)) => cache.set_file(&key, kind, file, lifetime, done),
            Some(Err(error)) => done(Err(io("Cannot write a file", &error))),
        }
    }
}
