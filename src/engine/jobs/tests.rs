//! Tests of the queue: sequences of changes against a model that knows no index, in memory and
//! on disk, and the engine around them.

mod engine;
mod model;

use proptest::prelude::*;

use self::model::{Change, Model, change};
use super::disk::Store;
use super::tables::MemoryTables;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_in_memory_the_model_agrees(changes in prop::collection::vec(change(), 1..120)) {
        Model::default().follow(&mut MemoryTables::default(), &changes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_happens_on_disk_the_model_agrees(changes in prop::collection::vec(change(), 1..120)) {
        on_disk(changes);
    }
}

fn on_disk(changes: Vec<Change>) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().canonicalize().unwrap(), 1 << 24).unwrap();
    let tables = store.clone();
    let written = store.environment.write(move |transaction| {
        Model::default().follow(&mut tables.tables(transaction), &changes);
        Ok(())
    });
    written.unwrap();
}
