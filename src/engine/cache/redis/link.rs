//! The link to Redis: whether it is there, and what to do until it is.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::connection::Connection;
use super::failure;
use crate::error::{Error, Result};

/// First wait before another attempt, doubled after each failure.
const FIRST_WAIT: Duration = Duration::from_millis(25);

/// Longest wait between attempts: what recovery may be late by.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How the link is.
#[derive(Debug, Clone)]
pub enum State {
    /// The first attempt is under way, or the connection was just lost: commands wait, each
    /// for its own deadline.
    Connecting,
    /// Commands go through.
    Up(Connection),
    /// The last attempt failed: commands are refused at once, while attempts go on.
    Down(String),
    /// For good.
    Closed,
}

impl State {
    /// The name that JavaScript knows it by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Up(_) => "connected",
            Self::Down(_) => "disconnected",
            Self::Closed => "closed",
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Link {
    state: watch::Sender<State>,
    lost: Notify,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::Connecting),
            lost: Notify::new(),
        }
    }
}

impl Link {
    /// How it is now.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Changes the state, unless the link was closed.
    pub fn set(&self, state: State) {
        self.state.send_if_modified(|current| {
            let open = !matches!(current, State::Closed);
            if open {
                *current = state;
            }
            open
        });
    }

    /// Ends it.
    pub fn close(&self) {
        self.state.send_replace(State::Closed);
        self.lost.notify_one();
    }

    /// True once it was closed.
    pub fn is_closed(&self) -> bool {
        matches!(*self.state.borrow(), State::Closed)
    }

    /// The connection is of no use any more.
    pub fn lose(&self) {
        self.lost.notify_one();
    }

    /// Comes back when the connection was lost, or the link closed.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Comes back once the link is closed.
    pub async fn closed(&self) {
        let mut states = self.state.subscribe();
        // The sender lives as long as `self`, so there is nothing to fail.
        let _ = states.wait_for(|state| matches!(state, State::Closed)).await;
    }

    /// The connection, at the latest at `deadline`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server cannot be reached, [`Error::Timeout`] when that
    /// was still being tried, [`Error::Closed`].
    pub async fn connection(&self, deadline: Instant, timeout: Duration) -> Result<Connection> {
        let mut states = self.state.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Connecting));
        match tokio::time::timeout_at(deadline, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Up(connection) => Ok(connection.clone()),
                State::Down(reason) => Err(failure::unavailable(reason.clone())),
                _ => Err(Error::Closed { engine: "cache" }),
            },
            Ok(Err(_)) => Err(Error::Closed { engine: "cache" }),
            Err(_) => Err(failure::timeout(timeout)),
        }
    }
}

/// Waits that grow. Half of each is left to chance, so that the clients of a server that comes
/// back do not all come at once.
#[derive(Debug)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_WAIT)
    }
}

impl Backoff {
    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let chance = RandomState::new().build_hasher().finish() % 1_000;
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST_WAIT);
        wait / 2 + wait.mul_f64(chance as f64 / 2_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_vary_by_half() {
        let mut backoff = Backoff::default();
        let mut expected = FIRST_WAIT;
        for _ in 0..20 {
            let wait = backoff.wait();
            assert!(
                wait >= expected / 2 && wait <= expected,
                "{wait:?} of {expected:?}"
            );
            expected = (expected * 2).min(LONGEST_WAIT);
        }
    }

    #[test]
    fn a_closed_link_stays_closed() {
        let link = Link::default();
        link.close();
        link.set(State::Connecting);
        assert!(link.is_closed());
    }
}
