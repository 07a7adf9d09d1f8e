//! Resolves the command line and the environment into campaign, folders and warehouse, before any process is started.

use std::path::{Path, PathBuf};

use qamtu_devstack::warehouse::{WarehouseOptions, WarehouseSource};

use super::{
    DemoError, DemoLog, DemoOptions,
    demo_dir::{DemoDir, Purpose},
};
use crate::campaign::{Campaign, TURKISTAN_2026};

/// Memory limit of the warehouse, in MB. With the allocator's overhead the process stays below 2 GB.
const WAREHOUSE_MB: u64 = 1_500;

#[derive(Clone)]
pub struct DemoConfig {
    pub options: DemoOptions,
    pub campaign: Campaign,
    dir: PathBuf,
    /// Output folder, as an absolute path.
    pub out: PathBuf,
    /// Whether the demo's folder is removed at the end.
    pub temporary: bool,
    pub warehouse: WarehouseOptions,
}

impl DemoConfig {
    /// Reads the campaign file and the environment.
    pub fn resolve(options: &DemoOptions) -> Result<Self, DemoError> {
        let campaign = match &options.campaign {
            Some(file) => Campaign::read(file)?,
            None => Campaign::parse(TURKISTAN_2026, Path::new("turkistan-2026.toml"))?,
        };
        if campaign.synthetic.is_none() {
            return Err(DemoError::Usage(format!("campaign {} has no [synthetic] table, so no data can be generated for it", campaign.id)));
        }
        let variable = |name: &str| match &options.clickhouse {
            Some(url) if name == "QAMTU__CLICKHOUSE__URL" => Some(url.into()),
            _ => std::env::var_os(name),
        };
        let mut warehouse = WarehouseOptions::with_environment("", variable)?;
        warehouse.memory_max_mb = WAREHOUSE_MB;
        let below_out = options.out.as_ref().filter(|_| options.once).map(|out| out.join("data"));
        let temporary = options.dir.is_none() && below_out.is_some();
        let dir = options.dir.clone().or(below_out).unwrap_or_else(|| warehouse.cache_dir.join("demo"));
        let absolute = |path: &Path| std::path::absolute(path).map_err(|source| DemoError::file(path, source));
        let dir = absolute(&dir)?;
        let out = options.out.as_deref().map_or_else(|| Ok(dir.join("out")), absolute)?;
        warehouse.dir = dir.join("warehouse");
        Ok(Self { options: options.clone(), campaign, dir, out, temporary, warehouse })
    }

    /// Locks the demo's folder and creates the output folder.
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
        // Created after the check that an existing folder is a demo's, since it is often below that.
        std::fs::create_dir_all(&self.out).map_err(|source| DemoError::file(&self.out, source))?;
        Ok(dir)
    }

    /// Name of the database; unique on an existing server.
    pub fn database(&self, dir: &DemoDir) -> String {
        match &self.warehouse.source {
            WarehouseSource::External { .. } => format!("qamtu_{}", dir.name()),
            _ => "qamtu".to_owned(),
        }
    }
}
