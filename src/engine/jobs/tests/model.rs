//! A queue without indices: a list of jobs, searched from end to end.

use proptest::prelude::*;

use super::super::book::upkeep::{next_due, validate};
use super::super::book::{Book, Draft, Moment, Rules, counts_of, find, view};
use super::super::head::{Seq, State};
use super::super::keys::{lane, rank, turn};
use super::super::tables::Tables;
use super::super::value::{Cause, Outcome, Value};
use crate::engine::cache::record::Kind;
use crate::engine::workers::backoff::Backoff;

const OWNER: u64 = 7;
const TYPES: [&str; 3] = ["mail", "sum", "nobody"];
const GROUPS: [&str; 3] = ["", "a", "b"];

/// What happens to a queue.
#[derive(Debug, Clone)]
pub enum Change {
    Submit {
        kind: usize,
        group: usize,
        priority: i64,
        delay_ms: u64,
        retries: u32,
        name: Option<u8>,
    },
    Take,
    Finish {
        job: usize,
        done: bool,
        last: bool,
        late: bool,
    },
    Cancel(usize),
    Interrupt {
        job: usize,
        blame: bool,
    },
    Progress(usize),
    Wait(u64),
    Revive(Option<usize>),
    CancelWaiting,
}

/// Any change; submissions and takes are the most frequent.
pub fn change() -> impl Strategy<Value = Change> {
    let job = 0..40usize;
    let submit = (
        0..3usize,
        0..3usize,
        -3..4i64,
        prop_oneof![Just(0), 1..400u64],
        0..3u32,
        prop::option::weighted(0.3, 0..6u8),
    );
    prop_oneof![
        6 => submit.prop_map(|(kind, group, priority, delay_ms, retries, name)| {
            Change::Submit { kind, group, priority, delay_ms, retries, name }
        }),
        6 => Just(Change::Take),
        5 => (job.clone(), any::<bool>(), prop::bool::weighted(0.1), prop::bool::weighted(0.1))
            .prop_map(|(job, done, last, late)| Change::Finish { job, done, last, late }),
        2 => job.clone().prop_map(Change::Cancel),
        1 => (job.clone(), any::<bool>()).prop_map(|(job, blame)| Change::Interrupt { job, blame }),
        1 => job.clone().prop_map(Change::Progress),
        3 => (0..500u64).prop_map(Change::Wait),
        1 => prop::option::of(job).prop_map(Change::Revive),
        1 => Just(Change::CancelWaiting),
    ]
}

#[derive(Debug, Clone)]
struct Job {
    seq: Seq,
    id: String,
    kind: &'static str,
    group: &'static str,
    priority: i64,
    retries: u32,
    state: State,
    attempts: u32,
    runs: u32,
    ready_ms: u64,
    ended_ms: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Model {
    now_ms: u64,
    jobs: Vec<Job>,
    /// Jobs that there have ever been.
    count: Seq,
    last_turn: u64,
    rules: Rules,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            now_ms: 1_000_000,
            jobs: Vec::new(),
            count: 0,
            last_turn: 0,
            rules: Rules {
                backoff: Backoff {
                    initial_ms: 50.0,
                    ..Backoff::default()
                },
                max_finished: 4,
                max_dead: 3,
            },
        }
    }
}

fn value(byte: u8) -> Value {
    Value {
        kind: Kind::BUFFER,
        bytes: vec![byte],
    }
}

impl Model {
    /// Makes the changes to both, and compares after each.
    pub fn follow(mut self, tables: &mut dyn Tables, changes: &[Change]) {
        let mut turn = 0;
        for change in changes {
            let rules = self.rules.clone();
            let moment = Moment {
                now_ms: self.now_ms,
                owner: OWNER,
                chance: 1,
                mask: u32::MAX,
            };
            let mut book = Book::open(tables, &rules, moment).unwrap();
            self.make(&mut book, change, &mut turn);
            book.close().unwrap();
            self.forget();
            self.compare(tables);
        }
    }

