//! The task behind a load.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;

use super::lease::{Held, Leased};
use super::waiting::{Overdue, Waiter};
use super::{Load, Loaded, due, made};
use crate::engine::cache::record::Kind;
use crate::engine::cache::tier::{Entry, Tag, unix_ms};
use crate::engine::cache::tiered::Tiered;
use crate::engine::cache::tiered::change::NewValue;
use crate::engine::cache::tiered::metrics::count;
use crate::engine::cache::tiered::news::{Event, Reason};
use crate::engine::cache::tiered::search::{Watch, found, is_within, mark};
use crate::engine::completion::Outcome;
use crate::error::Error;

impl Tiered {
    pub(super) async fn drive(self: Arc<Self>, load: Arc<Load>) {
        let work = self.run(&load);
        tokio::select! {
            () = work => {}
            () = self.watch_the_clock(&load) => {}
        }
        self.loads.remove(&load);
    }

    async fn run(&self, load: &Arc<Load>) {
        let Some(first) = load.first() else { return };
        let watch = self.watch(&load.key);
        let mut is_missing = false;
        if !first.options.refresh {
            let search = self.search(&first.stack, &watch, first.options.early_ms).await;
            if let Some(hit) = search.hit {
                return self.finish_found(load, hit.level, &hit.entry);
            }
            is_missing = search.is_missing();
            load.keep_stale(search.stale);
        }
        // Most loads end above: their tasks do not carry the room that the rest needs.
        Box::pin(self.make(load, &first, &watch, is_missing)).await;
    }

    /// Has the value made, by one process for all.
    async fn make(&self, load: &Arc<Load>, first: &Waiter, watch: &Watch, is_missing: bool) {
        let held = match first.options.lock {
            None => None,
            Some(lock) => match self.lease(&first.stack, load, lock, is_missing).await {
                Leased::Held(held) => Some(held),
                Leased::Without => None,
                Leased::Elsewhere(level, entry) if !first.options.refresh => {
                    let index = first.stack.levels.iter().position(|known| known.number == level);
                    let (index, early_ms) = (index.unwrap_or(0), first.options.early_ms);
                    self.promote(&first.stack, index, watch, &entry, early_ms);
                    return self.finish_found(load, level, &entry);
                }
                Leased::Elsewhere(..) => return self.loads.remove(load),
            },
        };
        // Before the loader runs: a tag that is invalidated from now on takes the value along.
        let levels = self.context.levels();
        let names = first.options.tags.iter().cloned();
        let tags = self.context.generations.stamped(names, &levels).await;
        self.have_it_loaded(load, watch, tags, held).await;
    }

    async fn have_it_loaded(&self, load: &Arc<Load>, watch: &Watch, tags: Arc<[Tag]>, held: Option<Held>) {
        loop {
            let Some(leader) = load.appoint() else { break };
            count(&self.metrics().loads);
            let loaded = match &held {
                None => load.answer().await,
                Some(held) => tokio::select! {
                    loaded = load.answer() => loaded,
                    never = held.keep(&load.key) => match never {},
                },
            };
            match loaded {
                Loaded::Value(kind, payload) => {
                    return self
                        .finish_loaded(load, watch, &leader, (kind, payload), tags, held)
                        .await;
                }
                Loaded::Failed(error) => {
                    self.finish_failed(load, &error);
                    break;
                }
                Loaded::Lost => {}
            }
        }
        if let Some(held) = held {
            held.release(&load.key).await;
        }
    }

    fn finish_found(&self, load: &Arc<Load>, level: u8, entry: &Entry) {
        // Whoever comes from now on finds it in memory, or begins anew.
        self.loads.remove(load);
        let now = unix_ms();
        load.settle(|waiter| {
            let marks = due(entry, waiter.options.early_ms, now);
            if !waiter.options.quiet {
                self.metrics().hit(level, 1);
            }
            Some(Outcome::Done(found(level, marks, entry, waiter.options.quiet)))
        });
    }

