//! How much memory this process may use.
//!
//! In a container the host's memory is the wrong answer: the kernel kills the process at the limit
//! of its control group. Limits nest, so the smallest one from the process's own group up to the
//! root of what is visible counts.
//!
//! - cgroup v2 (kernel documentation, `admin-guide/cgroup-v2.rst`): `memory.max`. `memory.high` is
//!   not a limit but a point from which the kernel slows the group down.
//! - cgroup v1 (`admin-guide/cgroup-v1/memory.rst`): `memory.limit_in_bytes`, in which "unlimited"
//!   is a huge number, and `hierarchical_memory_limit` of `memory.stat`, which also counts groups
//!   above those that a container can see.
//!
//! Where the groups are mounted comes from `/proc/self/mountinfo`, which group is ours from
//! `/proc/self/cgroup`. Both versions may be in use at once. A limit that is not below the host's
//! memory limits nothing. Not looked at: `ulimit`, Windows job objects, swap. Where the answer is
//! wrong for such a reason, the environment variable [`OVERRIDE`] gives another.

use std::path::{Component, Path, PathBuf};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Assumed when not even the host's memory can be found out: 1 GiB.
pub const UNKNOWN_HOST_BYTES: u64 = 1 << 30;

/// Environment variable with a limit in bytes that is believed instead of looking.
pub const OVERRIDE: &str = "HOTPATH_MEMORY_LIMIT";

/// Where a limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A control group, version 2.
    CgroupV2,
    /// A control group, version 1.
    CgroupV1,
    /// The memory of the machine.
    Host,
    /// The environment variable [`OVERRIDE`].
    Environment,
}

/// The most memory that this process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// In bytes; never 0.
    pub bytes: u64,
    /// What sets it.
    pub source: Source,
}

impl MemoryLimit {
    /// So many percent of the limit, in bytes, rounded down. Values outside 0 to 100 count as the
    /// nearer end, NaN as 0.
    #[must_use]
    pub fn share(&self, percent: f64) -> u64 {
        // A float cast saturates and turns NaN into 0.
        let bytes = (self.bytes as f64 * (percent / 100.0)) as u64;
        bytes.min(self.bytes)
    }
}

/// Reads the limit. On Linux some ten small files in `/proc` and `/sys`, well under a millisecond
/// but blocking; elsewhere one system call. Limits can be changed while a process runs: ask again
/// rather than keep the answer for ever.
#[must_use]
pub fn memory_limit() -> MemoryLimit {
    if let Some(limit) = override_limit() {
        return limit;
    }
    let group = if cfg!(target_os = "linux") {
        cgroup_limit(&read_file)
    } else {
        None
    };
    smallest(host_bytes(), group)
}

/// What the environment says.
pub(super) fn override_limit() -> Option<MemoryLimit> {
    let bytes = parse_limit(std::env::var(OVERRIDE).ok()?.as_str())?;
    Some(MemoryLimit {
        bytes,
        source: Source::Environment,
    })
}

/// A small file's text, whatever bytes it has.
pub(super) fn read_file(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a share of memory such as `20%` or `12.5%`: the number of percent, above 0 and at most
/// 100. `None` for everything else (signs, exponents and spaces included).
#[must_use]
pub fn parse_share(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    number
        .parse()
        .ok()
        .filter(|share| *share > 0.0 && *share <= 100.0)
}

/// The machine's memory; 0 if unknown.
fn host_bytes() -> u64 {
    let kind = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    System::new_with_specifics(kind).map_or(0, |system| system.total_memory())
}

fn smallest(host: u64, group: Option<MemoryLimit>) -> MemoryLimit {
    let host = if host == 0 { u64::MAX } else { host };
    match group {
        Some(group) if group.bytes < host => group,
        _ if host == u64::MAX => MemoryLimit {
            bytes: UNKNOWN_HOST_BYTES,
            source: Source::Host,
        },
        _ => MemoryLimit {
            bytes: host,
            source: Source::Host,
        },
    }
}

/// A group that the process is in, and the limit that it sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) directory: PathBuf,
    pub(super) limit: MemoryLimit,
}

/// All groups with a limit that the process is in. `read` gives a file's text.
pub(super) fn limiting_groups(read: &dyn Fn(&Path) -> Option<String>) -> Vec<Group> {
    let (Some(groups), Some(mounts)) = (
        read(Path::new("/proc/self/cgroup")),
        read(Path::new("/proc/self/mountinfo")),
    ) else {
        return Vec::new();
    };
    let mut limiting = Vec::new();
    for source in [Source::CgroupV2, Source::CgroupV1] {
        let directories =
            own_group(&groups, source).and_then(|group| group_directories(&mounts, source, group));
        for directory in directories.unwrap_or_default() {
            if let Some(bytes) = group_limit(read, &directory, source) {
                let limit = MemoryLimit { bytes, source };
                limiting.push(Group { directory, limit });
            }
        }
    }
    limiting
}

/// The smallest limit of all groups that the process is in.
fn cgroup_limit(read: &dyn Fn(&Path) -> Option<String>) -> Option<MemoryLimit> {
    let groups = limiting_groups(read).into_iter();
    groups.map(|group| group.limit).min_by_key(|limit| limit.bytes)
}

