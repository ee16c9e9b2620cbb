//! The cold calls: opening and closing, notices that are not results, the life of workers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use napi::bindgen_prelude::{Buffer, Env, Unknown};
use napi::sys;
use napi_derive::napi;

use super::{ClientHandle, ClientSignal, Seat, SeatSignal};
use crate::binding::call::{Failure, Returned};
use crate::binding::durations::NativeDurations;
use crate::binding::environment::Environment;
use crate::binding::{to_napi, values};
use crate::engine::registry::Handle;
use crate::engine::workers::bell::Bell;
use crate::engine::workers::client::{Departure, Event, Notice, Settlement};
use crate::engine::workers::config::{Config, Options};
use crate::engine::workers::pool::Pool;
use crate::engine::workers::task::{Cause, TaskId};
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// Options as JavaScript gives them, checked and normalised there. Infinity stands for "no
/// limit".
#[napi(object)]
pub struct PoolOptions {
    pub name: Option<String>,
    pub file: String,
    pub max_workers: Option<f64>,
    pub min_workers: Option<f64>,
    pub reuse_workers: Option<bool>,
    pub timeout: Option<f64>,
    pub max_queue: Option<f64>,
    pub idle_timeout_ms: Option<f64>,
    pub concurrent_tasks_per_worker: Option<f64>,
    pub max_tasks: Option<f64>,
    #[napi(js_name = "maxHeapMB")]
    pub max_heap_mb: Option<f64>,
    pub resource_limits: Option<String>,
    pub blocking: Option<bool>,
}

impl From<&PoolOptions> for Options {
    fn from(options: &PoolOptions) -> Self {
        let limit = |value: f64| value.is_finite().then(|| value.ceil() as u64);
        let count = |value: f64| value as usize;
        Self {
            file: options.file.clone(),
            max_workers: options.max_workers.map(count),
            min_workers: options.min_workers.map(count),
            reuse_workers: options.reuse_workers,
            timeout_ms: options.timeout.map(limit),
            max_queue: options
                .max_queue
                .map(|value| limit(value).map(|value| value as usize)),
            idle_ms: options.idle_timeout_ms.map(limit),
            per_worker: options.concurrent_tasks_per_worker.map(count),
            max_tasks: options.max_tasks.map(|value| value as u64),
            max_heap_mb: options.max_heap_mb,
            resource_limits: options.resource_limits.clone(),
            blocking: options.blocking,
        }
    }
}

/// A handle on a pool.
#[napi(object)]
pub struct OpenedPool {
    /// The client's number in this environment.
    pub handle: u32,
    /// The pool's number in this process.
    pub pool: u32,
}

fn uninitialised(error: napi::Error) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", error.reason)
}

fn refused(failure: Failure) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", format!("{failure:?}"))
}

fn environment(env: &Env) -> Result<&Environment> {
    Environment::of(env).map_err(uninitialised)
}

const CLOSED: Error = Error::Closed {
    engine: "worker pool",
};

fn client(env: &Env, number: u32) -> Result<Rc<ClientHandle>> {
    let clients = &environment(env)?.worker_pools.clients;
    clients.get(number).ok_or_else(|| to_napi(CLOSED))
}

fn seat(env: &Env, number: u32) -> Result<Rc<Seat>> {
    let seats = &environment(env)?.worker_pools.seats;
    seats.get(number).ok_or_else(|| to_napi(CLOSED))
}

