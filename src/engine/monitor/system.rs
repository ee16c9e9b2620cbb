//! What the process and its machine are doing, sampled by the native thread.
//!
//! One sample costs well under a millisecond of a thread that is not the event loop's; at the
//! default interval of five seconds that is less than a hundredth of a percent of a core.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sysinfo::{
    CpuRefreshKind, DiskRefreshKind, Disks, MemoryRefreshKind, Networks, Pid, ProcessRefreshKind,
    ProcessesToUpdate, RefreshKind, System,
};

use super::metrics::{Definition, Kind};
use super::store::{Store, Target};
use super::worker::{Periodic, process};
use crate::engine::memory_limit::memory_limit;

/// One sample. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Snapshot {
    /// When, in milliseconds since 1970.
    pub time: f64,
    /// Processor time of the process since the last sample, as a share of all cores that it
    /// may use.
    pub process_cpu: f64,
    /// Processor time of its busiest JavaScript thread, as a share of one core. On systems that
    /// do not tell: of the whole process, at most 1.
    pub thread_cpu: f64,
    /// Processor time of the whole machine, as a share of all its cores.
    pub host_cpu: f64,
    /// Processor seconds of the process since it started.
    pub cpu_seconds: f64,
    /// Cores that the process may use.
    pub cores: f64,
    /// Load averages over one, five and fifteen minutes.
    pub load: [f64; 3],
    /// Bytes of the process in physical memory.
    pub resident: f64,
    /// Bytes of memory that the process may use: its container's, or the machine's.
    pub memory_limit: f64,
    /// Bytes of memory of the machine.
    pub memory_total: f64,
    /// Bytes of it that can be had.
    pub memory_available: f64,
    /// Bytes of the file system that holds the working directory.
    pub disk_total: f64,
    /// Bytes of it that are free.
    pub disk_free: f64,
    /// Bytes that the process has read from and written to disks.
    pub disk_read: f64,
    /// See [`disk_read`](Self::disk_read).
    pub disk_written: f64,
    /// Bytes that the machine's interfaces have received, without the loopback.
    pub network_received: f64,
    /// Bytes that they have sent.
    pub network_sent: f64,
    /// Seconds since the machine started.
    pub host_uptime: f64,
    /// Open files of the process; 0 on systems that do not tell.
    pub open_files: f64,
}

/// The processor time of one thread.
#[derive(Debug)]
pub struct ThreadClock {
    /// Where the system tells it; none outside Linux.
    stat: Option<std::path::PathBuf>,
    last: Mutex<Option<f64>>,
}

impl ThreadClock {
    /// That of the calling thread.
    pub fn current() -> Self {
        let thread = std::fs::read_link("/proc/thread-self").ok();
        Self {
            stat: thread.map(|thread| std::path::Path::new("/proc").join(thread).join("schedstat")),
            last: Mutex::default(),
        }
    }

    /// Nanoseconds of processor time since the last call; none at the first.
    fn passed(&self) -> Option<f64> {
        let text = std::fs::read_to_string(self.stat.as_ref()?).ok()?;
        let now: f64 = text.split(' ').next()?.parse().ok()?;
        self.last.lock().replace(now).map(|last| now - last)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Sampler {
    state: Mutex<State>,
    threads: Mutex<Vec<Weak<ThreadClock>>>,
    interval: Duration,
    started: Instant,
}

/// What the system library does not support on a platform, it has no figures for.
#[derive(Debug)]
struct State {
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    last: Option<(Instant, f64)>,
    snapshot: Snapshot,
    /// The metrics that tell the latest sample, in the order of [`EXPORTED`].
    exported: Vec<u32>,
}

/// How often the system is sampled.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(5);

impl Default for Sampler {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                system: System::new_with_specifics(RefreshKind::nothing()).ok(),
                disks: Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage())
                    .ok(),
                networks: Networks::new_with_refreshed_list().ok(),
                last: None,
                snapshot: Snapshot::default(),
                exported: Vec::new(),
            }),
            threads: Mutex::default(),
            interval: SAMPLE_EVERY,
            started: Instant::now(),
        }
    }
}

