//! The two SQLite files of the embedded log: creation, opening and validation.
//!
//! A file is created under another name and renamed when it is complete, so that an existing file which is empty or not ours is
//! always corrupt and never mistaken for a new log. A read-only connection is refused, because SQLite keeps it read-only after the
//! disk is writable again. A replaced file is detected by its inode. Every SQLite error becomes a [`LogError`] with the path here.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::modes;
use crate::error::LogError;
use crate::partition::{Partition, TopicSpec};

/// How long a transaction waits for another process before [`LogError::Busy`].
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Format number of both files; increased when their layout changes.
const VERSION: i64 = 1;

/// Lock file that is locked while a database file is created.
const CREATE_LOCK: &str = "create.lock";

/// Name, id and tables of one kind of file.
#[derive(Debug)]
pub(super) struct Format {
    name: &'static str,
    /// SQLite's `application_id`, which identifies our files.
    application_id: i64,
    schema: &'static str,
}

/// `records.sqlite`: topics, partitions and records.
pub(super) const RECORDS: Format = Format { name: "records.sqlite", application_id: 0x514d_5452, schema: include_str!("records.sql") };
/// `positions.sqlite`: committed offsets by group.
pub(super) const POSITIONS: Format =
    Format { name: "positions.sqlite", application_id: 0x514d_5450, schema: include_str!("positions.sql") };

/// An open database file of the log.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) sql: Connection,
    /// Identity of the file that the connection writes to.
    pub(super) file: FileId,
}

/// Identity of a file: a replacement at the same path has another one, even with equal contents.
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

    /// Fails when the path has another file or none: writes to the opened file would be lost.
    pub(super) fn check(self, path: &Path) -> Result<(), LogError> {
        match Self::at(path) {
            Ok(found) if found == self => Ok(()),
            Ok(_) => Err(replaced_error(path, "it was replaced by another file")),
            Err(LogError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(replaced_error(path, "it was deleted"))
            }
            Err(error) => Err(error),
        }
    }
}

impl LogFile {
    /// Opens a file of the log; creates it first when it is missing.
    pub(super) fn open(dir: &Path, format: &Format) -> Result<Self, LogError> {
        let path = dir.join(format.name);
        modes::private_folder(dir, modes::is_log_file)?;
        create_if_missing(dir, &path, format)?;
        for suffix in ["", "-wal", "-shm"] {
            modes::check_file(&dir.join(format!("{}{suffix}", format.name)))?;
        }
        modes::check_file(&dir.join(CREATE_LOCK))?;
        Self::open_existing(path, format)
    }

    /// Opens the same file again after a failure; never creates a missing one.
    pub(super) fn reopen(&mut self, format: &Format) -> Result<(), LogError> {
        self.file.check(&self.path)?;
        // Closes the old connection first: the connections of a process share SQLite's file state, e.g. that it is read-only.
        self.sql = self.check(Connection::open_in_memory())?;
        *self = Self::open_existing(self.path.clone(), format)?;
        Ok(())
    }

