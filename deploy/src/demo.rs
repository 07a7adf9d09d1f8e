//! `qamtu demo`: a whole invented campaign through the real services, and an honest comparison at the end.
//!
//! Generator -> HTTP -> ingest -> log -> projector -> ClickHouse -> analytics -> figures, all as separate processes that end with this
//! one. Guarantees: a figure that differs from what the generator knows ends the demo with an error that names it; a second run on the
//! same folder and seed sends nothing again. Leaves every piece of real work to the services.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use qamtu_log::broker::{Broker, BrokerOptions};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    campaign::{Campaign, TURKISTAN_2026},
    synthetic::{self, Synthetic, stream::Counts},
    warehouse::{Role, Warehouse, WarehouseOptions, WarehouseSource},
};

mod check;
mod error;
mod feed;
mod memory;
mod outputs;
mod place;
mod services;
mod settle;
mod steps;
mod summary;

pub use error::DemoError;
use memory::{Memory, Owner};
use place::{LogSettings, Place, Purpose};
use services::{Kept, Service, Spec};
use steps::{Steps, count};

/// Which event log the demo goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoLog {
    /// Files in the demo's folder.
    Embedded,
    /// A Kafka broker that the demo starts.
    LocalKafka,
    /// Somebody's Kafka, as `host:port`.
    Kafka(String),
}

/// What the demo is to do.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// End when everything is computed; else stay up with the dashboard.
    pub once: bool,
    /// Seed of the invented campaign.
    pub seed: u64,
    /// Where the files go; default: `out` in the demo's folder.
    pub out: Option<PathBuf>,
    /// The demo's folder, kept; default: a fresh one below `out` that is removed at the end, else `demo` in the cache.
    pub dir: Option<PathBuf>,
    /// Another campaign file.
    pub campaign: Option<PathBuf>,
    /// The event log.
    pub log: DemoLog,
    /// Somebody's ClickHouse.
    pub clickhouse: Option<String>,
    /// Kill the projector so often on the way.
    pub kill_projector: u32,
}

/// Memory of the warehouse, in MB: with what its allocator holds beyond, it stays under 2 GB.
const WAREHOUSE_MB: u64 = 1_500;
/// Port of the dashboard, if it is free.
const DASHBOARD_PORT: u16 = 8490;

/// Runs the demo to its end; Ctrl-C ends everything in its order.
pub async fn run(options: DemoOptions) -> Result<(), DemoError> {
    let signals = |source| DemoError::file(Path::new("signals"), source);
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut stop = std::pin::pin!(async { tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} } });
    let setting = Setting::of(&options)?;
    let mut up = tokio::select! {
        up = demo(setting) => up?,
        () = &mut stop => return Err(DemoError::Stopped),
    };
    let shown = if options.once { Ok(()) } else { up.show(stop).await };
    up.end().await?;
    shown
}

/// The whole demo on one screen.
async fn demo(setting: Setting) -> Result<Up, DemoError> {
    let since = Instant::now();
    let (place, steps, memory) = (setting.place()?, Steps::new(), Memory::watch());
    let ground = tokio::try_join!(start_warehouse(&setting, &place, &steps), start_log(&setting, &place), make(&setting, &place, &steps));
    let (warehouse, (log, broker), made) = ground?;
    warehouse.pid().into_iter().for_each(|pid| memory.add(pid, Owner::Warehouse));
    let stack = Stack { setting, place, steps, memory, warehouse, log };
    let (ingest, mut projector) = tokio::try_join!(stack.ingest(), stack.projector())?;
    let fates = match made {
        Some(made) => Some(stack.feed(&ingest, &projector, made).await?),
        None => None,
    };
    let figures = tokio::select! {
        figures = stack.figures() => figures?,
        error = projector.failed() => return Err(error),
    };
    let oracle: Value = read_json(&stack.place.part("oracle.json"))?;
    check::check(&figures, &oracle["figures"], fates.as_ref().map(|(fed, counts)| (fed, counts)))?;
    stack.tell(&figures, since.elapsed())?;
    Ok(Up { stack, ingest, projector, _broker: broker })
}

/// Everything that runs when the figures are there.
struct Up {
    stack: Stack,
    ingest: Service,
    projector: Kept,
    _broker: Option<Broker>,
}

