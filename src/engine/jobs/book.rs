//! The state machine of jobs, over whatever tables: what each change does, and what follows.
//!
//! A [`Book`] lives as long as one transaction. Its methods read and write tables only;
//! who has to be told of what is gathered in [`Effects`], for after the commit. A method may
//! run again after its transaction was undone.
//!
//! A job that is handed out gets a new *run*: the number by which an answer proves that it
//! answers the current attempt and not one that was timed out, cancelled or taken over.

mod attempts;
pub mod upkeep;

use super::counts::{self, Counts};
use super::event::{Detail, Event, Sort};
use super::head::{Head, Name, Seq, State};
use super::keys::{self, Lane, key, number_at, place};
use super::tables::{Reads, Table, Tables, damaged};
use super::value::{Cause, Outcome, Value};
use crate::engine::workers::backoff::Backoff;

/// What holds for all jobs of a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Waits between attempts.
    pub backoff: Backoff,
    /// Completed and cancelled jobs that are remembered.
    pub max_finished: u64,
    /// Dead letters that are kept.
    pub max_dead: u64,
}

/// How often a job may lose its process or thread in a row before it is taken for the cause.
pub const MOST_INTERRUPTIONS: u32 = 20;

/// Jobs whose time has come that one transaction puts into the queue.
const STRIDE: usize = 512;

/// What the outside world has to do after a change.
#[derive(Debug, Default)]
pub struct Effects {
    /// For those who listen.
    pub events: Vec<Event>,
    /// Something may be ready that was not before.
    pub ready: bool,
    /// When the next job becomes due, if the change may have made that earlier.
    pub due_ms: Option<u64>,
    /// Runs that are over though nobody has answered them.
    pub aborted: Vec<(Seq, u32)>,
}

/// A job that somebody wants done.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which processor it needs.
    pub kind: String,
    /// Its data.
    pub data: Value,
    /// Larger first.
    pub priority: i64,
    /// Attempts after the first.
    pub retries: u32,
    /// Longest time of an attempt.
    pub timeout_ms: Option<u64>,
    /// Time until it may begin.
    pub delay_ms: u64,
    /// With whom it takes turns; empty for nobody.
    pub group: String,
    /// Its name, if it has one.
    pub id: Option<String>,
}

/// A job that was handed out.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The job.
    pub seq: Seq,
    /// What is known of it.
    pub head: Head,
    /// Its data.
    pub data: Value,
}

/// A job as it is shown.
#[derive(Debug, Clone)]
pub struct View {
    /// The job.
    pub seq: Seq,
    /// What is known of it.
    pub head: Head,
    /// Its data, while it may still be needed.
    pub data: Option<Value>,
    /// What its processor told last.
    pub progress: Option<Value>,
    /// How it, or its last attempt, ended.
    pub outcome: Option<Outcome>,
}

/// See the module.
pub struct Book<'a> {
    tables: &'a mut dyn Tables,
    rules: &'a Rules,
    now_ms: u64,
    owner: u64,
    /// Chance for this change.
    chance: u64,
    /// Events that anybody listens for.
    mask: u32,
    counts: Counts,
    before: Counts,
    /// What follows.
    pub effects: Effects,
}

impl std::fmt::Debug for Book<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Book")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Who opens a book, and when.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Who takes jobs.
    pub owner: u64,
    /// A random number.
    pub chance: u64,
    /// Events that anybody listens for.
    pub mask: u32,
}

/// What is counted in these tables.
pub fn counts_of(tables: &dyn Reads) -> heed::Result<Counts> {
    match tables.get(Table::Meta, counts::KEY)? {
        None => Ok(Counts::default()),
        Some(bytes) => Counts::decode(&bytes).ok_or_else(|| damaged("the counters cannot be read")),
    }
}

/// What is known of a job.
pub fn head_of(tables: &dyn Reads, seq: Seq) -> heed::Result<Option<Head>> {
    match tables.get(Table::Heads, &key([seq]))? {
        None => Ok(None),
        Some(bytes) => Head::decode(&bytes).map(Some),
    }
}

/// The job of this name.
pub fn find(tables: &dyn Reads, id: &str) -> heed::Result<Option<(Seq, Head)>> {
    let given = tables.get(Table::Names, &keys::name(id))?;
    let seq = match given.as_deref().and_then(|bytes| number_at(bytes, 0)) {
        Some(seq) => Some(seq),
        None => Head::seq_of(id),
    };
    drop(given);
    let Some(seq) = seq else {
        return Ok(None);
    };
    // A number alone proves nothing: the name has to be this one.
    let found = head_of(tables, seq)?.filter(|head| head.id(seq) == id);
    Ok(found.map(|head| (seq, head)))
}

