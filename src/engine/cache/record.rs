//! An entry as it is stored: one allocation with key, encoded value and bookkeeping.
//!
//! A record is immutable but for its expiry, and shared by reference counting: readers hold
//! it without a lock while writers replace it in the map.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use triomphe::ThinArc;

use super::compression::Algorithm;
use super::compression::dictionary::Dictionary;
use crate::engine::clock;

/// Payloads from this size on get an allocation of their own, which spares one copy.
const BLOB_BYTES: usize = 64 * 1024;

/// [`Record::mark`] of a record that the policy does not know yet.
pub const UNMARKED: u32 = u32::MAX;

/// [`Record::wheel_node`] of a record that no timer wheel holds.
pub const NO_NODE: u32 = u32::MAX;

/// An idle time is checked with this fraction of slack, so that near hits need no write.
const IDLE_SLACK: u64 = 16;

/// The form of an encoded value. The numbers are shared with the JavaScript codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Kind(pub u8);

impl Kind {
    /// A number: eight bytes, little endian.
    pub const NUMBER: Kind = Kind(4);
    /// A string whose characters are all below U+0100, one byte each.
    pub const LATIN1: Kind = Kind(5);
    /// A string in UTF-8.
    pub const UTF8: Kind = Kind(6);
    /// A string in UTF-16, little endian; used for lone surrogates.
    pub const UTF16: Kind = Kind(7);
    /// The bytes of a Buffer.
    pub const BUFFER: Kind = Kind(8);
    /// The bytes of a Uint8Array.
    pub const BYTES: Kind = Kind(9);
    /// Plain data, its shapes in the dictionary of the cache that holds it.
    pub const RECORD: Kind = Kind(10);
    /// Plain data that brings its shapes along, so that every cache can read it.
    pub const PORTABLE: Kind = Kind(13);
}

/// A key and its hash.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The hash, seeded anew in every process.
    pub hash: u64,
    /// The key in WTF-8: UTF-8 that may hold lone surrogates.
    pub bytes: &'a [u8],
}

impl<'a> Key<'a> {
    /// Hashes a key. About 5 ns for a short one.
    pub fn new(bytes: &'a [u8]) -> Self {
        use std::sync::LazyLock;
        // Random per process: keys come from requests, and nobody shall aim at a bucket.
        // Tests hash alike each time, for what they measure depends on it a little.
        static SEED: LazyLock<ahash::RandomState> = LazyLock::new(|| match cfg!(test) {
            // Digits of pi: small seeds hash badly.
            true => ahash::RandomState::with_seeds(
                0x243f_6a88_85a3_08d3,
                0x1319_8a2e_0370_7344,
                0xa409_3822_299f_31d0,
                0x082e_fa98_ec4e_6c89,
            ),
            false => ahash::RandomState::new(),
        });
        Self {
            hash: SEED.hash_one(bytes),
            bytes,
        }
    }
}

/// How an encoded value is given to [`Record::new`].
#[derive(Debug)]
pub struct Value<'a> {
    /// Its form.
    pub kind: Kind,
    /// Its bytes.
    pub payload: &'a [u8],
    /// How the bytes are packed, if they are.
    pub packed: Option<Packed>,
}

/// How a payload is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// With what.
    pub algorithm: Algorithm,
    /// The dictionary that it takes to unpack it.
    pub dictionary: Option<Dictionary>,
    /// Its length once unpacked, in bytes.
    pub original_len: u32,
}

/// When a new record expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// Milliseconds from now; `None` for ever.
    pub ttl_ms: Option<u64>,
    /// Milliseconds without a read; `None` for ever.
    pub idle_ms: Option<u64>,
}

impl Lifetime {
    /// True when nothing limits the entry's life.
    pub fn is_unlimited(&self) -> bool {
        self.ttl_ms.is_none() && self.idle_ms.is_none()
    }
}

