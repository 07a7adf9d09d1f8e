//! Settings: defaults, then a file, then the environment; typed and closed.
//!
//! Guarantees: the defaults are `ingest.example.toml` itself, so that the example cannot lie. An unknown name is an error, in the file
//! and in the environment; there, sections of the other services are left alone, since one environment often serves all of them.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use qamtu_log::LogConfig;
use qamtu_schemas::Kind;
use serde::{Deserialize, Deserializer};

use crate::hosts;

const DEFAULTS: &str = include_str!("../ingest.example.toml");

/// Sections of the environment that belong to the other services.
const OTHERS: [&str; 6] = ["clickhouse__", "projector__", "analytics__", "serve__", "reader__", "metrics__"];

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where requests are taken; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How HTTP is spoken.
    pub http: HttpConfig,
    /// The event log.
    pub log: LogConfig,
    /// The register.
    pub register: RegisterConfig,
    /// Keys of pseudonyms.
    pub pseudonym: PseudonymConfig,
    /// What one request, and all together, may take.
    pub limits: Limits,
    /// How the service ends.
    pub stop: StopConfig,
    /// Logs.
    pub telemetry: TelemetryConfig,
}

/// How HTTP is spoken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where health and metrics are answered on connections of their own; port 0 takes a free one.
    pub health_listen: SocketAddr,
    /// Host names that are accepted besides those of this machine's loopback and the address a client connected to.
    pub hosts: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Where the register is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterConfig {
    /// Its file.
    pub path: PathBuf,
}

/// Where keys are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PseudonymConfig {
    /// Folder of the files `<campaign>.key`.
    pub key_dir: PathBuf,
    /// May a missing key be created?
    pub create: bool,
}

/// What requests may take.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once.
    pub connections: usize,
    /// Requests of one event or one batch at once.
    pub requests: usize,
    /// Streams at once.
    pub streams: usize,
    /// Time that a request waits for its place (`wait_ms`).
    #[serde(rename = "wait_ms", deserialize_with = "milliseconds")]
    pub wait: Duration,
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of one precinct's roll.
    pub roll_bytes: usize,
    /// Bytes of one batch, after decompression.
    pub batch_bytes: usize,
    /// Events of one batch.
    pub batch_events: usize,
    /// Bytes of one stream, after decompression.
    pub stream_bytes: u64,
    /// Fewest events per minute of a stream of events.
    pub stream_events_per_minute: u64,
    /// Fewest rolls per minute of a stream of rolls.
    pub stream_rolls_per_minute: u64,
    /// Time for which a stream may bring nothing new while others wait (`stream_repeats_ms`).
    #[serde(rename = "stream_repeats_ms", deserialize_with = "milliseconds")]
    pub stream_repeats: Duration,
    /// Fewest bytes per second of the body of one event or batch, while others wait.
    pub body_bytes_per_second: u64,
    /// Events after which a part of a stream goes into the log.
    pub chunk_events: usize,
    /// Bytes after which a part of a stream goes into the log.
    pub chunk_bytes: usize,
    /// Time for the head of a request (`head_ms`).
    #[serde(rename = "head_ms", deserialize_with = "milliseconds")]
    pub head: Duration,
    /// Time for the body of one event or batch (`body_ms`).
    #[serde(rename = "body_ms", deserialize_with = "milliseconds")]
    pub body: Duration,
    /// Time between two pieces of a stream (`idle_ms`).
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub idle: Duration,
    /// Time for the log to acknowledge an append (`append_ms`).
    #[serde(rename = "append_ms", deserialize_with = "milliseconds")]
    pub append: Duration,
    /// Events that may be appended and not yet folded.
    pub unfolded_events: usize,
    /// Conflicting ids per minute of which clients are told; of more only that there are many.
    pub conflicts_per_minute: u32,
}

/// How the service ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// Time for running requests to finish (`drain_ms`).
    #[serde(rename = "drain_ms", deserialize_with = "milliseconds")]
    pub drain: Duration,
}

