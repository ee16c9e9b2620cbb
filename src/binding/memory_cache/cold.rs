//! The cold calls: opening, closing, bulk removal, statistics.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Buffer, Env, Unknown, Utf16String};
use napi_derive::napi;

use super::{CacheHandle, budgets};
use crate::binding::environment::Environment;
use crate::binding::{to_napi, values};
use crate::engine::cache::compression::{Algorithm, Compressor};
use crate::engine::cache::glob::Glob;
use crate::engine::cache::memory::MemoryCache;
use crate::engine::cache::memory::config::{EvictionPolicy, Options};
use crate::engine::registry::Handle;
use crate::engine::{clock, memory_limit, text};
use crate::error::Error;

pub(super) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// Options as JavaScript gives them, checked and normalised there.
#[napi(object)]
pub struct OpenOptions {
    /// The shared name, if any.
    pub name: Option<String>,
    /// The class whose names these are: each has its own. Without a `/`.
    pub namespace: String,
    /// The handle of a budget.
    pub budget: Option<u32>,
    /// Most entries.
    pub max_entries: Option<f64>,
    /// Most bytes.
    pub max_bytes: Option<f64>,
    /// Default time to live, infinite for ever.
    pub ttl_ms: Option<f64>,
    /// Default idle time, infinite for ever.
    pub idle_ms: Option<f64>,
    /// `adaptive`, `tinylfu` or `lru`.
    pub eviction_policy: Option<String>,
    /// `off`, `lz4` or `zstd`.
    pub compression: Option<String>,
    /// Whether dictionaries are trained.
    pub compression_dictionary: Option<bool>,
    /// Bytes from which values are compressed.
    pub compression_threshold: Option<f64>,
}

impl From<&OpenOptions> for Options {
    fn from(options: &OpenOptions) -> Self {
        let limit = |ms: f64| ms.is_finite().then(|| ms.ceil() as u64);
        let threshold = options.compression_threshold.unwrap_or(1024.0) as usize;
        let compressor = |name: &str| {
            let algorithm = match name {
                "lz4" => Algorithm::Lz4,
                "zstd" => Algorithm::Zstd,
                _ => return None,
            };
            Some(Compressor {
                algorithm,
                threshold,
                dictionary: options.compression_dictionary.unwrap_or(false),
            })
        };
        Self {
            max_entries: options.max_entries.map(|entries| entries as u64),
            max_bytes: options.max_bytes.map(|bytes| bytes as u64),
            ttl_ms: options.ttl_ms.map(limit),
            idle_ms: options.idle_ms.map(limit),
            eviction_policy: options.eviction_policy.as_deref().and_then(EvictionPolicy::parse),
            compression: options.compression.as_deref().map(compressor),
            budget: None,
            name: options.name.clone(),
        }
    }
}

fn handle(env: &Env, number: u32) -> Result<Rc<CacheHandle>> {
    let environment = Environment::of(env).map_err(uninitialised)?;
    environment
        .memory_caches
        .handles
        .get(number)
        .ok_or_else(|| to_napi(Error::Closed { engine: "cache" }))
}

pub(super) fn uninitialised(error: napi::Error) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", error.reason)
}

fn refused(failure: crate::binding::call::Failure) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", format!("{failure:?}"))
}

/// Opens a handle on a cache and returns its number.
#[napi(catch_unwind)]
pub fn open_memory_cache(env: Env, options: OpenOptions) -> Result<u32> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    let explicit = Options {
        budget: options
            .budget
            .map(|number| budgets::budget(&env, number))
            .transpose()?,
        ..Options::from(&options)
    };
    let key = options
        .name
        .as_ref()
        .map(|name| format!("{}/{name}", options.namespace));
    let handle = match (&key, &options.name) {
        (Some(key), Some(name)) => MemoryCache::registry()
            .open(
                key,
                |cache| cache.config().agree(name, &explicit),
                || MemoryCache::new(&explicit),
            )
            .map_err(to_napi)?,
        _ => Handle::private(MemoryCache::new(&explicit)),
    };
    let cache = handle.engine().clone();
    let number = environment.memory_caches.handles.add(|number| CacheHandle {
        counters: cache.reads.open_handle(),
        subscription: cache.subscriptions().add(environment.queue.clone(), number),
        key,
        cache,
        handle: RefCell::new(Some(handle)),
        writes: Cell::new(0),
        reported: Cell::new(0),
    });
    Ok(number)
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_memory_cache(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.memory_caches.handles.remove(number) {
        handle.report(env.raw(), 0);
        handle.end(Handle::close);
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named cache stays.
#[napi(catch_unwind)]
pub fn collect_memory_cache(env: Env, number: u32) -> Result<()> {
    let environment = Environment::of(&env).map_err(uninitialised)?;
    if let Some(handle) = environment.memory_caches.handles.remove(number) {
        environment.memory_caches.abandon_flights(number);
        handle.report(env.raw(), 0);
        let pin = handle.end(Handle::collect).flatten();
        if let (Some(pin), Some(key)) = (pin, &handle.key) {
            environment.memory_caches.pin(key.clone(), pin);
        }
    }
    Ok(())
}

/// The version counters of a cache as an ArrayBuffer over native memory, or null where such
/// buffers are refused.
#[napi(catch_unwind)]
pub fn version_words<'env>(env: &'env Env, number: u32) -> Result<Unknown<'env>> {
    let cache = handle(env, number)?.cache.clone();
    let words = cache.versions().words();
    external_words(
        env,
        words.as_ptr().cast_mut().cast(),
        size_of_val(words),
        cache.clone(),
    )
}

