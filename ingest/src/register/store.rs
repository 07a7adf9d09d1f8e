//! The register's file: SQLite, one writer, one connection for lookups.
//!
//! Guarantees: an update is written in one transaction together with its next offsets. A crash may lose the newest updates, which are read
//! from the log again, never the file. Only the owner can read the file. [`super::Register`] decides what to do when the file fails.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use qamtu_log::{NextOffset, Partition};
use qamtu_schemas::{
    Event, decode,
    id::{BodyHash, EventId},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::{
    event_identity::EventIdentity,
    update::{EventBodyRow, RegisterRow, RegisterUpdate},
};
use crate::private;

const SCHEMA: &str = include_str!("schema.sql");

/// Version of the file format (`user_version`); a file of another version is replaced.
const FORMAT: i64 = 3;

/// Suffixes of the files that SQLite creates next to the database.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why the register's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has locked the file.
    #[error("{} is in use by another process: give each ingest process its own register.path", path.display())]
    InUse {
        /// Path of the file.
        path: PathBuf,
    },
    /// The folder or the file cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// SQLite returned an error.
    #[error("the register's file failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The content is not what this program writes.
    #[error("the register's file is not usable: {0}")]
    Content(&'static str),
    /// The file was deleted or replaced while it was open.
    #[error("the register's file is gone")]
    Gone,
    /// There is no file at the moment: the register is being built again.
    #[error("the register is being built again from the log")]
    Rebuilding,
}

impl StoreError {
    /// Whether a retry with the same file may succeed: the disk is full or the database is locked.
    pub fn is_transient(&self) -> bool {
        let code = if let Self::Sqlite(error) = self { error.sqlite_error_code() } else { None };
        matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether the file itself is the problem, so that replacing it helps.
    pub fn is_file_error(&self) -> bool {
        !matches!(self, Self::InUse { .. } | Self::Io { .. })
    }
}

/// Exclusive lock on a register's file, across processes; released when dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough while a child that another thread has just forked shares its handle.
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Locks the file at `path` without waiting; creates the folder if it is missing.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        private::folder(path.parent().unwrap_or(Path::new("")), |file| file.starts_with(name)).map_err(io)?;
        let file = private::file(&sibling(path, "-lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Identity of a file on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }
}

/// The database connection that writes.
#[derive(Debug)]
pub struct RegisterStore {
    path: PathBuf,
    connection: Connection,
    /// Detects that the file was deleted or replaced.
    inode: Inode,
    _lock: Lock,
}

impl RegisterStore {
    /// Opens the file, or creates it.
    pub fn open(path: &Path, lock: Lock) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        // SQLite creates its other files with the mode of this one.
        let file = private::file(path).map_err(io)?;
        SIDE_FILES.iter().try_for_each(|suffix| private::restrict(&sibling(path, suffix))).map_err(io)?;
        let inode = Inode::of(&file.metadata().map_err(io)?);
        Ok(Self { path: path.to_owned(), connection: connect(path)?, inode, _lock: lock })
    }

    /// Deletes the file and its side files, and creates a new one.
    pub fn replace(path: &Path, lock: Lock) -> Result<Self, StoreError> {
        for file in SIDE_FILES.iter().chain(&[""]).map(|suffix| sibling(path, suffix)) {
            match fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(StoreError::Io { path: file, source }),
                _ => {}
            }
        }
        Self::open(path, lock)
    }

    /// Opens a second connection, for lookups while this one writes.
    pub fn lookup(&self) -> Result<Lookup, StoreError> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Lookup(connection))
    }

    /// The next offset per partition.
    pub fn positions(&self) -> Result<Vec<NextOffset>, StoreError> {
        let mut query = self.connection.prepare("SELECT topic, partition, next FROM position")?;
        let rows = query.query_map([], |row| {
            let topic: String = row.get(0)?;
            Ok(Partition::new(topic, row.get(1)?).next_offset(row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of ids in the file.
    pub fn count(&self) -> Result<usize, StoreError> {
        Ok(self.connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?)
    }

    /// Calls `each` with every id.
    pub fn ids(&self, mut each: impl FnMut(EventId)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare("SELECT id FROM event")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(EventId(uuid::Uuid::from_bytes(row.get(0)?)));
        }
        Ok(())
    }

    /// Calls `each` with every event of the table `event_body`.
    pub fn event_bodies(&self, mut each: impl FnMut(Event)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare("SELECT body FROM event_body")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let body: String = row.get(0)?;
            // It was decoded before it was written, and decoders stay able to read old versions.
            each(decode::decode_structured(body.as_bytes()).map_err(|_| StoreError::Content("an event in it cannot be read"))?);
        }
        Ok(())
    }

    /// Writes an update in one transaction. Idempotent.
    pub fn write(&mut self, update: &RegisterUpdate) -> Result<(), StoreError> {
        // SQLite would continue to write into a file that was deleted.
        if !fs::metadata(&self.path).is_ok_and(|metadata| Inode::of(&metadata) == self.inode) {
            return Err(StoreError::Gone);
        }
        let transaction = self.connection.transaction()?;
        insert(&transaction, update)?;
        transaction.commit()?;
        Ok(())
    }

    /// Deletes all rows of all tables.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch("DELETE FROM position; DELETE FROM event; DELETE FROM event_body;")?;
        transaction.commit()?;
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, update: &RegisterUpdate) -> rusqlite::Result<()> {
    let mut event = transaction.prepare_cached(
        "INSERT INTO event (id, hash, public, about, received) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE \
         SET hash = excluded.hash, public = excluded.public, about = excluded.about, received = excluded.received \
         WHERE (excluded.received, excluded.hash) < (received, hash)",
    )?;
    // In key order an update writes each page once.
    let mut rows: Vec<&RegisterRow> = update.ids.iter().collect();
    rows.sort_unstable_by_key(|row| row.identity.id);
    for RegisterRow { identity: EventIdentity { id, hash, public, about, received_us }, .. } in rows {
        // SQLite integers are signed.
        let (public, about) = (public.cast_signed(), about.cast_signed());
        event.execute(params![id.0.as_bytes().as_slice(), hash.0.as_slice(), public, about, received_us])?;
    }
    let mut event_body = transaction.prepare_cached("INSERT OR IGNORE INTO event_body (id, hash, body) VALUES (?1, ?2, ?3)")?;
    for EventBodyRow { id, hash, body } in &update.bodies {
        event_body.execute(params![id.0.as_bytes().as_slice(), hash.0.as_slice(), String::from_utf8_lossy(body)])?;
    }
    let mut position = transaction.prepare_cached("INSERT OR REPLACE INTO position (topic, partition, next) VALUES (?1, ?2, ?3)")?;
    for next in &update.next {
        position.execute(params![&*next.partition.topic, next.partition.number, next.offset])?;
    }
    Ok(())
}

/// A read-only connection for lookups.
#[derive(Debug)]
pub struct Lookup(Connection);

impl Lookup {
    /// The identity of an event, if the file holds it.
    pub fn find(&self, id: EventId) -> Result<Option<EventIdentity>, StoreError> {
        let mut query = self.0.prepare_cached("SELECT hash, public, about, received FROM event WHERE id = ?1")?;
        let read = |row: &Row<'_>| {
            let number = |column| row.get(column).map(i64::cast_unsigned);
            Ok(EventIdentity { id, hash: BodyHash(row.get(0)?), public: number(1)?, about: number(2)?, received_us: row.get(3)? })
        };
        Ok(query.query_row([id.0.as_bytes().as_slice()], read).optional()?)
    }
}

/// Opens the database; creates the schema in an empty one.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // With NORMAL, a power failure may lose the newest transactions; they are read from the log again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    // Random ids change the same pages again and again: rare checkpoints write each page less often.
    connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        connection.execute_batch(&format!("BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"))?;
    }
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format == FORMAT { Ok(connection) } else { Err(StoreError::Content("it has another format")) }
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
