//! What can end the projector, or keep it from starting.
//!
//! Each says where and how it is mended. What passes by itself (a server that is away, a full disk) is retried and is no error
//! here. The text of a source is not repeated in the message.

use qamtu_log::{LogError, Partition};

use crate::{config::ConfigError, warehouse::WarehouseError};

/// What can end the projector.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// Settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The event log.
    #[error("event log")]
    Log(#[from] LogError),
    /// ClickHouse.
    #[error("warehouse")]
    Warehouse(#[from] WarehouseError),
    /// An address cannot be listened on.
    #[error("metrics.listen: {address} cannot be taken")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The log is shorter than what the tables hold of it.
    #[error(
        "{partition} ends at offset {end}, but the log copy already holds everything below {needed}: \
         this is another log than the one these tables were filled from; use its own database"
    )]
    LogTooShort {
        /// The partition.
        partition: Partition,
        /// Next offset that the log will write.
        end: u64,
        /// First offset that the log copy lacks.
        needed: u64,
    },
    /// The log holds other records than the tables were filled from.
    #[error(
        "{partition} does not hold at offset {offset} what the tables hold of it: this is another log than the one these tables were \
         filled from (an older copy was restored, or the topic was made anew); nothing was written; restore that log, or give this one a \
         database of its own (clickhouse.database), which is then filled from its beginning"
    )]
    LogMismatch {
        /// The partition.
        partition: Partition,
        /// The offset.
        offset: u64,
    },
    /// The log does not know a partition that it assigned.
    #[error("{partition} was assigned, but the log has no such partition")]
    UnknownPartition {
        /// The partition.
        partition: Partition,
    },
    /// A task of the projector ended in a way it cannot.
    #[error("a write ended without a result")]
    Task(#[from] tokio::task::JoinError),
}

impl ProjectorError {
    /// Whether starting anew may help without anything being changed.
    pub fn is_transient(&self) -> bool {
        match self {
            // The log removed records in front of the reader: a new start names them and goes on behind them.
            ProjectorError::Log(LogError::OutOfRange { .. }) => true,
            ProjectorError::Log(error) => error.is_transient(),
            ProjectorError::Warehouse(error) => error.is_transient(),
            _ => false,
        }
    }
}
