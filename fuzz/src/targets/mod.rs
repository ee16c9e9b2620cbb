//! The targets, by area.

mod batch;
mod cache;
mod intents;
mod memory;

/// A target: its name, what it does with input, and the inputs to begin with.
pub struct Target {
    /// As cargo-fuzz knows it.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
    /// Inputs that go deep.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, run, seeds }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("decompress", memory::decompress, memory::compressed),
    target("sparse_matrix", memory::sparse_matrix, memory::sparse_matrices),
    target("bloom_filter", memory::bloom_filter, memory::bloom_filters),
    target("ndjson", batch::ndjson, batch::lines),
    target("csv", batch::csv_rows, batch::rows),
    target("record_filter", batch::record_filter, batch::filters),
    target("object_name", batch::object_name, batch::names),
    target("intents", intents::intents, intents::patterns),
    target("glob", cache::glob, cache::globs),
    target("disk_entry", cache::disk_entry, cache::entries),
    target("redis_dictionary", cache::redis_dictionary, cache::dictionaries),
];
