//! One process of the product: started from the built binaries, configured by environment variables, stopped or killed by the scenario.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// How long a service may take to print its ready line.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The path of a built binary, in the target folder of this test.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.ancestors().nth(2).context("the test binary is not in a target folder")?;
    let path = folder.join(name);
    if !path.exists() {
        bail!("{} is missing: run `make build`, or `make test`, which does it first", path.display());
    }
    Ok(path)
}

/// A running process and the JSON object of its ready line; killed when dropped.
pub struct Service {
    name: &'static str,
    child: Child,
    ready: Value,
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Service {
    /// Starts a binary and waits for its ready line, one line of JSON.
    pub async fn start(name: &'static str, args: &[&str], env: &[(String, String)]) -> Result<Self> {
        let mut child = Command::new(binary(name)?)
            .args(args)
            .envs(env.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let line = tokio::time::timeout(START_TIMEOUT, lines.next_line())
            .await
            .with_context(|| format!("{name} printed nothing for {START_TIMEOUT:?}"))??;
        let line = line.with_context(|| format!("{name} ended before it was ready"))?;
        let ready = serde_json::from_str(&line).with_context(|| format!("{name} printed {line:?}"))?;
        Ok(Self { name, child, ready, _stdout: lines })
    }

    /// A text field of its ready line.
    pub fn ready_field(&self, field: &str) -> Result<String> {
        Ok(self.ready[field].as_str().with_context(|| format!("{} printed no {field}: {}", self.name, self.ready))?.to_owned())
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends SIGKILL and waits for the exit.
    pub async fn kill(mut self) -> Result<()> {
        self.kill_in_place().await
    }

    /// As [`Self::kill`], for a service in a field that is replaced afterwards.
    pub async fn kill_in_place(&mut self) -> Result<()> {
        self.child.kill().await.with_context(|| format!("killing {}", self.name))
    }

    /// Sends SIGTERM and waits for the exit.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let pid = self.child.id().context("already gone")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        tokio::time::timeout(Duration::from_secs(60), self.child.wait())
            .await
            .with_context(|| format!("{} did not end", self.name))?
            .map_err(Into::into)
    }
}
