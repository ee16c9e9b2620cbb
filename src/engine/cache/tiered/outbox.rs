//! The outbox of a tier: the changes that it has yet to take.
//!
//! Changes of one key reach the tier one after the other, in the order in which they were made;
//! of several that wait, only the last is sent. A change that the tier could not take because it
//! was away stays here as *missed*, and is sent again when the tier is back. What stands here is
//! the truth about its key: reads look here before they ask the tier.
//!
//! What is missed is bounded. Beyond [`MAX_MISSED_BYTES`] a written value is forgotten and its
//! key deleted instead; beyond [`MAX_MISSED`] keys the tier counts as emptied, and is emptied
//! once it is back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ahash::RandomState;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::engine::cache::guards::Guard;
use crate::engine::cache::tier::Entry;

/// Most keys that are remembered while a tier is away.
const MAX_MISSED: usize = 100_000;

/// Most bytes of values that are remembered while a tier is away.
const MAX_MISSED_BYTES: usize = 64 * 1024 * 1024;

/// A change of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A value is put in place.
    Set {
        /// The value.
        entry: Entry,
        /// How long it is to be kept, if its life begins now: see
        /// [`set_for`](crate::engine::cache::tier::Tier::set_for).
        keep_ms: Option<Option<u64>>,
        /// True while its tags lack their generations.
        open_tags: bool,
    },
    /// The key is removed.
    Delete,
}

/// How a change went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The tier took it. True if the key was there before, of a deletion.
    Taken(bool),
    /// The tier is away.
    Away,
    /// The tier refused it, and would again.
    Refused,
}

/// What to do after a change.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Send this one, which came meanwhile.
    Send(Work),
    /// Nothing.
    Rest,
    /// It was missed: see to it that it is sent again.
    Missed,
}

/// A change that is to be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The key.
    pub key: Arc<[u8]>,
    /// What becomes of it.
    pub change: Change,
    version: u64,
}

#[derive(Debug)]
struct Slot {
    change: Change,
    /// Moves with every change of the key.
    version: u64,
    /// False once it was missed.
    running: bool,
    waiting: Vec<oneshot::Sender<Outcome>>,
}

#[derive(Debug, Default)]
struct Slots {
    by_key: HashMap<Arc<[u8]>, Slot, RandomState>,
    versions: u64,
    missed: usize,
    missed_bytes: usize,
    /// The tier has to be emptied before anything in it counts.
    void: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Outbox {
    slots: Mutex<Slots>,
    /// Slots, and one more while the tier is void: with 0, nobody needs the lock.
    busy: AtomicUsize,
}

/// What the outbox knows about a key.
#[derive(Debug, PartialEq)]
pub enum Known {
    /// Nothing: ask the tier.
    Nothing,
    /// The tier will have this value.
    Entry(Entry),
    /// The tier will not have the key.
    Gone,
}

fn bytes_of(change: &Change) -> usize {
    match change {
        Change::Set { entry, .. } => entry.payload.len(),
        Change::Delete => 0,
    }
}

impl Slots {
    fn busy(&self) -> usize {
        self.by_key.len() + usize::from(self.void)
    }

    /// Counts a slot out that is missed.
    fn unmiss(&mut self, bytes: usize) {
        self.missed -= 1;
        self.missed_bytes -= bytes;
    }

    /// Puts a change into a slot. True if somebody has to begin to send it.
    fn put(&mut self, key: &Arc<[u8]>, change: Change, waiting: Option<oneshot::Sender<Outcome>>) -> bool {
        self.versions += 1;
        let version = self.versions;
        if let Some(slot) = self.by_key.get_mut(key) {
            let (was_running, bytes) = (slot.running, bytes_of(&slot.change));
            slot.change = change;
            slot.version = version;
            slot.running = true;
            slot.waiting.extend(waiting);
            if !was_running {
                self.unmiss(bytes);
            }
            return !was_running;
        }
        let slot = Slot {
            change,
            version,
            running: true,
            waiting: waiting.into_iter().collect(),
        };
        self.by_key.insert(key.clone(), slot);
        true
    }