    fn make(&mut self, book: &mut Book<'_>, change: &Change, turn: &mut u64) {
        match change {
            Change::Submit {
                kind,
                group,
                priority,
                delay_ms,
                retries,
                name,
            } => {
                let draft = Draft {
                    kind: TYPES[*kind].to_owned(),
                    data: value(*kind as u8),
                    priority: *priority,
                    retries: *retries,
                    timeout_ms: None,
                    delay_ms: *delay_ms,
                    group: GROUPS[*group].to_owned(),
                    id: name.map(|name| format!("name-{name}")),
                };
                let (id, new) = book.submit(&draft).unwrap();
                assert_eq!(new, !self.jobs.iter().any(|job| job.id == id));
                if new {
                    self.jobs.push(Job {
                        seq: self.count + 1,
                        id,
                        kind: TYPES[*kind],
                        group: GROUPS[*group],
                        priority: *priority,
                        retries: *retries,
                        state: match delay_ms {
                            0 => State::Queued,
                            _ => State::Delayed,
                        },
                        attempts: 0,
                        runs: 0,
                        ready_ms: self.now_ms + delay_ms,
                        ended_ms: 0,
                    });
                    self.count += 1;
                }
            }
            Change::Take => {
                let expected = self.next();
                let taken = book.take(&[lane("mail"), lane("sum")], turn).unwrap();
                assert_eq!(taken.as_ref().map(|taken| taken.seq), expected);
                if let Some(seq) = expected {
                    assert_eq!(*turn, self.last_turn);
                    let job = self.of(seq);
                    (job.state, job.attempts, job.runs) = (State::Active, job.attempts + 1, job.runs + 1);
                }
            }
            Change::Finish {
                job,
                done,
                last,
                late,
            } => self.finish(book, *job, *done, *last, *late),
            Change::Cancel(job) => {
                let now_ms = self.now_ms;
                let Some(job) = self.pick(*job) else {
                    assert!(!book.cancel("job_1_0000000zz").unwrap());
                    return;
                };
                assert_eq!(book.cancel(&job.id).unwrap(), !job.state.is_final());
                if !job.state.is_final() {
                    (job.state, job.ended_ms) = (State::Cancelled, now_ms);
                }
            }
            Change::Interrupt { job, blame } => {
                let Some(job) = self.pick(*job) else {
                    return;
                };
                book.interrupt(job.seq, job.runs, *blame).unwrap();
                if job.state == State::Active {
                    (job.state, job.attempts) = (State::Queued, job.attempts - 1);
                }
            }
            Change::Progress(job) => {
                if let Some(job) = self.pick(*job) {
                    book.progress(job.seq, job.runs, &value(9)).unwrap();
                }
            }
            Change::Wait(ms) => {
                // The book was opened before that: it is the next change that sees the time.
                let now_ms = self.now_ms;
                for job in &mut self.jobs {
                    if job.state == State::Delayed && job.ready_ms <= now_ms {
                        job.state = State::Queued;
                    }
                }
                book.release_due().unwrap();
                self.now_ms += ms;
            }
            Change::Revive(job) => self.revive(book, *job),
            Change::CancelWaiting => {
                book.cancel_waiting().unwrap();
                for job in &mut self.jobs {
                    if matches!(job.state, State::Queued | State::Delayed) {
                        (job.state, job.ended_ms) = (State::Cancelled, self.now_ms);
                    }
                }
            }
        }
    }

