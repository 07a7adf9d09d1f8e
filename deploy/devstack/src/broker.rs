//! Starts a real Apache Kafka broker on this machine: for tests, and for `--kafka local`.
//!
//! One combined KRaft node on loopback. Needs Java 17 or newer, and Maven once to fetch Kafka. The broker ends with this process
//! however that ends. With replication factor 1, acknowledged records survive a kill, but not a power failure.

mod jars;
mod launch;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use launch::BrokerLaunch;

use crate::error::DevstackError;
use crate::fetch;

/// How long a graceful stop may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts to start when another process takes the chosen port.
const START_ATTEMPTS: u32 = 3;

/// Folders, port and memory of a broker.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Folder of the broker's data and logs; kept between starts.
    pub dir: PathBuf,
    /// Folder of the downloaded Kafka. Default: `$QAMTU_CACHE`, else `~/.cache/qamtu`.
    pub cache_dir: PathBuf,
    /// Port on loopback. Default 0: any free one.
    pub port: u16,
    /// Java heap size in MB. Default 512.
    pub heap_mb: u32,
}

impl BrokerOptions {
    /// The defaults for a broker in `dir`.
    ///
    /// # Errors
    /// If there is no folder for the cache.
    pub fn new(dir: impl Into<PathBuf>) -> Result<Self, DevstackError> {
        Ok(Self { dir: dir.into(), cache_dir: fetch::cache_dir()?, port: 0, heap_mb: 512 })
    }
}

/// Settings beyond a plain-text broker: TLS and logins.
#[derive(Debug, Clone, Default)]
pub struct BrokerOverrides {
    /// Lines of `server.properties` that override the defaults; `{port}` and `{controller}` stand for the two ports.
    pub settings: Vec<(String, String)>,
    /// Users and passwords for SCRAM-SHA-512, created at the first start in a folder.
    pub scram_users: Vec<(String, String)>,
}

/// A running broker; killed when this is dropped or when this process ends in any way.
#[derive(Debug)]
pub struct Broker {
    port: u16,
    process: Child,
    dir: PathBuf,
}

impl Broker {
    /// Starts a broker and waits until it responds; blocks (for minutes, when Kafka must be fetched first).
    pub fn start(options: BrokerOptions) -> Result<Self, DevstackError> {
        Self::start_with(options, &BrokerOverrides::default())
    }

    /// As [`Self::start`], with TLS or logins.
    pub fn start_with(options: BrokerOptions, overrides: &BrokerOverrides) -> Result<Self, DevstackError> {
        let java = find_java()?;
        let jars = jars::ensure_fetched(&options.cache_dir.join("kafka"))?;
        fs::create_dir_all(&options.dir).map_err(|error| DevstackError::file(&options.dir, error))?;
        let dir = options.dir.canonicalize().map_err(|error| DevstackError::file(&options.dir, error))?;
        let launch = BrokerLaunch { java, jars, dir, heap_mb: options.heap_mb };
        let mut attempt = 1;
        loop {
            let started = launch.start(options.port, overrides);
            match started {
                Err(DevstackError::Ended { ref reason, .. })
                    if options.port == 0 && attempt < START_ATTEMPTS && reason.contains("in use") =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Address for clients, e.g. `127.0.0.1:49152`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops gracefully and waits for the end of the process.
    pub fn stop(mut self) -> Result<(), DevstackError> {
        self.send_command("stop")?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while self.process.try_wait().map_err(|error| DevstackError::file(&self.dir, error))?.is_none() {
            if Instant::now() > deadline {
                return Err(DevstackError::Timeout { seconds: STOP_TIMEOUT.as_secs(), log: self.dir.join("broker.log") });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Suspends the process (SIGSTOP), to simulate a stalled machine.
    pub fn pause(&mut self) -> Result<(), DevstackError> {
        self.send_command("pause")
    }

    /// Resumes a suspended process (SIGCONT).
    pub fn resume(&mut self) -> Result<(), DevstackError> {
        self.send_command("resume")
    }

    fn send_command(&mut self, command: &str) -> Result<(), DevstackError> {
        let pipe = self.process.stdin.as_mut();
        let written = pipe.map_or(Ok(()), |pipe| writeln!(pipe, "{command}"));
        written.map_err(|error| DevstackError::file(&self.dir, error))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // When the pipe closes, the supervisor script kills the broker.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A Java that can run Kafka: `JAVA_HOME` first, then `PATH`.
fn find_java() -> Result<PathBuf, DevstackError> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = home.filter(|java| java.is_file()).unwrap_or_else(|| "java".into());
    let output = Command::new(&java).arg("-version").stdin(Stdio::null()).output().map_err(|_| DevstackError::NoJava)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match java_version(&text) {
        Some(version) if version >= 17 => Ok(java),
        Some(version) => Err(DevstackError::OldJava { version }),
        None => Err(DevstackError::NoJava),
    }
}

/// First number of the version in what `java -version` prints.
fn java_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_versions_that_java_prints() {
        assert_eq!(java_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(java_version("java version \"1.8.0_292\""), Some(1));
        assert_eq!(java_version("openjdk version \"24\" 2025-03-18"), Some(24));
        assert_eq!(java_version("no java here"), None);
    }
}
