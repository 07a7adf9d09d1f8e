//! What the command line comes to: which campaign, which folders, which warehouse.
//!
//! Guarantees: everything that can be wrong with it is told before anything is started.

use std::path::{Path, PathBuf};

use super::{
    DemoError, DemoLog, DemoOptions,
    demo_dir::{DemoDir, Purpose},
};
use crate::{
    campaign::{Campaign, TURKISTAN_2026},
    warehouse::{WarehouseOptions, WarehouseSource},
};

/// Memory of the warehouse, in MB: with what its allocator holds beyond, it stays under 2 GB.
const WAREHOUSE_MB: u64 = 1_500;

/// What the command line comes to.
#[derive(Clone)]
pub struct DemoConfig {
    /// As given.
    pub options: DemoOptions,
    /// The invented campaign.
    pub campaign: Campaign,
    /// Where programs that had to be fetched are kept.
    pub cache: PathBuf,
    dir: PathBuf,
    /// Where the files go.
    pub out: PathBuf,
    /// The folder is for this run alone.
    pub temporary: bool,
    /// The warehouse.
    pub warehouse: WarehouseOptions,
}

impl DemoConfig {
    /// Works it out; reads the campaign file and the environment.
    pub fn resolve(options: &DemoOptions) -> Result<Self, DemoError> {
        let campaign = match &options.campaign {
            Some(file) => Campaign::read(file)?,
            None => Campaign::parse(TURKISTAN_2026, "turkistan-2026.toml")?,
        };
        if campaign.synthetic.is_none() {
            return Err(DemoError::Usage(format!("campaign {} has no [synthetic] table, so nothing can be invented for it", campaign.id)));
        }
        let variable = |name: &str| match &options.clickhouse {
            Some(url) if name == "QAMTU__CLICKHOUSE__URL" => Some(url.into()),
            _ => std::env::var_os(name),
        };
        let mut warehouse = WarehouseOptions::with_environment("", variable)?;
        warehouse.memory_max_mb = WAREHOUSE_MB;
        let cache = warehouse.cache_dir.clone();
        let below_out = options.out.as_ref().filter(|_| options.once).map(|out| out.join("data"));
        let temporary = options.dir.is_none() && below_out.is_some();
        let dir = options.dir.clone().or(below_out).unwrap_or_else(|| cache.join("demo"));
        let absolute = |path: &Path| std::path::absolute(path).map_err(|source| DemoError::file(path, source));
        let dir = absolute(&dir)?;
        let out = options.out.as_deref().map_or_else(|| Ok(dir.join("out")), absolute)?;
        warehouse.dir = dir.join("warehouse");
        Ok(Self { options: options.clone(), campaign, cache, dir, out, temporary, warehouse })
    }

    /// Takes the demo's folder, and makes the one for the files.
    pub fn open_dir(&self) -> Result<DemoDir, DemoError> {
        let log = match &self.options.log {
            DemoLog::Embedded => "embedded".to_owned(),
            DemoLog::LocalKafka => "kafka local".to_owned(),
            DemoLog::Kafka(brokers) => format!("kafka {brokers}"),
        };
        let warehouse = match &self.warehouse.source {
            WarehouseSource::External { url, .. } => url.clone(),
            _ => "own".to_owned(),
        };
        let purpose = Purpose { campaign: self.campaign.fingerprint(), seed: self.options.seed, log, warehouse };
        let dir = DemoDir::open(&self.dir, purpose, self.temporary)?;
        // Often below the folder, which was looked at first.
        std::fs::create_dir_all(&self.out).map_err(|source| DemoError::file(&self.out, source))?;
        Ok(dir)
    }

    /// The database of the tables: ours alone on a server that is not ours.
    pub fn database(&self, dir: &DemoDir) -> String {
        match &self.warehouse.source {
            WarehouseSource::External { .. } => format!("qamtu_{}", dir.name()),
            _ => "qamtu".to_owned(),
        }
    }
}
