//! Clients: the handles of JavaScript, which submit jobs, work on them, and hear of both.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::book::Taken;
use super::event::Event;
use super::head::Seq;
use super::keys::Lane;
use crate::engine::workers::client::Signal;
use crate::error::Error;

/// The number of a client in its engine.
pub type ClientId = u32;

/// Events that an outbox keeps before it drops; everything else is kept in any case.
const MAX_EVENTS: usize = 65_536;

/// What a client is told.
#[derive(Debug, Clone)]
pub enum Notice {
    /// It shall work on a job.
    Run(Box<Taken>),
    /// A run that it works on is over: it was cancelled, took too long, or was taken over.
    Abort(Seq, u32, Ending),
    /// Something that it listens for.
    Event(Box<Event>),
    /// The store does not work.
    Trouble(Error),
}

/// Why a run is over before its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// Somebody cancelled the job.
    Cancelled = 0,
    /// It took too long.
    TimedOut = 1,
    /// Another process took it for dead.
    TakenOver = 2,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Client {
    signal: Arc<dyn Signal>,
    outbox: VecDeque<Notice>,
    events: usize,
    announced: bool,
    /// The types that it can work on.
    pub lanes: BTreeSet<Lane>,
    /// It takes no more jobs.
    pub closing: bool,
    /// How many jobs it works on.
    pub running: usize,
    /// Events that it listens for.
    pub mask: u32,
    /// Events that were lost because nobody took them.
    pub dropped: u64,
}

impl Client {
    pub fn new(signal: Arc<dyn Signal>) -> Self {
        Self {
            signal,
            outbox: VecDeque::new(),
            events: 0,
            announced: false,
            lanes: BTreeSet::new(),
            closing: false,
            running: 0,
            mask: 0,
            dropped: 0,
        }
    }

    /// Adds a notice; returns who has to be woken for it.
    pub fn tell(&mut self, notice: Notice) -> Option<Arc<dyn Signal>> {
        if matches!(notice, Notice::Event(_)) {
            if self.events >= MAX_EVENTS {
                self.dropped += 1;
                return None;
            }
            self.events += 1;
        }
        self.outbox.push_back(notice);
        self.nudge()
    }

    /// Makes it look, though there may be nothing to take.
    pub fn nudge(&mut self) -> Option<Arc<dyn Signal>> {
        (!std::mem::replace(&mut self.announced, true)).then(|| self.signal.clone())
    }

    /// Takes the next notice.
    pub fn take(&mut self) -> Option<Notice> {
        let notice = self.outbox.pop_front();
        match &notice {
            None => self.announced = false,
            Some(Notice::Event(_)) => self.events -= 1,
            Some(_) => {}
        }
        notice
    }
}
