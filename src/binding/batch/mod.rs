//! Batching: handles, and what JavaScript calls on them.

mod intents;

use std::cell::RefCell;

use self::intents::IntentsHandle;
use super::call::EntryPoint;
use super::handles::Handles;
use crate::engine::batch::intents::Scratch;

/// Entry points of this area.
pub const ENTRY_POINTS: &[EntryPoint] = intents::ENTRY_POINTS;

/// What an environment uses of this area.
#[derive(Debug, Default)]
pub struct Batches {
    intents: Handles<IntentsHandle>,
    scratch: RefCell<Scratch>,
}

impl Batches {
    /// Gives everything back.
    pub fn tear_down(&self) {
        drop(self.intents.take_all());
    }
}
