//! Writing: into memory at once, and into the other levels in the order of the calls.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::oneshot::Receiver;

use super::level::Level;
use super::metrics::count;
use super::outbox::{Change, Outcome};
use super::search::{Watch, with_tags};
use super::{Stack, Tiered, tags};
use crate::engine::cache::memory::MemoryCache;
use crate::engine::cache::record::{Key, Kind};
use crate::engine::cache::tier::{Entry, Tag, memory, unix_ms};
use crate::engine::completion::Reply;

/// A value to write, as the caller gave it.
#[derive(Debug, Clone)]
pub struct NewValue {
    /// The form of the value.
    pub kind: Kind,
    /// The encoded value.
    pub payload: Bytes,
    /// How long it is fresh; none for as long as each level allows.
    pub ttl_ms: Option<u64>,
    /// How much longer it is kept.
    pub grace_ms: u64,
    /// How long before its end memory gives it up, so that it is loaded anew in time.
    pub early_ms: u64,
    /// What it can be invalidated by.
    pub tags: Arc<[Tag]>,
    /// True while the tags lack their generations.
    pub open_tags: bool,
}

/// What the levels will say to a change.
pub type Outcomes = Vec<Receiver<Outcome>>;

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

impl NewValue {
    /// The entry for a level, and for how long that is to keep it.
    pub fn entry(&self, now: u64, cap_ms: Option<u64>) -> (Entry, Option<u64>) {
        let fresh_ms = earlier(self.ttl_ms, cap_ms);
        let keep_ms = fresh_ms.map(|fresh| fresh.saturating_add(self.grace_ms));
        let entry = Entry {
            kind: self.kind,
            payload: self.payload.clone(),
            expires: fresh_ms.map(|fresh| now.saturating_add(fresh)),
            kept_until: keep_ms.map(|keep| now.saturating_add(keep)),
            tags: self.tags.clone(),
        };
        (entry, keep_ms)
    }
}

/// True when at least one level took the change.
async fn any_taken(outcomes: Outcomes) -> bool {
    let outcomes = join_all(outcomes).await;
    outcomes
        .iter()
        .any(|outcome| matches!(outcome, Ok(Outcome::Taken(_))))
}

impl Tiered {
    /// Puts a value everywhere. With a watch, only if nobody was faster. None if somebody was.
    pub fn store(
        &self,
        stack: &Stack,
        key: &Arc<[u8]>,
        value: &NewValue,
        watch: Option<&Watch>,
        except: Option<&Arc<Level>>,
    ) -> Option<Outcomes> {
        let mut outcomes = Vec::with_capacity(stack.levels.len());
        let mut to_send = Vec::new();
        {
            let _in_order = self.stripe(key).lock();
            match watch {
                None => self.guards.overtake(key),
                Some(watch) if watch.own.holds(value.tags.iter().map(|tag| &tag.name)) => {}
                Some(_) => return None,
            }
            let now = unix_ms();
            self.put_in_fronts(stack, key, value, watch, now);
            for level in &stack.levels {
                if except.is_some_and(|except| Arc::ptr_eq(except, level)) {
                    continue;
                }
                let (entry, keep_ms) = value.entry(now, level.cap_ms);
                let change = Change::Set {
                    entry,
                    keep_ms: Some(keep_ms),
                    open_tags: value.open_tags && !value.tags.is_empty(),
                };
                let (outcome, start) = level.outbox.push(key, change);
                outcomes.push(outcome);
                if start {
                    to_send.push(level.clone());
                }
            }
            if let Some(watch) = watch {
                watch.own.prevail();
            }
        }
        to_send.into_iter().for_each(|level| level.send(key.clone()));
        Some(outcomes)
    }

    fn put_in_fronts(
        &self,
        stack: &Stack,
        key: &Arc<[u8]>,
        value: &NewValue,
        watch: Option<&Watch>,
        now: u64,
    ) {
        let (entry, _) = value.entry(now, stack.front_cap_ms);
        for front in self.fronts() {
            match watch {
                Some(watch) if watch.covers(&front) => {
                    self.put_in_front(&front, watch, &entry, value.early_ms, now);
                }
                // It came after the load had begun: nothing older can be on its way to it.
                Some(_) if value.early_ms > 0 => {}
                _ => {
                    with_tags(&entry, now, |new| front.set(Key::new(key), new));
                }
            }
        }
        if value.grace_ms > 0 || value.early_ms > 0 {
            // As long as the level that keeps it longest.
            let longest = stack
                .levels
                .last()
                .map_or(stack.front_cap_ms, |level| level.cap_ms);
            self.reserve.put(key, value.entry(now, longest).0);
        } else {
            self.reserve.remove(key);
        }
    }

