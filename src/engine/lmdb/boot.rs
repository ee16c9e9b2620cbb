//! Which run of the machine this is.
//!
//! What a killed process wrote is still there, what the machine had not yet brought to the
//! disk when it went down is not. The two can only be told apart by whether the machine has
//! been started again since.

/// A name of this run of the machine, or none where the system does not tell.
pub fn identity() -> Option<String> {
    let text = system_identity()?;
    let text = text.trim();
    (!text.is_empty() && text.len() <= 64).then(|| text.to_owned())
}

#[cfg(target_os = "linux")]
fn system_identity() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}

#[cfg(target_os = "macos")]
fn system_identity() -> Option<String> {
    let mut text = [0u8; 65];
    let mut length = text.len();
    // SAFETY: the name ends with a zero, and the buffer has the stated length.
    let status = unsafe {
        let name = c"kern.bootsessionuuid".as_ptr();
        libc::sysctlbyname(
            name,
            text.as_mut_ptr().cast(),
            &mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if status != 0 {
        return None;
    }
    let text = std::ffi::CStr::from_bytes_until_nul(&text).ok()?;
    Some(text.to_str().ok()?.to_owned())
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn system_identity() -> Option<String> {
    None
}
