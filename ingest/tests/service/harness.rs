//! Starts the program in a temporary folder, sends requests, and reads the log.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::{
    http,
    testing::{Program, read_log, wait},
};
use qamtu_log::{KafkaConfig, LogConfig, Membership, Partition, ReaderOptions, Record};
use qamtu_schemas::Topic;
use serde_json::Value;
use tempfile::TempDir;

pub const ONE: &str = "application/cloudevents+json";
pub const BATCH: &str = "application/cloudevents-batch+json";
pub const LINES: &str = "application/x-ndjson";

pub const DEADLINE: Duration = Duration::from_secs(120);

/// A temporary folder with log, register, keys and standard error of the program; outlives the program.
pub struct TestEnv {
    dir: TempDir,
    /// Kafka brokers; `None` for an embedded log in the folder.
    brokers: Option<String>,
}

/// A running instance of the program.
pub struct Ingest {
    program: Program,
    pub url: String,
    /// URL of the health listener.
    pub health: String,
    client: reqwest::Client,
}

/// An HTTP response with its body as JSON.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Response {
    /// Status, code and pointer of a problem.
    pub fn problem(&self) -> (u16, &str, &str) {
        (self.status, self.body["code"].as_str().unwrap_or("-"), self.body["pointer"].as_str().unwrap_or("-"))
    }

    /// The counts `accepted` and `duplicates`.
    pub fn counts(&self) -> (u64, u64) {
        (self.body["accepted"].as_u64().unwrap_or(u64::MAX), self.body["duplicates"].as_u64().unwrap_or(u64::MAX))
    }
}

impl TestEnv {
    pub fn new() -> Result<Self> {
        Ok(Self { dir: tempfile::tempdir()?, brokers: None })
    }

    /// An environment whose log is on a Kafka broker.
    pub fn on_kafka(brokers: String) -> Result<Self> {
        Ok(Self { dir: tempfile::tempdir()?, brokers: Some(brokers) })
    }

    fn log(&self) -> LogConfig {
        match &self.brokers {
            None => LogConfig::embedded(self.path("log")),
            Some(brokers) => LogConfig::Kafka(KafkaConfig { replicas: 1, ..KafkaConfig::new(brokers) }),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts the program and waits until it is ready.
    pub async fn start(&self, settings: &[(&str, &str)]) -> Result<Ingest> {
        let ingest = self.launch(settings).await?;
        ingest.wait_ready().await.with_context(|| self.stderr())?;
        Ok(ingest)
    }

    /// Starts the program and waits until it listens.
    pub async fn launch(&self, settings: &[(&str, &str)]) -> Result<Ingest> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qamtu-ingest"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QAMTU__")) {
            command.env_remove(name);
        }
        command
            .env("QAMTU__LISTEN", "127.0.0.1:0")
            .env("QAMTU__HTTP__HEALTH_LISTEN", "127.0.0.1:0")
            .env("QAMTU__REGISTER__PATH", self.path("register.sqlite"))
            .env("QAMTU__PSEUDONYM__KEY_DIR", self.path("keys"))
            .env("QAMTU__PSEUDONYM__CREATE", "true")
            .env("QAMTU__CLICKHOUSE__URL", "another service's, to be left alone");
        match &self.brokers {
            None => command.env("QAMTU__LOG__DIR", self.path("log")),
            Some(brokers) => command.env("QAMTU__LOG__KIND", "kafka").env("QAMTU__LOG__BROKERS", brokers).env("QAMTU__LOG__REPLICAS", "1"),
        };
        // Last, so that a test can override the settings above.
        command.envs(settings.iter().copied());
        let mut program = Program::spawn_logged(&mut command, &self.path("stderr"))?;
        program.wait_ready().await?;
        let (url, health) = (program.ready_field("listening")?, program.ready_field("health")?);
        Ok(Ingest { program, url, health, client: http::client()? })
    }

    /// Everything that the program wrote to standard error.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// All records of the log.
    pub async fn records(&self) -> Result<Vec<Record>> {
        read_log(&self.log(), Topic::ALL.map(Topic::name)).await
    }

    /// The end offset of every partition.
    pub async fn end_offsets(&self) -> Result<BTreeMap<Partition, u64>> {
        let options = ReaderOptions {
            topics: Topic::ALL.map(|topic| topic.name().to_owned()).to_vec(),
            membership: Membership::Standalone,
            max_records: 1,
            max_bytes: 1,
        };
        let reader = qamtu_log::open_reader(&self.log(), options).await?;
        let mut ends = BTreeMap::new();
        for topic in Topic::ALL {
            ends.extend(reader.bounds(topic.name()).await?.into_iter().map(|bounds| (bounds.partition, bounds.end)));
        }
        Ok(ends)
    }

    /// How often each event id occurs in the log.
    pub async fn ids(&self) -> Result<BTreeMap<String, usize>> {
        let mut ids = BTreeMap::new();
        for record in self.records().await? {
            let (_, id) = record.headers.iter().find(|(name, _)| name == "ce_id").context("a record without id")?;
            *ids.entry(String::from_utf8(id.to_vec())?).or_default() += 1;
        }
        Ok(ids)
    }
}

