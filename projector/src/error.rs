//! Errors that end the projector or prevent its start.
//!
//! Each message says where the error is and how to fix it. Transient errors of one request are retried and do not appear here. A message
//! does not repeat the text of its source.

use qamtu_log::{LogError, Partition};

use crate::warehouse::ClickhouseError;

/// An error that ends the projector or prevents its start.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The event log failed.
    #[error("event log")]
    Log(#[from] LogError),
    /// ClickHouse failed, or is not configured as required.
    #[error("warehouse")]
    Warehouse(#[from] ClickhouseError),
    /// The metrics address cannot be bound.
    #[error("metrics.listen: {address} cannot be bound")]
    Listen {
        /// The address from the settings.
        address: std::net::SocketAddr,
        /// Error of the bind call.
        #[source]
        source: std::io::Error,
    },
    /// The log ends before the offset that the tables already contain.
    #[error(
        "{partition} ends at offset {end}, but the log copy already has rows up to offset {needed}: \
         this is another log than the one these tables were filled from; use its own database"
    )]
    LogTooShort {
        /// Partition that the error is about.
        partition: Partition,
        /// End offset of the log.
        end: u64,
        /// Offset after the last row of the log copy.
        needed: u64,
    },
    /// A record in the log differs from the row of the log copy at its offset.
    #[error(
        "the record of {partition} at offset {offset} differs from its row in the tables: this is another log than the one these tables were \
         filled from (an older copy was restored, or the topic was recreated); nothing was written; restore that log, or give this one a \
         database of its own (clickhouse.database), which is then filled from its beginning"
    )]
    LogMismatch {
        /// Partition that the error is about.
        partition: Partition,
        /// Offset of the first difference.
        offset: u64,
    },
    /// The log assigned a partition that it does not have.
    #[error("{partition} was assigned, but the log has no such partition")]
    UnknownPartition {
        /// Partition that the error is about.
        partition: Partition,
    },
    /// A write task panicked.
    #[error("a write task panicked")]
    Task(#[from] tokio::task::JoinError),
}

impl ProjectorError {
    /// Whether a restart may help without any change by an operator.
    pub fn is_transient(&self) -> bool {
        match self {
            // The log removed records before they were read: the restart reports them and continues after them.
            ProjectorError::Log(LogError::OutOfRange { .. }) => true,
            ProjectorError::Log(error) => error.is_transient(),
            ProjectorError::Warehouse(error) => error.is_transient(),
            _ => false,
        }
    }
}
