//! From the queue to the clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::book::upkeep::any_ready;
use super::super::head::Seq;
use super::super::local::Local;
use super::Jobs;
use crate::engine::clock;

impl Jobs {
    /// Hands out jobs while there are places and jobs.
    pub(super) fn pump(&self, local: &mut Local) {
        if !local.maybe_ready || local.free(self.max_concurrent()) == 0 {
            return;
        }
        if self.is_durable() {
            if !local.take_queued && !local.lanes.is_empty() {
                (local.take_queued, local.take_wanted) = (true, true);
            }
            return;
        }
        let lanes = local.lanes.clone();
        while local.free(self.max_concurrent()) > 0 {
            let mut turn = self.turn.load(Ordering::Relaxed);
            let taken = self.change_in_memory(local, |book| book.take(&lanes, &mut turn));
            self.turn.store(turn, Ordering::Relaxed);
            match taken {
                Ok(Some(taken)) => local.assign(taken, self.now_ms(), clock::now_us()),
                Ok(None) => {
                    local.maybe_ready = false;
                    break;
                }
                Err(error) => {
                    local.maybe_ready = false;
                    local.complain(&error);
                    break;
                }
            }
        }
    }

    /// Takes as many jobs from the store as there are places when the transaction runs: all
    /// that have become free in the meantime are filled by one.
    pub(super) fn take_from_store(&self) {
        let Some(me) = self.me.upgrade() else {
            return;
        };
        // What this transaction has reserved; it may run again.
        let own = Arc::new(AtomicUsize::new(0));
        let reserved = own.clone();
        let run = move |book: &mut super::Book<'_>| {
            let (lanes, wanted) = {
                let mut local = me.local.lock();
                local.take_queued = false;
                local.reserved -= reserved.swap(0, Ordering::Relaxed);
                let wanted = local.free(me.max_concurrent());
                local.reserved += wanted;
                reserved.store(wanted, Ordering::Relaxed);
                (local.lanes.clone(), wanted)
            };
            let mut turn = me.turn.load(Ordering::Relaxed);
            let mut jobs = Vec::new();
            while jobs.len() < wanted {
                match book.take(&lanes, &mut turn)? {
                    Some(taken) => jobs.push(taken),
                    None => break,
                }
            }
            me.turn.store(turn, Ordering::Relaxed);
            Ok((jobs, wanted))
        };
        let me = self.me.clone();
        self.change(false, run, move |local, result| {
            local.reserved -= own.load(Ordering::Relaxed);
            let Some(me) = me.upgrade() else {
                return;
            };
            match result {
                Ok((jobs, wanted)) => {
                    if jobs.len() < wanted {
                        local.maybe_ready = false;
                    }
                    for taken in jobs {
                        local.assign(taken, me.now_ms(), clock::now_us());
                    }
                }
                Err(error) => {
                    local.take_queued = false;
                    local.retry_ms = Some(me.now_ms() + super::RETRY_MS);
                    local.complain(&error);
                }
            }
        });
    }

    /// Nobody works on these any more: they keep their place in the queue.
    pub(super) fn give_back(&self, runs: Vec<(Seq, u32)>, blame: bool) {
        let run = move |book: &mut super::Book<'_>| {
            for (seq, run) in &runs {
                book.interrupt(*seq, *run, blame)?;
            }
            Ok(())
        };
        self.change(true, run, |local, result| {
            if let Err(error) = result {
                // The lease runs out with the process, at the latest.
                local.complain(&error);
            }
        });
    }

    /// Whether nothing is to be done now, nor, in memory, later.
    pub(super) fn is_idle(&self, local: &Local) -> bool {
        if !local.running.is_empty() || local.reserved > 0 || local.pending > 0 {
            return false;
        }
        if local.paused || local.ended {
            return true;
        }
        if self.is_durable() {
            return !local.take_queued && (!local.maybe_ready || local.lanes.is_empty());
        }
        local.next_due_ms.is_none() && !any_ready(&local.tables, &local.lanes).unwrap_or(false)
    }
}