impl Ingest {
    pub async fn wait_ready(&self) -> Result<()> {
        wait::until("ingest to be ready", DEADLINE, async || match self.get("/ready").await {
            Ok(response) if response.status == 200 => Ok(()),
            other => Err(other),
        })
        .await
    }

    /// All metrics as Prometheus text.
    pub async fn metrics(&self) -> Result<String> {
        let response = execute(self.client.get(format!("{}/metrics", self.health))).await?;
        ensure!(response.status == 200, "{response:?}");
        Ok(response.body.as_str().unwrap_or_default().to_owned())
    }

    /// The value of a metric that has no labels.
    pub async fn metric(&self, name: &str) -> Result<u64> {
        let text = self.metrics().await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("0");
        Ok(line.parse()?)
    }

    /// Waits until a metric has at least a value.
    pub async fn wait_metric(&self, name: &str, least: u64) -> Result<()> {
        wait::until(&format!("{name} to become {least}"), DEADLINE, async || match self.metric(name).await {
            Ok(value) if value >= least => Ok(()),
            other => Err(other),
        })
        .await
    }

    pub async fn get(&self, route: &str) -> Result<Response> {
        execute(self.client.get(format!("{}{route}", self.url))).await
    }

    /// Posts a body to `/v1/events`.
    pub async fn post(&self, kind: &str, body: impl Into<reqwest::Body>) -> Result<Response> {
        self.post_to("/v1/events", kind, body).await
    }

    pub async fn post_to(&self, route: &str, kind: &str, body: impl Into<reqwest::Body>) -> Result<Response> {
        execute(self.request(route, kind).body(body)).await
    }

    pub fn request(&self, route: &str, kind: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{route}", self.url)).header("content-type", kind)
    }

    /// Posts one event in structured mode.
    pub async fn post_one(&self, event: &Value) -> Result<Response> {
        self.post(ONE, event.to_string()).await
    }

    /// Posts events as JSON lines and expects status 200.
    pub async fn send_lines(&self, events: &[Value]) -> Result<Response> {
        let response = self.post(LINES, lines(events)).await?;
        ensure!(response.status == 200, "{response:?}");
        Ok(response)
    }

    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Peak resident memory in kB.
    pub fn peak_kb(&self) -> Result<u64> {
        qamtu_devstack::testing::status_kb(self.pid(), "VmHWM")
    }

    pub async fn kill(self) -> Result<()> {
        self.program.kill()
    }

    /// Sends SIGTERM to the program.
    pub fn terminate(&self) -> Result<()> {
        self.program.signal("TERM")
    }

    pub async fn wait_exit(&mut self) -> Result<ExitStatus> {
        self.program.exited().await
    }

    pub async fn stop(self) -> Result<()> {
        let status = self.program.stop().await?;
        ensure!(status.success(), "ended with {status}");
        Ok(())
    }
}

/// Sends a request and reads the body as JSON, or as text if it is not JSON.
pub async fn execute(request: reqwest::RequestBuilder) -> Result<Response> {
    let response = http::send(request).await?;
    Ok(Response { status: response.status, body: response.json(), headers: response.headers })
}

/// Events as JSON lines.
pub fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}
