//! Numbers for what JavaScript holds on to: each kind of engine keeps its handles in a table
//! of its own, one per environment.

use std::cell::RefCell;
use std::rc::Rc;

/// Bits of a handle's number that say where it stands; the others tell it from its
/// predecessors there.
const INDEX_BITS: u32 = 20;

/// Generations that are told apart. The highest bit of a number is never set: JavaScript
/// numbers with it what is no handle.
const GENERATIONS: u32 = u32::MAX >> (INDEX_BITS + 1);

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    handle: Option<Rc<T>>,
}

/// A table of handles. A number that was given back is not valid any more, whatever stands
/// in its place now.
#[derive(Debug)]
pub struct Handles<T> {
    slots: RefCell<Vec<Slot<T>>>,
    free: RefCell<Vec<u32>>,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            slots: RefCell::default(),
            free: RefCell::default(),
        }
    }
}

impl<T> Handles<T> {
    /// Adds the handle that `make` makes for its number, and returns the number.
    pub fn add(&self, make: impl FnOnce(u32) -> T) -> u32 {
        let mut slots = self.slots.borrow_mut();
        let index = self.free.borrow_mut().pop().unwrap_or_else(|| {
            slots.push(Slot {
                generation: 0,
                handle: None,
            });
            slots.len() as u32 - 1
        });
        let slot = &mut slots[index as usize];
        let number = slot.generation << INDEX_BITS | index;
        slot.handle = Some(Rc::new(make(number)));
        number
    }

    /// The handle of this number, unless it was removed.
    pub fn get(&self, number: u32) -> Option<Rc<T>> {
        let slots = self.slots.borrow();
        let slot = slots.get((number & ((1 << INDEX_BITS) - 1)) as usize)?;
        if slot.generation != number >> INDEX_BITS {
            return None;
        }
        slot.handle.clone()
    }

    /// Takes a handle out, so that it can be ended.
    pub fn remove(&self, number: u32) -> Option<Rc<T>> {
        self.get(number)?;
        let index = number & ((1 << INDEX_BITS) - 1);
        let slot = &mut self.slots.borrow_mut()[index as usize];
        slot.generation = (slot.generation + 1) & GENERATIONS;
        self.free.borrow_mut().push(index);
        slot.handle.take()
    }

    /// Takes all handles out. The table is of no use afterwards.
    pub fn take_all(&self) -> Vec<Rc<T>> {
        let slots = self.slots.take();
        slots.into_iter().filter_map(|slot| slot.handle).collect()
    }
}
