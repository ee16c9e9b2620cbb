//! The structure dictionary: the shapes of the objects that a cache holds.
//!
//! Objects are encoded as records, whose property names stand here once instead of in every
//! value. The dictionary belongs to the engine, so that every thread can decode what any
//! other wrote. It only ever grows, and its readers remember it by its version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

/// An append-only document with a version, opaque to the engine.
#[derive(Debug, Default)]
pub struct Dictionary {
    version: AtomicU32,
    document: Mutex<Option<Arc<[u8]>>>,
}

impl Dictionary {
    /// The number of times that the dictionary was saved.
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::SeqCst)
    }

    /// The current document, if there is one.
    pub fn load(&self) -> Option<Arc<[u8]>> {
        self.document.lock().clone()
    }

    /// Replaces version `expected`. False when somebody else was faster.
    pub fn save(&self, document: &[u8], expected: u32) -> bool {
        let mut current = self.document.lock();
        if self.version() != expected {
            return false;
        }
        *current = Some(document.into());
        self.version.store(expected.wrapping_add(1), Ordering::SeqCst);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_two_writers_is_refused() {
        let dictionary = Dictionary::default();
        assert_eq!(dictionary.load(), None);
        assert!(dictionary.save(b"one", 0));
        assert!(!dictionary.save(b"two", 0));
        assert_eq!(dictionary.load().as_deref(), Some(&b"one"[..]));
        assert!(dictionary.save(b"three", dictionary.version()));
        assert_eq!(dictionary.version(), 2);
    }
}
