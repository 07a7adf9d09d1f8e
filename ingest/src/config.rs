//! Settings: defaults, then a file, then the environment; typed and closed.
//!
//! Guarantees: the defaults are `ingest.example.toml` itself, so that the example is always right. An unknown name is an error, in the file
//! and in the environment; environment variables of the other services are ignored, since all services often share one environment.

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

/// Sections in environment variables that belong to other services.
const OTHER_SECTIONS: [&str; 6] = ["clickhouse__", "projector__", "analytics__", "serve__", "reader__", "metrics__"];

/// All settings of the service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the main listener; port 0 selects a free port.
    pub listen: SocketAddr,
    /// Health listener, host names and proxies.
    pub http: HttpConfig,
    /// Embedded log or Kafka.
    pub log: LogConfig,
    /// File of the register.
    pub register: RegisterConfig,
    /// Folder of the campaigns' keys.
    pub pseudonym: PseudonymConfig,
    /// Limits of one request and of all together.
    pub limits: Limits,
    /// Time limits at shutdown.
    pub stop: StopConfig,
    /// Filter of the logs.
    pub telemetry: TelemetryConfig,
}

/// Section `[http]`: health listener, host names and proxies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Address of the listener for health and metrics; port 0 selects a free port.
    pub health_listen: SocketAddr,
    /// Accepted host names besides loopback and the address that the client connected to.
    pub hosts: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Section `[register]`: the file of the register.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterConfig {
    /// Path of the SQLite file.
    pub path: PathBuf,
}

/// Section `[pseudonym]`: the campaigns' keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PseudonymConfig {
    /// Folder of the files `<campaign>.key`.
    pub key_dir: PathBuf,
    /// Whether a missing key is created.
    pub create: bool,
}

/// Section `[limits]`: limits of requests, streams and connections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most connections open at once.
    pub connections: usize,
    /// Most concurrent requests of one event or one batch.
    pub requests: usize,
    /// Most streams (NDJSON, rolls) at once.
    pub streams: usize,
    /// Longest time that a request queues for a permit (`wait_ms`).
    #[serde(rename = "wait_ms", deserialize_with = "milliseconds")]
    pub wait: Duration,
    /// Most bytes of one event as sent.
    pub event_bytes: usize,
    /// Most bytes of one precinct's roll.
    pub roll_bytes: usize,
    /// Most bytes of one batch, after decompression.
    pub batch_bytes: usize,
    /// Most events of one batch.
    pub batch_events: usize,
    /// Most bytes of one stream, after decompression.
    pub stream_bytes: u64,
    /// Fewest events per minute of a stream of events.
    pub stream_events_per_minute: u64,
    /// Fewest rolls per minute of a stream of rolls.
    pub stream_rolls_per_minute: u64,
    /// Time without new events after which a stream ends if others wait (`stream_repeats_ms`).
    #[serde(rename = "stream_repeats_ms", deserialize_with = "milliseconds")]
    pub stream_repeats: Duration,
    /// Fewest bytes per second of the body of one event or batch, while others wait.
    pub body_bytes_per_second: u64,
    /// Events after which a chunk of a stream is appended.
    pub chunk_events: usize,
    /// Bytes after which a chunk of a stream is appended.
    pub chunk_bytes: usize,
    /// Longest time for the head of a request (`head_ms`).
    #[serde(rename = "head_ms", deserialize_with = "milliseconds")]
    pub head: Duration,
    /// Longest time for the body of one event or batch (`body_ms`).
    #[serde(rename = "body_ms", deserialize_with = "milliseconds")]
    pub body: Duration,
    /// Longest wait for the next bytes of a stream (`idle_ms`).
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub idle: Duration,
    /// Timeout of an append to the log (`append_ms`).
    #[serde(rename = "append_ms", deserialize_with = "milliseconds")]
    pub append: Duration,
    /// Most events that are appended and not yet in the register's file.
    pub unfolded_events: usize,
    /// Conflicting ids per minute that are reported with 409; further ones get 429.
    pub conflicts_per_minute: u32,
}

/// Section `[stop]`: time limits at shutdown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopConfig {
    /// Time for running requests to finish (`drain_ms`).
    #[serde(rename = "drain_ms", deserialize_with = "milliseconds")]
    pub drain: Duration,
}

/// Section `[telemetry]`: filter of the logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Filter directives of `tracing_subscriber`.
    pub filter: String,
}

/// Why the settings cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error about one setting.
    pub fn of(setting: &str, reason: &str) -> Self {
        Self(format!("{setting}: {reason}").replace('\n', " "))
    }
}

impl Config {
    /// Reads defaults, `file` if one is given (it must exist), and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("{} does not exist", file.display())));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("QAMTU__")
            .filter(|name| !OTHER_SECTIONS.iter().any(|other| name.as_str().to_ascii_lowercase().starts_with(other)));
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
    /// Most bytes of one event as sent; larger where only rolls are accepted.
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
            let error = with(toml).unwrap_err().to_string();
            assert!(error.contains(named), "{toml}: {error}");
            assert!(!error.contains('\n'));
        }
        assert!(matches!(with("[log]\nkind = \"kafka\"\nbrokers = \"h:9092\"").unwrap().log, LogConfig::Kafka(_)));
    }
}
