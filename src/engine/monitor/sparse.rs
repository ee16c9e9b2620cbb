//! Counts at integer positions, of which few are in use: memory is taken where something is
//! counted, thirty-two positions at a time.

/// Positions that are allocated together.
const CHUNK: i32 = 32;

/// Chunks that are found without a search, as a power of two.
const REMEMBERED: usize = 8;

/// Counts by position.
#[derive(Debug, Clone, Default)]
pub struct Sparse {
    /// Numbers of the chunks in ascending order, and where their counts stand.
    order: Vec<(i32, u32)>,
    counts: Vec<[u32; CHUNK as usize]>,
    /// Chunks by the last bits of their numbers: a number and one more than its place. Values
    /// spread over a few chunks, and which of them comes next nobody can guess; a search in
    /// `order` would mispredict its branches all the time.
    recent: [(i32, u32); REMEMBERED],
    /// What does not fit 32 bits, by position. Hardly ever in use.
    carried: Vec<(i32, u64)>,
}

impl Sparse {
    /// Adds to the count at a position.
    #[inline]
    pub fn add(&mut self, position: i32, count: u64) {
        let (number, place) = (position.div_euclid(CHUNK), position.rem_euclid(CHUNK) as usize);
        let (known, beyond) = self.recent[number as usize % REMEMBERED];
        let at = if known == number && beyond > 0 {
            beyond - 1
        } else {
            self.chunk(number)
        };
        let cell = &mut self.counts[at as usize][place];
        let sum = u64::from(*cell) + count;
        *cell = sum as u32;
        let carry = sum & !u64::from(u32::MAX);
        if carry != 0 {
            self.carry(position, carry);
        }
    }

    #[cold]
    fn chunk(&mut self, number: i32) -> u32 {
        let at = match self.order.binary_search_by_key(&number, |(known, _)| *known) {
            Ok(index) => self.order[index].1,
            Err(index) => {
                let at = self.counts.len() as u32;
                // Not twice as much at once: thousands of these stand beside each other.
                let more = 1 + self.counts.len() / 4;
                if self.counts.len() == self.counts.capacity() {
                    self.counts.reserve_exact(more);
                    self.order.reserve_exact(more);
                }
                self.counts.push([0; CHUNK as usize]);
                self.order.insert(index, (number, at));
                at
            }
        };
        self.recent[number as usize % REMEMBERED] = (number, at + 1);
        at
    }

    #[cold]
    fn carry(&mut self, position: i32, count: u64) {
        match self.carried.iter_mut().find(|(place, _)| *place == position) {
            Some((_, carried)) => *carried += count,
            None => self.carried.push((position, count)),
        }
    }

    /// All positions that count something, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let positions = self.order.iter().flat_map(|(number, at)| {
            let first = number * CHUNK;
            (first..).zip(self.counts[*at as usize].iter().copied())
        });
        positions.filter_map(|(position, low)| {
            let count = u64::from(low) + self.carried_at(position);
            (count > 0).then_some((position, count))
        })
    }

    fn carried_at(&self, position: i32) -> u64 {
        let found = self.carried.iter().find(|(place, _)| *place == position);
        found.map_or(0, |(_, count)| *count)
    }

    /// Adds all counts of another one.
    pub fn merge(&mut self, other: &Self) {
        for (position, count) in other.iter() {
            self.add(position, count);
        }
    }

    /// How many chunks are in use; each takes 128 bytes and its share of what finds it.
    pub fn chunks(&self) -> usize {
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_counts_as_a_map_does(adds in prop::collection::vec((-200i32..200, 1u64..(1 << 33)), 0..200)) {
            let (mut sparse, mut map) = (Sparse::default(), BTreeMap::new());
            for (position, count) in adds {
                sparse.add(position, count);
                *map.entry(position).or_insert(0u64) += count;
            }
            prop_assert_eq!(sparse.iter().collect::<Vec<_>>(), map.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn merged_counts_are_sums() {
        let (mut left, mut right) = (Sparse::default(), Sparse::default());
        left.add(-5, u64::from(u32::MAX));
        right.add(-5, 2);
        right.add(70, 3);
        left.merge(&right);
        assert_eq!(left.iter().collect::<Vec<_>>(), [(-5, (1 << 32) + 1), (70, 3)]);
        assert_eq!(left.chunks(), 2);
    }
}
