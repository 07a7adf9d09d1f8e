//! The section `log` as it is written: one flat list of settings for both kinds of log.

use std::path::PathBuf;

use serde::Deserialize;

use super::{EmbeddedConfig, KafkaConfig, LogConfig, SaslConfig, TlsConfig};

/// The settings as they are written: one flat section for both kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogSection {
    #[serde(default)]
    kind: BackendKind,
    dir: Option<PathBuf>,
    max_bytes: Option<u64>,
    brokers: Option<String>,
    topic_prefix: Option<String>,
    replicas: Option<u16>,
    append_timeout_ms: Option<u32>,
    session_timeout_ms: Option<u32>,
    drain_timeout_ms: Option<u32>,
    tls: Option<TlsConfig>,
    sasl: Option<SaslConfig>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BackendKind {
    #[default]
    Embedded,
    Kafka,
}

impl LogSection {
    /// Name of a Kafka setting that is present.
    fn kafka_setting(&self) -> Option<&'static str> {
        [
            ("brokers", self.brokers.is_some()),
            ("topic_prefix", self.topic_prefix.is_some()),
            ("replicas", self.replicas.is_some()),
            ("append_timeout_ms", self.append_timeout_ms.is_some()),
            ("session_timeout_ms", self.session_timeout_ms.is_some()),
            ("drain_timeout_ms", self.drain_timeout_ms.is_some()),
            ("tls", self.tls.is_some()),
            ("sasl", self.sasl.is_some()),
        ]
        .into_iter()
        .find_map(|(name, present)| present.then_some(name))
    }
}

impl TryFrom<LogSection> for LogConfig {
    type Error = String;

    fn try_from(settings: LogSection) -> Result<Self, String> {
        match settings.kind {
            BackendKind::Embedded => embedded(settings).map(Self::Embedded),
            BackendKind::Kafka => kafka(settings).map(Self::Kafka),
        }
    }
}

fn embedded(settings: LogSection) -> Result<EmbeddedConfig, String> {
    if let Some(name) = settings.kafka_setting() {
        return Err(format!("log.{name} is set, but log.kind is embedded; set log.kind to kafka or remove it"));
    }
    let dir = settings.dir.ok_or("log.dir is missing: the embedded log needs a folder")?;
    Ok(EmbeddedConfig { dir, max_bytes: settings.max_bytes })
}

fn kafka(settings: LogSection) -> Result<KafkaConfig, String> {
    if settings.max_bytes.is_some() {
        return Err("log.max_bytes belongs to the embedded log, but log.kind is kafka".into());
    }
    let brokers = settings.brokers.filter(|brokers| !brokers.trim().is_empty());
    let brokers = brokers.ok_or("log.brokers is missing: write host:port, several separated by commas")?;
    let default = KafkaConfig::new(brokers);
    let config = KafkaConfig {
        topic_prefix: settings.topic_prefix.unwrap_or(default.topic_prefix),
        replicas: settings.replicas.unwrap_or(default.replicas),
        append_timeout_ms: settings.append_timeout_ms.unwrap_or(default.append_timeout_ms),
        session_timeout_ms: settings.session_timeout_ms.unwrap_or(default.session_timeout_ms),
        drain_timeout_ms: settings.drain_timeout_ms.unwrap_or(default.drain_timeout_ms),
        tls: settings.tls,
        sasl: settings.sasl,
        brokers: default.brokers,
    };
    config.check().map(|()| config).map_err(|error| error.to_string())
}
