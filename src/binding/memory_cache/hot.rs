//! The hot calls: reads and writes of single keys, and reads of many.
//!
//! A read answers with a JavaScript string where the value is one. Otherwise it answers with
//! a status and leaves the value's form, version and place in the shared header, and its
//! bytes in the shared scratch memory, where JavaScript decodes them.

use super::CacheHandle;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::environment::Shared;
use crate::binding::joined::Joined;
use crate::binding::values;
use crate::engine::cache::memory::{Entry, MemoryCache, Number, Written};
use crate::engine::cache::record::{Key, Kind, Record};
use crate::engine::{clock, text};
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "get" => get,
    "peek" => peek,
    "getMany" => get_many,
    "getBytes" => get_bytes,
    "lend" => lend,
    "has" => has,
    "set" => set,
    "delete" => delete,
    "take" => take,
    "touch" => touch,
    "getTtl" => get_ttl,
    "increment" => increment,
    "credit" => credit,
};

/// The key is not there.
pub const MISS: i32 = -1;
/// The handle was closed.
const CLOSED: i32 = -2;
/// The value is not of a form that this call can hand over.
const OTHER: i32 = -3;
/// The value is described by the header.
const HIT: i32 = 0;

/// Words of the header, and of each entry of a batch.
mod word {
    pub const KIND: usize = 0;
    pub const START: usize = 1;
    pub const LENGTH: usize = 2;
    pub const SLOT: usize = 3;
    pub const VERSION: usize = 4;
    pub const HASH_LOW: usize = 5;
    pub const HASH_HIGH: usize = 6;
    /// 1 when a near copy expires, see DEADLINE.
    pub const EXPIRES: usize = 7;
    /// On the shared coarse clock.
    pub const DEADLINE: usize = 8;
    pub const COUNT: usize = 9;
}

/// Entries of the header that a batch may use.
const BATCH: usize = 256;

/// Near copies of records without a nearer deadline are checked again after this time, so
/// that differences on the wrapping shared clock stay unambiguous.
const FARTHEST_MS: u64 = 1 << 30;

fn is_closed(handle: Option<&CacheHandle>) -> bool {
    handle.is_none_or(|handle| handle.cache.is_closed())
}

/// Looks up the handle in argument 0, or answers that it is closed.
macro_rules! handle {
    ($call:ident) => {
        match $call.environment.memory_caches.handles.get($call.u32(0)?) {
            Some(handle) if !is_closed(Some(&handle)) => handle,
            _ => return $call.int(CLOSED),
        }
    };
}

/// `get(handle, key)`
fn get(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    call.with_key(1, |key| {
        // Read before the value: whoever writes in between voids the copy.
        let slot = handle.cache.versions().slot(key.hash);
        let version = handle.cache.versions().current(slot);
        let record = handle.cache.get(key);
        handle.counters.count_read(record.is_some());
        let Some(record) = record else {
            return call.int(MISS);
        };
        describe_near(
            call.environment.header.get(),
            0,
            key.hash,
            (slot, version),
            &record,
        );
        hand_over(call, &record)
    })?
}

/// `peek(handle, key)`
fn peek(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    call.with_key(1, |key| match handle.cache.peek(key) {
        Some(record) => hand_over(call, &record),
        None => call.int(MISS),
    })?
}

/// `take(handle, key)`
fn take(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    call.with_key(1, |key| match handle.cache.take(key) {
        Some(record) => hand_over(call, &record),
        None => call.int(MISS),
    })?
}

/// Writes what a near cache must know into the words from `base` on.
fn describe_near(header: Shared, base: usize, hash: u64, (slot, version): (usize, u32), record: &Record) {
    header.set_word(base + word::SLOT, slot as i32);
    header.set_word(base + word::VERSION, version as i32);
    header.set_word(base + word::HASH_LOW, hash as i32);
    header.set_word(base + word::HASH_HIGH, (hash >> 32) as i32);
    let now = clock::coarse_ms();
    let deadline = record.near_deadline(now);
    header.set_word(base + word::EXPIRES, i32::from(deadline.is_some()));
    if let Some(deadline) = deadline {
        header.set_word(base + word::DEADLINE, deadline.min(now + FARTHEST_MS) as i32);
    }
}

/// Hands a value over: see [`hand_over_bytes`].
pub fn hand_over<const N: usize>(call: &Call<'_, N>, record: &Record) -> Returned {
    with_payload(call, record, |bytes| hand_over_bytes(call, record.kind(), bytes))?
}

