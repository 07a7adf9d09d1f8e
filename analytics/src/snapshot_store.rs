//! Stores snapshots in SQLite: coverages as immutable bytes under the id of their identity.
//!
//! Guarantees: stored bytes never change, so page and report of one snapshot read the same bytes. The same facts and binary give the same
//! bytes again; [`Stored`] is the outcome of that comparison. The SQLite file has one writer and is readable by its owner only, since it
//! contains small counts. Reported snapshots are kept; of the others the newest are, so that the file grows with the number of reports. The
//! state that each role saw last is stored, too, so that the next one is compared with it after a restart.

mod private_dir;

use std::path::Path;

use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::{
    access::Role,
    coverage::{Coverage, Snapshot},
    error::AnalyticsError,
    published::ReleaseState,
    snapshot_identity::{InvalidSnapshotId, SnapshotId, SnapshotIdentity},
};

/// Number of unreported snapshots that are kept per campaign, without the one stored last.
const MAX_UNREPORTED: u32 = 20;

/// Newest as-of instant first. Instants after the clock (`?2`) come last: they were computed while a clock was wrong, or the whole campaign
/// is simulated ahead.
const NEWEST_FIRST: &str = "as_of_us <= ?2 DESC, as_of_us DESC, offsets DESC, number DESC";

/// File name inside the directory of the service.
const FILE: &str = "analytics.sqlite";

/// Outcome of saving a coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The snapshot is new.
    New,
    /// It was stored before with the same bytes.
    Same,
    /// It was stored before with other bytes, which are kept: the records below its offsets changed, or another binary computed it.
    Differs,
}

/// A snapshot as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// Its id and figures.
    pub snapshot: Snapshot,
    /// Sum of its offsets: the length of the log, other campaigns included, up to the last records of this one.
    pub records: u64,
    /// Whether it was reported, and so is kept.
    pub is_reported: bool,
}

/// The snapshot that was shown to a role last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRelease {
    /// Its id; its bytes are kept while it is the last one.
    pub snapshot: SnapshotId,
    /// Its published counts, which the next one is compared with.
    pub state: ReleaseState,
}

/// The SQLite file of this service.
#[derive(Debug)]
pub struct SnapshotStore {
    sqlite: Connection,
}