    /// Keeps what is missed within its bounds.
    fn bound(&mut self) {
        if self.missed_bytes > MAX_MISSED_BYTES {
            for slot in self.by_key.values_mut().filter(|slot| !slot.running) {
                slot.change = Change::Delete;
            }
            self.missed_bytes = 0;
        }
        if self.missed > MAX_MISSED {
            self.by_key.retain(|_, slot| slot.running);
            self.missed = 0;
            self.missed_bytes = 0;
            self.void = true;
        }
    }
}

impl Outbox {
    fn with<T>(&self, use_slots: impl FnOnce(&mut Slots) -> T) -> T {
        let mut slots = self.slots.lock();
        let result = use_slots(&mut slots);
        self.busy.store(slots.busy(), Ordering::SeqCst);
        result
    }

    fn is_idle(&self) -> bool {
        self.busy.load(Ordering::SeqCst) == 0
    }

    /// What stands here about a key.
    pub fn known(&self, key: &[u8]) -> Known {
        if self.is_idle() {
            return Known::Nothing;
        }
        let slots = self.slots.lock();
        match slots.by_key.get(key).map(|slot| &slot.change) {
            Some(Change::Set { entry, .. }) => Known::Entry(entry.clone()),
            Some(Change::Delete) => Known::Gone,
            None if slots.void => Known::Gone,
            None => Known::Nothing,
        }
    }

    /// Keys that the tier will have once it has taken what stands here.
    pub fn keys(&self) -> Vec<Arc<[u8]>> {
        if self.is_idle() {
            return Vec::new();
        }
        let slots = self.slots.lock();
        let written = slots
            .by_key
            .iter()
            .filter(|(_, slot)| matches!(slot.change, Change::Set { .. }));
        written.map(|(key, _)| key.clone()).collect()
    }

    /// Adds a change. The flag says that somebody has to [`begin`](Self::begin) to send it.
    pub fn push(&self, key: &Arc<[u8]>, change: Change) -> (oneshot::Receiver<Outcome>, bool) {
        let (sender, receiver) = oneshot::channel();
        let start = self.with(|slots| slots.put(key, change, Some(sender)));
        (receiver, start)
    }

    /// Adds an older value that was found elsewhere, unless its guard was overtaken or the key
    /// has a change already. True if somebody has to begin to send it.
    pub fn offer(&self, guard: &Guard, entry: Entry) -> bool {
        self.with(|slots| {
            if slots.by_key.contains_key(guard.key()) || !guard.holds(entry.tags.iter().map(|tag| &tag.name))
            {
                return false;
            }
            let change = Change::Set {
                entry,
                keep_ms: None,
                open_tags: false,
            };
            slots.put(guard.key(), change, None)
        })
    }

    /// The change of a key that is to be sent.
    pub fn begin(&self, key: &Arc<[u8]>) -> Option<Work> {
        let slots = self.slots.lock();
        let slot = slots.by_key.get(key)?;
        Some(Work {
            key: key.clone(),
            change: slot.change.clone(),
            version: slot.version,
        })
    }

    /// Says how a change went.
    pub fn finish(&self, work: &Work, outcome: Outcome) -> Next {
        let (next, waiting) = self.with(|slots| {
            let Some(slot) = slots.by_key.get_mut(&work.key) else {
                return (Next::Rest, Vec::new());
            };
            if slot.version != work.version {
                let work = Work {
                    key: work.key.clone(),
                    change: slot.change.clone(),
                    version: slot.version,
                };
                return (Next::Send(work), Vec::new());
            }
            if outcome == Outcome::Refused && slot.change != Change::Delete {
                // What the tier has under the key is older: better nothing.
                slot.change = Change::Delete;
                let work = Work {
                    change: Change::Delete,
                    ..work.clone()
                };
                return (Next::Send(work), std::mem::take(&mut slot.waiting));
            }
            let waiting = std::mem::take(&mut slot.waiting);
            if outcome == Outcome::Away {
                slot.running = false;
                let bytes = bytes_of(&slot.change);
                slots.missed += 1;
                slots.missed_bytes += bytes;
                slots.bound();
                return (Next::Missed, waiting);
            }
            slots.by_key.remove(&work.key);
            (Next::Rest, waiting)
        });
        for waiting in waiting {
            // Whoever does not wait any more needs no answer.
            let _ = waiting.send(outcome);
        }
        next
    }

