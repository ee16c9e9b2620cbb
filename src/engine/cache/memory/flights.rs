//! Single-flight: however many callers in however many threads miss a key, one loads it.
//!
//! The first caller *leads* with a ticket, the others *follow* and are told through their
//! environment's completion queue. A leader settles its ticket with a value or an error; if
//! its thread ends first, the next follower is asked to lead. A key that is written or
//! deleted meanwhile *supersedes* the flight: its value still goes to the callers, who asked
//! before the change, and is not stored.
//!
//! The lock here is a leaf: it is taken inside the key's shard, and nothing is locked inside
//! it but the completion queues of waiters.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ahash::RandomState;
use parking_lot::Mutex;

use crate::engine::completion::{CompletionQueue, Outcome};

/// A caller who waits in an environment.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The environment.
    pub environment: Arc<CompletionQueue>,
    /// The number of the caller's operation there.
    pub operation: u32,
}

/// A caller's part in a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To load the value and settle this ticket.
    Lead(u64),
    /// To wait for a completion.
    Follow,
}

#[derive(Debug)]
struct Flight {
    ticket: u64,
    leader: Arc<CompletionQueue>,
    superseded: bool,
    /// Tags that were invalidated since the load began.
    invalidated: HashSet<String, RandomState>,
    followers: VecDeque<Caller>,
}

/// The loads under way in one engine.
#[derive(Debug, Default)]
pub struct Flights {
    flights: Mutex<HashMap<Box<[u8]>, Flight, RandomState>>,
    count: AtomicUsize,
    tickets: AtomicU64,
}

impl Flights {
    /// Joins the flight for a key, or begins one.
    pub fn join(&self, key: &[u8], caller: Caller) -> Part {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get_mut(key) {
            flight.followers.push_back(caller);
            return Part::Follow;
        }
        let ticket = self.next_ticket();
        let flight = Flight {
            ticket,
            leader: caller.environment,
            superseded: false,
            invalidated: HashSet::default(),
            followers: VecDeque::new(),
        };
        flights.insert(key.into(), flight);
        self.count.store(flights.len(), Ordering::SeqCst);
        Part::Lead(ticket)
    }

    /// Marks the flight for a key as overtaken by a write. One load when nothing is loading.
    pub fn supersede(&self, key: &[u8]) {
        if self.count.load(Ordering::SeqCst) > 0
            && let Some(flight) = self.flights.lock().get_mut(key)
        {
            flight.superseded = true;
        }
    }

    /// Marks all flights as overtaken.
    pub fn supersede_all(&self) {
        self.supersede_where(&|_| true);
    }

    /// Marks the flights for some keys as overtaken.
    pub fn supersede_where(&self, chosen: &dyn Fn(&[u8]) -> bool) {
        if self.count.load(Ordering::SeqCst) > 0 {
            let mut flights = self.flights.lock();
            flights
                .iter_mut()
                .for_each(|(key, flight)| flight.superseded |= chosen(key));
        }
    }

    /// Remembers that these tags were invalidated: a value that turns out to carry one of
    /// them is overtaken too.
    pub fn invalidate_tags(&self, tags: &[String]) {
        if self.count.load(Ordering::SeqCst) > 0 {
            for flight in self.flights.lock().values_mut() {
                flight.invalidated.extend(tags.iter().cloned());
            }
        }
    }

    /// True when the holder of `ticket` leads, and nobody has written the key or invalidated
    /// one of its value's tags since.
    pub fn may_store(&self, key: &[u8], ticket: u64, tags: &[Arc<str>]) -> bool {
        self.flights.lock().get(key).is_some_and(|flight| {
            let invalidated = tags.iter().any(|tag| flight.invalidated.contains(&**tag));
            flight.ticket == ticket && !flight.superseded && !invalidated
        })
    }

    /// Ends the flight that `ticket` leads and tells its followers. Without effect when the
    /// lead has passed on.
    pub fn settle(&self, key: &[u8], ticket: u64, outcome: &Outcome) {
        let mut flights = self.flights.lock();
        if flights.get(key).is_none_or(|flight| flight.ticket != ticket) {
            return;
        }
        let Some(flight) = flights.remove(key) else { return };
        self.count.store(flights.len(), Ordering::SeqCst);
        drop(flights);
        for follower in flight.followers {
            follower.environment.push(follower.operation, outcome.clone());
        }
    }

