//! Reading: from the nearest level that has a fresh value, and promotion on the way back.

use std::sync::Arc;
use std::time::Instant;

use super::agent::{Ask, Given};
use super::level::Level;
use super::metrics::count;
use super::news::{Event, Reason};
use super::{Stack, Tiered};
use crate::engine::cache::guards::Guard;
use crate::engine::cache::memory::{Entry as NewEntry, MemoryCache};
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::{Entry, memory, unix_ms};
use crate::engine::completion::Reply;

/// Guards of one key, in the cache and in all memory caches in front.
#[derive(Debug)]
pub struct Watch {
    /// The cache's own.
    pub own: Guard,
    fronts: Vec<(Arc<MemoryCache>, Guard)>,
}

impl Watch {
    /// True when the key is watched in this memory cache.
    pub fn covers(&self, front: &Arc<MemoryCache>) -> bool {
        self.fronts.iter().any(|(known, _)| Arc::ptr_eq(known, front))
    }
}

/// A value and where it was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The level, 1 for the first.
    pub level: u8,
    /// The value.
    pub entry: Entry,
}

/// What reading through the levels came to.
#[derive(Debug, Default)]
pub struct Search {
    /// A fresh value.
    pub hit: Option<Hit>,
    /// The best of the stale ones that were met.
    pub stale: Option<Entry>,
    /// True when a level could not be asked.
    pub failed: bool,
}

impl Search {
    /// True if no level has an entry of any kind.
    pub fn is_missing(&self) -> bool {
        self.hit.is_none() && self.stale.is_none() && !self.failed
    }
}

enum Verdict {
    Fresh(Entry),
    Stale(Entry),
    Worthless,
    /// It is there, and could not be read.
    Failed,
}

/// Marks of an answer beside its level; shared with JavaScript.
pub mod mark {
    /// The value is stale.
    pub const STALE: u8 = 1;
    /// The value should be loaded anew soon.
    pub const DUE: u8 = 2;
    /// A loader has just made the value.
    pub const LOADED: u8 = 4;
}

/// What is worth reading besides the value itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// How long after its expiry a value may be served when a level fails, in milliseconds.
    pub grace_ms: u64,
    /// True when nobody looks at the value: it is not sent, and nothing is counted.
    pub quiet: bool,
}

/// An answer with a value.
pub fn found(level: u8, marks: u8, entry: &Entry, quiet: bool) -> Reply {
    Reply::Found {
        level,
        marks,
        kind: entry.kind,
        payload: match quiet {
            true => bytes::Bytes::new(),
            false => entry.payload.clone(),
        },
    }
}

/// True when a stale value may still be served.
pub fn is_within(entry: &Entry, grace_ms: u64, now: u64) -> bool {
    let late = entry.expires.map_or(0, |expires| now.saturating_sub(expires));
    grace_ms > 0 && late <= grace_ms
}

/// The better of two stale values: the one that was fresh for longer.
fn better(one: Option<Entry>, other: Entry) -> Option<Entry> {
    match one {
        Some(one) if one.expires >= other.expires => Some(one),
        _ => Some(other),
    }
}

impl Tiered {
    /// Watches a key from now on.
    pub fn watch(&self, key: &Arc<[u8]>) -> Watch {
        let fronts = self.fronts().into_iter();
        Watch {
            own: self.guards.watch(key.clone()),
            fronts: fronts
                .map(|front| {
                    let guard = front.guards.watch(key.clone());
                    (front, guard)
                })
                .collect(),
        }
    }

    /// Reads a key through the levels.
    pub async fn search(&self, stack: &Stack, watch: &Watch, early_ms: u64) -> Search {
        let key = watch.own.key();
        let mut search = Search::default();
        if let Some(entry) = self.reserve.get(key) {
            if entry.is_fresh(unix_ms()) {
                search.hit = Some(Hit { level: 1, entry });
                return search;
            }
            search.stale = Some(entry);
        }
        let began = Instant::now();
        for (index, level) in stack.levels.iter().enumerate() {
            let verdict = match level.read(key).await {
                Ok(Some(entry)) => self.judge(stack, level, key, entry).await,
                Ok(None) => Verdict::Worthless,
                Err(_) => Verdict::Failed,
            };
            match verdict {
                Verdict::Fresh(entry) => {
                    let metrics = self.metrics();
                    metrics.took(level.number, began.elapsed().as_secs_f64() * 1e3);
                    self.promote(stack, index, watch, &entry, early_ms);
                    let level = level.number;
                    search.hit = Some(Hit { level, entry });
                    return search;
                }
                Verdict::Stale(entry) => search.stale = better(search.stale, entry),
                Verdict::Worthless => {}
                Verdict::Failed => search.failed = true,
            }
        }
        search
    }

