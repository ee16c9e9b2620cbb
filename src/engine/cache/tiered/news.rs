//! Events: what a multi-level cache does by itself, and what goes wrong in it.
//!
//! All handles of a cache hear of them. What a handle's own calls lead to (hits, misses, writes)
//! it tells itself, from the answers.

use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use super::agent::Agent;
use crate::engine::breaker::State;
use crate::error::Error;

/// Why a stale value was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The loader failed.
    Loader,
    /// The loader took too long.
    Timeout,
    /// A tier could not be asked.
    Tier,
}

impl Reason {
    /// The name that JavaScript knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loader => "loader",
            Self::Timeout => "timeout",
            Self::Tier => "tier",
        }
    }
}

/// One event.
#[derive(Debug, Clone)]
pub enum Event {
    /// A value that a level had was put into those above it.
    Promotion {
        /// The key.
        key: Arc<[u8]>,
        /// The level that had it.
        from: u8,
    },
    /// Something failed, and the cache went on without it.
    Failure {
        /// What was being done, in the words of the public methods.
        operation: &'static str,
        /// The key, if it was about one.
        key: Option<Arc<[u8]>>,
        /// The level of the tier that failed.
        level: u8,
        /// The tier's name.
        tier: &'static str,
        /// What it failed with.
        error: Error,
    },
    /// A stale value was served.
    Stale {
        /// The key.
        key: Arc<[u8]>,
        /// Why.
        reason: Reason,
    },
    /// A value was loaded anew while nobody waited for it.
    Refresh {
        /// The key.
        key: Arc<[u8]>,
    },
    /// The breaker of a tier changed its state.
    Breaker {
        /// The tier's level.
        level: u8,
        /// The tier's name.
        tier: &'static str,
        /// The new state.
        state: State,
    },
}

impl Event {
    /// What stands for this kind of event in a mask. Shared with JavaScript.
    pub fn bit(&self) -> u8 {
        match self {
            Self::Promotion { .. } => 1,
            Self::Failure { .. } => 2,
            Self::Stale { .. } => 4,
            Self::Refresh { .. } => 8,
            Self::Breaker { .. } => 16,
        }
    }
}

/// Everybody who may want to hear.
#[derive(Debug, Default)]
pub struct News {
    agents: RwLock<Vec<Weak<Agent>>>,
}

impl News {
    /// Adds somebody, for as long as it lives.
    pub fn add(&self, agent: &Arc<Agent>) {
        let mut agents = self.agents.write();
        agents.retain(|known| known.strong_count() > 0);
        agents.push(Arc::downgrade(agent));
    }

    /// Tells everybody.
    pub fn tell(&self, event: &Event) {
        for agent in self.agents.read().iter().filter_map(Weak::upgrade) {
            agent.tell(event);
        }
    }
}