    /// Gives up the lead of a flight: it passes to a follower, or the flight ends.
    pub fn abandon(&self, key: &[u8], ticket: u64) {
        let mut flights = self.flights.lock();
        if let Some(flight) = flights.get_mut(key)
            && flight.ticket == ticket
            && !self.pass_on(flight)
        {
            flights.remove(key);
            self.count.store(flights.len(), Ordering::SeqCst);
        }
    }

    /// An environment ends: its callers wait no more, and what it leads passes to others.
    pub fn leave(&self, environment: &Arc<CompletionQueue>) {
        let mut flights = self.flights.lock();
        flights.retain(|_, flight| {
            flight
                .followers
                .retain(|caller| !Arc::ptr_eq(&caller.environment, environment));
            !Arc::ptr_eq(&flight.leader, environment) || self.pass_on(flight)
        });
        self.count.store(flights.len(), Ordering::SeqCst);
    }

    /// Makes the next follower that can still be reached the leader.
    fn pass_on(&self, flight: &mut Flight) -> bool {
        while let Some(next) = flight.followers.pop_front() {
            flight.ticket = self.next_ticket();
            // What is loaded from now on is newer than whatever overtook the first load.
            flight.superseded = false;
            flight.invalidated.clear();
            if next
                .environment
                .push(next.operation, Outcome::Lead(flight.ticket))
            {
                flight.leader = next.environment;
                return true;
            }
        }
        false
    }

    fn next_ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many loads are under way.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// True when nothing is loading.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::completion::{Completion, Waker};

    struct Silent;

    impl Waker for Silent {
        fn wake(&self) {}
    }

    fn environment() -> Arc<CompletionQueue> {
        Arc::new(CompletionQueue::new(Box::new(Silent)))
    }

    fn caller(environment: &Arc<CompletionQueue>, operation: u32) -> Caller {
        Caller {
            environment: environment.clone(),
            operation,
        }
    }

    fn failure() -> Outcome {
        Outcome::Failure(b"boom"[..].into())
    }

    fn lead(part: Part) -> u64 {
        match part {
            Part::Lead(ticket) => ticket,
            Part::Follow => panic!("expected to lead"),
        }
    }

    #[test]
    fn one_leads_and_every_follower_is_told_once() {
        let (a, b) = (environment(), environment());
        let flights = Flights::default();
        let ticket = lead(flights.join(b"k", caller(&a, 1)));
        assert_eq!(flights.join(b"k", caller(&b, 2)), Part::Follow);
        assert_eq!(flights.join(b"k", caller(&b, 3)), Part::Follow);
        flights.settle(b"k", ticket + 1, &failure());
        assert!(b.drain().is_empty());
        flights.settle(b"k", ticket, &failure());
        flights.settle(b"k", ticket, &failure());
        let told: Vec<u32> = b.drain().iter().map(|item| item.operation).collect();
        assert_eq!(told, [2, 3]);
        assert!(a.drain().is_empty() && flights.is_empty());
    }

    #[test]
    fn a_write_supersedes_only_its_key() {
        let a = environment();
        let flights = Flights::default();
        let first = lead(flights.join(b"k", caller(&a, 1)));
        let second = lead(flights.join(b"l", caller(&a, 2)));
        flights.supersede(b"k");
        assert!(!flights.may_store(b"k", first, &[]));
        assert!(flights.may_store(b"l", second, &[]));
        flights.supersede_all();
        assert!(!flights.may_store(b"l", second, &[]));
    }

    #[test]
    fn the_lead_passes_to_the_next_environment_that_lives() {
        let (a, b, c) = (environment(), environment(), environment());
        let flights = Flights::default();
        let ticket = lead(flights.join(b"k", caller(&a, 1)));
        flights.join(b"k", caller(&a, 2));
        flights.join(b"k", caller(&b, 3));
        flights.join(b"k", caller(&c, 4));
        b.close();
        flights.leave(&a);
        let [
            Completion {
                operation: 4,
                outcome: Outcome::Lead(next),
            },
        ] = c.drain()[..]
        else {
            panic!("the third environment was not asked to lead");
        };
        assert_ne!(next, ticket);
        assert!(!flights.may_store(b"k", ticket, &[]));
        assert!(flights.may_store(b"k", next, &[]));
        flights.leave(&c);
        assert!(flights.is_empty());
    }
}
