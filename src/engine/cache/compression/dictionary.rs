//! Dictionaries that were trained from values: what is common to them need not stand in each.
//!
//! A record names its dictionary by a counted reference of two bytes, so that a value stays
//! readable for as long as anybody holds it, whatever its cache has trained since, and a
//! dictionary goes with the last value that needs it. All of them stand in one table.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;
use zstd::zstd_safe::{CDict, DDict};

use super::ZSTD_LEVEL;

/// Dictionaries in the process at most: a place is only used again once nothing refers to it.
const PLACES: usize = 4096;

/// References to each dictionary.
static USERS: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];

static TABLE: RwLock<Vec<Option<Arc<Trained>>>> = RwLock::new(Vec::new());

/// A dictionary made ready for both ways.
pub(super) struct Trained {
    pub(super) encoder: CDict<'static>,
    pub(super) decoder: DDict<'static>,
}

/// A counted reference to a dictionary.
#[derive(Debug, PartialEq, Eq)]
pub struct Dictionary(NonZeroU16);

impl Dictionary {
    /// Trains a dictionary of up to `max_bytes` from samples that stand one behind the other.
    /// About a second for 2 MiB. `None` when they have too little in common, or there are
    /// too many dictionaries already.
    pub fn train(samples: &[u8], sizes: &[usize], max_bytes: usize) -> Option<(Self, usize)> {
        let bytes = zstd::dict::from_continuous(samples, sizes, max_bytes).ok()?;
        Some((Self::new(&bytes)?, bytes.len()))
    }

    fn new(bytes: &[u8]) -> Option<Self> {
        let trained = Arc::new(Trained {
            encoder: CDict::try_create(bytes, ZSTD_LEVEL)?,
            decoder: DDict::try_create(bytes)?,
        });
        let mut table = TABLE.write();
        let place = match table.iter().position(Option::is_none) {
            Some(place) => place,
            None if table.len() + 1 < PLACES => {
                table.push(None);
                table.len() - 1
            }
            None => return None,
        };
        table[place] = Some(trained);
        USERS[place].store(1, Ordering::SeqCst);
        NonZeroU16::new(place as u16 + 1).map(Self)
    }

    fn place(&self) -> usize {
        usize::from(self.0.get()) - 1
    }

    pub(super) fn trained(&self) -> Option<Arc<Trained>> {
        TABLE.read().get(self.place())?.clone()
    }

    /// How many dictionaries there are in the process.
    #[cfg(test)]
    pub fn count() -> usize {
        TABLE.read().iter().flatten().count()
    }
}

impl Clone for Dictionary {
    fn clone(&self) -> Self {
        USERS[self.place()].fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // As in `Arc`: whoever comes from 1 to 0 has seen all uses before.
        if USERS[self.place()].fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(place) = TABLE.write().get_mut(self.place())
        {
            *place = None;
        }
    }
}
