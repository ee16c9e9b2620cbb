//! Giving memory back before the kernel takes the process.
//!
//! A watcher on the background thread compares what is in use with what may be used (see
//! [`memory_limit`]), ten times a second while anybody can give something up, and more often
//! once half of it is used. Above the
//! high watermark everybody who holds memory is asked for a part of the excess in proportion
//! to what they hold; below the low one they may take it back, step by step, so that the two
//! do not take turns.
//!
//! What is in use is what the kernel could not take back at once: a control group's own count
//! without its file pages, which it drops before it kills. On a host without a limit it is
//! everything that is not available.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::engine::background::{self, Periodic};
use crate::engine::memory_limit::{self, Group, Source};

/// Time between two looks, while at least half of the memory is free and after that: a process
/// that writes as fast as it can fills a small container in a second.
const CALM_PERIOD: Duration = Duration::from_millis(100);
const ALERT_PERIOD: Duration = Duration::from_millis(20);
const ALERT_SHARE: f64 = 0.5;

/// Time from one change to the next: what was freed takes a moment to reach the kernel, and
/// nobody should take memory back much faster than others might ask for it.
const SHRINK_PAUSE: Duration = Duration::from_millis(60);
const RECOVERY_PAUSE: Duration = Duration::from_millis(250);

/// At most this share of what is held is given up at a time.
const MAX_STEP: f64 = 1.0 / 4.0;

/// Shares of the limit: from where on memory is given up, down to where, and from where on
/// there is room again.
struct Watermarks {
    high: f64,
    target: f64,
    low: f64,
}

const IN_A_GROUP: Watermarks = Watermarks {
    high: 0.90,
    target: 0.85,
    low: 0.80,
};

/// Others use the host too, and may use it to the brim for good.
const ON_THE_HOST: Watermarks = Watermarks {
    high: 0.97,
    target: 0.95,
    low: 0.93,
};

/// Memory in use, and how much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that the kernel cannot take back at once.
    pub used: u64,
    /// Bytes there may be.
    pub limit: u64,
    /// Who says so.
    pub source: Source,
}

/// What should be done about a usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Give up so many bytes, all together.
    Shrink(u64),
    /// Leave everything as it is.
    Stay,
    /// There is room again.
    Recover,
}

impl Usage {
    fn share(&self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }

    /// What should be done about it.
    pub fn advice(&self) -> Advice {
        let marks = match self.source {
            Source::Host => ON_THE_HOST,
            _ => IN_A_GROUP,
        };
        let share = self.share();
        if share > marks.high {
            Advice::Shrink(((share - marks.target) * self.limit as f64).round() as u64)
        } else if share < marks.low {
            Advice::Recover
        } else {
            Advice::Stay
        }
    }
}

/// Who can give memory up.
pub trait Yielding: Send + Sync {
    /// Bytes held.
    fn held_bytes(&self) -> u64;
    /// Give up so many of them, and hold no more than the rest until further notice.
    fn shrink(&self, bytes: u64);
    /// Hold some more again.
    fn recover(&self);
}

/// The watcher of this process.
#[derive(Default)]
struct Watcher {
    yielding: Mutex<Vec<Weak<dyn Yielding>>>,
    is_alert: AtomicBool,
    last_change: Mutex<Option<Instant>>,
}

static WATCHER: LazyLock<Arc<Watcher>> = LazyLock::new(Arc::default);

/// Asks `who` for memory when it is short, for as long as it lives.
pub fn watch(who: Weak<dyn Yielding>) {
    let mut yielding = WATCHER.yielding.lock();
    let is_first = yielding.is_empty();
    yielding.push(who);
    drop(yielding);
    if is_first {
        let watcher: Arc<dyn Periodic> = WATCHER.clone();
        background::every(Arc::downgrade(&watcher));
    }
}

impl Periodic for Watcher {
    fn period(&self) -> Duration {
        if self.is_alert.load(Ordering::Relaxed) {
            ALERT_PERIOD
        } else {
            CALM_PERIOD
        }
    }