/// The coarse clock as an ArrayBuffer of one word over native memory, or null.
#[napi(catch_unwind)]
pub fn clock_word(env: &Env) -> Result<Unknown<'_>> {
    let word = ptr::from_ref(&clock::SHARED).cast_mut().cast();
    external_words(env, word, size_of_val(&clock::SHARED), ())
}

/// Words of native memory, all of them atomics, so that sharing them is no data race here;
/// null where such memory is refused.
fn external_words<T: Send + Sync + 'static>(
    env: &Env,
    data: *mut c_void,
    length: usize,
    owner: T,
) -> Result<Unknown<'_>> {
    let memory = values::external_memory(env.raw(), data, length, owner).or_else(|_| values::null(env.raw()));
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), memory.map_err(refused)?) })
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

/// The keys that a pattern means, or all of them.
#[napi(catch_unwind)]
pub fn memory_cache_keys<'env>(
    env: &'env Env,
    number: u32,
    pattern: Option<Utf16String>,
) -> Result<Unknown<'env>> {
    let cache = &handle(env, number)?.cache;
    let glob = pattern.as_ref().map(glob).transpose()?;
    let mut keys = Vec::new();
    cache.for_each_key(glob.as_ref(), &mut |key| keys.push(key.to_vec()));
    let keys: std::result::Result<Vec<_>, _> = keys.iter().map(|key| values::key(env.raw(), key)).collect();
    let array = keys
        .and_then(|keys| values::array(env.raw(), &keys))
        .map_err(refused)?;
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), array) })
}

/// Deletes the keys that a pattern means.
#[napi(catch_unwind)]
pub fn memory_cache_delete_pattern(env: &Env, number: u32, pattern: Utf16String) -> Result<f64> {
    let cache = &handle(env, number)?.cache;
    Ok(cache.delete_pattern(&glob(&pattern)?) as f64)
}

/// Deletes the entries that carry one of these tags.
#[napi(catch_unwind)]
pub fn memory_cache_invalidate_tags(env: &Env, number: u32, tags: Vec<String>) -> Result<f64> {
    Ok(handle(env, number)?.cache.invalidate_tags(&tags) as f64)
}

/// Removes everything.
#[napi(catch_unwind)]
pub fn memory_cache_clear(env: &Env, number: u32) -> Result<()> {
    handle(env, number)?.cache.clear();
    Ok(())
}

/// How many entries are held.
#[napi(catch_unwind)]
pub fn memory_cache_size(env: &Env, number: u32) -> Result<f64> {
    Ok(handle(env, number)?.cache.len() as f64)
}

/// Gives up the coldest entries until so many bytes are freed. Returns what was freed.
#[napi(catch_unwind)]
pub fn memory_cache_evict(env: &Env, number: u32, bytes: f64) -> Result<f64> {
    Ok(handle(env, number)?.cache.evict(bytes as u64) as f64)
}

/// Changes the bounds.
#[napi(catch_unwind)]
pub fn memory_cache_resize(
    env: &Env,
    number: u32,
    max_entries: Option<f64>,
    max_bytes: Option<f64>,
) -> Result<()> {
    let cache = &handle(env, number)?.cache;
    cache.resize(
        max_entries.map(|entries| entries as u64),
        max_bytes.map(|bytes| bytes as u64),
    );
    Ok(())
}

/// Changes from how many bytes on values are compressed.
#[napi(catch_unwind)]
pub fn memory_cache_compress_from(env: &Env, number: u32, bytes: f64) -> Result<()> {
    handle(env, number)?.cache.compress_from(bytes as usize);
    Ok(())
}

/// All counters of a cache, and the losses of this handle.
#[napi(object)]
pub struct NativeStats {
    pub entries: f64,
    pub bytes: f64,
    pub max_entries: f64,
    pub max_bytes: f64,
    pub hits: f64,
    pub misses: f64,
    pub near_hits: f64,
    pub sets: f64,
    pub deletes: f64,
    pub evictions: f64,
    pub expirations: f64,
    pub refusals: f64,
    pub loads: f64,
    pub load_failures: f64,
    pub events_dropped: f64,
    pub packed_entries: f64,
    pub packed_original: f64,
    pub packed_stored: f64,
    pub algorithm: Option<String>,
    pub packed_threshold: f64,
    pub packed_small: f64,
    pub packed_skipped: f64,
    pub dictionary_bytes: Option<f64>,
    pub dictionary_trainings: Option<f64>,
    pub pressed: bool,
    pub shrinks: f64,
    pub recoveries: f64,
    pub full_max_bytes: f64,
}