/// What is logged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Directives of `tracing_subscriber`.
    pub filter: String,
}

/// Why the settings cannot be used; one line.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A setting that cannot be used.
    pub fn of(setting: &str, reason: &str) -> Self {
        Self(format!("{setting}: {reason}").replace('\n', " "))
    }
}

impl Config {
    /// Reads the layers; `file` is optional, but if it is named it must exist.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("{} does not exist", file.display())));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        let environment =
            Env::prefixed("QAMTU__").filter(|name| !OTHERS.iter().any(|other| name.as_str().to_ascii_lowercase().starts_with(other)));
        Self::of(&layers.merge(environment.split("__")))
    }

    fn of(layers: &Figment) -> Result<Self, ConfigError> {
        let config: Self = layers.extract().map_err(|error| ConfigError(error.to_string().replace('\n', " ")))?;
        if let Some(wrong) = config.http.hosts.iter().find(|name| !hosts::is_name(name)) {
            return Err(ConfigError::of(
                "http.hosts",
                &format!("{wrong:?} is no host name; write names or addresses without port and path"),
            ));
        }
        config.limits.check().map_err(|reason| ConfigError(format!("limits.{reason}")))?;
        Ok(config)
    }
}

impl Limits {
    /// Bytes of one event as sent: rolls on their own path may be larger.
    pub fn largest(&self, only: Option<Kind>) -> usize {
        if only == Some(Kind::PrecinctEnrolled) { self.roll_bytes } else { self.event_bytes }
    }

    fn check(&self) -> Result<(), &'static str> {
        let sizes = [self.connections, self.requests, self.streams, self.event_bytes, self.batch_events, self.chunk_events];
        if sizes.contains(&0) || self.unfolded_events == 0 || self.conflicts_per_minute == 0 {
            return Err("* must be at least 1");
        }
        if self.chunk_bytes < 65_536 || self.chunk_bytes > 64 << 20 {
            return Err("chunk_bytes must be between 65536 and 67108864");
        }
        if self.batch_bytes < self.event_bytes || self.roll_bytes < self.event_bytes {
            return Err("event_bytes must not be larger than batch_bytes or roll_bytes");
        }
        Ok(())
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let number = u64::deserialize(from)?;
    if (1..=86_400_000).contains(&number) {
        Ok(Duration::from_millis(number))
    } else {
        Err(serde::de::Error::custom("must be between 1 and 86400000 milliseconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Config, ConfigError> {
        Config::of(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml)))
    }

    #[test]
    fn the_example_is_the_default() {
        let config = with("").unwrap();
        assert_eq!(config.listen.port(), 8480);
        assert!(matches!(config.log, LogConfig::Embedded(_)));
        assert!(!config.pseudonym.create);
        assert_eq!(config.limits.head, Duration::from_secs(30));
    }

    #[test]
    fn unknown_and_impossible_settings_are_refused_by_name() {
        for (toml, named) in [
            ("listne = \"127.0.0.1:1\"", "listne"),
            ("[limits]\nevent_byts = 5", "event_byts"),
            ("[limits]\nhead_ms = 0", "head_ms"),
            ("[limits]\nstreams = 0", "at least 1"),
            ("[limits]\nchunk_bytes = 5", "chunk_bytes"),
            ("[log]\nbrokers = \"h:9092\"", "log.brokers"),
            ("[log]\nkind = \"rabbit\"", "rabbit"),
            ("listen = \"here\"", "listen"),
            ("[http]\nhosts = [\"ingest.example.org:443\"]", "http.hosts"),
            ("[http]\ntrusted_proxies = [\"proxy\"]", "trusted_proxies"),
        ] {
            let said = with(toml).unwrap_err().to_string();
            assert!(said.contains(named), "{toml}: {said}");
            assert!(!said.contains('\n'));
        }
        assert!(matches!(with("[log]\nkind = \"kafka\"\nbrokers = \"h:9092\"").unwrap().log, LogConfig::Kafka(_)));
    }
}
