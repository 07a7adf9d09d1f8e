//! Opens the log that the configuration names; the only place that knows both kinds.

use std::sync::Arc;

use crate::config::LogConfig;
use crate::error::LogError;
use crate::partition::TopicSpec;
use crate::reader::{LogReader, ReaderOptions};
use crate::writer::LogWriter;

/// Creates the topics that are missing; refuses one that exists with another number of partitions.
pub async fn ensure_topics(_config: &LogConfig, _topics: &[TopicSpec]) -> Result<(), LogError> {
    Err(LogError::Closed)
}

/// Opens the log for appending.
pub async fn open_writer(_config: &LogConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    Err(LogError::Closed)
}

/// Opens the log for reading; the first delivery says which partitions this reader owns.
pub async fn open_reader(_config: &LogConfig, _options: ReaderOptions) -> Result<Box<dyn LogReader>, LogError> {
    Err(LogError::Closed)
}
