//! Looks up other processes in `/proc` and sends them signals.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The fields of `/proc/PID/stat` after the name in parentheses: state, parent, and so on; empty when the process has gone.
fn stat(pid: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether a process runs and is no zombie.
#[must_use]
pub fn runs(pid: u32) -> bool {
    stat(pid).first().is_some_and(|state| !["Z", "X"].contains(&state.as_str()))
}

/// Process id of a child of `parent`.
#[must_use]
pub fn child_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    pids.find(|pid: &u32| stat(*pid).get(1) == Some(&parent.to_string()))
}

/// Sends a signal by name, such as `TERM` or `KILL`.
pub fn send_signal(pid: u32, name: &str) -> Result<()> {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status()?;
    ensure!(status.success(), "kill -{name} {pid} ended with {status}");
    Ok(())
}

/// A field of `/proc/PID/status` in kB, such as `VmHWM`.
pub fn status_kb(pid: u32, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let words = line.with_context(|| format!("process {pid} has no {field}"))?.trim();
    Ok(words.trim_end_matches(" kB").parse()?)
}
