//! What can go wrong with the demo, each with what to do about it.

use std::path::{Path, PathBuf};

use crate::{campaign::CampaignError, warehouse::WarehouseError};

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The command line, or the campaign file, asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The campaign file is wrong.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// The warehouse did not start.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The local Kafka broker did not start.
    #[error(transparent)]
    Broker(#[from] qamtu_log::broker::BrokerError),
    /// The event log cannot be read.
    #[error("the event log cannot be read")]
    Log(#[from] qamtu_log::LogError),
    /// A program of ours is missing.
    #[error("{} is missing: build it with `make build`, it belongs beside qamtu", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A service did not start, or ended.
    #[error("{name} {what}: {line} (all of it in {})", log.display())]
    Service {
        /// Its name.
        name: &'static str,
        /// What happened.
        what: &'static str,
        /// The last line it logged.
        line: String,
        /// Its log.
        log: PathBuf,
    },
    /// A service or the warehouse gave another answer than it should.
    #[error("{from} answered: {response}")]
    Response {
        /// Who.
        from: String,
        /// What.
        response: String,
    },
    /// A request got no answer.
    #[error("no answer from {to}")]
    Request {
        /// Whom it went to.
        to: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The projector does not get on.
    #[error("the projector has not got on for {seconds} s: {lag} records stand in the log and not in the tables (see {})", log.display())]
    Stalled {
        /// How long.
        seconds: u64,
        /// How many.
        lag: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was counted is not what the generator knows.
    #[error("{number} figures differ from what the generator knows:\n{list}")]
    Mismatch {
        /// How many.
        number: usize,
        /// The first of them, one a line.
        list: String,
    },
    /// It was asked to end.
    #[error("stopped")]
    Stopped,
}

impl DemoError {
    /// A file that cannot be read or written.
    pub(super) fn file(path: &Path, source: impl Into<std::io::Error>) -> Self {
        Self::File { path: path.to_owned(), source: source.into() }
    }

    /// Is it a mistake in what the user said?
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Campaign(_) | Self::Warehouse(WarehouseError::Configuration { .. }))
    }
}
