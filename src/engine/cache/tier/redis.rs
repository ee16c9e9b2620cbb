//! A Redis cache as a tier.
//!
//! An entry that is nothing but a value and an expiry stands in Redis as the cache itself would
//! write it; one with tags or grace stands in an [`envelope`], which the cache reads, too.
//!
//! A lease is a key beside the entry's, in the same slot of a cluster, so that it can be checked
//! and the entry be written in one step. Writing or removing an entry takes its lease away
//! first: whoever loads meanwhile loads what is old by then.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use redis::Value as Reply;

use super::{Entry, Grant, Lease, Leases, Pair, Pending, Tier, Want, Watcher, envelope, unix_ms};
use crate::engine::cache::glob::Glob;
use crate::engine::cache::redis::RedisCache;
use crate::engine::cache::redis::request::{Answer, Request};
use crate::engine::cache::redis::scripts::{self, Script};
use crate::engine::cache::redis::tracking::Invalidation;
use crate::engine::cache::redis::wire::{self, Value};
use crate::error::{Error, Result};

/// How long the largest fencing token of a key is remembered after its last lease.
const FENCE_MS: u64 = 24 * 60 * 60 * 1_000;

/// The names that a key goes by.
struct Names {
    entry: Vec<u8>,
    lease: Vec<u8>,
    fence: Vec<u8>,
    /// Whether one script may use all of them.
    together: bool,
}

impl RedisCache {
    fn names_of(&self, key: &[u8]) -> Names {
        let keys = self.keys();
        let entry = keys.name(key);
        match (keys.beside("load", &entry), keys.beside("token", &entry)) {
            (Some(lease), Some(fence)) => Names {
                entry,
                lease,
                fence,
                together: true,
            },
            _ => Names {
                entry,
                lease: keys.reserved("load", key),
                fence: keys.reserved("token", key),
                together: false,
            },
        }
    }

    fn written(&self, entry: &Entry) -> Vec<u8> {
        match entry.is_plain() {
            true => wire::write(self.config().format, entry.kind, &entry.payload, None),
            false => wire::seal(&envelope::write(entry)),
        }
    }

    /// What writes an entry, its lease taken away first; what removes it if nobody wants it.
    fn writing(&self, key: &[u8], entry: &Entry) -> [Request; 2] {
        let (names, now) = (self.names_of(key), unix_ms());
        let write = match entry.is_kept(now) {
            true => Request::Set {
                name: names.entry,
                value: self.written(entry),
                ttl_ms: entry.keep_ms(now),
            },
            false => Request::Delete(vec![names.entry]),
        };
        [Request::Delete(vec![names.lease]), write]
    }

    async fn all_done(&self, requests: Vec<Request>) -> Result<Vec<Answer>> {
        self.requests(requests).await.into_iter().collect()
    }

    async fn ask_script(
        &self,
        script: &'static Script,
        names: Vec<Vec<u8>>,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Reply> {
        let request = Request::Script {
            script,
            names,
            arguments,
        };
        match self.request(request).await? {
            Answer::Raw(reply) => Ok(reply),
            _ => Err(unexpected()),
        }
    }
}

/// An entry as it was read, with the time that Redis says it has.
fn entry_of(answer: Answer) -> Result<Option<Entry>> {
    let Answer::Entry(found) = answer else {
        return Err(unexpected());
    };
    let Some((value, ttl_ms)) = found else {
        return Ok(None);
    };
    match value.envelope {
        Some(sealed) => Ok(Some(sealed)),
        None => Ok(Some(plain(value, ttl_ms))),
    }
}

fn plain(value: Value, ttl_ms: Option<u64>) -> Entry {
    let expires = ttl_ms.map(|ttl_ms| unix_ms().saturating_add(ttl_ms));
    let (kind, payload) = value.into_parts();
    Entry {
        expires,
        kept_until: expires,
        ..Entry::new(kind, payload)
    }
}

fn unexpected() -> Error {
    Error::Server {
        tier: "redis",
        reason: "another request's answer".to_owned(),
    }
}

fn text(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

impl Tier for RedisCache {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Entry>> {
        Box::pin(async move { entry_of(self.request(Request::GetSealed(self.keys().name(key))).await?) })
    }

    fn get_many<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            let asked = keys.iter().map(|key| Request::GetSealed(self.keys().name(key)));
            let answers = self.requests(asked.collect()).await;
            answers.into_iter().map(|answer| entry_of(answer?)).collect()
        })
    }

    fn set<'a>(&'a self, key: &'a [u8], entry: &'a Entry) -> Pending<'a, ()> {
        Box::pin(async move { self.all_done(self.writing(key, entry).into()).await.map(drop) })
    }

    fn set_many<'a>(&'a self, entries: &'a [Pair]) -> Pending<'a, ()> {
        Box::pin(async move {
            let requests = entries.iter().flat_map(|(key, entry)| self.writing(key, entry));
            self.all_done(requests.collect()).await.map(drop)
        })
    }

    fn delete<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, bool> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(false);
            }
            let names = keys.iter().map(|key| self.names_of(key));
            let (leases, entries) = names.map(|names| (names.lease, names.entry)).unzip();
            let answers = self
                .all_done(vec![Request::Delete(leases), Request::Delete(entries)])
                .await?;
            Ok(matches!(answers.last(), Some(Answer::Number(count)) if *count > 0.0))
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move { self.delete_matching(None).await.map(drop) })
    }

    fn keys(&self, glob: Option<Arc<Glob>>) -> Pending<'_, Vec<Arc<[u8]>>> {
        Box::pin(async move {
            let keys = self.keys_matching(glob.as_deref()).await?;
            Ok(keys.into_iter().map(Arc::from).collect())
        })
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn watch(&self, watcher: Weak<dyn Watcher>) -> bool {
        if !self.config().tracking {
            return false;
        }
        self.listeners.add(move |invalidation| {
            let Some(watcher) = watcher.upgrade() else {
                return false;
            };
            match invalidation {
                Invalidation::All => watcher.lost_track(),
                Invalidation::Keys(keys) => watcher.changed(keys),
            }
            true
        });
        true
    }

    fn keeps_deadlines(&self) -> bool {
        true
    }
}

