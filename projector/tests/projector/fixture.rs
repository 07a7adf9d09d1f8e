//! Test fixture: an event log, a database, and the projector as a process.

use std::{
    collections::BTreeMap,
    process::{Command, ExitStatus},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clickhouse::Client;
use qamtu_devstack::{
    http,
    testing::{Program, read_log, shared_broker, wait},
};
use qamtu_log::{Entry, KafkaConfig, LogConfig, LogWriter, Partition, Record, TopicSpec, ensure_topics, open_writer};
use qamtu_projector::{
    batch::OpenBatch,
    check,
    config::ClickhouseConfig,
    decode::decode,
    migrate::migrate,
    projection::project,
    rows::Table,
    warehouse::{self, WarehouseConnection},
};
use qamtu_schemas::Topic;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::clickhouse_server::shared;

/// Timeout of every wait; only a failure takes longer.
pub const DEADLINE: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogKind {
    Embedded,
    Kafka,
}

/// Log, database and directory of one test.
pub struct ProjectorFixture {
    pub log: LogConfig,
    pub clickhouse: ClickhouseConfig,
    pub client: Client,
    pub dir: TempDir,
    env: Vec<(String, String)>,
}

/// Runs one test with a timeout.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(600), test).await.expect("the test took too long") });
    runtime.shutdown_timeout(Duration::from_secs(5));
}

/// Defines two tests, one per log, of a function that takes a fixture.
#[macro_export]
macro_rules! on_both_logs {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[test] fn $name() { $crate::fixture::run(super::$name($crate::fixture::ProjectorFixture::new($crate::fixture::LogKind::Embedded).unwrap())); })*
        }
        mod kafka {
            $(#[test] fn $name() {
                let Some(fixture) = $crate::fixture::ProjectorFixture::new($crate::fixture::LogKind::Kafka) else { return };
                $crate::fixture::run(super::$name(fixture));
            })*
        }
    };
}

pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl ProjectorFixture {
    /// A fixture on the shared ClickHouse; `None` if Kafka is not available.
    pub fn new(kind: LogKind) -> Option<Self> {
        Self::at(kind, shared("admin", &unique("t")))
    }

    /// A fixture on the given ClickHouse.
    pub fn at(kind: LogKind, clickhouse: ClickhouseConfig) -> Option<Self> {
        Some(match kind {
            LogKind::Embedded => Self::with(None, clickhouse),
            LogKind::Kafka => Self::with(Some(shared_broker()?), clickhouse),
        })
    }

    /// A fixture on the given Kafka broker.
    pub fn at_broker(address: String) -> Self {
        Self::with(Some(address), shared("admin", &unique("t")))
    }

    fn with(broker: Option<String>, clickhouse: ClickhouseConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut env = Vec::new();
        let mut set = |name: &str, value: String| env.push((format!("QAMTU__{name}"), value));
        let log = match broker {
            None => {
                let folder = dir.path().join("log");
                set("LOG__DIR", folder.display().to_string());
                LogConfig::embedded(folder)
            }
            Some(address) => {
                let prefix = format!("{}-", unique("t"));
                let config =
                    KafkaConfig { topic_prefix: prefix.clone(), replicas: 1, session_timeout_ms: 6_000, ..KafkaConfig::new(address) };
                set("LOG__KIND", "kafka".into());
                set("LOG__BROKERS", config.brokers.clone());
                set("LOG__TOPIC_PREFIX", prefix);
                set("LOG__REPLICAS", "1".into());
                set("LOG__SESSION_TIMEOUT_MS", "6000".into());
                LogConfig::Kafka(config)
            }
        };
        set("METRICS__LISTEN", "127.0.0.1:0".into());
        let client = warehouse::client(&clickhouse);
        Self { log, clickhouse, client, dir, env }
    }

    /// Creates the two topics if they are missing.
    pub async fn topics(&self) {
        let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().into(), partitions: topic.partitions() });
        ensure_topics(&self.log, &specs).await.unwrap();
    }

    pub async fn writer(&self) -> Arc<dyn LogWriter> {
        self.topics().await;
        open_writer(&self.log).await.unwrap()
    }

    pub async fn append(&self, entries: Vec<Entry>) {
        append(&*self.writer().await, entries).await;
    }

    /// Reads all records of the log, by partition.
    pub async fn records(&self) -> BTreeMap<Partition, Vec<Record>> {
        let mut found: BTreeMap<Partition, Vec<Record>> = BTreeMap::new();
        for record in read_log(&self.log, Topic::ALL.map(Topic::name)).await.unwrap() {
            found.entry(record.partition.clone()).or_default().push(record);
        }
        found
    }

    /// Starts a projector and waits until it runs.
    pub async fn projector(&self) -> ProjectorProcess {
        self.projector_with(&[]).await
    }

    /// The same with additional environment variables.
    pub async fn projector_with(&self, more: &[(&str, &str)]) -> ProjectorProcess {
        let mut projector = self.spawn(&[], more);
        projector.program.wait_ready().await.unwrap();
        assert_eq!(projector.program.ready()["running"], true);
        projector.metrics = projector.program.ready_field("metrics").unwrap();
        projector
    }

    /// Starts a projector without waiting for it.
    pub fn spawn(&self, arguments: &[&str], more: &[(&str, &str)]) -> ProjectorProcess {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log_file = self.dir.path().join(format!("projector-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let clickhouse = &self.clickhouse;
        let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu-projector"));
        command
            .args(arguments)
            .envs(self.env.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .env("QAMTU__CLICKHOUSE__URL", &clickhouse.url)
            .env("QAMTU__CLICKHOUSE__USER", &clickhouse.user)
            .env("QAMTU__CLICKHOUSE__PASSWORD", clickhouse.password.expose_secret())
            .env("QAMTU__CLICKHOUSE__DATABASE", &clickhouse.database)
            .envs(more.iter().copied());
        ProjectorProcess { program: Program::spawn_logged(&mut command, &log_file).unwrap(), metrics: String::new() }
    }

    /// Waits until the log copy is complete up to the end of the log.
    pub async fn wait_caught_up(&self) {
        let end: u64 = self.records().await.values().filter_map(|records| Some(records.last()?.offset + 1)).sum();
        self.wait_until(
            &format!("the log copy is complete up to {end}"),
            "SELECT sum(contiguous_offset) FROM v_contiguous_offsets",
            |value| value == end.to_string(),
        )
        .await;
    }

    /// Waits until the result of a query satisfies a condition.
    pub async fn wait_until(&self, what: &str, sql: &str, satisfied: impl Fn(&str) -> bool) {
        let check = async || match query(&self.client, sql).await {
            Ok(value) if satisfied(value.trim()) => Ok(()),
            Ok(value) | Err(value) => Err(value),
        };
        wait::until(what, DEADLINE, check).await.unwrap();
    }

    /// Runs a query; returns its result as tab-separated values.
    pub async fn query(&self, sql: &str) -> String {
        query(&self.client, sql).await.unwrap()
    }

    /// Asserts that every appended event counts once: the tables equal those of a projection without faults, and the log copy has every
    /// record once, up to the end of the log.
    pub async fn assert_everything_once(&self) {
        let records = self.records().await;
        let reference = ReferenceProjection::of(self, &records).await;
        assert_eq!(self.table_hashes().await, reference.table_hashes, "the tables differ from a projection without faults");
        let offsets =
            "SELECT topic, partition, min(offset), max(offset), count(), uniqExact(offset) FROM log FINAL GROUP BY 1, 2 ORDER BY 1, 2";
        let expected: String = records
            .iter()
            .map(|(partition, records)| {
                let (first, last, count) = (records[0].offset, records[records.len() - 1].offset, records.len());
                let covered: u64 = records.iter().map(|record| record.skipped + 1).sum();
                assert_eq!(covered, last + 1, "the log itself has gaps");
                format!("{}\t{}\t{first}\t{last}\t{count}\t{count}\n", partition.topic, partition.number)
            })
            .collect();
        assert_eq!(self.query(offsets).await, expected);
    }

    /// Row count and order-independent hash of every table, read with FINAL.
    pub async fn table_hashes(&self) -> BTreeMap<&'static str, String> {
        let mut found = BTreeMap::new();
        for table in Table::ALL {
            let columns: Vec<_> = table.columns().into_iter().map(|column| column.name).collect();
            let query = format!("SELECT count(), groupBitXor(cityHash64({})) FROM {} FINAL", columns.join(", "), table.name());
            found.insert(table.name(), self.query(&query).await);
        }
        found
    }

    /// A migrated and checked warehouse for direct writes.
    pub async fn warehouse(&self) -> WarehouseConnection {
        migrate(&self.client).await.unwrap();
        let server = check::check(&self.client).await.unwrap();
        WarehouseConnection::new(self.client.clone(), "test", server.table_uuids)
    }
}

/// Projection of the same records without faults, in another database.
struct ReferenceProjection {
    table_hashes: BTreeMap<&'static str, String>,
}

impl ReferenceProjection {
    async fn of(fixture: &ProjectorFixture, records: &BTreeMap<Partition, Vec<Record>>) -> Self {
        let mut other =
            ProjectorFixture::at(LogKind::Embedded, ClickhouseConfig { database: unique("clean"), ..fixture.clickhouse.clone() }).unwrap();
        other.env.clear();
        let warehouse = other.warehouse().await;
        for records in records.values() {
            for range in records.chunks(20_000) {
                warehouse.write(&batch(range).seal()).await.unwrap();
            }
        }
        let table_hashes = other.table_hashes().await;
        other.query(&format!("DROP DATABASE `{}`", other.clickhouse.database)).await;
        Self { table_hashes }
    }
}

pub async fn append(writer: &dyn LogWriter, entries: Vec<Entry>) {
    for chunk in entries.chunks(2_000) {
        for outcome in writer.append(chunk.to_vec()).await {
            outcome.unwrap();
        }
    }
}

/// A batch with the rows of consecutive records.
pub fn batch(records: &[Record]) -> OpenBatch {
    let mut batch = OpenBatch::new(&records[0], std::time::Instant::now());
    for record in records {
        let decoded = decode(record);
        batch.add(record, &project(record, &decoded));
    }
    batch
}

/// Runs a query; returns tab-separated values or the error message.
pub async fn query(client: &Client, sql: &str) -> Result<String, String> {
    let response = async {
        let mut bytes = client.query_raw(sql).fetch_bytes("TabSeparated")?;
        bytes.collect().await
    };
    let limited = tokio::time::timeout(DEADLINE, response).await.map_err(|_| "timeout".to_owned())?;
    limited.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| error.to_string())
}

