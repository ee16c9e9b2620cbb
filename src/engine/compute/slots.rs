//! How many threads an engine uses at a time: one slot for each, taken by a task for as long
//! as it runs, and lent to other tasks' pieces while nobody waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The slots of one engine.
#[derive(Debug)]
pub struct Slots {
    width: usize,
    taken: AtomicUsize,
    waiting: AtomicUsize,
}

impl Slots {
    /// So many slots, at least one.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            width: width.max(1),
            taken: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// Takes one, if one is free.
    pub fn take(&self) -> bool {
        let free = |taken| (taken < self.width).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, free)
            .is_ok()
    }

    /// Gives one back.
    pub fn give_back(&self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
    }

    /// Says how many tasks wait for a slot: helpers make room for them.
    pub fn set_waiting(&self, tasks: usize) {
        self.waiting.store(tasks, Ordering::SeqCst);
    }

    /// Helps with another task's pieces in a free slot, until `step` has none left or a task
    /// wants the slot.
    pub fn help(&self, step: impl Fn() -> bool) {
        if self.waiting.load(Ordering::SeqCst) > 0 || !self.take() {
            return;
        }
        while self.waiting.load(Ordering::SeqCst) == 0 && step() {}
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_so_many() {
        let slots = Slots::new(2);
        assert!(slots.take() && slots.take());
        assert!(!slots.take());
        slots.help(|| panic!("there is no slot to help in"));
        slots.give_back();
        assert!(slots.take());
        assert_eq!(Slots::new(0).width(), 1);
    }

    #[test]
    fn a_helper_makes_room_for_a_task() {
        let slots = Slots::new(2);
        let mut steps = 0;
        let counter = std::cell::Cell::new(0);
        slots.help(|| {
            counter.set(counter.get() + 1);
            slots.set_waiting(usize::from(counter.get() == 3));
            true
        });
        steps += counter.get();
        assert_eq!(steps, 3);
        assert_eq!(slots.taken(), 0);
        slots.help(|| panic!("a task waits for this slot"));
    }
}