impl Leases for RedisCache {
    fn acquire<'a>(&'a self, key: &'a [u8], hold_ms: u64, want: Want) -> Pending<'a, Grant> {
        Box::pin(async move {
            let names = self.names_of(key);
            let owner = RedisCache::new_owner();
            let arguments = vec![owner.clone(), text(hold_ms.max(1)), text(FENCE_MS.max(hold_ms))];
            let mut keys = vec![names.lease, names.fence];
            if want == Want::Absent {
                // A name that cannot be kept in one place with the others must not be in the script.
                match names.together {
                    true => keys.push(names.entry),
                    false if self.has(key).await? => return Ok(Grant::Present),
                    false => {}
                }
            }
            let token = match self.ask_script(&scripts::LEASE, keys, arguments).await? {
                Reply::Nil => return Ok(Grant::Taken),
                Reply::Int(_) => return Ok(Grant::Present),
                Reply::BulkString(token) => std::str::from_utf8(&token)
                    .ok()
                    .and_then(|token| token.parse().ok()),
                _ => None,
            };
            let owner = Bytes::from(owner);
            token
                .map(|token| Grant::Held(Lease { owner, token }))
                .ok_or_else(unexpected)
        })
    }

    fn extend<'a>(&'a self, key: &'a [u8], lease: &'a Lease, hold_ms: u64) -> Pending<'a, bool> {
        Box::pin(async move {
            let arguments = vec![lease.owner.to_vec(), text(hold_ms.max(1))];
            let reply = self.ask_script(&scripts::EXTEND, vec![self.names_of(key).lease], arguments);
            Ok(reply.await? == Reply::Int(1))
        })
    }

    fn settle<'a>(&'a self, key: &'a [u8], lease: &'a Lease, entry: &'a Entry) -> Pending<'a, bool> {
        Box::pin(async move {
            let (names, now) = (self.names_of(key), unix_ms());
            let owner = lease.owner.to_vec();
            if !names.together || !entry.is_kept(now) {
                // Two steps: a name in braces of its own cannot be kept in one place with others.
                let reply = self
                    .ask_script(&scripts::RELEASE, vec![names.lease], vec![owner])
                    .await?;
                if reply != Reply::Int(1) {
                    return Ok(false);
                }
                let [_, write] = self.writing(key, entry);
                return self.request(write).await.map(|_| true);
            }
            let ttl = entry.keep_ms(now).map_or(Vec::new(), text);
            let arguments = vec![owner, self.written(entry), ttl];
            let reply = self.ask_script(&scripts::SETTLE, vec![names.lease, names.entry], arguments);
            Ok(reply.await? == Reply::Int(1))
        })
    }

    fn release<'a>(&'a self, key: &'a [u8], lease: &'a Lease) -> Pending<'a, ()> {
        Box::pin(async move {
            let names = vec![self.names_of(key).lease];
            self.ask_script(&scripts::RELEASE, names, vec![lease.owner.to_vec()])
                .await
                .map(drop)
        })
    }
}
