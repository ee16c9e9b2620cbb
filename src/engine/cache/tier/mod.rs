//! The trait that every tier of a multi-level cache fulfils: memory, disk, Redis, and whatever
//! JavaScript object a user has.
//!
//! A tier keeps [`Entry`]s under keys. It is asked for one thing at a time, answers with a
//! future, and knows nothing of the others: [`tiered`](super::tiered) alone knows promotion,
//! single-flight, tags, grace and recovery. Values travel as encoded bytes, and JavaScript
//! decodes them once, at the end.
//!
//! # What a tier has to do
//!
//! - Give back what was set, kind, payload, expiry and tags, until it is deleted, gives it up
//!   for room, or its [`kept_until`](Entry::kept_until) has passed. An entry whose
//!   [`expires`](Entry::expires) has passed is still given back until then: whether it may be
//!   served is not the tier's to decide. (A tier that cannot keep an entry beyond its expiry
//!   may drop it then.)
//! - Answer [`Err`] when it could not do what it was asked for, never with a miss: whoever asks
//!   counts failures, and stops asking for a while.
//! - Payloads of the kind [`Kind::RECORD`] need the dictionary of the tier that gives them.
//!   Entries that come from `tiered` never have it.
//!
//! [`contract`] is the suite that all of them pass.

pub mod disk;
pub mod envelope;
pub mod memory;
pub mod redis;

#[cfg(test)]
pub mod contract;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::glob::Glob;
use super::record::Kind;
use crate::error::Result;

/// What a tier will answer.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Milliseconds since 1970: the clock of entries, because they outlive their process.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// What an entry can be invalidated by, and the generation of it that the entry belongs to.
/// Once the tag has another generation, the entry is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: Arc<str>,
    /// Its generation when the value was made.
    pub generation: u64,
}

/// An encoded value with all that goes with it. Clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The form of the value.
    pub kind: Kind,
    /// The encoded value.
    pub payload: Bytes,
    /// Until when it is fresh, in [`unix_ms`]; none for ever.
    pub expires: Option<u64>,
    /// Until when it is worth keeping, at least until it expires: past its expiry it is stale,
    /// and served when there is nothing better. None for ever.
    pub kept_until: Option<u64>,
    /// What it can be invalidated by.
    pub tags: Arc<[Tag]>,
}

impl Entry {
    /// An entry that lives for ever and has no tags.
    pub fn new(kind: Kind, payload: impl Into<Bytes>) -> Self {
        Self {
            kind,
            payload: payload.into(),
            expires: None,
            kept_until: None,
            tags: Arc::default(),
        }
    }

    /// True while it may be served without reserve.
    pub fn is_fresh(&self, now: u64) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// True while it is worth keeping.
    pub fn is_kept(&self, now: u64) -> bool {
        self.kept_until.is_none_or(|until| now < until)
    }

    /// True when it is nothing but a value and an expiry, as any tier can keep it.
    pub fn is_plain(&self) -> bool {
        self.tags.is_empty() && self.kept_until == self.expires
    }

    /// Milliseconds for which a tier has to keep it, at least 1; none for ever.
    pub fn keep_ms(&self, now: u64) -> Option<u64> {
        self.kept_until.map(|until| until.saturating_sub(now).max(1))
    }

    /// The same with an earlier end: it is fresh, and kept beyond that, for at most so long.
    pub fn capped(mut self, now: u64, most_ms: Option<u64>) -> Self {
        let Some(most) = most_ms else { return self };
        let expires = now.saturating_add(most);
        if self.expires.is_none_or(|own| own > expires) {
            let grace = match (self.kept_until, self.expires) {
                (Some(until), Some(own)) => until - own.min(until),
                _ => 0,
            };
            self.expires = Some(expires);
            self.kept_until = Some(expires.saturating_add(grace));
        }
        self
    }
}

/// A key and an entry.
pub type Pair = (Arc<[u8]>, Entry);

/// A place where entries are kept. See the module for what it promises.
///
/// The plural methods have defaults that ask one by one; a tier that can do better should.
pub trait Tier: Send + Sync + fmt::Debug {
    /// What it is called in errors, events and statistics: `memory`, `disk`, `redis`.
    fn name(&self) -> &'static str;

    /// The entry of a key.
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Entry>>;

