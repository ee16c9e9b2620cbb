//! What a memory cache is configured with.

use std::sync::Arc;

use crate::engine::cache::budget::Budget;
use crate::engine::cache::compression::{Algorithm, Compressor};
use crate::engine::cache::record::Lifetime;
use crate::engine::cache::store::adaptive::AdaptiveStore;
use crate::engine::cache::store::moka::MokaStore;
use crate::engine::cache::store::{Capacity, Observer, Store};
use crate::error::{Error, Result};

/// Bytes that a cache may hold unless it is told otherwise.
pub const DEFAULT_MAX_BYTES: u64 = 100 * 1024 * 1024;

/// Which policy decides what stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EvictionPolicy {
    /// What the traffic rewards, see [`AdaptiveStore`].
    #[default]
    Adaptive,
    /// Recency and frequency, see [`MokaStore::tinylfu`].
    TinyLfu,
    /// Recency alone, see [`MokaStore::lru`].
    Lru,
}

impl EvictionPolicy {
    /// The policy of this name, as JavaScript spells it.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "adaptive" => Some(Self::Adaptive),
            "tinylfu" => Some(Self::TinyLfu),
            "lru" => Some(Self::Lru),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::TinyLfu => "tinylfu",
            Self::Lru => "lru",
        }
    }

    /// A store that follows this policy.
    pub fn store(self, capacity: Capacity, observer: Arc<dyn Observer>) -> Box<dyn Store> {
        match self {
            Self::Adaptive => Box::new(AdaptiveStore::new(capacity, observer)),
            Self::TinyLfu => Box::new(MokaStore::tinylfu(capacity, observer)),
            Self::Lru => Box::new(MokaStore::lru(capacity, observer)),
        }
    }
}

/// The options that were given explicitly; the others have defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Most entries.
    pub max_entries: Option<u64>,
    /// Most bytes.
    pub max_bytes: Option<u64>,
    /// Time to live of entries that bring none: `Some(None)` is an explicit "for ever".
    pub ttl_ms: Option<Option<u64>>,
    /// Idle time of entries that bring none: `Some(None)` is an explicit "for ever".
    pub idle_ms: Option<Option<u64>>,
    /// The policy.
    pub eviction_policy: Option<EvictionPolicy>,
    /// Compression: `Some(None)` turns it off explicitly.
    pub compression: Option<Option<Compressor>>,
    /// The budget that it shares with others.
    pub budget: Option<Arc<Budget>>,
    /// What the cache is called, for statistics.
    pub name: Option<String>,
}

/// The options with the defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bounds.
    pub capacity: Capacity,
    /// Lifetime of entries that bring none.
    pub lifetime: Lifetime,
    /// The policy.
    pub eviction_policy: EvictionPolicy,
    /// How large values are packed, if they are.
    pub compression: Option<Compressor>,
    /// The budget that it shares with others.
    pub budget: Option<Arc<Budget>>,
    /// What the cache is called.
    pub name: Option<String>,
}

impl From<&Options> for Config {
    fn from(options: &Options) -> Self {
        // A budget bounds the bytes already.
        let default_bytes = match options.budget {
            Some(_) => u64::MAX,
            None => DEFAULT_MAX_BYTES,
        };
        let capacity = Capacity {
            entries: options.max_entries.unwrap_or(u64::MAX),
            bytes: options.max_bytes.unwrap_or(default_bytes),
        };
        Self {
            capacity,
            lifetime: Lifetime {
                ttl_ms: options.ttl_ms.flatten(),
                idle_ms: options.idle_ms.flatten(),
            },
            eviction_policy: options.eviction_policy.unwrap_or_default(),
            compression: options.compression.flatten(),
            budget: options.budget.clone(),
            name: options.name.clone(),
        }
    }
}

impl Config {
    /// Checks that what was asked for explicitly is what this engine was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] for the first option that differs.
    pub fn agree(&self, name: &str, options: &Options) -> Result<()> {
        let requested = Config::from(options);
        let check = |option, given: bool, existing: String, requested: String| {
            if !given || existing == requested {
                return Ok(());
            }
            Err(Error::OptionConflict {
                name: name.to_owned(),
                option,
                existing,
                requested,
            })
        };
        let limit = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |n| n.to_string());
        let entries =
            |config: &Config| limit(Some(config.capacity.entries).filter(|&entries| entries != u64::MAX));
        let bytes = |config: &Config| config.capacity.bytes.to_string();
        let ttl = |config: &Config| limit(config.lifetime.ttl_ms);
        let idle = |config: &Config| limit(config.lifetime.idle_ms);
        let policy = |config: &Config| config.eviction_policy.name().to_owned();
        let compression = |config: &Config| config.compression.as_ref().map_or("off".into(), describe);
        check(
            "maxEntries",
            options.max_entries.is_some(),
            entries(self),
            entries(&requested),
        )?;
        check(
            "maxBytes",
            options.max_bytes.is_some(),
            bytes(self),
            bytes(&requested),
        )?;
        check("ttlMs", options.ttl_ms.is_some(), ttl(self), ttl(&requested))?;
        check("idleMs", options.idle_ms.is_some(), idle(self), idle(&requested))?;
        let given = options.eviction_policy.is_some();
        check("evictionPolicy", given, policy(self), policy(&requested))?;
        let given = options.compression.is_some();
        check("compression", given, compression(self), compression(&requested))?;
        self.agree_on_budget(name, options.budget.as_ref())
    }

    /// Budgets are compared by what they are: two without a name are called the same.
    fn agree_on_budget(&self, name: &str, requested: Option<&Arc<Budget>>) -> Result<()> {
        let is_ours = |other| self.budget.as_ref().is_some_and(|own| Arc::ptr_eq(own, other));
        if requested.is_none_or(is_ours) {
            return Ok(());
        }
        let budget_name = |budget: Option<&Arc<Budget>>| match budget {
            None => "none".to_owned(),
            Some(budget) => budget.name().unwrap_or("one without a name").to_owned(),
        };
        Err(Error::OptionConflict {
            name: name.to_owned(),
            option: "budget",
            existing: budget_name(self.budget.as_ref()),
            requested: budget_name(requested),
        })
    }
}

fn describe(compressor: &Compressor) -> String {
    let algorithm = match compressor.algorithm {
        Algorithm::Lz4 => "lz4",
        Algorithm::Zstd => "zstd",
    };
    let dictionary = if compressor.dictionary {
        " with a dictionary"
    } else {
        ""
    };
    format!("{algorithm}{dictionary} from {} bytes", compressor.threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_explicit_options_are_compared() {
        let config = Config::from(&Options {
            max_entries: Some(10),
            ..Options::default()
        });
        assert!(config.agree("a", &Options::default()).is_ok());
        assert!(
            config
                .agree(
                    "a",
                    &Options {
                        max_entries: Some(10),
                        ..Options::default()
                    }
                )
                .is_ok()
        );
        let conflict = config.agree(
            "a",
            &Options {
                max_entries: Some(11),
                ..Options::default()
            },
        );
        let message = conflict.unwrap_err().to_string();
        assert!(message.contains("maxEntries") && message.contains("10") && message.contains("11"));
    }

    #[test]
    fn an_explicit_option_conflicts_with_a_default() {
        let config = Config::from(&Options::default());
        let ttl = Options {
            ttl_ms: Some(Some(5)),
            ..Options::default()
        };
        assert!(
            config
                .agree("a", &ttl)
                .unwrap_err()
                .to_string()
                .contains("unlimited")
        );
        let off = Options {
            compression: Some(None),
            ..Options::default()
        };
        assert!(config.agree("a", &off).is_ok());
    }
}
