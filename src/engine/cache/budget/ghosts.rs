//! Keys that a cache evicted last, and how often they were asked for again.

use std::collections::{HashMap, VecDeque};

/// Keys that are remembered at most: about 40 bytes each.
const MAX_KEYS: usize = 8_192;

/// See the module.
#[derive(Debug)]
pub struct Ghosts {
    /// By hash the number of the eviction, which tells a key's last one from those before.
    evicted: HashMap<u64, u64>,
    order: VecDeque<(u64, u64, u64)>,
    next: u64,
    /// Bytes that the remembered entries took, and how many are worth remembering.
    bytes: u64,
    window: u64,
    /// True when keys had to be forgotten for their number.
    is_cut: bool,
    hits: f64,
}

impl Ghosts {
    /// Remembers keys of entries of so many bytes.
    pub fn new(window: u64) -> Self {
        Self {
            evicted: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
            bytes: 0,
            window,
            is_cut: false,
            hits: 0.0,
        }
    }

    /// An entry of `cost` bytes was evicted.
    pub fn push(&mut self, hash: u64, cost: u64) {
        self.evicted.insert(hash, self.next);
        self.order.push_back((hash, self.next, cost));
        self.next += 1;
        self.bytes += cost;
        while self.order.len() > MAX_KEYS || self.bytes > self.window {
            self.is_cut |= self.order.len() > MAX_KEYS;
            let Some((hash, number, cost)) = self.order.pop_front() else {
                break;
            };
            self.bytes -= cost;
            if self.evicted.get(&hash) == Some(&number) {
                self.evicted.remove(&hash);
            }
        }
    }

    /// A key was asked for in vain. True when it was evicted a moment ago.
    pub fn hit(&mut self, hash: u64) -> bool {
        // Its next eviction counts anew.
        let hit = self.evicted.remove(&hash).is_some();
        self.hits += f64::from(u8::from(hit));
        hit
    }

    /// Hits per byte that more memory would have brought lately. Asking for it halves what
    /// has been counted so far.
    pub fn take_slope(&mut self) -> f64 {
        let covered = if self.is_cut {
            self.bytes
        } else {
            self.window.max(self.bytes)
        };
        let slope = self.hits / covered.max(1) as f64;
        self.hits /= 2.0;
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_once_for_each_eviction() {
        let mut ghosts = Ghosts::new(1_000);
        ghosts.push(1, 100);
        assert!(ghosts.hit(1) && !ghosts.hit(1) && !ghosts.hit(2));
        ghosts.push(1, 100);
        ghosts.push(1, 100);
        assert!(ghosts.hit(1) && !ghosts.hit(1));
        assert_eq!(ghosts.take_slope(), 2.0 / 1_000.0);
        assert_eq!(ghosts.take_slope(), 1.0 / 1_000.0);
    }

    #[test]
    fn what_is_long_gone_is_forgotten() {
        let mut ghosts = Ghosts::new(1_000);
        (0..20).for_each(|hash| ghosts.push(hash, 100));
        assert!(!ghosts.hit(9) && ghosts.hit(10) && ghosts.hit(19));
        let mut ghosts = Ghosts::new(u64::MAX);
        (0..MAX_KEYS as u64 + 5).for_each(|hash| ghosts.push(hash, 10));
        assert!(!ghosts.hit(4) && ghosts.hit(5));
        assert_eq!(ghosts.take_slope(), 1.0 / (10 * MAX_KEYS) as f64);
        assert!(ghosts.evicted.len() <= MAX_KEYS);
    }
}