    /// The entries of keys, in their order.
    fn get_many<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, Vec<Option<Entry>>> {
        Box::pin(async move {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                entries.push(self.get(key).await?);
            }
            Ok(entries)
        })
    }

    /// Puts an entry under a key, in place of what is there. In a tier with
    /// [`leases`](Tier::leases), a lease on the key is lost with that.
    fn set<'a>(&'a self, key: &'a [u8], entry: &'a Entry) -> Pending<'a, ()>;

    /// The same for an entry whose life begins now. For tiers that take durations, which would
    /// otherwise be told odd ones: an end minus the time it took to get here.
    fn set_for<'a>(&'a self, key: &'a [u8], entry: &'a Entry, keep_ms: Option<u64>) -> Pending<'a, ()> {
        let _ = keep_ms;
        self.set(key, entry)
    }

    /// Puts entries under keys.
    fn set_many<'a>(&'a self, entries: &'a [Pair]) -> Pending<'a, ()> {
        Box::pin(async move {
            for (key, entry) in entries {
                self.set(key, entry).await?;
            }
            Ok(())
        })
    }

    /// Removes keys, and leases on them. Answers whether any was there.
    fn delete<'a>(&'a self, keys: &'a [Arc<[u8]>]) -> Pending<'a, bool>;

    /// Removes everything that is this tier's.
    fn clear(&self) -> Pending<'_, ()>;

    /// The keys that a pattern means, all of them without one. More may be named: whoever asks
    /// looks at them again. A walk over all that the tier has.
    fn keys(&self, glob: Option<Arc<Glob>>) -> Pending<'_, Vec<Arc<[u8]>>>;

    /// Leases, of a tier that several machines share.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }

    /// Asks to be told what others change, as long as the watcher lives. False when the tier
    /// does not hear of it.
    fn watch(&self, watcher: Weak<dyn Watcher>) -> bool {
        drop(watcher);
        false
    }

    /// Removes the entries with these tags, in a tier that
    /// [`forgets_tags_at_once`](Tier::forgets_tags_at_once).
    fn forget_tags<'a>(&'a self, tags: &'a [String]) -> Pending<'a, ()> {
        let _ = tags;
        Box::pin(async { Ok(()) })
    }

    /// True when entries leave with their tags' invalidation, so that nobody has to look at
    /// their generations (which the tier need not keep).
    fn forgets_tags_at_once(&self) -> bool {
        false
    }

    /// True when the tier sees to it itself that every answer comes in time.
    fn keeps_deadlines(&self) -> bool {
        false
    }
}

/// Learns what others changed in a tier that several processes share.
pub trait Watcher: Send + Sync {
    /// Somebody else changed these keys.
    fn changed(&self, keys: &[&[u8]]);

    /// Changes may have been missed: anything may be different now. Also told when the tier
    /// can be reached again.
    fn lost_track(&self);
}

/// The right to load a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it: different for each.
    pub owner: Bytes,
    /// Grows with every lease on the key.
    pub token: u64,
}

/// What asking for a lease came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// It was granted.
    Held(Lease),
    /// Somebody else has it.
    Taken,
    /// There is an entry already, so nothing was granted.
    Present,
}

/// Which keys a lease is wanted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Any.
    Always,
    /// Those without an entry. A tier that cannot tell in the same step takes them for such.
    Absent,
}

/// Rights to load a key, of which only one is out at a time, whoever asks from wherever.
pub trait Leases: Send + Sync {
    /// Takes the lease on a key for so long.
    fn acquire<'a>(&'a self, key: &'a [u8], hold_ms: u64, want: Want) -> Pending<'a, Grant>;

    /// Keeps a lease for longer. False when it was lost.
    fn extend<'a>(&'a self, key: &'a [u8], lease: &'a Lease, hold_ms: u64) -> Pending<'a, bool>;

    /// Puts an entry in place and gives the lease back, both in one step. False, and nothing
    /// done, when the lease was lost: somebody wrote the key, or holds a later lease.
    fn settle<'a>(&'a self, key: &'a [u8], lease: &'a Lease, entry: &'a Entry) -> Pending<'a, bool>;

    /// Gives a lease back.
    fn release<'a>(&'a self, key: &'a [u8], lease: &'a Lease) -> Pending<'a, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_shortens_and_never_extends() {
        let entry = Entry {
            expires: Some(1_000),
            kept_until: Some(1_500),
            ..Entry::new(Kind::LATIN1, "v")
        };
        let capped = entry.clone().capped(0, Some(300));
        assert_eq!((capped.expires, capped.kept_until), (Some(300), Some(800)));
        assert_eq!(entry.clone().capped(900, Some(300)), entry);
        assert_eq!(entry.clone().capped(0, None), entry);
        let eternal = Entry::new(Kind::LATIN1, "v").capped(10, Some(5));
        assert_eq!((eternal.expires, eternal.kept_until), (Some(15), Some(15)));
    }
}
