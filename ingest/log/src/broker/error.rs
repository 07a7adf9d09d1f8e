//! Errors of starting and stopping a broker; each message says what to do.

use std::path::{Path, PathBuf};

/// A failure to start or stop a broker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// No Java was found.
    #[error("a local Kafka broker needs Java 17 or newer: install openjdk-17-jre-headless")]
    NoJava,
    /// The Java that was found is too old.
    #[error("a local Kafka broker needs Java 17 or newer, found {version}: install openjdk-17-jre-headless")]
    OldJava {
        /// First number of its version.
        version: u32,
    },
    /// No Maven was found, and Kafka was not fetched before.
    #[error("fetching Apache Kafka needs Maven once: install maven")]
    NoMaven,
    /// Kafka could not be fetched.
    #[error("Apache Kafka could not be fetched: {reason}")]
    Fetch {
        /// Error line of Maven's output.
        reason: String,
    },
    /// The port cannot be used.
    #[error("port {port} cannot be used by the local Kafka broker: {reason}")]
    Port {
        /// The requested port; 0: any free one.
        port: u16,
        /// Error of the operating system.
        reason: String,
    },
    /// The storage folder could not be formatted.
    #[error("the folder of the local Kafka broker cannot be used: {reason}")]
    Format {
        /// First line of Kafka's output.
        reason: String,
    },
    /// The broker ended during its start.
    #[error("the local Kafka broker ended during its start: {line} (full log in {})", log.display())]
    Exited {
        /// Last error in the broker's log.
        line: String,
        /// Path of the broker's log.
        log: PathBuf,
    },
    /// The broker did not start or stop in time.
    #[error("the local Kafka broker did not respond within {seconds} s (see {})", log.display())]
    Timeout {
        /// The timeout in seconds.
        seconds: u64,
        /// Path of the broker's log.
        log: PathBuf,
    },
    /// A file or program cannot be used.
    #[error("{} cannot be used by the local Kafka broker", path.display())]
    Io {
        /// Path of the file or program.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
}

impl BrokerError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
