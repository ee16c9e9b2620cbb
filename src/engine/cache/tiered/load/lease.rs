//! Loading once for all processes: by a lease that a shared tier grants.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Load, Lock};
use crate::engine::cache::tier::{Entry, Grant, Lease, Want};
use crate::engine::cache::tiered::level::Level;
use crate::engine::cache::tiered::{Stack, Tiered};

/// First wait for somebody else's value; grows up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(4);

/// Longest wait before looking again: what a value may be late by.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// A lease that is held.
#[derive(Debug)]
pub struct Held {
    /// The level that granted it.
    pub level: Arc<Level>,
    /// The lease.
    pub lease: Lease,
    /// How long it lasts.
    pub hold_ms: u64,
}

/// What asking for a lease came to.
#[derive(Debug)]
pub enum Leased {
    /// It was granted.
    Held(Held),
    /// Somebody else has loaded the value.
    Elsewhere(u8, Entry),
    /// There are no leases, or they cannot be asked for, or it took too long.
    Without,
}

impl Tiered {
    /// Takes the lease on a key, or waits for the value of whoever has it. `is_missing` tells
    /// that no level had an entry a moment ago.
    pub(super) async fn lease(&self, stack: &Stack, load: &Load, lock: Lock, is_missing: bool) -> Leased {
        let Some(level) = stack.levels.iter().rev().find(|level| level.leases().is_some()) else {
            return Leased::Without;
        };
        let Some(leases) = level.leases() else {
            return Leased::Without;
        };
        let key = &load.key;
        let give_up = Instant::now() + Duration::from_millis(lock.wait_ms);
        let mut wait = FIRST_WAIT;
        if is_missing {
            // Most often nobody else wants it, and no entry came meanwhile: one request then, and
            // nothing to look at.
            let acquire = leases.acquire(key, lock.hold_ms, Want::Absent);
            match level.call("lease", Some(key), acquire).await {
                Ok(Grant::Held(lease)) => return Leased::Held(Held::new(level, lease, lock)),
                Ok(Grant::Present) => {}
                Ok(Grant::Taken) => tokio::time::sleep(wait).await,
                Err(_) => return Leased::Without,
            }
        }
        loop {
            // Both in one round trip. A holder writes before it lets go of the lease, so whoever
            // gets it looks once more.
            let acquire = leases.acquire(key, lock.hold_ms, Want::Always);
            let acquire = level.call("lease", Some(key), acquire);
            let (lease, value) = tokio::join!(acquire, self.look_again(stack, level, key));
            match (lease, value) {
                (Ok(Grant::Held(lease)), Some(entry)) => {
                    // A failure was told; the lease ends by itself.
                    let _ = level.call("lease", Some(key), leases.release(key, &lease)).await;
                    return Leased::Elsewhere(level.number, entry);
                }
                (_, Some(entry)) => return Leased::Elsewhere(level.number, entry),
                (Ok(Grant::Held(lease)), None) => return Leased::Held(Held::new(level, lease, lock)),
                (Err(_), None) => return Leased::Without,
                (Ok(Grant::Taken | Grant::Present), None) => {}
            }
            if Instant::now() >= give_up {
                return Leased::Without;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(LONGEST_WAIT);
        }
    }
}

impl Held {
    fn new(level: &Arc<Level>, lease: Lease, lock: Lock) -> Self {
        Self {
            level: level.clone(),
            lease,
            hold_ms: lock.hold_ms,
        }
    }

    /// Keeps the lease for as long as this runs.
    pub async fn keep(&self, key: &Arc<[u8]>) -> Infallible {
        let Some(leases) = self.level.leases() else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(Duration::from_millis((self.hold_ms / 3).max(1))).await;
            let extend = leases.extend(key, &self.lease, self.hold_ms);
            // Lost or unreachable: whether the value may be written shows when it is.
            if self.level.call("lease", Some(key), extend).await == Ok(false) {
                return std::future::pending().await;
            }
        }
    }

    /// Gives the lease back.
    pub async fn release(self, key: &Arc<[u8]>) {
        if let Some(leases) = self.level.leases() {
            let release = leases.release(key, &self.lease);
            // A failure was told; the lease ends by itself.
            let _ = self.level.call("lease", Some(key), release).await;
        }
    }
}
