//! A batch: the requests that one thread made in one turn of its event loop, or one engine at
//! once. It travels as one pipeline and comes back at once.

use std::time::Duration;

use tokio::time::Instant;

use super::failure;
use super::request::{Answer, Request};
use crate::error::{Error, Result};

/// Most requests in a batch that was merged from smaller ones.
const MERGED_REQUESTS: usize = 256;

/// Batches are merged only if their deadlines are that close: one deadline is good for all.
const MERGED_WITHIN: Duration = Duration::from_millis(5);

/// Takes the answers of a batch, in the order of its requests. Called once, on any thread.
pub type Respond = Box<dyn FnOnce(Vec<Result<Answer>>) + Send>;

/// See the module. A batch that is dropped answers that the cache was closed: whoever waits is
/// never left waiting.
pub struct Batch {
    /// What is asked.
    pub requests: Vec<Request>,
    /// When answers come too late.
    pub deadline: Instant,
    respond: Option<Respond>,
}

impl Batch {
    /// A batch whose answers go to `respond`.
    pub fn new(requests: Vec<Request>, deadline: Instant, respond: Respond) -> Self {
        Self {
            requests,
            deadline,
            respond: Some(respond),
        }
    }

    /// True if one deadline is good for both.
    fn is_close_to(&self, later: &Self) -> bool {
        let apart = later.deadline.saturating_duration_since(self.deadline);
        later.deadline >= self.deadline && apart <= MERGED_WITHIN
    }

    /// One batch of several, whose answers go to each of them.
    fn joined(mut parts: Vec<Self>) -> Option<Self> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let deadline = parts[0].deadline;
        let mut requests = Vec::with_capacity(parts.iter().map(|part| part.requests.len()).sum());
        let mut shares = Vec::with_capacity(parts.len());
        for part in &mut parts {
            shares.push((part.requests.len(), part.respond.take()));
            requests.append(&mut part.requests);
        }
        let respond = move |answers: Vec<Result<Answer>>| {
            let mut answers = answers.into_iter();
            for (count, respond) in shares {
                let share = answers.by_ref().take(count).collect();
                if let Some(respond) = respond {
                    respond(share);
                }
            }
        };
        Some(Self::new(requests, deadline, Box::new(respond)))
    }

    /// Hands the answers over.
    pub fn answer(mut self, answers: Vec<Result<Answer>>) {
        debug_assert_eq!(answers.len(), self.requests.len());
        if let Some(respond) = self.respond.take() {
            respond(answers);
        }
    }

    /// Fails all requests for the same reason.
    pub fn refuse(self, error: &Error) {
        let answers = self.requests.iter().map(|_| Err(error.clone())).collect();
        self.answer(answers);
    }
}

/// The same requests in the same order, in as few batches as may be.
pub fn merged(batches: impl Iterator<Item = Batch>) -> Vec<Batch> {
    let mut groups: Vec<Vec<Batch>> = Vec::new();
    let mut size = 0;
    for batch in batches {
        let room = size + batch.requests.len() <= MERGED_REQUESTS;
        match groups.last_mut() {
            Some(group) if room && group[0].is_close_to(&batch) => {
                size += batch.requests.len();
                group.push(batch);
            }
            _ => {
                size = batch.requests.len();
                groups.push(vec![batch]);
            }
        }
    }
    groups.into_iter().filter_map(Batch::joined).collect()
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(respond) = self.respond.take() {
            let closed = failure::unavailable("the connection was closed");
            respond(self.requests.iter().map(|_| Err(closed.clone())).collect());
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Batch")
            .field("requests", &self.requests.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// The numbers of batches that were answered, and with how many answers.
    type Answered = Arc<Mutex<Vec<(usize, usize)>>>;

    /// Batches of so many requests.
    fn batches(sizes: &[usize], apart: Duration) -> (Vec<Batch>, Answered) {
        let answered = Answered::default();
        let now = Instant::now();
        let batch = |(number, &size): (usize, &usize)| {
            let answered = answered.clone();
            let respond = move |answers: Vec<Result<Answer>>| answered.lock().push((number, answers.len()));
            let requests = (0..size).map(|_| Request::Ping).collect();
            Batch::new(requests, now + apart * number as u32, Box::new(respond))
        };
        (sizes.iter().enumerate().map(batch).collect(), answered)
    }

    fn sizes_of(batches: &[Batch]) -> Vec<usize> {
        batches.iter().map(|batch| batch.requests.len()).collect()
    }

    #[test]
    fn small_ones_travel_together_and_each_has_its_answers() {
        let (given, answered) = batches(&[1, 2, 0, 3], Duration::ZERO);
        let mut joined = merged(given.into_iter());
        assert_eq!(sizes_of(&joined), [6]);
        let closed = Error::Closed { engine: "cache" };
        joined.remove(0).refuse(&closed);
        assert_eq!(*answered.lock(), [(0, 1), (1, 2), (2, 0), (3, 3)]);
    }

    #[test]
    fn large_ones_and_those_of_another_time_do_not() {
        let (given, _) = batches(&[200, 56, 1, 300, 1], Duration::ZERO);
        assert_eq!(sizes_of(&merged(given.into_iter())), [256, 1, 300, 1]);
        let (given, _) = batches(&[1, 1, 1], Duration::from_millis(4));
        assert_eq!(sizes_of(&merged(given.into_iter())), [2, 1]);
    }

    #[test]
    fn a_joined_one_that_is_dropped_answers_all() {
        let (given, answered) = batches(&[1, 2], Duration::ZERO);
        drop(merged(given.into_iter()));
        assert_eq!(*answered.lock(), [(0, 1), (1, 2)]);
    }
}
