//! Runs a program that ends with this process, however that ends: a shell script supervises it and kills it when its pipe to this
//! process closes. What the program prints goes to the output of the script.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The command that runs `program` under the script; the caller adds arguments, environment and outputs.
///
/// The first printed line is `pid` with the process id of the program; the exit code is that of the program. Lines on the piped standard
/// input are commands: `stop` (SIGTERM), `kill`, `pause` and `resume`.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(include_str!("guard.sh")).arg("qamtu-guard").arg(program);
    // A process group of its own, so that Ctrl-C at the terminal reaches only this process, which stops its servers in order.
    shell.stdin(Stdio::piped()).process_group(0);
    shell
}