/// Hands an encoded value over: a string as such, other bytes through the scratch memory if
/// they fit, else in a Buffer of their own.
pub fn hand_over_bytes<const N: usize>(call: &Call<'_, N>, kind: Kind, bytes: &[u8]) -> Returned {
    let header = call.environment.header.get();
    header.set_word(word::KIND, i32::from(kind.0));
    header.set_word(word::LENGTH, bytes.len() as i32);
    if values::is_string(kind) {
        return values::string(call.env, kind, bytes);
    }
    if call.environment.scratch.get().write(0, bytes) {
        call.int(HIT)
    } else {
        values::buffer(call.env, bytes)
    }
}

fn with_payload<const N: usize, T>(
    call: &Call<'_, N>,
    record: &Record,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<T, Error> {
    if record.original_len().is_none() {
        return Ok(read(record.payload()));
    }
    let mut unpacked = call.environment.memory_caches.unpacked.take();
    let result = MemoryCache::unpack(record, &mut unpacked).map(|_| read(&unpacked));
    // Kept for the next one, unless it has grown out of proportion.
    if unpacked.capacity() <= 1 << 20 {
        call.environment.memory_caches.unpacked.replace(unpacked);
    }
    result
}

/// `getMany(handle, joined, count, describe)`: values of up to `BATCH` keys, as many as fit into
/// the shared memory. Answers how many keys were done; each has its words in the header, those
/// for a near cache only if `describe` is 1.
fn get_many(call: &Call<'_, 4>) -> Returned {
    let handle = handle!(call);
    let done = call.with_joined([1, 2], |keys| read_batch(call, &handle, keys))?;
    call.int(done? as i32)
}

/// Hands over the values of a batch. Returns how many keys were done.
fn read_batch(call: &Call<'_, 4>, handle: &CacheHandle, joined: &Joined) -> Result<usize, Failure> {
    let mut keys = [Key { hash: 0, bytes: &[] }; BATCH];
    let mut count = 0;
    // All keys first, so that the memory of their records is on its way before any is read.
    for (key, bytes) in keys.iter_mut().zip(joined.iter()) {
        *key = Key::new(bytes);
        handle.cache.prefetch(key.hash);
        count += 1;
    }
    let mut start = 0;
    let describe = call.u32(3)? == 1;
    for (done, &key) in keys[..count].iter().enumerate() {
        let base = done * word::COUNT;
        match batch_entry(call, handle, key, (base, start), describe)? {
            Fits::Yes(written) => start += written,
            Fits::Never => {
                // JavaScript fetches it singly, after the others of this batch.
                call.environment.header.get().set_word(base + word::KIND, OTHER);
                return Ok(done + 1);
            }
            Fits::Later => return Ok(done),
        }
    }
    Ok(count)
}

/// Whether a value of a batch fits into the shared memory.
enum Fits {
    /// It takes so many bytes.
    Yes(usize),
    /// In the next batch.
    Later,
    /// Not even alone.
    Never,
}

/// Hands over one value of a batch.
fn batch_entry(
    call: &Call<'_, 4>,
    handle: &CacheHandle,
    key: Key<'_>,
    (base, start): (usize, usize),
    describe: bool,
) -> Result<Fits, Failure> {
    let header = call.environment.header.get();
    let slot = handle.cache.versions().slot(key.hash);
    let version = handle.cache.versions().current(slot);
    let record = handle.cache.get(key);
    let Some(record) = record else {
        handle.counters.count_read(false);
        header.set_word(base + word::KIND, MISS);
        return Ok(Fits::Yes(0));
    };
    let written = with_payload(call, &record, |bytes| {
        header.set_word(base + word::START, start as i32);
        header.set_word(base + word::LENGTH, bytes.len() as i32);
        call.environment
            .scratch
            .get()
            .write(start, bytes)
            .then_some(bytes.len())
    })?;
    match written {
        Some(length) => {
            header.set_word(base + word::KIND, i32::from(record.kind().0));
            if describe {
                describe_near(header, base, key.hash, (slot, version), &record);
            }
            handle.counters.count_read(true);
            Ok(Fits::Yes(length))
        }
        None if start == 0 => Ok(Fits::Never),
        None => Ok(Fits::Later),
    }
}

/// `getBytes(handle, key)`: a Buffer for bytes and strings, `OTHER` for the rest.
fn get_bytes(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    call.with_key(1, |key| {
        let record = handle.cache.get(key);
        handle.counters.count_read(record.is_some());
        let Some(record) = record else {
            return call.int(MISS);
        };
        with_payload(call, &record, |bytes| match record.kind() {
            Kind::BUFFER | Kind::BYTES | Kind::UTF8 => values::buffer(call.env, bytes),
            Kind::LATIN1 if text::is_ascii(bytes) => values::buffer(call.env, bytes),
            Kind::LATIN1 => {
                let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
                values::buffer(call.env, text.as_bytes())
            }
            _ => call.int(OTHER),
        })?
    })?
}

/// `lend(handle, key)`: like `get`, but only bytes come, and many of them come as a Buffer over
/// the record itself, which it keeps alive. Whoever gets it must not write to it: other threads
/// read the same memory.
fn lend(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let record = call.with_key(1, |key| {
        // Read before the value: whoever writes in between voids the copy.
        let slot = handle.cache.versions().slot(key.hash);
        let version = handle.cache.versions().current(slot);
        let record = handle.cache.get(key);
        handle.counters.count_read(record.is_some());
        if let Some(record) = &record {
            let header = call.environment.header.get();
            describe_near(header, 0, key.hash, (slot, version), record);
            header.set_word(word::KIND, i32::from(record.kind().0));
            header.set_word(word::LENGTH, record.payload().len() as i32);
        }
        record
    })?;
    let Some(record) = record else {
        return call.int(MISS);
    };
    if !matches!(record.kind(), Kind::BUFFER | Kind::BYTES) {
        return call.int(OTHER);
    }
    let mut unpacked = Vec::new();
    match MemoryCache::unpack(&record, &mut unpacked)? {
        true => values::owned_buffer(call.env, unpacked),
        false => values::lent_buffer(call.env, record),
    }
}

/// `has(handle, key)`
fn has(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let found = call.with_key(1, |key| handle.cache.peek(key).is_some())?;
    call.int(i32::from(found))
}

/// `set(handle, key, kind, payload, start, end, ttlMs, idleMs, tags)`: 1 when the value was
/// stored, 0 when it was refused.
fn set(call: &Call<'_, 9>) -> Returned {
    let handle = handle!(call);
    let written = with_entry(call, &handle, |key, entry| handle.cache.set(key, entry))?;
    handle.count_write(call.env);
    call.int(i32::from(written == Written::Stored))
}

fn with_entry<T>(
    call: &Call<'_, 9>,
    handle: &CacheHandle,
    write: impl FnOnce(Key<'_>, Entry<'_>) -> T,
) -> Result<T, Failure> {
    let lifetime = super::lifetime(&handle.cache, call.f64(6)?, call.f64(7)?);
    let tags = call.strings(8)?;
    call.with_key(1, |key| {
        values::with_encoded(call, [2, 3, 4, 5], |kind, payload| {
            write(
                key,
                Entry {
                    kind,
                    payload,
                    lifetime,
                    tags: &tags,
                },
            )
        })
    })?
}

/// `delete(handle, key)`
fn delete(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    let found = call.with_key(1, |key| handle.cache.take(key).is_some())?;
    call.int(i32::from(found))
}

/// `touch(handle, key, ttlMs, idleMs)`
fn touch(call: &Call<'_, 5>) -> Returned {
    let handle = handle!(call);
    let lifetime = super::lifetime(&handle.cache, call.f64(2)?, call.f64(3)?);
    let found = call.with_key(1, |key| handle.cache.touch(key, lifetime))?;
    call.int(i32::from(found))
}

/// `getTtl(handle, key)`: remaining milliseconds, infinity, or `MISS`.
fn get_ttl(call: &Call<'_, 2>) -> Returned {
    let handle = handle!(call);
    match call.with_key(1, |key| handle.cache.remaining_ms(key))? {
        None => call.int(MISS),
        Some(None) => call.number(f64::INFINITY),
        Some(Some(ms)) => call.number(ms as f64),
    }
}

/// `increment(handle, key, by, ttlMs, idleMs, tags)`: the sum, through the header, so that no sum
/// can be taken for a status.
fn increment(call: &Call<'_, 6>) -> Returned {
    let handle = handle!(call);
    let (by, tags) = (call.f64(2)?, call.strings(5)?);
    let lifetime = super::lifetime(&handle.cache, call.f64(3)?, call.f64(4)?);
    let sum = call.with_key(1, |key| {
        handle.cache.increment(
            key,
            Number {
                by,
                lifetime,
                tags: &tags,
            },
        )
    })??;
    call.environment.scratch.get().write(0, &sum.to_le_bytes());
    call.int(HIT)
}

/// `credit(handle, count, nearHits)`: uses that a near cache served. The scratch memory
/// holds three words each: the hash's low and high half, and how often.
fn credit(call: &Call<'_, 3>) -> Returned {
    let handle = handle!(call);
    let scratch = call.environment.scratch.get();
    for index in 0..call.u32(1)? as usize {
        let word = |offset| scratch.word(3 * index + offset) as u32;
        let hash = u64::from(word(1)) << 32 | u64::from(word(0));
        handle.cache.credit(hash, word(2));
    }
    handle.counters.count_near_hits(u64::from(call.u32(2)?));
    call.int(HIT)
}
