//! What a coverage is computed from: the selected records, the identity of the result, and the snapshot id made from it.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// The offset after the last record of a campaign in a partition, exclusive bound of the records that count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Offset {
    /// Topic of the log: `events` or `roll`.
    pub topic: String,
    /// Number of the partition.
    pub partition: u32,
    /// Records with lower offsets count.
    pub next: u64,
}

/// The records of a campaign below some offsets that were received by an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Id of the campaign.
    pub campaign: CampaignId,
    /// Records below these count, sorted by topic and partition.
    pub offsets: Vec<Offset>,
    /// Records received by then count. It is also the current time of the calculation.
    pub as_of: Timestamp,
}

impl Selection {
    /// Whether another selection of the campaign has all of these records.
    pub fn is_within(&self, other: &Self) -> bool {
        let next = |of: &Offset| other.offsets.iter().find(|offset| offset.topic == of.topic && offset.partition == of.partition);
        self.campaign == other.campaign
            && self.as_of <= other.as_of
            && self.offsets.iter().all(|offset| next(offset).is_some_and(|other| offset.next <= other.next))
    }
}

/// Everything that a coverage depends on; its hash is the id of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotIdentity {
    /// Id of the campaign.
    pub campaign: CampaignId,
    /// Current time of the calculation: decides which records had been received, which meetings are due, which voter counts are valid.
    pub as_of: Timestamp,
    /// Records below these offsets count, sorted by topic and partition.
    pub offsets: Vec<Offset>,
    /// Version of the definition, see [`crate::coverage::DEFINITION`].
    pub definition: u32,
    /// Number of erasures that had rewritten the log before this was computed; 0 until erasure is built.
    pub redaction_epoch: u32,
}

impl SnapshotIdentity {
    /// What is computed from a selection, by a version of the definition.
    pub fn of(selection: Selection, definition: u32) -> Self {
        let Selection { campaign, offsets, as_of } = selection;
        Self { campaign, as_of, offsets, definition, redaction_epoch: 0 }
    }

    /// The records that were counted.
    pub fn selection(&self) -> Selection {
        Selection { campaign: self.campaign.clone(), offsets: self.offsets.clone(), as_of: self.as_of }
    }
}

/// Id of a snapshot: 24 letters a-p, the first 96 bits of a SHA-256 over its [`SnapshotIdentity`]. It has no digits, so that no scanner
/// takes it for a national id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId([u8; 12]);

impl SnapshotId {
    /// Hashes an identity; every part is prefixed with its length.
    pub fn of(identity: &SnapshotIdentity) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(identity.campaign.as_str().as_bytes());
        part(&identity.as_of.as_nanosecond().to_be_bytes());
        part(&identity.definition.to_be_bytes());
        part(&identity.redaction_epoch.to_be_bytes());
        for offset in &identity.offsets {
            part(offset.topic.as_bytes());
            part(&offset.partition.to_be_bytes());
            part(&offset.next.to_be_bytes());
        }
        let mut short = [0; 12];
        short.copy_from_slice(&hash.finalize()[..12]);
        Self(short)
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}{}", char::from(b'a' + (byte >> 4)), char::from(b'a' + (byte & 15))))
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a snapshot id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot id is 24 letters from a to p")]
pub struct InvalidSnapshotId;

impl FromStr for SnapshotId {
    type Err = InvalidSnapshotId;
    fn from_str(text: &str) -> Result<Self, InvalidSnapshotId> {
        let letters = text.as_bytes();
        if letters.len() != 24 || !letters.iter().all(|letter| (b'a'..=b'p').contains(letter)) {
            return Err(InvalidSnapshotId);
        }
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(letters.chunks_exact(2)) {
            *byte = (pair[0] - b'a') << 4 | (pair[1] - b'a');
        }
        Ok(Self(bytes))
    }
}

impl Serialize for SnapshotId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SnapshotId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
