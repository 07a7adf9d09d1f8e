//! The event log: Kafka and embedded, behind one trait for appending and one for reading.
//!
//! It knows nothing of schemas: bytes, keys, headers, partitions, offsets.

#[cfg(feature = "broker")]
pub mod broker;
mod config;
mod embedded;
mod entry;
mod error;
mod handle;
mod kafka;
mod murmur2;
mod open;
mod partition;
mod reader;
mod writer;

pub use config::{EmbeddedConfig, KafkaConfig, LogConfig, SaslConfig, SaslMechanism, TlsConfig};
pub use entry::{Entry, Headers, MAX_ENTRY_BYTES, Record};
pub use error::LogError;
pub use open::{ensure_topics, open_reader, open_writer};
pub use partition::{Bounds, NextOffset, Partition, Position, TopicSpec};
pub use reader::{Delivery, LogReader, Membership, ReaderOptions};
pub use writer::LogWriter;
