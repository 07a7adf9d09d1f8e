//! The embedded log: files in a local folder, no server.
//!
//! `records.sqlite` has the records, `positions.sqlite` the committed offsets, `leases/` one lock file per group and partition.
//! Several processes may append and read at the same time. Only the owner of the files may read them.

mod append;
mod batch_query;
mod lease;
mod modes;
mod positions;
mod reader;
mod row;
mod store;
mod writer;

use std::sync::Arc;

use crate::config::EmbeddedConfig;
use crate::error::LogError;
use crate::handle::ReaderHandle;
use crate::partition::TopicSpec;
use crate::reader::{LogReader, ReaderOptions};
use crate::writer::LogWriter;

/// Creates the folder, the files and missing topics; blocks.
pub(crate) fn ensure_topics(config: &EmbeddedConfig, topics: &[TopicSpec]) -> Result<(), LogError> {
    store::LogFile::open(&config.dir, &store::POSITIONS)?;
    let mut records = store::LogFile::open(&config.dir, &store::RECORDS)?;
    topics.iter().try_for_each(|topic| records.ensure_topic(topic))
}

/// Opens the log for appending; blocks.
pub(crate) fn open_writer(config: &EmbeddedConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    let appender = append::Appender::open(config)?;
    let writer = writer::EmbeddedWriter::start(appender).map_err(|error| LogError::file(&config.dir, error))?;
    Ok(Arc::new(writer))
}

/// Opens the log for reading; blocks for a short time while another process holds a lease.
pub(crate) fn open_reader(config: &EmbeddedConfig, options: &ReaderOptions) -> Result<Box<dyn LogReader>, LogError> {
    let reader = reader::EmbeddedReader::open(config, options)?;
    let (handle, channel) = ReaderHandle::new();
    let thread = std::thread::Builder::new().name("log-reader".into()).spawn(move || reader.run(channel));
    thread.map_err(|error| LogError::file(&config.dir, error))?;
    Ok(Box::new(handle))
}
