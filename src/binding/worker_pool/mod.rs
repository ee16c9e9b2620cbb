//! Worker pools: clients, which order tasks and host workers, and seats, which take them.

mod cold;
mod hot;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::handles::Handles;
use crate::engine::completion::{CompletionQueue, Outcome};
use crate::engine::registry::{Handle, Pin};
use crate::engine::workers::bell::Bell;
use crate::engine::workers::client::Signal;
use crate::engine::workers::pool::Pool;
use crate::engine::workers::task::{ClientId, WorkerId};

pub use hot::ENTRY_POINTS;

/// What one environment uses of worker pools.
#[derive(Debug, Default)]
pub struct WorkerPools {
    /// Its clients.
    pub clients: Handles<ClientHandle>,
    /// Its seats: one in a worker thread, unless it is a host too.
    pub seats: Handles<Seat>,
    pins: RefCell<Vec<Pin<Pool>>>,
}

impl WorkerPools {
    /// Keeps a named pool whose client was collected.
    pub fn pin(&self, pin: Pin<Pool>) {
        self.pins.borrow_mut().push(pin);
    }

    /// Gives everything back.
    pub fn tear_down(&self) {
        for client in self.clients.take_all() {
            client.leave(true);
            client.end(Handle::tear_down);
        }
        for pin in self.pins.take() {
            pin.release();
        }
        // Nobody sits there any more; the host says why.
        drop(self.seats.take_all());
    }
}

/// A handle's access to a pool.
#[derive(Debug)]
pub struct ClientHandle {
    /// The pool.
    pub pool: Arc<Pool>,
    /// Its number there.
    pub client: ClientId,
    handle: RefCell<Option<Handle<Pool>>>,
    left: Cell<bool>,
}

impl ClientHandle {
    /// Ends its tasks and its membership, once.
    pub fn leave(&self, thread_ends: bool) {
        if !self.left.replace(true) {
            self.pool
                .with(|scheduler, now_us| scheduler.leave(self.client, thread_ends, now_us));
        }
    }

    /// Ends the handle in one of the registry's ways.
    pub fn end<T>(&self, end: impl FnOnce(Handle<Pool>) -> T) -> Option<T> {
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

/// Wakes a worker, wherever it waits.
#[derive(Debug)]
pub struct SeatSignal {
    bell: Bell,
    /// Whether it waits in its event loop.
    in_loop: AtomicBool,
    queue: Arc<CompletionQueue>,
    subscription: u32,
}

impl Signal for SeatSignal {
    fn signal(&self) {
        self.bell.ring();
        if self.in_loop.load(Ordering::SeqCst) {
            self.queue.push(self.subscription, Outcome::Events);
        }
    }
}

/// A worker thread's access to its pool.
#[derive(Debug)]
pub struct Seat {
    /// The pool.
    pub pool: Arc<Pool>,
    /// Its number there.
    pub worker: WorkerId,
    /// How it is woken.
    pub signal: Arc<SeatSignal>,
}
