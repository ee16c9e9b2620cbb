//! A pool: the state machine behind a lock, with a clock, alarms and a name.
//!
//! Every call locks the state for as long as it takes to change it, a microsecond or less.
//! Whoever has to be woken for it is woken after the lock was given back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::config::Config;
use super::scheduler::Scheduler;
use super::timers::{self, Alarm};
use crate::engine::cache::memory::dictionary::Dictionary;
use crate::engine::clock;
use crate::engine::registry::{Engine, Registry};
use crate::error::Result;

static POOLS: LazyLock<Mutex<HashMap<u32, Weak<Pool>>>> = LazyLock::new(Mutex::default);
static LAST_POOL: AtomicU32 = AtomicU32::new(0);

/// See the module.
#[derive(Debug)]
pub struct Pool {
    number: u32,
    config: Config,
    scheduler: Mutex<Scheduler>,
    /// When the alarm is set to.
    armed_us: AtomicU64,
    /// The shapes of the values that its threads exchange.
    pub dictionary: Dictionary,
    me: Weak<Pool>,
}

impl Pool {
    /// A pool that worker threads find by its number.
    ///
    /// # Errors
    /// See [`Scheduler::new`].
    pub fn new(config: Config) -> Result<Arc<Self>> {
        let scheduler = Mutex::new(Scheduler::new(config.limits.clone())?);
        let number = LAST_POOL.fetch_add(1, Ordering::SeqCst) + 1;
        let pool = Arc::new_cyclic(|me| Self {
            number,
            config,
            scheduler,
            armed_us: AtomicU64::new(u64::MAX),
            dictionary: Dictionary::default(),
            me: me.clone(),
        });
        POOLS.lock().insert(number, Arc::downgrade(&pool));
        Ok(pool)
    }

    /// The pool of this number, if it still lives.
    pub fn find(number: u32) -> Option<Arc<Self>> {
        POOLS.lock().get(&number)?.upgrade()
    }

    /// The named pools of this process.
    pub fn registry() -> &'static Registry<Pool> {
        static REGISTRY: LazyLock<Registry<Pool>> = LazyLock::new(Registry::default);
        &REGISTRY
    }

    /// What worker threads find it by.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes the state, and then wakes whoever has to know.
    pub fn with<T>(&self, change: impl FnOnce(&mut Scheduler, u64) -> T) -> T {
        let now_us = clock::now_us();
        let (result, signals, alarm_us) = {
            let mut scheduler = self.scheduler.lock();
            let result = change(&mut scheduler, now_us);
            (result, scheduler.take_signals(), scheduler.alarm_us())
        };
        for signal in signals {
            signal.signal();
        }
        if alarm_us < self.armed_us.load(Ordering::Relaxed) {
            self.arm(alarm_us);
        }
        result
    }

    fn arm(&self, alarm_us: u64) {
        if alarm_us < self.armed_us.fetch_min(alarm_us, Ordering::SeqCst) {
            let me: Weak<dyn Alarm> = self.me.clone();
            timers::at(alarm_us.div_ceil(1_000), me);
        }
    }
}

impl Alarm for Pool {
    fn ring(&self) {
        // Before the tick: an alarm that another thread sets meanwhile must not be lost.
        self.armed_us.store(u64::MAX, Ordering::SeqCst);
        self.with(|scheduler, now_us| {
            if scheduler.alarm_us() <= now_us {
                scheduler.tick(now_us);
            }
        });
    }
}

impl Engine for Pool {
    fn close(&self) {
        self.with(|scheduler, _| scheduler.end());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        POOLS.lock().remove(&self.number);
    }
}
