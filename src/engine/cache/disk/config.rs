//! Options of a disk cache.

use crate::error::{Error, Result};

/// Options as they were given; none for what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// What the cache is called. One name is one directory.
    pub name: Option<String>,
    /// Bytes of entries that are kept at most.
    pub disk_limit: Option<u64>,
    /// How long an entry lives that is given no time of its own; the inner none is for ever.
    pub max_age_ms: Option<Option<u64>>,
    /// Values above this are kept in files.
    pub stream_threshold: Option<u64>,
}

/// Options in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// See [`Options::name`].
    pub name: Option<String>,
    /// See [`Options::disk_limit`]. 5 GiB by default.
    pub disk_limit: u64,
    /// See [`Options::max_age_ms`]. Seven days by default.
    pub max_age_ms: Option<u64>,
    /// See [`Options::stream_threshold`]. 1 MiB by default.
    pub stream_threshold: u64,
}

impl From<&Options> for Config {
    fn from(options: &Options) -> Self {
        Self {
            name: options.name.clone(),
            disk_limit: options.disk_limit.unwrap_or(5 << 30),
            max_age_ms: options.max_age_ms.unwrap_or(Some(7 * 24 * 3600 * 1000)),
            stream_threshold: options.stream_threshold.unwrap_or(1 << 20),
        }
    }
}

impl Config {
    /// Whether a handle that gives these options may join.
    ///
    /// # Errors
    /// [`Error::OptionConflict`] with the first option that differs.
    pub fn agree(&self, options: &Options) -> Result<()> {
        let name = self.name.as_deref().unwrap_or("the cache in this directory");
        let age = |ms: Option<u64>| ms.map_or("unlimited".to_owned(), |ms| ms.to_string());
        let pairs = [
            (
                "name",
                self.name.clone().unwrap_or("not given".to_owned()),
                options.name.clone(),
            ),
            (
                "diskLimit",
                self.disk_limit.to_string(),
                options.disk_limit.map(|bytes| bytes.to_string()),
            ),
            ("maxAgeMs", age(self.max_age_ms), options.max_age_ms.map(age)),
            (
                "streamThresholdBytes",
                self.stream_threshold.to_string(),
                options.stream_threshold.map(|bytes| bytes.to_string()),
            ),
        ];
        for (option, existing, requested) in pairs {
            if let Some(requested) = requested.filter(|requested| *requested != existing) {
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
