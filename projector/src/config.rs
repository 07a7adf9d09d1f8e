//! Settings: defaults, then a file, then the environment.
//!
//! The defaults are the text of `projector.example.toml`, so the example is always correct. An unknown setting is an error. Environment
//! variables of the other services are ignored, because one environment often configures all services.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use qamtu_log::{LogConfig, Membership};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

const DEFAULTS: &str = include_str!("../projector.example.toml");

/// Prefixes of environment variables that belong to other services.
const OTHER_SERVICES: [&str; 9] =
    ["listen", "http__", "register__", "pseudonym__", "limits__", "stop__", "analytics__", "serve__", "reader__"];

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

/// Connection settings of ClickHouse.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickhouseConfig {
    /// URL of the HTTP interface.
    pub url: String,
    /// Name of the ClickHouse user.
    pub user: String,
    /// Password, as a string or as `{ file = "..." }`; `Debug` does not print it.
    #[serde(deserialize_with = "password")]
    pub password: SecretString,
    /// Database of the tables; a lower-case identifier.
    #[serde(deserialize_with = "database")]
    pub database: String,
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
    /// Maximum rows of one insert; see [`Limits::rows`].
    pub rows: usize,
    /// Maximum bytes of a batch; see [`Limits::bytes`].
    pub bytes: usize,
    /// Maximum wait in milliseconds; see [`Limits::linger`].
    pub linger_ms: u64,
    /// Maximum wait during a backlog, in milliseconds; see [`Limits::linger_behind`].
    pub linger_behind_ms: u64,
    /// Concurrent writes; see [`Limits::writers`].
    pub writers: usize,
    /// Maximum bytes of buffered rows; see [`Limits::memory`].
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
    pub hosts: Vec<String>,
}

/// Settings of the process's own log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Filter directives of `tracing_subscriber`.
    pub filter: String,
}

/// Why the settings are invalid, in one line.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An invalid value of the named setting.
    pub fn invalid(setting: &str, reason: &str) -> Self {
        Self(format!("{setting}: {reason}").replace('\n', " "))
    }
}

/// Limits of batch size, wait time and memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
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
        let mut layers = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("{} does not exist", file.display())));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        let is_ours = |name: &str| !OTHER_SERVICES.iter().any(|other| name.to_ascii_lowercase().starts_with(other));
        let environment = Env::prefixed("QAMTU__").filter(move |name| is_ours(name.as_str()));
        Self::extract(&layers.merge(environment.split("__")))
    }

    fn extract(layers: &Figment) -> Result<Self, ConfigError> {
        let config: Self = layers.extract().map_err(|error| ConfigError(error.to_string().replace('\n', " ")))?;
        config.projector.check().map_err(|reason| ConfigError(format!("projector.{reason}")))?;
        Ok(config)
    }
}

impl ProjectorConfig {
    /// The batch limits as typed values.
    pub fn limits(&self) -> Limits {
        Limits {
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

    fn check(&self) -> Result<(), &'static str> {
        if self.member >= self.members {
            return Err("member must be less than members; the first is 0");
        }
        if !(1..=500_000).contains(&self.rows) {
            return Err("rows must be between 1 and 500000");
        }
        if !(1_024..=128 << 20).contains(&self.bytes) || self.memory_bytes < self.bytes {
            return Err("bytes must be between 1024 and 134217728, and memory_bytes at least as much");
        }
        if !(1..=60_000).contains(&self.linger_ms) {
            return Err("linger_ms must be between 1 and 60000");
        }
        if !(self.linger_ms..=60_000).contains(&self.linger_behind_ms) {
            return Err("linger_behind_ms must be between linger_ms and 60000");
        }
        if !(100..=86_400_000).contains(&self.verify_ms) {
            return Err("verify_ms must be between 100 and 86400000");
        }
        if !(1..=16).contains(&self.writers) {
            return Err("writers must be between 1 and 16");
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    first && text.len() <= 48 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A secret: its value, or the file that contains it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a string, or the file that contains it: { file = \"...\" }")]
enum Secret {
    Text(SecretString),
    File { file: PathBuf },
}

/// Reads a password; the line ending of a password file is not part of it.
fn password<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    match Secret::deserialize(from)? {
        Secret::Text(text) => Ok(text),
        Secret::File { file } => match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).into()),
            Err(error) => Err(de::Error::custom(format!("the password file {} cannot be read: {error}", file.display()))),
        },
    }
}

/// A lower-case SQL identifier that needs no quotes.
fn database<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let why = "must be 1 to 48 characters of a-z, 0-9 and '_', beginning with a letter";
    if is_name(&text) { Ok(text) } else { Err(de::Error::custom(why)) }
}

/// A lower-case name that may contain hyphens.
fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let why = "must be 1 to 48 characters of a-z, 0-9, '_' and '-', beginning with a letter";
    if is_name(&text.replace('-', "_")) { Ok(text) } else { Err(de::Error::custom(why)) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn with(toml: &str) -> Result<Config, ConfigError> {
        Config::extract(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml)))
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

    #[test]
    fn a_password_can_be_read_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("projector");
        std::fs::write(&file, "hunter2 \n").unwrap();
        let config = with(&format!("[clickhouse]\npassword = {{ file = {file:?} }}")).unwrap();
        assert_eq!(config.clickhouse.password.expose_secret(), "hunter2 ");
        let error = with("[clickhouse]\npassword = { file = \"/nowhere/projector\" }").unwrap_err().to_string();
        assert!(error.contains("/nowhere/projector cannot be read"), "{error}");
        let error = with("[clickhouse]\npassword = { path = \"x\" }").unwrap_err().to_string();
        assert!(error.contains("the file that contains it"), "{error}");
    }

    #[test]
    fn debug_output_does_not_contain_the_password() {
        let config = with("[clickhouse]\npassword = \"hunter2\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