#[derive(Debug)]
struct Header {
    /// Absolute deadline of the exact clock in ms, 0 for none. The earlier of both limits
    /// is never computed here: idle time stands in `extra`.
    deadline: AtomicU64,
    extra: Option<Box<Extra>>,
    key_len: u32,
    mark: AtomicU32,
    wheel_node: AtomicU32,
    kind: Kind,
    algorithm: Option<Algorithm>,
    dictionary: Option<Dictionary>,
}

/// Bytes between key and payload of a packed record: the length of the original.
const PACKED_PREFIX: usize = size_of::<u32>();

/// What few entries need.
#[derive(Debug)]
struct Extra {
    tags: Box<[Arc<str>]>,
    idle: Option<Idle>,
    blob: Option<Box<[u8]>>,
}

#[derive(Debug)]
struct Idle {
    limit_ms: AtomicU64,
    last_used: AtomicU64,
}

/// A shared, immutable entry.
#[derive(Debug, Clone)]
pub struct Record(ThinArc<Header, u8>);

impl Record {
    /// Copies key and value into a new record whose life begins now.
    pub fn new(key: &[u8], value: Value<'_>, tags: Box<[Arc<str>]>, lifetime: Lifetime) -> Self {
        let now = if lifetime.is_unlimited() {
            0
        } else {
            clock::now_ms()
        };
        let blob = (value.payload.len() >= BLOB_BYTES).then(|| value.payload.into());
        let inline = if blob.is_some() { &[][..] } else { value.payload };
        let idle = lifetime.idle_ms.map(|limit| Idle {
            limit_ms: AtomicU64::new(limit),
            last_used: AtomicU64::new(now),
        });
        let plain = tags.is_empty() && blob.is_none() && idle.is_none();
        let original_len = value
            .packed
            .as_ref()
            .map(|packed| packed.original_len.to_le_bytes());
        let prefix = original_len.as_ref().map_or(&[][..], |bytes| bytes);
        let header = Header {
            deadline: AtomicU64::new(deadline_after(now, lifetime.ttl_ms)),
            extra: (!plain).then(|| Box::new(Extra { tags, idle, blob })),
            key_len: key.len() as u32,
            mark: AtomicU32::new(UNMARKED),
            wheel_node: AtomicU32::new(NO_NODE),
            kind: value.kind,
            algorithm: value.packed.as_ref().map(|packed| packed.algorithm),
            dictionary: value.packed.and_then(|packed| packed.dictionary),
        };
        Self(with_joined([key, prefix, inline], |bytes| {
            ThinArc::from_header_and_slice(header, bytes)
        }))
    }

    fn header(&self) -> &Header {
        &self.0.header.header
    }

    /// The end of the time to live, whatever the idle time says.
    fn ttl_deadline(&self) -> Option<u64> {
        match self.header().deadline.load(Ordering::Relaxed) {
            0 => None,
            deadline => Some(deadline),
        }
    }

    fn idle(&self) -> Option<&Idle> {
        self.header().extra.as_ref()?.idle.as_ref()
    }

