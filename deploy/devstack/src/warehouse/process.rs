//! Controls the child process: starts it, waits until it answers queries, finds the reason of a failed start, ends it.
//! The child never survives this process: its input pipe closes with it, and dropping [`Process`] ends it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::child::ServeOptions;
use super::client::WarehouseClient;
use super::folder::Folder;
use super::source::ServerProgram;
use super::stall::{STALL_TIMEOUT, StallDetector, cpu_time};
use crate::error::DevstackError;

/// How often a long start is reported.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// How long a child may take to exit after its input has closed.
const END_DEADLINE: Duration = Duration::from_secs(5);
/// By default the engine's allocator keeps freed memory for five seconds and returns it only during later allocations: after a few large
/// queries the process stays at 1.6 times its cap. With 0.1 s and a background thread it stays within the cap
/// (`a_query_over_the_cap_is_refused_and_the_process_stays_within_it`), for a few percent of processor time.
const ALLOCATOR: (&str, &str) = ("JE_MALLOC_CONF", "background_thread:true,dirty_decay_ms:100,muzzy_decay_ms:0");

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
}

/// Why a child ended before it answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    PortTaken,
    DataInUse,
    /// Its last message or its exit status.
    Message(String),
}

impl Process {
    /// Starts `launcher engine ...` with the folder's configuration, in a process group of its own so that Ctrl-C in a terminal
    /// reaches only the launcher, which stops processes in order. It inherits no environment variables, since those may contain
    /// secrets.
    pub(super) fn start(launcher: &Path, program: &ServerProgram, folder: &Folder, options: &ServeOptions) -> Result<Self, DevstackError> {
        use std::os::unix::process::CommandExt;
        let output = folder.new_output()?;
        let failed = |source| DevstackError::Spawn { program: launcher.to_path_buf(), source };
        let errors = output.try_clone().map_err(failed)?;
        let mut command = Command::new(std::path::absolute(launcher).map_err(failed)?);
        command.arg("engine");
        match program {
            ServerProgram::Engine(library) => command.arg("--library").arg(library),
            ServerProgram::Binary(server) => command.arg("--server").arg(server),
        };
        command.arg("--folder").arg(&options.folder).arg("--port").arg(options.port.to_string());
        command.args(options.may_connect.then_some("--connects"));
        // The engine ignores the time zone of its configuration.
        command.env_clear().env(ALLOCATOR.0, ALLOCATOR.1).env("TZ", "UTC");
        command.current_dir(&options.folder).process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(output).stderr(errors).spawn().map_err(failed)?;
        Ok(Self { child })
    }

    /// Waits until the child answers `client`, whose login only this child knows; as long as the child uses processor time.
    pub(super) async fn wait_until_ready(
        &mut self,
        client: &WarehouseClient,
        output: &Path,
        report: impl Fn(Duration),
    ) -> Result<(), ProcessError> {
        let since = Instant::now();
        let (mut stall, mut reported) = (StallDetector::default(), Duration::ZERO);
        loop {
            if let Some(status) = self.ended() {
                // If the file cannot be read, the exit status is the reason.
                let printed = std::fs::read(output).unwrap_or_default();
                return Err(ProcessError::Ended(Failure::from_output(&String::from_utf8_lossy(&printed), status)));
            }
            if client.ping().await.is_ok() {
                return Ok(());
            }
            let waited = since.elapsed();
            if stall.has_stalled(waited, || cpu_time(self.pid())) {
                return Err(ProcessError::Other(DevstackError::Unresponsive {
                    seconds: STALL_TIMEOUT.as_secs(),
                    log: output.to_path_buf(),
                }));
            }
            if waited >= reported + REPORT_EVERY {
                report(waited);
                reported = waited;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status of the child, if it has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Closes the child's input, waits for its exit, and kills it if that takes too long. Usually blocks for milliseconds.
    pub(super) fn end(&mut self) {
        drop(self.child.stdin.take());
        let since = Instant::now();
        while since.elapsed() < END_DEADLINE {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // Both fail only if the child has just ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Debug)]
pub(super) enum ProcessError {
    /// The child ended before it was ready.
    Ended(Failure),
    /// The child made no progress.
    Other(DevstackError),
}

impl Failure {
    /// Finds the reason in the child's output.
    fn from_output(printed: &str, status: ExitStatus) -> Self {
        if printed.contains("Address already in use") {
            return Self::PortTaken;
        }
        if printed.contains("Cannot lock file") {
            return Self::DataInUse;
        }
        let lines = || printed.lines().map(str::trim).filter(|line| !line.is_empty());
        let exception = lines().find(|line| line.contains("DB::Exception: "));
        let reason = exception.or_else(|| lines().next_back()).map_or_else(|| status.to_string(), shorten);
        Self::Message(reason)
    }
}

/// At most 300 characters of the innermost exception in a line.
fn shorten(line: &str) -> String {
    let innermost = line.rsplit("DB::Exception: ").next().unwrap_or(line);
    let mut text: String = innermost.trim().chars().take(300).collect();
    if innermost.chars().count() > 300 {
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn failure(printed: &str) -> Failure {
        Failure::from_output(printed, ExitStatus::from_raw(9))
    }

    #[test]
    fn the_innermost_exception_is_the_reason() {
        let printed = "Logging to x\nCode: 722. DB::Exception: Waited job failed: Code: 695. DB::Exception: Load job 'load table t.a' \
                       failed: Code: 231. DB::Exception: Suspiciously many broken parts\nqamtu: the engine has returned\n";
        assert_eq!(failure(printed), Failure::Message("Suspiciously many broken parts".to_owned()));
    }

    #[test]
    fn without_an_exception_the_last_line_or_the_signal_is_the_reason() {
        assert_eq!(failure("first\nlast\n\n"), Failure::Message("last".to_owned()));
        let Failure::Message(reason) = failure("") else { unreachable!("nothing was printed") };
        assert!(reason.contains("signal: 9"), "{reason}");
    }

    #[test]
    fn a_taken_port_and_locked_tables_are_distinguished() {
        assert_eq!(failure("Poco: Net Exception: Address already in use: 127.0.0.1:8123"), Failure::PortTaken);
        assert_eq!(failure("Code: 76. DB::Exception: Cannot lock file /d/status. Another server"), Failure::DataInUse);
    }
}