    fn run(&self) -> bool {
        let mut yielding = self.yielding.lock();
        yielding.retain(|who| who.strong_count() > 0);
        let all: Vec<_> = yielding.iter().filter_map(Weak::upgrade).collect();
        let goes_on = !yielding.is_empty();
        drop(yielding);
        // Nobody is asked with the list locked: what they do may take its time.
        if all.iter().any(|who| who.held_bytes() > 0)
            && let Some(usage) = usage()
        {
            self.is_alert
                .store(usage.share() > ALERT_SHARE, Ordering::Relaxed);
            self.consider(usage.advice(), &all);
        } else {
            self.is_alert.store(false, Ordering::Relaxed);
        }
        goes_on
    }
}

impl Watcher {
    /// Follows an advice unless the last one may not have had its effect yet.
    fn consider(&self, advice: Advice, all: &[Arc<dyn Yielding>]) {
        let pause = match advice {
            Advice::Stay => return,
            Advice::Shrink(_) => SHRINK_PAUSE,
            Advice::Recover => RECOVERY_PAUSE,
        };
        let mut last = self.last_change.lock();
        if last.is_none_or(|last| last.elapsed() >= pause) {
            follow(advice, all);
            *last = Some(Instant::now());
        }
    }
}

fn follow(advice: Advice, all: &[Arc<dyn Yielding>]) {
    match advice {
        Advice::Stay => {}
        Advice::Recover => all.iter().for_each(|who| who.recover()),
        Advice::Shrink(bytes) => {
            let held: u64 = all.iter().map(|who| who.held_bytes()).sum();
            let share = (bytes as f64 / held.max(1) as f64).min(MAX_STEP);
            for who in all {
                who.shrink((share * who.held_bytes() as f64).ceil() as u64);
            }
        }
    }
}

/// The memory in use now, where it is shortest. Some small files or a system call.
pub fn usage() -> Option<Usage> {
    if let Some(limit) = memory_limit::override_limit() {
        return Some(Usage {
            used: resident_bytes()?,
            limit: limit.bytes,
            source: limit.source,
        });
    }
    let groups = if cfg!(target_os = "linux") {
        memory_limit::limiting_groups(&memory_limit::read_file)
    } else {
        Vec::new()
    };
    shortest(
        groups
            .iter()
            .filter_map(|group| group_usage(&memory_limit::read_file, group)),
        host_usage(),
    )
}

fn shortest(groups: impl Iterator<Item = Usage>, host: Option<Usage>) -> Option<Usage> {
    let most = groups.max_by(|one, other| one.share().total_cmp(&other.share()));
    // A group that is short of memory counts more than a host that nearly is.
    match (most, host) {
        (Some(group), Some(host)) if group.limit < host.limit => {
            let host_is_short = matches!(host.advice(), Advice::Shrink(_));
            Some(if host_is_short && group.advice() == Advice::Recover {
                host
            } else {
                group
            })
        }
        (_, Some(host)) => Some(host),
        (group, None) => group,
    }
}

/// What a group uses, without the file pages that the kernel drops on demand.
fn group_usage(read: &dyn Fn(&Path) -> Option<String>, group: &Group) -> Option<Usage> {
    // Version 1 counts groups below under names of their own.
    let (file, prefix) = match group.limit.source {
        Source::CgroupV1 => ("memory.usage_in_bytes", "total_"),
        _ => ("memory.current", ""),
    };
    let used: u64 = read(&group.directory.join(file))?.trim().parse().ok()?;
    let stat = read(&group.directory.join("memory.stat")).unwrap_or_default();
    let files: u64 = ["inactive_file", "active_file"]
        .iter()
        .filter_map(|name| stat_entry(&stat, &format!("{prefix}{name}")))
        .sum();
    Some(Usage {
        used: used.saturating_sub(files),
        limit: group.limit.bytes,
        source: group.limit.source,
    })
}

