//! Generations of tags: how an invalidation reaches entries that nobody touches.
//!
//! An entry carries the generation that each of its tags had when its value was made. To
//! invalidate a tag is to give it another generation; entries of the old one are recognised when
//! they are met. The generation stands in every outer tier as an ordinary entry, and the
//! outermost that can be asked is believed. A generation is a number that nobody else picks
//! (time and chance), so a plain write is enough, and no clock is ever compared.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::Mutex;

use super::level::Level;
use super::outbox::Known;
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::{Entry, Tag, unix_ms};
use crate::engine::clock;
use crate::error::Result;

/// Begins the keys that generations stand under.
pub const PREFIX: &[u8] = b"@hotpath/tag/";

/// How long a generation is believed of a tier that does not tell of changes, in milliseconds.
const TRUST_MS: u64 = 1_000;

/// How long a generation is kept in its tiers: longer than entries are.
const KEEP_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// Tags that are remembered, before all are forgotten and asked for again.
const MAX_KNOWN: usize = 100_000;

#[derive(Debug, Clone, Copy)]
struct Remembered {
    generation: u64,
    since: u64,
}

/// The generations that are known here.
#[derive(Debug, Default)]
pub struct Generations {
    known: Mutex<HashMap<Arc<str>, Remembered, RandomState>>,
}

/// The key that a tag's generation stands under.
pub fn key_of(tag: &str) -> Arc<[u8]> {
    [PREFIX, tag.as_bytes()].concat().into()
}

/// The tag whose generation stands under a key.
pub fn tag_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.strip_prefix(PREFIX)?).ok()
}

fn generation_of(entry: &Entry) -> u64 {
    let bytes: [u8; 8] = (*entry.payload).try_into().unwrap_or_default();
    match entry.kind {
        Kind::NUMBER => f64::from_le_bytes(bytes) as u64,
        _ => 0,
    }
}

impl Generations {
    /// A new generation of a tag, and the entry to write under its key.
    pub fn renew(&self, tag: &str) -> Entry {
        use std::hash::{BuildHasher, Hasher};
        let chance = std::hash::RandomState::new().build_hasher().finish() % 1_000;
        // A whole number below 2^53 for some centuries: it survives JavaScript and JSON.
        let now = unix_ms();
        let generation = now * 1_000 + chance;
        self.remember(tag, generation);
        let expires = Some(now + KEEP_MS);
        Entry {
            expires,
            kept_until: expires,
            ..Entry::new(Kind::NUMBER, (generation as f64).to_le_bytes().to_vec())
        }
    }

    fn remember(&self, tag: &str, generation: u64) {
        let mut known = self.known.lock();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        let since = clock::now_ms();
        known.insert(tag.into(), Remembered { generation, since });
    }

    /// Somebody else has renewed a tag.
    pub fn forget(&self, tag: &str) {
        self.known.lock().remove(tag);
    }

    /// Anything may have been renewed.
    pub fn forget_all(&self) {
        self.known.lock().clear();
    }

    /// The current generation of a tag.
    ///
    /// # Errors
    /// No tier that could know it can be asked.
    pub async fn current(&self, tag: &str, levels: &[Arc<Level>]) -> Result<u64> {
        let known = self.known.lock().get(tag).copied();
        let outer = || levels.iter().rev().filter(|level| !level.forgets_tags_at_once());
        let told = outer().next().is_none_or(|level| level.is_watched());
        if let Some(known) = known
            && (told || clock::now_ms() - known.since < TRUST_MS)
        {
            return Ok(known.generation);
        }
        let key = key_of(tag);
        let mut failure = None;
        for level in outer() {
            let read = match level.outbox.known(&key) {
                Known::Entry(entry) => Ok(Some(entry)),
                Known::Gone => Ok(None),
                Known::Nothing => level.get(&key).await,
            };
            match read {
                Ok(entry) => {
                    let generation = entry.as_ref().map_or(0, generation_of);
                    self.remember(tag, generation);
                    return Ok(generation);
                }
                Err(error) => failure = Some(error),
            }
        }
        match (known, failure) {
            (Some(known), _) => Ok(known.generation),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(0),
        }
    }

    /// True while all of an entry's tags are of the generation that it carries.
    pub async fn hold(&self, tags: &[Tag], levels: &[Arc<Level>]) -> bool {
        for tag in tags {
            let current = self.current(&tag.name, levels).await;
            if current != Ok(tag.generation) {
                return false;
            }
        }
        true
    }

    /// Tags with their current generations. One that cannot be found out counts as never
    /// renewed: if it was, the entry will not be believed.
    pub async fn stamped(&self, names: impl Iterator<Item = Arc<str>>, levels: &[Arc<Level>]) -> Arc<[Tag]> {
        let mut tags = Vec::new();
        for name in names {
            let generation = self.current(&name, levels).await.unwrap_or(0);
            tags.push(Tag { name, generation });
        }
        tags.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_back_to_their_tags() {
        assert_eq!(tag_of(&key_of("red")), Some("red"));
        assert_eq!(tag_of(b"red"), None);
    }

    #[test]
    fn a_renewed_tag_has_the_generation_of_its_entry() {
        let generations = Generations::default();
        let entry = generations.renew("red");
        let known = generations.known.lock()["red"].generation;
        assert_eq!(generation_of(&entry), known);
        assert!(known > 0 && known < 1 << 53);
    }
}
