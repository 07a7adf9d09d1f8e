//! The register's file: SQLite, one writer, one connection for lookups.
//!
//! Guarantees: a batch is written whole or not at all, together with the offsets it makes the file true for. A crash may lose the
//! newest batches (they are read from the log again), never the file. The file can be read by this user alone. What to do about a
//! file that fails is decided in [`super::Register`].

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use qamtu_log::{NextOffset, Partition, Record};
use qamtu_schemas::{
    Event, Kind, decode, encode,
    id::{BodyHash, EventId},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::{identity::Identity, known::Known};
use crate::private;

const SCHEMA: &str = include_str!("schema.sql");

/// Number of the file's format; a file of another one is replaced.
const FORMAT: i64 = 2;

/// What SQLite keeps beside the file.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What the register's file cannot do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("{} is in use by another process: give each ingest process its own register.path", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The folder or the file cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// SQLite failed.
    #[error("the register's file failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The file holds what no version of this program writes.
    #[error("the register's file is not usable: {0}")]
    Content(&'static str),
    /// The file was deleted or replaced while it was open.
    #[error("the register's file is gone")]
    Gone,
    /// The register is being built again.
    #[error("the register is being built again from the log")]
    Rebuilding,
}

impl StoreError {
    /// Will the same file do once there is room, or once somebody else lets go of it?
    pub fn is_transient(&self) -> bool {
        let code = if let Self::Sqlite(error) = self { error.sqlite_error_code() } else { None };
        matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Is it the file that fails, so that a new one may help?
    pub fn is_of_the_file(&self) -> bool {
        !matches!(self, Self::InUse { .. } | Self::Io { .. })
    }
}

/// An event as the file holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Its id and what it is compared by.
    pub identity: Identity,
    /// When it was received, in microseconds since 1970.
    pub received_us: i64,
}

/// What some records of the log change.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events by id.
    pub ids: Vec<Registered>,
    /// Events to fold again at the next start: id, hash, structured JSON.
    pub facts: Vec<(EventId, BodyHash, Vec<u8>)>,
    /// The offsets that the file is true for afterwards.
    pub next: Vec<NextOffset>,
}

impl Batch {
    /// What records change, and the events among them that there is something to learn from. Records that are no events count
    /// for nothing but their offset.
    pub fn of(records: &[Record]) -> (Self, Vec<Event>) {
        let mut batch = Self::default();
        let mut events = Vec::new();
        for record in records {
            match batch.next.iter_mut().find(|next| next.partition == record.partition) {
                Some(next) => next.offset = record.offset + 1,
                None => batch.next.push(record.partition.next_offset(record.offset + 1)),
            }
            let Some((row, kind)) = registered(record) else { continue };
            let Identity { id, hash, .. } = row.identity;
            batch.ids.push(row);
            if !Known::learns_from(kind) {
                continue;
            }
            let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
            let (Ok(event), Some(value)) = (decode(headers, record.value.as_deref()), &record.value) else { continue };
            if let Ok(body) = encode::structured(&event.envelope, value) {
                batch.facts.push((id, hash, body));
                events.push(event);
            }
        }
        (batch, events)
    }

    /// Takes what later records change.
    pub fn merge(&mut self, later: Self) {
        self.ids.extend(later.ids);
        self.facts.extend(later.facts);
        for next in later.next {
            match self.next.iter_mut().find(|held| held.partition == next.partition) {
                Some(held) => *held = next,
                None => self.next.push(next),
            }
        }
    }
}

/// What the file holds of a record, and its type; none if it is no event.
pub(super) fn registered(record: &Record) -> Option<(Registered, Kind)> {
    let (identity, kind) = Identity::of_record(record)?;
    let (_, received) = record.headers.iter().find(|(name, _)| name == "ce_receivedtime")?;
    let received: jiff::Timestamp = std::str::from_utf8(received).ok()?.parse().ok()?;
    Some((Registered { identity, received_us: received.as_microsecond() }, kind))
}

