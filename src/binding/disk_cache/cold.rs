//! The cold calls: opening, closing, removal of many, statistics.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use napi::bindgen_prelude::{Buffer, Env, Unknown, Utf16String};
use napi_derive::napi;

use super::{DiskHandle, answer};
use crate::binding::environment::Environment;
use crate::binding::{to_napi, values};
use crate::engine::cache::disk::stats::Counter;
use crate::engine::cache::disk::writes::blocking;
use crate::engine::cache::disk::{self, config::Options};
use crate::engine::cache::glob::Glob;
use crate::engine::completion::Reply;
use crate::engine::text;
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// Options as JavaScript gives them, checked and normalised there.
#[napi(object)]
pub struct DiskCacheOptions {
    /// What it is called.
    pub name: Option<String>,
    /// Where it lives.
    pub directory: String,
    /// Most bytes.
    pub disk_limit: Option<f64>,
    /// Default time to live, infinite for ever.
    pub max_age_ms: Option<f64>,
    /// Values above this go into files.
    pub stream_threshold: Option<f64>,
}

fn environment(env: &Env) -> Result<&Environment> {
    Environment::of(env).map_err(|error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason))
}

fn handle(env: &Env, number: u32) -> Result<Rc<DiskHandle>> {
    let handle = environment(env)?.disk_caches.handles.get(number);
    handle.ok_or_else(|| to_napi(Error::Closed { engine: "cache" }))
}

fn glob(pattern: &Utf16String) -> Result<Glob> {
    let mut bytes = Vec::new();
    text::utf16_to_wtf8(pattern, &mut bytes);
    Glob::new(&bytes).map_err(|error| {
        to_napi(Error::Pattern {
            reason: error.to_string(),
        })
    })
}

/// Opens a handle on the cache in a directory and returns its number. Events are announced
/// under `subscription`.
#[napi(catch_unwind)]
pub fn open_disk_cache(env: &Env, options: DiskCacheOptions, subscription: u32) -> Result<u32> {
    let environment = environment(env)?;
    let given = Options {
        name: options.name,
        disk_limit: options.disk_limit.map(|bytes| bytes as u64),
        max_age_ms: options
            .max_age_ms
            .map(|ms| ms.is_finite().then_some(ms.ceil() as u64)),
        stream_threshold: options.stream_threshold.map(|bytes| bytes as u64),
    };
    let cache = disk::open(Path::new(&options.directory), &given).map_err(to_napi)?;
    let subscription = cache.subscriptions.add(environment.queue.clone(), subscription);
    Ok(environment.disk_caches.handles.add(|_| DiskHandle {
        cache,
        subscription,
        ended: Cell::new(false),
    }))
}

