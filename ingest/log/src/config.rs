//! Settings of the log: the section `log` of a service's configuration.
//!
//! Unknown settings and settings of the other kind are refused (only `dir` may be left from the defaults). Debug output
//! redacts secrets.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

mod secret;
mod settings;

use settings::LogSection;

/// The kind of log and its settings.
///
/// Read from `log.kind = "embedded" | "kafka"` (default `embedded`) and the settings of that kind;
/// by environment `QAMTU__LOG__KIND`, `QAMTU__LOG__DIR`, `QAMTU__LOG__BROKERS`, ...
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "LogSection")]
pub enum LogConfig {
    /// Files in a local folder, no server.
    Embedded(EmbeddedConfig),
    /// Apache Kafka.
    Kafka(KafkaConfig),
}

impl LogConfig {
    /// The embedded log in a folder, everything else by default.
    pub fn embedded(dir: impl Into<PathBuf>) -> Self {
        Self::Embedded(EmbeddedConfig { dir: dir.into(), max_bytes: None })
    }

    /// Kafka at these addresses, unencrypted, everything else by default.
    pub fn kafka(brokers: impl Into<String>) -> Self {
        Self::Kafka(KafkaConfig::new(brokers))
    }
}

/// Settings of the embedded log.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// `log.dir`: folder on a local disk; created if missing. Network file systems do not work.
    pub dir: PathBuf,
    /// `log.max_bytes`: size in bytes at which appends are refused, so that the log never fills the disk; none: no limit.
    pub max_bytes: Option<u64>,
}

/// Settings of the Kafka log.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `log.brokers`: `host:port`, several separated by commas.
    pub brokers: String,
    /// `log.topic_prefix`: put before every topic name and group on the broker; default empty.
    pub topic_prefix: String,
    /// `log.replicas`: replication factor of new topics; default 3. From 3 up, `min.insync.replicas` is 2.
    pub replicas: u16,
    /// `log.append_timeout_ms`: how long the client retries one append; default 120,000.
    pub append_timeout_ms: u32,
    /// `log.session_timeout_ms`: time without a heartbeat after which the broker reassigns a reader's partitions; default 45,000.
    pub session_timeout_ms: u32,
    /// `log.drain_timeout_ms`: how long a reader may keep revoked partitions to finish; default 30,000.
    pub drain_timeout_ms: u32,
    /// `log.tls`: if present, connections are encrypted and verified; else plain text.
    pub tls: Option<TlsConfig>,
    /// `log.sasl`: if present, the client authenticates.
    pub sasl: Option<SaslConfig>,
}

impl KafkaConfig {
    /// Kafka at these addresses, unencrypted, everything else by default.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic_prefix: String::new(),
            replicas: 3,
            append_timeout_ms: 120_000,
            session_timeout_ms: 45_000,
            drain_timeout_ms: 30_000,
            tls: None,
            sasl: None,
        }
    }
}

/// TLS settings; the broker's certificate and host name are always verified.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// `log.tls.ca_file`: PEM file of trusted authorities; none: those of the system.
    pub ca_file: Option<PathBuf>,
    /// `log.tls.certificate_file`: PEM file of the client certificate, for brokers that require one.
    pub certificate_file: Option<PathBuf>,
    /// `log.tls.key_file`: PEM file of the private key of that certificate.
    pub key_file: Option<PathBuf>,
    /// `log.tls.key_password`: password of an encrypted private key.
    #[serde(deserialize_with = "secret::read_optional")]
    pub key_password: Option<SecretString>,
}

/// SASL authentication of the client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaslConfig {
    /// `log.sasl.mechanism`: `plain`, `scram-sha-256` or `scram-sha-512`.
    pub mechanism: SaslMechanism,
    /// `log.sasl.username`: name of the Kafka user.
    pub username: String,
    /// `log.sasl.password`: redacted in debug output.
    #[serde(deserialize_with = "secret::read")]
    pub password: SecretString,
}

/// SASL mechanism of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaslMechanism {
    /// Sends the password itself; only accepted together with `log.tls`.
    Plain,
    /// SCRAM with SHA-256 (RFC 7677).
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// SCRAM with SHA-512; recommended.
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

impl KafkaConfig {
    /// Checks ranges and combinations of the settings.
    pub(crate) fn check(&self) -> Result<(), crate::LogError> {
        let refuse = |setting, reason: &str| Err(crate::LogError::Config { setting, reason: reason.into() });
        // The range that brokers accept by default.
        if !(6_000..=1_800_000).contains(&self.session_timeout_ms) {
            return refuse("session_timeout_ms", "must be between 6000 and 1800000");
        }
        if self.replicas == 0 {
            return refuse("replicas", "must be at least 1");
        }
        if self.append_timeout_ms < 1_000 {
            return refuse("append_timeout_ms", "must be at least 1000");
        }
        if !(1_000..=240_000).contains(&self.drain_timeout_ms) {
            return refuse("drain_timeout_ms", "must be between 1000 and 240000");
        }
        let plain = matches!(&self.sasl, Some(sasl) if sasl.mechanism == SaslMechanism::Plain);
        if plain && self.tls.is_none() {
            return refuse("sasl.mechanism", "plain would send the password unencrypted; set log.tls, or use scram-sha-512");
        }
        let tls = self.tls.as_ref();
        if tls.is_some_and(|tls| tls.certificate_file.is_some() != tls.key_file.is_some()) {
            return refuse("tls.certificate_file", "certificate_file and key_file go together");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
