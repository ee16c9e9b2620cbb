//! The queue of everything that is ready to run: by priority, with ageing, fair to groups.
//!
//! - **Priority**: any integer, larger first; equal ones in the order of arrival.
//! - **Ageing**: waiting is worth [`AGE_MS`] a level, so an entry is overtaken by later and
//!   more important ones for a bounded time only. What was pushed together keeps its strict
//!   order, because all of it ages alike: the rank of an entry never changes.
//! - **Starvation**: where priorities are so far apart that ageing alone would take longer
//!   than [`STARVED_MS`], every [`RELIEF`]th pop serves the entry that has waited longest.
//! - **Groups**: each pop serves the next group in turn; priorities count inside a group.
//!   What has no group is a group of its own.
//!
//! Every operation takes logarithmic time. Nothing here reads a clock: callers say what time
//! it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Milliseconds of waiting that are worth one level of priority.
pub const AGE_MS: i64 = 100;

/// Waiting time from which an entry may be served out of turn.
pub const STARVED_MS: u64 = 30_000;

/// One of so many pops serves a starved entry, if there is one.
const RELIEF: u32 = 4;

/// The name of a group.
pub type Group = Option<Arc<str>>;

/// Where an entry stands; needed to remove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    group: Group,
    rank: Reverse<i64>,
    arrival: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    item: T,
    since_ms: u64,
}

/// The entries of one group.
#[derive(Debug)]
struct Lane<T> {
    ranked: BTreeMap<(Reverse<i64>, u64), Waiting<T>>,
    arrivals: BTreeMap<u64, Reverse<i64>>,
    pops: u32,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            ranked: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            pops: 0,
        }
    }
}

impl<T> Lane<T> {
    fn remove(&mut self, rank: Reverse<i64>, arrival: u64) -> Option<Waiting<T>> {
        self.arrivals.remove(&arrival);
        self.ranked.remove(&(rank, arrival))
    }

    fn pop(&mut self, now_ms: u64) -> Option<Waiting<T>> {
        self.pops = self.pops.wrapping_add(1);
        if self.pops.is_multiple_of(RELIEF)
            && let Some((&arrival, &rank)) = self.arrivals.first_key_value()
            && let Some(oldest) = self.ranked.get(&(rank, arrival))
            && now_ms.saturating_sub(oldest.since_ms) >= STARVED_MS
        {
            return self.remove(rank, arrival);
        }
        let ((_, arrival), waiting) = self.ranked.pop_first()?;
        self.arrivals.remove(&arrival);
        Some(waiting)
    }
}

/// See the module.
#[derive(Debug)]
pub struct ReadyQueue<T> {
    lanes: HashMap<Group, Lane<T>, ahash::RandomState>,
    /// Groups that have entries, in the order in which their turn comes.
    turns: VecDeque<Group>,
    arrivals: u64,
    len: usize,
}

impl<T> Default for ReadyQueue<T> {
    fn default() -> Self {
        Self {
            lanes: HashMap::default(),
            turns: VecDeque::new(),
            arrivals: 0,
            len: 0,
        }
    }
}

impl<T> ReadyQueue<T> {
    /// Adds an entry. `priority` is a safe integer of JavaScript; others are cut to one.
    pub fn push(&mut self, item: T, priority: i64, group: Group, now_ms: u64) -> Ticket {
        const SAFE: i64 = (1 << 53) - 1;
        let rank = Reverse(priority.clamp(-SAFE, SAFE) * AGE_MS - now_ms as i64);
        self.arrivals += 1;
        let arrival = self.arrivals;
        let lane = self.lanes.entry(group.clone()).or_insert_with(|| {
            self.turns.push_back(group.clone());
            Lane::default()
        });
        lane.arrivals.insert(arrival, rank);
        let since_ms = now_ms;
        lane.ranked.insert((rank, arrival), Waiting { item, since_ms });
        self.len += 1;
        Ticket { group, rank, arrival }
    }

    /// Takes the entry whose turn it is.
    pub fn pop(&mut self, now_ms: u64) -> Option<T> {
        let group = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&group)?;
        let waiting = lane.pop(now_ms)?;
        if !lane.ranked.is_empty() {
            self.turns.push_back(group);
        } else {
            self.lanes.remove(&group);
        }
        self.len -= 1;
        Some(waiting.item)
    }

    /// Takes an entry out of turn. None when it was popped or removed before.
    pub fn remove(&mut self, ticket: &Ticket) -> Option<T> {
        let lane = self.lanes.get_mut(&ticket.group)?;
        let waiting = lane.remove(ticket.rank, ticket.arrival)?;
        if lane.ranked.is_empty() {
            self.lanes.remove(&ticket.group);
            self.turns.retain(|group| *group != ticket.group);
        }
        self.len -= 1;
        Some(waiting.item)
    }

    /// Since when the entry that has waited longest waits. Looks at every group.
    pub fn oldest_ms(&self) -> Option<u64> {
        let oldest = |lane: &Lane<T>| {
            let (&arrival, &rank) = lane.arrivals.first_key_value()?;
            Some(lane.ranked.get(&(rank, arrival))?.since_ms)
        };
        self.lanes.values().filter_map(oldest).min()
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests;
