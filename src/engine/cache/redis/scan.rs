//! Finding keys: by `SCAN`, never by `KEYS`, which would hold up the server.

use redis::Value as Reply;

use super::RedisCache;
use super::connection::{Connection, Node};
use super::failure;
use super::request::{Answer, Request};
use crate::engine::cache::glob::Glob;
use crate::error::Result;

/// Keys that a server looks at in one step.
const STEP: usize = 1_000;

/// A walk over the names that a pattern means, on every server that holds keys.
struct Walk<'a> {
    cache: &'a RedisCache,
    glob: Option<&'a Glob>,
    /// The server narrows the walk down to the pattern's beginning; its own globs are not
    /// quite ours, so the rest is matched here.
    pattern: Vec<u8>,
    connection: Connection,
    nodes: Vec<Node>,
    cursor: Vec<u8>,
}

impl<'a> Walk<'a> {
    async fn begin(cache: &'a RedisCache, glob: Option<&'a Glob>) -> Result<Self> {
        let connection = cache.connection().await?;
        let nodes = cache.within_limit(connection.primaries()).await?;
        Ok(Self {
            cache,
            glob,
            pattern: cache.keys.pattern(glob.map_or(&[], Glob::literal_prefix)),
            connection,
            nodes,
            cursor: b"0".to_vec(),
        })
    }

    /// Some more names, perhaps none; nothing at the end. Each step has a command's time.
    async fn step(&mut self) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(node) = self.nodes.last() else {
            return Ok(None);
        };
        let mut command = redis::cmd("SCAN");
        command
            .arg(self.cursor.as_slice())
            .arg("MATCH")
            .arg(self.pattern.as_slice());
        command.arg("COUNT").arg(STEP);
        let reply = self
            .cache
            .within_limit(self.connection.ask_node(node, command))
            .await?;
        let parts = match reply {
            Reply::Array(parts) => <[Reply; 2]>::try_from(parts).ok(),
            _ => None,
        };
        let Some([Reply::BulkString(next), Reply::Array(names)]) = parts else {
            return Err(failure::unexpected("no page of keys"));
        };
        if next == b"0" {
            self.nodes.pop();
        }
        self.cursor = next;
        let mine = |reply| match reply {
            Reply::BulkString(name) if self.means(&name) => Some(name),
            _ => None,
        };
        Ok(Some(names.into_iter().filter_map(mine).collect()))
    }

    fn means(&self, name: &[u8]) -> bool {
        let key = self.cache.keys.key(name);
        key.is_some_and(|key| self.glob.is_none_or(|glob| glob.matches(key)))
    }
}

impl RedisCache {
    /// The keys that a pattern means, all of them without one. A key that comes or goes
    /// meanwhile may or may not be among them.
    pub async fn keys_matching(&self, glob: Option<&Glob>) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        let mut walk = Walk::begin(self, glob).await?;
        while let Some(names) = walk.step().await? {
            let key = |name: &Vec<u8>| self.keys.key(name).map(<[u8]>::to_vec);
            found.extend(names.iter().filter_map(key));
        }
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
        let mut walk = Walk::begin(self, glob).await?;
        while let Some(names) = walk.step().await? {
            if !names.is_empty() {
                deleted += self.delete_names(names).await?;
            }
        }
        Ok(deleted)
    }

    async fn delete_names(&self, names: Vec<Vec<u8>>) -> Result<u64> {
        match self.request(Request::Delete(names)).await? {
            Answer::Number(count) => Ok(count as u64),
            _ => Err(failure::unexpected("no count")),
        }
    }
}
