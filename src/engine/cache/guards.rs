//! Guards: how somebody who is bringing an older value to a key learns that he was overtaken.
//!
//! Whoever reads a value somewhere else in order to store it here watches the key first. A
//! write or deletion of the key, or an invalidation of one of the value's tags, marks the guard
//! before it changes anything; the bringer looks at the mark while the key is locked, and does
//! not store. So what was read before a change never replaces it.
//!
//! The lock is a leaf. Without guards, a change costs one load.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ahash::RandomState;
use parking_lot::Mutex;

#[derive(Debug, Default)]
struct Mark {
    overtaken: AtomicBool,
    /// Hardly ever any, so that a watch costs no set.
    invalidated: Mutex<Option<Box<Tags>>>,
}

type Tags = HashSet<String, RandomState>;

type Marks = HashMap<Arc<[u8]>, Vec<Arc<Mark>>, RandomState>;

/// The guards of one engine.
#[derive(Debug, Default)]
pub struct Guards {
    marks: Mutex<Marks>,
    count: AtomicUsize,
}

/// A watch on a key, which ends when it is dropped.
#[derive(Debug)]
pub struct Guard {
    guards: Arc<Guards>,
    key: Arc<[u8]>,
    mark: Arc<Mark>,
}

impl Guards {
    /// Watches a key from now on.
    pub fn watch(self: &Arc<Self>, key: Arc<[u8]>) -> Guard {
        let mark = Arc::<Mark>::default();
        let mut marks = self.marks.lock();
        marks.entry(key.clone()).or_default().push(mark.clone());
        self.count.fetch_add(1, Ordering::SeqCst);
        Guard {
            guards: self.clone(),
            key,
            mark,
        }
    }

    fn is_idle(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// A key is about to change.
    pub fn overtake(&self, key: &[u8]) {
        if self.is_idle() {
            return;
        }
        if let Some(marks) = self.marks.lock().get(key) {
            marks.iter().for_each(|mark| mark.overtake());
        }
    }

    /// The keys that `chosen` holds for are about to change.
    pub fn overtake_where(&self, chosen: &dyn Fn(&[u8]) -> bool) {
        if self.is_idle() {
            return;
        }
        for (key, marks) in self.marks.lock().iter() {
            if chosen(key) {
                marks.iter().for_each(|mark| mark.overtake());
            }
        }
    }

    /// Everything is about to change.
    pub fn overtake_all(&self) {
        self.overtake_where(&|_| true);
    }

    /// Entries with one of these tags are about to go.
    pub fn invalidate_tags(&self, tags: &[String]) {
        if self.is_idle() {
            return;
        }
        for mark in self.marks.lock().values().flatten() {
            let mut invalidated = mark.invalidated.lock();
            invalidated.get_or_insert_default().extend(tags.iter().cloned());
        }
    }
}

impl Mark {
    fn overtake(&self) {
        self.overtaken.store(true, Ordering::SeqCst);
    }
}

impl Guard {
    /// The key.
    pub fn key(&self) -> &Arc<[u8]> {
        &self.key
    }

    /// True while nobody has changed the key or invalidated one of these tags.
    pub fn holds<'a>(&self, tags: impl IntoIterator<Item = &'a Arc<str>>) -> bool {
        if self.mark.overtaken.load(Ordering::SeqCst) {
            return false;
        }
        let mut tags = tags.into_iter().peekable();
        if tags.peek().is_none() {
            return true;
        }
        let invalidated = self.mark.invalidated.lock();
        invalidated
            .as_ref()
            .is_none_or(|invalidated| !tags.any(|tag| invalidated.contains(&**tag)))
    }

    /// The key was given this guard's value: whoever else brings one, brings an older one.
    pub fn prevail(&self) {
        self.guards.overtake(&self.key);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut marks = self.guards.marks.lock();
        if let Some(of_key) = marks.get_mut(&self.key) {
            of_key.retain(|mark| !Arc::ptr_eq(mark, &self.mark));
            if of_key.is_empty() {
                marks.remove(&self.key);
            }
        }
        self.guards.count.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TAGS: [&Arc<str>; 0] = [];

    fn watch(guards: &Arc<Guards>, key: &str) -> Guard {
        guards.watch(key.as_bytes().into())
    }

    #[test]
    fn a_change_marks_the_guards_of_its_key() {
        let guards = Arc::<Guards>::default();
        let (one, two, other) = (watch(&guards, "a"), watch(&guards, "a"), watch(&guards, "b"));
        guards.overtake(b"a");
        assert!(!one.holds(NO_TAGS) && !two.holds(NO_TAGS) && other.holds(NO_TAGS));
        assert!(watch(&guards, "a").holds(NO_TAGS));
        guards.overtake_all();
        assert!(!other.holds(NO_TAGS));
    }

    #[test]
    fn tags_overtake_only_those_that_carry_them() {
        let guards = Arc::<Guards>::default();
        let guard = watch(&guards, "a");
        guards.invalidate_tags(&["red".to_owned()]);
        let (red, blue): (Arc<str>, Arc<str>) = ("red".into(), "blue".into());
        assert!(guard.holds([&blue]) && guard.holds(NO_TAGS) && !guard.holds([&blue, &red]));
    }

    #[test]
    fn a_dropped_guard_leaves_nothing() {
        let guards = Arc::<Guards>::default();
        drop((watch(&guards, "a"), watch(&guards, "a")));
        assert!(guards.is_idle() && guards.marks.lock().is_empty());
    }
}
