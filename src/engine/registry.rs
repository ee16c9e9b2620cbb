//! Named engines: one per name and process, however many handles and threads use it.
//!
//! An engine lives from its first handle to the moment when the last one is closed. A handle
//! can also be *collected* (JavaScript lost it without closing it) or *torn down* (its
//! thread ended). Collection happens when the garbage collector pleases, so it must not
//! decide whether shared data lives: the handle of a named engine turns into a pin, which
//! keeps the engine until somebody closes a last handle or the pinning thread ends too.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Result;

/// What the registry needs to know about an engine.
pub trait Engine: Send + Sync {
    /// Ends the engine. Called once, after the last handle has gone.
    fn close(&self);
}

#[derive(Debug)]
struct Entry<E> {
    engine: Arc<E>,
    handles: usize,
    pins: usize,
}

/// The named engines of one kind.
#[derive(Debug)]
pub struct Registry<E> {
    entries: Mutex<HashMap<String, Entry<E>>>,
}

impl<E> Default for Registry<E> {
    fn default() -> Self {
        Self {
            entries: Mutex::new(HashMap::new()),
        }
    }
}

/// A counted reference to an engine. It must be ended by one of [`close`](Handle::close),
/// [`collect`](Handle::collect) and [`tear_down`](Handle::tear_down).
#[derive(Debug)]
#[must_use = "a handle that is dropped without being ended keeps a named engine for ever"]
pub struct Handle<E: Engine + 'static> {
    engine: Arc<E>,
    shared: Option<(&'static Registry<E>, String)>,
}

/// What is left of a collected handle of a named engine.
#[derive(Debug)]
#[must_use = "a pin that is dropped without being released keeps its engine for ever"]
pub struct Pin<E: Engine + 'static> {
    registry: &'static Registry<E>,
    name: String,
    engine: Arc<E>,
}

impl<E: Engine> Registry<E> {
    /// A handle on the engine called `name`: the existing one if `agrees` accepts it, else
    /// a new one.
    pub fn open(
        &'static self,
        name: &str,
        agrees: impl FnOnce(&E) -> Result<()>,
        create: impl FnOnce() -> Arc<E>,
    ) -> Result<Handle<E>> {
        let mut entries = self.entries.lock();
        let entry = match entries.get_mut(name) {
            Some(entry) => {
                agrees(&entry.engine)?;
                entry
            }
            None => {
                let entry = Entry {
                    engine: create(),
                    handles: 0,
                    pins: 0,
                };
                entries.entry(name.to_owned()).or_insert(entry)
            }
        };
        entry.handles += 1;
        Ok(Handle {
            engine: entry.engine.clone(),
            shared: Some((self, name.to_owned())),
        })
    }

    /// How many named engines are open.
    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// True when no named engine is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes the counts of an entry and closes its engine if `ends` says so. An entry of
    /// the same name but another engine is a successor, and none of our business.
    fn leave(&self, name: &str, engine: &Arc<E>, change: impl FnOnce(&mut Entry<E>) -> bool) {
        let mut entries = self.entries.lock();
        let Some(entry) = entries
            .get_mut(name)
            .filter(|entry| Arc::ptr_eq(&entry.engine, engine))
        else {
            return;
        };
        if change(entry) {
            entries.remove(name);
            drop(entries);
            engine.close();
        }
    }
}

impl<E: Engine> Handle<E> {
    /// A handle on a private engine.
    pub fn private(engine: Arc<E>) -> Self {
        Self { engine, shared: None }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<E> {
        &self.engine
    }

    /// Ends the handle on request: the last one closes the engine.
    pub fn close(self) {
        match &self.shared {
            None => self.engine.close(),
            Some((registry, name)) => registry.leave(name, &self.engine, |entry| {
                entry.handles -= 1;
                entry.handles == 0
            }),
        }
    }

    /// Ends the handle because JavaScript lost it. A private engine is closed, a named one
    /// stays and is pinned.
    pub fn collect(self) -> Option<Pin<E>> {
        let Some((registry, name)) = self.shared else {
            self.engine.close();
            return None;
        };
        registry.leave(&name, &self.engine, |entry| {
            entry.handles -= 1;
            entry.pins += 1;
            false
        });
        Some(Pin {
            registry,
            name,
            engine: self.engine,
        })
    }

    /// Ends the handle because its thread ends. The engine is closed if nobody else uses it.
    pub fn tear_down(self) {
        if let Some(pin) = self.collect() {
            pin.release();
        }
    }
}

impl<E: Engine> Pin<E> {
    /// Ends the pin. The engine is closed if nobody else uses it.
    pub fn release(self) {
        self.registry.leave(&self.name, &self.engine, |entry| {
            entry.pins -= 1;
            entry.pins == 0 && entry.handles == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, Default)]
    struct Probe {
        closed: AtomicUsize,
    }

    impl Engine for Probe {
        fn close(&self) {
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn registry() -> &'static Registry<Probe> {
        Box::leak(Box::default())
    }

    fn open(registry: &'static Registry<Probe>) -> Handle<Probe> {
        registry.open("a", |_| Ok(()), Arc::default).unwrap()
    }

    fn closed(engine: &Arc<Probe>) -> usize {
        engine.closed.load(Ordering::SeqCst)
    }

    #[test]
    fn the_last_close_ends_the_engine_and_frees_the_name() {
        let registry = registry();
        let (first, second) = (open(registry), open(registry));
        let engine = first.engine().clone();
        assert!(Arc::ptr_eq(&engine, second.engine()));
        first.close();
        assert_eq!(closed(&engine), 0);
        second.close();
        assert_eq!(closed(&engine), 1);
        assert!(registry.is_empty());
        let next = open(registry);
        assert!(!Arc::ptr_eq(&engine, next.engine()));
        next.close();
    }

    #[test]
    fn a_disagreement_opens_nothing() {
        let registry = registry();
        let first = open(registry);
        let refused = registry.open("a", |_| Err(Error::NotANumber), Arc::default);
        assert!(refused.is_err());
        let engine = first.engine().clone();
        first.close();
        assert_eq!(closed(&engine), 1);
    }

    #[test]
    fn a_collected_handle_keeps_a_named_engine_until_its_thread_ends() {
        let registry = registry();
        let handle = open(registry);
        let engine = handle.engine().clone();
        let pin = handle.collect().unwrap();
        open(registry).tear_down();
        assert_eq!(closed(&engine), 0);
        pin.release();
        assert_eq!(closed(&engine), 1);
    }

    #[test]
    fn an_explicit_last_close_overrides_pins() {
        let registry = registry();
        let pin = open(registry).collect().unwrap();
        let last = open(registry);
        let engine = last.engine().clone();
        last.close();
        assert_eq!(closed(&engine), 1);
        let successor = open(registry);
        pin.release();
        assert_eq!(closed(successor.engine()), 0);
        successor.close();
    }

    #[test]
    fn private_engines_end_with_their_handle() {
        for end in [Handle::close as fn(Handle<Probe>), Handle::tear_down] {
            let engine = Arc::new(Probe::default());
            end(Handle::private(engine.clone()));
            assert_eq!(closed(&engine), 1);
        }
        let engine = Arc::new(Probe::default());
        assert!(Handle::private(engine.clone()).collect().is_none());
        assert_eq!(closed(&engine), 1);
    }
}