    /// Takes up to `most` missed changes to send them again.
    pub fn take_missed(&self, most: usize) -> Vec<Work> {
        self.with(|slots| {
            let missed = slots.by_key.iter_mut().filter(|(_, slot)| !slot.running);
            let taken: Vec<Work> = missed
                .take(most)
                .map(|(key, slot)| {
                    slot.running = true;
                    Work {
                        key: key.clone(),
                        change: slot.change.clone(),
                        version: slot.version,
                    }
                })
                .collect();
            for work in &taken {
                slots.unmiss(bytes_of(&work.change));
            }
            taken
        })
    }

    /// Changes that were missed, the emptying of the tier among them.
    pub fn missed(&self) -> usize {
        if self.is_idle() {
            return 0;
        }
        let slots = self.slots.lock();
        slots.missed + usize::from(slots.void)
    }

    /// True while changes are on their way.
    pub fn is_sending(&self) -> bool {
        !self.is_idle() && self.slots.lock().by_key.values().any(|slot| slot.running)
    }

    /// Everything in the tier counts as gone until [`emptied`](Self::emptied); what was to
    /// be written is not any more.
    pub fn void(&self) {
        let waiting = self.with(|slots| {
            let mut waiting = Vec::new();
            slots.void = true;
            slots.missed = 0;
            slots.missed_bytes = 0;
            let mut versions = slots.versions;
            slots.by_key.retain(|_, slot| {
                // One that is on its way may still arrive after the tier was emptied.
                versions += 1;
                slot.version = versions;
                slot.change = Change::Delete;
                waiting.append(&mut slot.waiting);
                slot.running
            });
            slots.versions = versions;
            waiting
        });
        for waiting in waiting {
            let _ = waiting.send(Outcome::Taken(false));
        }
    }

    /// True while the tier has to be emptied.
    pub fn is_void(&self) -> bool {
        !self.is_idle() && self.slots.lock().void
    }

    /// The tier was emptied.
    pub fn emptied(&self) {
        self.with(|slots| slots.void = false);
    }

