//! One thread of a run: its runtime, its lanes or users, and its end.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use tokio::task::LocalSet;
use tokio::time::Sleep;

use super::failure::Failure;
use super::origin::Origin;
use super::pace::Pace;
use super::plan::{Requests, Target, Work};
use super::run::Common;
use super::schedule::seconds;
use super::user;
use super::wire::{Answer, Prepared, Shared, Wire};
use crate::error::{Error, Result};

/// Longest pause of a lane that cannot connect, in a closed loop.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What everything on a thread shares.
pub struct Thread<'a> {
    /// What all threads share.
    pub common: &'a Common,
    /// Its number.
    pub index: usize,
    /// The server.
    pub origin: Rc<Origin>,
    /// Of one request.
    pub timeout: Duration,
}

/// Does the part of thread `index`.
///
/// # Errors
/// There is no runtime, or the request cannot be one.
pub fn work(common: &Common, index: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| Error::NoThreads)?;
    let thread = Thread {
        common,
        index,
        origin: Rc::new(Origin::new(common.target.clone(), common.sealer.clone())),
        timeout: seconds(common.plan.timeout_ms / 1000.0),
    };
    // Tasks of HTTP/2 connections are spawned into it; lanes and users borrow, and are not.
    let local = LocalSet::new();
    match &common.plan.work {
        Work::Requests(requests) => {
            let prepared = prepare(requests, &common.target)?;
            runtime.block_on(local.run_until(thread.lanes(requests, &prepared)));
        }
        Work::Users(_) => runtime.block_on(local.run_until(user::crowd(&thread))),
    }
    Ok(())
}

/// The request that lanes send.
fn prepare(requests: &Requests, target: &Target) -> Result<Prepared> {
    let mut headers = HeaderMap::new();
    for (name, value) in &requests.headers {
        let name = HeaderName::try_from(name).map_err(|error| unfit(&error))?;
        headers.append(name, HeaderValue::try_from(value).map_err(|error| unfit(&error))?);
    }
    address(&mut headers, target)?;
    if !requests.keep_alive {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(Prepared {
        method: Method::try_from(requests.method.as_str()).map_err(|error| unfit(&error))?,
        uri: uri(&requests.path, target)?,
        headers,
        body: requests.body.clone(),
    })
}

/// The address of a path, in the form of the protocol.
pub fn uri(path: &str, target: &Target) -> Result<Uri> {
    let text = if target.http2 {
        let scheme = if target.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", target.authority)
    } else {
        path.to_owned()
    };
    Uri::try_from(text).map_err(|error| unfit(&error))
}

/// Adds the host to the headers, where it is one of them.
pub fn address(headers: &mut HeaderMap, target: &Target) -> Result<()> {
    if target.http2 {
        headers.remove(HOST);
    } else if !headers.contains_key(HOST) {
        let host = HeaderValue::try_from(&target.authority).map_err(|error| unfit(&error))?;
        headers.insert(HOST, host);
    }
    Ok(())
}

fn unfit(reason: &dyn std::fmt::Display) -> Error {
    let reason = reason.to_string();
    Error::BadData {
        what: "request",
        reason,
    }
}

/// What the lanes of a thread share beside it.
struct Lanes<'a> {
    thread: &'a Thread<'a>,
    requests: &'a Requests,
    prepared: &'a Prepared,
    pace: Option<Pace>,
    ends: Option<Instant>,
    /// What each lane has under way, since when.
    under_way: Vec<Cell<Option<Instant>>>,
}

impl Thread<'_> {
    async fn lanes(&self, requests: &Requests, prepared: &Prepared) {
        let common = self.common;
        let count = share(requests.concurrency, common.plan.threads, self.index);
        let pace = common.schedule.as_ref().map(|schedule| {
            Pace::new(
                schedule.clone(),
                common.start,
                self.index,
                common.plan.threads.max(1),
            )
        });
        let limit = requests.duration_ms.map(|ms| common.start + seconds(ms / 1000.0));
        let ends = match &common.schedule {
            Some(schedule) => Some(common.start + schedule.end()),
            None => limit,
        };
        let lanes = Lanes {
            thread: self,
            requests,
            prepared,
            pace,
            ends,
            under_way: vec![Cell::new(None); count],
        };
        let shared: Vec<Rc<Shared>> = (0..share(requests.connections, common.plan.threads, self.index)
            .max(1))
            .map(|_| Rc::default())
            .collect();
        // Only lanes that something has happened to are polled.
        let mut all: FuturesUnordered<_> = (0..count)
            .map(|lane| {
                let wire = if common.target.http2 {
                    Wire::over(&self.origin, &shared[lane % shared.len()])
                } else {
                    Wire::alone(&self.origin)
                };
                lanes.lane(lane, wire)
            })
            .collect();
        let all = async { while all.next().await.is_some() {} };
        let keeper = async {
            if let Some(pace) = &lanes.pace {
                pace.release(count).await;
            }
        };
        let last = ends.map(|ends| ends + self.timeout);
        match self.until_over(async { tokio::join!(all, keeper) }, last).await {
            End::Done => {}
            End::Late => lanes.give_up(Some(Failure::Timeout)),
            End::Stopped => lanes.give_up(None),
        }
        self.publish();
    }

    /// Waits until work is done, but no longer than until the run is stopped, or the last moment.
    pub async fn until_over(&self, work: impl Future, last: Option<Instant>) -> End {
        let mut stop = self.common.stop.subscribe();
        let last = async {
            match last {
                Some(last) => tokio::time::sleep_until(last.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => End::Stopped,
            _ = work => End::Done,
            () = last => End::Late,
        }
    }

    /// Counts what became of a request.
    pub fn count(&self, result: &std::result::Result<Answer, Failure>, latency: Duration) {
        let mut tally = self.common.tallies[self.index].lock();
        match result {
            Ok(answer) => tally.answered(answer.status, latency),
            Err(failure) => tally.failed(*failure, latency),
        }
        let meter = &self.origin.meter;
        tally.received = meter.received.get();
        tally.sent = meter.sent.get();
        tally.connections = meter.connections.get();
    }

    /// Brings what has been counted meanwhile into the tally.
    pub fn publish(&self) {
        let mut tally = self.common.tallies[self.index].lock();
        let meter = &self.origin.meter;
        tally.received = meter.received.get();
        tally.sent = meter.sent.get();
        tally.connections = meter.connections.get();
    }
}

/// How the part of a thread ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was done.
    Done,
    /// There was no more time.
    Late,
    /// Somebody said so.
    Stopped,
}

