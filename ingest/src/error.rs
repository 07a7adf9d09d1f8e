//! What ends the service.
//!
//! Refusals of requests are no errors: see [`crate::rejection`].

use qamtu_log::LogError;

use crate::{
    pseudonym::KeyError,
    register::{follow::FollowError, store::StoreError},
};

/// Why the service ended before it was told to, or not as it should.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The log cannot be used, and waiting will not help.
    #[error("the log cannot be used")]
    Log(#[source] LogError),
    /// The register's file cannot be used.
    #[error("the register cannot be used")]
    Register(#[source] StoreError),
    /// A key cannot be used.
    #[error("the keys cannot be used")]
    Keys(#[source] KeyError),
    /// The log can no longer be followed.
    #[error("the register stopped following the log")]
    Follow(#[source] FollowError),
    /// A task of ours panicked.
    #[error("a part of the service ended unexpectedly")]
    Ended(#[source] tokio::task::JoinError),
    /// Requests were still running when time was up; whoever sent them has no answer and repeats them.
    #[error("{0} requests had not ended when the time to stop was up")]
    Unfinished(usize),
}
