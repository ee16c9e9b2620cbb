//! Mutates the inputs that the targets begin with, for so many seconds each.
//!
//! ```sh
//! cargo run --manifest-path fuzz/Cargo.toml -- 10        # seconds for each target
//! cargo run --manifest-path fuzz/Cargo.toml -- 10 12345  # with the seed that a failure named
//! ```

use std::process::ExitCode;
use std::time::Duration;

use hotpath_fuzz::TARGETS;
use hotpath_fuzz::mutate::{Random, fuzz};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let seconds = arguments.next().and_then(Result::ok).unwrap_or(5);
    let seed = arguments.next().and_then(Result::ok);
    for target in TARGETS {
        let mut random = Random::new(seed);
        let seed = random.seed();
        match fuzz(target, Duration::from_secs(seconds), &mut random) {
            Ok(inputs) => println!("{}: {inputs} inputs without a failure", target.name),
            Err(input) => {
                eprintln!(
                    "{} failed with seed {seed} on {} bytes: {input:02x?}",
                    target.name,
                    input.len()
                );
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
