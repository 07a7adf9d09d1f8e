//! Topics, partitions, positions and the one convention for commits.
//!
//! A committed offset or a start offset is always the *next* offset to consume ([`NextOffset`]); the offset of a record is always
//! its own ([`Position`]). They are two types, so that the compiler rejects the usual off-by-one.

use std::fmt;
use std::sync::Arc;

/// A topic that a service requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Name without the configured prefix, e.g. `events`.
    pub name: String,
    /// Number of partitions; fixed for the life of the topic, because it decides where a key goes.
    pub partitions: u32,
}

/// One partition of a topic, e.g. `events/3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// Topic name without the configured prefix.
    pub topic: Arc<str>,
    /// Number of the partition, from 0.
    pub number: u32,
}

impl Partition {
    /// A partition of a topic, by its number from 0.
    pub fn new(topic: impl Into<Arc<str>>, number: u32) -> Self {
        Self { topic: topic.into(), number }
    }

    /// This partition with the offset to consume next.
    pub fn next_offset(&self, offset: u64) -> NextOffset {
        NextOffset { partition: self.clone(), offset }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// Position of one record: its partition and its own offset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Partition that holds the record.
    pub partition: Partition,
    /// Offset of the record itself.
    pub offset: u64,
}

/// The offset to consume next: what is committed, and where reading starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextOffset {
    /// Partition that the offsets belong to.
    pub partition: Partition,
    /// Offset of the first record that is not yet consumed.
    pub offset: u64,
}

/// Offset range of a partition at one moment: `start..end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Partition that the offsets belong to.
    pub partition: Partition,
    /// First offset that can still be read.
    pub start: u64,
    /// Next offset that will be written.
    pub end: u64,
}
