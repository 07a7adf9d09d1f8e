//! One transaction of the embedded log: entries in, positions out, synced to disk.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Transaction, TransactionBehavior, params};

use super::row;
use super::store::{FileId, RECORDS, Store, failure, named};
use crate::config::EmbeddedConfig;
use crate::entry::{Entry, MAX_ENTRY_BYTES};
use crate::error::LogError;
use crate::murmur2;
use crate::partition::Position;

/// Positions of the entries of one call, or why an entry was refused.
pub(super) type Outcomes = Vec<Result<Position, LogError>>;

/// Writes transactions.
pub(super) struct Appender {
    store: Store,
    max_bytes: Option<u64>,
    /// The last transaction failed: the connection may be of no use any more, e.g. because the disk was read-only.
    failed: bool,
    topics: HashMap<Arc<str>, Vec<Table>>,
}

/// Table of one partition.
struct Table {
    id: i64,
    insert: String,
}

impl Appender {
    /// Opens the records for appending.
    pub(super) fn open(config: &EmbeddedConfig) -> Result<Self, LogError> {
        let appender =
            Self { store: Store::open(&config.dir, &RECORDS)?, max_bytes: config.max_bytes, failed: false, topics: HashMap::new() };
        appender.limit().map(|()| appender)
    }

    /// Which file is appended to.
    pub(super) fn file(&self) -> (PathBuf, FileId) {
        (self.store.path.clone(), self.store.file)
    }

    /// Appends every call in one transaction; either all of it is durable or nothing of it is there. A connection that failed is
    /// opened again first.
    pub(super) fn append<'a>(&mut self, calls: impl Iterator<Item = &'a [Entry]> + Clone) -> Result<Vec<Outcomes>, LogError> {
        self.recover()?;
        let written = self.transaction(calls);
        self.failed = written.is_err();
        written
    }

    fn transaction<'a>(&mut self, calls: impl Iterator<Item = &'a [Entry]> + Clone) -> Result<Vec<Outcomes>, LogError> {
        for entry in calls.clone().flatten() {
            self.learn_topic(&entry.topic)?;
        }
        let path = self.store.path.clone();
        let fail = |error| failure(&path, error);
        let tx = self.store.sql.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let mut batch = Batch { tx: &tx, topics: &self.topics, ends: HashMap::new(), now_ms: now_ms() };
        let mut outcomes = Vec::new();
        for entries in calls {
            let call = entries.iter().map(|entry| match entry.check() {
                Ok(()) => batch.insert(entry).map_err(fail),
                Err(refused) => Ok(Err(refused)),
            });
            outcomes.push(call.collect::<Result<Outcomes, LogError>>()?);
        }
        tx.commit().map_err(fail)?;
        // Into a file that was deleted or replaced meanwhile, it was written for nobody.
        self.store.file.check(&self.store.path)?;
        Ok(outcomes)
    }

    fn recover(&mut self) -> Result<(), LogError> {
        self.store.file.check(&self.store.path)?;
        if self.failed {
            self.store.reopen(&RECORDS)?;
            self.limit()?;
            self.failed = false;
        }
        Ok(())
    }

    fn limit(&self) -> Result<(), LogError> {
        self.max_bytes.map_or(Ok(()), |bytes| self.store.check(limit(&self.store, bytes)))
    }

    /// Whether a largest entry would fit now.
    pub(super) fn probe(&mut self) -> Result<(), LogError> {
        self.recover()?;
        let write = |store: &Store| {
            store.sql.execute("INSERT INTO probe (filler) VALUES (zeroblob(?1))", [MAX_ENTRY_BYTES])?;
            store.sql.execute("DELETE FROM probe", [])
        };
        let written = self.store.check(write(&self.store)).map(|_| ());
        self.failed = written.is_err();
        written
    }

    /// Looks a topic up once it is first written to; it may have been created after this writer was opened.
    fn learn_topic(&mut self, topic: &Arc<str>) -> Result<(), LogError> {
        if self.topics.contains_key(topic) {
            return Ok(());
        }
        let ids = self.store.partition_ids(topic)?;
        if !ids.is_empty() {
            let tables = ids.into_iter().map(|id| Table { id, insert: insert(id) }).collect();
            self.topics.insert(topic.clone(), tables);
        }
        Ok(())
    }
}

fn insert(id: i64) -> String {
    format!("INSERT INTO p{id} (\"offset\", appended_ms, key, headers, value, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
}

/// The open transaction.
struct Batch<'a> {
    tx: &'a Transaction<'a>,
    topics: &'a HashMap<Arc<str>, Vec<Table>>,
    /// Next offset per table; asked once per transaction, as another process may append too.
    ends: HashMap<i64, u64>,
    now_ms: i64,
}

impl Batch<'_> {
    fn insert(&mut self, entry: &Entry) -> rusqlite::Result<Result<Position, LogError>> {
        let Some(tables) = self.topics.get(&entry.topic) else {
            return Ok(Err(LogError::UnknownTopic { topic: entry.topic.to_string() }));
        };
        // INVARIANT: partition numbers are created from u32.
        let number = murmur2::partition(&entry.key, u32::try_from(tables.len()).expect("partition count"));
        let table = &tables[number as usize];
        let offset = self.take_offset(table.id)?;
        let headers = row::encode_headers(&entry.headers);
        let fields = row::Fields { offset, appended_ms: self.now_ms, key: &entry.key, headers: &headers, value: &entry.value };
        let crc = fields.checksum();
        self.tx.prepare_cached(&table.insert)?.execute(params![
            offset.cast_signed(),
            self.now_ms,
            &entry.key[..],
            headers,
            &entry.value[..],
            crc
        ])?;
        Ok(Ok(Position { partition: named(&entry.topic, number as usize), offset }))
    }

    fn take_offset(&mut self, id: i64) -> rusqlite::Result<u64> {
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

/// Lets SQLite refuse to grow the file past this size.
fn limit(store: &Store, bytes: u64) -> rusqlite::Result<()> {
    let page: i64 = store.sql.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let pages = bytes / page.unsigned_abs().max(1);
    store.sql.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// The log's clock.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