    /// Asks the processor for the first bytes of the record, without waiting for them.
    pub fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let start = ptr::from_ref(self.header()).cast::<i8>();
            // SAFETY: a prefetch has no effect that a program could see, whatever it points at.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(start);
                _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(64));
            }
        }
    }

    /// The key, in WTF-8.
    pub fn key(&self) -> &[u8] {
        &self.0.slice[..self.header().key_len as usize]
    }

    /// The encoded value as it is stored, packed or not.
    pub fn payload(&self) -> &[u8] {
        match self
            .header()
            .extra
            .as_ref()
            .and_then(|extra| extra.blob.as_deref())
        {
            Some(blob) => blob,
            None => &self.0.slice[self.header().key_len as usize + self.prefix_len()..],
        }
    }

    /// The form of the value.
    pub fn kind(&self) -> Kind {
        self.header().kind
    }

    /// How the payload is packed, if it is.
    pub fn packed(&self) -> Option<Packed> {
        let algorithm = self.header().algorithm?;
        Some(Packed {
            algorithm,
            dictionary: self.header().dictionary.clone(),
            original_len: self.original_len()?,
        })
    }

    /// The length of a packed payload's original, without what it takes to unpack it.
    pub fn original_len(&self) -> Option<u32> {
        self.header().algorithm?;
        let prefix = &self.0.slice[self.header().key_len as usize..];
        prefix.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn prefix_len(&self) -> usize {
        self.header().algorithm.map_or(0, |_| PACKED_PREFIX)
    }

    /// The tags, without duplicates.
    pub fn tags(&self) -> &[Arc<str>] {
        self.header().extra.as_ref().map_or(&[], |extra| &extra.tags)
    }

    /// What the policy knows this record by. Given by the store.
    pub fn mark(&self) -> u32 {
        self.header().mark.load(Ordering::Relaxed)
    }

    pub(super) fn set_mark(&self, mark: u32) {
        self.header().mark.store(mark, Ordering::Relaxed);
    }

    /// The timer wheel's node of this record. Guarded by the map's lock.
    pub(super) fn wheel_node(&self) -> u32 {
        self.header().wheel_node.load(Ordering::Relaxed)
    }

    pub(super) fn set_wheel_node(&self, node: u32) {
        self.header().wheel_node.store(node, Ordering::Relaxed);
    }

    /// The moment when the record expires if nobody reads it before, in ms of the clock.
    pub fn deadline(&self) -> Option<u64> {
        earlier(self.ttl_deadline(), self.idle().map(Idle::deadline))
    }

    /// The deadline as it was asked for, without what is added so that nothing expires early.
    pub fn nominal_deadline(&self) -> Option<u64> {
        let ttl = self.ttl_deadline().map(|deadline| deadline - 1);
        earlier(ttl, self.idle().map(Idle::nominal_deadline))
    }

    /// True when this is the same record, not an equal one.
    pub fn is(&self, other: &Record) -> bool {
        ptr::eq(self.header(), other.header())
    }

    /// True when the record must not be handed out any more.
    pub fn is_expired(&self, now: u64) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Restarts the idle time. Costs a reading of the exact clock, and nothing for records
    /// without one.
    pub fn mark_used(&self) {
        if let Some(idle) = self.idle() {
            idle.last_used.store(clock::now_ms(), Ordering::Relaxed);
        }
    }

    /// How long a near cache may serve a copy: until the deadline, or for the slack of the
    /// idle time, so that a value that is read often is seen to be read.
    pub fn near_deadline(&self, now: u64) -> Option<u64> {
        earlier(self.ttl_deadline(), self.idle().map(|idle| now + idle.slack()))
    }

    /// Restarts the lifetime in place. False when the record would begin or cease to expire,
    /// or to have an idle time: that takes a new record, as a record's cost never changes.
    pub(super) fn renew(&self, lifetime: Lifetime) -> bool {
        let expires = self.header().deadline.load(Ordering::Relaxed) != 0;
        if expires != lifetime.ttl_ms.is_some() || self.idle().is_some() != lifetime.idle_ms.is_some() {
            return false;
        }
        let now = clock::now_ms();
        self.header()
            .deadline
            .store(deadline_after(now, lifetime.ttl_ms), Ordering::Relaxed);
        if let (Some(idle), Some(limit)) = (self.idle(), lifetime.idle_ms) {
            idle.limit_ms.store(limit, Ordering::Relaxed);
            idle.last_used.store(now, Ordering::Relaxed);
        }
        true
    }

    /// A copy with another value and the same tags and expiry.
    pub fn with_value(&self, value: Value<'_>) -> Self {
        let idle_ms = self.idle().map(|idle| idle.limit_ms.load(Ordering::Relaxed));
        let lifetime = Lifetime {
            ttl_ms: None,
            idle_ms,
        };
        let copy = Self::new(self.key(), value, self.tags().into(), lifetime);
        let deadline = self.header().deadline.load(Ordering::Relaxed);
        copy.header().deadline.store(deadline, Ordering::Relaxed);
        copy
    }

    /// A copy with another lifetime, counted from now.
    pub fn with_lifetime(&self, lifetime: Lifetime) -> Self {
        let value = Value {
            kind: self.kind(),
            payload: self.payload(),
            packed: self.packed(),
        };
        Self::new(self.key(), value, self.tags().into(), lifetime)
    }

    /// The number stored, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        if self.kind() != Kind::NUMBER {
            return None;
        }
        Some(f64::from_le_bytes(self.payload().try_into().ok()?))
    }

    /// Bytes of memory that the record holds, as the allocator rounds them.
    pub fn memory(&self) -> u64 {
        let inline = size_of::<Header>() + 2 * size_of::<usize>() + self.0.slice.len();
        let extra = self.header().extra.as_ref().map_or(0, |extra| {
            let blob = extra.blob.as_ref().map_or(0, |blob| allocated(blob.len()));
            let tags = allocated(extra.tags.len() * size_of::<Arc<str>>());
            allocated(size_of::<Extra>()) + blob + tags
        });
        (allocated(inline) + extra) as u64
    }
}

