//! Errors of the connection and of the server, as errors of the engine.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::Error;

/// What the errors of this tier are signed with.
pub const TIER: &str = "redis";

/// The engine's error for one of the crate's. Values of the cache are never part of it: Redis
/// quotes arguments only of commands that it does not know.
pub fn of(error: RedisError) -> Error {
    let reason = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        _ => error.to_string(),
    };
    let away = match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
        ),
        // A code that the crate has no name for.
        ErrorKind::Extension => false,
        _ => true,
    };
    match away {
        true => unavailable(reason),
        false => Error::Server { tier: TIER, reason },
    }
}

/// Redis cannot be reached, or cannot serve.
pub fn unavailable(reason: impl Into<String>) -> Error {
    Error::Unavailable {
        tier: TIER,
        reason: reason.into(),
    }
}

/// Redis did not answer in time.
pub fn timeout(limit: Duration) -> Error {
    Error::Timeout {
        what: TIER,
        ms: limit.as_millis() as u64,
    }
}

/// Redis answered with what no command of ours can be answered with.
pub fn unexpected(what: &str) -> Error {
    Error::Server {
        tier: TIER,
        reason: format!("an unexpected reply: {what}"),
    }
}

/// Whether an error speaks against the server's health, for the breaker.
pub fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Timeout { .. })
}
