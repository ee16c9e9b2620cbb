//! Why a request was not answered.

use std::error::Error as _;
use std::io;

/// Kinds of failures, each with a count of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens.
    Refused,
    /// The connection went before the answer was complete.
    Reset,
    /// It took too long.
    Timeout,
    /// No encrypted connection came about.
    Tls,
    /// What came is not HTTP.
    Protocol,
    /// This machine has no port, or no file descriptor, left for another connection.
    Exhausted,
    /// No connection came about for another reason.
    Connect,
    /// A template gave what cannot be sent, or a capture found nothing.
    Template,
}

/// All kinds, in the order of the counts.
pub const KINDS: [(Failure, &str); 8] = [
    (Failure::Refused, "refused"),
    (Failure::Reset, "reset"),
    (Failure::Timeout, "timeout"),
    (Failure::Tls, "tls"),
    (Failure::Protocol, "protocol"),
    (Failure::Exhausted, "exhausted"),
    (Failure::Connect, "connect"),
    (Failure::Template, "template"),
];

impl Failure {
    /// Its place among the counts.
    pub fn index(self) -> usize {
        KINDS.iter().position(|(kind, _)| *kind == self).unwrap_or(0)
    }

    /// Why a connection did not come about.
    pub fn of_connecting(error: &io::Error) -> Self {
        #[cfg(unix)]
        if matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::EADDRNOTAVAIL)
        ) {
            return Self::Exhausted;
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => Self::Reset,
            io::ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Connect,
        }
    }

    /// Why an exchange was not completed.
    pub fn of_exchange(error: &hyper::Error) -> Self {
        if error.is_parse() || error.is_user() {
            return Self::Protocol;
        }
        let mut source = error.source();
        while let Some(cause) = source {
            if cause.downcast_ref::<io::Error>().is_some() {
                return Self::Reset;
            }
            source = cause.source();
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            Self::Reset
        } else {
            Self::Protocol
        }
    }
}
