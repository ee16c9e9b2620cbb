//! What the fuzz targets do with a piece of input, and what they begin with. A target that
//! panics, or takes more memory than it may, has found a bug.

pub mod mutate;
mod targets;

pub use targets::{TARGETS, Target};

/// Runs the target of this name: the whole of a cargo-fuzz target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of the list").run)(input);
}