    /// Writes a value. The future tells whether any level took it.
    pub fn set(
        self: &Arc<Self>,
        stack: &Stack,
        key: &Arc<[u8]>,
        value: &NewValue,
    ) -> impl Future<Output = Reply> + use<> {
        count(&self.metrics().writes);
        let in_memory = stack.front.as_ref().is_some_and(|front| !front.is_closed());
        let outcomes = self.store(stack, key, value, None, None).unwrap_or_default();
        async move { Reply::Flag(any_taken(outcomes).await || in_memory) }
    }

    /// Writes values with one lifetime. The future tells of how many some level took.
    pub fn set_many(
        self: &Arc<Self>,
        stack: &Stack,
        values: Vec<(Arc<[u8]>, NewValue)>,
    ) -> impl Future<Output = Reply> + use<> {
        let in_memory = stack.front.as_ref().is_some_and(|front| !front.is_closed());
        let mut outcomes: Vec<Outcomes> = Vec::with_capacity(values.len());
        let mut to_send: Vec<Vec<Arc<[u8]>>> = vec![Vec::new(); stack.levels.len()];
        for (key, value) in &values {
            count(&self.metrics().writes);
            let _in_order = self.stripe(key).lock();
            self.guards.overtake(key);
            let now = unix_ms();
            self.put_in_fronts(stack, key, value, None, now);
            let mut of_key = Vec::with_capacity(stack.levels.len());
            for (level, to_send) in stack.levels.iter().zip(&mut to_send) {
                let (entry, keep_ms) = value.entry(now, level.cap_ms);
                let change = Change::Set {
                    entry,
                    keep_ms: Some(keep_ms),
                    open_tags: !value.tags.is_empty(),
                };
                let (outcome, start) = level.outbox.push(key, change);
                of_key.push(outcome);
                if start {
                    to_send.push(key.clone());
                }
            }
            outcomes.push(of_key);
        }
        for (level, keys) in stack.levels.iter().zip(to_send) {
            if !keys.is_empty() {
                level.send_many(keys);
            }
        }
        async move {
            let mut stored = 0.0;
            for of_key in outcomes {
                if any_taken(of_key).await || in_memory {
                    stored += 1.0;
                }
            }
            Reply::Number(stored)
        }
    }

    /// Deletes keys everywhere. The future tells how many were there, in memory or, of the
    /// others, in a level that knows.
    pub fn delete(
        self: &Arc<Self>,
        stack: &Stack,
        keys: &[Arc<[u8]>],
    ) -> impl Future<Output = Reply> + use<> {
        let mut pending = Vec::with_capacity(keys.len());
        for key in keys {
            let mut existed = false;
            let mut outcomes = Vec::with_capacity(stack.levels.len());
            let mut to_send = Vec::new();
            {
                let _in_order = self.stripe(key).lock();
                self.guards.overtake(key);
                for front in self.fronts() {
                    existed |= front.take(Key::new(key)).is_some();
                }
                self.reserve.remove(key);
                for level in &stack.levels {
                    let (outcome, start) = level.outbox.push(key, Change::Delete);
                    outcomes.push(outcome);
                    if start {
                        to_send.push(level.clone());
                    }
                }
            }
            to_send.into_iter().for_each(|level| level.send(key.clone()));
            pending.push((existed, outcomes));
        }
        async move {
            let mut deleted = 0.0;
            for (existed, outcomes) in pending {
                let outcomes = join_all(outcomes).await;
                let there = outcomes
                    .iter()
                    .any(|outcome| matches!(outcome, Ok(Outcome::Taken(true))));
                if existed || there {
                    deleted += 1.0;
                }
            }
            Reply::Number(deleted)
        }
    }

