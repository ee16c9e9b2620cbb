//! Batching: handles, and what JavaScript calls on them.

mod disk_objects;
mod intents;
mod memory_objects;
mod records;

use std::cell::RefCell;

use self::disk_objects::DiskObjectsHandle;
use self::intents::IntentsHandle;
use self::memory_objects::MemoryObjectsHandle;
use self::records::ScanHandle;
use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::batch::intents::Scratch;

/// Entry points of this area, in tables by file.
pub const ENTRY_POINTS: [&[EntryPoint]; 2] = [intents::ENTRY_POINTS, memory_objects::ENTRY_POINTS];

/// What an environment uses of this area.
#[derive(Debug, Default)]
pub struct Batches {
    intents: Handles<IntentsHandle>,
    memory_objects: Handles<MemoryObjectsHandle>,
    disk_objects: Handles<DiskObjectsHandle>,
    scans: Handles<ScanHandle>,
    scratch: RefCell<Scratch>,
}

impl Batches {
    /// Gives everything back.
    pub fn tear_down(&self) {
        drop(self.intents.take_all());
        drop(self.scans.take_all());
        drop(self.memory_objects.take_all());
        // Each writes what is queued, in the background.
        drop(self.disk_objects.take_all());
    }
}
