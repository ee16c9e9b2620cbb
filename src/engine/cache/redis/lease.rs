//! Leases: who may do something, among all processes, and for how long.
//!
//! A lease ends by itself, so a holder that was paused may find out too late that it is not
//! the holder any more. Therefore each lease has a *fencing token*, a number larger than those
//! of all leases of the key before it: a store that remembers the largest token it has seen can
//! refuse the writes of those who lost theirs (Kleppmann, "How to do distributed locking", 2016).

use redis::Value as Reply;

use super::request::{Answer, Request, integer};
use super::scripts::{self, Script};
use super::{RedisCache, failure};
use crate::error::Result;

/// How long fences are remembered after their last lease, in milliseconds. Tokens grow beyond
/// that, too, with the server's clock.
const FENCE_MS: u64 = 24 * 60 * 60 * 1_000;

/// A lease that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is about.
    pub key: Vec<u8>,
    /// Who holds it.
    pub owner: Vec<u8>,
    /// The fencing token.
    pub token: u64,
}

impl RedisCache {
    /// Takes the lease of a key for so many milliseconds. None if somebody else holds it.
    pub async fn lease(&self, key: &[u8], ttl_ms: u64) -> Result<Option<Lease>> {
        let owner = Self::new_owner();
        let names = vec![self.keys.reserved("lease", key), self.keys.reserved("fence", key)];
        let arguments = vec![
            owner.clone(),
            ttl_ms.max(1).to_string().into_bytes(),
            FENCE_MS.max(ttl_ms).to_string().into_bytes(),
        ];
        match self.script(&scripts::LEASE, names, arguments).await? {
            Reply::Nil => Ok(None),
            Reply::BulkString(token) => {
                let token = std::str::from_utf8(&token)
                    .ok()
                    .and_then(|token| token.parse().ok());
                let token = token.ok_or_else(|| failure::unexpected("no token"))?;
                let key = key.to_vec();
                Ok(Some(Lease { key, owner, token }))
            }
            _ => Err(failure::unexpected("no token")),
        }
    }

    /// A name that nobody else calls itself by.
    pub fn new_owner() -> Vec<u8> {
        use std::hash::{BuildHasher, Hasher};
        let random = || {
            std::collections::hash_map::RandomState::new()
                .build_hasher()
                .finish()
        };
        format!("{}-{:016x}{:016x}", std::process::id(), random(), random()).into_bytes()
    }

    /// Gives a lease so many milliseconds from now. False if it is somebody else's by now.
    pub async fn extend_lease(&self, lease: &Lease, ttl_ms: u64) -> Result<bool> {
        let ttl = ttl_ms.max(1).to_string().into_bytes();
        self.on_lease(&scripts::EXTEND, lease, vec![lease.owner.clone(), ttl])
            .await
    }

    /// Ends a lease. False if it is somebody else's by now.
    pub async fn release_lease(&self, lease: &Lease) -> Result<bool> {
        self.on_lease(&scripts::RELEASE, lease, vec![lease.owner.clone()])
            .await
    }

    async fn on_lease(
        &self,
        script: &'static Script,
        lease: &Lease,
        arguments: Vec<Vec<u8>>,
    ) -> Result<bool> {
        let names = vec![self.keys.reserved("lease", &lease.key)];
        Ok(integer(self.script(script, names, arguments).await?)? == 1)
    }

    async fn script(
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
            _ => Err(failure::unexpected("another request's answer")),
        }
    }
}
