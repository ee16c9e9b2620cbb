//! Batching: work on many things at once that would be dear one by one.
//!
//! - [`intents`]: one pass of a text over thousands of patterns.
//! - [`records`]: files of records, split, parsed and filtered off the main thread.
//! - [`objects`]: objects that a data provider keeps, off the JavaScript heap.
//!
//! Batches themselves (chunks, retries, progress, checkpoints) are JavaScript: what they
//! run is JavaScript.

pub mod intents;
pub mod objects;
pub mod records;
pub mod threads;
