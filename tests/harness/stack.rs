//! The services of one scenario: log, ingest, projector, warehouse, analytics.
//!
//! Scenarios share nothing, so that each may kill services and delete files.

use std::{
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::{
    broker::{Broker, BrokerOptions},
    http,
    testing::{Program, WarehouseProgram, binary, wait},
    warehouse,
};
use serde_json::Value;
use tempfile::TempDir;

/// Which event log a scenario runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// The embedded log, in SQLite files of its own.
    Embedded,
    /// A real Apache Kafka broker of its own.
    Kafka,
}

/// How long to wait for any condition on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(90);

/// The running services of one scenario.
pub struct Stack {
    dir: TempDir,
    env: Vec<(String, String)>,
    warehouse: WarehouseProgram,
    warehouse_client: WarehouseClient,
    /// The ingest service, while it runs.
    pub ingest: Option<Program>,
    /// The projector, while it runs.
    pub projector: Option<Program>,
    http: reqwest::Client,
    accepted: AtomicU64,
    broker: Option<Broker>,
}

impl Stack {
    /// Starts warehouse, log, ingest and projector.
    pub async fn start(log: Log) -> Result<Self> {
        Self::with_warehouse(log, &[]).await
    }

    /// As [`Self::start`], with more arguments for the warehouse.
    pub async fn with_warehouse(log: Log, more: &[&str]) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let path = |name: &str| dir.path().join(name).display().to_string();
        let warehouse = WarehouseProgram::start(&dir.path().join("warehouse"), more)?;
        let login = warehouse.login("admin")?;
        let mut env = vec![
            ("QAMTU__CLICKHOUSE__URL".to_owned(), login.url.clone()),
            ("QAMTU__CLICKHOUSE__USER".to_owned(), login.user.clone()),
            ("QAMTU__CLICKHOUSE__PASSWORD".to_owned(), login.password.clone()),
            ("QAMTU__CLICKHOUSE__DATABASE".to_owned(), "qamtu".to_owned()),
        ];
        let broker = match log {
            Log::Embedded => {
                env.push(("QAMTU__LOG__KIND".to_owned(), "embedded".to_owned()));
                env.push(("QAMTU__LOG__DIR".to_owned(), path("log")));
                None
            }
            Log::Kafka => {
                let broker = broker(&dir.path().join("broker")).await?;
                env.push(("QAMTU__LOG__KIND".to_owned(), "kafka".to_owned()));
                env.push(("QAMTU__LOG__REPLICAS".to_owned(), "1".to_owned()));
                env.push(("QAMTU__LOG__BROKERS".to_owned(), broker.address()));
                Some(broker)
            }
        };
        let url = format!("{}/?database=qamtu&output_format_json_quote_64bit_integers=0&default_format=JSONEachRow", login.url);
        let login = warehouse::Login { user: login.user, password: login.password.into() };
        let warehouse_client = WarehouseClient(warehouse::WarehouseClient::new(url, &login)?);
        let mut stack = Self {
            dir,
            env,
            warehouse,
            warehouse_client,
            ingest: None,
            projector: None,
            http: http::client()?,
            accepted: AtomicU64::new(0),
            broker,
        };
        stack.start_ingest().await?;
        stack.start_projector().await?;
        Ok(stack)
    }

    /// Kills the warehouse and starts it again with the same folder and port.
    pub async fn restart_warehouse(&mut self) -> Result<()> {
        let url = url::Url::parse(&self.warehouse.login("admin")?.url)?;
        let port = url.port().context("the warehouse has no port")?.to_string();
        self.warehouse.program().kill()?;
        self.warehouse = WarehouseProgram::start(&self.dir.path().join("warehouse"), &["--port", &port])?;
        Ok(())
    }

    /// The temporary folder of the scenario.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts ingest and waits until it is ready; also after it was stopped or killed.
    pub async fn start_ingest(&mut self) -> Result<()> {
        let mut env = self.env.clone();
        env.retain(|(name, _)| !name.starts_with("QAMTU__CLICKHOUSE"));
        env.push(("QAMTU__LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
        env.push(("QAMTU__HTTP__HEALTH_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
        env.push(("QAMTU__REGISTER__PATH".to_owned(), self.dir.path().join("register.sqlite").display().to_string()));
        env.push(("QAMTU__PSEUDONYM__KEY_DIR".to_owned(), self.dir.path().join("keys").display().to_string()));
        env.push(("QAMTU__PSEUDONYM__CREATE".to_owned(), "true".to_owned()));
        let ingest = Program::start(Command::new(binary("qamtu-ingest")?).envs(env)).await?;
        let ready = format!("{}/ready", ingest.ready_field("listening")?);
        self.ingest = Some(ingest);
        wait::until("ingest to be ready", TIMEOUT, async || {
            let response = http::send(self.http.get(&ready)).await.map_err(|error| error.to_string())?;
            if response.is_success() { Ok(()) } else { Err(response.text()) }
        })
        .await
    }

    /// Starts the projector; also after it was stopped or killed.
    pub async fn start_projector(&mut self) -> Result<()> {
        let mut env = self.env.clone();
        env.push(("QAMTU__METRICS__LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
        self.projector = Some(Program::start(Command::new(binary("qamtu-projector")?).envs(env)).await?);
        Ok(())
    }

    /// Sends a body to ingest; returns status and JSON of the response.
    pub async fn post(&self, path: &str, media: &str, body: impl Into<reqwest::Body>) -> Result<(u16, Value)> {
        let ingest = self.ingest.as_ref().context("ingest is not running")?.ready_field("listening")?;
        let response = http::send(self.http.post(format!("{ingest}{path}")).header("content-type", media).body(body)).await?;
        let (status, response) = (response.status, response.json());
        self.accepted.fetch_add(response["accepted"].as_u64().unwrap_or(0), Ordering::Relaxed);
        Ok((status, response))
    }

    /// Sends events as one batch that must be accepted.
    pub async fn accept(&self, events: &[Value]) -> Result<Value> {
        let (status, response) = self.post("/v1/events", "application/cloudevents-batch+json", serde_json::to_vec(events)?).await?;
        ensure!(matches!(status, 200 | 202), "ingest answered {status}: {response}");
        Ok(response)
    }

    /// Queries the warehouse; rows as JSON objects, 64-bit numbers as numbers.
    pub async fn query(&self, sql: &str) -> Result<Vec<Value>> {
        self.warehouse_client.query(sql).await
    }

    /// A client of the warehouse for another task.
    pub fn warehouse_client(&self) -> WarehouseClient {
        self.warehouse_client.clone()
    }

    /// Address of the broker; none with the embedded log.
    pub fn brokers(&self) -> Option<String> {
        self.broker.as_ref().map(Broker::address)
    }

    /// Waits until the first row of a query satisfies a condition.
    pub async fn until(&self, what: &str, sql: &str, condition: impl Fn(&Value) -> bool) -> Result<Value> {
        wait::until(what, TIMEOUT, async || {
            let rows = self.query(sql).await.map_err(|error| error.to_string())?;
            let row = rows.into_iter().next().unwrap_or(Value::Null);
            if condition(&row) { Ok(row) } else { Err(row.to_string()) }
        })
        .await
    }

    /// Waits until the projector has written all accepted events without a gap.
    pub async fn wait_until_projected(&self) -> Result<()> {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let what = format!("{accepted} records in the log copy");
        self.until(&what, "SELECT sum(contiguous_offset) AS records FROM v_contiguous_offsets", |row| {
            row["records"].as_u64() >= Some(accepted)
        })
        .await
        .map(drop)
    }

    /// The command `qamtu-analytics` with its environment, without a subcommand.
    pub fn analytics(&self) -> Result<tokio::process::Command> {
        let mut command = tokio::process::Command::new(binary("qamtu-analytics")?);
        command.envs(self.analytics_env());
        Ok(command)
    }

    /// The environment variables of `qamtu-analytics`.
    pub fn analytics_env(&self) -> Vec<(String, String)> {
        let mut env: Vec<_> = self.env.iter().filter(|(name, _)| !name.contains("__LOG__")).cloned().collect();
        env.push(("QAMTU__ANALYTICS__DIR".to_owned(), self.dir.path().join("analytics").display().to_string()));
        env
    }

    /// Computes the coverage of a campaign after all accepted events are projected, and returns its figures.
    pub async fn figures(&self, campaign: &str) -> Result<Value> {
        self.wait_until_projected().await?;
        let out = self.dir.path().join("figures.json");
        let mut command = self.analytics()?;
        command.args(["compute", "--campaign", campaign, "--json"]).arg(&out);
        let done = command.output().await?;
        ensure!(done.status.success(), "compute failed: {}", String::from_utf8_lossy(&done.stderr));
        Ok(serde_json::from_slice(&std::fs::read(out)?)?)
    }
}

/// Queries the warehouse of a stack as its administrator.
#[derive(Debug, Clone)]
pub struct WarehouseClient(warehouse::WarehouseClient);

impl WarehouseClient {
    /// Runs a query; rows as JSON objects, 64-bit numbers as numbers.
    pub async fn query(&self, sql: &str) -> Result<Vec<Value>> {
        self.0.query(sql).await?.text().lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect()
    }

    /// Writes the result of a query to a file, in the format of the query.
    pub async fn save(&self, sql: &str, to: &Path) -> Result<()> {
        std::fs::write(to, self.0.query(sql).await?.body).map_err(Into::into)
    }
}

/// Starts a broker for one scenario.
async fn broker(dir: &Path) -> Result<Broker> {
    let options = BrokerOptions::new(dir)?;
    tokio::task::spawn_blocking(move || Broker::start(options)).await?.context("no Kafka broker could be started")
}