    fn finish(&mut self, book: &mut Book<'_>, job: usize, done: bool, last: bool, late: bool) {
        let (now_ms, backoff) = (self.now_ms, self.rules.backoff);
        let Some(job) = self.pick(job) else {
            return;
        };
        let run = job.runs.wrapping_sub(u32::from(late));
        let outcome = match done {
            true => Outcome::Done(value(1)),
            false => Outcome::Failed(Cause::Thrown(vec![2])),
        };
        let current = job.state == State::Active && !late;
        assert_eq!(book.finish(job.seq, run, &outcome, last).unwrap(), current);
        if !current {
            return;
        }
        if done {
            (job.state, job.ended_ms) = (State::Completed, now_ms);
        } else if last || job.attempts > job.retries {
            (job.state, job.ended_ms) = (State::Failed, now_ms);
        } else {
            job.state = State::Delayed;
            job.ready_ms = now_ms + backoff.delay_ms(job.attempts, 0.0);
        }
    }

    fn revive(&mut self, book: &mut Book<'_>, job: Option<usize>) {
        let now_ms = self.now_ms;
        let ids: Vec<String> = match job {
            Some(job) => self.pick(job).into_iter().map(|job| job.id.clone()).collect(),
            None => self.jobs.iter().map(|job| job.id.clone()).collect(),
        };
        let dead = |job: &&mut Job| job.state == State::Failed && ids.contains(&job.id);
        let dead: Vec<&mut Job> = self.jobs.iter_mut().filter(dead).collect();
        let named = job.map(|_| &ids[..]);
        assert_eq!(book.revive(named, u64::MAX).unwrap(), dead.len() as u64);
        for job in dead {
            (job.state, job.attempts, job.ready_ms) = (State::Queued, 0, now_ms);
        }
    }

    fn of(&mut self, seq: Seq) -> &mut Job {
        self.jobs.iter_mut().find(|job| job.seq == seq).unwrap()
    }

    fn pick(&mut self, index: usize) -> Option<&mut Job> {
        let count = self.jobs.len();
        self.jobs.get_mut(index % count.max(1))
    }

    /// The job whose turn it is; its group is served.
    fn next(&mut self) -> Option<Seq> {
        let last = self.last_turn;
        let place = |job: &&Job| {
            let distance = turn(job.group).wrapping_sub(last).wrapping_sub(1);
            let rank = rank(job.priority, job.ready_ms);
            (distance, rank, std::cmp::Reverse(job.priority), job.seq)
        };
        let ready = |job: &&Job| job.state == State::Queued && job.kind != "nobody";
        let next = self.jobs.iter().filter(ready).min_by_key(place)?;
        self.last_turn = turn(next.group);
        Some(next.seq)
    }

    /// The oldest of those that have ended are forgotten.
    fn forget(&mut self) {
        let limits = [
            (&[State::Completed, State::Cancelled][..], self.rules.max_finished),
            (&[State::Failed][..], self.rules.max_dead),
        ];
        for (states, most) in limits {
            let is_one = |job: &&Job| states.contains(&job.state);
            let mut ended: Vec<(u64, Seq)> = self
                .jobs
                .iter()
                .filter(is_one)
                .map(|job| (job.ended_ms, job.seq))
                .collect();
            ended.sort_unstable();
            let excess = ended.len().saturating_sub(most as usize);
            for (_, seq) in &ended[..excess] {
                self.jobs.retain(|job| job.seq != *seq);
            }
        }
    }

    fn compare(&self, tables: &dyn Tables) {
        assert_eq!(validate(tables, &self.rules).unwrap(), None);
        let counts = counts_of(tables).unwrap();
        for job in &self.jobs {
            let (seq, head) = find(tables, &job.id).unwrap().unwrap();
            assert_eq!(
                (seq, head.state, head.attempts, head.runs, head.ready_ms),
                (job.seq, job.state, job.attempts, job.runs, job.ready_ms),
                "{}",
                job.id
            );
            assert!(view(tables, &job.id).unwrap().is_some());
        }
        assert_eq!(counts.states.iter().sum::<u64>(), self.jobs.len() as u64);
        let due = self.jobs.iter().filter(|job| job.state == State::Delayed);
        assert_eq!(next_due(tables).unwrap(), due.map(|job| job.ready_ms).min());
    }
}
