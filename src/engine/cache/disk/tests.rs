use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use super::config::Options;
use super::reads::{Found, Value, Wanted};
use super::record::Place;
use super::stats::Counter;
use super::streams::ValueWriter;
use super::writes::Lifetime;
use super::*;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::record::Kind;

mod damage;
mod eviction;
mod model;
mod values;

/// Waits for what an operation tells.
fn told<T: Send + 'static>(begin: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> T {
    let (sender, receiver) = mpsc::channel();
    begin(Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv().unwrap()
}

fn set(cache: &Arc<DiskCache>, key: &[u8], value: &[u8]) -> bool {
    set_for(cache, key, value, Lifetime::Default)
}

fn set_for(cache: &Arc<DiskCache>, key: &[u8], value: &[u8], lifetime: Lifetime) -> bool {
    told(|done| cache.set(key, Kind::BUFFER, value, lifetime, done)).unwrap()
}

fn get(cache: &Arc<DiskCache>, key: &[u8]) -> Option<Vec<u8>> {
    cache.load(key).unwrap().map(|found| found.payload)
}

fn delete(cache: &Arc<DiskCache>, key: &[u8]) -> bool {
    told(|done| cache.delete(key, done)).unwrap()
}

fn close(cache: Arc<DiskCache>) {
    told(|done: Box<dyn FnOnce(()) + Send>| cache.close(move || done(())));
}

fn counted(cache: &DiskCache, counter: Counter) -> u64 {
    cache.stats().unwrap().totals[counter as usize]
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn small() -> Options {
    Options {
        disk_limit: Some(8 << 20),
        stream_threshold: Some(100_000),
        ..Options::default()
    }
}

fn files_in(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("files")).map_or(0, Iterator::count)
}

/// Waits for what a background thread will do.
fn eventually(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::yield_now();
    }
}
