//! Settings of the projector; [`qamtu_service::config`] loads them. The defaults are the text of `projector.example.toml`.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use qamtu_log::{LogConfig, Membership};
pub use qamtu_service::clickhouse::ClickhouseConfig;
use qamtu_service::{
    clickhouse::is_identifier,
    config::{self, ConfigError, TelemetryConfig},
    hosts::AllowedHosts,
};
use serde::{Deserialize, Deserializer, de};

const DEFAULTS: &str = include_str!("../projector.example.toml");

/// All settings of the projector process.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Connection to the event log.
    pub log: LogConfig,
    /// Connection to the warehouse.
    pub clickhouse: ClickhouseConfig,
    /// Consumer group and batch limits.
    pub projector: ProjectorConfig,
    /// Listener of the metrics and health endpoints.
    pub metrics: MetricsConfig,
    /// Filter of the process's own log.
    pub telemetry: TelemetryConfig,
}

/// Consumer group and batch limits of the projector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectorConfig {
    /// Consumer group. It is also part of the query ids of inserts, so that one group never kills the inserts of another.
    #[serde(deserialize_with = "name")]
    pub group: String,
    /// Index of this process, from 0.
    pub member: u32,
    /// Number of projector processes in the group.
    pub members: u32,
    /// Maximum rows of one insert; see [`BatchLimits::rows`].
    pub rows: usize,
    /// Maximum bytes of a batch; see [`BatchLimits::bytes`].
    pub bytes: usize,
    /// Maximum wait in milliseconds; see [`BatchLimits::linger`].
    pub linger_ms: u64,
    /// Maximum wait during a backlog, in milliseconds; see [`BatchLimits::linger_behind`].
    pub linger_behind_ms: u64,
    /// Concurrent writes; see [`BatchLimits::writers`].
    pub writers: usize,
    /// Maximum bytes of buffered rows; see [`BatchLimits::memory`].
    pub memory_bytes: usize,
    /// Minimum time between two checks for rows that the warehouse has lost, in milliseconds.
    pub verify_ms: u64,
    /// By partition (such as `events/3`): offset below which records that the log removed before they were read are given up. Without an
    /// entry, the figures stop before the first such record.
    pub accept_lost: BTreeMap<String, u64>,
}

/// Listener of the metrics and health endpoints.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Listen address; port 0 picks a free port.
    pub listen: SocketAddr,
    /// Accepted `Host` names, besides loopback names and the address that the client connected to.
    pub hosts: AllowedHosts,
}

/// Limits of batch size, wait time and memory.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// A batch is full at this many rows in one of its tables.
    pub rows: usize,
    /// A batch is full at this many bytes.
    pub bytes: usize,
    /// Maximum time a record waits for its batch to fill.
    pub linger: Duration,
    /// The same while the log has a backlog; at least `linger`.
    pub linger_behind: Duration,
    /// Number of batches written concurrently.
    pub writers: usize,
    /// Reading pauses while this many bytes of rows are buffered.
    pub memory: usize,
}

impl Config {
    /// Merges defaults, file and environment; a named `file` must exist.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        config::load::<Self>(DEFAULTS, file)?.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        self.projector.check().map(|()| self)
    }
}

impl ProjectorConfig {
    /// The batch limits as typed values.
    pub fn limits(&self) -> BatchLimits {
        BatchLimits {
            rows: self.rows,
            bytes: self.bytes,
            linger: Duration::from_millis(self.linger_ms),
            linger_behind: Duration::from_millis(self.linger_behind_ms),
            writers: self.writers,
            memory: self.memory_bytes,
        }
    }

    /// Membership that decides which partitions this process reads.
    pub fn membership(&self) -> Membership {
        Membership::Group { group: self.group.clone(), member: self.member, members: self.members }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |name: &str, reason: &str| Err(ConfigError::new(&format!("projector.{name}"), reason));
        if self.member >= self.members {
            return invalid("member", "must be less than members; the first is 0");
        }
        if !(1..=500_000).contains(&self.rows) {
            return invalid("rows", "must be between 1 and 500000");
        }
        if !(1_024..=128 << 20).contains(&self.bytes) || self.memory_bytes < self.bytes {
            return invalid("bytes", "must be between 1024 and 134217728, and memory_bytes at least as much");
        }
        if !(1..=60_000).contains(&self.linger_ms) {
            return invalid("linger_ms", "must be between 1 and 60000");
        }
        if !(self.linger_ms..=60_000).contains(&self.linger_behind_ms) {
            return invalid("linger_behind_ms", "must be between linger_ms and 60000");
        }
        if !(100..=86_400_000).contains(&self.verify_ms) {
            return invalid("verify_ms", "must be between 100 and 86400000");
        }
        if !(1..=16).contains(&self.writers) {
            return invalid("writers", "must be between 1 and 16");
        }
        Ok(())
    }
}

/// A lower-case name that may contain hyphens.
fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let why = "must be 1 to 48 characters of a-z, 0-9, '_' and '-', beginning with a letter";
    if is_identifier(&text.replace('-', "_")) { Ok(text) } else { Err(de::Error::custom(why)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Config, ConfigError> {
        config::parse::<Config>(DEFAULTS, toml)?.checked()
    }

    #[test]
    fn the_example_contains_the_defaults() {
        let config = with("").unwrap();
        assert!(matches!(config.log, LogConfig::Embedded(_)));
        assert_eq!(config.projector.limits().linger, Duration::from_millis(500));
        assert_eq!(config.projector.limits().linger_behind, Duration::from_millis(2_000));
        assert_eq!(config.clickhouse.database, "qamtu");
    }

    #[test]
    fn errors_name_unknown_and_invalid_settings() {
        for (toml, named) in [
            ("[clickhouse]\nulr = \"x\"", "ulr"),
            ("[clickhouse]\ndatabase = \"a; DROP\"", "clickhouse.database"),
            ("[projector]\nmember = 1", "member"),
            ("[projector]\ngroup = \"%\"", "group"),
            ("[projector]\nwriters = 0", "writers"),
            ("[projector]\nmemory_bytes = 5", "memory_bytes"),
            ("[projector]\nlinger_behind_ms = 499", "linger_behind_ms"),
            ("[projector]\nverify_ms = 99", "verify_ms"),
            ("[projector]\nlinger_ms = 2001", "linger_behind_ms"),
            ("[log]\nkind = \"rabbit\"", "rabbit"),
        ] {
            let error = with(toml).unwrap_err().to_string();
            assert!(error.contains(named), "{toml}: {error}");
            assert!(!error.contains('\n'));
        }
    }
}
