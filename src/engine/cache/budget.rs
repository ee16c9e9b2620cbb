//! One bound of bytes that several caches share.
//!
//! Every member has an *allotment*, a bound of its own, and the allotments never sum up to
//! more than the budget. So the sum of what the caches hold stays within it however they are
//! used, without a count that all of them would contend for.
//!
//! # Who gets what
//!
//! A member starts with nothing and asks for more when a write would not fit. It gets what
//! nobody has, then what others have and do not use, and in the end, if it has less than its
//! guaranteed part, what others use.
//!
//! From then on the allotments follow what they are worth. Each member remembers the keys
//! that it evicted last, without their values ([`ghosts`]): a miss of such a key would have
//! been a hit with a little more memory. The rate of those hits per byte is the slope of the
//! member's hit-rate curve, and memory moves a slice at a time from the flattest slope to
//! the steepest. Source: Cidon, Eisenman, Alizadeh, Katti, "Cliffhanger: Scaling Performance
//! Cliffs in Web Memory Caches" (NSDI 2016), without its part on cliffs.
//!
//! # Locks
//!
//! The members' lock is taken with nothing else held, and held while stores are resized. A
//! member's ghosts are a leaf: they are touched with the store locked.

mod ghosts;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::engine::background;
use crate::engine::registry::{Engine, Registry};
use crate::error::{Error, Result};
use ghosts::Ghosts;

/// A slice of memory that moves at once, as a part of the budget, and its least size.
const SLICE_SHARE: u64 = 64;
const MIN_SLICE_BYTES: u64 = 16 * 1024;

/// What a member is sure of: this part of an equal share.
const GUARANTEED_PART: u64 = 4;

/// Ghost hits of all members between two looks at who should have more.
const HITS_PER_LOOK: u32 = 32;

/// The steepest slope must exceed the flattest by so much, or chance would move memory.
const LEAD: f64 = 1.5;

/// What a member is to the budget.
pub trait Member: Send + Sync {
    /// Its name, if it has one.
    fn name(&self) -> Option<String>;
    /// Bytes that it holds.
    fn bytes(&self) -> u64;
    /// Bytes that it would never exceed, whatever it got.
    fn ceiling(&self) -> u64;
    /// It may hold so many bytes from now on; what is too much is gone when this returns.
    fn allot(&self, bytes: u64);
}

/// See the module.
pub struct Budget {
    name: Option<String>,
    total: AtomicU64,
    seats: Mutex<Vec<Arc<Seat>>>,
    moves: AtomicU64,
    hits: AtomicU32,
    /// True while a look is on its way.
    looking: AtomicBool,
    this: Weak<Budget>,
}

/// A member's place in the budget, and its access to it.
pub struct Seat {
    member: Weak<dyn Member>,
    budget: Weak<Budget>,
    allotment: AtomicU64,
    ghosts: Mutex<Ghosts>,
    ghost_hits: AtomicU64,
    /// Bytes that may be written before another request can succeed.
    patience: AtomicU64,
}

/// One member, for statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberStats {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Bytes held.
    pub bytes: u64,
    /// Bytes that it may hold now.
    pub allotment: u64,
    /// Misses of keys that were evicted a moment before.
    pub ghost_hits: u64,
}

