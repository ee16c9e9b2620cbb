//! Fuzzing without libFuzzer: mutates the inputs that the targets begin with. Finds less
//! than coverage would guide to, but runs on stable Rust everywhere.

use std::panic::catch_unwind;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::targets::Target;

/// Xorshift (Marsaglia 2003).
pub struct Random(u64);

impl Random {
    /// From a seed, or from the time of day.
    pub fn new(seed: Option<u64>) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |time| time.as_nanos() as u64);
        Self(seed.unwrap_or(now) | 1)
    }

    /// What makes the same numbers again.
    pub fn seed(&self) -> u64 {
        self.0
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Tries inputs for so long: how many there were, or the first one that failed.
pub fn fuzz(target: &Target, time: Duration, random: &mut Random) -> Result<u64, Vec<u8>> {
    let mut corpus = (target.seeds)();
    corpus.push(Vec::new());
    let started = Instant::now();
    let mut inputs = 0;
    for seed in &corpus {
        check(target, seed)?;
        inputs += 1;
    }
    while started.elapsed() < time {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(6) {
            mutate(&mut input, &corpus, random);
        }
        check(target, &input)?;
        inputs += 1;
    }
    Ok(inputs)
}

fn check(target: &Target, input: &[u8]) -> Result<(), Vec<u8>> {
    catch_unwind(|| (target.run)(input)).map_err(|_| input.to_vec())
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    const EDGES: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, 1 << 63, u64::MAX];
    let place = random.below(input.len());
    match random.below(7) {
        0 if !input.is_empty() => input[place] ^= 1 << random.below(8),
        1 if !input.is_empty() => input[place] = random.next() as u8,
        2 => input.insert(place, random.next() as u8),
        3 if !input.is_empty() => drop(input.remove(place)),
        4 => input.truncate(place),
        5 => {
            let bytes = EDGES[random.below(EDGES.len())].to_le_bytes();
            let width = [1, 2, 4, 8][random.below(4)];
            input
                .iter_mut()
                .skip(place)
                .zip(&bytes[..width])
                .for_each(|(to, from)| *to = *from);
        }
        _ => {
            let other = &corpus[random.below(corpus.len())];
            let start = random.below(other.len());
            input.truncate(place);
            input.extend(&other[start..]);
        }
    }
}