/// What one group's files say.
fn group_limit(read: &dyn Fn(&Path) -> Option<String>, at: &Path, source: Source) -> Option<u64> {
    if source == Source::CgroupV2 {
        return parse_limit(&read(&at.join("memory.max"))?);
    }
    let own = read(&at.join("memory.limit_in_bytes")).and_then(|text| parse_limit(&text));
    let stat = read(&at.join("memory.stat"));
    let with_parents = stat.as_deref().and_then(parse_hierarchical_limit);
    own.into_iter().chain(with_parents).min()
}

/// The process's group in the text of `/proc/self/cgroup`: lines `id:controllers:/path`, where
/// version 2 has no controllers.
fn own_group(groups: &str, source: Source) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let is_ours = match source {
            Source::CgroupV2 => controllers.is_empty(),
            _ => controllers.split(',').any(|controller| controller == "memory"),
        };
        is_ours.then_some(path)
    })
}

/// The directories of a group and of its ancestors, as far as they are mounted: the innermost
/// first. From the text of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`): `id parent device root
/// mount-point options [tags...] - type source super-options`.
fn group_directories(mounts: &str, source: Source, group: &str) -> Option<Vec<PathBuf>> {
    let mut fallback = None;
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let Some(separator) = fields.iter().position(|field| *field == "-") else {
            continue;
        };
        let (Some(root), Some(point)) = (fields.get(3), fields.get(4)) else {
            continue;
        };
        let kind = fields.get(separator + 1).copied().unwrap_or_default();
        let options = fields.get(separator + 3).copied().unwrap_or_default();
        let is_ours = match source {
            Source::CgroupV2 => kind == "cgroup2",
            _ => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
        };
        if !is_ours {
            continue;
        }
        let point = PathBuf::from(unescape(point));
        let inside = Path::new(group).strip_prefix(unescape(root)).ok();
        // A path through `..` lies outside of what this mount shows.
        let is_plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        if let Some(inside) = inside.filter(|path| is_plain(path)) {
            let directories = inside.ancestors().map(|ancestor| point.join(ancestor));
            return Some(directories.collect());
        }
        fallback.get_or_insert(point);
    }
    // Our group is not under any mount: all that can be seen is what is mounted.
    fallback.map(|point| vec![point])
}

/// Undoes the octal escapes of spaces, tabs, line ends and backslashes in `mountinfo`.
fn unescape(field: &str) -> String {
    let escapes = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    escapes.iter().fold(field.to_owned(), |text, (escape, char)| {
        text.replace(escape, char)
    })
}

/// A limit file's number; `None` for `max`, for 0 (no process lives under it) and for the numbers
/// near 2^63 by which version 1 says "unlimited".
fn parse_limit(text: &str) -> Option<u64> {
    const UNLIMITED: u64 = 1 << 62;
    text.trim()
        .parse()
        .ok()
        .filter(|bytes| (1..UNLIMITED).contains(bytes))
}

