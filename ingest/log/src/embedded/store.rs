//! The two SQLite files of the embedded log: how they are made, opened and recognised.
//!
//! A file is made under another name and renamed when it is whole, so that an existing file which is
//! empty or foreign is always damage and never taken for a new log. A connection that could only be opened for
//! reading is refused, because SQLite would keep it so after the disk can be written to again. A file that was put in
//! the place of the opened one is noticed by its inode. Every failure of SQLite becomes a [`LogError`] here, with the
//! file it happened in.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::modes;
use crate::error::LogError;
use crate::partition::{Partition, TopicSpec};

/// How long a transaction waits for another process before [`LogError::Busy`].
const BUSY: Duration = Duration::from_secs(30);

/// Format number of both files; a change of their layout raises it.
const VERSION: i64 = 1;

/// Locked while a file is made.
const CREATING: &str = "create.lock";

/// One kind of file.
#[derive(Debug)]
pub(super) struct Format {
    name: &'static str,
    /// Marks the file as ours (SQLite's `application_id`).
    mark: i64,
    schema: &'static str,
}

/// `records.sqlite`.
pub(super) const RECORDS: Format = Format { name: "records.sqlite", mark: 0x514d_5452, schema: include_str!("records.sql") };
/// `positions.sqlite`.
pub(super) const POSITIONS: Format = Format { name: "positions.sqlite", mark: 0x514d_5450, schema: include_str!("positions.sql") };

/// An open file of the log.
#[derive(Debug)]
pub(super) struct Store {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The connection.
    pub(super) sql: Connection,
    /// The file that the connection writes to.
    pub(super) file: FileId,
}

/// Which file lies at a path: another one has another id, whatever it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn at(path: &Path) -> Result<Self, LogError> {
        let metadata = fs::metadata(path).map_err(|error| LogError::file(path, error))?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Fails when another file lies at the path, or none: what is written to this one would be lost.
    pub(super) fn check(self, path: &Path) -> Result<(), LogError> {
        match Self::at(path) {
            Ok(found) if found == self => Ok(()),
            Ok(_) => Err(replaced(path, "another file was put in its place")),
            Err(LogError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Err(replaced(path, "it was deleted")),
            Err(error) => Err(error),
        }
    }
}

impl Store {
    /// Opens a file of the log, and makes it first where there is none.
    pub(super) fn open(dir: &Path, format: &Format) -> Result<Self, LogError> {
        let path = dir.join(format.name);
        modes::private_folder(dir, modes::is_ours)?;
        create_if_missing(dir, &path, format)?;
        for suffix in ["", "-wal", "-shm"] {
            modes::check_file(&dir.join(format!("{}{suffix}", format.name)))?;
        }
        modes::check_file(&dir.join(CREATING))?;
        Self::open_existing(path, format)
    }

    /// Opens the same file once more, after a failure; one that is missing is not made anew.
    pub(super) fn reopen(&mut self, format: &Format) -> Result<(), LogError> {
        self.file.check(&self.path)?;
        // Closed first: connections of one process share what SQLite knows of a file, also that it could only be read.
        self.sql = self.check(Connection::open_in_memory())?;
        *self = Self::open_existing(self.path.clone(), format)?;
        Ok(())
    }

    fn open_existing(path: PathBuf, format: &Format) -> Result<Self, LogError> {
        let file = FileId::at(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&path, flags).map_err(|error| failure(&path, error))?;
        let store = Self { path, sql, file };
        // SQLite falls back to reading where it may not write, begins transactions all the same, and stays so for as long as one such
        // connection is open in this process.
        if store.check(store.sql.is_readonly("main"))? {
            return Err(LogError::ReadOnly { path: store.path });
        }
        store.settle(format).map(|()| store)
    }

