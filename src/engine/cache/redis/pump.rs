//! The pump: puts batches into the connection, one after the other, and waits for none.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use redis::{Cmd, RedisResult, Value as Reply};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::RedisCache;
use super::batch::{self, Batch};
use super::config::Topology;
use super::connection::Connection;
use super::failure;
use super::request::{Answer, Request};
use super::stats::add;
use super::wire::Stamp;
use crate::engine::breaker::Permit;
use crate::engine::clock;
use crate::error::{Error, Result};

/// Batches in a row that nobody answered before the connection is given up. The crate's
/// connection to a cluster can lock itself up for good when a node goes away under load (a
/// request that waits for its list of nodes holds up the repair of that very list), so one is
/// enough there.
const SILENCES: u32 = 2;
const SILENCES_IN_CLUSTER: u32 = 1;

/// Batches that are taken up at a time.
const TAKEN: usize = 128;

/// Takes batches until the cache is closed. Small ones that wait at the same time travel
/// together: those of the loads of a [`Tiered`](crate::engine::cache::tiered::Tiered) cache are
/// of one request each, and a round trip costs more than the request.
pub async fn run(cache: Arc<RedisCache>, mut batches: mpsc::UnboundedReceiver<Batch>) {
    let mut taken = Vec::with_capacity(TAKEN);
    loop {
        let count = tokio::select! {
            count = batches.recv_many(&mut taken, TAKEN) => count,
            () = cache.link.closed() => 0,
        };
        if count == 0 {
            break;
        }
        // Those who are about to ask get the chance to.
        if count < TAKEN {
            tokio::task::yield_now().await;
            while taken.len() < TAKEN
                && let Ok(batch) = batches.try_recv()
            {
                taken.push(batch);
            }
        }
        for batch in batch::merged(taken.drain(..)) {
            send(&cache, batch).await;
        }
    }
    batches.close();
    while let Some(batch) = batches.recv().await {
        batch.refuse(&Error::Closed { engine: "cache" });
    }
}

async fn send(cache: &Arc<RedisCache>, batch: Batch) {
    let permit = match cache.admit() {
        Ok(permit) => permit,
        Err(error) => {
            add(&cache.counters.errors, batch.requests.len() as u64);
            add(&cache.counters.rejections, batch.requests.len() as u64);
            return batch.refuse(&error);
        }
    };
    let connection = match cache.link.connection(batch.deadline, cache.config.timeout).await {
        Ok(connection) => connection,
        Err(error) => {
            cache.judge(permit, batch.requests.iter().map(|_| Some(&error)));
            batch
                .requests
                .iter()
                .for_each(|_| cache.counters.count_error(&error));
            return batch.refuse(&error);
        }
    };
    let mut exchange = Box::pin(cache.clone().exchange(connection, batch, permit));
    // Polled here once, so that batches enter the connection in their order.
    let sent = std::future::poll_fn(|context| Poll::Ready(exchange.as_mut().poll(context).is_ready()));
    if !sent.await {
        tokio::spawn(exchange);
    }
}

impl RedisCache {
    /// Asks the breaker.
    pub(super) fn admit(&self) -> Result<Option<Permit>> {
        let Some(breaker) = &self.breaker else {
            return Ok(None);
        };
        match breaker.acquire(clock::now_ms()) {
            Some(permit) => Ok(Some(permit)),
            None => Err(failure::unavailable("the circuit breaker is open")),
        }
    }

