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
        let requested = Self::from(asked.clone());
        for (option, given, shown) in COMPARED {
            let (existing, requested) = (shown(self), shown(&requested));
            if given(asked) && existing != requested {
                return Err(Error::OptionConflict {
                    name: name.to_owned(),
                    option,
                    existing,
                    requested,
                });
            }
        }
        Ok(())
    }
}

/// An option's name, whether it was given, and what it is in words.
type Compared = (&'static str, fn(&Options) -> bool, fn(&Config) -> String);

/// What handles of one name have to agree about.
const COMPARED: [Compared; 12] = [
    ("file", |_| true, |pool| pool.options.file.clone()),
    (
        "maxWorkers",
        |asked| asked.max_workers.is_some(),
        |pool| pool.limits.max_workers.to_string(),
    ),
    (
        "minWorkers",
        |asked| asked.min_workers.is_some(),
        |pool| pool.limits.min_workers.to_string(),
    ),
    (
        "reuseWorkers",
        |asked| asked.reuse_workers.is_some(),
        |pool| pool.options.reuse_workers.unwrap_or(true).to_string(),
    ),
    (
        "timeout",
        |asked| asked.timeout_ms.is_some(),
        |pool| limit(pool.timeout_ms),
    ),
    (
        "maxQueue",
        |asked| asked.max_queue.is_some(),
        |pool| limit(Some(pool.limits.max_queue).filter(|most| *most != usize::MAX)),
    ),
    (
        "idleTimeoutMs",
        |asked| asked.idle_ms.is_some(),
        |pool| limit(pool.limits.idle_ms),
    ),
    (
        "concurrentTasksPerWorker",
        |asked| asked.per_worker.is_some(),
        |pool| pool.limits.per_worker.to_string(),
    ),
    (
        "recycle.maxTasks",
        |asked| asked.max_tasks.is_some(),
        |pool| limit(pool.options.max_tasks),
    ),
    (
        "recycle.maxHeapMB",
        |asked| asked.max_heap_mb.is_some(),
        |pool| limit(pool.options.max_heap_mb),
    ),
    (
        "resourceLimits",
        |asked| asked.resource_limits.is_some(),
        |pool| {
            let given = pool.options.resource_limits.clone();
            given.unwrap_or("the default".to_owned())
        },
    ),
    (
        "blocking",
        |asked| asked.blocking.is_some(),
        |pool| pool.options.blocking.unwrap_or(true).to_string(),
    ),
];

fn limit<T: ToString>(most: Option<T>) -> String {
    most.map_or("unlimited".to_owned(), |most| most.to_string())
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
