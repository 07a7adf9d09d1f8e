//! Creates topics with unlimited retention and refuses existing topics that could remove records.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode as Code;
use tokio::time::Instant;

use super::client::{ClientRole, REQUEST_TIMEOUT, client_config};
use super::context::{KafkaContext, failed};
use crate::config::KafkaConfig;
use crate::entry::MAX_ENTRY_BYTES;
use crate::error::LogError;
use crate::partition::TopicSpec;

/// How long a new topic may take until every broker knows it and it has leaders.
const TOPIC_READY_TIMEOUT: Duration = Duration::from_secs(30);
/// The operation that errors name when topic settings are read.
const READING_CONFIG: &str = "reading the settings of a topic";
/// Topic settings that are required so that no record is ever removed.
const RETENTION_CONFIG: [(&str, &str); 3] = [("retention.ms", "-1"), ("retention.bytes", "-1"), ("cleanup.policy", "delete")];

/// Creates missing topics; refuses a topic with another number of partitions or with limited retention.
pub(super) async fn ensure_topics(config: &KafkaConfig, topics: &[TopicSpec]) -> Result<(), LogError> {
    let config = config.clone();
    let topics = topics.to_vec();
    let runtime = tokio::runtime::Handle::current();
    // Closing a client blocks, so everything runs on a blocking thread.
    let work = tokio::task::spawn_blocking(move || runtime.block_on(Admin::open(&config)?.ensure(&topics)));
    work.await.unwrap_or(Err(LogError::Closed))
}

struct Admin {
    client: AdminClient<KafkaContext>,
    /// Fetches metadata and receives authentication errors, which an admin client does not report.
    metadata_client: BaseConsumer<KafkaContext>,
    config: KafkaConfig,
}

impl Admin {
    fn open(config: &KafkaConfig) -> Result<Self, LogError> {
        let settings = client_config(config, &ClientRole::Admin)?;
        let fail = |error| failed("opening the log", error);
        let client = settings.create_with_context(KafkaContext::new(&config.brokers)).map_err(fail)?;
        let metadata_client = settings.create_with_context(KafkaContext::new(&config.brokers)).map_err(fail)?;
        Ok(Self { client, metadata_client, config: config.clone() })
    }

    async fn ensure(&self, topics: &[TopicSpec]) -> Result<(), LogError> {
        let known = self.partition_counts()?;
        let missing: Vec<_> = topics.iter().filter(|topic| !known.contains_key(&self.remote(topic))).collect();
        if !missing.is_empty() {
            self.create(&missing).await?;
            self.wait_for_leaders(&missing).await?;
        }
        let known = self.partition_counts()?;
        for topic in topics {
            let found = known.get(&self.remote(topic)).copied().unwrap_or_default();
            if found != topic.partitions {
                return Err(LogError::PartitionCount { topic: topic.name.clone(), found, wanted: topic.partitions });
            }
            self.check_retention(topic).await?;
        }
        Ok(())
    }

    fn remote(&self, topic: &TopicSpec) -> String {
        format!("{}{}", self.config.topic_prefix, topic.name)
    }

    fn partition_counts(&self) -> Result<HashMap<String, u32>, LogError> {
        let client = &self.metadata_client;
        client.context().fetch_topics(client.client(), REQUEST_TIMEOUT, || drop(client.poll(Duration::from_millis(10))))
    }

    async fn create(&self, topics: &[&TopicSpec]) -> Result<(), LogError> {
        let replicas = i32::from(self.config.replicas);
        let in_sync = if replicas >= 3 { "2" } else { "1" };
        let largest = (MAX_ENTRY_BYTES + 200_000).to_string();
        let names: Vec<_> = topics.iter().map(|topic| self.remote(topic)).collect();
        let wanted = topics.iter().zip(&names).map(|(topic, name)| {
            let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
            let new = NewTopic::new(name, partitions, TopicReplication::Fixed(replicas))
                .set("min.insync.replicas", in_sync)
                .set("unclean.leader.election.enable", "false")
                .set("message.timestamp.type", "LogAppendTime")
                .set("max.message.bytes", &largest);
            RETENTION_CONFIG.iter().fold(new, |new, (name, value)| new.set(name, value))
        });
        let wanted: Vec<_> = wanted.collect();
        let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT)).operation_timeout(Some(REQUEST_TIMEOUT));
        let created = self.client.create_topics(&wanted, &options).await.map_err(|error| failed("creating topics", error))?;
        for (topic, created) in topics.iter().zip(created) {
            match created {
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((_, Code::InvalidReplicationFactor)) => return Err(too_few_brokers(&self.config, topic)),
                Err((_, code)) => return Err(failed("creating topics", rdkafka::error::KafkaError::AdminOp(code))),
            }
        }
        Ok(())
    }

    async fn wait_for_leaders(&self, topics: &[&TopicSpec]) -> Result<(), LogError> {
        let deadline = Instant::now() + TOPIC_READY_TIMEOUT;
        let names: Vec<_> = topics.iter().map(|topic| self.remote(topic)).collect();
        loop {
            let metadata =
                self.metadata_client.fetch_metadata(None, REQUEST_TIMEOUT).map_err(|error| failed("looking for topics", error))?;
            let has_leaders = |name: &String| {
                let topic = metadata.topics().iter().find(|topic| topic.name() == name);
                topic.is_some_and(|topic| topic.error().is_none() && topic.partitions().iter().all(|partition| partition.leader() >= 0))
            };
            if names.iter().all(has_leaders) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(LogError::Unavailable { action: "waiting for the leaders of new topics", source: None });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks the retention settings, as a topic created by hand may remove unread records.
    async fn check_retention(&self, topic: &TopicSpec) -> Result<(), LogError> {
        let deadline = Instant::now() + TOPIC_READY_TIMEOUT;
        loop {
            let found = self.settings(topic).await?;
            for (setting, wanted) in RETENTION_CONFIG {
                match found.get(setting) {
                    // Not every broker knows a new topic at once.
                    None if Instant::now() < deadline => break,
                    None => return Err(LogError::Unavailable { action: READING_CONFIG, source: None }),
                    Some(found) if found == wanted => {}
                    Some(found) => {
                        return Err(LogError::TopicSetting { topic: topic.name.clone(), setting, found: found.clone(), wanted });
                    }
                }
            }
            if RETENTION_CONFIG.iter().all(|(setting, _)| found.contains_key(*setting)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads the settings of a topic, by Kafka's name.
    async fn settings(&self, topic: &TopicSpec) -> Result<HashMap<String, String>, LogError> {
        let name = self.remote(topic);
        let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
        let described = self.client.describe_configs([&ResourceSpecifier::Topic(&name)], &options).await;
        let described = described.map_err(|error| failed(READING_CONFIG, error))?;
        let mut settings = HashMap::new();
        for resource in described {
            let resource = resource.map_err(|code| failed(READING_CONFIG, rdkafka::error::KafkaError::AdminOp(code)))?;
            settings.extend(resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(settings)
    }
}

fn too_few_brokers(config: &KafkaConfig, topic: &TopicSpec) -> LogError {
    let reason = format!("topic {} cannot have {} copies, there are fewer brokers; set log.replicas", topic.name, config.replicas);
    LogError::Config { setting: "replicas", reason }
}
