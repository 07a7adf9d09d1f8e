//! `qamtu demo`: sends a synthetic campaign through the real services and compares the figures with the generator's.
//!
//! Generator -> HTTP -> ingest -> log -> projector -> ClickHouse -> analytics -> figures. The services are separate processes that end
//! with this one. A figure that differs from the generator's ends the demo with an error that names it. A second run on the same folder
//! and seed sends nothing again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use qamtu_devstack::{
    broker::{Broker, BrokerOptions},
    warehouse::Warehouse,
};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::synthetic::{self, Synthetic};

mod catch_up;
mod check;
mod config;
mod demo_dir;
mod error;
mod memory;
mod outputs;
mod send;
mod services;
mod stack;
mod steps;
mod summary;

pub use check::differences;
use config::DemoConfig;
use demo_dir::{DemoDir, LogSettings};
pub use error::DemoError;
use memory::{MemoryMonitor, Owner};
use services::{Service, SupervisedProcess};
use stack::{DemoStack, read_json, write_json};
use steps::{Steps, count};

/// Which event log the demo goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoLog {
    /// The embedded log, in the demo's folder.
    Embedded,
    /// A Kafka broker that the demo starts.
    LocalKafka,
    /// An existing Kafka cluster, as `host:port`.
    Kafka(String),
}

/// Options of the demo, as given on the command line.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Exit when everything is computed; otherwise keep the dashboard running.
    pub once: bool,
    /// Seed of the generated campaign.
    pub seed: u64,
    /// Output folder; default: `out` in the demo's folder.
    pub out: Option<PathBuf>,
    /// The demo's folder, which stays; default: with `once` and `out` a new one below `out`, removed at the end, otherwise `demo` in the cache.
    pub dir: Option<PathBuf>,
    /// A campaign file instead of the built-in one.
    pub campaign: Option<PathBuf>,
    /// Event log that the services use.
    pub log: DemoLog,
    /// HTTP address of an existing ClickHouse server.
    pub clickhouse: Option<String>,
    /// How many times to kill the projector while events are sent.
    pub kill_projector: u32,
}

/// Preferred port of the dashboard; a free port is used if it is taken.
const DASHBOARD_PORT: u16 = 8490;

/// Runs the demo to its end; SIGINT and SIGTERM stop the services in order.
pub async fn run(options: DemoOptions) -> Result<(), DemoError> {
    let signals = |source| DemoError::file(Path::new("signals"), source);
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut stop = std::pin::pin!(async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    });
    let config = DemoConfig::resolve(&options)?;
    let mut running = tokio::select! {
        running = demo(config) => running?,
        () = &mut stop => return Err(DemoError::Stopped),
    };
    let shown = if options.once { Ok(()) } else { running.show(stop).await };
    running.end().await?;
    shown
}

/// All steps of the demo, up to the printed summary.
async fn demo(config: DemoConfig) -> Result<RunningDemo, DemoError> {
    let since = Instant::now();
    let (dir, steps, memory) = (config.open_dir()?, Steps::new(), MemoryMonitor::start());
    let started = tokio::try_join!(start_warehouse(&config, &dir, &steps), start_log(&config, &dir), generate(&config, &dir, &steps));
    let (warehouse, (log, broker), generated) = started?;
    warehouse.pid().into_iter().for_each(|pid| memory.add(pid, Owner::Warehouse));
    let stack = DemoStack { config, dir, steps, memory, warehouse, log };
    let (ingest, mut projector) = tokio::try_join!(stack.ingest(), stack.projector())?;
    let sent = match generated {
        Some(generated) => Some(stack.send(&ingest, &projector, generated).await?),
        None => None,
    };
    let figures = tokio::select! {
        figures = stack.figures() => figures?,
        error = projector.failed() => return Err(error),
    };
    let oracle: Value = read_json(&stack.dir.path("oracle.json"))?;
    check::compare(&figures, &oracle["figures"], sent.as_ref())?;
    stack.print_summary(&figures, since.elapsed())?;
    Ok(RunningDemo { stack, ingest, projector, _broker: broker })
}

