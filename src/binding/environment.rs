//! The state of one JavaScript environment: a Node process has one for its main thread and
//! one per worker thread.
//!
//! It is made when the addon is loaded into the environment and torn down by a cleanup hook,
//! whatever is still under way: handles are given back, loads are handed to other threads,
//! and native threads learn that nobody is there any more. The memory itself is freed when
//! Node deletes the environment, because finalizers may still run in between.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::batch::Batches;
use super::call::{Call, EntryPoint, Failure, Returned, check, entry_points};
use super::completion::LoopWaker;
use super::compute::Computes;
use super::disk_cache::DiskCaches;
use super::jobs::JobQueues;
use super::joined::Joined;
use super::load::Loads;
use super::memory::Structures;
use super::memory_cache::MemoryCaches;
use super::monitor::Monitoring;
use super::redis_cache::RedisCaches;
use super::tiered::TieredCaches;
use super::values;
use super::worker_pool::WorkerPools;
use crate::engine::completion::{CompletionQueue, Outcome, Reply};
use crate::engine::freed_memory;

/// Memory that JavaScript and native code use in turns, allocated by JavaScript and kept
/// alive by a reference.
#[derive(Debug, Clone, Copy)]
pub struct Shared {
    data: *mut u8,
    length: usize,
}

impl Shared {
    const NONE: Self = Self {
        data: ptr::null_mut(),
        length: 0,
    };

    /// Copies bytes to `offset`. False when they do not fit.
    pub fn write(self, offset: usize, bytes: &[u8]) -> bool {
        if offset
            .checked_add(bytes.len())
            .is_none_or(|end| end > self.length)
        {
            return false;
        }
        // SAFETY: in bounds as checked; the memory is alive (see `attach`), and `bytes` is
        // native memory, which never overlaps it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.add(offset), bytes.len()) };
        true
    }

    /// Stores a word. Words that do not fit are ignored.
    pub fn set_word(self, index: usize, word: i32) {
        self.write(index * size_of::<i32>(), &word.to_ne_bytes());
    }

    /// How many words there are.
    pub fn words(self) -> usize {
        self.length / size_of::<i32>()
    }

