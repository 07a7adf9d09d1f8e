//! Committed offsets of a group, in `positions.sqlite`.

use std::path::Path;

use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::store::{LogFile, POSITIONS};
use crate::error::LogError;
use crate::partition::{NextOffset, Partition};

/// Reads and writes the committed offsets of one group.
#[derive(Debug)]
pub(super) struct Positions {
    store: LogFile,
    group: String,
    /// The last commit failed, so the connection may be unusable.
    failed: bool,
}

impl Positions {
    pub(super) fn open(dir: &Path, group: &str) -> Result<Self, LogError> {
        Ok(Self { store: LogFile::open(dir, &POSITIONS)?, group: group.to_owned(), failed: false })
    }

    /// The committed next offset of a partition; none: never committed.
    pub(super) fn committed(&self, partition: &Partition) -> Result<Option<u64>, LogError> {
        let query = "SELECT next FROM positions WHERE \"group\" = ?1 AND topic = ?2 AND number = ?3";
        let read = || {
            let mut row = self.store.sql.prepare_cached(query)?;
            row.query_row(params![self.group, partition.topic, partition.number], |row| row.get::<_, i64>(0)).optional()
        };
        Ok(self.store.check(read())?.map(i64::unsigned_abs))
    }

    /// Commits all of these or none, durably.
    pub(super) fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError> {
        if std::mem::take(&mut self.failed) {
            self.store.reopen(&POSITIONS)?;
        }
        self.store.file.check(&self.store.path)?;
        let written = write(&mut self.store, &self.group, offsets);
        self.failed = written.is_err();
        self.store.check(written)
    }
}

fn write(store: &mut LogFile, group: &str, offsets: &[NextOffset]) -> rusqlite::Result<()> {
    let tx = store.sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for NextOffset { partition, offset } in offsets {
        let mut row = tx.prepare_cached("INSERT OR REPLACE INTO positions (\"group\", topic, number, next) VALUES (?1, ?2, ?3, ?4)")?;
        row.execute(params![group, partition.topic, partition.number, offset.cast_signed()])?;
    }
    tx.commit()
}
