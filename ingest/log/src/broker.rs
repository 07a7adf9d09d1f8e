//! Starts a real Apache Kafka broker on this machine: for tests, and for `--kafka local`.
//!
//! One combined KRaft node on loopback. Needs Java 17 or newer, and Maven once to fetch Kafka. The broker
//! ends with this process however that ends, because a small shell holds the other end of a pipe.
//! With one copy of everything it keeps what it acknowledged when it is killed, not when the power fails.

mod error;
pub mod foreign;
mod jars;
mod plan;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use error::BrokerError;
use plan::Plan;

use crate::config::KafkaConfig;
use crate::error::LogError;

/// How long a broker may take to stop in order.
const STOP: Duration = Duration::from_secs(30);
/// How often a start is tried again when somebody else took the port meanwhile.
const ATTEMPTS: u32 = 3;

/// How to start a broker.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Folder of the broker's data and logs; kept between starts.
    pub dir: PathBuf,
    /// Folder where Kafka's own jars are kept, e.g. `~/.cache/qamtu/kafka`.
    pub cache_dir: PathBuf,
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// Java heap in MB.
    pub heap_mb: u32,
}

/// What goes beyond a plain broker: encryption and logins.
#[derive(Debug, Clone, Default)]
pub struct BrokerExtras {
    /// Lines of `server.properties` that are added to ours and win over them; `{port}` is the broker's port.
    pub settings: Vec<(String, String)>,
    /// Users with passwords for SCRAM-SHA-512, known from the first start of a folder on.
    pub scram_users: Vec<(String, String)>,
}

/// A running broker; it ends when this is dropped, and with this process however that ends.
#[derive(Debug)]
pub struct Broker {
    port: u16,
    guard: Child,
    dir: PathBuf,
}

impl Broker {
    /// Starts a broker and waits until it answers; blocks (minutes, when Kafka must be fetched first).
    pub fn start(options: BrokerOptions) -> Result<Self, BrokerError> {
        Self::start_with(options, &BrokerExtras::default())
    }

    /// The same with encryption or logins.
    pub fn start_with(options: BrokerOptions, extras: &BrokerExtras) -> Result<Self, BrokerError> {
        let java = find_java()?;
        let jars = jars::folder(&options.cache_dir)?;
        fs::create_dir_all(&options.dir).map_err(|error| BrokerError::io(&options.dir, error))?;
        let dir = options.dir.canonicalize().map_err(|error| BrokerError::io(&options.dir, error))?;
        let plan = Plan { java, jars, dir, heap_mb: options.heap_mb };
        let mut attempt = 1;
        loop {
            let started = plan.start(options.port, extras);
            match started {
                Err(BrokerError::Exited { ref line, .. }) if options.port == 0 && attempt < ATTEMPTS && line.contains("in use") => {
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

    /// Stops in order and waits for the end.
    pub fn stop(mut self) -> Result<(), BrokerError> {
        self.order("stop")?;
        let deadline = Instant::now() + STOP;
        while self.guard.try_wait().map_err(|error| BrokerError::io(&self.dir, error))?.is_none() {
            if Instant::now() > deadline {
                return Err(BrokerError::Silent { seconds: STOP.as_secs(), log: self.dir.join("broker.log") });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Freezes the process, as a stalled machine would.
    pub fn pause(&mut self) -> Result<(), BrokerError> {
        self.order("pause")
    }

    /// Lets a frozen process go on.
    pub fn resume(&mut self) -> Result<(), BrokerError> {
        self.order("resume")
    }

    fn order(&mut self, order: &str) -> Result<(), BrokerError> {
        let pipe = self.guard.stdin.as_mut();
        let written = pipe.map_or(Ok(()), |pipe| writeln!(pipe, "{order}"));
        written.map_err(|error| BrokerError::io(&self.dir, error))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The end of the pipe is the order to kill.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Deletes topics with everything in them, as an operator would; for tests.
pub async fn delete_topics(config: &KafkaConfig, topics: &[&str]) -> Result<(), LogError> {
    crate::kafka::delete_topics(config, topics).await
}

/// A Java that can run Kafka: `JAVA_HOME` first, then `PATH`.
fn find_java() -> Result<PathBuf, BrokerError> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = home.filter(|java| java.is_file()).unwrap_or_else(|| "java".into());
    let output = Command::new(&java).arg("-version").stdin(Stdio::null()).output().map_err(|_| BrokerError::NoJava)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match java_version(&text) {
        Some(version) if version >= 17 => Ok(java),
        Some(version) => Err(BrokerError::OldJava { version }),
        None => Err(BrokerError::NoJava),
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
