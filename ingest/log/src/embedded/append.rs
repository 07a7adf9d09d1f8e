//! One append transaction of the embedded log: stores entries, syncs them and returns their positions.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Transaction, TransactionBehavior, params};

use super::row;
use super::store::{FileId, LogFile, RECORDS, partition_of, sqlite_error};
use crate::config::EmbeddedConfig;
use crate::entry::{Entry, MAX_ENTRY_BYTES};
use crate::error::LogError;
use crate::murmur2;
use crate::partition::Position;

/// For each entry of one call its position, or why it was refused.
pub(super) type CallResults = Vec<Result<Position, LogError>>;

/// Writes append transactions to `records.sqlite`.
pub(super) struct Appender {
    store: LogFile,
    max_bytes: Option<u64>,
    /// The last transaction failed, so the connection may be unusable, e.g. because the disk was read-only.
    failed: bool,
    topics: HashMap<Arc<str>, Vec<PartitionTable>>,
}

/// PartitionTable of one partition.
struct PartitionTable {
    id: i64,
    insert_sql: String,
}

impl Appender {
    pub(super) fn open(config: &EmbeddedConfig) -> Result<Self, LogError> {
        let appender =
            Self { store: LogFile::open(&config.dir, &RECORDS)?, max_bytes: config.max_bytes, failed: false, topics: HashMap::new() };
        appender.apply_size_limit().map(|()| appender)
    }

    /// Path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.store.path
    }

    /// Identity of the file.
    pub(super) fn file(&self) -> FileId {
        self.store.file
    }

    /// Appends all calls in one durable transaction. Opens the file again first when the last transaction failed.
    pub(super) fn append<'a>(&mut self, calls: impl Iterator<Item = &'a [Entry]> + Clone) -> Result<Vec<CallResults>, LogError> {
        self.reopen_after_failure()?;
        let written = self.transaction(calls);
        self.failed = written.is_err();
        written
    }

    fn transaction<'a>(&mut self, calls: impl Iterator<Item = &'a [Entry]> + Clone) -> Result<Vec<CallResults>, LogError> {
        for entry in calls.clone().flatten() {
            self.load_topic(&entry.topic)?;
        }
        let path = self.store.path.clone();
        let fail = |error| sqlite_error(&path, error);
        let tx = self.store.sql.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let mut appending = AppendTransaction { tx: &tx, topics: &self.topics, ends: HashMap::new(), now_ms: now_ms() };
        let mut outcomes = Vec::new();
        for entries in calls {
            let call = entries.iter().map(|entry| match entry.check() {
                Ok(()) => appending.insert(entry).map_err(fail),
                Err(refused) => Ok(Err(refused)),
            });
            outcomes.push(call.collect::<Result<CallResults, LogError>>()?);
        }
        tx.commit().map_err(fail)?;
        // If the file was deleted or replaced meanwhile, nobody can read what was written.
        self.store.file.check(&self.store.path)?;
        Ok(outcomes)
    }

    fn reopen_after_failure(&mut self) -> Result<(), LogError> {
        self.store.file.check(&self.store.path)?;
        if self.failed {
            self.store.reopen(&RECORDS)?;
            self.apply_size_limit()?;
            self.failed = false;
        }
        Ok(())
    }

    fn apply_size_limit(&self) -> Result<(), LogError> {
        self.max_bytes.map_or(Ok(()), |bytes| self.store.check(set_max_page_count(&self.store, bytes)))
    }

    /// Tests whether an entry of the maximum size can be written now.
    pub(super) fn check_writable(&mut self) -> Result<(), LogError> {
        self.reopen_after_failure()?;
        let write = |store: &LogFile| {
            store.sql.execute("INSERT INTO probe (filler) VALUES (zeroblob(?1))", [MAX_ENTRY_BYTES])?;
            store.sql.execute("DELETE FROM probe", [])
        };
        let written = self.store.check(write(&self.store)).map(|_| ());
        self.failed = written.is_err();
        written
    }

    /// Loads a topic at its first append, as it may have been created after this writer was opened.
    fn load_topic(&mut self, topic: &Arc<str>) -> Result<(), LogError> {
        if self.topics.contains_key(topic) {
            return Ok(());
        }
        let ids = self.store.partition_ids(topic)?;
        if !ids.is_empty() {
            let tables = ids.into_iter().map(|id| PartitionTable { id, insert_sql: insert_sql(id) }).collect();
            self.topics.insert(topic.clone(), tables);
        }
        Ok(())
    }
}

fn insert_sql(id: i64) -> String {
    format!("INSERT INTO p{id} (\"offset\", appended_ms, key, headers, value, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
}
struct AppendTransaction<'a> {
    tx: &'a Transaction<'a>,
    topics: &'a HashMap<Arc<str>, Vec<PartitionTable>>,
    /// Next offset per table; queried once per transaction, as another process may append too.
    ends: HashMap<i64, u64>,
    now_ms: i64,
}

impl AppendTransaction<'_> {
    fn insert(&mut self, entry: &Entry) -> rusqlite::Result<Result<Position, LogError>> {
        let Some(tables) = self.topics.get(&entry.topic) else {
            return Ok(Err(LogError::UnknownTopic { topic: entry.topic.to_string() }));
        };
        // INVARIANT: partition numbers are created from u32.
        let number = murmur2::partition(&entry.key, u32::try_from(tables.len()).expect("partition count"));
        let table = &tables[number as usize];
        let offset = self.next_offset(table.id)?;
        let headers = row::encode_headers(&entry.headers);
        let fields = row::RowFields { offset, appended_ms: self.now_ms, key: &entry.key, headers: &headers, value: &entry.value };
        let crc = fields.checksum();
        self.tx.prepare_cached(&table.insert_sql)?.execute(params![
            offset.cast_signed(),
            self.now_ms,
            &entry.key[..],
            headers,
            &entry.value[..],
            crc
        ])?;
        Ok(Ok(Position { partition: partition_of(&entry.topic, number as usize), offset }))
    }

    fn next_offset(&mut self, id: i64) -> rusqlite::Result<u64> {
        if !self.ends.contains_key(&id) {
            let query = format!("SELECT coalesce(max(\"offset\") + 1, 0) FROM p{id}");
            let end = self.tx.prepare_cached(&query)?.query_row([], |row| row.get::<_, i64>(0))?;
            self.ends.insert(id, end.unsigned_abs());
        }
        let end = self.ends.entry(id).or_default();
        let offset = *end;
        *end += 1;
        Ok(offset)
    }
}

/// Makes SQLite refuse to grow the file beyond this size.
fn set_max_page_count(store: &LogFile, bytes: u64) -> rusqlite::Result<()> {
    let page: i64 = store.sql.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = bytes / page.unsigned_abs().max(1);
    store.sql.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// The current time of this machine in milliseconds since 1970.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