/// The line `hierarchical_memory_limit` of version 1's `memory.stat`.
fn parse_hierarchical_limit(stat: &str) -> Option<u64> {
    stat.lines()
        .find_map(|line| parse_limit(line.strip_prefix("hierarchical_memory_limit ")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;
    const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "36 31 0:33 / /sys/fs/cgroup/memory rw,relatime shared:14 - cgroup cgroup rw,memory";
    const OTHER: &str = "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw\n\
        33 31 0:30 / /sys/fs/cgroup/cpu rw shared:3 - cgroup cgroup rw,cpu,cpuacct";

    /// The limit found in a file system that holds these files.
    fn limit(cgroup: &str, mounts: &[&str], files: &[(&str, &str)]) -> Option<MemoryLimit> {
        let mountinfo = mounts.join("\n");
        cgroup_limit(&|path| match slashes(path)?.as_str() {
            "/proc/self/cgroup" => Some(cgroup.to_owned()),
            "/proc/self/mountinfo" => Some(mountinfo.clone()),
            path => files
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, text)| (*text).to_owned()),
        })
    }

    /// The tests run on Windows too, where paths are joined by backslashes.
    fn slashes(path: &Path) -> Option<String> {
        path.to_str().map(|path| path.replace('\\', "/"))
    }

    fn found(bytes: u64, source: Source) -> Option<MemoryLimit> {
        Some(MemoryLimit { bytes, source })
    }

    #[test]
    fn v2_takes_the_smallest_of_all_ancestors() {
        let files = [
            ("/sys/fs/cgroup/a/b/c/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/b/memory.max", "536870912\n"),
            ("/sys/fs/cgroup/a/b/memory.high", "1048576\n"),
            ("/sys/fs/cgroup/a/memory.max", "1073741824\n"),
        ];
        assert_eq!(
            limit("0::/a/b/c\n", &[OTHER, V2], &files),
            found(512 * MIB, Source::CgroupV2)
        );
        assert_eq!(
            limit("0::/a\n", &[OTHER, V2], &files),
            found(1024 * MIB, Source::CgroupV2)
        );
        assert_eq!(limit("0::/other\n", &[OTHER, V2], &files), None);
    }

    #[test]
    fn v2_in_a_container() {
        let files = [("/sys/fs/cgroup/memory.max", "268435456\n")];
        let expected = found(256 * MIB, Source::CgroupV2);
        // With a namespace of its own, without one, and seen from outside of it.
        assert_eq!(limit("0::/\n", &[V2], &files), expected);
        let shared = V2.replace("0:26 /", "0:26 /system.slice/docker-1.scope");
        assert_eq!(
            limit("0::/system.slice/docker-1.scope\n", &[&shared], &files),
            expected
        );
        assert_eq!(limit("0::/../../elsewhere\n", &[V2], &files), expected);
        assert_eq!(limit("0::/not/below\n", &[&shared], &files), expected);
    }

    #[test]
    fn v1_knows_unlimited_and_groups_above() {
        let groups = "9:name=systemd:/\n4:cpu,memory:/docker/1\n0::/\n";
        let path = "/sys/fs/cgroup/memory/docker/1/";
        let (own, stat) = (
            &*format!("{path}memory.limit_in_bytes"),
            &*format!("{path}memory.stat"),
        );
        let unlimited = "9223372036854771712\n";
        assert_eq!(limit(groups, &[OTHER, V1], &[(own, unlimited)]), None);
        assert_eq!(
            limit(groups, &[OTHER, V1], &[(own, "104857600")]),
            found(100 * MIB, Source::CgroupV1)
        );
        let text = "cache 5\nhierarchical_memory_limit 52428800\nhierarchical_memsw_limit 1\n";
        assert_eq!(
            limit(groups, &[OTHER, V1], &[(own, unlimited), (stat, text)]),
            found(50 * MIB, Source::CgroupV1)
        );
        let root = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
        assert_eq!(
            limit(groups, &[V1], &[(root, "1048576")]),
            found(MIB, Source::CgroupV1)
        );
    }

    #[test]
    fn both_versions_at_once() {
        let v2 = V2.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ");
        let files = [
            ("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1048576"),
            ("/sys/fs/cgroup/unified/memory.max", "2097152"),
        ];
        let groups = "4:memory:/x\n0::/\n";
        assert_eq!(limit(groups, &[V1, &v2], &files), found(MIB, Source::CgroupV1));
        assert_eq!(
            limit(groups, &[V1, &v2], &files[1..]),
            found(2 * MIB, Source::CgroupV2)
        );
    }

    #[test]
    fn odd_names_are_read() {
        let mount = r"1 1 0:1 / /mnt/with\040space rw - cgroup2 none rw";
        let files = [("/mnt/with space/a:b/memory.max", "4096")];
        assert_eq!(limit("0::/a:b", &[mount], &files), found(4096, Source::CgroupV2));
    }

    #[test]
    fn the_host_is_the_upper_end() {
        let group = |bytes| {
            Some(MemoryLimit {
                bytes,
                source: Source::CgroupV2,
            })
        };
        assert_eq!(Some(smallest(1000, group(10))), group(10));
        assert_eq!(
            smallest(1000, group(1000)),
            MemoryLimit {
                bytes: 1000,
                source: Source::Host
            }
        );
        assert_eq!(smallest(1000, None).bytes, 1000);
        assert_eq!(Some(smallest(0, group(10))), group(10));
        assert_eq!(smallest(0, None).bytes, UNKNOWN_HOST_BYTES);
    }

    #[test]
    fn this_machine_has_an_answer() {
        let limit = memory_limit();
        assert!(limit.bytes > MIB && limit.bytes < 1 << 50, "{limit:?}");
        assert_eq!(limit.share(100.0), limit.bytes);
        assert_eq!(limit.share(f64::NAN), 0);
        assert_eq!(limit.share(-1.0), 0);
        assert_eq!(limit.share(f64::INFINITY), limit.bytes);
    }

    #[test]
    fn shares() {
        for (text, share) in [
            ("20%", 20.0),
            ("12.5%", 12.5),
            ("100%", 100.0),
            ("0.01%", 0.01),
            ("020%", 20.0),
        ] {
            assert_eq!(parse_share(text), Some(share), "{text}");
        }
        for text in [
            "", "%", "20", "0%", "0.0%", "100.1%", "-5%", "+5%", "1e1%", "5 %", " 5%", ".5%", "5.%", "inf%",
            "NaN%", "1.2.3%", "٢%",
        ] {
            assert_eq!(parse_share(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_accepted(groups in "([0-9]:(memory)?:/[a./]{0,6}\n?|.){0,6}", mounts in "([0-9 ]{0,8}/[a./]{0,6} |- cgroup2 |\n|.){0,12}", file in "[0-9]{0,25}|.{0,9}") {
            let _ = cgroup_limit(&|path| Some(match path.to_str()? {
                "/proc/self/cgroup" => groups.clone(),
                "/proc/self/mountinfo" => mounts.clone(),
                _ => file.clone(),
            }));
            let _ = parse_share(&file);
        }
    }
}