fn stat_entry(stat: &str, name: &str) -> Option<u64> {
    stat.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn host_usage() -> Option<Usage> {
    let kind = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(kind).ok()?;
    let limit = system.total_memory();
    (limit > 0).then(|| Usage {
        used: limit.saturating_sub(system.available_memory()),
        limit,
        source: Source::Host,
    })
}

/// The resident set of this process.
pub fn resident_bytes() -> Option<u64> {
    let status = memory_limit::read_file(Path::new("/proc/self/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory_limit::MemoryLimit;
    use std::sync::atomic::AtomicU64;

    fn in_group(used: u64, limit: u64) -> Usage {
        Usage {
            used,
            limit,
            source: Source::CgroupV2,
        }
    }

    #[test]
    fn advice_keeps_a_distance_from_the_limit() {
        assert_eq!(in_group(950, 1000).advice(), Advice::Shrink(100));
        assert_eq!(in_group(1200, 1000).advice(), Advice::Shrink(350));
        assert_eq!(in_group(900, 1000).advice(), Advice::Stay);
        assert_eq!(in_group(810, 1000).advice(), Advice::Stay);
        assert_eq!(in_group(790, 1000).advice(), Advice::Recover);
        let host = Usage {
            source: Source::Host,
            ..in_group(950, 1000)
        };
        assert_eq!(host.advice(), Advice::Stay, "others may fill the host");
    }

    #[test]
    fn the_shortest_counts() {
        let host = Usage {
            source: Source::Host,
            ..in_group(10, 10_000)
        };
        let groups = [in_group(500, 1000), in_group(1900, 2000)];
        assert_eq!(
            shortest(groups.into_iter(), Some(host)),
            Some(in_group(1900, 2000))
        );
        assert_eq!(shortest([].into_iter(), Some(host)), Some(host));
        let full = Usage { used: 9_990, ..host };
        assert_eq!(shortest(groups[..1].iter().copied(), Some(full)), Some(full));
        assert_eq!(
            shortest(groups.into_iter(), Some(full)),
            Some(in_group(1900, 2000))
        );
    }

    #[test]
    fn file_pages_do_not_count() {
        let group = |source| Group {
            directory: "/group".into(),
            limit: MemoryLimit { bytes: 1000, source },
        };
        let read = |path: &Path| {
            let text = match path.file_name()?.to_str()? {
                "memory.current" | "memory.usage_in_bytes" => "900\n",
                "memory.stat" => {
                    "anon 1\ninactive_file 100\nactive_file 50\ntotal_inactive_file 300\ntotal_active_file 4\n"
                }
                _ => return None,
            };
            Some(text.to_owned())
        };
        let used = |source| group_usage(&read, &group(source)).map(|usage| usage.used);
        assert_eq!(used(Source::CgroupV2), Some(750));
        assert_eq!(used(Source::CgroupV1), Some(596));
        assert_eq!(group_usage(&|_| None, &group(Source::CgroupV2)), None);
    }

    #[derive(Default)]
    struct Holder {
        held: AtomicU64,
        recovered: AtomicU64,
    }

    impl Yielding for Holder {
        fn held_bytes(&self) -> u64 {
            self.held.load(Ordering::SeqCst)
        }
        fn shrink(&self, bytes: u64) {
            self.held.fetch_sub(bytes, Ordering::SeqCst);
        }
        fn recover(&self) {
            self.recovered.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn each_gives_in_proportion_and_not_too_much_at_once() {
        let (large, small) = (Arc::new(Holder::default()), Arc::new(Holder::default()));
        large.held.store(9_000, Ordering::SeqCst);
        small.held.store(1_000, Ordering::SeqCst);
        let all: [Arc<dyn Yielding>; 2] = [large.clone(), small.clone()];
        follow(Advice::Shrink(1_000), &all);
        assert_eq!((large.held_bytes(), small.held_bytes()), (8_100, 900));
        follow(Advice::Shrink(1 << 40), &all);
        assert_eq!((large.held_bytes(), small.held_bytes()), (6_075, 675));
        follow(Advice::Stay, &all);
        assert_eq!(large.recovered.load(Ordering::SeqCst), 0);
        follow(Advice::Recover, &all);
        assert_eq!(large.recovered.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn this_machine_has_a_usage() {
        let usage = usage().expect("a reading");
        assert!(usage.used > 1 << 20 && usage.limit > usage.used / 2, "{usage:?}");
        if cfg!(target_os = "linux") {
            assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        }
    }
}