/// The right to use a register's file, which one process has at a time.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it; makes the folder where it is missing.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        private::folder(path.parent().unwrap_or(Path::new("")), |file| file.starts_with(name)).map_err(io)?;
        let file = private::file(&beside(path, "-lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// The file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// Device and number of the file, to notice that the path names another one.
    identity: (u64, u64),
    _lock: Lock,
}

impl Store {
    /// Opens the file, or begins it.
    pub fn open(path: &Path, lock: Lock) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        // SQLite gives its other files the mode of this one.
        let file = private::file(path).map_err(io)?;
        SIDE_FILES.iter().try_for_each(|suffix| private::restrict(&beside(path, suffix))).map_err(io)?;
        let identity = identity(&file.metadata().map_err(io)?);
        Ok(Self { path: path.to_owned(), connection: connect(path)?, identity, _lock: lock })
    }

    /// Deletes the file, whatever it is, and begins a new one.
    pub fn replace(path: &Path, lock: Lock) -> Result<Self, StoreError> {
        for file in SIDE_FILES.iter().chain(&[""]).map(|suffix| beside(path, suffix)) {
            match fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(StoreError::Io { path: file, source }),
                _ => {}
            }
        }
        Self::open(path, lock)
    }

    /// A second connection, for lookups beside the writer.
    pub fn lookup(&self) -> Result<Lookup, StoreError> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Lookup(connection))
    }

    /// The next offsets the file is true for.
    pub fn positions(&self) -> Result<Vec<NextOffset>, StoreError> {
        let mut query = self.connection.prepare("SELECT topic, partition, next FROM position")?;
        let rows = query.query_map([], |row| {
            let topic: String = row.get(0)?;
            Ok(Partition::new(topic, row.get(1)?).next_offset(row.get(2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many ids it holds.
    pub fn count(&self) -> Result<usize, StoreError> {
        Ok(self.connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?)
    }

    /// Hands out every id.
    pub fn ids(&self, mut each: impl FnMut(EventId)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare("SELECT id FROM event")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(EventId(uuid::Uuid::from_bytes(row.get(0)?)));
        }
        Ok(())
    }

    /// Hands out every event that something is learned from.
    pub fn facts(&self, mut each: impl FnMut(Event)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare("SELECT body FROM fact")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let body: String = row.get(0)?;
            // It decoded when it was written, and a decoder never forgets.
            each(decode::decode_structured(body.as_bytes()).map_err(|_| StoreError::Content("an event in it cannot be read"))?);
        }
        Ok(())
    }

    /// Writes a batch; writing it again changes nothing.
    pub fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        // SQLite would go on writing into a file that nobody will find again.
        if !fs::metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity) {
            return Err(StoreError::Gone);
        }
        let transaction = self.connection.transaction()?;
        insert(&transaction, batch)?;
        transaction.commit()?;
        Ok(())
    }

    /// Empties the file.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch("DELETE FROM position; DELETE FROM event; DELETE FROM fact;")?;
        transaction.commit()?;
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut event = transaction.prepare_cached(
        "INSERT INTO event (id, hash, public, about, received) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE \
         SET hash = excluded.hash, public = excluded.public, about = excluded.about, received = excluded.received \
         WHERE (excluded.received, excluded.hash) < (received, hash)",
    )?;
    // Neighbouring keys share pages: in order, a batch touches each page once.
    let mut rows: Vec<&Registered> = batch.ids.iter().collect();
    rows.sort_unstable_by_key(|row| row.identity.id);
    for Registered { identity: Identity { id, hash, public, about }, received_us } in rows {
        // SQLite has signed numbers only.
        let (public, about) = (public.cast_signed(), about.cast_signed());
        event.execute(params![id.0.as_bytes().as_slice(), hash.0.as_slice(), public, about, received_us])?;
    }
    let mut fact = transaction.prepare_cached("INSERT OR IGNORE INTO fact (id, hash, body) VALUES (?1, ?2, ?3)")?;
    for (id, hash, body) in &batch.facts {
        fact.execute(params![id.0.as_bytes().as_slice(), hash.0.as_slice(), String::from_utf8_lossy(body)])?;
    }
    let mut position = transaction.prepare_cached("INSERT OR REPLACE INTO position (topic, partition, next) VALUES (?1, ?2, ?3)")?;
    for next in &batch.next {
        position.execute(params![&*next.partition.topic, next.partition.number, next.offset])?;
    }
    Ok(())
}

/// Looks up ids while the writer writes.
#[derive(Debug)]
pub struct Lookup(Connection);

impl Lookup {
    /// What is known of an event, if the file holds it.
    pub fn find(&self, id: EventId) -> Result<Option<Identity>, StoreError> {
        let mut query = self.0.prepare_cached("SELECT hash, public, about FROM event WHERE id = ?1")?;
        let read = |row: &Row<'_>| {
            let number = |column| row.get(column).map(i64::cast_unsigned);
            Ok(Identity { id, hash: BodyHash(row.get(0)?), public: number(1)?, about: number(2)? })
        };
        Ok(query.query_row([id.0.as_bytes().as_slice()], read).optional()?)
    }
}

/// Opens or begins the file.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A crash of the machine may undo the newest transactions: the log still has them.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    // Ids are spread over all pages, so that pages are written again and again: better seldom into the file itself.
    connection.pragma_update(None, "wal_autocheckpoint", 8_000)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        connection.execute_batch(&format!("BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"))?;
    }
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format == FORMAT { Ok(connection) } else { Err(StoreError::Content("it has another format")) }
}

fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
