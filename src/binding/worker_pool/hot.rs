//! The hot calls: ordering a task, taking and answering it, hearing of its end.
//!
//! Encoded values go through the shared scratch memory wherever they fit, and what describes
//! them through the words of the header.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Seat;
use crate::binding::call::{Call, EntryPoint, Failure, Returned, entry_points};
use crate::binding::environment::Shared;
use crate::binding::values::{self, with_encoded};
use crate::engine::cache::record::Kind;
use crate::engine::workers::backoff::Backoff;
use crate::engine::workers::client::{Notice, Settlement};
use crate::engine::workers::scheduler::{Given, Refusal, Take};
use crate::engine::workers::task::{Cause, Order, Payload, TaskId};
use crate::error::Error;

pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "poolSubmit" => submit,
    "poolResults" => results,
    "workerTake" => take,
    "workerFinish" => finish,
};

/// Words that describe a task or a result.
mod word {
    pub const KIND: usize = 0;
    pub const START: usize = 1;
    pub const LENGTH: usize = 2;
    pub const TASK_LOW: usize = 3;
    pub const TASK_HIGH: usize = 4;
    pub const ATTEMPT: usize = 5;
    pub const COUNT: usize = 9;
}

/// Results that one call hands over at most.
const BATCH: usize = 256;

/// The kind of a value that travels as a message.
const MESSAGE: u32 = 255;

/// Answers to a worker: it shall leave, there is nothing, a task, one to be aborted.
mod answer {
    pub const LEAVE: i32 = -1;
    pub const NOTHING: i32 = 0;
    pub const TASK: i32 = 1;
    pub const ABORT: i32 = 2;
}

/// Ways to finish, as JavaScript numbers them.
mod finish_as {
    pub const DONE: u32 = 0;
    pub const THROWN: u32 = 1;
    pub const UNSENDABLE: u32 = 2;
}

/// `poolSubmit(client, kind, payload, start, end, priority, retries, timeoutMs, custom)`: the
/// task's number, or less than 0: -1 when closed, else the number of tasks that wait, minus 2.
/// A negative timeout is the pool's. With `custom`, the scratch memory begins with the four
/// numbers of the backoff.
fn submit(call: &Call<'_, 9>) -> Returned {
    const CLOSED: f64 = -1.0;
    let Some(handle) = call.environment.worker_pools.clients.get(call.u32(0)?) else {
        return call.number(CLOSED);
    };
    let payload = match call.u32(1)? {
        MESSAGE => Payload::Message { sent: false },
        _ => with_encoded(call, [1, 2, 3, 4], |kind, bytes| {
            Payload::Encoded(kind, bytes.into())
        })?,
    };
    let timeout_ms = call.f64(7)?;
    let order = Order {
        payload,
        priority: call.f64(5)? as i64,
        retries: call.u32(6)?,
        timeout_ms: match timeout_ms {
            ms if ms < 0.0 => handle.pool.config().timeout_ms,
            ms => ms.is_finite().then(|| ms.ceil() as u64),
        },
        backoff: match call.u32(8)? {
            0 => Backoff::default(),
            _ => backoff(call.environment.scratch.get()),
        },
    };
    let client = handle.client;
    let submitted = handle
        .pool
        .with(|scheduler, now_us| scheduler.submit(client, order, now_us));
    match submitted {
        Ok(task) => call.number(task as f64),
        Err(Refusal::Closed) => call.number(CLOSED),
        Err(Refusal::Full(waiting)) => call.number(-2.0 - waiting as f64),
    }
}

fn backoff(scratch: Shared) -> Backoff {
    let number = |index: usize| {
        let (low, high) = (scratch.word(2 * index), scratch.word(2 * index + 1));
        f64::from_bits(u64::from(high as u32) << 32 | u64::from(low as u32))
    };
    Backoff {
        initial_ms: number(0),
        factor: number(1),
        max_ms: number(2),
        jitter: number(3),
    }
}

/// `poolResults(client)`: describes up to `BATCH` encoded results in the header, with the
/// values in the scratch memory. Twice their number, plus 1 when the next notice is of another
/// sort and `poolNotice` has it; -1 when the handle is closed.
fn results(call: &Call<'_, 1>) -> Returned {
    let Some(handle) = call.environment.worker_pools.clients.get(call.u32(0)?) else {
        return call.int(-1);
    };
    let (header, scratch) = (call.environment.header.get(), call.environment.scratch.get());
    let client = handle.client;
    // Copied under the lock: that is less than taking them out and copying afterwards.
    let answer = handle.pool.with(|scheduler, _| {
        let (mut count, mut start) = (0, 0);
        while count < BATCH {
            let Some(notice) = scheduler.next_notice(client) else {
                return 2 * count;
            };
            if let Notice::Settled {
                task,
                settlement: Settlement::Done(kind, bytes),
                ..
            } = &notice
                && scratch.write(start, bytes)
            {
                let base = count * word::COUNT;
                describe(header, base, *kind, bytes.len(), *task);
                header.set_word(base + word::START, start as i32);
                start += bytes.len();
                count += 1;
                continue;
            }
            scheduler.put_back(client, notice);
            break;
        }
        2 * count + 1
    });
    call.int(answer as i32)
}

