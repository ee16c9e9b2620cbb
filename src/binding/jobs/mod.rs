//! Job queues: handles, notices, and what JavaScript calls on them.

mod cold;
mod hot;
mod notices;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::call::{Call, Failure};
use super::handles::Handles;
use crate::engine::completion::{CompletionQueue, Outcome};
use crate::engine::jobs::client::ClientId;
use crate::engine::jobs::engine::Jobs;
use crate::engine::registry::{Handle, Pin};
use crate::engine::workers::client::Signal;
use crate::error::Error;

pub use hot::ENTRY_POINTS;

/// What one environment uses of job queues.
#[derive(Debug, Default)]
pub struct JobQueues {
    handles: Handles<JobsHandle>,
    pins: RefCell<Vec<Pin<Jobs>>>,
}

impl JobQueues {
    /// Gives everything back.
    pub fn tear_down(&self) {
        for handle in self.handles.take_all() {
            handle.leave(true);
            handle.end(Handle::tear_down);
        }
        for pin in self.pins.take() {
            pin.release();
        }
    }
}

/// A handle's access to a queue.
#[derive(Debug)]
struct JobsHandle {
    jobs: Arc<Jobs>,
    client: ClientId,
    handle: RefCell<Option<Handle<Jobs>>>,
    left: Cell<bool>,
}

impl JobsHandle {
    /// Ends its membership, once.
    fn leave(&self, blame: bool) {
        if !self.left.replace(true) {
            self.jobs.leave(self.client, blame);
        }
    }

    /// Ends the handle in one of the registry's ways.
    fn end<T>(&self, end: impl FnOnce(Handle<Jobs>) -> T) -> Option<T> {
        self.handle.take().map(end)
    }
}

/// Wakes a client: its event loop takes the notices.
#[derive(Debug)]
struct ClientSignal {
    queue: Arc<CompletionQueue>,
    subscription: u32,
}

impl Signal for ClientSignal {
    fn signal(&self) {
        self.queue.push(self.subscription, Outcome::Events);
    }
}

const CLOSED: Error = Error::Closed { engine: "job queue" };

/// The handle that an argument names.
fn handle_of<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Rc<JobsHandle>, Failure> {
    let handle = call.environment.job_queues.handles.get(call.u32(index)?);
    handle.ok_or_else(|| CLOSED.into())
}
