//! Loads the ClickHouse engine library and calls it. With `system.rs`, which confines the engine, the only unsafe code of this crate.
//! The C side gets terminated strings that live until the call returns, and a library that is never unloaded. `child.rs` chooses the
//! arguments.

#![allow(unsafe_code, reason = "the engine has a C interface only")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::path::Path;

use libloading::Library;

/// `chdb_result * chdb_query_cmdline(int argc, char ** argv)` of the library's public header `chdb.h`.
type QueryCommandLine = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
/// `const char * chdb_result_error(chdb_result *)`: null where there is no error.
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;

/// Runs the engine's command line and returns its error message, if any, when it ends.
/// (It prints errors of queries to standard error instead.)
///
/// # Errors
/// If the library or one of its two functions cannot be found.
pub(super) fn run_command_line(library: &Path, arguments: &[CString]) -> Result<Option<String>, libloading::Error> {
    // Threads of the engine may still run its code, so it must never be unloaded.
    // SAFETY: loading runs the library's initialisers. Its hash was checked against the pinned one before it was unpacked.
    let library = ManuallyDrop::new(unsafe { Library::new(library)? });
    // SAFETY: the signatures are those of the library's header for the pinned version.
    let (query, error) =
        unsafe { (library.get::<QueryCommandLine>(b"chdb_query_cmdline")?, library.get::<ResultError>(b"chdb_result_error")?) };

    let mut pointers: Vec<*mut c_char> = arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
    // A C program's argv ends with a null pointer.
    pointers.push(std::ptr::null_mut());

    // SAFETY: `pointers` holds `count` terminated strings that live until the end of this function, and a null at the end;
    // the engine reads them as a C program reads its argv.
    let result = unsafe { query(count, pointers.as_mut_ptr()) };
    if result.is_null() {
        return Ok(None);
    }
    // SAFETY: `result` is a live result of this library; the process ends soon, so it is not freed.
    let message = unsafe { error(result) };
    if message.is_null() {
        return Ok(None);
    }
    // SAFETY: a message that is not null is a terminated string owned by `result`, which is never freed.
    Ok(Some(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned()))
}

/// Exits at once, without the exit handlers of the C++ library, which wait for its threads.
pub(super) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}
