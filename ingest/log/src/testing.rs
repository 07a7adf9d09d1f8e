//! Actions of other Kafka clients on our topics, for tests: transactional producers, operators who compact or delete topics or delete
//! records.
//!
//! The product itself does none of this.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::config::KafkaConfig;
use crate::entry::Entry;
use crate::error::LogError;
use crate::partition::NextOffset;

/// Timeout of one step of a transaction.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// A producer that writes in transactions, one at a time.
pub struct TransactionalProducer {
    producer: BaseProducer,
    prefix: String,
}

impl TransactionalProducer {
    /// Connects with a transactional id that contains the topic prefix.
    pub fn new(config: &KafkaConfig) -> Result<Self, LogError> {
        let prefix = config.topic_prefix.clone();
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &config.brokers).set("transactional.id", format!("{prefix}foreign"));
        let producer: BaseProducer = settings.create().map_err(failed("opening a transactional producer"))?;
        producer.init_transactions(STEP_TIMEOUT).map_err(failed("opening a transactional producer"))?;
        Ok(Self { producer, prefix })
    }

    /// Begins a transaction and waits until the broker has stored these entries, all in one partition.
    pub fn begin(&self, partition: u32, entries: &[Entry]) -> Result<(), LogError> {
        self.producer.begin_transaction().map_err(failed("beginning a transaction"))?;
        for entry in entries {
            let topic = format!("{}{}", self.prefix, entry.topic);
            let add = |headers: OwnedHeaders, (name, value): &(std::borrow::Cow<'static, str>, bytes::Bytes)| {
                headers.insert(Header { key: name, value: Some(value.as_ref()) })
            };
            let headers = entry.headers.iter().fold(OwnedHeaders::new(), add);
            let number = i32::try_from(partition).unwrap_or(i32::MAX);
            let record = BaseRecord::to(&topic).partition(number).key(&entry.key[..]).payload(&entry.value[..]).headers(headers);
            self.producer.send(record).map_err(|(error, _)| failed("writing in a transaction")(error))?;
        }
        self.producer.flush(STEP_TIMEOUT).map_err(failed("writing in a transaction"))
    }

    /// Commits the open transaction.
    pub fn commit(&self) -> Result<(), LogError> {
        self.producer.commit_transaction(STEP_TIMEOUT).map_err(failed("committing a transaction"))
    }

    /// Aborts the open transaction.
    pub fn abort(&self) -> Result<(), LogError> {
        self.producer.abort_transaction(STEP_TIMEOUT).map_err(failed("aborting a transaction"))
    }
}

/// Changes settings of a topic; all other settings are reset to their defaults.
pub async fn alter_topic(config: &KafkaConfig, topic: &str, settings: &[(&str, &str)]) -> Result<(), LogError> {
    let topic = format!("{}{topic}", config.topic_prefix);
    let wanted = AlterConfig::new(ResourceSpecifier::Topic(&topic));
    let wanted = settings.iter().fold(wanted, |wanted, (name, value)| wanted.set(name, value));
    let altered = admin(config)?.alter_configs([&wanted], &AdminOptions::new()).await.map_err(failed("changing a topic"))?;
    altered.into_iter().try_for_each(|outcome| match outcome {
        Ok(_) => Ok(()),
        Err((_, code)) => Err(failed("changing a topic")(KafkaError::AdminOp(code))),
    })
}

/// Deletes the records of a partition before an offset, as retention does.
pub async fn delete_records(config: &KafkaConfig, before: &NextOffset) -> Result<(), LogError> {
    let (partition, offset) = (&before.partition, i64::try_from(before.offset).unwrap_or(i64::MAX));
    let topic = format!("{}{}", config.topic_prefix, partition.topic);
    let number = i32::try_from(partition.number).unwrap_or(i32::MAX);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, number, Offset::Offset(offset)).map_err(failed("deleting records"))?;
    admin(config)?.delete_records(&list, &AdminOptions::new()).await.map(drop).map_err(failed("deleting records"))
}

/// Deletes topics with all records.
pub async fn delete_topics(config: &KafkaConfig, topics: &[&str]) -> Result<(), LogError> {
    let names: Vec<_> = topics.iter().map(|topic| format!("{}{topic}", config.topic_prefix)).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let deleted = admin(config)?.delete_topics(&names, &AdminOptions::new()).await.map_err(failed("deleting topics"))?;
    let refused = deleted.into_iter().find_map(Result::err);
    refused.map_or(Ok(()), |(_, code)| Err(failed("deleting topics")(KafkaError::AdminOp(code))))
}

fn admin(config: &KafkaConfig) -> Result<AdminClient<DefaultClientContext>, LogError> {
    ClientConfig::new().set("bootstrap.servers", &config.brokers).create().map_err(failed("opening an administrator's client"))
}

fn failed(action: &'static str) -> impl Fn(KafkaError) -> LogError {
    move |source| LogError::Kafka { action, source }
}
