//! Values that memory does not serve any more, and that may still be better than nothing.
//!
//! Memory drops an entry when it expires. With grace, a copy outlives it here, for the moment
//! when loader or tiers fail. Entries that are to be refreshed early stand here too: memory
//! gives them up before they expire, so that somebody notices that it is time.
//!
//! Bounded by bytes. A copy shares its bytes with whatever else holds the value.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::RandomState;
use moka::Expiry;
use moka::sync::Cache;
use parking_lot::Mutex;

use crate::engine::cache::tier::{Entry, unix_ms};

/// Bytes of keys and values that are kept.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What an entry is guessed to take beside key and value.
const OVERHEAD: usize = 160;

/// Invalidated tags that are remembered, before everything is dropped instead.
const MAX_TAGS: usize = 10_000;

#[derive(Debug, Clone)]
struct Kept {
    entry: Entry,
    /// Counts up: tells what was invalidated after it came.
    moment: u64,
}

#[derive(Debug, Default)]
struct Moments {
    last: u64,
    tags: HashMap<String, u64, RandomState>,
}

struct UntilNobodyWantsIt;

impl Expiry<Arc<[u8]>, Arc<Kept>> for UntilNobodyWantsIt {
    fn expire_after_create(&self, _: &Arc<[u8]>, kept: &Arc<Kept>, _: Instant) -> Option<Duration> {
        kept.entry.keep_ms(unix_ms()).map(Duration::from_millis)
    }

    fn expire_after_update(
        &self,
        _: &Arc<[u8]>,
        kept: &Arc<Kept>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        kept.entry.keep_ms(unix_ms()).map(Duration::from_millis)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Reserve {
    kept: Cache<Arc<[u8]>, Arc<Kept>, RandomState>,
    moments: Mutex<Moments>,
    /// False until the first entry: most caches have no grace.
    used: std::sync::atomic::AtomicBool,
}

impl Default for Reserve {
    fn default() -> Self {
        let weigh = |key: &Arc<[u8]>, kept: &Arc<Kept>| {
            let bytes = key.len() + kept.entry.payload.len() + OVERHEAD;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            kept: Cache::builder()
                .max_capacity(MAX_BYTES)
                .weigher(weigh)
                .expire_after(UntilNobodyWantsIt)
                .build_with_hasher(RandomState::new()),
            moments: Mutex::default(),
            used: std::sync::atomic::AtomicBool::new(false),
        }
    }
}

impl Reserve {
    fn is_used(&self) -> bool {
        self.used.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Keeps a value.
    pub fn put(&self, key: &Arc<[u8]>, entry: Entry) {
        self.used.store(true, std::sync::atomic::Ordering::Relaxed);
        let moment = {
            let mut moments = self.moments.lock();
            moments.last += 1;
            moments.last
        };
        self.kept.insert(key.clone(), Arc::new(Kept { entry, moment }));
    }

    /// The value of a key, fresh or stale. One whose tag was invalidated is stale.
    pub fn get(&self, key: &[u8]) -> Option<Entry> {
        if !self.is_used() {
            return None;
        }
        let kept = self.kept.get(key)?;
        let now = unix_ms();
        let mut entry = kept.entry.clone();
        if entry.is_fresh(now) && !entry.tags.is_empty() {
            let moments = self.moments.lock();
            let void = |name: &str| moments.tags.get(name).is_some_and(|&moment| moment > kept.moment);
            if entry.tags.iter().any(|tag| void(&tag.name)) {
                entry.expires = Some(now);
            }
        }
        entry.is_kept(now).then_some(entry)
    }

    /// The keys of all values.
    pub fn keys(&self) -> Vec<Arc<[u8]>> {
        match self.is_used() {
            true => self.kept.iter().map(|(key, _)| (*key).clone()).collect(),
            false => Vec::new(),
        }
    }

    /// Makes a value stale before its time.
    pub fn expire(&self, key: &Arc<[u8]>) {
        let now = unix_ms();
        if let Some(mut entry) = self.get(key).filter(|entry| entry.is_fresh(now)) {
            entry.expires = Some(now);
            self.put(key, entry);
        }
    }

    /// Makes all values with one of these tags stale.
    pub fn invalidate_tags(&self, tags: &[String]) {
        if !self.is_used() {
            return;
        }
        let mut moments = self.moments.lock();
        if moments.tags.len() + tags.len() > MAX_TAGS {
            moments.tags.clear();
            drop(moments);
            return self.clear();
        }
        moments.last += 1;
        let moment = moments.last;
        moments.tags.extend(tags.iter().map(|tag| (tag.clone(), moment)));
    }

    /// Drops a value.
    pub fn remove(&self, key: &[u8]) {
        if self.is_used() {
            self.kept.invalidate(key);
        }
    }

    /// Drops everything.
    pub fn clear(&self) {
        if self.is_used() {
            self.kept.invalidate_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::record::Kind;
    use crate::engine::cache::tier::Tag;

    fn key() -> Arc<[u8]> {
        b"k".as_slice().into()
    }

    fn entry(fresh_ms: u64) -> Entry {
        let now = unix_ms();
        let tag = Tag {
            name: "red".into(),
            generation: 0,
        };
        Entry {
            expires: Some(now + fresh_ms),
            kept_until: Some(now + 60_000),
            tags: [tag].into(),
            ..Entry::new(Kind::LATIN1, "v")
        }
    }

    fn is_fresh(reserve: &Reserve) -> bool {
        reserve.get(b"k").unwrap().is_fresh(unix_ms())
    }

    #[test]
    fn values_become_stale_and_stay() {
        let reserve = Reserve::default();
        reserve.put(&key(), entry(30_000));
        assert!(is_fresh(&reserve));
        reserve.expire(&key());
        assert!(!is_fresh(&reserve));
        reserve.put(&key(), entry(0));
        assert!(!is_fresh(&reserve));
        reserve.remove(b"k");
        assert_eq!(reserve.get(b"k"), None);
    }

    #[test]
    fn an_invalidated_tag_makes_stale_what_was_there_before() {
        let reserve = Reserve::default();
        reserve.put(&key(), entry(30_000));
        reserve.invalidate_tags(&["blue".to_owned()]);
        assert!(is_fresh(&reserve));
        reserve.invalidate_tags(&["red".to_owned()]);
        assert!(!is_fresh(&reserve));
        reserve.put(&key(), entry(30_000));
        assert!(is_fresh(&reserve));
    }

    #[test]
    fn what_nobody_wants_any_more_is_gone() {
        let reserve = Reserve::default();
        let mut brief = entry(0);
        brief.kept_until = Some(unix_ms() + 1);
        reserve.put(&key(), brief);
        while reserve.get(b"k").is_some() {
            std::thread::yield_now();
        }
    }
}