    /// Empties all levels.
    pub async fn clear(self: Arc<Self>, stack: Arc<Stack>) -> Reply {
        self.guards.overtake_all();
        self.reserve.clear();
        self.fronts().iter().for_each(|front| front.clear());
        let levels = stack.levels.iter().map(|level| level.clear());
        let done = join_all(levels).await;
        // What was read meanwhile from a level that was not empty yet.
        self.guards.overtake_all();
        Reply::Flag(done.into_iter().all(|done| done))
    }

    /// Makes a value stale before its time: reads miss it, and it stays for those who find
    /// nothing better. False when there is none.
    pub async fn expire(self: Arc<Self>, stack: Arc<Stack>, key: Arc<[u8]>) -> Reply {
        let in_front = |front: &Arc<MemoryCache>| {
            let record = front.peek(Key::new(&key))?;
            memory::entry_of(&record).ok()
        };
        let nearest = stack.front.as_ref().and_then(in_front);
        let mut outer: Vec<Option<Entry>> = Vec::with_capacity(stack.levels.len());
        for level in &stack.levels {
            outer.push(level.read(&key).await.ok().flatten());
        }
        let now = unix_ms();
        let mut found = false;
        let mut to_send = Vec::new();
        {
            let _in_order = self.stripe(&key).lock();
            self.guards.overtake(&key);
            for front in self.fronts() {
                found |= front.take(Key::new(&key)).is_some();
            }
            let kept = self.reserve.get(&key);
            let mut best = kept.or(nearest);
            for (level, entry) in stack.levels.iter().zip(outer) {
                let Some(entry) = entry.filter(|entry| entry.is_kept(now)) else {
                    continue;
                };
                found |= entry.is_fresh(now);
                let entry = stale_from(entry, now);
                best = best.or_else(|| Some(entry.clone()).filter(|entry| entry.kind != Kind::RECORD));
                // One in the tier's own words could not be read from an envelope.
                let change = match entry.kind {
                    Kind::RECORD => Change::Delete,
                    _ => Change::Set {
                        entry,
                        keep_ms: None,
                        open_tags: false,
                    },
                };
                if level.outbox.push(&key, change).1 {
                    to_send.push(level.clone());
                }
            }
            if let Some(entry) = best.filter(|entry| entry.is_kept(now)) {
                found |= entry.is_fresh(now);
                self.reserve.put(&key, stale_from(entry, now));
            }
        }
        to_send.into_iter().for_each(|level| level.send(key.clone()));
        Reply::Flag(found)
    }

    /// Makes all values with one of these tags stale, in all levels. Resolves when the levels
    /// know, with how many left memory.
    pub async fn invalidate_tags(self: Arc<Self>, stack: Arc<Stack>, names: Vec<String>) -> Reply {
        let in_memory: u64 = stack
            .front
            .as_ref()
            .map_or(0, |front| front.invalidate_tags(&names));
        self.forget_tags(&names);
        let mut outcomes = Vec::new();
        for name in &names {
            let entry = self.context.generations.renew(name);
            let key = tags::key_of(name);
            for level in stack.levels.iter().filter(|level| !level.forgets_tags_at_once()) {
                let change = Change::Set {
                    entry: entry.clone(),
                    keep_ms: None,
                    open_tags: false,
                };
                let (outcome, start) = level.outbox.push(&key, change);
                outcomes.push(outcome);
                if start {
                    level.send(key.clone());
                }
            }
        }
        for level in stack.levels.iter().filter(|level| level.forgets_tags_at_once()) {
            level.forget_tags(&names).await;
        }
        join_all(outcomes).await;
        // What was read with the old generation meanwhile.
        self.forget_tags(&names);
        Reply::Number(in_memory as f64)
    }

    /// Waits until everything that was changed is where it belongs, or was missed.
    pub async fn flush(self: Arc<Self>, stack: Arc<Stack>) -> Reply {
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(2);
        while stack.levels.iter().any(|level| level.outbox.is_sending()) {
            tokio::time::sleep(PAUSE).await;
        }
        let missed: usize = stack.levels.iter().map(|level| level.outbox.missed()).sum();
        Reply::Number(missed as f64)
    }
}

fn stale_from(entry: Entry, now: u64) -> Entry {
    Entry {
        expires: Some(earlier(entry.expires, Some(now)).unwrap_or(now)),
        ..entry
    }
}