/// All that is known of the job of this name.
pub fn view(tables: &dyn Reads, id: &str) -> heed::Result<Option<View>> {
    let Some((seq, head)) = find(tables, id)? else {
        return Ok(None);
    };
    let value = |table| -> heed::Result<Option<Value>> {
        Ok(tables
            .get(table, &key([seq]))?
            .and_then(|bytes| Value::decode(&bytes)))
    };
    let outcome = tables.get(Table::Outcomes, &key([seq]))?;
    Ok(Some(View {
        seq,
        data: value(Table::Data)?,
        progress: value(Table::Progress)?,
        outcome: outcome.and_then(|bytes| Outcome::decode(&bytes)),
        head,
    }))
}

impl<'a> Book<'a> {
    /// Opens the tables for one change.
    pub fn open(tables: &'a mut dyn Tables, rules: &'a Rules, moment: Moment) -> heed::Result<Self> {
        let counts = counts_of(tables)?;
        Ok(Self {
            tables,
            rules,
            now_ms: moment.now_ms,
            owner: moment.owner,
            chance: moment.chance,
            mask: moment.mask,
            counts,
            before: counts,
            effects: Effects::default(),
        })
    }

    /// Writes what was counted.
    pub fn close(self) -> heed::Result<Effects> {
        if self.counts != self.before {
            self.tables.put(Table::Meta, counts::KEY, &self.counts.encode())?;
        }
        Ok(self.effects)
    }

    /// Accepts a job. The name of one that exists is answered with that, and false.
    pub fn submit(&mut self, draft: &Draft) -> heed::Result<(String, bool)> {
        if let Some(id) = &draft.id
            && find(self.tables, id)?.is_some()
        {
            return Ok((id.clone(), false));
        }
        self.counts.last_seq += 1;
        let seq = self.counts.last_seq;
        let chance = self.roll() as u32;
        let delayed = draft.delay_ms > 0;
        let head = Head {
            name: draft.id.clone().map_or(Name::Made(chance), Name::Given),
            kind: draft.kind.clone(),
            group: draft.group.clone(),
            priority: draft.priority,
            retries: draft.retries,
            timeout_ms: draft.timeout_ms,
            state: if delayed { State::Delayed } else { State::Queued },
            attempts: 0,
            runs: 0,
            interruptions: 0,
            created_ms: self.now_ms,
            ready_ms: self.now_ms.saturating_add(draft.delay_ms),
            started_ms: 0,
            ended_ms: 0,
            owner: 0,
        };
        if let Name::Given(id) = &head.name {
            self.tables.put(Table::Names, &keys::name(id), &key([seq]))?;
        }
        self.tables.put(Table::Data, &key([seq]), &draft.data.encode())?;
        self.counts.submitted += 1;
        self.enter(seq, &head)?;
        let id = head.id(seq);
        let figures = [draft.priority as f64, draft.delay_ms as f64];
        self.tell(Sort::Queued, seq, &head, figures, || Detail::None);
        Ok((id, true))
    }

    /// Ends a job, whatever it does. False when it has ended before, or is unknown.
    pub fn cancel(&mut self, id: &str) -> heed::Result<bool> {
        match find(self.tables, id)? {
            Some((seq, head)) if !head.state.is_final() => self.cancel_one(seq, head).map(|()| true),
            _ => Ok(false),
        }
    }

    fn cancel_one(&mut self, seq: Seq, mut head: Head) -> heed::Result<()> {
        let active = head.state == State::Active;
        if active {
            self.effects.aborted.push((seq, head.runs));
        }
        self.leave(seq, &head)?;
        head.state = State::Cancelled;
        self.tables.delete(Table::Data, &key([seq]))?;
        self.counts.cancelled += 1;
        self.end(seq, &mut head)?;
        self.tell(
            Sort::Cancelled,
            seq,
            &head,
            [f64::from(u8::from(active)), 0.0],
            || Detail::None,
        );
        Ok(())
    }

    /// Ends everything that waits. How many jobs that were, at most [`STRIDE`] at a time.
    pub fn cancel_waiting(&mut self) -> heed::Result<usize> {
        let mut count = 0;
        for (table, place) in [(Table::Ready, place::SEQ), (Table::Due, 1)] {
            while count < STRIDE {
                let Some((found, _)) = self.tables.at_or_after(table, &[])? else {
                    break;
                };
                let seq = number_at(&found, place).unwrap_or_default();
                match head_of(self.tables, seq)? {
                    Some(head) => self.cancel_one(seq, head)?,
                    None => return Err(damaged("a job that waits is missing")),
                }
                count += 1;
            }
        }
        Ok(count)
    }