    /// Tells the breaker how requests went, and gives up a connection on which nobody answers
    /// any more: it may be dead without anybody having been told.
    pub(super) fn judge<'a>(&self, permit: Option<Permit>, errors: impl Iterator<Item = Option<&'a Error>>) {
        let (mut successes, mut failures, mut timeouts) = (0, 0, 0);
        for error in errors {
            match error {
                Some(error) if failure::is_outage(error) => failures += 1,
                _ => successes += 1,
            }
            timeouts += u32::from(matches!(error, Some(Error::Timeout { .. })));
        }
        if let (Some(breaker), Some(permit)) = (&self.breaker, permit) {
            breaker.report(permit, successes, failures, clock::now_ms());
        }
        let most = match self.config.server.topology {
            Topology::Cluster => SILENCES_IN_CLUSTER,
            _ => SILENCES,
        };
        if successes > 0 {
            self.silences.store(0, Ordering::Relaxed);
        } else if timeouts > 0 && self.silences.fetch_add(1, Ordering::Relaxed) + 1 >= most {
            self.silences.store(0, Ordering::Relaxed);
            self.link.lose();
        }
    }

    async fn exchange(self: Arc<Self>, mut connection: Connection, batch: Batch, permit: Option<Permit>) {
        let mut commands = Vec::with_capacity(batch.requests.len());
        for request in &batch.requests {
            request.commands(false, |command| commands.push(command));
        }
        let deadline = batch.deadline;
        let replies = timeout_at(deadline, connection.exchange(commands)).await;
        let mut answers = self.answers(&batch.requests, replies.map_err(|_| ()));
        let rest = self.complete(&connection, &batch.requests, &mut answers);
        if timeout_at(deadline, rest).await.is_err() {
            // What was still missing stays as it is: an error, or a value that is a miss.
            self.drop_undecodable(&mut answers);
        }
        add(&self.counters.batches, 1);
        for (request, answer) in batch.requests.iter().zip(&answers) {
            self.counters.count(request, answer);
        }
        self.judge(permit, answers.iter().map(|answer| answer.as_ref().err()));
        if batch.requests.iter().any(uses_shapes) {
            self.clone().check_dictionary_soon();
        }
        batch.answer(answers);
    }

    fn answers(
        &self,
        requests: &[Request],
        replies: std::result::Result<RedisResult<Vec<RedisResult<Reply>>>, ()>,
    ) -> Vec<Result<Answer>> {
        let refused = |error: Error| requests.iter().map(|_| Err(error.clone())).collect();
        match replies {
            Ok(Ok(replies)) => {
                let mut replies = replies.into_iter();
                let answer = |request: &Request| {
                    let answer = request.answer(self.config.format, &mut replies);
                    answer.map_err(|error| self.without_secrets(error))
                };
                requests.iter().map(answer).collect()
            }
            Ok(Err(error)) => refused(self.without_secrets(failure::of(error))),
            Err(()) => refused(failure::timeout(self.config.timeout)),
        }
    }

    /// What the pipeline alone could not answer: scripts that the server does not know, and
    /// records whose shapes this process does not.
    async fn complete(&self, connection: &Connection, requests: &[Request], answers: &mut [Result<Answer>]) {
        for (request, answer) in requests.iter().zip(answers.iter_mut()) {
            if let Err(Error::Server { reason, .. }) = answer
                && reason.starts_with("NOSCRIPT")
            {
                *answer = self.ask_by_text(connection, request).await;
            }
        }
        let unknown = |stamp: &Stamp| !self.dictionary.knows(*stamp);
        if answers.iter().flat_map(stamps).any(|stamp| unknown(&stamp)) {
            self.read_dictionary(connection).await;
            self.drop_undecodable(answers);
        }
    }

    async fn ask_by_text(&self, connection: &Connection, request: &Request) -> Result<Answer> {
        let mut command = None;
        request.commands(true, |by_text: Cmd| command = Some(by_text));
        let Some(command) = command else {
            return Err(failure::unexpected("no such script"));
        };
        let reply = connection.ask(command).await;
        let answer = request.answer(self.config.format, &mut std::iter::once(reply));
        answer.map_err(|error| self.without_secrets(error))
    }

    /// Records that nobody can read any more are misses.
    fn drop_undecodable(&self, answers: &mut [Result<Answer>]) {
        let mut dropped = 0;
        let mut check = |value: &mut Option<super::wire::Value>| {
            let stamp = value.as_ref().and_then(|value| value.stamp());
            if stamp.is_some_and(|stamp| !self.dictionary.knows(stamp)) {
                *value = None;
                dropped += 1;
            }
        };
        for answer in answers {
            match answer {
                Ok(Answer::Value(value)) => check(value),
                Ok(Answer::Values(values)) => values.iter_mut().for_each(&mut check),
                Ok(Answer::Entry(entry)) => {
                    let mut value = entry.as_ref().map(|(value, _)| value.clone());
                    check(&mut value);
                    if value.is_none() {
                        *entry = None;
                    }
                }
                _ => {}
            }
        }
        add(&self.counters.undecodable, dropped);
    }

    /// Servers and libraries may quote what they were given.
    pub(super) fn without_secrets(&self, error: Error) -> Error {
        let clean = |reason| self.config.server.without_secrets(reason);
        match error {
            Error::Unavailable { tier, reason } => Error::Unavailable {
                tier,
                reason: clean(reason),
            },
            Error::Server { tier, reason } => Error::Server {
                tier,
                reason: clean(reason),
            },
            other => other,
        }
    }
}

/// The stamps in an answer.
fn stamps(answer: &Result<Answer>) -> Vec<Stamp> {
    let stamp = |value: &super::wire::Value| value.stamp();
    match answer {
        Ok(Answer::Value(value)) => value.as_ref().and_then(stamp).into_iter().collect(),
        Ok(Answer::Entry(entry)) => entry
            .as_ref()
            .and_then(|(value, _)| stamp(value))
            .into_iter()
            .collect(),
        Ok(Answer::Values(values)) => values.iter().flatten().filter_map(stamp).collect(),
        _ => Vec::new(),
    }
}

/// Whether a request writes a record that leans on the dictionary.
fn uses_shapes(request: &Request) -> bool {
    let leans = |value: &Vec<u8>| {
        value.first() == Some(&super::wire::RECORD.0)
            && Stamp::of(&value[1..]).is_some_and(|stamp| stamp.shapes > 0)
    };
    match request {
        Request::Set { value, .. } => leans(value),
        Request::SetMany { entries, .. } => entries.iter().any(|(_, value)| leans(value)),
        _ => false,
    }
}
