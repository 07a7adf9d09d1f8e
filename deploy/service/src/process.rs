//! The end of a service's process: the signal to stop, and the exit status with one line about the error.

use std::{
    future::Future,
    io::{self, Write},
    process::ExitCode,
};

use tokio::signal::unix::{SignalKind, signal};

/// Exit status for invalid settings or a wrong command line: `EX_USAGE` of sysexits.
pub const EXIT_USAGE: u8 = 64;

/// Installs handlers of SIGTERM and SIGINT; the future resolves at the first signal after that.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = terminated.recv() => {}, _ = interrupted.recv() => {} }
    })
}

/// Prints the error of a program in one line on standard error, and returns the exit status of the process.
pub fn fail(program: &str, status: u8, error: &str) -> ExitCode {
    // If standard error is closed, there is no other channel for the message.
    drop(writeln!(io::stderr(), "{program}: {error}"));
    ExitCode::from(status)
}