    fn open_existing(path: PathBuf, format: &Format) -> Result<Self, LogError> {
        let file = FileId::at(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = Connection::open_with_flags(&path, flags).map_err(|error| sqlite_error(&path, error))?;
        let store = Self { path, sql, file };
        // Without write permission SQLite silently opens a read-only connection, on which transactions still begin, and stays
        // read-only while one such connection is open in this process.
        if store.check(store.sql.is_readonly("main"))? {
            return Err(LogError::ReadOnly { path: store.path });
        }
        store.configure(format).map(|()| store)
    }

    /// Validates id and format of the file, and configures the connection.
    fn configure(&self, format: &Format) -> Result<(), LogError> {
        let number = |pragma: &str| self.check(self.sql.query_row(pragma, [], |row| row.get::<_, i64>(0)));
        self.check(self.sql.busy_timeout(BUSY_TIMEOUT))?;
        if number("PRAGMA application_id")? != format.application_id {
            return Err(self.corrupt("it is not a file of this log"));
        }
        let found = number("PRAGMA user_version")?;
        if found != VERSION {
            return Err(LogError::Version { path: self.path.clone(), found, expected: VERSION });
        }
        self.sql.set_prepared_statement_cache_capacity(1024);
        // FULL: a commit returns only after the write-ahead log is synced, so it survives a power cut.
        self.check(self.sql.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"))
    }

    /// Converts SQLite's error to [`LogError`] with the path of this file.
    pub(super) fn check<T>(&self, result: rusqlite::Result<T>) -> Result<T, LogError> {
        result.map_err(|error| sqlite_error(&self.path, error))
    }

    /// The error that this file is corrupt.
    pub(super) fn corrupt(&self, detail: impl Into<String>) -> LogError {
        LogError::Corrupt { path: self.path.clone(), detail: detail.into() }
    }

    /// Ids of a topic's partitions, by number; empty when the topic does not exist.
    pub(super) fn partition_ids(&self, topic: &str) -> Result<Vec<i64>, LogError> {
        let read = || {
            let mut rows = self.sql.prepare_cached("SELECT id FROM partitions WHERE topic = ?1 ORDER BY number")?;
            rows.query_map([topic], |row| row.get(0))?.collect()
        };
        self.check(read())
    }

    /// First and next offset of a partition.
    pub(super) fn offsets(&self, id: i64) -> Result<Range<u64>, LogError> {
        let edge = |order: &str| {
            let query = format!("SELECT \"offset\" FROM p{id} ORDER BY \"offset\" {order} LIMIT 1");
            self.check(self.sql.prepare_cached(&query).and_then(|mut row| row.query_row([], |row| row.get::<_, i64>(0)).optional()))
        };
        let start = edge("ASC")?.unwrap_or(0);
        let end = edge("DESC")?.map_or(0, |last| last + 1);
        Ok(start.unsigned_abs()..end.unsigned_abs())
    }

    /// Creates a missing topic; fails when it exists with another number of partitions.
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

/// Creates the topic unless it exists; returns its number of partitions.
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

/// Creates the file atomically; safe when several processes start at once.
fn create_if_missing(dir: &Path, path: &Path, format: &Format) -> Result<(), LogError> {
    if path.exists() {
        return Ok(());
    }
    let lock = dir.join(CREATE_LOCK);
    let lock_file = modes::private_file().open(&lock).map_err(|error| LogError::file(&lock, error))?;
    lock_file.lock().map_err(|error| LogError::file(&lock, error))?;
    if path.exists() {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let _ = fs::remove_file(&temporary);
    // SQLite would create it readable for everybody.
    modes::private_file().open(&temporary).map_err(|error| LogError::file(&temporary, error))?;
    initialise(&temporary, format).map_err(|error| sqlite_error(&temporary, error))?;
    fs::rename(&temporary, path).map_err(|error| LogError::file(path, error))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| LogError::file(dir, error))
}

fn initialise(path: &Path, format: &Format) -> rusqlite::Result<()> {
    let sql = Connection::open(path)?;
    sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    sql.execute_batch(&format!(
        "PRAGMA synchronous = FULL; BEGIN; {} PRAGMA application_id = {}; PRAGMA user_version = {VERSION}; COMMIT;",
        format.schema, format.application_id
    ))?;
    sql.close().map_err(|(_, error)| error)
}

/// Refuses names that are not valid as a file name and as a Kafka topic.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), LogError> {
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if valid && !name.is_empty() && name.len() <= 200 && !name.starts_with('.') {
        return Ok(());
    }
    Err(LogError::Config { setting: what, reason: format!("{name:?} may hold only letters, digits, dot, underscore and hyphen") })
}

/// The partition of a topic by its index in the list of ids.
pub(super) fn partition_of(topic: &Arc<str>, number: usize) -> Partition {
    // INVARIANT: partition numbers are created from u32.
    Partition { topic: topic.clone(), number: u32::try_from(number).expect("partition number") }
}

/// Converts SQLite's error to [`LogError`].
pub(super) fn sqlite_error(path: &Path, error: rusqlite::Error) -> LogError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => LogError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => LogError::Corrupt { path, detail: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy { path },
        Some(ErrorCode::ReadOnly) => LogError::ReadOnly { path },
        _ => LogError::Storage { path, source: Arc::new(error) },
    }
}

/// The error that the file at this path is not the one that was opened.
pub(super) fn replaced_error(path: &Path, reason: impl Into<String>) -> LogError {
    LogError::Replaced { log: path.display().to_string(), reason: reason.into() }
}
