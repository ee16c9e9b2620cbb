//! Hearing of what other clients change: client-side caching over RESP3.
//!
//! The server is asked to broadcast the keys of our prefix that change (`CLIENT TRACKING ON
//! BCAST PREFIX`), but not those that this very connection changes. In this mode the server
//! keeps no list of what we read, and values that were written here and never read are covered,
//! too. Listeners are told to forget everything each time that tracking begins anew, before
//! any command can go over the new connection: nobody knows what was missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use redis::{Cmd, PushInfo, PushKind, RedisResult, Value as Reply};

use super::connection::Connection;
use super::keys::Keys;

/// What others changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalidation<'a> {
    /// Nobody knows what: everything counts as changed.
    All,
    /// These keys, as callers know them.
    Keys(&'a [&'a [u8]]),
}

type Listener = Arc<dyn Fn(Invalidation<'_>) -> bool + Send + Sync>;

/// Those who want to hear of changes.
#[derive(Default)]
pub struct Listeners {
    list: RwLock<Vec<(u64, Listener)>>,
    next: AtomicU64,
    heard: AtomicU64,
}

impl Listeners {
    /// Adds one. It runs on a thread of the runtime and must not block; it answers whether it
    /// wants to hear more.
    pub fn add(&self, listener: impl Fn(Invalidation<'_>) -> bool + Send + Sync + 'static) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.list.write().push((number, Arc::new(listener)));
        number
    }

    /// Removes the one of this number. It may still be running.
    pub fn remove(&self, number: u64) {
        self.list.write().retain(|(known, _)| *known != number);
    }

    /// Tells all of them.
    pub fn tell(&self, invalidation: Invalidation<'_>) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        // Not under the lock: a listener may remove itself.
        let list = self.list.read().clone();
        for (number, listener) in list {
            if !listener(invalidation) {
                self.remove(number);
            }
        }
    }

    /// How many invalidations have come.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Passes on what a server says, if it is an invalidation.
    pub fn hear(&self, keys: &Keys, push: &PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        match push.data.first() {
            Some(Reply::Array(names)) => {
                let changed = names.iter().filter_map(|reply| match reply {
                    Reply::BulkString(name) => keys.key(name),
                    _ => None,
                });
                let changed: Vec<&[u8]> = changed.collect();
                if !changed.is_empty() {
                    self.tell(Invalidation::Keys(&changed));
                }
            }
            // Nothing in place of the keys: the server was flushed.
            _ => self.tell(Invalidation::All),
        }
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Listeners").finish_non_exhaustive()
    }
}

/// Begins to track on every server that does not track for us yet. True if there was one.
pub async fn arm(connection: &Connection, keys: &Keys) -> RedisResult<bool> {
    let mut armed = false;
    for node in connection.primaries().await? {
        if !is_tracking(connection.ask_node(&node, client("TRACKINGINFO")).await) {
            connection.ask_node(&node, begin(keys)).await?;
            armed = true;
        }
    }
    Ok(armed)
}

fn client(subcommand: &str) -> Cmd {
    let mut command = redis::cmd("CLIENT");
    command.arg(subcommand);
    command
}

fn begin(keys: &Keys) -> Cmd {
    let mut command = client("TRACKING");
    command.arg("ON").arg("BCAST");
    if !keys.prefix().is_empty() {
        command.arg("PREFIX").arg(keys.prefix());
    }
    command.arg("NOLOOP");
    command
}

/// Whether the answer to `CLIENT TRACKINGINFO` says so. Redis knows the command from 6.2 on;
/// an older server answers with an error, and is asked to begin (again), which does no harm to
/// a new connection.
fn is_tracking(answer: RedisResult<Reply>) -> bool {
    let Ok(Reply::Map(fields)) = answer else {
        return false;
    };
    let is = |reply: &Reply, wanted: &str| match reply {
        Reply::BulkString(text) => text == wanted.as_bytes(),
        Reply::SimpleString(text) => text == wanted,
        _ => false,
    };
    fields.iter().any(|(name, value)| match value {
        Reply::Set(flags) | Reply::Array(flags) if is(name, "flags") => {
            flags.iter().any(|flag| is(flag, "on"))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    #[test]
    fn listeners_hear_the_keys_of_their_prefix_as_callers_know_them() {
        let listeners = Listeners::default();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let ears = heard.clone();
        let number = listeners.add(move |invalidation| {
            ears.lock().push(match invalidation {
                Invalidation::All => "all".to_owned(),
                Invalidation::Keys(keys) => keys.iter().map(|key| String::from_utf8_lossy(key)).collect(),
            });
            true
        });
        let keys = Keys::new(b"p:".to_vec());
        let push = |data| PushInfo {
            kind: PushKind::Invalidate,
            data,
        };
        let names = ["p:a", "q:b"].map(|name| Reply::BulkString(name.into()));
        listeners.hear(&keys, &push(vec![Reply::Array(names.to_vec())]));
        listeners.hear(&keys, &push(vec![Reply::Nil]));
        listeners.remove(number);
        listeners.hear(&keys, &push(vec![Reply::Nil]));
        assert_eq!(*heard.lock(), ["a", "all"]);
    }

    #[test]
    fn the_answer_to_trackinginfo_is_understood() {
        let answer = |flag: &str| {
            let flags = Reply::Set(vec![Reply::BulkString(flag.into())]);
            Ok(Reply::Map(vec![(Reply::BulkString(b"flags".to_vec()), flags)]))
        };
        assert!(is_tracking(answer("on")));
        assert!(!is_tracking(answer("off")));
        assert!(!is_tracking(Ok(Reply::Okay)));
    }
}
