//! What is appended to the log ([`Entry`]) and what is read from it ([`Record`]).
//!
//! Both are bytes: the log knows nothing of schemas. An entry always has a key, because the key decides the partition.
//! A record written by another producer may lack key and value, and offsets before it may hold no record ([`Record::skipped`]).

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::LogError;
use crate::partition::Partition;

/// Headers in the order they were written; names may repeat.
pub type Headers = Vec<(Cow<'static, str>, Bytes)>;

/// The most bytes key, headers and value of one entry may have together, on both logs.
pub const MAX_ENTRY_BYTES: usize = 1_000_000;

/// The most bytes a header's name may have.
const MAX_HEADER_NAME: usize = 1_000;

/// One entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Topic name without the configured prefix.
    pub topic: Arc<str>,
    /// Decides the partition (murmur2, as Kafka's `murmur2_random`); must not be empty.
    pub key: Bytes,
    /// Header names and values, e.g. `ce_type`.
    pub headers: Headers,
    /// Payload as opaque bytes.
    pub value: Bytes,
}

impl Entry {
    /// Bytes of key, headers and value together.
    pub fn size(&self) -> usize {
        size(Some(&self.key), &self.headers, Some(&self.value))
    }

    /// Refuses an entry that one of the two logs could not store.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        if self.key.is_empty() {
            return Err(LogError::InvalidEntry { topic: self.topic.to_string(), reason: "the key is empty, so it has no partition" });
        }
        if self.headers.iter().any(|(name, _)| name.is_empty() || name.len() > MAX_HEADER_NAME || name.contains('\0')) {
            return Err(LogError::InvalidEntry {
                topic: self.topic.to_string(),
                reason: "a header name is empty, too long or has a zero byte",
            });
        }
        let bytes = self.size();
        if bytes > MAX_ENTRY_BYTES {
            return Err(LogError::TooLarge { topic: self.topic.to_string(), bytes, limit: MAX_ENTRY_BYTES });
        }
        Ok(())
    }
}

/// One record as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Partition it was read from.
    pub partition: Partition,
    /// Offset in the partition.
    pub offset: u64,
    /// Offsets without a record between the previous record (or the start offset) and this one.
    ///
    /// Normal on Kafka: transaction markers, records of aborted transactions, records that compaction removed.
    pub skipped: u64,
    /// When the log stored it, in milliseconds since 1970 (clock of the log, not of the sender).
    pub appended_ms: i64,
    /// Key; other producers may write records without one.
    pub key: Option<Bytes>,
    /// Headers in the order they were written; empty when another producer wrote a header name that is not UTF-8.
    pub headers: Headers,
    /// Payload; none: a Kafka tombstone.
    pub value: Option<Bytes>,
}

impl Record {
    /// Bytes of key, headers and value together.
    pub fn size(&self) -> usize {
        size(self.key.as_ref(), &self.headers, self.value.as_ref())
    }

    /// The offsets that this record accounts for: its own and those skipped before it.
    pub fn covers(&self) -> Range<u64> {
        self.offset.saturating_sub(self.skipped)..self.offset + 1
    }
}

fn size(key: Option<&Bytes>, headers: &Headers, value: Option<&Bytes>) -> usize {
    key.map_or(0, Bytes::len) + value.map_or(0, Bytes::len) + headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}
