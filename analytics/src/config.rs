//! Settings of the service; [`qamtu_service::config`] loads them. The defaults are `analytics.example.toml` itself.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use qamtu_service::clickhouse::ClickhouseConfig;
use qamtu_service::{
    clickhouse,
    config::{self, ConfigError, TelemetryConfig},
    hosts::AllowedHosts,
};
use secrecy::SecretString;
use serde::Deserialize;

use crate::access::ReaderConfig;

const DEFAULTS: &str = include_str!("../analytics.example.toml");

/// All settings of the service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Connection to the warehouse. The user needs read access and may change the `output_format_arrow_*` settings of the column format.
    pub clickhouse: ClickhouseConfig,
    /// Where this service stores its data.
    pub analytics: Analytics,
    /// Servers that count slices.
    pub slices: SliceServers,
    /// Listeners of `qamtu-analytics serve`.
    pub serve: Serve,
    /// The reader of that page.
    pub reader: ReaderConfig,
    /// Filter of the logs.
    pub telemetry: TelemetryConfig,
}

/// Section `[serve]`: where `serve` listens; port 0 takes a free one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Address of the listener for readers.
    pub listen: SocketAddr,
    /// Address of the internal listener (health, metrics); none without this setting.
    pub metrics: Option<SocketAddr>,
    /// Accepted host names, in addition to loopback names and the address a client connected to.
    pub hosts: AllowedHosts,
}

/// Section `[analytics]`: where this service stores its data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analytics {
    /// Folder of the snapshots and facts stores.
    pub dir: PathBuf,
}

/// Section `[slices]`: the ClickHouse servers of `qamtu-analytics slice --engine clickhouse`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceServers {
    /// URLs of their HTTP interfaces; none without such servers.
    pub urls: Vec<String>,
    /// Name of the user, the same on every server. They create tables in the database, write and read them, and drop partitions.
    pub user: String,
    /// Password, as a string or as `{ file = "..." }`; `Debug` does not print it.
    #[serde(deserialize_with = "clickhouse::password")]
    pub password: SecretString,
    /// Database of the tables; a lower-case identifier. It must exist.
    #[serde(deserialize_with = "clickhouse::database")]
    pub database: String,
}

impl Config {
    /// Reads defaults, `file` if one is given (it must exist), and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        config::load(DEFAULTS, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn the_example_is_the_default() {
        let config: Config = config::parse(DEFAULTS, "[clickhouse]\nurl = \"http://warehouse:8123\"").unwrap();
        assert_eq!((config.clickhouse.url.as_str(), config.clickhouse.user.as_str()), ("http://warehouse:8123", "qamtu_analytics"));
        assert_eq!((config.serve.listen.port(), config.serve.metrics), (8490, None));
        assert_eq!(config.reader.role, Role::Leader);
    }
}
