//! The log on Apache Kafka, through librdkafka.
//!
//! Every client is configured in one place ([`client`]). Topic and group names on the broker carry the
//! configured prefix; everywhere else in this crate they do not.

mod admin;
mod bootstrap;
mod client;
mod commit;
mod context;
mod cursor;
mod group;
mod open;
mod probe;
mod reader;
mod topic_id;
mod watchdog;
mod writer;

use std::sync::Arc;

use crate::config::KafkaConfig;
use crate::error::LogError;
use crate::partition::TopicSpec;
use crate::reader::{LogReader, ReaderOptions};
use crate::writer::LogWriter;

/// Creates missing topics and checks existing ones.
pub(crate) async fn ensure_topics(config: &KafkaConfig, topics: &[TopicSpec]) -> Result<(), LogError> {
    admin::ensure_topics(config, topics).await
}

/// Opens the log for appending; blocks until a broker responds.
pub(crate) fn open_writer(config: &KafkaConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    Ok(Arc::new(writer::KafkaWriter::open(config)?))
}

/// Opens the log for reading; blocks until a broker responds.
pub(crate) fn open_reader(config: &KafkaConfig, options: &ReaderOptions) -> Result<Box<dyn LogReader>, LogError> {
    Ok(Box::new(open::open_reader(config, options)?))
}
