//! The one error of this crate.
//!
//! Every variant says what was being done and where. An error of an append leaves the outcome open
//! unless it [`LogError::left_nothing`]: the entry may still come to stand in the log, so the caller
//! repeats it with the same event id.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::partition::Partition;

/// What can go wrong with a log.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A setting cannot be used.
    #[error("log.{setting}: {reason}")]
    Config {
        /// Path of the setting under `log`.
        setting: &'static str,
        /// What is wrong with it and how to mend it.
        reason: String,
    },
    /// The topic does not exist.
    #[error("the log has no topic {topic}; it is created by the ingest service when it starts")]
    UnknownTopic {
        /// Name of the topic.
        topic: String,
    },
    /// The topic exists with another number of partitions.
    #[error("topic {topic} has {found} partitions, {wanted} are configured; the number is fixed once the topic exists")]
    PartitionCount {
        /// Name of the topic.
        topic: String,
        /// Partitions it has.
        found: u32,
        /// Partitions that were asked for.
        wanted: u32,
    },
    /// The topic exists with a setting that would lose records.
    #[error("topic {topic} has {setting}={found}, but needs {setting}={wanted}, so that no record is lost; alter it on the broker")]
    TopicSetting {
        /// Name of the topic.
        topic: String,
        /// Name of the setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value it needs.
        wanted: &'static str,
    },
    /// No log will ever take this entry.
    #[error("entry for topic {topic} refused: {reason}")]
    Refused {
        /// Topic it was meant for.
        topic: String,
        /// Why.
        reason: &'static str,
    },
    /// The entry is over the limit.
    #[error("entry for topic {topic} has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Topic it was meant for.
        topic: String,
        /// Bytes of key, headers and value.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The disk (or the configured size of the log) is full; nothing of the append was stored.
    #[error("the log at {} cannot grow: the disk or log.max_bytes is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file or its disk cannot be written to now; it is opened again with the next call.
    #[error("{} cannot be written to: mount its disk for writing, or give this user the right to write", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Other users of this machine can read the log.
    #[error("other users can read {} (mode {mode:04o}): {reason}", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Why it was not repaired, and what to do.
        reason: String,
    },
    /// The log is not the one that was opened: made anew, restored from a copy, or deleted.
    #[error("{log} is no longer the log that was opened: {reason}; stop everything that uses it, restore it or start anew")]
    Replaced {
        /// The file or topic.
        log: String,
        /// What was found.
        reason: String,
    },
    /// The file is not what was written; restore it from a backup.
    #[error("{} is damaged: {detail}; restore the folder from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file was written by another version of this program.
    #[error("{} has format {found}, this program reads format {expected}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Format number in the file.
        found: i64,
        /// Format number of this program.
        expected: i64,
    },
    /// Another process holds the file's lock for too long.
    #[error("{} is locked by another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The partition is already read by another process of the same group.
    #[error("{partition} of group {group} is already read by {holder}; stop it or give this reader another member number")]
    Leased {
        /// The partition.
        partition: Partition,
        /// The group.
        group: String,
        /// Who holds it, as far as known, e.g. `process 123`.
        holder: String,
    },
    /// The reader does not own the partition (any more); nothing was committed.
    #[error("{partition} is not owned by this reader")]
    NotOwned {
        /// The partition.
        partition: Partition,
    },
    /// Another reader has joined with the same member number; this one must end.
    #[error("another reader joined group {group} as member {member}; this one has ended")]
    Fenced {
        /// The group.
        group: String,
        /// The member number.
        member: u32,
    },
    /// The offset cannot be read: records are missing before it, or it lies past the end.
    #[error("{partition} has no offset {offset}: it holds {start}..{end}")]
    OutOfRange {
        /// The partition.
        partition: Partition,
        /// The offset asked for.
        offset: u64,
        /// First offset held.
        start: u64,
        /// Next offset to be written.
        end: u64,
    },
    /// The log did not answer in time; what it does later is unknown.
    #[error("the log did not answer while {action}")]
    Unavailable {
        /// What was being done.
        action: &'static str,
        /// The client's own words.
        #[source]
        source: Option<rdkafka::error::KafkaError>,
    },
    /// The client of the log works no longer, although the log may; a new client is needed.
    #[error("the log client has stopped working: {reason}; it is opened again")]
    Stalled {
        /// What it has not done, and for how long.
        reason: String,
    },
    /// Credentials or rights are missing.
    #[error("the log refused {action}: check log.sasl, log.tls and the rights of this user")]
    Denied {
        /// What was being done.
        action: &'static str,
        /// The client's own words.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// The client can no longer be used; the process must be restarted.
    #[error("the log client failed for good: {reason}; restart this process")]
    Fatal {
        /// What the client said.
        reason: String,
    },
    /// The deadline of a flush passed.
    #[error("{unsettled} entries were not settled within the deadline")]
    Unsettled {
        /// Entries whose outcome is not known.
        unsettled: u64,
    },
    /// The log's own thread has ended, so nothing more can be done with this handle.
    #[error("the log was closed")]
    Closed,
    /// Any other failure of a file of the embedded log.
    #[error("{} failed", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// SQLite's own words.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A file or folder cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Any other failure of the Kafka client.
    #[error("Kafka failed while {action}")]
    Kafka {
        /// What was being done.
        action: &'static str,
        /// The client's own words.
        #[source]
        source: rdkafka::error::KafkaError,
    },
}

impl LogError {
    /// A failure of the file system at `path`.
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
            return Self::ReadOnly { path: path.to_owned() };
        }
        Self::Io { path: path.to_owned(), source: Arc::new(error) }
    }

    /// Whether the same call may succeed later without anything being changed by the caller.
    ///
    /// For an append this is answered with 503 and Retry-After; everything else that is not
    /// [`LogError::is_refusal`] needs an operator.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::Busy { .. }
                | Self::ReadOnly { .. }
                | Self::Stalled { .. }
                | Self::Unavailable { .. }
                | Self::Unsettled { .. }
                | Self::Storage { .. }
                | Self::Io { .. }
                | Self::Kafka { .. }
                // The group has given the partition to another member; the reader hears of it next.
                | Self::NotOwned { .. }
        )
    }

    /// Whether an append that failed so has certainly left nothing in the log, and never will.
    pub fn left_nothing(&self) -> bool {
        self.is_refusal() || matches!(self, Self::Full { .. } | Self::Busy { .. } | Self::ReadOnly { .. })
    }

    /// Whether the entry itself is at fault, so that no repetition will help.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::UnknownTopic { .. } | Self::Refused { .. } | Self::TooLarge { .. })
    }
}