impl Sampler {
    /// The sampler of this process, running from the first call on.
    pub fn running() -> Arc<Self> {
        static SAMPLER: Mutex<Option<Arc<Sampler>>> = Mutex::new(None);
        let mut sampler = SAMPLER.lock();
        if let Some(sampler) = &*sampler {
            return sampler.clone();
        }
        let started = Arc::new(Self::default());
        started.state.lock().exported = define(&mut process().store.lock());
        *sampler = Some(started.clone());
        drop(sampler);
        let task: Arc<dyn Periodic> = started.clone();
        process().enlist(Arc::downgrade(&task));
        started
    }

    /// Watches the processor time of a thread, too.
    pub fn watch(&self, thread: &Arc<ThreadClock>) {
        self.threads.lock().push(Arc::downgrade(thread));
    }

    /// The latest sample; the first one is taken at once.
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.state.lock();
        if state.last.is_none() {
            self.sample(&mut state);
        }
        state.snapshot
    }

    /// Takes a sample now, unless the last one is younger than `age`.
    pub fn refresh(&self, age: Duration) -> Snapshot {
        let mut state = self.state.lock();
        if state.last.is_none_or(|(at, _)| at.elapsed() >= age) {
            self.sample(&mut state);
        }
        state.snapshot
    }

    fn sample(&self, state: &mut State) {
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let now = Instant::now();
        let mut next = Snapshot {
            time: super::now_ms(),
            cores,
            memory_limit: memory_limit().bytes as f64,
            host_uptime: System::uptime().map_or(0.0, |seconds| seconds as f64),
            open_files: open_files(),
            ..Snapshot::default()
        };
        if let Ok(load) = System::load_average() {
            next.load = [load.one, load.five, load.fifteen];
        }
        if let Some(system) = &mut state.system {
            machine(system, &mut next);
        }
        if let Some(disks) = &mut state.disks {
            disks.refresh_specifics(false, DiskRefreshKind::nothing().with_storage());
            if let Some((total, free)) = file_system(disks) {
                next.disk_total = total;
                next.disk_free = free;
            }
        }
        if let Some(networks) = &mut state.networks {
            networks.refresh(true);
            for (name, interface) in networks.iter() {
                if !name.to_string_lossy().starts_with("lo") {
                    next.network_received += interface.total_received() as f64;
                    next.network_sent += interface.total_transmitted() as f64;
                }
            }
        }
        // At the first sample: nothing is known to have been used.
        let (at, seconds) = state.last.unwrap_or((self.started, next.cpu_seconds));
        let passed = now.duration_since(at).as_secs_f64().max(1e-3);
        let used = (next.cpu_seconds - seconds).max(0.0) / passed;
        next.process_cpu = (used / cores).min(1.0);
        next.thread_cpu = self.busiest(passed).unwrap_or(used).min(1.0);
        state.last = Some((now, next.cpu_seconds));
        state.snapshot = next;
        export(&state.exported, &next);
    }

    fn busiest(&self, seconds: f64) -> Option<f64> {
        let mut threads = self.threads.lock();
        threads.retain(|thread| thread.strong_count() > 0);
        let shares = threads.iter().filter_map(|thread| thread.upgrade()?.passed());
        shares
            .map(|nanoseconds| nanoseconds / 1e9 / seconds)
            .reduce(f64::max)
    }
}

/// A metric of the latest sample: its name, its help, and the figure.
type Exported = (&'static str, &'static str, fn(&Snapshot) -> f64);

