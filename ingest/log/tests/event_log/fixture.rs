//! A separate log for every test, and helper functions for the steps of a test.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use qamtu_devstack::broker::BrokerOptions;
use qamtu_devstack::testing::{scratch_dir, shared_broker};
use qamtu_log::{
    Delivery, Entry, KafkaConfig, LogConfig, LogError, LogReader, LogWriter, Membership, Partition, ReaderOptions, Record, TopicSpec,
    ensure_topics, open_reader, open_writer,
};
use tempfile::TempDir;

/// Timeout of one step of a test.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// The log of one test, with its configuration.
pub struct LogFixture {
    pub config: LogConfig,
    _dir: Option<TempDir>,
}

impl LogFixture {
    /// An embedded log in a new folder.
    pub fn embedded() -> Self {
        let dir = tempfile::tempdir().expect("folder");
        Self { config: LogConfig::embedded(dir.path().join("log")), _dir: Some(dir) }
    }

    /// A unique topic prefix on the shared broker.
    pub fn kafka() -> Option<Self> {
        let config = KafkaConfig { topic_prefix: format!("t{}-", uuid::Uuid::new_v4().simple()), ..kafka_config(shared_broker()?) };
        Some(Self { config: LogConfig::Kafka(config), _dir: None })
    }

    /// A log that the test has configured by itself.
    pub fn with_config(config: LogConfig) -> Self {
        Self { config, _dir: None }
    }

    /// Folder of the embedded log.
    pub fn dir(&self) -> &Path {
        match &self.config {
            LogConfig::Embedded(config) => &config.dir,
            LogConfig::Kafka(_) => panic!("Kafka has no folder"),
        }
    }

    pub fn is_kafka(&self) -> bool {
        matches!(self.config, LogConfig::Kafka(_))
    }

    pub async fn topic(&self, name: &str, partitions: u32) {
        ensure_topics(&self.config, &[TopicSpec { name: name.into(), partitions }]).await.expect("topic");
    }

    pub async fn writer(&self) -> Arc<dyn LogWriter> {
        open_writer(&self.config).await.expect("writer")
    }

    pub async fn reader(&self, topics: &[&str], membership: Membership) -> Box<dyn LogReader> {
        open_reader(&self.config, options(topics, membership)).await.expect("reader")
    }

    /// All records of these topics, by partition.
    pub async fn read_all(&self, topics: &[&str]) -> BTreeMap<Partition, Vec<Record>> {
        let mut reader = self.reader(topics, Membership::Standalone).await;
        start_all(&mut *reader).await;
        read_to_end(&mut *reader).await
    }
}

/// Runs one test with a timeout, so that a hanging test fails under its own name.
pub fn run_test(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(300), test).await.expect("the test took too long") });
    runtime.shutdown_timeout(Duration::from_secs(5));
}

/// Awaits one step; panics after [`DEADLINE`].
pub async fn within_deadline<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} took too long"))
}

/// Configuration for one broker: replication factor 1, short timeouts.
pub fn kafka_config(brokers: String) -> KafkaConfig {
    KafkaConfig { replicas: 1, session_timeout_ms: 6_000, ..KafkaConfig::new(brokers) }
}

pub fn broker_options(name: &str) -> BrokerOptions {
    BrokerOptions::new(scratch_dir().join(name)).expect("a folder for the cache")
}

pub fn options(topics: &[&str], membership: Membership) -> ReaderOptions {
    ReaderOptions { topics: topics.iter().map(|topic| (*topic).into()).collect(), membership, max_records: 1_000, max_bytes: 4 << 20 }
}

pub fn member(member: u32, members: u32) -> Membership {
    Membership::Group { group: "projector".into(), member, members }
}

pub fn entry(topic: &str, key: &str, value: impl Into<Bytes>) -> Entry {
    Entry { topic: topic.into(), key: Bytes::copy_from_slice(key.as_bytes()), headers: Vec::new(), value: value.into() }
}

/// `count` entries over `keys` keys; the value is the number of the entry.
pub fn numbered(topic: &str, keys: u64, numbers: std::ops::Range<u64>) -> Vec<Entry> {
    numbers.map(|number| entry(topic, &format!("key-{}", number % keys), number.to_string())).collect()
}

/// Appends all entries; panics when one fails.
pub async fn append_all(writer: &dyn LogWriter, entries: Vec<Entry>) -> Vec<qamtu_log::Position> {
    let outcomes = within_deadline("append", writer.append(entries)).await;
    outcomes.into_iter().map(|outcome| outcome.expect("append")).collect()
}

pub async fn next(reader: &mut dyn LogReader) -> Delivery {
    within_deadline("next", reader.next()).await.expect("delivery")
}

/// Waits for the assignment.
pub async fn assigned(reader: &mut dyn LogReader) -> Vec<(Partition, Option<u64>)> {
    match next(reader).await {
        Delivery::Assigned(partitions) => partitions,
        other => panic!("expected the assignment, got {other:?}"),
    }
}

/// Waits for the assignment and starts all partitions at the committed offset, or at 0.
pub async fn start_all(reader: &mut dyn LogReader) -> Vec<Partition> {
    let partitions = assigned(reader).await;
    let at: Vec<_> = partitions.iter().map(|(partition, next)| partition.next_offset(next.unwrap_or(0))).collect();
    within_deadline("start", reader.start_at(&at)).await.expect("start");
    partitions.into_iter().map(|(partition, _)| partition).collect()
}

/// Reads until `CaughtUp`; returns the records by partition.
pub async fn read_to_end(reader: &mut dyn LogReader) -> BTreeMap<Partition, Vec<Record>> {
    let mut all = BTreeMap::<Partition, Vec<Record>>::new();
    loop {
        match next(reader).await {
            Delivery::Records(records) => {
                records.into_iter().for_each(|record| all.entry(record.partition.clone()).or_default().push(record))
            }
            Delivery::CaughtUp => return all,
            other => panic!("expected records, got {other:?}"),
        }
    }
}

/// Reads exactly this number of records.
pub async fn read_count(reader: &mut dyn LogReader, count: usize) -> Vec<Record> {
    let mut all = Vec::new();
    while all.len() < count {
        if let Delivery::Records(records) = next(reader).await {
            all.extend(records);
        }
    }
    assert_eq!(all.len(), count, "more records than expected");
    all
}

/// Asserts that the offsets are `from..` without a gap.
pub fn assert_contiguous(records: &[Record], from: u64) {
    let offsets: Vec<_> = records.iter().map(|record| record.offset).collect();
    let wanted: Vec<_> = (from..from + offsets.len() as u64).collect();
    assert_eq!(offsets, wanted);
}

pub fn text(record: &Record) -> String {
    String::from_utf8(record.value.clone().expect("value").to_vec()).expect("text")
}

pub fn expect_error<T: std::fmt::Debug>(result: Result<T, LogError>) -> LogError {
    result.expect_err("this must be refused")
}

/// Opens the log in all three ways; panics unless each fails.
pub async fn open_errors(config: &LogConfig) -> [LogError; 3] {
    let topic = [TopicSpec { name: "events".into(), partitions: 1 }];
    let (writer, reader, topics) =
        tokio::join!(open_writer(config), open_reader(config, options(&["events"], Membership::Standalone)), ensure_topics(config, &topic));
    [writer.map(|_| ()).expect_err("writer"), reader.map(|_| ()).expect_err("reader"), expect_error(topics)]
}
