//! Starts the service binaries in the folder of this one, as child processes that end with it, however it ends.
//!
//! A service is ready when [`Service::start`] returns: it has printed one line of JSON. A [`SupervisedProcess`] is restarted when it
//! exits. Each service logs into a file of its own.

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use qamtu_devstack::guard;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    task::JoinHandle,
};

use super::{
    DemoError,
    memory::{MemoryMonitor, Owner},
};

/// How long a service may take to print its ready line.
const START: Duration = Duration::from_secs(60);
/// How long a graceful shutdown may take.
const STOP: Duration = Duration::from_secs(30);
/// How many times a supervised service is restarted.
const MAX_RESTARTS: u32 = 40;

/// Program, arguments and environment of a service.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Name of the program and of the log file.
    pub name: &'static str,
    pub args: Vec<String>,
    /// Its configuration; variables `QAMTU__*` of this process are not inherited.
    pub env: Vec<(String, String)>,
    pub logs: PathBuf,
    pub memory: MemoryMonitor,
}

impl ServiceSpec {
    /// Path of a program of Qamtu, which must exist.
    pub fn program(name: &str) -> Result<PathBuf, DemoError> {
        let here = std::env::current_exe().map_err(|source| DemoError::file(Path::new("qamtu"), source))?;
        let path = here.with_file_name(name);
        if path.is_file() { Ok(path) } else { Err(DemoError::Missing { path }) }
    }

    pub fn log(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }

    fn command(&self) -> Result<Command, DemoError> {
        let program = Self::program(self.name)?;
        let log = self.log();
        let open = || OpenOptions::new().create(true).append(true).open(&log).map_err(|source| DemoError::file(&log, source));
        let errors: File = open()?;
        let mut command = Command::from(guard::command(program));
        command.args(&self.args);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("QAMTU__")) {
            command.env_remove(name);
        }
        command.envs(self.env.iter().cloned()).stdout(Stdio::piped()).stderr(errors);
        Ok(command)
    }

    fn failed(&self, what: &'static str) -> DemoError {
        let log = self.log();
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
        DemoError::Service { name: self.name, what, line: line.chars().take(400).collect(), log }
    }

    /// Runs the program to its end and returns the lines it printed.
    pub async fn run(&self) -> Result<Vec<String>, DemoError> {
        let mut service = GuardedProcess::spawn(self)?;
        let mut lines = Vec::new();
        while let Some(line) = service.line(self).await? {
            lines.push(line);
        }
        let status = service.guard.wait().await.map_err(|source| DemoError::file(&self.log(), source))?;
        if status.success() { Ok(lines) } else { Err(self.failed("failed")) }
    }
}

/// A process whose guard ([`guard`]) kills it when this process ends.
#[derive(Debug)]
struct GuardedProcess {
    guard: Child,
    control: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl GuardedProcess {
    fn spawn(spec: &ServiceSpec) -> Result<Self, DemoError> {
        let mut guard = spec.command()?.spawn().map_err(|source| DemoError::file(Path::new("/bin/sh"), source))?;
        let (Some(control), Some(output)) = (guard.stdin.take(), guard.stdout.take()) else { return Err(spec.failed("has no pipes")) };
        Ok(Self { guard, control, lines: BufReader::new(output).lines() })
    }

    /// The next line of the service. The guard's line with the process id is consumed here.
    async fn line(&mut self, spec: &ServiceSpec) -> Result<Option<String>, DemoError> {
        loop {
            let line = self.lines.next_line().await.map_err(|source| DemoError::file(&spec.log(), source))?;
            match line.as_deref().and_then(|line| line.strip_prefix("pid ")?.parse().ok()) {
                Some(pid) => spec.memory.add(pid, Owner::Qamtu),
                None => return Ok(line),
            }
        }
    }
}

/// A running service and the JSON object of its ready line.
#[derive(Debug)]
pub struct Service {
    spec: ServiceSpec,
    running: GuardedProcess,
    ready: Value,
}

impl Service {
    /// Starts the program and waits for its ready line.
    pub async fn start(spec: ServiceSpec) -> Result<Self, DemoError> {
        let mut running = GuardedProcess::spawn(&spec)?;
        let line = tokio::time::timeout(START, running.line(&spec)).await.map_err(|_| spec.failed("did not start in time"))??;
        let ready = line.as_deref().and_then(|line| serde_json::from_str(line).ok());
        let ready = ready.ok_or_else(|| spec.failed("did not start"))?;
        Ok(Self { spec, running, ready })
    }

    /// A text field of its ready line.
    pub fn ready_field(&self, field: &str) -> Result<String, DemoError> {
        let text = self.ready[field].as_str().map(str::to_owned);
        text.ok_or_else(|| self.spec.failed("printed an unexpected ready line"))
    }

    /// Sends SIGTERM, waits, and kills the service if that takes too long.
    pub async fn stop(mut self) {
        self.command("stop").await;
        if tokio::time::timeout(STOP, self.running.guard.wait()).await.is_err() {
            self.command("kill").await;
            // The guard exits when the service has been killed.
            let _ = self.running.guard.wait().await;
        }
    }

    async fn command(&mut self, command: &str) {
        // Writing fails only if the service has already ended.
        let _ = self.running.control.write_all(format!("{command}\n").as_bytes()).await;
    }

    async fn ended(&mut self) -> Option<ExitStatus> {
        self.running.guard.wait().await.ok()
    }
}

enum Control {
    Kill,
    Stop,
}

/// A service that is restarted when it exits by itself.
#[derive(Debug)]
pub struct SupervisedProcess {
    control: mpsc::Sender<Control>,
    supervisor: JoinHandle<Result<(), DemoError>>,
}

impl SupervisedProcess {
    /// Starts the service and its supervisor task.
    pub async fn start(spec: ServiceSpec) -> Result<Self, DemoError> {
        let service = Service::start(spec).await?;
        let (control, received) = mpsc::channel(1);
        Ok(Self { control, supervisor: tokio::spawn(supervise(service, received)) })
    }

    /// Sends SIGKILL; does not wait for the exit.
    pub async fn kill(&self) {
        // If the supervisor has ended, `failed` returns the reason.
        let _ = self.control.send(Control::Kill).await;
    }

    /// Resolves when the service cannot be restarted.
    pub async fn failed(&mut self) -> DemoError {
        match (&mut self.supervisor).await {
            Ok(Err(error)) => error,
            _ => DemoError::Stopped,
        }
    }

    pub async fn stop(self) {
        let _ = self.control.send(Control::Stop).await;
        let _ = self.supervisor.await;
    }
}

async fn supervise(mut service: Service, mut control: mpsc::Receiver<Control>) -> Result<(), DemoError> {
    let mut restarts = 0;
    loop {
        tokio::select! {
            command = control.recv() => match command {
                Some(Control::Kill) => service.command("kill").await,
                Some(Control::Stop) | None => {
                    service.stop().await;
                    return Ok(());
                }
            },
            _ = service.ended() => {
                restarts += 1;
                if restarts > MAX_RESTARTS {
                    return Err(service.spec.failed("exits repeatedly"));
                }
                service = Service::start(service.spec.clone()).await?;
            }
        }
    }
}
