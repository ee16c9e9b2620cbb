//! What a pool is configured with.

use super::scheduler::Limits;
use crate::error::{Error, Result};

/// The options that were given explicitly; the others have defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The absolute path of the code that workers run.
    pub file: String,
    /// Most workers.
    pub max_workers: Option<usize>,
    /// Workers that are kept without work.
    pub min_workers: Option<usize>,
    /// Whether a worker serves more than one task.
    pub reuse_workers: Option<bool>,
    /// Longest time for an attempt: `Some(None)` is an explicit "for ever".
    pub timeout_ms: Option<Option<u64>>,
    /// Most waiting tasks: `Some(None)` is an explicit "any number".
    pub max_queue: Option<Option<usize>>,
    /// Time without work after which a worker leaves: `Some(None)` is an explicit "never".
    pub idle_ms: Option<Option<u64>>,
    /// Tasks in one worker at a time.
    pub per_worker: Option<usize>,
    /// Tasks after which a worker is replaced.
    pub max_tasks: Option<u64>,
    /// MiB of heap after which a worker is replaced.
    pub max_heap_mb: Option<f64>,
    /// Limits of a worker's resources, as JSON.
    pub resource_limits: Option<String>,
    /// Whether workers may sleep outside their event loop.
    pub blocking: Option<bool>,
}

/// The options with the defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the scheduler goes by.
    pub limits: Limits,
    /// Longest time for an attempt of a task that brings no limit of its own.
    pub timeout_ms: Option<u64>,
    options: Options,
}

/// Workers unless told otherwise.
const MAX_WORKERS: usize = 8;
/// Workers that are kept unless told otherwise.
const MIN_WORKERS: usize = 2;
/// Five minutes.
const TIMEOUT_MS: u64 = 300_000;
/// Half a minute.
const IDLE_MS: u64 = 30_000;

impl From<Options> for Config {
    fn from(options: Options) -> Self {
        let max_workers = options.max_workers.unwrap_or(MAX_WORKERS).max(1);
        let once = options.reuse_workers == Some(false);
        Self {
            limits: Limits {
                max_workers,
                min_workers: options.min_workers.unwrap_or(MIN_WORKERS).min(max_workers),
                max_queue: options.max_queue.flatten().unwrap_or(usize::MAX),
                per_worker: options.per_worker.unwrap_or(1).max(1),
                idle_ms: options.idle_ms.unwrap_or(Some(IDLE_MS)),
                max_tasks: if once { Some(1) } else { options.max_tasks },
            },
            timeout_ms: options.timeout_ms.unwrap_or(Some(TIMEOUT_MS)),
            options,
        }
    }
}

impl Config {
    /// MiB of heap after which a worker is replaced.
    pub fn max_heap_mb(&self) -> Option<f64> {
        self.options.max_heap_mb
    }

    /// Checks that what was asked for explicitly is what this pool was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] for the first option that differs.
    pub fn agree(&self, name: &str, asked: &Options) -> Result<()> {
        let requested = Config::from(asked.clone());
        let (here, there) = (&self.limits, &requested.limits);
        let number = |value: usize| value.to_string();
        let ms = |value: Option<u64>| value.map_or("unlimited".to_owned(), |ms| ms.to_string());
        let text = |value: &Option<String>| value.clone().unwrap_or("the default".to_owned());
        let heap = |value: Option<f64>| value.map_or("unlimited".to_owned(), |mb| mb.to_string());
        let flag = |value: Option<bool>, default: bool| value.unwrap_or(default).to_string();
        let queue = |value: usize| match value {
            usize::MAX => "unlimited".to_owned(),
            value => value.to_string(),
        };
        let (own, other) = (&self.options, &requested.options);
        let pairs = [
            (true, "file", own.file.clone(), other.file.clone()),
            (
                asked.max_workers.is_some(),
                "maxWorkers",
                number(here.max_workers),
                number(there.max_workers),
            ),
            (
                asked.min_workers.is_some(),
                "minWorkers",
                number(here.min_workers),
                number(there.min_workers),
            ),
            (
                asked.reuse_workers.is_some(),
                "reuseWorkers",
                flag(own.reuse_workers, true),
                flag(other.reuse_workers, true),
            ),
            (
                asked.timeout_ms.is_some(),
                "timeout",
                ms(self.timeout_ms),
                ms(requested.timeout_ms),
            ),
            (
                asked.max_queue.is_some(),
                "maxQueue",
                queue(here.max_queue),
                queue(there.max_queue),
            ),
            (
                asked.idle_ms.is_some(),
                "idleTimeoutMs",
                ms(here.idle_ms),
                ms(there.idle_ms),
            ),
            (
                asked.per_worker.is_some(),
                "concurrentTasksPerWorker",
                number(here.per_worker),
                number(there.per_worker),
            ),
            (
                asked.max_tasks.is_some(),
                "recycle.maxTasks",
                ms(own.max_tasks),
                ms(other.max_tasks),
            ),
            (
                asked.max_heap_mb.is_some(),
                "recycle.maxHeapMB",
                heap(own.max_heap_mb),
                heap(other.max_heap_mb),
            ),
            (
                asked.resource_limits.is_some(),
                "resourceLimits",
                text(&own.resource_limits),
                text(&other.resource_limits),
            ),
            (
                asked.blocking.is_some(),
                "blocking",
                flag(own.blocking, true),
                flag(other.blocking, true),
            ),
        ];
        let differs = pairs
            .into_iter()
            .find(|(given, _, existing, asked)| *given && existing != asked);
        match differs {
            None => Ok(()),
            Some((_, option, existing, requested)) => Err(Error::OptionConflict {
                name: name.to_owned(),
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
    fn defaults_are_those_of_the_documents() {
        let config = Config::from(Options::default());
        assert_eq!((config.limits.max_workers, config.limits.min_workers), (8, 2));
        assert_eq!(config.timeout_ms, Some(300_000));
        assert_eq!(
            (config.limits.max_queue, config.limits.per_worker),
            (usize::MAX, 1)
        );
        let single = Config::from(Options {
            max_workers: Some(1),
            reuse_workers: Some(false),
            ..Options::default()
        });
        assert_eq!((single.limits.min_workers, single.limits.max_tasks), (1, Some(1)));
    }

    #[test]
    fn only_what_is_given_has_to_agree() {
        let config = Config::from(Options {
            max_workers: Some(3),
            ..Options::default()
        });
        assert_eq!(config.agree("p", &Options::default()), Ok(()));
        let asked = Options {
            max_workers: Some(4),
            ..Options::default()
        };
        let conflict = Error::OptionConflict {
            name: "p".into(),
            option: "maxWorkers",
            existing: "3".into(),
            requested: "4".into(),
        };
        assert_eq!(config.agree("p", &asked), Err(conflict));
    }
}