    /// Values with one of these tags are deletions from now on.
    pub fn invalidate_tags(&self, tags: &[String]) {
        if self.is_idle() {
            return;
        }
        self.with(|slots| {
            let mut versions = slots.versions;
            for slot in slots.by_key.values_mut() {
                let Change::Set { entry, .. } = &slot.change else {
                    continue;
                };
                let carries = |tag: &String| entry.tags.iter().any(|own| *own.name == **tag);
                if tags.iter().any(carries) {
                    if !slot.running {
                        slots.missed_bytes -= bytes_of(&slot.change);
                    }
                    versions += 1;
                    slot.version = versions;
                    slot.change = Change::Delete;
                }
            }
            slots.versions = versions;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cache::guards::Guards;
    use crate::engine::cache::record::Kind;

    fn key(name: &str) -> Arc<[u8]> {
        name.as_bytes().into()
    }

    fn set(value: &str) -> Change {
        Change::Set {
            entry: Entry::new(Kind::LATIN1, value.to_owned()),
            keep_ms: None,
            open_tags: false,
        }
    }

    #[test]
    fn changes_of_a_key_follow_each_other_and_only_the_last_is_sent() {
        let outbox = Outbox::default();
        let (first, start) = outbox.push(&key("a"), set("1"));
        assert!(start);
        let work = outbox.begin(&key("a")).unwrap();
        assert!(!outbox.push(&key("a"), set("2")).1);
        let (last, _) = outbox.push(&key("a"), Change::Delete);
        let Next::Send(work) = outbox.finish(&work, Outcome::Taken(false)) else {
            panic!("the last change is not sent");
        };
        assert_eq!(work.change, Change::Delete);
        assert_eq!(outbox.known(b"a"), Known::Gone);
        assert_eq!(outbox.finish(&work, Outcome::Taken(true)), Next::Rest);
        assert_eq!(first.blocking_recv(), Ok(Outcome::Taken(true)));
        assert_eq!(last.blocking_recv(), Ok(Outcome::Taken(true)));
        assert_eq!(outbox.known(b"a"), Known::Nothing);
        assert!(outbox.is_idle());
    }

    #[test]
    fn what_was_missed_is_the_truth_until_it_is_sent_again() {
        let outbox = Outbox::default();
        outbox.push(&key("a"), set("1"));
        let work = outbox.begin(&key("a")).unwrap();
        assert_eq!(outbox.finish(&work, Outcome::Away), Next::Missed);
        assert_eq!(outbox.missed(), 1);
        assert!(matches!(outbox.known(b"a"), Known::Entry(_)));
        let again = outbox.take_missed(10);
        assert_eq!((again.len(), outbox.missed()), (1, 0));
        assert_eq!(outbox.finish(&again[0], Outcome::Taken(false)), Next::Rest);
        assert!(outbox.is_idle());
    }

    #[test]
    fn a_refused_value_leaves_no_older_one_behind() {
        let outbox = Outbox::default();
        let (answer, _) = outbox.push(&key("a"), set("1"));
        let work = outbox.begin(&key("a")).unwrap();
        let Next::Send(work) = outbox.finish(&work, Outcome::Refused) else {
            panic!("the older value stays");
        };
        assert_eq!(work.change, Change::Delete);
        assert_eq!(outbox.finish(&work, Outcome::Refused), Next::Rest);
        assert_eq!(answer.blocking_recv(), Ok(Outcome::Refused));
    }

    #[test]
    fn too_many_missed_values_become_deletions_and_too_many_keys_a_clearing() {
        let outbox = Outbox::default();
        let miss = |name: &str, change| {
            outbox.push(&key(name), change);
            let work = outbox.begin(&key(name)).unwrap();
            outbox.finish(&work, Outcome::Away);
        };
        let large = "x".repeat(MAX_MISSED_BYTES / 2);
        miss("a", set(&large));
        miss("b", set(&large));
        assert!(matches!(outbox.known(b"a"), Known::Entry(_)));
        miss("c", set("1"));
        assert_eq!(outbox.known(b"a"), Known::Gone);
        for n in 0..MAX_MISSED {
            miss(&n.to_string(), Change::Delete);
        }
        assert!(outbox.is_void());
        assert_eq!(outbox.known(b"never seen"), Known::Gone);
        outbox.emptied();
        assert!(!outbox.is_void());
    }

    #[test]
    fn an_older_value_gives_way() {
        let outbox = Outbox::default();
        let guards = Arc::<Guards>::default();
        let entry = || Entry::new(Kind::LATIN1, "old");
        let guard = guards.watch(key("a"));
        outbox.push(&key("a"), set("new"));
        assert!(!outbox.offer(&guard, entry()));
        let free = guards.watch(key("b"));
        assert!(outbox.offer(&free, entry()));
        let overtaken = guards.watch(key("c"));
        guards.overtake(b"c");
        assert!(!outbox.offer(&overtaken, entry()));
    }

    #[test]
    fn emptying_outruns_what_is_on_its_way() {
        let outbox = Outbox::default();
        outbox.push(&key("a"), set("1"));
        let work = outbox.begin(&key("a")).unwrap();
        outbox.void();
        outbox.emptied();
        let Next::Send(work) = outbox.finish(&work, Outcome::Taken(false)) else {
            panic!("a value survived the clearing");
        };
        assert_eq!(work.change, Change::Delete);
    }
}
