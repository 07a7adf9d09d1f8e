//! The system calls that the confinement of the engine needs and the standard library lacks.
//! With `library.rs` the only unsafe code of this crate. Every failure is returned with the system's error.

#![allow(unsafe_code, reason = "these calls have a C interface only")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) fn is_root() -> bool {
    // SAFETY: `geteuid` has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// New files of this process get mode 0600, new folders 0700.
pub(super) fn create_private_files() {
    // SAFETY: `umask` has no preconditions and cannot fail.
    unsafe { libc::umask(0o077) };
}

/// Drops root irrevocably: changes to the user and the group with this id and leaves all other groups.
pub(super) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: a count of zero means that the pointer is not read; the other two take numbers.
    unsafe {
        checked(libc::setgroups(0, std::ptr::null()))?;
        checked(libc::setgid(id))?;
        checked(libc::setuid(id))
    }
}

/// Gives this process a mount namespace of its own, whose changes no other process sees.
pub(super) fn own_mounts() -> io::Result<()> {
    // SAFETY: `unshare` takes a number.
    checked(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    Mount { from: None, kind: None, flags: libc::MS_REC | libc::MS_PRIVATE, options: None }.on(Path::new("/"))
}

/// Mounts an empty file system of mode 0755 over `path`.
pub(super) fn mount_empty(path: &Path) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    Mount { from: Some(Path::new("tmpfs")), kind: Some(c"tmpfs"), flags, options: Some(c"mode=755,size=1m") }.on(path)
}

/// Makes the folder `from` visible at `to`.
pub(super) fn bind(from: &Path, to: &Path) -> io::Result<()> {
    Mount { from: Some(from), kind: None, flags: libc::MS_BIND, options: None }.on(to)
}

/// Creates a named pipe of mode 0600.
pub(super) fn make_pipe(path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    // SAFETY: `path` is a terminated string that lives until the call returns.
    checked(unsafe { libc::mkfifo(path.as_ptr(), 0o600) })
}

/// The arguments of the system call `mount`.
struct Mount<'a> {
    from: Option<&'a Path>,
    kind: Option<&'a CStr>,
    flags: libc::c_ulong,
    options: Option<&'a CStr>,
}

impl Mount<'_> {
    fn on(&self, path: &Path) -> io::Result<()> {
        let (from, path) = (self.from.map(c_path).transpose()?, c_path(path)?);
        let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
        let (from, kind, options) = (pointer(from.as_deref()), pointer(self.kind), pointer(self.options));
        // SAFETY: every pointer is null or a terminated string that lives until the call returns; all but the target may be null.
        checked(unsafe { libc::mount(from, path.as_ptr(), kind, self.flags, options.cast()) })
    }
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
