//! What a queue is made with.

use std::path::PathBuf;

use super::book::Rules;
use crate::engine::workers::backoff::Backoff;
use crate::error::{Error, Result};

/// What was asked for; what was not has the default, or what the queue was made with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// What the queue is called in this process.
    pub name: Option<String>,
    /// Where it is kept; nowhere if none is given.
    pub store: Option<PathBuf>,
    /// Most jobs that are worked on at once.
    pub max_concurrent: Option<usize>,
    /// Longest time of an attempt, none for no limit.
    pub timeout_ms: Option<Option<u64>>,
    /// Attempts after the first.
    pub retries: Option<u32>,
    /// The first wait between two attempts.
    pub retry_delay_ms: Option<f64>,
    /// Completed and cancelled jobs that are remembered.
    pub max_finished: Option<u64>,
    /// Dead letters that are kept.
    pub max_dead: Option<u64>,
    /// Bytes that the store may hold.
    pub store_bytes: Option<u64>,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// See [`Options::name`].
    pub name: Option<String>,
    /// See [`Options::store`].
    pub store: Option<PathBuf>,
    /// See [`Options::max_concurrent`].
    pub max_concurrent: usize,
    /// See [`Options::timeout_ms`].
    pub timeout_ms: Option<u64>,
    /// See [`Options::retries`].
    pub retries: u32,
    /// What holds for all jobs.
    pub rules: Rules,
    /// See [`Options::store_bytes`].
    pub store_bytes: u64,
}

impl From<&Options> for Config {
    fn from(options: &Options) -> Self {
        Self {
            name: options.name.clone(),
            store: options.store.clone(),
            max_concurrent: options.max_concurrent.unwrap_or(10),
            timeout_ms: options.timeout_ms.unwrap_or(Some(1_800_000)),
            retries: options.retries.unwrap_or(3),
            rules: Rules {
                backoff: Backoff {
                    initial_ms: options.retry_delay_ms.unwrap_or(1_000.0),
                    ..Backoff::default()
                },
                max_finished: options.max_finished.unwrap_or(1_000),
                max_dead: options.max_dead.unwrap_or(10_000),
            },
            store_bytes: options.store_bytes.unwrap_or(4 << 30),
        }
    }
}

impl Config {
    /// What queues of a process are told apart by.
    pub fn registered_as(&self) -> Option<String> {
        match (&self.store, &self.name) {
            (Some(store), _) => Some(format!("store:{}", store.display())),
            (None, Some(name)) => Some(format!("name:{name}")),
            (None, None) => None,
        }
    }

    /// Checks that what was asked for explicitly is what this queue was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] for the first option that differs.
    pub fn agree(&self, asked: &Options) -> Result<()> {
        let other = Config::from(asked);
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let ms = |value: Option<u64>| value.map_or("unlimited".to_owned(), |ms| ms.to_string());
        let number = |value: u64| match value {
            u64::MAX => "unlimited".to_owned(),
            value => value.to_string(),
        };
        let concurrent = |config: &Config| number(config.max_concurrent as u64);
        let delay = |config: &Config| config.rules.backoff.initial_ms.to_string();
        let pairs = [
            (asked.name.is_some(), "name", text(&self.name), text(&other.name)),
            (
                asked.max_concurrent.is_some(),
                "maxConcurrentJobs",
                concurrent(self),
                concurrent(&other),
            ),
            (
                asked.timeout_ms.is_some(),
                "jobTimeout",
                ms(self.timeout_ms),
                ms(other.timeout_ms),
            ),
            (
                asked.retries.is_some(),
                "retryAttempts",
                self.retries.to_string(),
                other.retries.to_string(),
            ),
            (
                asked.retry_delay_ms.is_some(),
                "retryDelay",
                delay(self),
                delay(&other),
            ),
            (
                asked.max_finished.is_some(),
                "maxFinishedJobs",
                number(self.rules.max_finished),
                number(other.rules.max_finished),
            ),
            (
                asked.max_dead.is_some(),
                "maxDeadLetters",
                number(self.rules.max_dead),
                number(other.rules.max_dead),
            ),
            (
                asked.store_bytes.is_some(),
                "maxStoreBytes",
                number(self.store_bytes),
                number(other.store_bytes),
            ),
        ];
        let differs = pairs
            .into_iter()
            .find(|(given, _, existing, asked)| *given && existing != asked);
        match differs {
            None => Ok(()),
            Some((_, option, existing, requested)) => Err(Error::OptionConflict {
                name: text(&self.name),
                option,
                existing,
                requested,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_document_and_only_what_is_given_has_to_agree() {
        let config = Config::from(&Options::default());
        assert_eq!((config.max_concurrent, config.timeout_ms), (10, Some(1_800_000)));
        assert_eq!((config.retries, config.rules.backoff.initial_ms), (3, 1_000.0));
        assert_eq!(config.agree(&Options::default()), Ok(()));
        let asked = Options {
            retries: Some(4),
            ..Options::default()
        };
        assert!(config.agree(&asked).is_err());
    }
}
