//! Reading: the [`LogReader`] trait, what it delivers, and how a reader takes its place in a group.
//!
//! A reader delivers every record of each owned partition in order, from the offset its owner asked for. Offsets at which the log
//! holds no record are counted in [`Record::skipped`]; records that were removed before they were read end the reader with
//! [`LogError::OutOfRange`]. It never commits by itself: the owner of the effect commits, after the effect.

use async_trait::async_trait;

use crate::entry::Record;
use crate::error::LogError;
use crate::partition::{Bounds, NextOffset, Partition};

/// How a reader shares the partitions with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// The members of a group split the partitions, each partition has one owner at a time.
    ///
    /// Kafka: a consumer group with a static member id. Embedded: member `m` owns the partitions
    /// `p % members == m` and holds a file lock on each, which a killed process gives free.
    Group {
        /// Name of the group.
        group: String,
        /// Number of this member, from 0.
        member: u32,
        /// Number of members (of no effect on Kafka, where the broker counts them).
        members: u32,
    },
    /// Every partition of the topics, no group and no commits.
    Whole,
}

/// What to read and in which portions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Topic names without the configured prefix.
    pub topics: Vec<String>,
    /// How the partitions are shared.
    pub membership: Membership,
    /// Most records in one [`Delivery::Records`].
    pub max_records: usize,
    /// Most bytes of keys, headers and values in one [`Delivery::Records`]; a single larger record comes alone.
    pub max_bytes: usize,
}

/// What a reader hands over next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// This reader now owns exactly these partitions, each with its committed next offset (none:
    /// never committed). Nothing of a partition is delivered before [`LogReader::start_at`].
    Assigned(Vec<(Partition, Option<u64>)>),
    /// Records, in order per partition, each of which says how many offsets before it hold none; never empty.
    Records(Vec<Record>),
    /// The partitions are wanted back: finish what is under way, commit it, then
    /// [`LogReader::release`]. When they are lost, somebody else may already own them: nothing of
    /// them can be committed any more and no release is needed.
    Revoked {
        /// The partitions.
        partitions: Vec<Partition>,
        /// Whether they are lost already.
        lost: bool,
    },
    /// Everything started was delivered up to the end as known now. Comes once, and again after
    /// new records.
    CaughtUp,
}

/// Reads a log.
#[async_trait]
pub trait LogReader: Send {
    /// The next delivery; waits for one. Cancel-safe: a cancelled call loses nothing.
    async fn next(&mut self) -> Result<Delivery, LogError>;

    /// Starts reading owned partitions at these offsets, or moves there; what was buffered of them is dropped.
    async fn start_at(&mut self, at: &[NextOffset]) -> Result<(), LogError>;

    /// Commits next-to-consume offsets, durably; refuses all of them when one partition is not owned. Without an answer in
    /// time it fails with [`LogError::Unavailable`]: it may still be made; the next commit settles it.
    async fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError>;

    /// Ends the drain of revoked partitions; unknown ones are ignored.
    async fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError>;

    /// First and next offset of every partition of a topic, by number.
    async fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, LogError>;
}
