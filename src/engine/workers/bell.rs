//! What a worker thread sleeps by until there is something to do.

use super::sync::{AtomicBool, Condvar, Duration, Mutex, Ordering};

/// A bell that remembers that it was rung while nobody listened.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    asleep: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    /// Ends the wait of its owner, or the next one.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
        if *self.lock() {
            self.changed.notify_one();
        }
    }

    /// Forgets that it was rung.
    pub fn reset(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }

    /// Sleeps until it is rung, or for about as long as given. Returns whether it was rung.
    pub fn wait(&self, limit: Duration) -> bool {
        let mut asleep = self.lock();
        // Looked at under the lock: who rings from here on finds us asleep.
        if !self.rung.load(Ordering::SeqCst) {
            *asleep = true;
            let woken = self.changed.wait_timeout(asleep, limit);
            asleep = woken.unwrap_or_else(|poisoned| poisoned.into_inner()).0;
            *asleep = false;
        }
        drop(asleep);
        self.rung.load(Ordering::SeqCst)
    }

    fn lock(&self) -> super::sync::MutexGuard<'_, bool> {
        self.asleep
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
