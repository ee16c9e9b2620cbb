//! What is recorded, by number.

use std::sync::Arc;

use super::histogram::Histogram;
use super::metrics::Metrics;
use super::samples::{Point, Samples};
use super::window::Window;

/// The target that is none: a slot with this number sets the time of the samples that follow.
pub const TIME: u32 = 0;

/// What a number means.
#[derive(Debug)]
pub enum Target {
    /// Gone, or never there.
    None,
    /// Only grows.
    Counter(f64),
    /// Goes up and down.
    Gauge(f64),
    /// Is counted in buckets.
    Histogram(Box<Histogram>),
    /// Is watched over a rolling window.
    Window(Box<Window>),
    /// Is remembered.
    Samples(Box<Samples>),
    /// Not recorded but computed: the first counter's share of the sum of both.
    Share(u32, u32),
}

/// The word that a ring carries for a target. A mark means: set a gauge instead of adding to
/// it; count a failure in a window.
pub fn slot(target: u32, mark: bool) -> u32 {
    target << 1 | u32::from(mark)
}

/// All targets of a process.
#[derive(Debug)]
pub struct Store {
    targets: Vec<Target>,
    /// The families that name some of them for export.
    pub metrics: Metrics,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            // The number 0 is taken.
            targets: vec![Target::None],
            metrics: Metrics::default(),
        }
    }
}

impl Store {
    /// Adds a target and returns its number, which no other will ever have.
    pub fn add(&mut self, target: Target) -> u32 {
        self.targets.push(target);
        self.targets.len() as u32 - 1
    }

    /// Drops a target. What is recorded into it from now on is lost.
    pub fn remove(&mut self, number: u32) {
        if let Some(target) = self.targets.get_mut(number as usize) {
            *target = Target::None;
        }
    }

    /// A target.
    pub fn get(&self, number: u32) -> &Target {
        self.targets.get(number as usize).unwrap_or(&Target::None)
    }

    /// A target, to be changed.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Target> {
        self.targets.get_mut(number as usize)
    }

    /// Records one slot. `time` is what the ring's owner said last.
    #[inline]
    pub fn apply(&mut self, slot: u32, value: f64, time: &mut f64, now: f64) {
        let (number, mark) = (slot >> 1, slot & 1 == 1);
        match self.targets.get_mut(number as usize) {
            Some(Target::Histogram(histogram)) => histogram.record(value),
            Some(Target::Counter(total)) => *total += value,
            Some(Target::Gauge(level)) if mark => *level = value,
            Some(Target::Gauge(level)) => *level += value,
            Some(Target::Window(window)) => window.record(now, value, mark),
            Some(Target::Samples(samples)) => {
                let time = if *time > 0.0 { *time } else { now };
                samples.push(Point { time, value }, None);
            }
            Some(Target::None) if number == TIME => *time = value,
            Some(Target::None | Target::Share(..)) | None => {}
        }
    }

    /// Adds a sample with a note, at once.
    pub fn note(&mut self, number: u32, point: Point, note: Option<Arc<str>>) {
        if let Some(Target::Samples(samples)) = self.targets.get_mut(number as usize) {
            samples.push(point, note);
        }
    }

    /// The present value of a counter, gauge or share.
    pub fn number(&self, number: u32) -> Option<f64> {
        match self.get(number) {
            Target::Counter(value) | Target::Gauge(value) => Some(*value),
            Target::Share(part, rest) => {
                let (part, rest) = (self.number(*part)?, self.number(*rest)?);
                Some(if part + rest > 0.0 {
                    part / (part + rest)
                } else {
                    0.0
                })
            }
            _ => None,
        }
    }

    /// Starts a target afresh.
    pub fn reset(&mut self, number: u32) {
        match self.targets.get_mut(number as usize) {
            Some(Target::Counter(value) | Target::Gauge(value)) => *value = 0.0,
            Some(Target::Histogram(histogram)) => histogram.reset(),
            Some(Target::Window(window)) => window.reset(),
            Some(Target::Samples(samples)) => samples.clear(),
            Some(Target::None | Target::Share(..)) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_reach_what_they_name() {
        let mut store = Store::default();
        let gauge = store.add(Target::Gauge(0.0));
        let samples = store.add(Target::Samples(Box::new(Samples::new(4, f64::INFINITY))));
        let mut time = 0.0;
        let mut apply = |word, value| store.apply(word, value, &mut time, 1_000.0);
        apply(slot(gauge, true), 5.0);
        apply(slot(gauge, false), -2.0);
        apply(slot(samples, false), 1.0);
        apply(slot(TIME, false), 900.0);
        apply(slot(samples, false), 2.0);
        apply(slot(77, false), 3.0);
        assert_eq!(store.number(gauge), Some(3.0));
        let Target::Samples(samples) = store.get(samples) else {
            panic!("samples")
        };
        let times: Vec<_> = samples
            .after(0.0)
            .map(|(point, _)| (point.time, point.value))
            .collect();
        assert_eq!(times, [(1_000.0, 1.0), (900.0, 2.0)]);
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let mut store = Store::default();
        let first = store.add(Target::Counter(1.0));
        store.remove(first);
        let second = store.add(Target::Counter(0.0));
        assert_ne!(first, second);
        store.apply(slot(first, false), 9.0, &mut 0.0, 0.0);
        assert_eq!((store.number(first), store.number(second)), (None, Some(0.0)));
    }

    #[test]
    fn a_share_follows_its_counters() {
        let mut store = Store::default();
        let (hits, misses) = (store.add(Target::Counter(0.0)), store.add(Target::Counter(0.0)));
        let share = store.add(Target::Share(hits, misses));
        assert_eq!(store.number(share), Some(0.0));
        store.apply(slot(hits, false), 3.0, &mut 0.0, 0.0);
        store.apply(slot(misses, false), 1.0, &mut 0.0, 0.0);
        assert_eq!(store.number(share), Some(0.75));
    }
}
