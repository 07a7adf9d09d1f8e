//! The one configuration of every Kafka client, and topic names with the prefix of the installation.
//!
//! Guarantees: producers are idempotent, wait for all in-sync replicas and use the partitioner of the embedded log; no client
//! commits, chooses a start offset or creates a topic by itself; with TLS, certificates and host names are verified.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use secrecy::ExposeSecret;

use crate::config::{KafkaConfig, SaslConfig, SaslMechanism, TlsConfig};
use crate::entry::MAX_ENTRY_BYTES;
use crate::error::LogError;

/// Timeout of one request to the brokers.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Purpose of a client.
#[derive(Debug, Clone)]
pub(super) enum ClientRole {
    /// Creates topics and checks their settings.
    Admin,
    /// Appends as an idempotent producer.
    Writer,
    /// Reads as a member of a group.
    GroupMember(GroupMember),
    /// Reads all partitions, without a group.
    Standalone,
}

/// A member of a reader group.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupMember {
    /// Name of the group, without the prefix.
    pub(super) group: String,
    /// Number of the member, from 0.
    pub(super) member: u32,
}

/// Configures every client of this crate.
pub(super) fn client_config(config: &KafkaConfig, role: &ClientRole) -> Result<ClientConfig, LogError> {
    config.check()?;
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &config.brokers).set("client.id", "qamtu");
    // Reconnects within a second after a broker is back.
    client.set("reconnect.backoff.max.ms", "1000").set("socket.keepalive.enable", "true");
    client.set("log.connection.close", "false").set_log_level(RDKafkaLogLevel::Info);
    configure_security(&mut client, config);
    match role {
        ClientRole::Admin => {}
        ClientRole::Writer => configure_producer(&mut client, config),
        ClientRole::GroupMember(GroupMember { group, member }) => {
            configure_consumer(&mut client);
            let group = format!("{}{group}", config.topic_prefix);
            // Static membership: a restart within the session timeout moves no partition.
            client.set("group.instance.id", format!("{group}-{member}")).set("group.id", group);
            client.set("session.timeout.ms", config.session_timeout_ms.to_string());
            client.set("heartbeat.interval.ms", (config.session_timeout_ms / 10).clamp(100, 3_000).to_string());
            // The other members wait this long for one that drains, so it must be longer than the drain.
            client.set("max.poll.interval.ms", config.session_timeout_ms.max(300_000).to_string());
            // Eager: cooperative rebalancing with manual commits can rebalance endlessly (librdkafka 4059, 4220); the
            // "consumer" protocol fails fatally after a missed poll before librdkafka 2.15.
            client.set("group.protocol", "classic").set("partition.assignment.strategy", "range");
        }
        ClientRole::Standalone => {
            configure_consumer(&mut client);
            // librdkafka requires a group id to assign partitions; nothing is ever committed under it.
            client.set("group.id", format!("{}whole", config.topic_prefix));
        }
    }
    Ok(client)
}

fn configure_producer(client: &mut ClientConfig, config: &KafkaConfig) {
    client.set("enable.idempotence", "true").set("acks", "all");
    client.set("message.timeout.ms", config.append_timeout_ms.to_string());
    client.set("partitioner", "murmur2_random").set("compression.type", "lz4");
    client.set("message.max.bytes", (MAX_ENTRY_BYTES + 100_000).to_string());
    // The queue is bounded; appends wait in order until it has space.
    client.set("queue.buffering.max.messages", "200000").set("queue.buffering.max.kbytes", "65536");
    // Batches single events: with 2 ms, 2,000 events a second cost the broker as much as 50,000.
    client.set("linger.ms", "5");
}

fn configure_consumer(client: &mut ClientConfig) {
    client.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    client.set("auto.offset.reset", "error").set("enable.partition.eof", "true");
    client.set("isolation.level", "read_committed").set("check.crcs", "true");
    client.set("allow.auto.create.topics", "false");
    // Other requests queue behind a waiting fetch on the same connection: with librdkafka's default of half a second, the offset
    // queries of twelve partitions blocked a reader for seconds. The minimum size avoids one fetch for each single event.
    client.set("fetch.wait.max.ms", "50").set("fetch.min.bytes", "65536");
    client.set("queued.max.messages.kbytes", "32768").set("fetch.max.bytes", "16777216").set("fetch.queue.backoff.ms", "20");
}

fn configure_security(client: &mut ClientConfig, config: &KafkaConfig) {
    let protocol = match (&config.tls, &config.sasl) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    client.set("security.protocol", protocol);
    if let Some(tls) = &config.tls {
        configure_tls(client, tls);
    }
    if let Some(sasl) = &config.sasl {
        configure_sasl(client, sasl);
    }
}