    /// What an entry of a level is worth.
    async fn judge(&self, stack: &Stack, level: &Level, key: &Arc<[u8]>, entry: Entry) -> Verdict {
        let now = unix_ms();
        if !entry.is_kept(now) {
            return Verdict::Worthless;
        }
        let Some(mut entry) = self.translated(stack, level, key, entry).await else {
            return Verdict::Failed;
        };
        if !entry.is_fresh(now) {
            return Verdict::Stale(entry);
        }
        if entry.tags.is_empty() || level.forgets_tags_at_once() {
            return Verdict::Fresh(entry);
        }
        let levels = self.context.levels();
        if self.context.generations.hold(&entry.tags, &levels).await {
            return Verdict::Fresh(entry);
        }
        entry.expires = Some(now);
        Verdict::Stale(entry)
    }

    /// The entry, in words that every cache knows.
    async fn translated(&self, stack: &Stack, level: &Level, key: &Arc<[u8]>, entry: Entry) -> Option<Entry> {
        if entry.kind != Kind::RECORD {
            return Some(entry);
        }
        let ask = Ask::Translate(entry.kind, entry.payload.clone());
        match stack.agent.ask(level.number, ask, self.config.tier_timeout).await {
            Ok(Given::Entry(Entry { kind, payload, .. })) => Some(Entry {
                kind,
                payload,
                ..entry
            }),
            Ok(_) => None,
            Err(error) => {
                level.tell_failure("get", Some(key), &error);
                None
            }
        }
    }

    /// A fresh value of one level, read again. For those who wait for somebody else to write it.
    pub async fn look_again(&self, stack: &Stack, level: &Level, key: &Arc<[u8]>) -> Option<Entry> {
        let entry = level.read(key).await.ok()??;
        match self.judge(stack, level, key, entry).await {
            Verdict::Fresh(entry) => Some(entry),
            _ => None,
        }
    }

    /// Puts a value into the levels before the one that had it.
    pub fn promote(&self, stack: &Stack, from: usize, watch: &Watch, entry: &Entry, early_ms: u64) {
        let (now, key) = (unix_ms(), watch.own.key());
        let mut promoted = false;
        for level in &stack.levels[..from] {
            if level
                .outbox
                .offer(&watch.own, entry.clone().capped(now, level.cap_ms))
            {
                level.send(key.clone());
                promoted = true;
            }
        }
        if let Some(front) = &stack.front {
            let capped = entry.clone().capped(now, stack.front_cap_ms);
            promoted |= self.put_in_front(front, watch, &capped, early_ms, now);
            self.keep(watch, entry, early_ms);
        }
        if promoted {
            count(&self.metrics().promotions);
            let key = key.clone();
            let from = stack.levels[from].number;
            self.context.news.tell(&Event::Promotion { key, from });
        }
    }

    /// Keeps a copy of what memory will drop before it is worthless.
    fn keep(&self, watch: &Watch, entry: &Entry, early_ms: u64) {
        let outlives = entry.kept_until != entry.expires || (early_ms > 0 && entry.expires.is_some());
        if outlives && watch.own.holds(entry.tags.iter().map(|tag| &tag.name)) {
            self.reserve.put(watch.own.key(), entry.clone());
        }
    }

    /// Puts a value into a memory cache in front, for as long as it is fresh less `early_ms`.
    pub fn put_in_front(
        &self,
        front: &Arc<MemoryCache>,
        watch: &Watch,
        entry: &Entry,
        early_ms: u64,
        now: u64,
    ) -> bool {
        let Some((_, guard)) = watch.fronts.iter().find(|(known, _)| Arc::ptr_eq(known, front)) else {
            return false;
        };
        let expires = entry.expires.map(|expires| expires.saturating_sub(early_ms));
        let entry = Entry {
            expires,
            ..entry.clone()
        };
        entry.is_fresh(now) && with_tags(&entry, now, |new| front.set_guarded(guard, new))
    }

