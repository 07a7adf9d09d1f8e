//! The error type of this crate.
//!
//! Every variant says which operation failed and where. After a failed append the entry may still be stored, unless
//! [`LogError::was_not_stored`]; so the caller retries with the same event id.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::partition::Partition;

/// Every failure of either log.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A setting cannot be used.
    #[error("log.{setting}: {reason}")]
    Config {
        /// Path of the setting under `log`.
        setting: &'static str,
        /// What is wrong with it and how to fix it.
        reason: String,
    },
    /// The topic does not exist.
    #[error("the log has no topic {topic}; it is created by the ingest service when it starts")]
    UnknownTopic {
        /// Topic name without the prefix.
        topic: String,
    },
    /// The topic exists with another number of partitions.
    #[error("topic {topic} has {found} partitions, {wanted} are configured; the number is fixed once the topic exists")]
    PartitionCount {
        /// Topic name without the prefix.
        topic: String,
        /// Partitions on the broker or in the file.
        found: u32,
        /// Partitions that the caller configured.
        wanted: u32,
    },
    /// The topic exists with a setting that would lose records.
    #[error("topic {topic} has {setting}={found}, but needs {setting}={wanted}, so that no record is lost; alter it on the broker")]
    TopicSetting {
        /// Topic name without the prefix.
        topic: String,
        /// Kafka's name of the topic setting.
        setting: &'static str,
        /// Its value on the broker.
        found: String,
        /// The only value that is accepted.
        wanted: &'static str,
    },
    /// The entry breaks a rule of the log; a retry cannot succeed.
    #[error("entry for topic {topic} refused: {reason}")]
    InvalidEntry {
        /// Topic of the entry.
        topic: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The entry is over the limit.
    #[error("entry for topic {topic} has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Topic of the entry.
        topic: String,
        /// Bytes of key, headers and value.
        bytes: usize,
        /// Most bytes that one entry may have.
        limit: usize,
    },
    /// The disk is full or `log.max_bytes` is reached; nothing of the append was stored.
    #[error("the log at {} cannot grow: the disk or log.max_bytes is full", path.display())]
    Full {
        /// Path of the database file.
        path: PathBuf,
    },
    /// The file or its disk is read-only; the next call opens it again.
    #[error("{} is read-only: mount its disk for writing, or give this user write permission", path.display())]
    ReadOnly {
        /// Path of the file.
        path: PathBuf,
    },
    /// Other users of this machine can read the log.
    #[error("other users can read {} (mode {mode:04o}): {reason}", path.display())]
    InsecurePermissions {
        /// Path of the file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Why the log did not change the mode, and what to do.
        reason: String,
    },
    /// The log is not the one that was opened: recreated, restored from a copy, or deleted.
    #[error("{log} is no longer the log that was opened: {reason}; stop everything that uses it, restore it or start with an empty log")]
    Replaced {
        /// Path of the file, or name of the topic.
        log: String,
        /// How it differs from the opened one.
        reason: String,
    },
    /// The file is corrupt; restore it from a backup.
    #[error("{} is corrupt: {detail}; restore the folder from a backup", path.display())]
    Corrupt {
        /// Path of the database file.
        path: PathBuf,
        /// Which check failed, and at which offset.
        detail: String,
    },
    /// The file was written by another version of this program.
    #[error("{} has format {found}, this program reads format {expected}", path.display())]
    Version {
        /// Path of the database file.
        path: PathBuf,
        /// Format number in the file.
        found: i64,
        /// Format number of this program.
        expected: i64,
    },
    /// Another process holds the write lock of the file for too long.
    #[error("{} is locked by another process", path.display())]
    Busy {
        /// Path of the database file.
        path: PathBuf,
    },
    /// The partition is already read by another process of the same group.
    #[error("{partition} of group {group} is already read by {holder}; stop it or give this reader another member number")]
    Leased {
        /// The partition with an owner.
        partition: Partition,
        /// Name of the reader group.
        group: String,
        /// The owner as far as known, e.g. `process 123`.
        holder: String,
    },
    /// The reader does not own the partition (any more); nothing was committed.
    #[error("{partition} is not owned by this reader")]
    NotOwned {
        /// The partition that was refused.
        partition: Partition,
    },
    /// Another reader has joined with the same member number; this one must end.
    #[error("another reader joined group {group} as member {member}; this one has ended")]
    Fenced {
        /// Name of the reader group.
        group: String,
        /// The member number of both readers.
        member: u32,
    },
    /// The offset cannot be read: it was removed by retention, or it is past the end.
    #[error("{partition} has no offset {offset}: it has {start}..{end}")]
    OutOfRange {
        /// The partition to read.
        partition: Partition,
        /// The requested offset.
        offset: u64,
        /// First offset that can be read.
        start: u64,
        /// Next offset to be written.
        end: u64,
    },
    /// The log did not respond in time; it may still execute the request later.
    #[error("the log did not respond while {action}")]
    Unavailable {
        /// The operation, e.g. `committing`.
        action: &'static str,
        /// Error of the Kafka client, if it gave one.
        #[source]
        source: Option<rdkafka::error::KafkaError>,
    },
    /// The Kafka client makes no progress although the broker may; open a new reader.
    #[error("the log client has stopped working: {reason}; it is opened again")]
    Stalled {
        /// Which progress is missing, and for how long.
        reason: String,
    },
    /// The broker refused the credentials, the certificate or the access.
    #[error("the log refused {action}: check log.sasl, log.tls and the rights of this user")]
    Denied {
        /// The operation, e.g. `committing`.
        action: &'static str,
        /// Error of the Kafka client, if it gave one.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// The client can no longer be used; the process must be restarted.
    #[error("the log client failed permanently: {reason}; restart this process")]
    Fatal {
        /// Error code and text of the Kafka client.
        reason: String,
    },
    /// The deadline of a flush passed.
    #[error("{unacknowledged} entries had no outcome within the deadline")]
    FlushTimeout {
        /// Entries whose outcome is not known.
        unacknowledged: u64,
    },
    /// The worker thread has ended, so this handle is of no more use.
    #[error("the log was closed")]
    Closed,
    /// Any other failure of a file of the embedded log.
    #[error("{} failed", path.display())]
    Storage {
        /// Path of the database file.
        path: PathBuf,
        /// Error of SQLite.
        #[source]
        source: Arc<rusqlite::Error>,
    },
    /// A file or folder cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// Any other failure of the Kafka client.
    #[error("Kafka failed while {action}")]
    Kafka {
        /// The operation, e.g. `committing`.
        action: &'static str,
        /// Error of the Kafka client, if it gave one.
        #[source]
        source: rdkafka::error::KafkaError,
    },
}

