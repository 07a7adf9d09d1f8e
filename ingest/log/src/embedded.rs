//! The embedded log: files in a local folder, no server.
//!
//! `records.sqlite` holds the records, `positions.sqlite` what was committed, `leases/` one lock file
//! per group and partition. One process or several may append and read at the same time. Only the owner of the
//! files may read them.

mod append;
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
use crate::handle::Handle;
use crate::partition::TopicSpec;
use crate::reader::{LogReader, ReaderOptions};
use crate::writer::LogWriter;

/// Creates the folder, the files and what is missing of the topics; blocks.
pub(crate) fn ensure_topics(config: &EmbeddedConfig, topics: &[TopicSpec]) -> Result<(), LogError> {
    store::Store::open(&config.dir, &store::POSITIONS)?;
    let mut records = store::Store::open(&config.dir, &store::RECORDS)?;
    topics.iter().try_for_each(|topic| records.ensure_topic(topic))
}

/// Opens the log for appending; blocks.
pub(crate) fn open_writer(config: &EmbeddedConfig) -> Result<Arc<dyn LogWriter>, LogError> {
    let appender = append::Appender::open(config)?;
    let writer = writer::EmbeddedWriter::start(appender).map_err(|error| LogError::file(&config.dir, error))?;
    Ok(Arc::new(writer))
}

/// Opens the log for reading; blocks while a lease is still held.
pub(crate) fn open_reader(config: &EmbeddedConfig, options: &ReaderOptions) -> Result<Box<dyn LogReader>, LogError> {
    let reader = reader::Reader::open(config, options)?;
    let (handle, link) = Handle::new();
    let thread = std::thread::Builder::new().name("log-reader".into()).spawn(move || reader.run(link));
    thread.map_err(|error| LogError::file(&config.dir, error))?;
    Ok(Box::new(handle))
}