fn describe(header: Shared, base: usize, kind: Kind, length: usize, task: TaskId) {
    header.set_word(base + word::KIND, i32::from(kind.0));
    header.set_word(base + word::LENGTH, length as i32);
    header.set_word(base + word::TASK_LOW, task as i32);
    header.set_word(base + word::TASK_HIGH, (task >> 32) as i32);
}

/// Looks up the seat in argument 0; without one, the worker shall leave.
macro_rules! seat {
    ($call:ident) => {
        match $call.environment.worker_pools.seats.get($call.u32(0)?) {
            Some(seat) => seat,
            None => return $call.int(answer::LEAVE),
        }
    };
}

/// `workerTake(seat, waitMs)`: a task. One that is small lies in the scratch memory, another
/// one is the answer itself. With `waitMs` of 0 the event loop is woken when there is
/// something; otherwise the thread sleeps so long at most.
fn take(call: &Call<'_, 2>) -> Returned {
    let seat = seat!(call);
    let wait = call.u32(1)?;
    let mut taken = take_now(&seat, wait == 0);
    if wait > 0
        && matches!(taken, Take::Nothing)
        && seat.signal.bell.wait(Duration::from_millis(u64::from(wait)))
    {
        taken = take_now(&seat, false);
    }
    hand_over(call, taken)
}

fn take_now(seat: &Seat, in_loop: bool) -> Take {
    seat.signal.in_loop.store(in_loop, Ordering::SeqCst);
    seat.signal.bell.reset();
    seat.pool
        .with(|scheduler, now_us| scheduler.take(seat.worker, now_us))
}

fn hand_over<const N: usize>(call: &Call<'_, N>, taken: Take) -> Returned {
    let header = call.environment.header.get();
    match taken {
        Take::Leave => call.int(answer::LEAVE),
        Take::Nothing => call.int(answer::NOTHING),
        Take::Abort(task) => {
            describe(header, 0, Kind(0), 0, task);
            call.int(answer::ABORT)
        }
        Take::Task(Given { task, attempt, value }) => {
            header.set_word(word::ATTEMPT, attempt as i32);
            let Some((kind, bytes)) = value else {
                describe(header, 0, Kind(MESSAGE as u8), 0, task);
                return call.int(answer::TASK);
            };
            describe(header, 0, kind, bytes.len(), task);
            header.set_word(word::START, 0);
            match call.environment.scratch.get().write(0, &bytes) {
                true => call.int(answer::TASK),
                false if values::is_string(kind) => values::string(call.env, kind, &bytes),
                false => values::buffer(call.env, &bytes),
            }
        }
    }
}

/// `workerFinish(seat, task, how, kind, payload, start, end, next)`: an answer; with `next`
/// of 1 also takes the next task, without waiting.
fn finish(call: &Call<'_, 8>) -> Returned {
    let seat = seat!(call);
    let task = call.f64(1)? as TaskId;
    let answer = answer_of(call)?;
    let next = call.u32(7)? == 1;
    if next {
        seat.signal.bell.reset();
    }
    let taken = seat.pool.with(|scheduler, now_us| {
        scheduler.finish(seat.worker, task, answer, now_us);
        match next {
            true => scheduler.take(seat.worker, now_us),
            false => Take::Nothing,
        }
    });
    hand_over(call, taken)
}

fn answer_of(call: &Call<'_, 8>) -> Result<Result<Settlement, Cause>, Failure> {
    let how = call.u32(2)?;
    with_encoded(call, [3, 4, 5, 6], |kind, bytes| match how {
        finish_as::DONE => Ok(Ok(Settlement::Done(kind, bytes.to_vec()))),
        finish_as::THROWN => Ok(Err(Cause::Thrown(bytes.into()))),
        finish_as::UNSENDABLE => Ok(Err(Cause::Unsendable(bytes.into()))),
        _ => Err(Failure::Engine(Error::Inconsistent {
            reason: format!("no task ends as {how}"),
        })),
    })?
}