    /// Reads a key and answers its caller.
    pub async fn get(self: Arc<Self>, stack: Arc<Stack>, key: Arc<[u8]>, reading: Reading) -> Reply {
        let watch = self.watch(&key);
        let search = self.search(&stack, &watch, 0).await;
        self.answer(&key, search, reading)
    }

    fn answer(&self, key: &Arc<[u8]>, search: Search, reading: Reading) -> Reply {
        if let Some(hit) = search.hit {
            if !reading.quiet {
                self.metrics().hit(hit.level, 1);
            }
            return found(hit.level, 0, &hit.entry, reading.quiet);
        }
        if !reading.quiet {
            count(&self.metrics().misses);
        }
        let stale = search.stale.filter(|_| search.failed);
        match stale.filter(|entry| is_within(entry, reading.grace_ms, unix_ms())) {
            Some(entry) => {
                self.tell_stale(key, Reason::Tier);
                found(0, mark::STALE, &entry, reading.quiet)
            }
            None => Reply::None,
        }
    }

    /// Counts and tells that a stale value was served.
    pub fn tell_stale(&self, key: &Arc<[u8]>, reason: Reason) {
        count(&self.metrics().stale);
        let key = key.clone();
        self.context.news.tell(&Event::Stale { key, reason });
    }

    /// Reads keys and answers with their values in order.
    pub async fn get_many(
        self: Arc<Self>,
        stack: Arc<Stack>,
        keys: Vec<Arc<[u8]>>,
        reading: Reading,
    ) -> Reply {
        let watches: Vec<Watch> = keys.iter().map(|key| self.watch(key)).collect();
        let mut searches: Vec<Search> = keys
            .iter()
            .map(|key| {
                let now = unix_ms();
                let (fresh, stale): (Vec<Entry>, Vec<Entry>) = self
                    .reserve
                    .get(key)
                    .into_iter()
                    .partition(|entry| entry.is_fresh(now));
                Search {
                    hit: fresh.into_iter().next().map(|entry| Hit { level: 1, entry }),
                    stale: stale.into_iter().next(),
                    failed: false,
                }
            })
            .collect();
        let began = Instant::now();
        for (index, level) in stack.levels.iter().enumerate() {
            let open: Vec<usize> = (0..keys.len())
                .filter(|&place| searches[place].hit.is_none())
                .collect();
            if open.is_empty() {
                break;
            }
            let wanted: Vec<Arc<[u8]>> = open.iter().map(|&place| keys[place].clone()).collect();
            let Ok(entries) = level.read_many(&wanted).await else {
                open.iter().for_each(|&place| searches[place].failed = true);
                continue;
            };
            for (place, entry) in open.into_iter().zip(entries) {
                let Some(entry) = entry else { continue };
                match self.judge(&stack, level, &keys[place], entry).await {
                    Verdict::Fresh(entry) => {
                        self.metrics()
                            .took(level.number, began.elapsed().as_secs_f64() * 1e3);
                        self.promote(&stack, index, &watches[place], &entry, 0);
                        let level = level.number;
                        searches[place].hit = Some(Hit { level, entry });
                    }
                    Verdict::Stale(entry) => {
                        let stale = searches[place].stale.take();
                        searches[place].stale = better(stale, entry);
                    }
                    Verdict::Worthless => {}
                    Verdict::Failed => searches[place].failed = true,
                }
            }
        }
        let answers = keys.iter().zip(searches);
        Reply::Many(
            answers
                .map(|(key, search)| self.answer(key, search, reading))
                .collect(),
        )
    }
}

/// Lends an entry in the form that memory takes.
pub fn with_tags<T>(entry: &Entry, now: u64, lend: impl FnOnce(NewEntry<'_>) -> T) -> T {
    let tags: Vec<String> = entry.tags.iter().map(|tag| tag.name.to_string()).collect();
    lend(NewEntry {
        kind: entry.kind,
        payload: &entry.payload,
        lifetime: memory::lifetime(entry, now),
        tags: &tags,
    })
}
