//! Errors that end the service. Refusals of requests are not among them: see [`crate::rejection`].

use qamtu_log::LogError;

use crate::{
    pseudonym::KeyError,
    register::{follow::FollowError, store::StoreError},
};

/// Why the service ended without a shutdown signal, or did not shut down cleanly.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The log cannot be opened, and a retry will not help.
    #[error("the log cannot be used")]
    Log(#[source] LogError),
    /// The register's file cannot be opened or created.
    #[error("the register cannot be used")]
    Register(#[source] StoreError),
    /// A key file in the folder cannot be used.
    #[error("the keys cannot be used")]
    Keys(#[source] KeyError),
    /// Following the log failed with a permanent error.
    #[error("the register stopped following the log")]
    Follow(#[source] FollowError),
    /// A task of the service panicked.
    #[error("a task of the service ended unexpectedly")]
    Ended(#[source] tokio::task::JoinError),
    /// Requests were still running after the drain time; their clients got no response and will retry.
    #[error("{0} requests were still running when the drain time was over")]
    Unfinished(usize),
}
