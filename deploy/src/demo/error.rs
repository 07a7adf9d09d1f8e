//! Errors of the demo. Messages say what to do where the user can do something.

use std::path::{Path, PathBuf};

use qamtu_devstack::DevstackError;

use crate::campaign::CampaignError;

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The command line or the campaign file asks for something impossible.
    #[error("{0}")]
    Usage(String),
    /// The campaign file is not valid.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// The warehouse or the local Kafka broker did not start, or a server did not respond as expected.
    #[error(transparent)]
    Devstack(#[from] DevstackError),
    /// The event log cannot be read.
    #[error("the event log cannot be read")]
    Log(#[from] qamtu_log::LogError),
    /// A program of Qamtu is missing.
    #[error("{} is missing: `make build` builds it in the same folder as qamtu", path.display())]
    Missing {
        /// Path at which it was expected.
        path: PathBuf,
    },
    /// A service did not start, or ended by itself.
    #[error("{name} {what}: {line} (full log: {})", log.display())]
    Service {
        /// Name of the service's program.
        name: &'static str,
        /// Verb phrase, such as `did not start`.
        what: &'static str,
        /// The last line it logged.
        line: String,
        /// Path of its log file.
        log: PathBuf,
    },
    /// The projector makes no progress.
    #[error("the projector made no progress for {seconds} s: {lag} records of the log are missing in the tables (see {})", log.display())]
    Stalled {
        /// Time without progress.
        seconds: u64,
        /// Number of records not yet in the tables.
        lag: u64,
        /// Path of the projector's log.
        log: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be used", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// A computed figure differs from the generator's.
    #[error("{number} figures differ from the generator's:\n{list}")]
    Mismatch {
        /// Number of differences.
        number: usize,
        /// The first differences, one per line.
        list: String,
    },
    /// A signal stopped the demo.
    #[error("stopped")]
    Stopped,
}

impl DemoError {
    /// A file that cannot be read or written.
    pub(super) fn file(path: &Path, source: impl Into<std::io::Error>) -> Self {
        Self::File { path: path.to_owned(), source: source.into() }
    }

    /// Whether the mistake is in arguments, environment or campaign file.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Campaign(_) | Self::Devstack(DevstackError::Configuration { .. }))
    }
}