impl Idle {
    fn slack(&self) -> u64 {
        self.limit_ms.load(Ordering::Relaxed) / IDLE_SLACK
    }

    fn nominal_deadline(&self) -> u64 {
        let limit = self.limit_ms.load(Ordering::Relaxed);
        self.last_used.load(Ordering::Relaxed).saturating_add(limit)
    }

    fn deadline(&self) -> u64 {
        self.nominal_deadline().saturating_add(self.slack() + 1)
    }
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// The absolute deadline of a time to live, 0 for none.
fn deadline_after(now: u64, ttl_ms: Option<u64>) -> u64 {
    // One more, because the clock has dropped the fraction of the current millisecond, and
    // nothing shall expire early.
    ttl_ms.map_or(0, |ttl| now.saturating_add(ttl).saturating_add(1))
}

/// Allocations from here on are counted by the pages that they touch: the rest of their size
/// class is address space only.
const PAGED_BYTES: usize = 32 * 1024;
const PAGE_BYTES: usize = 4096;

/// The memory that an allocation of `bytes` takes: mimalloc has size classes of two words up
/// to 64 bytes, and four to each power of two from there on.
pub fn allocated(bytes: usize) -> usize {
    const WORD: usize = size_of::<u64>();
    match bytes {
        0 => 0,
        1..=WORD => WORD,
        9..=64 => bytes.next_multiple_of(2 * WORD),
        65..PAGED_BYTES => {
            let words = bytes.div_ceil(WORD);
            words.next_multiple_of(1 << ((words - 1).ilog2() - 2)) * WORD
        }
        _ => bytes.next_multiple_of(PAGE_BYTES),
    }
}

/// Lends `use_bytes` the slices one behind the other, from the stack if they are short.
fn with_joined<T>(parts: [&[u8]; 3], use_bytes: impl FnOnce(&[u8]) -> T) -> T {
    const STACK: usize = 512;
    let length = parts.iter().map(|part| part.len()).sum();
    if length <= STACK {
        let mut joined = [0u8; STACK];
        let mut end = 0;
        for part in parts {
            joined[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        use_bytes(&joined[..length])
    } else {
        use_bytes(&parts.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_allocator() {
        let classes = [
            (0, 0),
            (1, 8),
            (9, 16),
            (48, 48),
            (65, 80),
            (112, 112),
            (129, 160),
            (1_024, 1_024),
            (1_025, 1_280),
            (3_000, 3_072),
            (100_000, 102_400),
        ];
        for (bytes, taken) in classes {
            assert_eq!(allocated(bytes), taken, "{bytes} bytes");
        }
        for bytes in 1..PAGED_BYTES {
            let taken = allocated(bytes);
            assert!(
                taken >= bytes && taken <= bytes * 5 / 4 + 16,
                "{bytes} bytes take {taken}"
            );
            assert!(taken >= allocated(bytes - 1));
        }
    }
}
