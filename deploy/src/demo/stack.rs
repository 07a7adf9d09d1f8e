//! The services of a demo and its steps: send, fill the tables, compute, export.

use std::{fs::File, io::BufReader, path::Path, sync::Arc, time::Duration};

use qamtu_devstack::warehouse::{Role, Warehouse};
use serde_json::Value;

use super::{
    DemoError, catch_up,
    check::StreamCheck,
    config::DemoConfig,
    demo_dir::{DemoDir, LogSettings},
    memory::{MemoryMonitor, Owner},
    outputs,
    send::{self, IngestAddresses},
    services::{Service, ServiceSpec, SupervisedProcess},
    steps::{Steps, count},
    summary,
};
use crate::synthetic::Synthetic;

/// Everything that the steps of a demo share.
pub struct DemoStack {
    pub config: DemoConfig,
    pub dir: DemoDir,
    pub steps: Steps,
    pub memory: MemoryMonitor,
    pub warehouse: Warehouse,
    pub log: LogSettings,
}

impl DemoStack {
    fn spec(&self, name: &'static str, env: Vec<(&str, String)>) -> ServiceSpec {
        let env = env.into_iter().map(|(name, value)| (format!("QAMTU__{name}"), value)).collect();
        ServiceSpec { name, args: Vec::new(), env, logs: self.dir.path("logs"), memory: self.memory.clone() }
    }

    /// Environment for access to the tables. The password is in a file, since other processes may read a process's environment.
    fn clickhouse_env(&self, role: Role) -> Result<Vec<(&'static str, String)>, DemoError> {
        let login = self.warehouse.login(role);
        let file = match self.warehouse.password_file(role) {
            Some(file) => file,
            None => self.dir.write_secret(role.name(), &login.password)?,
        };
        Ok(vec![
            ("CLICKHOUSE__URL", self.warehouse.url().to_owned()),
            ("CLICKHOUSE__USER", login.user.clone()),
            ("CLICKHOUSE__PASSWORD__FILE", file.display().to_string()),
            ("CLICKHOUSE__DATABASE", self.config.database(&self.dir)),
        ])
    }

