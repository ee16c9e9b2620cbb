//! The engines: pure Rust, no Node-API anywhere below.
//!
//! Parts that every engine uses stand here, the engines themselves in folders of their own.

pub mod background;
pub mod batch;
pub mod breaker;
pub mod cache;
pub mod clock;
pub mod completion;
pub mod compute;
pub mod freed_memory;
pub mod jobs;
pub mod lmdb;
pub mod load;
pub mod memory;
pub mod memory_limit;
pub mod memory_pressure;
pub mod monitor;
pub mod processors;
pub mod registry;
pub mod runtime;
pub mod text;
pub mod versions;
pub mod workers;
