//! Why a broker could not be started or stopped; each message says what to do.

use std::path::{Path, PathBuf};

/// Why a broker could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// No Java was found.
    #[error("a local Kafka broker needs Java 17 or newer: install openjdk-17-jre-headless")]
    NoJava,
    /// The Java that was found is too old.
    #[error("a local Kafka broker needs Java 17 or newer, found {version}: install openjdk-17-jre-headless")]
    OldJava {
        /// Its version.
        version: u32,
    },
    /// No Maven was found, and Kafka was not fetched before.
    #[error("fetching Apache Kafka needs Maven once: install maven")]
    NoMaven,
    /// Kafka could not be fetched.
    #[error("Apache Kafka could not be fetched: {reason}")]
    Fetch {
        /// What Maven said.
        reason: String,
    },
    /// The port cannot be used.
    #[error("port {port} cannot be used by the local Kafka broker: {reason}")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        reason: String,
    },
    /// The folder could not be made a broker's.
    #[error("the folder of the local Kafka broker cannot be used: {reason}")]
    Format {
        /// What Kafka said.
        reason: String,
    },
    /// The broker ended by itself.
    #[error("the local Kafka broker ended at once: {line} (all of it in {})", log.display())]
    Exited {
        /// Its last complaint.
        line: String,
        /// Its log.
        log: PathBuf,
    },
    /// The broker did not do it in time.
    #[error("the local Kafka broker did not answer within {seconds} s (see {})", log.display())]
    Silent {
        /// How long it was given.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A file or program cannot be used.
    #[error("{} cannot be used by the local Kafka broker", path.display())]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
}

impl BrokerError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
