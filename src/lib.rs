//! hotpath: a native performance engine for Node.js servers.
//!
//! Two layers, and arrows that point one way:
//!
//! - [`engine`] is pure Rust and knows nothing of Node.js. Every guarantee lives there.
//! - `binding` is the only place where Node-API appears. It converts, and decides nothing.
//!
//! `ARCHITECTURE.md` at the root of the repository tells the whole story.

pub mod engine;
pub mod error;

// Node-API symbols exist only inside Node, so the tests of the engines do without.
#[cfg(not(test))]
mod binding;

/// Small size classes and cheap frees across threads: what a cache shared by threads asks
/// of its allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