    pub async fn ingest(&self) -> Result<Service, DemoError> {
        let path = |name: &str| self.dir.path(name).display().to_string();
        let mut spec = self.spec(
            "qamtu-ingest",
            vec![
                ("LISTEN", "127.0.0.1:0".to_owned()),
                ("HTTP__HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
                ("REGISTER__PATH", path("ingest/register.sqlite")),
                ("PSEUDONYM__KEY_DIR", path("keys")),
                ("PSEUDONYM__CREATE", "true".to_owned()),
            ],
        );
        spec.env.extend(self.log.environment());
        Service::start(spec).await
    }

    pub async fn projector(&self) -> Result<SupervisedProcess, DemoError> {
        let mut env = self.clickhouse_env(Role::Admin)?;
        env.push(("METRICS__LISTEN", "127.0.0.1:0".to_owned()));
        let mut spec = self.spec("qamtu-projector", env);
        spec.env.extend(self.log.environment());
        SupervisedProcess::start(spec).await
    }

    /// The specification of a run of `qamtu-analytics` with these arguments.
    pub fn analytics(&self, args: &[&str]) -> Result<ServiceSpec, DemoError> {
        let mut env = self.clickhouse_env(Role::Analytics)?;
        env.push(("ANALYTICS__DIR", self.dir.path("analytics").display().to_string()));
        let mut spec = self.spec("qamtu-analytics", env);
        spec.args = args.iter().map(|text| (*text).to_owned()).collect();
        Ok(spec)
    }

    /// Sends everything and meanwhile kills the projector as often as configured.
    pub async fn send(&self, ingest: &Service, projector: &SupervisedProcess, generated: Arc<Synthetic>) -> Result<StreamCheck, DemoError> {
        let addresses = IngestAddresses { events: ingest.ready_field("listening")?, health: ingest.ready_field("health")? };
        let expected = generated.oracle.stream.clone();
        let killing = kill_at_random(projector, self.config.options.kill_projector);
        let (counted, ()) = tokio::join!(send::send_all(addresses, generated, &self.steps), killing);
        let counted = counted?;
        self.dir.complete()?;
        Ok(StreamCheck { counted, expected })
    }

    /// Waits for the tables and computes the figures; exports the log at the same time.
    pub async fn figures(&self) -> Result<Value, DemoError> {
        let log = self.log.config()?;
        let file = |name: &str| self.config.out.join(name);
        let computing = async {
            let ends = catch_up::end_offsets(&log).await?;
            let step = self.steps.begin("Filling the tables", Some(0));
            let database = self.config.database(&self.dir);
            let projector_log = self.spec("qamtu-projector", Vec::new()).log();
            catch_up::ContiguousOffsets::new(&self.warehouse, &database)?.wait_until_reached(&ends, projector_log, &step).await?;
            step.done(format!("{} records", count(ends.iter().map(|bounds| bounds.end - bounds.start).sum())));
            self.compute().await
        };
        let sending = async {
            let step = self.steps.begin("Writing the events", Some(0));
            let number = outputs::events(&log, &file("events.ndjson"), &step).await?;
            step.done(format!("{} in events.ndjson", count(number as u64)));
            let step = self.steps.begin("Writing the roll", Some(0));
            let number = outputs::roll(&log, &file("roll.parquet"), &step).await?;
            step.done(format!("{} lines in roll.parquet", count(number as u64)));
            Ok(())
        };
        let (figures, ()) = tokio::try_join!(computing, sending)?;
        let oracle: Value = read_json(&self.dir.path("oracle.json"))?;
        write_json(&file("oracle.json"), &oracle)?;
        write_json(&file("summary.json"), &figures)?;
        Ok(figures)
    }

    async fn compute(&self) -> Result<Value, DemoError> {
        let campaign = self.config.campaign.id.as_str();
        let (csv, json) = (self.config.out.join("coverage.csv"), self.dir.path("analytics").join("figures.json"));
        let step = self.steps.begin("Computing coverage", None);
        let (csv, json_path) = (csv.display().to_string(), json.display().to_string());
        self.analytics(&["compute", "--campaign", campaign, "--csv", &csv, "--json", &json_path])?.run().await?;
        let mut figures: Value = read_json(&json)?;
        figures["seed"] = self.config.options.seed.into();
        step.done(format!("{} voters reached", count(figures["audience"]["reached"].as_u64().unwrap_or(0))));
        let step = self.steps.begin("Writing reports", None);
        for language in ["kk", "ru", "en"] {
            let pdf = self.config.out.join(format!("report-{language}.pdf")).display().to_string();
            self.analytics(&["report", "--campaign", campaign, "--snapshot", "latest", "--lang", language, "--out", &pdf])?.run().await?;
        }
        step.done("3 PDF files");
        Ok(figures)
    }

    pub fn print_summary(&self, figures: &Value, elapsed: Duration) -> Result<(), DemoError> {
        let warehouse_mb = self.warehouse.pid().map(|_| self.memory.peak_mb(Owner::Warehouse));
        let qamtu_mb = self.memory.peak_mb(Owner::Qamtu);
        let summary = summary::Summary { figures, out: &self.config.out, elapsed, qamtu_mb, warehouse_mb };
        summary.write(&mut std::io::stdout().lock()).map_err(|source| DemoError::file(Path::new("standard output"), source))
    }
}

async fn kill_at_random(projector: &SupervisedProcess, times: u32) {
    for _ in 0..times {
        let pause = rand::random_range(100..900);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        projector.kill().await;
    }
}

pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, DemoError> {
    let file = File::open(path).map_err(|source| DemoError::file(path, source))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|source| DemoError::file(path, source))
}

/// Writes a value as an indented JSON file.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), DemoError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| DemoError::file(path, source))?;
    std::fs::write(path, text).map_err(|source| DemoError::file(path, source))
}
