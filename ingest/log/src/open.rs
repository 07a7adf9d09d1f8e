//! Opens the log that the configuration selects; the only module that knows both kinds.

use std::sync::Arc;

use crate::config::LogConfig;
use crate::embedded;
use crate::error::LogError;
use crate::kafka;
use crate::partition::TopicSpec;
use crate::reader::{LogReader, ReaderOptions};
use crate::writer::LogWriter;

/// Creates missing topics; fails when one exists with another number of partitions.
pub async fn ensure_topics(config: &LogConfig, topics: &[TopicSpec]) -> Result<(), LogError> {
    let topics = topics.to_vec();
    match config.clone() {
        LogConfig::Embedded(config) => blocking(move || embedded::ensure_topics(&config, &topics)).await,
        LogConfig::Kafka(config) => kafka::ensure_topics(&config, &topics).await,
    }
}

/// Opens the log for appending.
pub async fn open_writer(config: &LogConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    match config.clone() {
        LogConfig::Embedded(config) => blocking(move || embedded::open_writer(&config)).await,
        LogConfig::Kafka(config) => blocking(move || kafka::open_writer(&config)).await,
    }
}

/// Opens the log for reading; the first delivery lists the partitions that this reader owns.
pub async fn open_reader(config: &LogConfig, options: ReaderOptions) -> Result<Box<dyn LogReader>, LogError> {
    match config.clone() {
        LogConfig::Embedded(config) => blocking(move || embedded::open_reader(&config, &options)).await,
        LogConfig::Kafka(config) => blocking(move || kafka::open_reader(&config, &options)).await,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, LogError> + Send + 'static) -> Result<T, LogError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(LogError::Closed))
}