impl SnapshotStore {
    /// Opens the file in a directory, which is created if missing.
    pub fn open(folder: &Path) -> Result<Self, AnalyticsError> {
        let path = folder.join(FILE);
        private_dir::ensure(folder, &path)?;
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
                 CREATE TABLE IF NOT EXISTS reported (id TEXT PRIMARY KEY) STRICT;
                 CREATE TABLE IF NOT EXISTS released (
                     number INTEGER PRIMARY KEY,
                     campaign TEXT NOT NULL,
                     role TEXT NOT NULL,
                     id TEXT NOT NULL,
                     counts BLOB NOT NULL,
                     UNIQUE (campaign, role, id)
                 ) STRICT;",
            )?;
            // Sum of the offsets: of two snapshots of one instant the one with more records is newer.
            if !sqlite.prepare("SELECT 1 FROM pragma_table_info('snapshot') WHERE name = 'offsets'")?.exists([])? {
                sqlite.execute_batch("ALTER TABLE snapshot ADD COLUMN offsets INTEGER NOT NULL DEFAULT 0")?;
            }
            Ok(sqlite)
        };
        open().map(|sqlite| Self { sqlite }).map_err(|source| AnalyticsError::SnapshotStore { path, source })
    }

    /// Saves a coverage and deletes snapshots that are no longer needed. Existing bytes are kept and returned.
    pub fn save(&mut self, coverage: Coverage) -> Result<(Snapshot, Stored), AnalyticsError> {
        let id = SnapshotId::of(&coverage.identity);
        let bytes = serde_json::to_vec(&coverage).map_err(|source| AnalyticsError::Bytes { id, source })?;
        if self.insert(id, &coverage.identity, &bytes).map_err(|source| self.sqlite_error(source))? {
            return Ok((Snapshot { id, coverage }, Stored::New));
        }
        match self.bytes(id)? {
            Some(stored) if stored == bytes => Ok((Snapshot { id, coverage }, Stored::Same)),
            Some(stored) => Ok((decode(id, &stored)?, Stored::Differs)),
            None => Err(AnalyticsError::NoSnapshot { campaign: coverage.identity.campaign }),
        }
    }

    /// Inserts the bytes and deletes old snapshots in one transaction; returns whether the id was new.
    fn insert(&mut self, id: SnapshotId, identity: &SnapshotIdentity, bytes: &[u8]) -> rusqlite::Result<bool> {
        let (id, campaign) = (id.to_string(), identity.campaign.as_str());
        let writing = self.sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored = writing.execute(
            "INSERT INTO snapshot (id, campaign, as_of_us, bytes, offsets) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING",
            params![id, campaign, identity.as_of.as_microsecond(), bytes, records_read(identity)],
        )?;
        if stored == 1 {
            writing.execute(
                &format!(
                    "DELETE FROM snapshot WHERE campaign = ?1 AND id <> ?3
                     AND id NOT IN (SELECT id FROM reported UNION SELECT id FROM released) AND number NOT IN (
                         SELECT number FROM snapshot WHERE campaign = ?1 AND id NOT IN (SELECT id FROM reported UNION SELECT id FROM released)
                         ORDER BY {NEWEST_FIRST} LIMIT ?4
                     )"
                ),
                params![campaign, Timestamp::now().as_microsecond(), id, MAX_UNREPORTED],
            )?;
        }
        writing.commit()?;
        Ok(stored == 1)
    }

    /// Marks a snapshot as reported, so that it is never deleted.
    pub fn mark_reported(&self, id: SnapshotId) -> Result<(), AnalyticsError> {
        self.sqlite
            .execute("INSERT INTO reported (id) VALUES (?1) ON CONFLICT (id) DO NOTHING", [id.to_string()])
            .map(|_| ())
            .map_err(|source| self.sqlite_error(source))
    }

    /// The latest snapshot: the newest as-of instant that is not after `now`, then the most records. A snapshot of a later instant is
    /// returned only if there is no other.
    pub fn latest(&self, campaign: &CampaignId, now: Timestamp) -> Result<Option<Snapshot>, AnalyticsError> {
        let row: Option<(String, Vec<u8>)> = self
            .sqlite
            .query_row(
                &format!("SELECT id, bytes FROM snapshot WHERE campaign = ?1 ORDER BY {NEWEST_FIRST} LIMIT 1"),
                params![campaign.as_str(), now.as_microsecond()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|source| self.sqlite_error(source))?;
        row.map(|(id, bytes)| {
            let id = id.parse().map_err(|InvalidSnapshotId| AnalyticsError::NoSnapshot { campaign: campaign.clone() })?;
            decode(id, &bytes)
        })
        .transpose()
    }

    /// The snapshots of a campaign, the newest instant first.
    pub fn list(&self, campaign: &CampaignId) -> Result<Vec<StoredSnapshot>, AnalyticsError> {
        type Row = (String, Vec<u8>, i64, bool);
        let read = || -> rusqlite::Result<Vec<Row>> {
            let mut rows = self.sqlite.prepare(
                "SELECT id, bytes, offsets, id IN (SELECT id FROM reported) FROM snapshot WHERE campaign = ?1
                 ORDER BY as_of_us DESC, offsets DESC, number DESC",
            )?;
            rows.query_map([campaign.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        };
        let entry = |(id, bytes, records, is_reported): Row| {
            let id = id.parse().map_err(|InvalidSnapshotId| AnalyticsError::NoSnapshot { campaign: campaign.clone() })?;
            Ok(StoredSnapshot { snapshot: decode(id, &bytes)?, records: u64::try_from(records).unwrap_or(0), is_reported })
        };
        read().map_err(|source| self.sqlite_error(source))?.into_iter().map(entry).collect()
    }

    /// The snapshot with this id.
    pub fn get(&self, id: SnapshotId) -> Result<Option<Snapshot>, AnalyticsError> {
        self.bytes(id)?.map(|bytes| decode(id, &bytes)).transpose()
    }

    /// The stored bytes of a snapshot.
    pub fn bytes(&self, id: SnapshotId) -> Result<Option<Vec<u8>>, AnalyticsError> {
        self.sqlite
            .query_row("SELECT bytes FROM snapshot WHERE id = ?1", [id.to_string()], |row| row.get(0))
            .optional()
            .map_err(|source| self.sqlite_error(source))
    }

    /// The snapshot that was shown to a role last; none before the first one.
    pub fn last_release(&self, campaign: &CampaignId, role: Role) -> Result<Option<LastRelease>, AnalyticsError> {
        let row: Option<(String, Vec<u8>)> = self
            .sqlite
            .query_row(
                "SELECT id, counts FROM released WHERE campaign = ?1 AND role = ?2 ORDER BY number DESC LIMIT 1",
                [campaign.as_str(), role.name()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|source| self.sqlite_error(source))?;
        row.map(|(id, counts)| {
            let id: SnapshotId = id.parse().map_err(|InvalidSnapshotId| AnalyticsError::NoSnapshot { campaign: campaign.clone() })?;
            let state = serde_json::from_slice(&counts).map_err(|source| AnalyticsError::Bytes { id, source })?;
            Ok(LastRelease { snapshot: id, state })
        })
        .transpose()
    }

    /// Whether a snapshot is what a role sees now, or was shown to the role and reported.
    pub fn was_released(&self, id: SnapshotId, role: Role) -> Result<bool, AnalyticsError> {
        let found =
            self.sqlite.query_row("SELECT count(*) FROM released WHERE id = ?1 AND role = ?2", [&id.to_string(), role.name()], |row| {
                row.get::<_, u64>(0)
            });
        found.map(|rows| rows > 0).map_err(|source| self.sqlite_error(source))
    }

    /// Records what a role sees from now on. Earlier records are kept for reported snapshots only.
    pub fn record_release(&mut self, snapshot: &Snapshot, role: Role, state: &ReleaseState) -> Result<(), AnalyticsError> {
        let id = snapshot.id;
        let counts = serde_json::to_vec(state).map_err(|source| AnalyticsError::Bytes { id, source })?;
        let (campaign, id) = (snapshot.coverage.identity.campaign.as_str(), id.to_string());
        let mut write = || -> rusqlite::Result<()> {
            let writing = self.sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?;
            writing.execute(
                "DELETE FROM released WHERE campaign = ?1 AND role = ?2 AND (id = ?3 OR id NOT IN (SELECT id FROM reported))",
                [campaign, role.name(), &id],
            )?;
            writing.execute(
                "INSERT INTO released (campaign, role, id, counts) VALUES (?1, ?2, ?3, ?4)",
                params![campaign, role.name(), id, counts],
            )?;
            writing.commit()
        };
        write().map_err(|source| self.sqlite_error(source))
    }

    fn sqlite_error(&self, source: rusqlite::Error) -> AnalyticsError {
        AnalyticsError::SnapshotStore { path: self.sqlite.path().unwrap_or(FILE).into(), source }
    }
}

/// Number of records below the offsets of an identity.
fn records_read(identity: &SnapshotIdentity) -> i64 {
    let records = identity.offsets.iter().fold(0_u64, |sum, offset| sum.saturating_add(offset.next));
    i64::try_from(records).unwrap_or(i64::MAX)
}

fn decode(id: SnapshotId, bytes: &[u8]) -> Result<Snapshot, AnalyticsError> {
    let coverage = serde_json::from_slice(bytes).map_err(|source| AnalyticsError::Bytes { id, source })?;
    Ok(Snapshot { id, coverage })
}
