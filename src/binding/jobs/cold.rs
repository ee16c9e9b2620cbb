//! The cold calls: opening and closing, questions, what is rarely asked for.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Env, Unknown};
use napi_derive::napi;

use super::{CLOSED, ClientSignal, JobsHandle, notices};
use crate::binding::call::Failure;
use crate::binding::durations::NativeDurations;
use crate::binding::environment::Environment;
use crate::binding::{to_napi, values};
use crate::engine::completion::Reply;
use crate::engine::jobs::config::{Config, Options};
use crate::engine::jobs::engine::Jobs;
use crate::engine::jobs::head::State;
use crate::engine::lmdb::filesystem;
use crate::engine::registry::Handle;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// Options as JavaScript gives them, checked and normalised there. Infinity stands for "no
/// limit".
#[napi(object)]
pub struct JobsOptions {
    pub name: Option<String>,
    pub store: Option<String>,
    pub max_concurrent_jobs: Option<f64>,
    pub job_timeout: Option<f64>,
    pub retry_attempts: Option<f64>,
    pub retry_delay: Option<f64>,
    pub max_finished_jobs: Option<f64>,
    pub max_dead_letters: Option<f64>,
    pub max_store_bytes: Option<f64>,
}

/// A handle on a queue.
#[napi(object)]
pub struct OpenedJobs {
    pub handle: u32,
    pub durable: bool,
}

fn environment(env: &Env) -> Result<&Environment> {
    Environment::of(env).map_err(|error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason))
}

fn refused(failure: Failure) -> napi::Error<&'static str> {
    napi::Error::new("ERR_HOTPATH_NATIVE", format!("{failure:?}"))
}

fn handle(env: &Env, number: u32) -> Result<Rc<JobsHandle>> {
    let handle = environment(env)?.job_queues.handles.get(number);
    handle.ok_or_else(|| to_napi(CLOSED))
}

/// Opens a handle on a queue. Its notices are announced to `subscription`.
#[napi(catch_unwind)]
pub fn open_jobs(env: Env, options: JobsOptions, subscription: u32) -> Result<OpenedJobs> {
    let environment = environment(&env)?;
    let limit = |value: f64| value.is_finite().then(|| value.ceil() as u64);
    let most = |value: f64| limit(value).unwrap_or(u64::MAX);
    let store = options.store.map(PathBuf::from);
    let store = store.map(|path| filesystem::prepare(&path)).transpose();
    let asked = Options {
        name: options.name,
        store: store.map_err(to_napi)?,
        max_concurrent: options.max_concurrent_jobs.map(|value| most(value) as usize),
        timeout_ms: options.job_timeout.map(limit),
        retries: options.retry_attempts.map(|value| value as u32),
        retry_delay_ms: options.retry_delay,
        max_finished: options.max_finished_jobs.map(most),
        max_dead: options.max_dead_letters.map(most),
        store_bytes: options.max_store_bytes.map(most),
    };
    let config = Config::from(&asked);
    let jobs = Jobs::new(config.clone()).map_err(to_napi)?;
    let handle = match config.registered_as() {
        None => Handle::private(jobs),
        Some(name) => {
            let agrees = |jobs: &Jobs| jobs.config.agree(&asked);
            Jobs::registry().open(&name, agrees, || jobs).map_err(to_napi)?
        }
    };
    let jobs = handle.engine().clone();
    if let Err(error) = jobs.start() {
        handle.close();
        return Err(to_napi(error));
    }
    let durable = jobs.is_durable();
    let signal = Arc::new(ClientSignal {
        queue: environment.queue.clone(),
        subscription,
    });
    let client = jobs.join(signal);
    let handle = environment.job_queues.handles.add(|_| JobsHandle {
        jobs,
        client,
        handle: RefCell::new(Some(handle)),
        left: Cell::new(false),
    });
    Ok(OpenedJobs { handle, durable })
}

/// The handle takes no more jobs.
#[napi(catch_unwind)]
pub fn jobs_retire(env: Env, number: u32) -> Result<()> {
    let handle = handle(&env, number)?;
    handle.jobs.retire(handle.client);
    Ok(())
}

/// Ends everything that waits in a queue in memory which nobody else uses.
#[napi(catch_unwind)]
pub fn jobs_abandon(env: Env, number: u32) -> Result<()> {
    handle(&env, number)?.jobs.abandon();
    Ok(())
}

/// Closes a handle; what it works on goes back into the queue. The operation is answered when
/// all that was asked for is committed and, with the last handle, the store is free.
#[napi(catch_unwind)]
pub fn close_jobs(env: Env, number: u32, operation: u32) -> Result<()> {
    let environment = environment(&env)?;
    let queue = environment.queue.clone();
    let Some(handle) = environment.job_queues.handles.remove(number) else {
        queue.push(operation, Ok(Reply::None).into());
        return Ok(());
    };
    handle.leave(false);
    handle.jobs.at_end(move || {
        queue.push(operation, Ok(Reply::None).into());
    });
    handle.end(Handle::close);
    if !handle.jobs.has_ended() {
        let waiting = handle.jobs.stays();
        handle
            .jobs
            .after_commit(move || waiting.into_iter().for_each(|call| call()));
    }
    Ok(())
}

/// Ends a handle whose JavaScript object was collected. A named queue stays.
#[napi(catch_unwind)]
pub fn collect_jobs(env: Env, number: u32) -> Result<()> {
    let queues = &environment(&env)?.job_queues;
    if let Some(handle) = queues.handles.remove(number) {
        handle.leave(false);
        if let Some(pin) = handle.end(Handle::collect).flatten() {
            queues.pins.borrow_mut().push(pin);
        }
    }
    Ok(())
}

