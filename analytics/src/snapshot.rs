//! Snapshots: a computed coverage, kept as bytes under a name made of what it is true for.
//!
//! Guarantees: stored bytes never change; page and report of one snapshot read the same bytes; the same facts and the same binary give
//! the same bytes again, and [`Stored`] says so. Kept in one SQLite file, one writer. A snapshot from which something was reported stays
//! until somebody removes the file; of the others the newest stay, so that the file grows with reports and not with time.

use std::{fmt, path::Path, str::FromStr};

use qamtu_schemas::id::CampaignId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::{
    coverage::{Coverage, Identity},
    error::AnalyticsError,
};

/// Snapshots of a campaign that stay though nothing was reported from them, the one stored last apart.
const UNREPORTED: u32 = 20;

/// File name inside the service's folder.
const FILE: &str = "analytics.sqlite";

/// Name of a snapshot: 24 letters a-p, the first 96 bits of a SHA-256 over its [`Identity`]. Letters only, so that no digits of it can
/// be taken for a national id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId([u8; 12]);

impl SnapshotId {
    /// The name of what is true for this identity.
    pub fn of(identity: &Identity) -> Self {
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

/// A text that is no snapshot id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot id is 24 letters from a to p")]
pub struct NoSnapshotId;

impl FromStr for SnapshotId {
    type Err = NoSnapshotId;
    fn from_str(text: &str) -> Result<Self, NoSnapshotId> {
        let letters = text.as_bytes();
        if letters.len() != 24 || !letters.iter().all(|letter| (b'a'..=b'p').contains(letter)) {
            return Err(NoSnapshotId);
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

/// A coverage and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub id: SnapshotId,
    /// Its figures, as stored.
    pub coverage: Coverage,
}

/// What storing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The snapshot is new.
    New,
    /// It was there, byte for byte.
    Same,
    /// It was there with other bytes, which stay: the facts below its offsets changed, or another binary computed it.
    Differs,
}

/// The snapshots of this service.
#[derive(Debug)]
pub struct Snapshots {
    sqlite: Connection,
}

impl Snapshots {
    /// Opens the snapshots in a folder, which is made if missing.
    pub fn open(folder: &Path) -> Result<Self, AnalyticsError> {
        let path = folder.join(FILE);
        std::fs::create_dir_all(folder).map_err(|source| AnalyticsError::Folder { path: folder.to_owned(), source })?;
        let open = || -> rusqlite::Result<Connection> {
            let sqlite = Connection::open(&path)?;
            sqlite.busy_timeout(std::time::Duration::from_secs(10))?;
            sqlite.pragma_update(None, "journal_mode", "WAL")?;
            sqlite.pragma_update(None, "synchronous", "FULL")?;
            sqlite.execute_batch(
                "CREATE TABLE IF NOT EXISTS snapshot (
                     number INTEGER PRIMARY KEY,
                     id TEXT NOT NULL UNIQUE,
                     campaign TEXT NOT NULL,
                     as_of_us INTEGER NOT NULL,
                     bytes BLOB NOT NULL
                 ) STRICT;
                 CREATE INDEX IF NOT EXISTS snapshot_newest ON snapshot (campaign, as_of_us, number);
                 CREATE TABLE IF NOT EXISTS reported (id TEXT PRIMARY KEY) STRICT;",
            )?;
            Ok(sqlite)
        };
        open().map(|sqlite| Self { sqlite }).map_err(|source| AnalyticsError::Snapshots { path, source })
    }

    /// Keeps a coverage, and lets go of those that it supersedes. Bytes that are stored already stay as they are, and are what is returned.
    pub fn keep(&mut self, coverage: Coverage) -> Result<(Snapshot, Stored), AnalyticsError> {
        let id = SnapshotId::of(&coverage.identity);
        let bytes = serde_json::to_vec(&coverage).map_err(|source| AnalyticsError::Bytes { id, source })?;
        if self.store(id, &coverage.identity, &bytes).map_err(|source| self.failed(source))? {
            return Ok((Snapshot { id, coverage }, Stored::New));
        }
        match self.bytes(id)? {
            Some(held) if held == bytes => Ok((Snapshot { id, coverage }, Stored::Same)),
            Some(held) => Ok((read(id, &held)?, Stored::Differs)),
            None => Err(AnalyticsError::NoSnapshot { campaign: coverage.identity.campaign }),
        }
    }

    /// Whether the bytes are new. Storing and letting go are one transaction: there is never too much, and never nothing.
    fn store(&mut self, id: SnapshotId, identity: &Identity, bytes: &[u8]) -> rusqlite::Result<bool> {
        let (id, campaign) = (id.to_string(), identity.campaign.as_str());
        let writing = self.sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored = writing.execute(
            "INSERT INTO snapshot (id, campaign, as_of_us, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
            params![id, campaign, identity.as_of.as_microsecond(), bytes],
        )?;
        if stored == 1 {
            writing.execute(
                "DELETE FROM snapshot WHERE campaign = ?1 AND id <> ?2 AND id NOT IN (SELECT id FROM reported) AND number NOT IN (
                     SELECT number FROM snapshot WHERE campaign = ?1 AND id NOT IN (SELECT id FROM reported)
                     ORDER BY as_of_us DESC, number DESC LIMIT ?3
                 )",
                params![campaign, id, UNREPORTED],
            )?;
        }
        writing.commit()?;
        Ok(stored == 1)
    }

    /// Notes that something was reported from a snapshot, so that its bytes stay for good.
    pub fn report(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
        self.sqlite
            .execute("INSERT INTO reported (id) VALUES (?1) ON CONFLICT (id) DO NOTHING", [id.to_string()])
            .map(|_| ())
            .map_err(|source| self.failed(source))
    }

    /// The snapshot of a campaign with the newest as-of instant; of several, the one stored last.
    pub fn latest(&self, campaign: &CampaignId) -> Result<Option<Snapshot>, AnalyticsError> {
        let row: Option<(String, Vec<u8>)> = self
            .sqlite
            .query_row(
                "SELECT id, bytes FROM snapshot WHERE campaign = ?1 ORDER BY as_of_us DESC, number DESC LIMIT 1",
                [campaign.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|source| self.failed(source))?;
        row.map(|(id, bytes)| {
            let id = id.parse().map_err(|NoSnapshotId| AnalyticsError::NoSnapshot { campaign: campaign.clone() })?;
            read(id, &bytes)
        })
        .transpose()
    }

    /// A snapshot by its name.
    pub fn get(&self, id: SnapshotId) -> Result<Option<Snapshot>, AnalyticsError> {
        self.bytes(id)?.map(|bytes| read(id, &bytes)).transpose()
    }

    /// The stored bytes of a snapshot.
    pub fn bytes(&self, id: SnapshotId) -> Result<Option<Vec<u8>>, AnalyticsError> {
        self.sqlite
            .query_row("SELECT bytes FROM snapshot WHERE id = ?1", [id.to_string()], |row| row.get(0))
            .optional()
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: rusqlite::Error) -> AnalyticsError {
        AnalyticsError::Snapshots { path: self.sqlite.path().unwrap_or(FILE).into(), source }
    }
}

fn read(id: SnapshotId, bytes: &[u8]) -> Result<Snapshot, AnalyticsError> {
    let coverage = serde_json::from_slice(bytes).map_err(|source| AnalyticsError::Bytes { id, source })?;
    Ok(Snapshot { id, coverage })
}
