//! A tier that is a JavaScript object of the user's.
//!
//! It belongs to the handle that brought it, and is asked on that handle's thread. What it
//! keeps beside a value (tags, grace) stands in an envelope that JavaScript makes; a value
//! without any of that is kept as it is.
//!
//! Few such objects can say when a value expires, and some never let one expire. So the ends of
//! what was written here are remembered for a while, by the hash of the key.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::agent::{Agent, Ask, Given};
use super::keys::WALK;
use crate::engine::cache::glob::Glob;
use crate::engine::cache::record::Key;
use crate::engine::cache::tier::{Entry, Pending, Tier, unix_ms};
use crate::error::{Error, Result};

/// Ends that are remembered: some 5 MB when all are.
const MAX_ENDS: u64 = 100_000;

const NAME: &str = "foreign";

/// See the module.
#[derive(Debug)]
pub struct ForeignTier {
    agent: Arc<Agent>,
    level: u8,
    limit: Duration,
    ends: Cache<u64, u64, ahash::RandomState>,
}

impl ForeignTier {
    /// The object that `agent` knows as the tier of `level`.
    pub fn new(agent: Arc<Agent>, level: u8, limit: Duration) -> Self {
        Self {
            agent,
            level,
            limit,
            ends: Cache::builder()
                .max_capacity(MAX_ENDS)
                .build_with_hasher(ahash::RandomState::new()),
        }
    }

    async fn ask(&self, ask: Ask) -> Result<Given> {
        self.ask_within(self.limit, ask).await
    }

    async fn ask_within(&self, limit: Duration, ask: Ask) -> Result<Given> {
        match self.agent.ask(self.level, ask, limit).await? {
            Given::Failed => Err(Error::Unavailable {
                tier: NAME,
                reason: "it threw an error".to_owned(),
            }),
            given => Ok(given),
        }
    }

    fn with_end(&self, key: &[u8], mut entry: Entry) -> Entry {
        if let Some(end) = self.ends.get(&Key::new(key).hash) {
            let earlier = |own: Option<u64>| Some(own.map_or(end, |own| own.min(end)));
            entry.kept_until = earlier(entry.kept_until);
            entry.expires = earlier(entry.expires);
        }
        entry
    }

    async fn put(&self, key: &[u8], entry: &Entry, ttl_ms: Option<u64>) -> Result<()> {
        let hash = Key::new(key).hash;
        match entry.kept_until {
            Some(end) => self.ends.insert(hash, end),
            None => self.ends.invalidate(&hash),
        }
        let ask = Ask::Set {
            key: key.into(),
            entry: entry.clone(),
            ttl_ms,
        };
        self.ask(ask).await.map(drop)
    }
}

impl Tier for ForeignTier {
    fn name(&self) -> &'static str {
        NAME
    }

    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Entry>> {
        Box::pin(async move {
            let entry = match self.ask(Ask::Get(key.into())).await? {
                Given::Entry(entry) => self.with_end(key, entry),
                _ => return Ok(None),
            };
            Ok(entry.is_kept(unix_ms()).then_some(entry))
        })
    }

    fn get_many<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            let entries = keys.iter().map(|key| self.get(key));
            futures_util::future::try_join_all(entries).await
        })
    }

    fn set<'a>(&'a self, key: &'a [u8], entry: &'a Entry) -> Pending<'a, ()> {
        Box::pin(self.put(key, entry, entry.keep_ms(unix_ms())))
    }

    fn set_for<'a>(&'a self, key: &'a [u8], entry: &'a Entry, keep_ms: Option<u64>) -> Pending<'a, ()> {
        Box::pin(self.put(key, entry, keep_ms))
    }

    fn delete<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, bool> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(false);
            }
            for key in keys {
                self.ends.invalidate(&Key::new(key).hash);
            }
            let given = self.ask(Ask::Delete(keys.to_vec())).await?;
            Ok(matches!(given, Given::Something))
        })
    }

    fn clear(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.ends.invalidate_all();
            self.ask(Ask::Clear).await.map(drop)
        })
    }

    fn keys(&self, _: Option<Arc<Glob>>) -> Pending<'_, Vec<Arc<[u8]>>> {
        Box::pin(async move {
            match self.ask_within(self.limit * WALK, Ask::Keys).await? {
                Given::Keys(keys) => Ok(keys),
                _ => Ok(Vec::new()),
            }
        })
    }

    fn keeps_deadlines(&self) -> bool {
        true
    }
}