    /// Gives dead letters another chance: those named, or the oldest. How many they were.
    pub fn revive(&mut self, ids: Option<&[String]>, most: u64) -> heed::Result<u64> {
        let mut count = 0;
        match ids {
            Some(ids) => {
                for id in ids {
                    let dead = find(self.tables, id)?.filter(|(_, head)| head.state == State::Failed);
                    if let Some((seq, head)) = dead {
                        self.revive_one(seq, head)?;
                        count += 1;
                    }
                }
            }
            None => {
                while count < most
                    && let Some((found, _)) = self.tables.at_or_after(Table::Ended, &key([DEAD, 0, 0]))?
                {
                    let seq = number_at(&found, 2).unwrap_or_default();
                    let head = head_of(self.tables, seq)?;
                    let head = head.ok_or_else(|| damaged("a dead letter is missing"))?;
                    self.revive_one(seq, head)?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    fn revive_one(&mut self, seq: Seq, mut head: Head) -> heed::Result<()> {
        self.leave(seq, &head)?;
        self.tables.delete(Table::Outcomes, &key([seq]))?;
        self.tables.delete(Table::Progress, &key([seq]))?;
        (head.attempts, head.interruptions, head.ended_ms) = (0, 0, 0);
        (head.state, head.ready_ms) = (State::Queued, self.now_ms);
        self.counts.revived += 1;
        self.enter(seq, &head)?;
        let figures = [head.priority as f64, 0.0];
        self.tell(Sort::Queued, seq, &head, figures, || Detail::None);
        Ok(())
    }

    /// Puts a job where its state says, and its head with it.
    fn enter(&mut self, seq: Seq, head: &Head) -> heed::Result<()> {
        self.counts.enter(head.state);
        match head.state {
            State::Queued => {
                self.tables.put(Table::Ready, &keys::ready(head, seq), &[])?;
                self.effects.ready = true;
            }
            State::Delayed => {
                self.tables.put(Table::Due, &key([head.ready_ms, seq]), &[])?;
                let due = self.effects.due_ms.unwrap_or(u64::MAX);
                self.effects.due_ms = Some(due.min(head.ready_ms));
            }
            State::Active => self.tables.put(Table::Active, &key([head.owner, seq]), &[])?,
            _ => self.tables.put(Table::Ended, &ended_key(head, seq), &[])?,
        }
        self.tables.put(Table::Heads, &key([seq]), &head.encode())
    }

    /// Takes a job out of where its state says.
    fn leave(&mut self, seq: Seq, head: &Head) -> heed::Result<()> {
        self.counts.leave(head.state);
        let was_there = match head.state {
            State::Queued => self.tables.delete(Table::Ready, &keys::ready(head, seq))?,
            State::Delayed => self.tables.delete(Table::Due, &key([head.ready_ms, seq]))?,
            State::Active => self.tables.delete(Table::Active, &key([head.owner, seq]))?,
            _ => self.tables.delete(Table::Ended, &ended_key(head, seq))?,
        };
        match was_there {
            true => Ok(()),
            false => Err(damaged("a job is not where it should be")),
        }
    }

    /// A job that has left its place ends for good. Forgets what is too old for it.
    fn end(&mut self, seq: Seq, head: &mut Head) -> heed::Result<()> {
        (head.ended_ms, head.owner) = (self.now_ms, 0);
        self.enter(seq, head)?;
        self.forget_old()
    }

    fn forget_old(&mut self) -> heed::Result<()> {
        let finished = |counts: &Counts| counts.of(State::Completed) + counts.of(State::Cancelled);
        while finished(&self.counts) > self.rules.max_finished {
            self.forget_oldest(FINISHED)?;
        }
        while self.counts.of(State::Failed) > self.rules.max_dead {
            self.forget_oldest(DEAD)?;
        }
        Ok(())
    }

    fn forget_oldest(&mut self, class: u64) -> heed::Result<()> {
        let oldest = self.tables.at_or_after(Table::Ended, &key([class, 0, 0]))?;
        let seq = oldest.and_then(|(found, _)| {
            number_at(&found, 0)
                .filter(|found| *found == class)
                .and(number_at(&found, 2))
        });
        let seq = seq.ok_or_else(|| damaged("an ended job is missing"))?;
        let head = head_of(self.tables, seq)?.ok_or_else(|| damaged("an ended job is missing"))?;
        self.leave(seq, &head)?;
        if let Name::Given(id) = &head.name {
            self.tables.delete(Table::Names, &keys::name(id))?;
        }
        for table in [Table::Heads, Table::Data, Table::Outcomes, Table::Progress] {
            self.tables.delete(table, &key([seq]))?;
        }
        Ok(())
    }

    fn tell(
        &mut self,
        sort: Sort,
        seq: Seq,
        head: &Head,
        figures: [f64; 2],
        detail: impl FnOnce() -> Detail,
    ) {
        if self.mask & sort.bit() != 0 {
            self.effects.events.push(Event {
                sort,
                id: head.id(seq),
                kind: head.kind.clone(),
                figures,
                detail: detail(),
            });
        }
    }

    /// A random number (xorshift: names and waits need chance, not secrecy).
    fn roll(&mut self) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance
    }
}

/// Classes of ended jobs.
const FINISHED: u64 = 0;
const DEAD: u64 = 1;

fn ended_key(head: &Head, seq: Seq) -> Vec<u8> {
    let class = match head.state {
        State::Failed => DEAD,
        _ => FINISHED,
    };
    key([class, head.ended_ms, seq])
}