impl Up {
    /// Shows the dashboard until it is told to stop.
    async fn show(&mut self, stop: impl Future<Output = ()>) -> Result<(), DemoError> {
        let stack = &self.stack;
        let mut spec = stack.analytics(&["serve"]);
        let port = std::net::TcpListener::bind(("127.0.0.1", DASHBOARD_PORT)).map_or(0, |_| DASHBOARD_PORT);
        spec.env.push(("QAMTU__LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let dashboard = Service::start(spec).await?;
        stack.steps.say(&format!("\nDashboard: {}   (Ctrl-C ends the demo; the next one starts in seconds)", dashboard.said("listening")?));
        let ended = tokio::select! {
            () = stop => Ok(()),
            error = self.projector.failed() => Err(error),
        };
        dashboard.stop().await;
        ended
    }

    /// Ends everything in its order, and removes what was for this run alone.
    async fn end(self) -> Result<(), DemoError> {
        tokio::join!(self.ingest.stop(), self.projector.stop());
        self.stack.warehouse.stop().await;
        if self.stack.setting.removed { self.stack.place.remove() } else { Ok(()) }
    }
}

/// What the command line comes to.
struct Setting {
    options: DemoOptions,
    campaign: Campaign,
    cache: PathBuf,
    dir: PathBuf,
    out: PathBuf,
    /// The folder is for this run alone.
    removed: bool,
    warehouse: WarehouseOptions,
}

impl Setting {
    fn of(options: &DemoOptions) -> Result<Self, DemoError> {
        let campaign = match &options.campaign {
            Some(file) => Campaign::read(file)?,
            None => Campaign::parse(TURKISTAN_2026, "turkistan-2026.toml")?,
        };
        if campaign.synthetic.is_none() {
            return Err(DemoError::Usage(format!("campaign {} has no [synthetic] table, so nothing can be invented for it", campaign.id)));
        }
        let mut warehouse = WarehouseOptions::new("")?;
        if let Some(url) = &options.clickhouse {
            let variable = |name: &str| if name == "QAMTU__CLICKHOUSE__URL" { Some(url.into()) } else { std::env::var_os(name) };
            warehouse.source = WarehouseSource::from_environment(variable)?;
        }
        warehouse.memory_max_mb = WAREHOUSE_MB;
        let cache = warehouse.cache_dir.clone();
        let below_out = options.out.as_ref().filter(|_| options.once).map(|out| out.join("data"));
        let removed = options.dir.is_none() && below_out.is_some();
        let dir = options.dir.clone().or(below_out).unwrap_or_else(|| cache.join("demo"));
        let absolute = |path: &Path| std::path::absolute(path).map_err(|source| DemoError::file(path, source));
        let dir = absolute(&dir)?;
        let out = options.out.as_deref().map_or_else(|| Ok(dir.join("out")), absolute)?;
        warehouse.dir = dir.join("warehouse");
        Ok(Self { options: options.clone(), campaign, cache, dir, out, removed, warehouse })
    }

    fn place(&self) -> Result<Place, DemoError> {
        let log = match &self.options.log {
            DemoLog::Embedded => "embedded".to_owned(),
            DemoLog::LocalKafka => "kafka local".to_owned(),
            DemoLog::Kafka(brokers) => format!("kafka {brokers}"),
        };
        let warehouse = match &self.warehouse.source {
            WarehouseSource::External { url, .. } => url.clone(),
            _ => "own".to_owned(),
        };
        std::fs::create_dir_all(&self.out).map_err(|source| DemoError::file(&self.out, source))?;
        let purpose = Purpose { campaign: self.campaign.fingerprint(), seed: self.options.seed, log, warehouse };
        Place::open(&self.dir, purpose, self.removed)
    }

    fn database(&self, place: &Place) -> String {
        match &self.warehouse.source {
            WarehouseSource::External { .. } => format!("qamtu_{}", place.name()),
            _ => "qamtu".to_owned(),
        }
    }
}

async fn start_warehouse(setting: &Setting, place: &Place, steps: &Steps) -> Result<Warehouse, DemoError> {
    let mut options = setting.warehouse.clone();
    options.progress = Some(steps.fetching());
    let step = steps.begin("Starting ClickHouse", None);
    let warehouse = Warehouse::start(options).await?;
    step.done(format!("{} ({})", warehouse.url(), setting.database(place)));
    Ok(warehouse)
}

async fn start_log(setting: &Setting, place: &Place) -> Result<(LogSettings, Option<Broker>), DemoError> {
    let prefix = format!("{}-", place.name());
    match &setting.options.log {
        DemoLog::Embedded => Ok((LogSettings::embedded(&place.part("log")), None)),
        DemoLog::Kafka(brokers) => Ok((LogSettings::kafka(brokers, &prefix, std::env::vars()), None)),
        DemoLog::LocalKafka => {
            let options = BrokerOptions { dir: place.part("kafka"), cache_dir: setting.cache.join("kafka"), port: 0, heap_mb: 512 };
            let started = tokio::task::spawn_blocking(move || Broker::start(options)).await;
            let broker = started.map_err(|_| DemoError::Stopped)??;
            Ok((LogSettings::kafka(&broker.address(), &prefix, std::iter::empty()), Some(broker)))
        }
    }
}

/// Invents the campaign, unless everything was sent before; what it must come to is kept in the folder.
async fn make(setting: &Setting, place: &Place, steps: &Steps) -> Result<Option<Arc<Synthetic>>, DemoError> {
    if place.is_complete() {
        steps.say("  Everything of this campaign and seed was sent before.");
        return Ok(None);
    }
    let step = steps.begin("Inventing the campaign", None);
    let (campaign, seed) = (setting.campaign.clone(), setting.options.seed);
    let made = tokio::task::spawn_blocking(move || synthetic::generate(&campaign, seed)).await;
    let made = made.ok().flatten().ok_or(DemoError::Stopped)?;
    write_json(&place.part("oracle.json"), &made.oracle)?;
    step.done(format!("{} voters, {} submissions", count(made.roll.len() as u64), count(made.stream.len() as u64)));
    Ok(Some(Arc::new(made)))
}

/// Everything that the services lean on.
struct Stack {
    setting: Setting,
    place: Place,
    steps: Steps,
    memory: Memory,
    warehouse: Warehouse,
    log: LogSettings,
}

impl Stack {
    fn spec(&self, name: &'static str, env: Vec<(&str, String)>) -> Spec {
        let env = env.into_iter().map(|(name, value)| (format!("QAMTU__{name}"), value)).collect();
        Spec { name, args: Vec::new(), env, logs: self.place.part("logs"), memory: self.memory.clone() }
    }

    fn tables(&self, role: Role) -> Vec<(&'static str, String)> {
        let login = self.warehouse.login(role);
        vec![
            ("CLICKHOUSE__URL", self.warehouse.url().to_owned()),
            ("CLICKHOUSE__USER", login.user.clone()),
            ("CLICKHOUSE__PASSWORD", login.password.expose_secret().to_owned()),
            ("CLICKHOUSE__DATABASE", self.setting.database(&self.place)),
        ]
    }

    async fn ingest(&self) -> Result<Service, DemoError> {
        let path = |name: &str| self.place.part(name).display().to_string();
        let mut spec = self.spec(
            "qamtu-ingest",
            vec![
                ("LISTEN", "127.0.0.1:0".to_owned()),
                ("REGISTER__PATH", path("ingest/register.sqlite")),
                ("PSEUDONYM__KEY_DIR", path("keys")),
                ("PSEUDONYM__CREATE", "true".to_owned()),
            ],
        );
        spec.env.extend(self.log.environment());
        Service::start(spec).await
    }

    async fn projector(&self) -> Result<Kept, DemoError> {
        let mut env = self.tables(Role::Admin);
        env.push(("METRICS__LISTEN", "127.0.0.1:0".to_owned()));
        let mut spec = self.spec("qamtu-projector", env);
        spec.env.extend(self.log.environment());
        Kept::start(spec).await
    }

    fn analytics(&self, args: &[&str]) -> Spec {
        let mut env = self.tables(Role::Analytics);
        env.push(("ANALYTICS__DIR", self.place.part("analytics").display().to_string()));
        let mut spec = self.spec("qamtu-analytics", env);
        spec.args = args.iter().map(|text| (*text).to_owned()).collect();
        spec
    }

    /// Sends everything, while the projector is killed as often as was asked for.
    async fn feed(&self, ingest: &Service, projector: &Kept, made: Arc<Synthetic>) -> Result<(feed::Fed, Counts), DemoError> {
        let address = ingest.said("listening")?;
        let counts = made.oracle.stream.clone();
        let killing = kill(projector, self.setting.options.kill_projector);
        let (fed, ()) = tokio::join!(feed::feed(&address, made, &self.steps), killing);
        let fed = fed?;
        self.place.complete()?;
        Ok((fed, counts))
    }

    /// Waits for the tables and computes, while the files of the log are written.
    async fn figures(&self) -> Result<Value, DemoError> {
        let log = self.log.config()?;
        let file = |name: &str| self.setting.out.join(name);
        let computing = async {
            let ends = settle::ends(&log).await?;
            let step = self.steps.begin("Filling the tables", Some(0));
            let database = self.setting.database(&self.place);
            let projector_log = self.spec("qamtu-projector", Vec::new()).log();
            settle::Tables::of(&self.warehouse, &database)?.settle(&ends, projector_log, &step).await?;
            step.done(format!("{} records", count(ends.iter().map(|bounds| bounds.end - bounds.start).sum())));
            self.compute().await
        };
        let publishing = async {
            let step = self.steps.begin("Writing the events", Some(0));
            let number = outputs::events(&log, &file("events.ndjson"), &step).await?;
            step.done(format!("{} in events.ndjson", count(number as u64)));
            let step = self.steps.begin("Writing the roll", Some(0));
            let number = outputs::roll(&log, &file("roll.parquet"), &step).await?;
            step.done(format!("{} lines in roll.parquet", count(number as u64)));
            Ok(())
        };
        let (figures, ()) = tokio::try_join!(computing, publishing)?;
        let oracle: Value = read_json(&self.place.part("oracle.json"))?;
        write_json(&file("oracle.json"), &oracle)?;
        write_json(&file("summary.json"), &figures)?;
        Ok(figures)
    }

    async fn compute(&self) -> Result<Value, DemoError> {
        let campaign = self.setting.campaign.id.as_str();
        let (csv, json) = (self.setting.out.join("coverage.csv"), self.place.part("analytics").join("figures.json"));
        let step = self.steps.begin("Computing coverage", None);
        let (csv, json_path) = (csv.display().to_string(), json.display().to_string());
        self.analytics(&["compute", "--campaign", campaign, "--csv", &csv, "--json", &json_path]).run().await?;
        let mut figures: Value = read_json(&json)?;
        figures["seed"] = self.setting.options.seed.into();
        step.done(format!("{} voters reached", count(figures["audience"]["reached"].as_u64().unwrap_or(0))));
        let step = self.steps.begin("Writing reports", None);
        for language in ["kk", "ru", "en"] {
            let pdf = self.setting.out.join(format!("report-{language}.pdf")).display().to_string();
            self.analytics(&["report", "--campaign", campaign, "--snapshot", "latest", "--lang", language, "--out", &pdf]).run().await?;
        }
        step.done("3 PDF pages");
        Ok(figures)
    }

    /// Tells what has come of it.
    fn tell(&self, figures: &Value, took: Duration) -> Result<(), DemoError> {
        let warehouse = self.warehouse.pid().map(|_| self.memory.peak_mb(Owner::Warehouse));
        let memory_mb = (self.memory.peak_mb(Owner::Qamtu), warehouse);
        let summary = summary::Summary { figures, out: &self.setting.out, took, memory_mb };
        summary.write(&mut std::io::stdout().lock()).map_err(|source| DemoError::file(Path::new("standard output"), source))
    }
}

/// Kills the projector at random moments.
async fn kill(projector: &Kept, times: u32) {
    for _ in 0..times {
        let pause = rand::random_range(100..900);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        projector.kill().await;
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, DemoError> {
    let file = File::open(path).map_err(|source| DemoError::file(path, source))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|source| DemoError::file(path, source))
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), DemoError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| DemoError::file(path, source))?;
    std::fs::write(path, text).map_err(|source| DemoError::file(path, source))
}