/// Opens a handle on a pool. Its notices are announced to `subscription`.
#[napi(catch_unwind)]
pub fn open_worker_pool(env: Env, options: PoolOptions, subscription: u32) -> Result<OpenedPool> {
    let environment = environment(&env)?;
    let explicit = Options::from(&options);
    let create = || Pool::new(Config::from(explicit.clone()));
    let handle = match &options.name {
        None => Handle::private(create().map_err(to_napi)?),
        Some(name) => {
            // Made beforehand: making it may fail. One that is not needed is dropped again.
            let pool = create().map_err(to_napi)?;
            let agrees = |pool: &Pool| pool.config().agree(name, &explicit);
            Pool::registry().open(name, agrees, || pool).map_err(to_napi)?
        }
    };
    let pool = handle.engine().clone();
    let signal = Arc::new(ClientSignal {
        queue: environment.queue.clone(),
        subscription,
    });
    let client = pool.with(|scheduler, now_us| scheduler.join(signal, now_us));
    let opened = pool.number();
    let handle = environment.worker_pools.clients.add(|_| ClientHandle {
        pool,
        client,
        handle: RefCell::new(Some(handle)),
        left: Cell::new(false),
    });
    Ok(OpenedPool { handle, pool: opened })
}

/// Ends the tasks of a client. It is still told how they have ended.
#[napi(catch_unwind)]
pub fn pool_terminate(env: Env, number: u32) -> Result<()> {
    let handle = client(&env, number)?;
    handle
        .pool
        .with(|scheduler, now_us| scheduler.terminate(handle.client, now_us));
    Ok(())
}

/// Closes a handle. Without effect on one that is closed.
#[napi(catch_unwind)]
pub fn close_worker_pool(env: Env, number: u32) -> Result<()> {
    if let Some(handle) = environment(&env)?.worker_pools.clients.remove(number) {
        handle.leave(false);
        handle.end(Handle::close);
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named pool stays.
#[napi(catch_unwind)]
pub fn collect_worker_pool(env: Env, number: u32) -> Result<()> {
    let pools = &environment(&env)?.worker_pools;
    if let Some(handle) = pools.clients.remove(number) {
        handle.leave(false);
        if let Some(pin) = handle.end(Handle::collect).flatten() {
            pools.pin(pin);
        }
    }
    Ok(())
}

/// Chooses the events that a handle hears, as a sum of their bits.
#[napi(catch_unwind)]
pub fn pool_listen(env: Env, number: u32, mask: u32) -> Result<()> {
    let handle = client(&env, number)?;
    handle
        .pool
        .with(|scheduler, _| scheduler.listen(handle.client, mask));
    Ok(())
}

/// Ends a task. False when it has ended before.
#[napi(catch_unwind)]
pub fn pool_abort(env: Env, number: u32, task: f64) -> Result<bool> {
    let handle = client(&env, number)?;
    let abort = |scheduler: &mut crate::engine::workers::scheduler::Scheduler, now_us| {
        scheduler.abort(task as TaskId, Cause::Aborted, now_us)
    };
    Ok(handle.pool.with(abort))
}

/// Whether the workers that will be started are started by this handle.
#[napi(catch_unwind)]
pub fn pool_hosts(env: Env, number: u32) -> Result<bool> {
    let handle = client(&env, number)?;
    Ok(handle
        .pool
        .with(|scheduler, _| scheduler.host() == Some(handle.client)))
}

/// A task's message was sent to its worker. False when nobody waits for it any more.
#[napi(catch_unwind)]
pub fn pool_sent(env: Env, number: u32, task: f64) -> Result<bool> {
    let handle = client(&env, number)?;
    Ok(handle.pool.with(|scheduler, _| scheduler.sent(task as TaskId)))
}

/// A task's message cannot be sent, for the reason of this encoded error.
#[napi(catch_unwind)]
pub fn pool_unsendable(env: Env, number: u32, task: f64, error: Buffer) -> Result<()> {
    let handle = client(&env, number)?;
    let cause = Cause::Unsendable(Arc::from(&*error));
    handle
        .pool
        .with(|scheduler, now_us| scheduler.abort(task as TaskId, cause, now_us));
    Ok(())
}

/// A worker's thread has ended.
#[napi(catch_unwind)]
pub fn pool_worker_exited(pool: u32, worker: u32, code: i32, error: Option<Buffer>) {
    // By the pool's number: its host may have closed its handle before.
    if let Some(pool) = Pool::find(pool) {
        let error = error.map(|error| Arc::from(&*error));
        pool.with(|scheduler, now_us| scheduler.exited(worker, code, error, now_us));
    }
}

/// The next notice of a handle as a flat array, or null.
#[napi(catch_unwind)]
pub fn pool_notice<'env>(env: &'env Env, number: u32) -> Result<Unknown<'env>> {
    let handle = client(env, number)?;
    let notice = handle
        .pool
        .with(|scheduler, _| scheduler.next_notice(handle.client));
    let value = match notice {
        None => values::null(env.raw()),
        Some(notice) => flat(env.raw(), notice),
    };
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value.map_err(refused)?) })
}