    async fn finish_loaded(
        &self,
        load: &Arc<Load>,
        watch: &Watch,
        leader: &Waiter,
        (kind, payload): (Kind, Bytes),
        tags: Arc<[Tag]>,
        held: Option<Held>,
    ) {
        let options = &leader.options;
        let value = NewValue {
            kind,
            payload,
            ttl_ms: options.ttl_ms,
            grace_ms: options.grace_ms,
            early_ms: options.early_ms,
            tags,
            open_tags: false,
        };
        let may_store = watch.own.holds(value.tags.iter().map(|tag| &tag.name));
        let fenced = match &held {
            Some(held) if may_store => self.settle_lease(held, &load.key, &value).await,
            _ => Fenced::NotAsked,
        };
        if may_store && fenced != Fenced::Off {
            let except = held
                .as_ref()
                .filter(|_| fenced == Fenced::Written)
                .map(|held| &held.level);
            let outcomes = self.store(&leader.stack, &load.key, &value, Some(watch), except);
            self.loads.detach(load);
            join_all(outcomes.unwrap_or_default()).await;
        } else if let (Some(held), false) = (held, fenced == Fenced::Off) {
            held.release(&load.key).await;
        }
        self.loads.remove(load);
        if load.is_alone() || options.refresh {
            self.tell_refreshed(&load.key);
        }
        let (entry, _) = value.entry(unix_ms(), None);
        load.settle(|waiter| {
            self.count_miss(waiter);
            Some(Outcome::Done(match waiter.leads {
                true => made(),
                false => found(0, mark::LOADED, &entry, waiter.options.quiet),
            }))
        });
    }

    /// Writes to the level that granted the lease, unless the lease was lost.
    async fn settle_lease(&self, held: &Held, key: &Arc<[u8]>, value: &NewValue) -> Fenced {
        let (Some(leases), level) = (held.level.leases(), &held.level) else {
            return Fenced::NotAsked;
        };
        let (entry, _) = value.entry(unix_ms(), level.cap_ms);
        let settle = leases.settle(key, &held.lease, &entry);
        match level.call("set", Some(key), settle).await {
            Ok(true) => Fenced::Written,
            Ok(false) => Fenced::Off,
            // Nobody knows: the outbox will see to it.
            Err(_) => Fenced::NotAsked,
        }
    }

    fn finish_failed(&self, load: &Arc<Load>, error: &Arc<[u8]>) {
        self.loads.remove(load);
        let (stale, now) = (load.stale(), unix_ms());
        load.settle(|waiter| {
            self.count_miss(waiter);
            let usable = |entry: &&Entry| is_within(entry, waiter.options.grace_ms, now);
            Some(match stale.as_ref().filter(usable) {
                Some(entry) => {
                    self.tell_stale(&load.key, Reason::Loader);
                    Outcome::Done(found(0, mark::STALE, entry, waiter.options.quiet))
                }
                None => Outcome::Failure(error.clone()),
            })
        });
    }

    fn count_miss(&self, waiter: &Waiter) {
        if !waiter.options.quiet {
            count(&self.metrics().misses);
        }
    }

    fn tell_refreshed(&self, key: &Arc<[u8]>) {
        count(&self.metrics().refreshes);
        self.context.news.tell(&Event::Refresh { key: key.clone() });
    }

    /// Answers those whose timeouts pass while the load goes on. Never ends by itself.
    async fn watch_the_clock(&self, load: &Arc<Load>) {
        loop {
            let changed = load.changed.notified();
            match load.next_deadline() {
                None => changed.await,
                Some(deadline) => {
                    let passed = tokio::time::sleep_until(deadline.into());
                    tokio::select! {
                        () = changed => {}
                        () = passed => self.answer_overdue(load),
                    }
                }
            }
        }
    }

    fn answer_overdue(&self, load: &Arc<Load>) {
        let (stale, began, now) = (load.stale(), load.began(), Instant::now());
        let mut leader_gave_up = false;
        load.settle(|waiter| {
            let overdue = load.overdue(waiter, began, now)?;
            let usable = |entry: &&Entry| is_within(entry, waiter.options.grace_ms, unix_ms());
            let stale = stale.as_ref().filter(usable);
            if let Some(entry) = stale {
                self.count_miss(waiter);
                self.tell_stale(&load.key, Reason::Timeout);
                return Some(Outcome::Done(found(0, mark::STALE, entry, waiter.options.quiet)));
            }
            if overdue == Overdue::Soft {
                return None;
            }
            self.count_miss(waiter);
            leader_gave_up |= waiter.leads;
            Some(Outcome::Refused(Error::Timeout {
                what: "the loader",
                ms: waiter.options.hard_ms.unwrap_or_default(),
            }))
        });
        if leader_gave_up {
            // It may never end. Whoever comes from now on begins anew.
            self.loads.detach(load);
        }
    }
}

/// What the holder of a lease was told when it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fenced {
    /// The value is in place there.
    Written,
    /// The lease was lost: somebody else has a newer value.
    Off,
    /// There was no lease, or no answer.
    NotAsked,
}