    /// Recognises the file and sets what every connection needs.
    fn settle(&self, format: &Format) -> Result<(), LogError> {
        let number = |pragma: &str| self.check(self.sql.query_row(pragma, [], |row| row.get::<_, i64>(0)));
        self.check(self.sql.busy_timeout(BUSY))?;
        if number("PRAGMA application_id")? != format.mark {
            return Err(self.damaged("it is no file of this log"));
        }
        let found = number("PRAGMA user_version")?;
        if found != VERSION {
            return Err(LogError::Version { path: self.path.clone(), found, expected: VERSION });
        }
        self.sql.set_prepared_statement_cache_capacity(1024);
        // FULL: a commit returns after the write-ahead log is synced, so it survives a power cut.
        self.check(self.sql.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"))
    }

    /// Turns SQLite's error into ours, with this file's name.
    pub(super) fn check<T>(&self, result: rusqlite::Result<T>) -> Result<T, LogError> {
        result.map_err(|error| failure(&self.path, error))
    }

    /// Says that this file is not what was written.
    pub(super) fn damaged(&self, detail: impl Into<String>) -> LogError {
        LogError::Damaged { path: self.path.clone(), detail: detail.into() }
    }

    /// Ids of a topic's partitions, by number; empty when there is no such topic.
    pub(super) fn partition_ids(&self, topic: &str) -> Result<Vec<i64>, LogError> {
        let read = || {
            let mut rows = self.sql.prepare_cached("SELECT id FROM partitions WHERE topic = ?1 ORDER BY number")?;
            rows.query_map([topic], |row| row.get(0))?.collect()
        };
        self.check(read())
    }

    /// First and next offset of a partition.
    pub(super) fn bounds(&self, id: i64) -> Result<(u64, u64), LogError> {
        let edge = |order: &str| {
            let query = format!("SELECT \"offset\" FROM p{id} ORDER BY \"offset\" {order} LIMIT 1");
            self.check(self.sql.prepare_cached(&query).and_then(|mut row| row.query_row([], |row| row.get::<_, i64>(0)).optional()))
        };
        let start = edge("ASC")?.unwrap_or(0);
        let end = edge("DESC")?.map_or(0, |last| last + 1);
        Ok((start.unsigned_abs(), end.unsigned_abs()))
    }

    /// Creates what is missing of a topic; refuses one that has another number of partitions.
    pub(super) fn ensure_topic(&mut self, topic: &TopicSpec) -> Result<(), LogError> {
        check_name("topic", &topic.name)?;
        if topic.partitions == 0 {
            return Err(LogError::PartitionCount { topic: topic.name.clone(), found: 0, wanted: 0 });
        }
        let created = create_topic(&mut self.sql, topic);
        let found = self.check(created)?;
        if found != topic.partitions {
            return Err(LogError::PartitionCount { topic: topic.name.clone(), found, wanted: topic.partitions });
        }
        Ok(())
    }
}

/// Creates the topic unless it exists; answers how many partitions it has.
fn create_topic(sql: &mut Connection, topic: &TopicSpec) -> rusqlite::Result<u32> {
    let tx = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = tx.query_row("SELECT count(*) FROM partitions WHERE topic = ?1", [&topic.name], |row| row.get(0))?;
    if found > 0 {
        return Ok(found);
    }
    for number in 0..topic.partitions {
        tx.execute("INSERT INTO partitions (topic, number) VALUES (?1, ?2)", params![topic.name, number])?;
        let id = tx.last_insert_rowid().to_string();
        tx.execute_batch(&include_str!("partition.sql").replace("{id}", &id))?;
    }
    tx.commit()?;
    Ok(topic.partitions)
}

/// Makes the file whole or not at all; safe when several processes start at once.
fn create_if_missing(dir: &Path, path: &Path, format: &Format) -> Result<(), LogError> {
    if path.exists() {
        return Ok(());
    }
    let lock = dir.join(CREATING);
    let guard = modes::private_file().open(&lock).map_err(|error| LogError::file(&lock, error))?;
    guard.lock().map_err(|error| LogError::file(&lock, error))?;
    if path.exists() {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    // SQLite would create it for everybody.
    modes::private_file().open(&fresh).map_err(|error| LogError::file(&fresh, error))?;
    initialise(&fresh, format).map_err(|error| failure(&fresh, error))?;
    fs::rename(&fresh, path).map_err(|error| LogError::file(path, error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| LogError::file(dir, error))
}

fn initialise(path: &Path, format: &Format) -> rusqlite::Result<()> {
    let sql = Connection::open(path)?;
    sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    sql.execute_batch(&format!(
        "PRAGMA synchronous = FULL; BEGIN; {} PRAGMA application_id = {}; PRAGMA user_version = {VERSION}; COMMIT;",
        format.schema, format.mark
    ))?;
    sql.close().map_err(|(_, error)| error)
}

/// Refuses names that are no file name and no Kafka topic.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), LogError> {
    let fine = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if fine && !name.is_empty() && name.len() <= 200 && !name.starts_with('.') {
        return Ok(());
    }
    Err(LogError::Config { setting: what, reason: format!("{name:?} may hold only letters, digits, dot, underscore and hyphen") })
}

/// Names a partition for messages.
pub(super) fn named(topic: &Arc<str>, number: usize) -> Partition {
    // INVARIANT: partition numbers are created from u32.
    Partition { topic: topic.clone(), number: u32::try_from(number).expect("partition number") }
}

/// SQLite's error as ours.
pub(super) fn failure(path: &Path, error: rusqlite::Error) -> LogError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LogError::Damaged { path, detail: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy { path },
        Some(ErrorCode::ReadOnly) => LogError::ReadOnly { path },
        _ => LogError::Storage { path, source: Arc::new(error) },
    }
}

/// The file at this path is not the one that was opened.
pub(super) fn replaced(path: &Path, reason: impl Into<String>) -> LogError {
    LogError::Replaced { log: path.display().to_string(), reason: reason.into() }
}
