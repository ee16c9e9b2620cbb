//! What the store keeps and what it gives up, as far as entries are numbers: their hashes,
//! weights and uses. Knows no record and no map.

use super::super::Capacity;
use super::changes::{Changes, MapChange};
use super::reads::Read;
use super::segments::Segments;
use super::shadows::Shadows;
use super::sketch::Sketch;

/// Weights are counted in units of so many bytes, which keeps them in 32 bits.
const UNIT: u64 = 16;

/// See the module.
pub struct Policy {
    segments: Segments,
    sketch: Sketch,
    shadows: Shadows,
    /// The bounds.
    pub capacity: Capacity,
    /// Where changes are taken to.
    taken: Vec<MapChange>,
}

/// An entry that the policy has given up.
#[derive(Debug, Clone, Copy)]
pub struct Victim {
    /// Of its key.
    pub hash: u64,
    /// The node that it had.
    pub node: u32,
}

impl Policy {
    /// One that has seen nothing.
    pub fn new(capacity: Capacity) -> Self {
        let shadows = Shadows::new(capacity.bytes / UNIT);
        Self {
            segments: Segments::new(shadows.chosen()),
            sketch: Sketch::new(),
            shadows,
            capacity,
            taken: Vec::new(),
        }
    }

    /// Applies all changes that wait. Returns how many those were.
    pub fn follow_all(&mut self, changes: &Changes) -> usize {
        if changes.waiting() == 0 {
            return 0;
        }
        let mut taken = std::mem::take(&mut self.taken);
        changes.swap(&mut taken);
        let count = taken.len();
        taken.drain(..).for_each(|change| self.follow(change));
        self.taken = taken;
        count
    }

    /// Applies a change. A record that has arrived gets its node.
    pub fn follow(&mut self, MapChange { hash, update }: MapChange) {
        let returning = update
            .removed
            .is_some_and(|record| self.remove(hash, record.mark()));
        match update.stored {
            Some((record, cost)) => {
                let node = self.insert(hash, cost);
                record.set_mark(node);
                if returning {
                    // Written again is used again.
                    self.read(Read { hash, node });
                }
            }
            None => self.shadows.remove(hash),
        }
    }

    /// An entry weighs its bytes, and at least its share of them where entries are bounded.
    fn weight(&self, cost: u64) -> u32 {
        let share = self.capacity.bytes / self.capacity.entries;
        (cost.max(share) / UNIT).clamp(1, u64::from(u32::MAX)) as u32
    }

    /// Applies a read.
    pub fn read(&mut self, Read { hash, node }: Read) {
        self.sketch.increment(hash);
        let held = self.segments.holds(node, hash);
        if held {
            self.segments.touch(node);
        }
        let weight = held.then(|| self.segments.describe(node).1);
        self.shadows.access(hash, weight, &self.sketch);
        self.segments.style = self.shadows.chosen();
    }

    fn insert(&mut self, hash: u64, cost: u64) -> u32 {
        let weight = self.weight(cost);
        if self.sketch.estimate(hash) == 0 {
            self.sketch.increment(hash);
        }
        let node = self.segments.insert(hash, weight);
        let entries = self.segments.len();
        self.sketch.fit(entries);
        self.shadows.fit(entries as u64, self.capacity.bytes / UNIT);
        self.shadows.insert(hash, weight, &self.sketch);
        node
    }

    /// Removes the node of an entry that is gone.
    fn remove(&mut self, hash: u64, node: u32) -> bool {
        let held = self.segments.holds(node, hash);
        if held {
            self.segments.remove(node);
        }
        held
    }

    /// Makes use of room that there is.
    pub fn spill(&mut self) {
        self.segments.spill();
    }

    /// Gives up the entry that is worth least.
    pub fn give_up_one(&mut self) -> Option<Victim> {
        let node = self.segments.choose_victim(&self.sketch)?;
        Some(self.give_up(node))
    }

    /// Gives up the coldest entry, without a contest.
    pub fn give_up_coldest(&mut self) -> Option<Victim> {
        let node = self.segments.coldest()?;
        Some(self.give_up(node))
    }

    fn give_up(&mut self, node: u32) -> Victim {
        let (hash, _) = self.segments.describe(node);
        self.segments.remove(node);
        Victim { hash, node }
    }

    /// Forgets everything but the choice of a window.
    pub fn clear(&mut self) {
        self.segments = Segments::new(self.shadows.chosen());
        self.sketch.clear();
        self.shadows.clear();
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// True when this node stands for the entry of this hash.
    pub fn holds(&self, node: u32, hash: u64) -> bool {
        self.segments.holds(node, hash)
    }

    /// Recounts everything.
    pub fn validate(&self) -> Result<(), String> {
        self.segments.validate()
    }
}
