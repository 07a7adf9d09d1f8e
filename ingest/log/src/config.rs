//! Settings of the log: the section `log` of a service's configuration.
//!
//! Unknown settings and settings of the other kind are refused (only `dir` may be left from the defaults). Debug output
//! redacts secrets.

use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The kind of log and its settings.
///
/// Read from `log.kind = "embedded" | "kafka"` (default `embedded`) and the settings of that kind;
/// by environment `QAMTU__LOG__KIND`, `QAMTU__LOG__DIR`, `QAMTU__LOG__BROKERS`, ...
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Settings")]
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
    #[serde(deserialize_with = "optional_secret")]
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
    #[serde(deserialize_with = "secret")]
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

/// The settings as they are written: one flat section for both kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    kind: Kind,
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
enum Kind {
    #[default]
    Embedded,
    Kafka,
}

impl Settings {
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

impl TryFrom<Settings> for LogConfig {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Self, String> {
        match settings.kind {
            Kind::Embedded => embedded(settings).map(Self::Embedded),
            Kind::Kafka => kafka(settings).map(Self::Kafka),
        }
    }
}

fn embedded(settings: Settings) -> Result<EmbeddedConfig, String> {
    if let Some(name) = settings.kafka_setting() {
        return Err(format!("log.{name} is set, but log.kind is embedded; set log.kind to kafka or remove it"));
    }
    let dir = settings.dir.ok_or("log.dir is missing: the embedded log needs a folder")?;
    Ok(EmbeddedConfig { dir, max_bytes: settings.max_bytes })
}

fn kafka(settings: Settings) -> Result<KafkaConfig, String> {
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

/// Reads a secret; a value that is not a string is refused without printing it.
fn secret<'de, D: Deserializer<'de>>(source: D) -> Result<SecretString, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = SecretString;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<SecretString, E> {
            Ok(SecretString::from(text))
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<SecretString, E> {
            Err(E::custom("a secret that looks like a number must be written in quotes, in a variable too: '\"123\"'"))
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<SecretString, E> {
            self.visit_u64(0)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<SecretString, E> {
            self.visit_u64(0)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<SecretString, E> {
            self.visit_u64(0)
        }
    }
    source.deserialize_any(Text)
}

fn optional_secret<'de, D: Deserializer<'de>>(source: D) -> Result<Option<SecretString>, D::Error> {
    secret(source).map(Some)
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn read(text: &str) -> Result<LogConfig, String> {
        Figment::from(Toml::string(text)).extract_inner("log").map_err(|error| error.to_string())
    }

    #[test]
    fn embedded_is_the_default_and_needs_a_folder() {
        let Ok(LogConfig::Embedded(config)) = read("[log]\ndir = 'data/log'") else { panic!("embedded") };
        assert_eq!((config.dir, config.max_bytes), (PathBuf::from("data/log"), None));
        assert!(read("[log]\nkind = 'embedded'").expect_err("no folder").contains("log.dir is missing"));
    }

    #[test]
    fn kafka_needs_brokers_and_has_defaults_for_the_rest() {
        let Ok(LogConfig::Kafka(config)) = read("[log]\nkind = 'kafka'\nbrokers = 'a:1,b:1'\ndir = 'from the defaults'") else {
            panic!("kafka")
        };
        assert_eq!((config.brokers.as_str(), config.replicas, config.append_timeout_ms), ("a:1,b:1", 3, 120_000));
        assert!(config.tls.is_none() && config.sasl.is_none() && config.topic_prefix.is_empty());
        assert!(read("[log]\nkind = 'kafka'\nbrokers = ' '").expect_err("no brokers").contains("log.brokers is missing"));
    }

    #[test]
    fn settings_of_the_other_kind_and_unknown_ones_are_refused_by_name() {
        for (text, message) in [
            ("dir = 'd'\nbrokers = 'a:1'", "log.brokers is set, but log.kind is embedded"),
            ("dir = 'd'\nreplicas = 1", "log.replicas is set, but log.kind is embedded"),
            ("kind = 'kafka'\nbrokers = 'a:1'\nmax_bytes = 5", "log.max_bytes belongs to the embedded log"),
            ("kind = 'kafka'\nbrokers = 'a:1'\nacks = 1", "unknown field: found `acks`"),
            ("kind = 'pulsar'\ndir = 'd'", "unknown variant: found `pulsar`"),
            ("kind = 'kafka'\nbrokers = 'a:1'\nreplicas = 0", "log.replicas: must be at least 1"),
            ("kind = 'kafka'\nbrokers = 'a:1'\nsession_timeout_ms = 10", "log.session_timeout_ms: must be between"),
            ("kind = 'kafka'\nbrokers = 'a:1'\ntls = { key_file = 'k' }", "certificate_file and key_file go together"),
            ("kind = 'kafka'\nbrokers = 'a:1'\ntls = { verify = false }", "unknown field: found `verify`"),
        ] {
            let error = read(&format!("[log]\n{text}")).expect_err(text);
            assert!(error.contains(message), "{text:?} said {error:?}");
        }
    }

    #[test]
    fn a_password_is_never_sent_in_the_clear_nor_printed() {
        let sasl = "kind = 'kafka'\nbrokers = 'a:1'\nsasl = { mechanism = 'plain', username = 'u', password = 'canary' }";
        assert!(read(&format!("[log]\n{sasl}")).expect_err("plain without tls").contains("log.sasl.mechanism"));
        let config = read(&format!("[log]\n{sasl}\ntls = {{}}")).expect("plain with tls");
        assert!(!format!("{config:?}").contains("canary"));
        let digits = sasl.replace("'canary'", "31337");
        let error = read(&format!("[log]\n{digits}\ntls = {{}}")).expect_err("digits");
        assert!(error.contains("must be written in quotes") && !error.contains("31337"), "{error}");
    }
}
