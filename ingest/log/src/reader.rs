//! Reading: the [`LogReader`] trait, its deliveries and group membership.
//!
//! A reader delivers every record of each owned partition in order, from the offset that the caller gave. Offsets without a record
//! are counted in [`Record::skipped`]; if records were removed before they were read, the reader ends with [`LogError::OutOfRange`].
//! It never commits by itself: the caller commits after it has processed the records.

use async_trait::async_trait;

use crate::entry::Record;
use crate::error::LogError;
use crate::partition::{Bounds, NextOffset, Partition};

/// How a reader shares the partitions with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// The members of a group split the partitions; each partition has one owner at a time.
    ///
    /// Kafka: a consumer group with a static member id. Embedded: member `m` owns the partitions
    /// `p % members == m` and locks a file for each; the system releases the locks of a killed process.
    Group {
        /// Group name without the configured prefix.
        group: String,
        /// Number of this member, from 0.
        member: u32,
        /// Number of members (ignored on Kafka, where the broker counts them).
        members: u32,
    },
    /// Every partition of the topics, no group and no commits.
    Standalone,
}

/// What to read and how large a batch may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Topic names without the configured prefix.
    pub topics: Vec<String>,
    /// How the partitions are shared with other readers.
    pub membership: Membership,
    /// Most records in one [`Delivery::Records`].
    pub max_records: usize,
    /// Most bytes of keys, headers and values in one [`Delivery::Records`]; a single larger record comes alone.
    pub max_bytes: usize,
}

/// One result of [`LogReader::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// This reader now owns exactly these partitions, each with its committed next offset (none:
    /// never committed). Nothing of a partition is delivered before [`LogReader::start_at`].
    Assigned(Vec<(Partition, Option<u64>)>),
    /// Records, in order per partition; never empty.
    Records(Vec<Record>),
    /// The partitions are revoked: finish the records in progress, commit them, then [`LogReader::release`].
    /// Lost partitions may already have another owner: they can no longer be committed and need no release.
    Revoked {
        /// Which partitions are revoked.
        partitions: Vec<Partition>,
        /// Whether they are lost already.
        lost: bool,
    },
    /// Every started partition was delivered up to its current end. Sent once, and again after new records.
    CaughtUp,
}

/// Reads a log.
#[async_trait]
pub trait LogReader: Send {
    /// Waits for the next delivery. Cancel-safe: a cancelled call loses nothing.
    async fn next(&mut self) -> Result<Delivery, LogError>;

    /// Starts reading owned partitions at these offsets, or seeks there; records buffered for them are dropped.
    async fn start_at(&mut self, at: &[NextOffset]) -> Result<(), LogError>;

    /// Commits next-to-consume offsets durably; refuses all of them when one partition is not owned. On a timeout it fails
    /// with [`LogError::Unavailable`]: the broker may still apply it; the next successful commit overwrites it.
    async fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError>;

    /// Ends the drain of revoked partitions; unknown ones are ignored.
    async fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// First and next offset of every partition of a topic, by number.
    async fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, LogError>;
}