/// What is exported. A name that ends in `_total` is a counter.
const EXPORTED: [Exported; 18] = [
    (
        "process_cpu_seconds_total",
        "Processor time of the process in seconds",
        |sample| sample.cpu_seconds,
    ),
    (
        "process_cpu_usage_ratio",
        "Share of its cores that the process uses",
        |sample| sample.process_cpu,
    ),
    ("process_cpu_cores", "Cores that the process may use", |sample| {
        sample.cores
    }),
    (
        "process_resident_memory_bytes",
        "Physical memory of the process",
        |sample| sample.resident,
    ),
    (
        "process_memory_limit_bytes",
        "Memory that the process may use: its container's or the machine's",
        |sample| sample.memory_limit,
    ),
    ("process_open_fds", "Open files of the process", |sample| {
        sample.open_files
    }),
    (
        "process_disk_read_bytes_total",
        "Bytes that the process has read from disks",
        |sample| sample.disk_read,
    ),
    (
        "process_disk_written_bytes_total",
        "Bytes that the process has written to disks",
        |sample| sample.disk_written,
    ),
    (
        "host_cpu_usage_ratio",
        "Share of all cores of the machine that is in use",
        |sample| sample.host_cpu,
    ),
    ("host_load1", "Load average over a minute", |sample| {
        sample.load[0]
    }),
    ("host_load5", "Load average over five minutes", |sample| {
        sample.load[1]
    }),
    ("host_load15", "Load average over fifteen minutes", |sample| {
        sample.load[2]
    }),
    ("host_memory_total_bytes", "Memory of the machine", |sample| {
        sample.memory_total
    }),
    (
        "host_memory_available_bytes",
        "Memory of the machine that can be had",
        |sample| sample.memory_available,
    ),
    (
        "host_filesystem_size_bytes",
        "Size of the file system of the working directory",
        |sample| sample.disk_total,
    ),
    (
        "host_filesystem_free_bytes",
        "Free space of the file system of the working directory",
        |sample| sample.disk_free,
    ),
    (
        "host_network_received_bytes_total",
        "Bytes received by the interfaces of the machine, without the loopback",
        |sample| sample.network_received,
    ),
    (
        "host_network_sent_bytes_total",
        "Bytes sent by the interfaces of the machine, without the loopback",
        |sample| sample.network_sent,
    ),
];

/// Defines what is exported and returns the targets. A name that an application has taken for
/// something else stays its own.
fn define(store: &mut Store) -> Vec<u32> {
    let target = |(name, help, _): &Exported| {
        let definition = Definition {
            name: (*name).into(),
            help: (*help).into(),
            kind: if name.ends_with("_total") {
                Kind::Counter
            } else {
                Kind::Gauge
            },
            label_names: Vec::new(),
            bounds: None,
            resolution: 1.0,
            max_series: 1,
        };
        store
            .define(definition)
            .map_or(super::store::TIME, |number| store.series(number, &[]).target)
    };
    EXPORTED.iter().map(target).collect()
}

fn export(targets: &[u32], sample: &Snapshot) {
    if targets.is_empty() {
        return;
    }
    let mut store = process().store.lock();
    for (target, (_, _, figure)) in targets.iter().zip(&EXPORTED) {
        if let Some(Target::Counter(value) | Target::Gauge(value)) = store.get_mut(*target) {
            *value = figure(sample);
        }
    }
}

impl Periodic for Sampler {
    fn run(&self) -> Duration {
        self.sample(&mut self.state.lock());
        self.interval
    }
}

/// What the system library tells of the machine and of this process.
fn machine(system: &mut System, next: &mut Snapshot) {
    let pid = Pid::from_u32(std::process::id());
    let kind = ProcessRefreshKind::nothing()
        .with_cpu()
        .with_memory()
        .with_disk_usage();
    system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
    next.host_cpu = f64::from(system.global_cpu_usage()).clamp(0.0, 100.0) / 100.0;
    next.memory_total = system.total_memory() as f64;
    next.memory_available = system.available_memory() as f64;
    if let Some(own) = system.process(pid) {
        next.cpu_seconds = own.accumulated_cpu_time() as f64 / 1000.0;
        next.resident = own.memory() as f64;
        let disk = own.disk_usage();
        next.disk_read = disk.total_read_bytes as f64;
        next.disk_written = disk.total_written_bytes as f64;
    }
}

/// Total and free bytes of the file system that holds the working directory.
fn file_system(disks: &Disks) -> Option<(f64, f64)> {
    let directory = std::env::current_dir().ok()?;
    let holding = disks
        .iter()
        .filter(|disk| directory.starts_with(disk.mount_point()));
    let disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
    Some((disk.total_space() as f64, disk.available_space() as f64))
}

fn open_files() -> f64 {
    std::fs::read_dir("/proc/self/fd").map_or(0.0, |files| files.count().saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_shows() {
        let sampler = Sampler::default();
        let clock = Arc::new(ThreadClock::current());
        sampler.watch(&clock);
        let before = sampler.snapshot();
        assert!(before.resident > 0.0 && before.memory_limit > 0.0 && before.cores >= 1.0);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(300) {
            std::hint::black_box(begin);
        }
        let after = sampler.refresh(Duration::ZERO);
        assert!(after.thread_cpu > 0.05, "{after:?}");
        assert!(after.cpu_seconds > before.cpu_seconds);
        assert!(after.time >= before.time);
        assert_eq!(sampler.refresh(Duration::from_secs(3600)), after);
    }
}
