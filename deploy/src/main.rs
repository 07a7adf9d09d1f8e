//! The `qamtu` program. Everything is in the library; this file only hands over the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    qamtu::cli::run()
}