/// Notices as JavaScript numbers them.
mod sort {
    pub const DONE: f64 = 0.0;
    pub const FAILED: f64 = 2.0;
    pub const START: f64 = 3.0;
    pub const KILL: f64 = 4.0;
    pub const SEND: f64 = 5.0;
    pub const EVENT: f64 = 6.0;
}

fn flat(env: sys::napi_env, notice: Notice) -> Returned {
    let number = |value: f64| values::number(env, value);
    let parts = match notice {
        Notice::Settled {
            task,
            attempts,
            settlement,
        } => {
            let task = number(task as f64)?;
            match settlement {
                Settlement::Done(kind, bytes) => {
                    let value = match kind {
                        kind if values::is_string(kind) => values::string(env, kind, &bytes)?,
                        _ => values::owned_buffer(env, bytes)?,
                    };
                    vec![number(sort::DONE)?, task, number(f64::from(kind.0))?, value]
                }
                Settlement::Failed(cause) => {
                    let mut parts = vec![number(sort::FAILED)?, task, number(f64::from(attempts))?];
                    parts.extend(cause_parts(env, &cause)?);
                    parts
                }
            }
        }
        Notice::Start(worker) => vec![number(sort::START)?, number(f64::from(worker))?],
        Notice::Kill(worker) => vec![number(sort::KILL)?, number(f64::from(worker))?],
        Notice::Send { task, worker } => {
            vec![
                number(sort::SEND)?,
                number(task as f64)?,
                number(f64::from(worker))?,
            ]
        }
        Notice::Event(event) => {
            let mut parts = vec![number(sort::EVENT)?, number(f64::from(event.index()))?];
            let (figures, cause) = figures(event);
            for figure in figures {
                parts.push(number(figure)?);
            }
            if let Some(cause) = cause {
                parts.extend(cause_parts(env, &cause)?);
            }
            parts
        }
    };
    values::array(env, &parts)
}

/// A cause in three places: its number, a figure, and an encoded error.
fn cause_parts(env: sys::napi_env, cause: &Cause) -> std::result::Result<[sys::napi_value; 3], Failure> {
    let error = |bytes: Option<&Arc<[u8]>>| match bytes {
        None => values::undefined(env),
        Some(bytes) => values::buffer(env, bytes),
    };
    let (number, figure, error) = match cause {
        Cause::Thrown(bytes) => (0, 0.0, error(Some(bytes))?),
        Cause::Unsendable(bytes) => (1, 0.0, error(Some(bytes))?),
        Cause::TimedOut { ms } => (2, *ms as f64, error(None)?),
        Cause::Exited { code, error: bytes } => (3, f64::from(*code), error(bytes.as_ref())?),
        Cause::Unstartable(bytes) => (4, 0.0, error(bytes.as_ref())?),
        Cause::Aborted => (5, 0.0, error(None)?),
        Cause::Terminated => (6, 0.0, error(None)?),
    };
    Ok([
        values::number(env, f64::from(number))?,
        values::number(env, figure)?,
        error,
    ])
}