/// A snapshot of the counters.
#[napi(catch_unwind)]
pub fn memory_cache_stats(env: &Env, number: u32) -> Result<NativeStats> {
    let handle = handle(env, number)?;
    let stats = handle.cache.stats();
    let algorithm = handle
        .cache
        .config()
        .compression
        .as_ref()
        .map(|compressor| match compressor.algorithm {
            Algorithm::Lz4 => "lz4".to_owned(),
            Algorithm::Zstd => "zstd".to_owned(),
        });
    let entries = match stats.max_entries {
        u64::MAX => f64::INFINITY,
        entries => entries as f64,
    };
    Ok(NativeStats {
        entries: stats.entries as f64,
        bytes: stats.bytes as f64,
        max_entries: entries,
        max_bytes: stats.max_bytes as f64,
        hits: stats.reads.hits as f64,
        misses: stats.reads.misses as f64,
        near_hits: stats.reads.near_hits as f64,
        sets: stats.sets as f64,
        deletes: stats.deletes as f64,
        evictions: stats.evictions as f64,
        expirations: stats.expirations as f64,
        refusals: stats.refusals as f64,
        loads: stats.loads as f64,
        load_failures: stats.load_failures as f64,
        events_dropped: handle.subscription.dropped() as f64,
        packed_entries: stats.packed_entries as f64,
        packed_original: stats.packed_original as f64,
        packed_stored: stats.packed_stored as f64,
        algorithm,
        packed_threshold: stats.packing.threshold as f64,
        packed_small: stats.packing.small as f64,
        packed_skipped: stats.packing.skipped as f64,
        dictionary_bytes: stats.packing.dictionary.map(|dictionary| dictionary.bytes as f64),
        dictionary_trainings: stats
            .packing
            .dictionary
            .map(|dictionary| dictionary.trainings as f64),
        pressed: stats.pressure.is_active,
        shrinks: stats.pressure.shrinks as f64,
        recoveries: stats.pressure.recoveries as f64,
        full_max_bytes: stats.pressure.unpressed_bytes as f64,
    })
}

/// Recounts everything; throws at the first disagreement.
#[napi(catch_unwind)]
pub fn memory_cache_validate(env: &Env, number: u32) -> Result<()> {
    handle(env, number)?.cache.validate().map_err(to_napi)
}

/// Chooses the events that a handle hears, as a sum of their bits.
#[napi(catch_unwind)]
pub fn memory_cache_listen(env: &Env, number: u32, mask: u32) -> Result<()> {
    let handle = handle(env, number)?;
    let subscriptions = handle.cache.subscriptions();
    subscriptions.choose(&handle.subscription, mask as u8);
    Ok(())
}

/// Takes the events that have gathered, as a flat array, four places each: event, key, kind
/// and value.
#[napi(catch_unwind)]
pub fn memory_cache_take_events<'env>(env: &'env Env, number: u32) -> Result<Unknown<'env>> {
    let events = handle(env, number)?.subscription.take();
    let raw = env.raw();
    let flatten = || {
        let mut flat = Vec::with_capacity(4 * events.len());
        for event in &events {
            flat.push(values::number(raw, f64::from(event.kind as u8))?);
            match &event.subject {
                Some(record) => {
                    flat.push(values::key(raw, record.key())?);
                    flat.push(values::number(raw, f64::from(record.kind().0))?);
                    flat.push(values::payload(raw, record)?);
                }
                None => flat.extend([values::undefined(raw)?; 3]),
            }
        }
        values::array(raw, &flat)
    };
    let array = flatten().map_err(refused)?;
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(raw, array) })
}

/// The version of a cache's structure dictionary.
#[napi(catch_unwind)]
pub fn dictionary_version(env: &Env, number: u32) -> Result<u32> {
    Ok(handle(env, number)?.cache.dictionary.version())
}

/// The structure dictionary of a cache.
#[napi(catch_unwind)]
pub fn load_dictionary(env: &Env, number: u32) -> Result<Option<Buffer>> {
    Ok(handle(env, number)?
        .cache
        .dictionary
        .load()
        .map(|document| Buffer::from(document.to_vec())))
}

/// Replaces the structure dictionary; false when somebody else was faster.
#[napi(catch_unwind)]
pub fn save_dictionary(env: &Env, number: u32, document: Buffer, expected: u32) -> Result<bool> {
    Ok(handle(env, number)?.cache.dictionary.save(&document, expected))
}

/// The bytes that a share such as `20%` of what this process may use means, or null when the
/// text is no such share.
#[napi(catch_unwind)]
pub fn memory_share(text: String) -> Option<f64> {
    let percent = memory_limit::parse_share(&text)?;
    Some(memory_limit::memory_limit().share(percent).max(1) as f64)
}

/// How many named caches are open in this process.
#[napi(catch_unwind)]
pub fn named_memory_caches() -> u32 {
    MemoryCache::registry().len() as u32
}
