//! A short run of each fuzz target (see `fuzz/`), without libFuzzer and without building the
//! crate once more. `HOTPATH_FUZZ_SECONDS` makes it longer, and `HOTPATH_FUZZ_SEED` another one:
//! a number, or `random`. By default each run is the same, so that a change is judged by what it
//! changes.

use std::time::Duration;

use mutate::{Random, fuzz};
use targets::TARGETS;

#[path = "../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

const DEFAULT_SEED: u64 = 0x5eed;

fn run(name: &str) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target of the list");
    let seconds = std::env::var("HOTPATH_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0.5);
    let seed = std::env::var("HOTPATH_FUZZ_SEED").unwrap_or_default();
    let mut random = Random::new(match seed.as_str() {
        "random" => None,
        text => Some(text.parse().unwrap_or(DEFAULT_SEED)),
    });
    let seed = random.seed();
    match fuzz(target, Duration::from_secs_f64(seconds), &mut random) {
        Ok(inputs) => println!("{name}: {inputs} inputs without a failure"),
        Err(input) => panic!(
            "{name} failed with seed {seed} on {} bytes: {input:02x?}",
            input.len()
        ),
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )*

        #[test]
        fn each_target_is_here() {
            let here = [$(stringify!($name)),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(here[..], all[..]);
        }
    };
}

targets! {
    decompress sparse_matrix bloom_filter ndjson csv record_filter object_name intents glob disk_entry redis_dictionary
}