fn figures(event: Event) -> (Vec<f64>, Option<Cause>) {
    let ms = |us: u64| us as f64 / 1_000.0;
    match event {
        Event::Queued {
            task,
            priority,
            waiting,
        } => (vec![task as f64, priority as f64, waiting as f64], None),
        Event::Started {
            task,
            worker,
            attempt,
            wait_us,
        } => (
            vec![task as f64, f64::from(worker), f64::from(attempt), ms(wait_us)],
            None,
        ),
        Event::Completed {
            task,
            worker,
            attempt,
            run_us,
        } => (
            vec![task as f64, f64::from(worker), f64::from(attempt), ms(run_us)],
            None,
        ),
        Event::Failed {
            task,
            attempts,
            cause,
        } => (vec![task as f64, f64::from(attempts)], Some(cause)),
        Event::Retry {
            task,
            attempt,
            delay_ms,
            cause,
        } => (
            vec![task as f64, f64::from(attempt), delay_ms as f64],
            Some(cause),
        ),
        Event::WorkerCreated { worker, workers } => (vec![f64::from(worker), workers as f64], None),
        Event::WorkerExited {
            worker,
            code,
            departure,
            served,
            workers,
        } => {
            let departure = f64::from(departure as u8);
            (
                vec![
                    f64::from(worker),
                    f64::from(code),
                    departure,
                    served as f64,
                    workers as f64,
                ],
                None,
            )
        }
    }
}

/// A snapshot of a pool, in plain numbers.
#[napi(object)]
pub struct NativePoolStats {
    pub max_workers: f64,
    pub min_workers: f64,
    pub starting: f64,
    pub idle: f64,
    pub busy: f64,
    pub running: f64,
    pub ready: f64,
    pub delayed: f64,
    pub high: f64,
    pub normal: f64,
    pub low: f64,
    pub submitted: f64,
    pub completed: f64,
    pub failed: f64,
    pub cancelled: f64,
    pub retried: f64,
    pub refused: f64,
    pub timeouts: f64,
    pub reuses: f64,
    pub created: f64,
    pub exited: f64,
    pub died: f64,
    pub run_total_ms: f64,
    pub events_dropped: f64,
    pub run_ms: NativeDurations,
    pub wait_ms: NativeDurations,
}

/// A snapshot of the counters.
#[napi(catch_unwind)]
pub fn pool_stats(env: Env, number: u32) -> Result<NativePoolStats> {
    let handle = client(&env, number)?;
    let (snapshot, dropped, (max_workers, min_workers)) = handle.pool.with(|scheduler, _| {
        let dropped = scheduler.dropped_events(handle.client);
        (scheduler.snapshot(), dropped, scheduler.bounds())
    });
    let counters = &snapshot.counters;
    let [high, normal, low] = snapshot.by_priority.map(|count| count as f64);
    Ok(NativePoolStats {
        max_workers: max_workers as f64,
        min_workers: min_workers as f64,
        starting: snapshot.starting as f64,
        idle: snapshot.idle as f64,
        busy: snapshot.busy as f64,
        running: snapshot.running as f64,
        ready: snapshot.ready as f64,
        delayed: snapshot.delayed as f64,
        high,
        normal,
        low,
        submitted: counters.submitted as f64,
        completed: counters.completed as f64,
        failed: counters.failed as f64,
        cancelled: counters.cancelled as f64,
        retried: counters.retried as f64,
        refused: counters.refused as f64,
        timeouts: counters.timeouts as f64,
        reuses: counters.reuses as f64,
        created: counters.created as f64,
        exited: counters.exited as f64,
        died: counters.died as f64,
        run_total_ms: counters.run_us as f64 / 1_000.0,
        events_dropped: dropped as f64,
        run_ms: counters.run.summary().into(),
        wait_ms: counters.wait.summary().into(),
    })
}

/// Changes how many workers there may be and have to be.
#[napi(catch_unwind)]
pub fn pool_resize(env: Env, number: u32, max_workers: f64, min_workers: f64) -> Result<()> {
    let handle = client(&env, number)?;
    let (max, min) = (max_workers as usize, min_workers as usize);
    handle
        .pool
        .with(|scheduler, now_us| scheduler.resize(max, min, now_us));
    Ok(())
}

/// Recounts everything; throws at the first disagreement.
#[napi(catch_unwind)]
pub fn pool_validate(env: Env, number: u32) -> Result<()> {
    let handle = client(&env, number)?;
    handle
        .pool
        .with(|scheduler, _| scheduler.validate())
        .map_err(to_napi)
}

