//! A process of the product: started with pipes, ready when it has printed one line of JSON, stopped or killed by the test.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{send_signal, wait};

/// How long a program may take to start, or to end by itself.
const TIMEOUT: Duration = Duration::from_secs(120);
/// How long a program may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// The path of a built program, in the target folder of this test binary.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.ancestors().nth(2).context("the test binary is not in a target folder")?.join(name);
    if !path.exists() {
        bail!("{} is missing: run `make build`, or `make test`, which does it first", path.display());
    }
    Ok(path)
}

/// A started process; killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    pid: u32,
    child: Mutex<Child>,
    /// The lines of its standard output, read by a thread so that the pipe never fills.
    lines: Mutex<mpsc::Receiver<String>>,
    ready: Value,
    /// The file of its standard error.
    log: Option<PathBuf>,
}

impl Program {
    /// Starts a process with standard input and output piped.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.with_context(|| format!("starting {name}"))?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?);
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // If the test does not read them, the lines are dropped, and the pipe is read all the same.
            output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Ok(Self { name, pid: child.id(), child: Mutex::new(child), lines: Mutex::new(lines), ready: Value::Null, log: None })
    }

    /// As [`Self::spawn`], with standard error appended to a file, which error messages then show.
    pub fn spawn_logged(command: &mut Command, log: &Path) -> Result<Self> {
        let file: File = OpenOptions::new().create(true).append(true).open(log)?;
        let mut program = Self::spawn(command.stderr(file))?;
        program.log = Some(log.to_owned());
        Ok(program)
    }

    /// Starts a process and waits for its ready line.
    pub async fn start(command: &mut Command) -> Result<Self> {
        let mut program = Self::spawn(command)?;
        program.wait_ready().await?;
        Ok(program)
    }

    /// Waits for the ready line, one line of JSON.
    pub async fn wait_ready(&mut self) -> Result<()> {
        let what = format!("the ready line of {}", self.name);
        let line = wait::until(&what, TIMEOUT, async || self.printed().ok_or("nothing was printed")).await;
        self.take_ready(line)
    }

    /// As [`Self::wait_ready`], for code outside of a runtime.
    pub fn wait_ready_blocking(&mut self) -> Result<()> {
        let line = wait::until_blocking(&format!("the ready line of {}", self.name), TIMEOUT, || self.printed());
        self.take_ready(line)
    }

    /// The next line, if there is one; the inner `None` if the process has closed its output.
    fn printed(&self) -> Option<Option<String>> {
        match lock(&self.lines).try_recv() {
            Ok(line) => Some(Some(line)),
            Err(mpsc::TryRecvError::Empty) => None,
            Err(mpsc::TryRecvError::Disconnected) => Some(None),
        }
    }

    fn take_ready(&mut self, line: Result<Option<String>>) -> Result<()> {
        let read = line.and_then(|line| {
            let line = line.with_context(|| format!("{} ended before it was ready", self.name))?;
            serde_json::from_str(&line).with_context(|| format!("{} printed {line:?}", self.name))
        });
        self.ready = read.with_context(|| self.log())?;
        Ok(())
    }

    /// The next line of its standard output; blocks.
    pub fn next_line(&self, timeout: Duration) -> Result<String> {
        lock(&self.lines).recv_timeout(timeout).with_context(|| format!("{} printed no line", self.name))
    }

    /// The lines that were not read, up to the end of its standard output; blocks.
    pub fn remaining_lines(&self) -> Vec<String> {
        lock(&self.lines).iter().collect()
    }

    /// The JSON of its ready line; null before that.
    #[must_use]
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// A text field of its ready line.
    pub fn ready_field(&self, field: &str) -> Result<String> {
        Ok(self.ready[field].as_str().with_context(|| format!("{} printed no {field}: {}", self.name, self.ready))?.to_owned())
    }

    /// Everything that it wrote to the file of its standard error.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.as_ref().and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default()
    }

    /// Its process id, also after its end.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Closes its standard input.
    pub fn close_input(&self) {
        drop(lock(&self.child).stdin.take());
    }

    /// Sends SIGKILL and waits for the exit.
    pub fn kill(&self) -> Result<()> {
        let mut child = lock(&self.child);
        child.kill().and_then(|()| child.wait()).map(drop).with_context(|| format!("killing {}", self.name))
    }

    /// Sends a signal by name, such as `TERM`. A process that was not waited for keeps its id, so no other one gets the signal.
    pub fn signal(&self, name: &str) -> Result<()> {
        send_signal(self.pid, name)
    }

    /// Waits until it has ended by itself or by a signal.
    pub async fn exited(&self) -> Result<ExitStatus> {
        self.exited_within(TIMEOUT).await
    }

    /// Sends SIGTERM and waits for the exit.
    pub async fn stop(&self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.exited_within(STOP_TIMEOUT).await
    }

    async fn exited_within(&self, timeout: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let status = wait::until(&what, timeout, async || lock(&self.child).try_wait().transpose().ok_or("it still runs"));
        Ok(status.await.with_context(|| self.log())??)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
