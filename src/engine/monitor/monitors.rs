//! A monitor: names of samples and windows, and the alerts over them. Named monitors are
//! shared by all threads of the process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use super::alerts::Book;
use super::samples::Samples;
use super::store::Target;
use super::window::Window;
use super::worker;
use crate::engine::registry::{Engine, Handle, Registry};
use crate::error::{Error, Result};

/// Names that a monitor holds at most: the names of samples may come from requests.
pub const MOST_NAMES: usize = 10_000;

/// What takes the records of further names.
pub const OVERFLOW: &str = super::metrics::OVERFLOW;

/// The options that the handles of a named monitor must agree on.
pub const SHARED_OPTIONS: [&str; 8] = [
    "metricsWindow",
    "metricsRetention",
    "monitoringInterval",
    "cpu",
    "memory",
    "errorRate",
    "queueDepth",
    "responseTime",
];

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// The latest values: how many, and how old they may be, in milliseconds.
    Samples(usize, f64),
    /// A rolling window: its length in milliseconds, its slices and its binary digits.
    Window(f64, u32, u32),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Monitor {
    options: Vec<(String, String)>,
    names: Mutex<HashMap<String, (bool, u32)>>,
    /// Its alerts.
    pub alerts: Mutex<Book>,
    closed: AtomicBool,
}

impl Monitor {
    /// A monitor with these options.
    pub fn new(options: Vec<(String, String)>) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// The named monitors of this process.
    pub fn registry() -> &'static Registry<Self> {
        static REGISTRY: LazyLock<Registry<Monitor>> = LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// A handle on the monitor of this name, made if need be. Monitors whose names end in
    /// `:default` live as long as the process, whichever thread used them first.
    ///
    /// # Errors
    /// An option that is given explicitly is another one there.
    pub fn open(name: &str, options: Vec<(String, String)>) -> Result<Handle<Self>> {
        static KEPT: Mutex<Vec<Handle<Monitor>>> = Mutex::new(Vec::new());
        let open = || {
            Self::registry().open(
                name,
                |monitor| monitor.agree(name, &options),
                || Arc::new(Self::new(options.clone())),
            )
        };
        let handle = open()?;
        if name.ends_with(":default") {
            let mut kept = KEPT.lock();
            if !kept
                .iter()
                .any(|kept| Arc::ptr_eq(kept.engine(), handle.engine()))
            {
                kept.push(open()?);
            }
        }
        Ok(handle)
    }

    /// Fails when an option that is given explicitly is another one here.
    pub fn agree(&self, name: &str, options: &[(String, String)]) -> Result<()> {
        for (option, requested) in options {
            let existing = self.options.iter().find(|(own, _)| own == option);
            let known = SHARED_OPTIONS.iter().find(|known| *known == option);
            if let (Some((_, existing)), Some(option)) = (existing, known)
                && existing != requested
            {
                return Err(Error::OptionConflict {
                    name: name.into(),
                    option,
                    existing: existing.clone(),
                    requested: requested.clone(),
                });
            }
        }
        Ok(())
    }

    /// The target of a name, made if it is new. Returns whether the caller may remember it,
    /// too: what exceeds the number of names all goes to one of them.
    pub fn target(&self, name: &str, form: Form) -> (u32, bool) {
        let mut names = self.names.lock();
        let is_window = matches!(form, Form::Window(..));
        if let Some((known, target)) = names.get(name)
            && *known == is_window
        {
            return (*target, true);
        }
        let (name, remember) = match names.len() < MOST_NAMES {
            true => (name, true),
            false => (OVERFLOW, false),
        };
        if let Some((known, target)) = names.get(name)
            && *known == is_window
        {
            return (*target, remember);
        }
        let target = match form {
            Form::Samples(capacity, retention_ms) => {
                Target::Samples(Box::new(Samples::new(capacity, retention_ms)))
            }
            Form::Window(length_ms, slices, bits) => {
                Target::Window(Box::new(Window::new(length_ms, slices, bits)))
            }
        };
        let target = worker::process().store.lock().add(target);
        names.insert(name.to_owned(), (is_window, target));
        (target, remember)
    }

    /// The target of a name that is there already.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.names.lock().get(name).map(|(_, target)| *target)
    }

    /// All names, sorted, with their targets: those of samples, or those of windows.
    pub fn names(&self, windows: bool) -> Vec<(String, u32)> {
        let names = self.names.lock();
        let wanted = names.iter().filter(|(_, (is_window, _))| *is_window == windows);
        let mut list: Vec<_> = wanted
            .map(|(name, (_, target))| (name.clone(), *target))
            .collect();
        list.sort_unstable();
        list
    }

    /// True once the last handle was closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Engine for Monitor {
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let names = std::mem::take(&mut *self.names.lock());
        let mut store = worker::process().store.lock();
        for (_, target) in names.into_values() {
            store.remove(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_end_with_the_monitor() {
        let monitor = Monitor::default();
        let form = Form::Samples(10, f64::INFINITY);
        let (first, _) = monitor.target("first", form);
        assert_eq!(monitor.target("first", form), (first, true));
        for name in 0..MOST_NAMES {
            monitor.target(&name.to_string(), form);
        }
        let (overflow, remember) = monitor.target("one more", form);
        assert!(!remember);
        assert_eq!(monitor.target("and another", form), (overflow, false));
        assert_eq!(monitor.find(OVERFLOW), Some(overflow));
        monitor.close();
        assert!(matches!(worker::process().store.lock().get(first), Target::None));
        assert!(monitor.names(false).is_empty());
    }

    #[test]
    fn the_default_monitor_outlives_its_handles() {
        let first = Monitor::open("test:default", Vec::new()).unwrap();
        let monitor = first.engine().clone();
        first.close();
        assert!(!monitor.is_closed());
        let other = Monitor::open("test:other", Vec::new()).unwrap();
        let engine = other.engine().clone();
        other.close();
        assert!(engine.is_closed());
    }

    #[test]
    fn only_options_that_both_give_can_conflict() {
        let option = |value: &str| vec![("metricsWindow".to_owned(), value.to_owned())];
        let monitor = Monitor::new(option("60000"));
        assert!(monitor.agree("a", &[]).is_ok());
        assert!(monitor.agree("a", &option("60000")).is_ok());
        let error = monitor.agree("a", &option("1000")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Option metricsWindow of 'a' is 60000, but 1000 was asked for"
        );
    }
}
