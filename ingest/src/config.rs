//! Settings of the service; [`qamtu_service::config`] loads them. The defaults are `ingest.example.toml` itself.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use qamtu_log::LogConfig;
use qamtu_schemas::Kind;
use qamtu_service::{
    config::{self, ConfigError, TelemetryConfig, milliseconds},
    hosts::AllowedHosts,
};
use serde::Deserialize;

const DEFAULTS: &str = include_str!("../ingest.example.toml");

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
    pub hosts: AllowedHosts,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Section `[register]`: the file of the register.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterConfig {
    /// Path of the SQLite file.
    pub path: PathBuf,
    /// Time after the last append without a result until its id may get another body (`unresolved_ms`).
    #[serde(rename = "unresolved_ms", deserialize_with = "milliseconds")]
    pub unresolved: Duration,
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
    pub unwritten_events: usize,
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

impl Config {
    /// Reads defaults, `file` if one is given (it must exist), and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        config::load::<Self>(DEFAULTS, file)?.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        self.limits.check().map(|()| self)
    }
}

impl Limits {
    /// Most bytes of one event as sent; larger where only rolls are accepted.
    pub fn largest(&self, only: Option<Kind>) -> usize {
        if only == Some(Kind::PrecinctEnrolled) { self.roll_bytes } else { self.event_bytes }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let sizes = [self.connections, self.requests, self.streams, self.event_bytes, self.batch_events, self.chunk_events];
        if sizes.contains(&0) || self.unwritten_events == 0 || self.conflicts_per_minute == 0 {
            return Err(ConfigError::new("limits.*", "must be at least 1"));
        }
        if self.chunk_bytes < 65_536 || self.chunk_bytes > 64 << 20 {
            return Err(ConfigError::new("limits.chunk_bytes", "must be between 65536 and 67108864"));
        }
        if self.batch_bytes < self.event_bytes || self.roll_bytes < self.event_bytes {
            return Err(ConfigError::new("limits.event_bytes", "must not be larger than batch_bytes or roll_bytes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Config, ConfigError> {
        config::parse::<Config>(DEFAULTS, toml)?.checked()
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