/// The part of one of several that share something.
fn share(whole: usize, parts: usize, index: usize) -> usize {
    let parts = parts.max(1);
    whole / parts + usize::from(index < whole % parts)
}

impl Lanes<'_> {
    /// One request after the other.
    async fn lane(&self, lane: usize, mut wire: Wire) {
        let thread = self.thread;
        let mut deadline = Deadline::new();
        let mut refusals = 0;
        // However short the time, and however late this thread: each lane asks once.
        let mut first = true;
        while let Some(due) = self.next(first).await {
            first = false;
            let open = self.pace.is_some();
            let now = if open { Instant::now() } else { due };
            self.under_way[lane].set(Some(due));
            let exchange = wire.exchange(self.prepared, now, false);
            let result = match deadline.within(now + thread.timeout, exchange).await {
                Some(result) => result,
                None => {
                    wire.abandon();
                    Err(Failure::Timeout)
                }
            };
            // A closed loop that keeps its connections measures exchanges; everything else
            // measures what a caller would have waited, from the moment that it was due.
            let since = match &result {
                Ok(answer) if !open && self.requests.keep_alive => answer.begun,
                _ => due,
            };
            self.under_way[lane].set(None);
            thread.count(&result, since.elapsed());
            match result {
                Err(Failure::Refused | Failure::Connect | Failure::Exhausted | Failure::Tls) if !open => {
                    refusals += 1;
                    self.pause(refusals).await;
                }
                _ => refusals = 0,
            }
        }
    }

    /// When the next request is due: now, in a closed loop.
    async fn next(&self, first: bool) -> Option<Instant> {
        if let Some(pace) = &self.pace {
            return pace.next().await;
        }
        let now = Instant::now();
        if !first && self.ends.is_some_and(|ends| now >= ends) {
            return None;
        }
        if let Some(budget) = self.requests.requests {
            let issued = self.thread.common.issued.fetch_add(1, Ordering::Relaxed);
            if issued >= budget {
                return None;
            }
        }
        Some(now)
    }

    /// A server that is not there is not asked as fast as the machine can.
    async fn pause(&self, refusals: u32) {
        let pause = Duration::from_millis(1 << refusals.min(7)).min(LONGEST_PAUSE);
        let mut until = Instant::now() + pause;
        if let Some(ends) = self.ends {
            until = until.min(ends);
        }
        tokio::time::sleep_until(until.into()).await;
    }

    /// Counts what was not answered when the run ended.
    fn give_up(&self, failure: Option<Failure>) {
        let now = Instant::now();
        let under_way = self.under_way.iter().filter_map(Cell::get);
        let missed = self.pace.iter().flat_map(|pace| pace.missed(now));
        let mut tally = self.thread.common.tallies[self.thread.index].lock();
        for since in under_way.chain(missed) {
            match failure {
                Some(failure) => tally.failed(failure, now.saturating_duration_since(since)),
                None => tally.unfinished += 1,
            }
        }
    }
}

/// The time of one request after the other. Setting a timer for each would cost more than the
/// request's own bookkeeping: this one stays set, and looks when it rings whether it still matters.
pub struct Deadline {
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    /// A timer that is not set.
    pub fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// What comes of `work`, unless it takes longer than until `last`.
    pub async fn within<F: Future>(&mut self, last: Instant, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        let last = tokio::time::Instant::from_std(last);
        if self.sleep.deadline() > last {
            self.sleep.as_mut().reset(last);
        }
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            while self.sleep.as_mut().poll(context).is_ready() {
                if self.sleep.deadline() >= last {
                    return Poll::Ready(None);
                }
                self.sleep.as_mut().reset(last);
            }
            Poll::Pending
        })
        .await
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::new()
    }
}
