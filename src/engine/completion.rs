//! The completion queue: how native threads hand results to one JavaScript environment.
//!
//! A result is pushed under a lock; the environment is woken only if no wake-up is already
//! on its way, and then takes everything at once. A burst of results therefore costs one
//! turn of the event loop, not one each. After [`close`](CompletionQueue::close) a push is
//! refused, so a native thread never speaks to an environment that is gone.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::cache::record::{Kind, Record};
use crate::error::Error;

/// What became of an operation that JavaScript waits for.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It produced a value.
    Value(Record),
    /// It failed with an encoded error.
    Failure(std::sync::Arc<[u8]>),
    /// It was handed over: the receiver must do the work itself, and settle this ticket.
    Lead(u64),
    /// Not an operation: a subscription has events to take.
    Events,
    /// It is done.
    Done(Reply),
    /// The engine could not do it.
    Refused(Error),
}

impl From<Result<Reply, Error>> for Outcome {
    fn from(result: Result<Reply, Error>) -> Self {
        match result {
            Ok(reply) => Self::Done(reply),
            Err(error) => Self::Refused(error),
        }
    }
}

/// An encoded value, or that there is none.
pub type Stored = Option<(Kind, Vec<u8>)>;

/// What an operation answers with, in a form that every engine can make and that becomes a
/// JavaScript value without knowing the engine.
#[derive(Debug, Clone)]
pub enum Reply {
    /// `undefined`.
    None,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A Buffer.
    Bytes(Vec<u8>),
    /// A Float64Array over this very memory.
    Numbers(Vec<f64>),
    /// A Float32Array over this very memory.
    Floats(Vec<f32>),
    /// A value for the codec to decode.
    Value(Kind, Vec<u8>),
    /// Values for the codec to decode, as pairs of kind and payload in a flat array; the
    /// kind of what is missing is -1.
    Values(Vec<Stored>),
    /// An array of strings.
    Texts(Vec<String>),
    /// An array of keys in WTF-8.
    Keys(Vec<Vec<u8>>),
    /// A value for the codec to decode, and where a cache of several levels found it.
    Found {
        /// The level, 0 for none.
        level: u8,
        /// What else is to be said about it.
        marks: u8,
        /// The form of the value.
        kind: Kind,
        /// The encoded value.
        payload: Bytes,
    },
    /// Answers, as pairs of form and value in a flat array.
    Many(Vec<Reply>),
}

impl Reply {
    /// What JavaScript is told beside the value: the codec's kind, and above it the level (one
    /// byte) and the marks of what was found; 0 of anything else.
    pub fn form(&self) -> u32 {
        match self {
            Self::Value(kind, _) => u32::from(kind.0),
            Self::Found {
                level, marks, kind, ..
            } => u32::from_le_bytes([kind.0, *level, *marks, 1]),
            _ => 0,
        }
    }
}

/// A result and the number that JavaScript knows its operation by. For
/// [`Outcome::Events`] the number is the subscription's.
#[derive(Debug)]
pub struct Completion {
    /// The number that JavaScript gave.
    pub operation: u32,
    /// The result.
    pub outcome: Outcome,
}

/// Wakes the environment that owns a queue.
pub trait Waker: Send + Sync {
    /// Makes the environment call [`CompletionQueue::drain`] soon. Called from any thread,
    /// never after [`CompletionQueue::close`] has returned.
    fn wake(&self);
}

/// The queue of one environment.
pub struct CompletionQueue {
    state: Mutex<State>,
    wake_pending: AtomicBool,
    asked_to_give_back: AtomicBool,
    /// Held while a wake-up is sent.
    open: Mutex<bool>,
    waker: Box<dyn Waker>,
}

#[derive(Default)]
struct State {
    items: Vec<Completion>,
    closed: bool,
}

impl CompletionQueue {
    /// An open queue.
    pub fn new(waker: Box<dyn Waker>) -> Self {
        Self {
            state: Mutex::default(),
            wake_pending: AtomicBool::new(false),
            asked_to_give_back: AtomicBool::new(false),
            open: Mutex::new(true),
            waker,
        }
    }

    /// Hands over a result. False when the environment is gone.
    pub fn push(&self, operation: u32, outcome: Outcome) -> bool {
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        state.items.push(Completion { operation, outcome });
        drop(state);
        self.wake_once();
        true
    }

    /// Not under the lock of the results: the thread that is woken takes them at once, and while
    /// it waited for a lock whose holder the system has put aside, others could use up their time.
    fn wake_once(&self) {
        if self.wake_pending.swap(true, Ordering::SeqCst) {
            return;
        }
        let open = self.open.lock();
        if *open {
            self.waker.wake();
        }
    }

    /// Wakes the environment so that it gives back memory, results or not; see
    /// [`freed_memory`](super::freed_memory).
    pub fn ask_to_give_back(&self) {
        if self.state.lock().closed {
            return;
        }
        self.asked_to_give_back.store(true, Ordering::SeqCst);
        self.wake_once();
    }

    /// Whether memory is to be given back. The answer ends the question.
    pub fn is_asked_to_give_back(&self) -> bool {
        self.asked_to_give_back.load(Ordering::Relaxed)
            && self.asked_to_give_back.swap(false, Ordering::SeqCst)
    }

    /// Takes all results. Called on the environment's own thread.
    pub fn drain(&self) -> Vec<Completion> {
        let mut state = self.state.lock();
        self.wake_pending.store(false, Ordering::SeqCst);
        std::mem::take(&mut state.items)
    }

    /// Refuses results from now on and returns those that nobody will take.
    pub fn close(&self) -> Vec<Completion> {
        // Waits for a wake-up that is being sent, and lets no other begin.
        *self.open.lock() = false;
        let mut state = self.state.lock();
        state.closed = true;
        std::mem::take(&mut state.items)
    }
}

impl std::fmt::Debug for CompletionQueue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CompletionQueue").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    struct Counter(Arc<AtomicUsize>);

    impl Waker for Counter {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn queue() -> (CompletionQueue, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        (CompletionQueue::new(Box::new(Counter(wakes.clone()))), wakes)
    }

    #[test]
    fn a_burst_wakes_once_and_is_taken_whole_and_in_order() {
        let (queue, wakes) = queue();
        for operation in 0..100 {
            assert!(queue.push(operation, Outcome::Events));
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        let taken: Vec<u32> = queue.drain().iter().map(|item| item.operation).collect();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        queue.push(7, Outcome::Lead(1));
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_request_for_memory_wakes_and_is_answered_once() {
        let (queue, wakes) = queue();
        queue.ask_to_give_back();
        queue.ask_to_give_back();
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        assert!(queue.drain().is_empty());
        assert!(queue.is_asked_to_give_back());
        assert!(!queue.is_asked_to_give_back());
        queue.close();
        queue.ask_to_give_back();
        assert!(!queue.is_asked_to_give_back());
    }

    #[test]
    fn a_closed_queue_refuses_and_never_wakes() {
        let (queue, wakes) = queue();
        queue.push(1, Outcome::Events);
        assert_eq!(queue.close().len(), 1);
        assert!(!queue.push(2, Outcome::Events));
        assert!(queue.drain().is_empty());
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let (queue, _) = queue();
        let queue = Arc::new(queue);
        let mut taken = 0;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let queue = queue.clone();
                scope.spawn(move || (0..1000).for_each(|n| assert!(queue.push(n, Outcome::Events))));
            }
            while taken < 4000 {
                taken += queue.drain().len();
            }
        });
        assert_eq!(taken, 4000);
    }
}
