//! Fuzzing without libFuzzer: mutates the inputs that the targets begin with, for so many
//! seconds each. Finds less than coverage would guide to, but runs on stable Rust everywhere.
//!
//! ```sh
//! cargo run --manifest-path fuzz/Cargo.toml -- 10        # seconds for each target
//! cargo run --manifest-path fuzz/Cargo.toml -- 10 12345  # with the seed that a failure named
//! ```

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hotpath_fuzz::{TARGETS, Target};

/// Xorshift (Marsaglia 2003).
struct Random(u64);

impl Random {
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

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let seconds = arguments.next().and_then(Result::ok).unwrap_or(5);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
    let seed = arguments.next().and_then(Result::ok).unwrap_or(now) | 1;
    for target in TARGETS {
        let mut random = Random(seed);
        match fuzz(target, Duration::from_secs(seconds), &mut random) {
            Ok(inputs) => println!("{}: {inputs} inputs without a failure", target.name),
            Err(input) => {
                eprintln!("{} failed with seed {seed} on {} bytes: {input:02x?}", target.name, input.len());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// How many inputs were tried, or the first one that failed.
fn fuzz(target: &Target, time: Duration, random: &mut Random) -> Result<u64, Vec<u8>> {
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
            input.iter_mut().skip(place).zip(&bytes[..width]).for_each(|(to, from)| *to = *from);
        }
        _ => {
            let other = &corpus[random.below(corpus.len())];
            let start = random.below(other.len());
            input.truncate(place);
            input.extend(&other[start..]);
        }
    }
}
