//! What a multi-level cache is configured with.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::breaker;
use crate::error::{Error, Result};

/// Options that handles of one name have to agree on.
const OPTIONS: [&str; 11] = [
    "l1TTL",
    "l2TTL",
    "l3TTL",
    "ttlMs",
    "graceMs",
    "softTimeoutMs",
    "hardTimeoutMs",
    "eagerRefresh",
    "jitter",
    "tierTimeoutMs",
    "breaker",
];

/// The options of these names as they were asked for.
pub fn explicit(config: &Config, names: &[String]) -> Vec<(&'static str, String)> {
    let asked = |option: &&&str| names.iter().any(|name| name == **option);
    let shown = |option: &&'static str| Some((*option, config.shown.get(*option)?.clone()));
    OPTIONS.iter().filter(asked).filter_map(shown).collect()
}

/// What the engine itself has to know. Defaults of single operations are applied in JavaScript.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long an operation of a tier may take.
    pub tier_timeout: Duration,
    /// The breaker of every tier, if there is one.
    pub breaker: Option<breaker::Options>,
    /// All options as they would be shown, those of JavaScript included.
    pub shown: BTreeMap<String, String>,
}

impl Config {
    /// Checks that what was asked for explicitly is what this cache was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] for the first option that differs.
    pub fn agree(&self, name: &str, explicit: &[(&'static str, String)]) -> Result<()> {
        for (option, requested) in explicit {
            let existing = self.shown.get(*option).map_or("none", String::as_str);
            if existing != requested {
                return Err(Error::OptionConflict {
                    name: name.to_owned(),
                    option,
                    existing: existing.to_owned(),
                    requested: requested.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_compared() {
        let config = Config {
            tier_timeout: Duration::from_secs(1),
            breaker: None,
            shown: [("graceMs".to_owned(), "5".to_owned())].into(),
        };
        assert!(config.agree("a", &[]).is_ok());
        assert!(config.agree("a", &[("graceMs", "5".to_owned())]).is_ok());
        let message = config.agree("a", &[("graceMs", "6".to_owned())]).unwrap_err();
        assert!(message.to_string().contains('5') && message.to_string().contains('6'));
    }
}
