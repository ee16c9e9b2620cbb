//! Where an environment may live.

use std::fs;
use std::path::{Path, PathBuf};

use super::failure::{io, storage};
use crate::error::{Error, Result, StorageProblem};

/// Makes the directory if need be, and answers with its one true path.
///
/// # Errors
/// It cannot be made, is not a directory, or lies on a network file system, where neither
/// shared memory nor locks work as LMDB needs them.
pub fn prepare(directory: &Path) -> Result<PathBuf> {
    let what = "Cannot make the directory";
    if let Err(error) = fs::create_dir_all(directory) {
        if fs::metadata(directory).is_ok_and(|found| !found.is_dir()) {
            return Err(storage(StorageProblem::Failed, what, "A file is in its place"));
        }
        return Err(io(what, &error));
    }
    let directory = fs::canonicalize(directory).map_err(|error| io(what, &error))?;
    match network_name(&directory) {
        Some(name) => Err(refuse_network(name)),
        None => Ok(directory),
    }
}

/// Bytes without which a disk counts as full.
#[cfg(unix)]
const LEAST_FREE: u64 = 1 << 20;

/// Whether a file of this many bytes in the directory cannot grow: the disk is full, or the
/// process may not write larger files.
#[cfg(unix)]
#[allow(clippy::unnecessary_cast)] // The widths differ between systems.
pub fn is_full(directory: &Path, file_bytes: u64) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let mut limit = std::mem::MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the system fills the structure.
    let limited = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, limit.as_mut_ptr()) } == 0
        // SAFETY: filled, as the call reported success.
        && (unsafe { limit.assume_init() }.rlim_cur as u64) < file_bytes.saturating_add(LEAST_FREE);
    let Ok(path) = std::ffi::CString::new(directory.as_os_str().as_bytes()) else {
        return limited;
    };
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the path ends with a zero, and the system fills the structure.
    if limited || unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return limited;
    }
    // SAFETY: filled, as the call reported success.
    let found = unsafe { found.assume_init() };
    (found.f_bavail as u64).saturating_mul(found.f_frsize as u64) < LEAST_FREE
}

/// As on Unix, where it can be told.
#[cfg(not(unix))]
pub fn is_full(_: &Path, _: u64) -> bool {
    false
}

fn refuse_network(name: &str) -> Error {
    let reason = format!("{name} is a network file system; choose a directory on a local disk");
    storage(
        StorageProblem::Unsupported,
        "Cannot keep data in the directory",
        reason,
    )
}

#[cfg(target_os = "linux")]
fn network_name(directory: &Path) -> Option<&'static str> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(directory.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends with a zero, and the system fills the structure.
    if unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: filled, as the call reported success.
    let kind = unsafe { found.assume_init() }.f_type as u64 & 0xffff_ffff;
    network_kind(kind)
}

/// The name of a network file system by the number that Linux knows it by (`statfs(2)`).
#[cfg(target_os = "linux")]
pub(super) fn network_kind(kind: u64) -> Option<&'static str> {
    Some(match kind {
        0x6969 => "NFS",
        0xff53_4d42 | 0xfe53_4d42 | 0x517b => "SMB",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x564c => "NCP",
        _ => return None,
    })
}

#[cfg(target_os = "macos")]
fn network_name(directory: &Path) -> Option<&'static str> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(directory.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends with a zero, and the system fills the structure.
    if unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: filled, as the call reported success.
    let local = unsafe { found.assume_init() }.f_flags & libc::MNT_LOCAL as u32 != 0;
    (!local).then_some("This")
}

#[cfg(windows)]
fn network_name(directory: &Path) -> Option<&'static str> {
    // A canonical path on a share begins with \\?\UNC\.
    directory
        .as_os_str()
        .to_string_lossy()
        .starts_with(r"\\?\UNC\")
        .then_some("A share")
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn network_name(_: &Path) -> Option<&'static str> {
    None
}