/// What a budget counts.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetStats {
    /// Most bytes of all members together.
    pub max_bytes: u64,
    /// Slices that were moved for a better use.
    pub moves: u64,
    /// The members.
    pub members: Vec<MemberStats>,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(name: Option<String>, total: u64) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            name,
            total: AtomicU64::new(total),
            seats: Mutex::default(),
            moves: AtomicU64::new(0),
            hits: AtomicU32::new(0),
            looking: AtomicBool::new(false),
            this: this.clone(),
        })
    }

    /// The named budgets of this process.
    pub fn registry() -> &'static Registry<Budget> {
        static REGISTRY: std::sync::LazyLock<Registry<Budget>> = std::sync::LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Most bytes of all members together.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Checks an explicit size against the one that this budget was made with.
    ///
    /// # Errors
    /// [`Error::OptionConflict`].
    pub fn agree(&self, name: &str, total: Option<u64>) -> Result<()> {
        match total {
            Some(requested) if requested != self.total() => Err(Error::OptionConflict {
                name: name.to_owned(),
                option: "maxBytes",
                existing: self.total().to_string(),
                requested: requested.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// A seat for a new member, which has nothing yet.
    pub fn join(&self, member: Weak<dyn Member>) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            member,
            budget: self.this.clone(),
            allotment: AtomicU64::new(0),
            ghosts: Mutex::new(Ghosts::new(slice_of(self.total()))),
            ghost_hits: AtomicU64::new(0),
            patience: AtomicU64::new(0),
        });
        self.seats.lock().push(seat.clone());
        seat
    }

    /// Changes the size. When it shrinks, every member gives in proportion.
    pub fn resize(&self, total: u64) {
        let mut seats = self.seats.lock();
        retain_living(&mut seats);
        let before = self.total.swap(total, Ordering::Relaxed);
        let allotted: u64 = seats.iter().map(|seat| seat.allotted()).sum();
        if total < before && allotted > total {
            for seat in seats.iter() {
                let share = total as f64 / allotted as f64;
                seat.allot((seat.allotted() as f64 * share) as u64);
            }
        }
        for seat in seats.iter() {
            seat.patience.store(0, Ordering::Relaxed);
        }
    }

    /// Everything that is counted.
    pub fn stats(&self) -> BudgetStats {
        let mut seats = self.seats.lock();
        retain_living(&mut seats);
        let member = |seat: &Arc<Seat>| {
            let member = seat.member.upgrade()?;
            Some(MemberStats {
                name: member.name(),
                bytes: member.bytes(),
                allotment: seat.allotted(),
                ghost_hits: seat.ghost_hits.load(Ordering::Relaxed),
            })
        };
        BudgetStats {
            max_bytes: self.total(),
            moves: self.moves.load(Ordering::Relaxed),
            members: seats.iter().filter_map(member).collect(),
        }
    }

    /// What a member is sure of among so many.
    fn guaranteed(&self, members: usize) -> u64 {
        self.total() / (GUARANTEED_PART * members.max(1) as u64)
    }

    /// Finds `wanted` bytes for a seat, or as many as can be had; `needed` of them also where
    /// others use them. Returns what it got.
    fn grant(&self, seat: &Arc<Seat>, wanted: u64, needed: u64) -> u64 {
        let mut seats = self.seats.lock();
        retain_living(&mut seats);
        let allotted: u64 = seats.iter().map(|seat| seat.allotted()).sum();
        let mut found = self.total().saturating_sub(allotted).min(wanted);
        let slice = slice_of(self.total());
        let others = || seats.iter().filter(|other| !Arc::ptr_eq(other, seat));
        for other in others() {
            // Half a slice stays, or a member that grows would ask for it right away.
            let spare = other.unused().saturating_sub(slice / 2);
            if found < wanted && spare >= slice {
                found += other.give(spare.min(wanted - found));
            }
        }
        let guaranteed = self.guaranteed(seats.len());
        let due = guaranteed.saturating_sub(seat.allotted()).min(wanted).max(needed);
        let mut richest: Vec<_> = others().collect();
        richest.sort_by_key(|other| std::cmp::Reverse(other.allotted()));
        for other in richest {
            let above = other.allotted().saturating_sub(guaranteed);
            found += other.give(above.min(due.saturating_sub(found)));
        }
        seat.allot(seat.allotted() + found);
        found
    }

    /// Moves a slice from where memory is worth least to where it is worth most.
    fn look(&self) {
        let mut seats = self.seats.lock();
        retain_living(&mut seats);
        let slice = slice_of(self.total());
        let guaranteed = self.guaranteed(seats.len());
        let slopes: Vec<f64> = seats.iter().map(|seat| seat.ghosts.lock().take_slope()).collect();
        let wants = |seat: &Seat| seat.unused() < slice && seat.allotted() < seat.ceiling();
        let receiver = (0..seats.len())
            .filter(|&index| wants(&seats[index]))
            .max_by(|&a, &b| slopes[a].total_cmp(&slopes[b]));
        let Some(receiver) = receiver else { return };
        // What a member does not use is worth nothing to it.
        let worth = |index: usize| {
            if seats[index].unused() >= slice {
                0.0
            } else {
                slopes[index]
            }
        };
        let donor = (0..seats.len())
            .filter(|&index| index != receiver && seats[index].allotted() > guaranteed)
            .min_by(|&a, &b| worth(a).total_cmp(&worth(b)));
        let Some(donor) = donor else { return };
        if slopes[receiver] <= LEAD * worth(donor) {
            return;
        }
        let given = seats[donor].give(slice.min(seats[donor].allotted() - guaranteed));
        seats[receiver].allot(seats[receiver].allotted() + given);
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    fn count_ghost_hit(&self) {
        if self.hits.fetch_add(1, Ordering::Relaxed) + 1 < HITS_PER_LOOK
            || self.looking.swap(true, Ordering::SeqCst)
        {
            return;
        }
        let this = self.this.clone();
        background::once(move || {
            let Some(budget) = this.upgrade() else { return };
            budget.hits.store(0, Ordering::Relaxed);
            budget.looking.store(false, Ordering::SeqCst);
            budget.look();
        });
    }
}

impl Engine for Budget {
    /// Members keep what they have: a budget lives as long as they do.
    fn close(&self) {}
}

impl Seat {
    /// The budget that this is a seat in.
    pub fn budget(&self) -> Option<Arc<Budget>> {
        self.budget.upgrade()
    }

    /// Bytes that the member may hold now.
    pub fn allotted(&self) -> u64 {
        self.allotment.load(Ordering::Relaxed)
    }

    /// The member is about to write `cost` bytes: asks for more if they would not fit. Two
    /// loads as long as they do. To be called with nothing locked.
    pub fn make_room(self: &Arc<Self>, cost: u64) {
        let Some(member) = self.member.upgrade() else {
            return;
        };
        let (held, allotted) = (member.bytes(), self.allotted().min(member.ceiling()));
        if held + cost <= allotted || allotted >= member.ceiling() {
            return;
        }
        // Where nothing was to be had a moment ago, most likely nothing is now.
        let patience = self.patience.load(Ordering::Relaxed);
        if patience > cost && cost <= allotted {
            self.patience.store(patience - cost, Ordering::Relaxed);
            return;
        }
        let Some(budget) = self.budget() else { return };
        let slice = slice_of(budget.total());
        let missing = (held + cost - allotted)
            .max(slice)
            .min(member.ceiling() - allotted);
        // An entry that does not fit even alone goes before what others use.
        if budget.grant(self, missing, cost.saturating_sub(allotted)) == 0 {
            self.patience.store(slice, Ordering::Relaxed);
        }
    }

    /// An entry was evicted.
    pub fn note_eviction(&self, hash: u64, cost: u64) {
        self.ghosts.lock().push(hash, cost);
    }

    /// A key was asked for in vain.
    pub fn note_miss(&self, hash: u64) {
        if self.ghosts.lock().hit(hash) {
            self.ghost_hits.fetch_add(1, Ordering::Relaxed);
            if let Some(budget) = self.budget() {
                budget.count_ghost_hit();
            }
        }
    }

    /// Leaves the budget: the allotment is free for others.
    pub fn leave(&self) {
        if let Some(budget) = self.budget() {
            budget.seats.lock().retain(|seat| !std::ptr::eq(&**seat, self));
        }
    }

    fn ceiling(&self) -> u64 {
        self.member.upgrade().map_or(0, |member| member.ceiling())
    }

    fn unused(&self) -> u64 {
        let held = self.member.upgrade().map_or(0, |member| member.bytes());
        self.allotted().saturating_sub(held)
    }

    fn give(&self, bytes: u64) -> u64 {
        let given = bytes.min(self.allotted());
        if given > 0 {
            self.allot(self.allotted() - given);
        }
        given
    }

    fn allot(&self, bytes: u64) {
        self.allotment.store(bytes, Ordering::Relaxed);
        if let Some(member) = self.member.upgrade() {
            member.allot(bytes);
        }
    }
}

fn slice_of(total: u64) -> u64 {
    (total / SLICE_SHARE).max(MIN_SLICE_BYTES)
}

fn retain_living(seats: &mut Vec<Arc<Seat>>) {
    seats.retain(|seat| seat.member.strong_count() > 0);
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Budget")
            .field("name", &self.name)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Seat")
            .field("allotment", &self.allotment)
            .finish_non_exhaustive()
    }
}