/// Closes a handle. The operation is answered when all that it began is committed and, if
/// it was the last, the directory is free.
#[napi(catch_unwind)]
pub fn close_disk_cache(env: &Env, number: u32, operation: u32) -> Result<()> {
    let environment = environment(env)?;
    let done = answer(environment, operation, |()| Reply::None);
    match environment.disk_caches.handles.remove(number) {
        Some(handle) => handle.end(move || done(Ok(()))),
        None => done(Ok(())),
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected.
#[napi(catch_unwind)]
pub fn collect_disk_cache(env: &Env, number: u32) -> Result<()> {
    if let Some(handle) = environment(env)?.disk_caches.handles.remove(number) {
        handle.end(|| ());
    }
    Ok(())
}

/// How many entries there are.
#[napi(catch_unwind)]
pub fn disk_cache_size(env: &Env, number: u32) -> Result<f64> {
    let length = handle(env, number)?.cache.len().map_err(to_napi)?;
    Ok(length as f64)
}

/// Counters and sizes of a cache.
#[napi(object)]
pub struct NativeDiskStats {
    pub entries: f64,
    pub files: f64,
    pub bytes: f64,
    pub disk_limit: f64,
    pub storage_bytes: f64,
    pub hits: f64,
    pub misses: f64,
    pub sets: f64,
    pub deletes: f64,
    pub evictions: f64,
    pub expirations: f64,
    pub refusals: f64,
    pub damaged: f64,
    pub events_dropped: f64,
    pub rebuilt: bool,
}

/// A snapshot of the counters.
#[napi(catch_unwind)]
pub fn disk_cache_stats(env: &Env, number: u32) -> Result<NativeDiskStats> {
    let handle = handle(env, number)?;
    let stats = handle.cache.stats().map_err(to_napi)?;
    let total = |counter: Counter| stats.totals[counter as usize] as f64;
    Ok(NativeDiskStats {
        entries: stats.entries as f64,
        files: stats.files as f64,
        bytes: stats.bytes as f64,
        disk_limit: stats.disk_limit as f64,
        storage_bytes: stats.file_bytes as f64,
        hits: total(Counter::Hits),
        misses: total(Counter::Misses),
        sets: total(Counter::Sets),
        deletes: total(Counter::Deletes),
        evictions: total(Counter::Evictions),
        expirations: total(Counter::Expirations),
        refusals: total(Counter::Refusals),
        damaged: total(Counter::Damaged),
        events_dropped: handle.subscription.dropped() as f64,
        rebuilt: handle.cache.rebuilt(),
    })
}

/// Recounts everything, on another thread; fails at the first disagreement.
#[napi(catch_unwind)]
pub fn disk_cache_validate(env: &Env, number: u32, operation: u32) -> Result<()> {
    let cache = handle(env, number)?.cache.clone();
    let done = answer(environment(env)?, operation, |()| Reply::None);
    blocking(done, move |done| done(cache.validate()));
    Ok(())
}

/// The keys that a pattern means, or all of them, gathered on another thread.
#[napi(catch_unwind)]
pub fn disk_cache_keys(env: &Env, number: u32, pattern: Option<Utf16String>, operation: u32) -> Result<()> {
    let cache = handle(env, number)?.cache.clone();
    let glob = pattern.as_ref().map(glob).transpose()?;
    let done = answer(environment(env)?, operation, Reply::Keys);
    blocking(done, move |done| {
        let mut keys = Vec::new();
        let walked = cache.for_each_key(glob.as_ref(), &mut |_, key| keys.push(key.to_vec()));
        done(walked.map(|()| keys));
    });
    Ok(())
}

/// Deletes the keys that a pattern means.
#[napi(catch_unwind)]
pub fn disk_cache_delete_pattern(env: &Env, number: u32, pattern: Utf16String, operation: u32) -> Result<()> {
    let done = answer(environment(env)?, operation, |deleted| {
        Reply::Number(deleted as f64)
    });
    let deleting = handle(env, number)?;
    deleting.cache.delete_pattern(glob(&pattern)?, done);
    Ok(())
}

/// Removes everything.
#[napi(catch_unwind)]
pub fn disk_cache_clear(env: &Env, number: u32, operation: u32) -> Result<()> {
    let done = answer(environment(env)?, operation, |()| Reply::None);
    handle(env, number)?.cache.clear(done);
    Ok(())
}

/// Removes what is not needed: expired entries and orphaned files; and gives room back to
/// the file system if nobody else has the directory open. Answers with numbers: entries,
/// files, bytes.
#[napi(catch_unwind)]
pub fn disk_cache_compact(env: &Env, number: u32, operation: u32) -> Result<()> {
    let done = answer(environment(env)?, operation, |numbers: [u64; 3]| {
        Reply::Numbers(numbers.map(|number| number as f64).to_vec())
    });
    handle(env, number)?.cache.compact(done);
    Ok(())
}

/// Chooses the events that a handle hears, as a sum of their bits.
#[napi(catch_unwind)]
pub fn disk_cache_listen(env: &Env, number: u32, mask: u32) -> Result<()> {
    let handle = handle(env, number)?;
    handle
        .cache
        .subscriptions
        .choose(&handle.subscription, mask as u8);
    Ok(())
}

/// Takes the events that have gathered, as a flat array, three places each: event, key and
/// bytes.
#[napi(catch_unwind)]
pub fn disk_cache_take_events<'env>(env: &'env Env, number: u32) -> Result<Unknown<'env>> {
    let events = handle(env, number)?.subscription.take();
    let raw = env.raw();
    let flatten = || {
        let mut flat = Vec::with_capacity(3 * events.len());
        for event in &events {
            flat.push(values::number(raw, f64::from(event.kind as u8))?);
            match &event.subject {
                Some(entry) => {
                    flat.push(values::key(raw, &entry.key)?);
                    flat.push(values::number(raw, entry.bytes as f64)?);
                }
                None => flat.extend([values::undefined(raw)?; 2]),
            }
        }
        values::array(raw, &flat)
    };
    let refused = |failure| napi::Error::new("ERR_HOTPATH_NATIVE", format!("{failure:?}"));
    let array = flatten().map_err(refused)?;
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(raw, array) })
}

/// The version of a cache's structure dictionary.
#[napi(catch_unwind)]
pub fn disk_dictionary_version(env: &Env, number: u32) -> Result<u32> {
    handle(env, number)?.cache.dictionary_version().map_err(to_napi)
}

/// The structure dictionary of a cache.
#[napi(catch_unwind)]
pub fn load_disk_dictionary(env: &Env, number: u32) -> Result<Option<Buffer>> {
    let document = handle(env, number)?.cache.load_dictionary().map_err(to_napi)?;
    Ok(document.map(Buffer::from))
}

/// Replaces the structure dictionary; false when somebody else was faster.
#[napi(catch_unwind)]
pub fn save_disk_dictionary(env: &Env, number: u32, document: Buffer, expected: u32) -> Result<bool> {
    let handle = handle(env, number)?;
    handle.cache.save_dictionary(&document, expected).map_err(to_napi)
}