impl LogError {
    /// Converts a failure of the file system at `path`.
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
            return Self::ReadOnly { path: path.to_owned() };
        }
        Self::Io { path: path.to_owned(), source: Arc::new(error) }
    }

    /// Whether a retry of the same call may succeed.
    ///
    /// Ingest then responds with 503 and Retry-After. Everything else that is not [`LogError::is_invalid_entry`] needs an operator.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::Busy { .. }
                | Self::ReadOnly { .. }
                | Self::Stalled { .. }
                | Self::Unavailable { .. }
                | Self::FlushTimeout { .. }
                | Self::Storage { .. }
                | Self::Io { .. }
                | Self::Kafka { .. }
                // The group has given the partition to another member; the reader receives the revocation next.
                | Self::NotOwned { .. }
        )
    }

    /// Whether an append that failed with this error is certainly not stored, now or later.
    pub fn was_not_stored(&self) -> bool {
        self.is_invalid_entry() || matches!(self, Self::Full { .. } | Self::Busy { .. } | Self::ReadOnly { .. })
    }

    /// Whether the entry itself is invalid, so that a retry cannot succeed.
    pub fn is_invalid_entry(&self) -> bool {
        matches!(self, Self::UnknownTopic { .. } | Self::InvalidEntry { .. } | Self::TooLarge { .. })
    }
}
