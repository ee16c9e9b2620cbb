//! A batch: the requests that one thread made in one turn of its event loop. It travels as one
//! pipeline and comes back at once.

use tokio::time::Instant;

use super::failure;
use super::request::{Answer, Request};
use crate::error::{Error, Result};

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
