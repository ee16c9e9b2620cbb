//! The cache for other engines: plain asynchronous methods over encoded values.

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::request::{Answer, Request};
use super::wire::{self, Stamp, Value};
use super::{RedisCache, failure};
use crate::engine::cache::record::Kind;
use crate::error::Result;

/// A value, and how long it still has.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Milliseconds it still has; none if it has no end.
    pub ttl_ms: Option<u64>,
}

macro_rules! expect {
    ($answer:expr, $pattern:pat => $result:expr) => {
        match $answer {
            $pattern => Ok($result),
            _ => Err(failure::unexpected("another request's answer")),
        }
    };
}

impl RedisCache {
    /// Makes requests, as one pipeline.
    pub async fn requests(&self, requests: Vec<Request>) -> Vec<Result<Answer>> {
        let count = requests.len();
        let (sender, receiver) = oneshot::channel();
        // Whoever gave up waiting needs no answers.
        let respond = move |answers| drop(sender.send(answers));
        self.submit(requests, Box::new(respond));
        let gone = |_| vec![Err(failure::unavailable("the connection was closed")); count];
        receiver.await.unwrap_or_else(gone)
    }

    /// Makes one request.
    pub async fn request(&self, request: Request) -> Result<Answer> {
        let answer = self.requests(vec![request]).await.pop();
        answer.unwrap_or_else(|| Err(failure::unexpected("nothing")))
    }

    /// Reads a value.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Value>> {
        let answer = self.request(Request::Get(self.keys.name(key))).await?;
        expect!(answer, Answer::Value(value) => value)
    }

    /// Reads a value and its remaining time in one round trip.
    pub async fn get_with_ttl(&self, key: &[u8]) -> Result<Option<Entry>> {
        let answer = self.request(Request::GetWithTtl(self.keys.name(key))).await?;
        expect!(answer, Answer::Entry(entry) => entry.map(|(value, ttl_ms)| Entry { value, ttl_ms }))
    }

    /// Reads values, in the order of their keys.
    pub async fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Value>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let names = keys.iter().map(|key| self.keys.name(key)).collect();
        let answer = self.request(Request::GetMany(names)).await?;
        expect!(answer, Answer::Values(values) => values)
    }

    /// Writes a value. A record's payload begins with its stamp, or `stamp` is given.
    pub async fn set(
        &self,
        key: &[u8],
        (kind, payload): (Kind, &[u8]),
        stamp: Option<Stamp>,
        ttl_ms: Option<u64>,
    ) -> Result<()> {
        let request = Request::Set {
            name: self.keys.name(key),
            value: wire::write(self.config.format, kind, payload, stamp),
            ttl_ms,
        };
        self.request(request).await.map(drop)
    }

    /// Removes keys, and counts those that were there.
    pub async fn delete(&self, keys: &[&[u8]]) -> Result<u64> {
        if keys.is_empty() {
            return Ok(0);
        }
        let names = keys.iter().map(|key| self.keys.name(key)).collect();
        let answer = self.request(Request::Delete(names)).await?;
        expect!(answer, Answer::Number(count) => count as u64)
    }

    /// Whether a key is there.
    pub async fn has(&self, key: &[u8]) -> Result<bool> {
        let answer = self.request(Request::Has(self.keys.name(key))).await?;
        expect!(answer, Answer::Flag(found) => found)
    }

    /// Gives a key a new time to live; none is for ever. False if it is not there.
    pub async fn touch(&self, key: &[u8], ttl_ms: Option<u64>) -> Result<bool> {
        let name = self.keys.name(key);
        let answer = self.request(Request::Touch { name, ttl_ms }).await?;
        expect!(answer, Answer::Flag(found) => found)
    }

    /// Asks whether anybody is there.
    pub async fn ping(&self) -> Result<()> {
        self.request(Request::Ping).await.map(drop)
    }

    /// The connection, within a command's time.
    pub(super) async fn connection(&self) -> Result<Connection> {
        let deadline = Instant::now() + self.config.timeout;
        self.link.connection(deadline, self.config.timeout).await
    }

    /// Gives something a command's time, and asks and tells the breaker.
    pub(super) async fn within_limit<T>(
        &self,
        work: impl Future<Output = redis::RedisResult<T>>,
    ) -> Result<T> {
        let permit = self.admit()?;
        let deadline = Instant::now() + self.config.timeout;
        let result = match timeout_at(deadline, work).await {
            Ok(result) => result.map_err(|error| self.without_secrets(failure::of(error))),
            Err(_) => Err(failure::timeout(self.config.timeout)),
        };
        self.judge(permit, std::iter::once(result.as_ref().err()));
        result
    }
}