pub struct ProjectorProcess {
    program: Program,
    metrics: String,
}

impl ProjectorProcess {
    pub fn stderr(&self) -> String {
        self.program.log()
    }

    /// Sets the address for a process that has not announced it.
    pub fn set_address(&mut self, address: std::net::SocketAddr) {
        self.metrics = format!("http://{address}");
    }

    /// Status and body of a GET request to its monitoring endpoint; waits until it listens.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = http::client().unwrap();
        let get = async || http::send(client.get(format!("{}{path}", self.metrics))).await;
        let response = wait::until("a response", DEADLINE, get).await.unwrap();
        (response.status, response.text())
    }

    /// Status of a GET request with these `Host` headers.
    pub async fn get_as(&self, path: &str, hosts: &[&str]) -> u16 {
        let request = http::client().unwrap().get(format!("{}{path}", self.metrics));
        let request = hosts.iter().fold(request, |request, host| request.header("host", *host));
        http::send(request).await.unwrap().status
    }

    /// Value of a metric, summed over its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let lines = text.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until a metric reaches `least` and returns it; it is updated after the rows are visible.
    pub async fn wait_for_metric(&self, name: &str, least: f64) -> f64 {
        let reached = async || {
            let value = self.metric(name).await;
            if value >= least { Ok(value) } else { Err(value) }
        };
        wait::until(name, DEADLINE, reached).await.unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub async fn kill(self) {
        self.program.kill().unwrap();
    }

    /// Sends SIGTERM and returns the exit status.
    pub async fn stop(self) -> ExitStatus {
        self.program.stop().await.unwrap()
    }

    pub async fn wait(&mut self) -> ExitStatus {
        self.program.exited().await.unwrap()
    }
}