/// The processes that still run after the figures are computed.
struct RunningDemo {
    stack: DemoStack,
    ingest: Service,
    projector: SupervisedProcess,
    _broker: Option<Broker>,
}

impl RunningDemo {
    /// Serves the dashboard until `stop` resolves.
    async fn show(&mut self, stop: impl Future<Output = ()>) -> Result<(), DemoError> {
        let stack = &self.stack;
        let mut spec = stack.analytics(&["serve", "--campaign", stack.config.campaign.id.as_str()])?;
        let port = std::net::TcpListener::bind(("127.0.0.1", DASHBOARD_PORT)).map_or(0, |_| DASHBOARD_PORT);
        spec.env.push(("QAMTU__SERVE__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let dashboard = Service::start(spec).await?;
        stack.steps.print_line(&format!(
            "\nDashboard: {}   (Ctrl-C ends the demo; the next one starts in seconds)",
            dashboard.ready_field("listening")?
        ));
        let ended = tokio::select! {
            () = stop => Ok(()),
            error = self.projector.failed() => Err(error),
        };
        dashboard.stop().await;
        ended
    }

    /// Stops the services before the warehouse, and removes a temporary folder.
    async fn end(self) -> Result<(), DemoError> {
        tokio::join!(self.ingest.stop(), self.projector.stop());
        self.stack.warehouse.stop().await;
        if self.stack.config.temporary { self.stack.dir.remove() } else { Ok(()) }
    }
}

async fn start_warehouse(config: &DemoConfig, dir: &DemoDir, steps: &Steps) -> Result<Warehouse, DemoError> {
    let mut options = config.warehouse.clone();
    options.progress = Some(steps.fetch_progress());
    let step = steps.begin("Starting ClickHouse", None);
    let warehouse = Warehouse::start(options).await?;
    step.done(format!("{} ({})", warehouse.url(), config.database(dir)));
    Ok(warehouse)
}

async fn start_log(config: &DemoConfig, dir: &DemoDir) -> Result<(LogSettings, Option<Broker>), DemoError> {
    let prefix = format!("{}-", dir.name());
    match &config.options.log {
        DemoLog::Embedded => Ok((LogSettings::embedded(&dir.path("log")), None)),
        DemoLog::Kafka(brokers) => Ok((LogSettings::kafka(brokers, std::env::vars()).with_topic_prefix(prefix), None)),
        DemoLog::LocalKafka => {
            let options = BrokerOptions::new(dir.path("kafka"))?;
            let task = tokio::task::spawn_blocking(move || Broker::start(options)).await;
            let broker = task.map_err(|_| DemoError::Stopped)??;
            Ok((LogSettings::kafka(&broker.address(), std::iter::empty()).with_topic_prefix(prefix), Some(broker)))
        }
    }
}

/// Generates the campaign and stores its oracle in the folder; `None` if everything was sent by an earlier run.
async fn generate(config: &DemoConfig, dir: &DemoDir, steps: &Steps) -> Result<Option<Arc<Synthetic>>, DemoError> {
    if dir.is_complete() {
        steps.print_line("  Everything of this campaign and seed was sent before.");
        return Ok(None);
    }
    let step = steps.begin("Generating the campaign", None);
    let (campaign, seed) = (config.campaign.clone(), config.options.seed);
    let generated = tokio::task::spawn_blocking(move || synthetic::generate(&campaign, seed)).await;
    let generated = generated.ok().flatten().ok_or(DemoError::Stopped)?;
    write_json(&dir.path("oracle.json"), &generated.oracle)?;
    step.done(format!("{} voters, {} submissions", count(generated.roll.number_of_voters() as u64), count(generated.stream.len() as u64)));
    Ok(Some(Arc::new(generated)))
}