fn configure_tls(client: &mut ClientConfig, tls: &TlsConfig) {
    client.set("enable.ssl.certificate.verification", "true").set("ssl.endpoint.identification.algorithm", "https");
    let files =
        [("ssl.ca.location", &tls.ca_file), ("ssl.certificate.location", &tls.certificate_file), ("ssl.key.location", &tls.key_file)];
    for (name, file) in files {
        if let Some(file) = file {
            client.set(name, file.to_string_lossy());
        }
    }
    if let Some(password) = &tls.key_password {
        client.set("ssl.key.password", password.expose_secret());
    }
}

fn configure_sasl(client: &mut ClientConfig, sasl: &SaslConfig) {
    let mechanism = match sasl.mechanism {
        SaslMechanism::Plain => "PLAIN",
        SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
        SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
    };
    client.set("sasl.mechanism", mechanism).set("sasl.username", &sasl.username);
    client.set("sasl.password", sasl.password.expose_secret());
}

/// Maps topic names with and without the configured prefix.
#[derive(Debug, Clone)]
pub(super) struct TopicNames {
    prefix: String,
    local_names: HashMap<String, Arc<str>>,
}

impl TopicNames {
    /// The mapping for these topics, given without the prefix.
    pub(super) fn new(prefix: &str, topics: &[String]) -> Self {
        let local_names = topics.iter().map(|topic| (format!("{prefix}{topic}"), topic.as_str().into())).collect();
        Self { prefix: prefix.to_owned(), local_names }
    }

    /// Name on the brokers, with the prefix.
    pub(super) fn remote(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// Name without the prefix.
    pub(super) fn local(&self, remote: &str) -> Arc<str> {
        match self.local_names.get(remote) {
            Some(topic) => topic.clone(),
            None => remote.strip_prefix(&self.prefix).unwrap_or(remote).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(config: &KafkaConfig, role: &ClientRole) -> HashMap<String, String> {
        client_config(config, role).expect("config").config_map().iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn roles() -> [ClientRole; 4] {
        [
            ClientRole::Admin,
            ClientRole::Writer,
            ClientRole::GroupMember(GroupMember { group: "g".into(), member: 1 }),
            ClientRole::Standalone,
        ]
    }

    #[test]
    fn librdkafka_takes_every_setting() {
        for role in roles() {
            client_config(&KafkaConfig::new("127.0.0.1:1"), &role).expect("config").create_native_config().expect("settings");
        }
    }

    #[test]
    fn writers_are_idempotent_and_wait_for_all_replicas() {
        let writer = settings(&KafkaConfig::new("b:1"), &ClientRole::Writer);
        assert_eq!(writer["enable.idempotence"], "true");
        assert_eq!(writer["acks"], "all");
        assert_eq!(writer["partitioner"], "murmur2_random");
        assert_eq!(writer["message.timeout.ms"], "120000");
    }

    #[test]
    fn readers_make_nothing_up() {
        for role in [ClientRole::GroupMember(GroupMember { group: "g".into(), member: 1 }), ClientRole::Standalone] {
            let reader = settings(&KafkaConfig::new("b:1"), &role);
            assert_eq!(reader["enable.auto.commit"], "false");
            assert_eq!(reader["enable.auto.offset.store"], "false");
            assert_eq!(reader["auto.offset.reset"], "error");
            assert_eq!(reader["allow.auto.create.topics"], "false");
        }
    }

    #[test]
    fn group_and_member_carry_the_prefix() {
        let config = KafkaConfig { topic_prefix: "south-".into(), ..KafkaConfig::new("b:1") };
        let member = settings(&config, &ClientRole::GroupMember(GroupMember { group: "projector".into(), member: 3 }));
        assert_eq!(member["group.id"], "south-projector");
        assert_eq!(member["group.instance.id"], "south-projector-3");
    }

    #[test]
    fn tls_always_verifies() {
        let sasl = SaslConfig { mechanism: SaslMechanism::Plain, username: "u".into(), password: "p".to_owned().into() };
        let config = KafkaConfig { tls: Some(TlsConfig::default()), sasl: Some(sasl), ..KafkaConfig::new("b:1") };
        for role in roles() {
            let client = settings(&config, &role);
            assert_eq!(client["security.protocol"], "sasl_ssl");
            assert_eq!(client["enable.ssl.certificate.verification"], "true");
            assert_eq!(client["ssl.endpoint.identification.algorithm"], "https");
        }
    }
}
