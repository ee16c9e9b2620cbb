//! Hearing of what other processes change in a tier, so that memory does not serve what is out
//! of date.

use std::sync::Weak;

use super::{Tiered, tags};
use crate::engine::cache::tier::Watcher;

/// Listens to one level on behalf of a cache.
#[derive(Debug)]
pub struct Ear {
    cache: Weak<Tiered>,
    level: u8,
}

impl Ear {
    /// Ears for the level of this number.
    pub fn new(cache: Weak<Tiered>, level: u8) -> Self {
        Self { cache, level }
    }
}

impl Watcher for Ear {
    fn changed(&self, keys: &[&[u8]]) {
        let Some(cache) = self.cache.upgrade() else { return };
        for key in keys {
            match tags::tag_of(key) {
                Some(tag) => cache.tag_changed_elsewhere(tag),
                None => cache.changed_elsewhere(key),
            }
        }
    }

    fn lost_track(&self) {
        if let Some(cache) = self.cache.upgrade() {
            cache.lost_track(self.level);
        }
    }
}