/// The handle can work on jobs of this type.
#[napi(catch_unwind)]
pub fn jobs_serve(env: Env, number: u32, kind: String) -> Result<()> {
    let handle = handle(&env, number)?;
    handle.jobs.serve(handle.client, &kind);
    Ok(())
}

/// Chooses the events that a handle hears, as a sum of their bits.
#[napi(catch_unwind)]
pub fn jobs_listen(env: Env, number: u32, mask: u32) -> Result<()> {
    let handle = handle(&env, number)?;
    handle.jobs.listen(handle.client, mask);
    Ok(())
}

/// Whether nothing is to be done now, nor, in memory, later.
#[napi(catch_unwind)]
pub fn jobs_idle(env: Env, number: u32) -> Result<bool> {
    Ok(handle(&env, number)?.jobs.idle())
}

/// This process takes no jobs while it is paused.
#[napi(catch_unwind)]
pub fn jobs_pause(env: Env, number: u32, paused: bool) -> Result<()> {
    handle(&env, number)?.jobs.pause(paused);
    Ok(())
}

/// Changes how many jobs this process works on at a time.
#[napi(catch_unwind)]
pub fn jobs_resize(env: Env, number: u32, most: f64) -> Result<()> {
    handle(&env, number)?.jobs.set_max_concurrent(most as usize);
    Ok(())
}

/// A job as a flat array, or null.
#[napi(catch_unwind)]
pub fn jobs_get<'env>(env: &'env Env, number: u32, id: String) -> Result<Unknown<'env>> {
    let view = handle(env, number)?.jobs.view(&id).map_err(to_napi)?;
    let value = match view {
        None => values::null(env.raw()),
        Some(view) => notices::job(env.raw(), view),
    };
    // SAFETY: a value of this callback's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value.map_err(refused)?) })
}

/// Ends a job. The operation is answered with whether it had not ended before.
#[napi(catch_unwind)]
pub fn jobs_cancel(env: Env, number: u32, operation: u32, id: String) -> Result<()> {
    let queue = environment(&env)?.queue.clone();
    handle(&env, number)?.jobs.cancel(id, move |result| {
        queue.push(operation, result.map(Reply::Flag).into());
    });
    Ok(())
}

/// Gives dead letters another chance. The operation is answered with how many there were.
#[napi(catch_unwind)]
pub fn jobs_revive(env: Env, number: u32, operation: u32, ids: Option<Vec<String>>, most: f64) -> Result<()> {
    let queue = environment(&env)?.queue.clone();
    let most = most as u64;
    handle(&env, number)?.jobs.revive(ids, most, move |result| {
        queue.push(operation, result.map(|count| Reply::Number(count as f64)).into());
    });
    Ok(())
}

/// A snapshot of a queue, in plain numbers.
#[napi(object)]
pub struct NativeJobsStats {
    pub max_concurrent: f64,
    pub running: f64,
    pub paused: bool,
    pub queued: f64,
    pub delayed: f64,
    pub active: f64,
    pub remembered_completed: f64,
    pub dead: f64,
    pub remembered_cancelled: f64,
    pub submitted: f64,
    pub completed: f64,
    pub failed: f64,
    pub cancelled: f64,
    pub retried: f64,
    pub timeouts: f64,
    pub interrupted: f64,
    pub revived: f64,
    pub events_dropped: f64,
    pub run_ms: NativeDurations,
    pub wait_ms: NativeDurations,
}

/// A snapshot of the counters.
#[napi(catch_unwind)]
pub fn jobs_stats(env: Env, number: u32) -> Result<NativeJobsStats> {
    let handle = handle(&env, number)?;
    let snapshot = handle.jobs.snapshot(handle.client).map_err(to_napi)?;
    let counts = &snapshot.counts;
    let of = |state| counts.of(state) as f64;
    Ok(NativeJobsStats {
        max_concurrent: match handle.jobs.max_concurrent() {
            usize::MAX => f64::INFINITY,
            most => most as f64,
        },
        running: snapshot.running as f64,
        paused: snapshot.paused,
        queued: of(State::Queued),
        delayed: of(State::Delayed),
        active: of(State::Active),
        remembered_completed: of(State::Completed),
        dead: of(State::Failed),
        remembered_cancelled: of(State::Cancelled),
        submitted: counts.submitted as f64,
        completed: counts.completed as f64,
        failed: counts.failed as f64,
        cancelled: counts.cancelled as f64,
        retried: counts.retried as f64,
        timeouts: counts.timed_out as f64,
        interrupted: counts.interrupted as f64,
        revived: counts.revived as f64,
        events_dropped: snapshot.dropped as f64,
        run_ms: snapshot.run.into(),
        wait_ms: snapshot.wait.into(),
    })
}

/// Recounts everything.
#[napi(catch_unwind)]
pub fn jobs_validate(env: Env, number: u32) -> Result<()> {
    handle(&env, number)?.jobs.validate().map_err(to_napi)
}

/// The version of the structure dictionary of a queue in memory.
#[napi(catch_unwind)]
pub fn jobs_dictionary_version(env: Env, number: u32) -> Result<u32> {
    Ok(handle(&env, number)?.jobs.dictionary.version())
}

/// The structure dictionary of a queue in memory.
#[napi(catch_unwind)]
pub fn load_jobs_dictionary(env: Env, number: u32) -> Result<Option<Buffer>> {
    let document = handle(&env, number)?.jobs.dictionary.load();
    Ok(document.map(|document| Buffer::from(document.to_vec())))
}

/// Replaces the structure dictionary; false when somebody else was faster.
#[napi(catch_unwind)]
pub fn save_jobs_dictionary(env: Env, number: u32, document: Buffer, expected: u32) -> Result<bool> {
    Ok(handle(&env, number)?.jobs.dictionary.save(&document, expected))
}
