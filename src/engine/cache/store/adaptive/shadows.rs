//! Which window is best? Small copies of the policy, one per window size, see a sample of
//! the keys and count their hits. The cache takes over the window of the copy that does
//! best.
//!
//! A copy holds at most [`MAX_ENTRIES`] keys and no values. Keys are sampled by their hash,
//! at the rate by which the copy is smaller than the cache.

use hashbrown::HashTable;

use super::segments::{Segments, Style};
use super::sketch::Sketch;

/// Entries of a copy at most. The fewer, the less a copy's hits say: with 1,024 the trace
/// `multi2` has half a point less, with 512 it loses 3 more.
const MAX_ENTRIES: u64 = 2048;

/// The windows to choose from: nearly none, small, large, and plain LRU.
const ARMS: [Style; 4] = [
    Style {
        window_share: 0.002,
        margin: 1,
    },
    Style {
        window_share: 0.06,
        margin: 0,
    },
    Style {
        window_share: 0.3,
        margin: 0,
    },
    Style {
        window_share: 1.0,
        margin: 0,
    },
];

const LRU: usize = ARMS.len() - 1;

/// Sampled accesses, in multiples of a copy's entries, after which a hit counts half.
const HALF_LIFE: f64 = 12.0;

/// By how much of all accesses another arm must lead to be taken. A wrong switch to plain
/// LRU spoils the main part for long.
const LEAD: f64 = 0.003;
const LEAD_OF_LRU: f64 = 0.01;

#[derive(Debug)]
struct Shadow {
    segments: Segments,
    index: HashTable<u32>,
    hits: f64,
}

/// See the module.
#[derive(Debug)]
pub struct Shadows {
    shadows: [Shadow; ARMS.len()],
    chosen: usize,
    shift: u32,
    capacity: u64,
    accesses: f64,
    /// Sampled accesses since the last decision.
    pending: u32,
}

impl Shadows {
    /// Copies of a cache of so much weight.
    pub fn new(capacity: u64) -> Self {
        Self {
            shadows: ARMS.map(Shadow::new),
            chosen: 0,
            shift: 0,
            capacity,
            accesses: 0.0,
            pending: 0,
        }
    }

    /// The style that is best as far as one can tell.
    pub fn chosen(&self) -> Style {
        ARMS[self.chosen]
    }

    /// Follows the size of the cache: its entries, and the weight that it may hold. The copies
    /// keep what they know; of a narrower sample that is what they would hold had they always
    /// sampled so few.
    pub fn fit(&mut self, entries: u64, capacity: u64) {
        self.capacity = capacity;
        while entries >> self.shift > MAX_ENTRIES {
            self.shift += 1;
            let is_sampled = |hash| is_sampled(hash, self.shift);
            self.shadows
                .iter_mut()
                .for_each(|shadow| shadow.retain(is_sampled));
            self.accesses /= 2.0;
        }
    }

    /// Forgets everything but the choice.
    pub fn clear(&mut self) {
        *self = Self {
            chosen: self.chosen,
            ..Self::new(self.capacity)
        };
    }

    /// A key was asked for. Its weight is known if the cache had it.
    pub fn access(&mut self, hash: u64, weight: Option<u32>, sketch: &Sketch) {
        if !is_sampled(hash, self.shift) {
            return;
        }
        self.accesses += 1.0;
        let capacity = self.capacity >> self.shift;
        for shadow in &mut self.shadows {
            shadow.access(hash, weight, capacity, sketch);
        }
        self.pending += 1;
        let entries = self.entries();
        if f64::from(self.pending) >= (0.1 * entries).max(16.0) {
            self.decide(entries);
        }
    }

    /// A key was written.
    pub fn insert(&mut self, hash: u64, weight: u32, sketch: &Sketch) {
        if is_sampled(hash, self.shift) {
            let capacity = self.capacity >> self.shift;
            for shadow in &mut self.shadows {
                if shadow.find(hash).is_none() {
                    shadow.insert(hash, weight, capacity, sketch);
                }
            }
        }
    }

    /// A key was deleted, or has expired.
    pub fn remove(&mut self, hash: u64) {
        if is_sampled(hash, self.shift) {
            for shadow in &mut self.shadows {
                if let Some(id) = shadow.find(hash) {
                    shadow.remove(id);
                }
            }
        }
    }

    /// How many entries a copy holds.
    fn entries(&self) -> f64 {
        self.shadows[self.chosen].segments.len().max(1) as f64
    }

    fn decide(&mut self, entries: f64) {
        let best = (0..ARMS.len()).max_by(|&a, &b| self.shadows[a].hits.total_cmp(&self.shadows[b].hits));
        if let Some(best) = best {
            let lead = self.shadows[best].hits - self.shadows[self.chosen].hits;
            let needed = if best == LRU { LEAD_OF_LRU } else { LEAD };
            if lead > needed * self.accesses {
                self.chosen = best;
            }
        }
        let fade = 0.5f64.powf(f64::from(self.pending) / (HALF_LIFE * entries));
        self.shadows.iter_mut().for_each(|shadow| shadow.hits *= fade);
        self.accesses *= fade;
        self.pending = 0;
    }
}

fn is_sampled(hash: u64, shift: u32) -> bool {
    // Bits that neither the shards nor the sketch's blocks depend on first.
    (hash >> 8) & ((1 << shift) - 1) == 0
}

impl Shadow {
    fn new(style: Style) -> Self {
        Self {
            segments: Segments::new(style),
            index: HashTable::new(),
            hits: 0.0,
        }
    }

    fn find(&self, hash: u64) -> Option<u32> {
        self.index
            .find(hash, |&id| self.segments.holds(id, hash))
            .copied()
    }

    fn access(&mut self, hash: u64, weight: Option<u32>, capacity: u64, sketch: &Sketch) {
        match (self.find(hash), weight) {
            (Some(id), _) => {
                self.hits += 1.0;
                self.segments.touch(id);
            }
            (None, Some(weight)) => self.insert(hash, weight, capacity, sketch),
            // The application will write it, and then its weight is known.
            (None, None) => {}
        }
    }

    fn insert(&mut self, hash: u64, weight: u32, capacity: u64, sketch: &Sketch) {
        let id = self.segments.insert(hash, weight);
        let Self { index, segments, .. } = self;
        index.insert_unique(hash, id, |&id| segments.describe(id).0);
        if self.segments.weight() <= capacity {
            self.segments.spill();
        }
        while self.segments.weight() > capacity {
            let Some(victim) = self.segments.choose_victim(sketch) else {
                break;
            };
            self.remove(victim);
        }
    }

    /// Keeps the keys of a narrower sample, about every other one.
    fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        let ids: Vec<u32> = self.index.iter().copied().collect();
        for id in ids {
            if !keep(self.segments.describe(id).0) {
                self.remove(id);
            }
        }
        self.hits /= 2.0;
    }

    fn remove(&mut self, id: u32) {
        let (hash, _) = self.segments.describe(id);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == id) {
            entry.remove();
        }
        self.segments.remove(id);
    }
}
