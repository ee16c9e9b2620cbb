//! Finding keys: by `SCAN`, never by `KEYS`, which would hold up the server.

use redis::Value as Reply;

use super::connection::{Connection, Node};
use super::failure;
use super::{RedisCache, request::Request};
use crate::engine::cache::glob::Glob;
use crate::error::Result;

/// Keys that a server looks at in one step.
const STEP: usize = 1_000;

impl RedisCache {
    /// The keys that a pattern means, all of them without one. A key that comes or goes
    /// meanwhile may or may not be among them.
    pub async fn keys_matching(&self, glob: Option<&Glob>) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        self.scan(glob, async |names: Vec<Vec<u8>>| {
            let key = |name: &Vec<u8>| self.keys.key(name).map(<[u8]>::to_vec);
            found.extend(names.iter().filter_map(key));
            Ok(())
        })
        .await?;
        // A server may name a key twice.
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Removes the keys that a pattern means, all of the prefix without one, and counts them.
    pub async fn delete_matching(&self, glob: Option<&Glob>) -> Result<u64> {
        if let Some(key) = glob.and_then(Glob::literal) {
            return self.delete_names(vec![self.keys.name(key)]).await;
        }
        let mut deleted = 0;
        self.scan(glob, async |names: Vec<Vec<u8>>| {
            deleted += self.delete_names(names).await?;
            Ok(())
        })
        .await?;
        Ok(deleted)
    }

    async fn delete_names(&self, names: Vec<Vec<u8>>) -> Result<u64> {
        match self.request(Request::Delete(names)).await? {
            super::request::Answer::Number(count) => Ok(count as u64),
            _ => Err(failure::unexpected("no count")),
        }
    }

    /// Walks over the names that a pattern means, on every server. Each step has a command's
    /// time.
    async fn scan(
        &self,
        glob: Option<&Glob>,
        mut visit: impl AsyncFnMut(Vec<Vec<u8>>) -> Result<()>,
    ) -> Result<()> {
        // The server narrows the walk down to the pattern's beginning; its own globs are not
        // quite ours, so the rest is matched here.
        let pattern = self.keys.pattern(glob.map_or(&[], Glob::literal_prefix));
        let connection = self.connection().await?;
        let primaries = self.within_limit(connection.primaries()).await?;
        for node in primaries {
            let mut cursor = b"0".to_vec();
            loop {
                let step = self.step(&connection, &node, &cursor, &pattern);
                let (next, mut names) = step.await?;
                names.retain(|name| {
                    let key = self.keys.key(name);
                    key.is_some_and(|key| glob.is_none_or(|glob| glob.matches(key)))
                });
                if !names.is_empty() {
                    visit(names).await?;
                }
                if next == b"0" {
                    break;
                }
                cursor = next;
            }
        }
        Ok(())
    }

    async fn step(
        &self,
        connection: &Connection,
        node: &Node,
        cursor: &[u8],
        pattern: &[u8],
    ) -> Result<(Vec<u8>, Vec<Vec<u8>>)> {
        let mut command = redis::cmd("SCAN");
        command
            .arg(cursor)
            .arg("MATCH")
            .arg(pattern)
            .arg("COUNT")
            .arg(STEP);
        let reply = self.within_limit(connection.ask_node(node, command)).await?;
        let parts = match reply {
            Reply::Array(parts) => <[Reply; 2]>::try_from(parts).ok(),
            _ => None,
        };
        let Some([Reply::BulkString(next), Reply::Array(names)]) = parts else {
            return Err(failure::unexpected("no page of keys"));
        };
        let name = |reply| match reply {
            Reply::BulkString(name) => Some(name),
            _ => None,
        };
        Ok((next, names.into_iter().filter_map(name).collect()))
    }
}