/// How many named pools are open in this process.
#[napi(catch_unwind)]
pub fn named_worker_pools() -> u32 {
    Pool::registry().len() as u32
}

/// Gives this thread the seat of a worker; null when its pool is gone. Its event loop is
/// woken through `subscription`.
#[napi(catch_unwind)]
pub fn worker_sit(env: Env, pool: u32, worker: u32, subscription: u32) -> Result<Option<u32>> {
    let environment = environment(&env)?;
    let Some(pool) = Pool::find(pool) else {
        return Ok(None);
    };
    let signal = Arc::new(SeatSignal {
        bell: Bell::default(),
        in_loop: AtomicBool::new(false),
        queue: environment.queue.clone(),
        subscription,
    });
    Ok(Some(environment.worker_pools.seats.add(|_| Seat {
        pool,
        worker,
        signal,
    })))
}

/// The worker's code is loaded: it serves. False when it shall leave at once.
#[napi(catch_unwind)]
pub fn worker_ready(env: Env, number: u32) -> Result<bool> {
    let seat = seat(&env, number)?;
    let signal = seat.signal.clone();
    Ok(seat
        .pool
        .with(|scheduler, now_us| scheduler.started(seat.worker, signal, now_us)))
}

/// The worker's code cannot be loaded, for the reason of this encoded error.
#[napi(catch_unwind)]
pub fn worker_unstartable(env: Env, number: u32, error: Buffer) -> Result<()> {
    let seat = seat(&env, number)?;
    let error = Arc::from(&*error);
    seat.pool
        .with(|scheduler, now_us| scheduler.unstartable(seat.worker, error, now_us));
    Ok(())
}

/// The function of a running task looks at its abort signal.
#[napi(catch_unwind)]
pub fn worker_cooperates(env: Env, number: u32, task: f64) -> Result<()> {
    let seat = seat(&env, number)?;
    seat.pool
        .with(|scheduler, _| scheduler.cooperates(seat.worker, task as TaskId));
    Ok(())
}

/// The worker dies of this task.
#[napi(catch_unwind)]
pub fn worker_blame(env: Env, number: u32, task: f64) -> Result<()> {
    let seat = seat(&env, number)?;
    seat.pool
        .with(|scheduler, _| scheduler.blame(seat.worker, task as TaskId));
    Ok(())
}

/// The worker has grown too large: it leaves when it has done what it has.
#[napi(catch_unwind)]
pub fn worker_recycle(env: Env, number: u32) -> Result<()> {
    let seat = seat(&env, number)?;
    seat.pool
        .with(|scheduler, now_us| scheduler.retire(seat.worker, Departure::Recycled, now_us));
    Ok(())
}

/// The pool of a handle or a seat.
fn pool(env: &Env, number: u32, seated: bool) -> Result<Arc<Pool>> {
    match seated {
        true => Ok(seat(env, number)?.pool.clone()),
        false => Ok(client(env, number)?.pool.clone()),
    }
}

/// The version of a pool's structure dictionary.
#[napi(catch_unwind)]
pub fn pool_dictionary_version(env: Env, number: u32, seated: bool) -> Result<u32> {
    Ok(pool(&env, number, seated)?.dictionary.version())
}

/// The structure dictionary of a pool.
#[napi(catch_unwind)]
pub fn load_pool_dictionary(env: Env, number: u32, seated: bool) -> Result<Option<Buffer>> {
    let document = pool(&env, number, seated)?.dictionary.load();
    Ok(document.map(|document| Buffer::from(document.to_vec())))
}

/// Replaces the structure dictionary; false when somebody else was faster.
#[napi(catch_unwind)]
pub fn save_pool_dictionary(
    env: Env,
    number: u32,
    seated: bool,
    document: Buffer,
    expected: u32,
) -> Result<bool> {
    Ok(pool(&env, number, seated)?.dictionary.save(&document, expected))
}
