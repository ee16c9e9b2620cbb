//! What happens by itself: deadlines, delays, leases. On a native thread, whatever the event
//! loops do.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::super::book::head_of;
use super::super::book::upkeep::{has_others, next_due};
use super::super::client::Ending;
use super::super::disk::is_gone;
use super::super::head::{Seq, State};
use super::super::local::{Answer, Local};
use super::super::value::{Cause, Outcome};
use super::{FLUSH_MS, GRACE_MS, Jobs, LEASE_MS, LOOK_MS, POLL_MS, RENEWAL_MS};
use crate::engine::clock;
use crate::engine::workers::timers::{self, Alarm};

impl Jobs {
    /// Sets the alarm, unless it rings before that anyway.
    pub(super) fn arm(&self, at_ms: u64) {
        let after = at_ms.saturating_sub(self.now_ms());
        let due_ms = clock::now_ms() + after;
        // Armed times that differ by nothing but rounding are the same.
        if due_ms < self.armed_ms.load(Ordering::SeqCst) {
            self.armed_ms.store(due_ms, Ordering::SeqCst);
            let me: Weak<dyn Alarm> = self.me.clone();
            timers::at(due_ms, me);
        }
    }

    /// Deadlines that have passed.
    fn end_overdue(&self, local: &mut Local, now_ms: u64) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(&(deadline_ms, seq)) = local.deadlines.first()
            && deadline_ms <= now_ms
        {
            local.deadlines.pop_first();
            let Some(running) = local.running.get_mut(&seq) else {
                continue;
            };
            running.deadline_ms = None;
            let run = running.run;
            if running.over {
                // It does not heed its signal. Its place is needed.
                local.vacate(seq, run);
                continue;
            }
            let ms = running.timeout_ms.unwrap_or_default();
            let progress = local.told.remove(&seq).map(|(_, value)| value);
            local.give_up(seq, run, Ending::TimedOut, now_ms + GRACE_MS);
            answers.push(Answer {
                seq,
                run,
                outcome: Arc::new(Outcome::Failed(Cause::TimedOut { ms })),
                last: false,
                progress,
            });
        }
        answers
    }

    fn release_due(&self) {
        self.change(true, |book| book.release_due(), {
            let now_ms = self.now_ms();
            move |local, result| match result {
                Ok(next) => {
                    let due = [local.next_due_ms, next].into_iter().flatten().min();
                    local.next_due_ms = due;
                }
                Err(error) => {
                    local.next_due_ms = Some(now_ms + super::RETRY_MS);
                    local.complain(&error);
                }
            }
        });
    }

    /// Says that this process is alive, and takes over from those that are not.
    fn renew(&self) {
        let Some(directory) = self.config.store.clone() else {
            return;
        };
        let Some(me) = self.me.upgrade() else {
            return;
        };
        let run = move |book: &mut super::Book<'_>| {
            book.renew(me.now_ms() + LEASE_MS)?;
            book.take_over(|owner| is_gone(&directory, owner))
        };
        self.change(true, run, move |local, result| match result {
            Ok(others) => local.others = others > 0,
            Err(error) => local.complain(&error),
        });
    }

    /// What other processes have changed: there may be jobs to take, earlier times, and jobs
    /// here that were cancelled there.
    fn look_at_store(&self) {
        let Ok(store) = self.store() else {
            return;
        };
        let state = store.environment.last_transaction();
        let running: Vec<(Seq, u32)> = {
            let mut local = self.local.lock();
            if std::mem::replace(&mut local.seen, state) == state {
                return;
            }
            let running = local.running.iter().filter(|(_, running)| !running.over);
            running.map(|(seq, running)| (*seq, running.run)).collect()
        };
        let seen = store.read(|tables| {
            let mut ended = Vec::new();
            for (seq, run) in running {
                let ending = match head_of(tables, seq)? {
                    Some(head) if head.runs == run && head.state == State::Active => continue,
                    Some(head) if head.state == State::Cancelled => Ending::Cancelled,
                    _ => Ending::TakenOver,
                };
                ended.push((seq, run, ending));
            }
            let others = has_others(tables, self.owner)?;
            Ok((ended, next_due(tables)?, others))
        });
        let mut local = self.local.lock();
        match seen {
            Ok((ended, next_due, others)) => {
                if others && !local.others {
                    local.poll_ms = Some(self.now_ms() + POLL_MS);
                }
                local.others = others;
                for (seq, run, ending) in ended {
                    local.give_up(seq, run, ending, self.now_ms() + GRACE_MS);
                }
                local.next_due_ms = [local.next_due_ms, next_due].into_iter().flatten().min();
                local.maybe_ready = true;
            }
            Err(error) => local.complain(&error),
        }
        self.settle(local);
    }

    /// Stores the progress that was told since the last time.
    fn flush(&self) {
        let told = std::mem::take(&mut self.local.lock().told);
        let run = move |book: &mut super::Book<'_>| {
            for (seq, (run, value)) in &told {
                book.progress(*seq, *run, value)?;
            }
            Ok(())
        };
        self.change(false, run, |local, result| {
            if let Err(error) = result {
                local.complain(&error);
            }
        });
    }

    /// When progress that is told now is stored.
    pub(super) fn flush_later(&self, local: &mut Local) {
        local.flush_ms.get_or_insert(self.now_ms() + FLUSH_MS);
    }
}

/// Takes a time that has come.
fn due(time: &mut Option<u64>, now_ms: u64) -> bool {
    time.take_if(|time| *time <= now_ms).is_some()
}

impl Alarm for Jobs {
    fn ring(&self) {
        // Before anything else: an alarm that another thread sets meanwhile must not be lost.
        self.armed_ms.store(u64::MAX, Ordering::SeqCst);
        let now_ms = self.now_ms();
        let mut local = self.local.lock();
        if local.ended {
            return;
        }
        let mut answers = self.end_overdue(&mut local, now_ms);
        let release = due(&mut local.next_due_ms, now_ms);
        let flush = due(&mut local.flush_ms, now_ms);
        let retry = due(&mut local.retry_ms, now_ms);
        let renew = due(&mut local.renew_ms, now_ms);
        let poll = due(&mut local.poll_ms, now_ms);
        if retry {
            answers.append(&mut local.unsaved);
        }
        if renew {
            local.renew_ms = Some(now_ms + RENEWAL_MS);
        }
        if poll {
            let pause_ms = if local.others { POLL_MS } else { LOOK_MS };
            local.poll_ms = Some(now_ms + pause_ms);
        }
        self.settle(local);
        for answer in answers {
            self.record(answer);
        }
        if release {
            self.release_due();
        }
        if flush {
            self.flush();
        }
        if renew {
            self.renew();
        }
        if poll {
            self.look_at_store();
        }
    }
}