    /// Loads a word, 0 outside.
    pub fn word(self, index: usize) -> i32 {
        let offset = index * size_of::<i32>();
        if offset + size_of::<i32>() > self.length {
            return 0;
        }
        // SAFETY: in bounds as checked; the memory is alive and any bytes are a valid word.
        unsafe { self.data.add(offset).cast::<i32>().read_unaligned() }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Environment {
    /// Results for this environment.
    pub queue: Arc<CompletionQueue>,
    /// The words that describe a value handed over.
    pub header: Cell<Shared>,
    /// Encoded values handed over.
    pub scratch: Cell<Shared>,
    /// Memory for strings that come joined.
    pub joined: RefCell<Joined>,
    /// What it uses of memory caches.
    pub memory_caches: MemoryCaches,
    /// What it uses of disk caches.
    pub disk_caches: DiskCaches,
    /// What it uses of worker pools.
    pub worker_pools: WorkerPools,
    /// What it uses of job queues.
    pub job_queues: JobQueues,
    /// What it uses of batching.
    pub batches: Batches,
    /// Its structures.
    pub structures: Structures,
    /// What it uses of compute engines.
    pub computes: Computes,
    /// What it uses of Redis caches.
    pub redis_caches: RedisCaches,
    /// Load tests that it runs.
    pub loads: Loads,
    /// What it uses of monitoring.
    pub monitoring: Monitoring,
    /// What it uses of multi-level caches.
    pub tiered: TieredCaches,
    waker: Arc<LoopWaker>,
}

/// What an environment offers to JavaScript beside its engines.
pub const ENTRY_POINTS: &[EntryPoint] = entry_points! {
    "attach" => attach,
    "drain" => drain,
    "holdLoop" => hold_loop,
};

impl Environment {
    /// Makes the state of `env` and arranges its end.
    pub fn install(env: sys::napi_env) -> napi::Result<&'static Environment> {
        let waker = Arc::new(LoopWaker::detached());
        let environment = Box::new(Environment {
            queue: Arc::new(CompletionQueue::new(Box::new(waker.clone()))),
            header: Cell::new(Shared::NONE),
            scratch: Cell::new(Shared::NONE),
            joined: RefCell::default(),
            memory_caches: MemoryCaches::default(),
            disk_caches: DiskCaches::default(),
            worker_pools: WorkerPools::default(),
            job_queues: JobQueues::default(),
            batches: Batches::default(),
            structures: Structures::default(),
            computes: Computes::default(),
            redis_caches: RedisCaches::default(),
            loads: Loads::default(),
            monitoring: Monitoring::default(),
            tiered: TieredCaches::default(),
            waker,
        });
        let data = Box::into_raw(environment);
        // SAFETY: `free` gets back exactly what was boxed, once, when Node deletes `env`.
        napi::check_status!(unsafe {
            sys::napi_set_instance_data(env, data.cast(), Some(free), ptr::null_mut())
        })?;
        // SAFETY: leaked until `free`, which runs after the last JavaScript of `env`.
        Ok(unsafe { &*data })
    }

    /// The state of `env`.
    pub fn of(env: &napi::Env) -> napi::Result<&Environment> {
        let mut data = ptr::null_mut();
        // SAFETY: `env` is the calling environment.
        napi::check_status!(unsafe { sys::napi_get_instance_data(env.raw(), &mut data) })?;
        // SAFETY: set by `install`, and alive as long as JavaScript runs in `env`.
        unsafe { data.cast::<Environment>().as_ref() }
            .ok_or_else(|| napi::Error::from_reason("The addon was not initialised here"))
    }

    /// Ends everything. Runs while `env` still stands, after its last JavaScript.
    fn tear_down(&self) {
        // First of all: from here on no native thread can reach this environment.
        self.queue.close();
        self.waker.detach();
        // Before the tiers that they use.
        self.tiered.tear_down(&self.queue);
        self.memory_caches.tear_down(&self.queue);
        self.disk_caches.tear_down();
        self.worker_pools.tear_down();
        self.job_queues.tear_down();
        self.batches.tear_down();
        self.structures.tear_down();
        self.computes.tear_down();
        self.redis_caches.tear_down();
        self.loads.tear_down();
        self.monitoring.tear_down();
    }
}

unsafe extern "C" fn clean_up(data: *mut c_void) {
    // SAFETY: added by `attach` with the environment as argument; `free` runs later.
    let environment = unsafe { &*data.cast::<Environment>() };
    // Nothing that panics here may unwind into Node.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| environment.tear_down()));
}

unsafe extern "C" fn free(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: boxed by `install`, and given to Node-API for this call alone.
    drop(unsafe { Box::from_raw(data.cast::<Environment>()) });
}

/// `attach(header, scratch, wake)`: shares two pieces of memory, and names the function that
/// wake-ups call. Once per environment.
fn attach(call: &Call<'_, 3>) -> Returned {
    let environment = call.environment;
    if environment.waker.is_attached() {
        // Node aborts the process when a cleanup hook is added twice.
        return Err(Failure::Status(sys::Status::napi_generic_failure));
    }
    environment.header.set(share(call, 0)?);
    environment.scratch.set(share(call, 1)?);
    environment.waker.attach(call.env, call.argument(2))?;
    freed_memory::enlist(&environment.queue);
    let data = ptr::from_ref(environment).cast_mut().cast();
    // Added after the threadsafe function has added its own, hence run before.
    // SAFETY: `clean_up` fits, and the environment outlives its hooks.
    check(unsafe { sys::napi_add_env_cleanup_hook(call.env, Some(clean_up), data) })?;
    call.undefined()
}

fn share<const N: usize>(call: &Call<'_, N>, index: usize) -> Result<Shared, Failure> {
    let memory = call.buffer(index)?;
    let shared = Shared {
        data: memory.as_ptr().cast_mut(),
        length: memory.len(),
    };
    let mut reference = ptr::null_mut();
    // A strong reference that is never given up: the memory lives as long as `env`.
    // SAFETY: the value is alive in this callback's scope.
    check(unsafe { sys::napi_create_reference(call.env, call.argument(index), 1, &mut reference) })?;
    Ok(shared)
}

/// `holdLoop(hold)`: whether operations are pending that the process must stay alive for.
fn hold_loop(call: &Call<'_, 1>) -> Returned {
    let hold = call.u32(0)? != 0;
    call.environment.waker.hold_loop(call.env, hold)?;
    call.undefined()
}

/// Marks a kind: the value is in the scratch memory.
const IN_SCRATCH: u32 = 1 << 25;

/// Larger than the length of anything in the scratch memory.
const SCRATCH_RADIX: f64 = (1 << 20) as f64;

/// Copies a value that has to be decoded into the scratch memory, and tells where. None if there
/// is nothing to decode, or no room.
fn lend(scratch: Shared, taken: &mut usize, reply: &Reply) -> Option<f64> {
    let Reply::Found { kind, payload, .. } = reply else {
        return None;
    };
    if !values::is_encoded(*kind) || payload.is_empty() || !scratch.write(*taken, payload) {
        return None;
    }
    let place = *taken as f64 * SCRATCH_RADIX + payload.len() as f64;
    *taken += payload.len();
    Some(place)
}

/// `drain()`: all results as a flat array, four places each: operation, outcome, kind and
/// value. What a cache of several levels found comes through the scratch memory, until the first
/// result of another kind: those who take it run code that may use the memory themselves. Its
/// kind has the bit [`IN_SCRATCH`] then, and its value is start times [`SCRATCH_RADIX`] plus
/// length.
fn drain(call: &Call<'_, 0>) -> Returned {
    const EVENTS: i32 = 0;
    const VALUE: i32 = 1;
    const FAILURE: i32 = 2;
    const LEAD: i32 = 3;
    const REFUSED: i32 = 4;
    let env = call.env;
    let scratch = call.environment.scratch.get();
    // Whether the scratch memory is still nobody else's, and how much of it is taken.
    let (mut lends, mut taken) = (true, 0);
    let completions = call.environment.queue.drain();
    if call.environment.queue.is_asked_to_give_back() {
        freed_memory::give_back();
    }
    let mut flat = Vec::with_capacity(completions.len() * 4);
    for completion in completions {
        let operation = completion.operation;
        let undefined = values::undefined(env)?;
        let mut flights = call.environment.memory_caches.flights.borrow_mut();
        lends &= matches!(completion.outcome, Outcome::Done(Reply::Found { .. }));
        let (outcome, kind, value) = match completion.outcome {
            Outcome::Events => (EVENTS, 0, undefined),
            Outcome::Value(record) => {
                flights.remove(&operation);
                (VALUE, u32::from(record.kind().0), values::payload(env, &record)?)
            }
            Outcome::Failure(error) => {
                flights.remove(&operation);
                call.environment.tiered.answered(operation);
                (FAILURE, 0, values::buffer(env, &error)?)
            }
            Outcome::Lead(ticket) => {
                if let Some(flight) = flights.get_mut(&operation) {
                    flight.ticket = Some(ticket);
                }
                call.environment.tiered.leads(operation, ticket);
                (LEAD, 0, undefined)
            }
            Outcome::Done(reply) => {
                call.environment.tiered.answered(operation);
                let form = reply.form();
                match lends.then(|| lend(scratch, &mut taken, &reply)).flatten() {
                    Some(place) => (VALUE, form | IN_SCRATCH, values::number(env, place)?),
                    None => (VALUE, form, values::reply(env, reply)?),
                }
            }
            Outcome::Refused(error) => {
                call.environment.tiered.answered(operation);
                (REFUSED, 0, values::error(env, &error)?)
            }
        };
        flat.push(values::number(env, f64::from(operation))?);
        flat.push(call.int(outcome)?);
        flat.push(values::number(env, f64::from(kind))?);
        flat.push(value);
    }
    values::array(env, &flat)
}
