//! Counts at integer positions, of which few are in use: memory is taken where something is
//! counted, thirty-two positions at a time.

/// Positions that are allocated together.
const CHUNK: i32 = 32;

#[derive(Debug, Clone)]
struct Chunk {
    number: i32,
    counts: Box<[u32; CHUNK as usize]>,
}

/// Counts by position.
#[derive(Debug, Clone, Default)]
pub struct Sparse {
    /// In ascending order of their numbers.
    chunks: Vec<Chunk>,
    /// Where the last count went: neighbours in time are neighbours in place.
    last: usize,
    /// What does not fit 32 bits, by position. Hardly ever in use.
    carried: Vec<(i32, u64)>,
}

impl Sparse {
    /// Adds to the count at a position.
    pub fn add(&mut self, position: i32, count: u64) {
        let (number, place) = (position.div_euclid(CHUNK), position.rem_euclid(CHUNK) as usize);
        let at = match self.chunks.get(self.last) {
            Some(chunk) if chunk.number == number => self.last,
            _ => self.chunk(number),
        };
        self.last = at;
        let cell = &mut self.chunks[at].counts[place];
        let sum = u64::from(*cell) + count;
        *cell = sum as u32;
        let carry = sum & !u64::from(u32::MAX);
        if carry != 0 {
            self.carry(position, carry);
        }
    }

    fn chunk(&mut self, number: i32) -> usize {
        match self.chunks.binary_search_by_key(&number, |chunk| chunk.number) {
            Ok(at) => at,
            Err(at) => {
                let counts = Box::new([0; CHUNK as usize]);
                self.chunks.insert(at, Chunk { number, counts });
                at
            }
        }
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
        let positions = self.chunks.iter().flat_map(|chunk| {
            let first = chunk.number * CHUNK;
            (first..).zip(chunk.counts.iter().copied())
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

    /// How many pieces of memory are allocated; each takes about 150 bytes.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
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
