//! Appends to Kafka: queued in order, settled when every in-sync replica has the record.
//!
//! Guarantees: a full queue makes callers wait in their order; a call that was cancelled still queues
//! all of its entries or none after the first one that is refused; a fatal error of the idempotent
//! producer makes [`LogWriter::ready`] fail for good. A producer that no broker answers any more, while a new one is answered, is
//! replaced by that one; what it had not settled fails as unanswered. Dropping the last handle drops what is not settled: flush first.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use tokio::time::Instant;

use super::client::{ANSWER, Role, client_config};
use super::topic_id::{TopicId, topic_ids};
use super::voice::{Voice, failed};
use super::watch::{PROBE, SILENCE, compare};
use crate::config::KafkaConfig;
use crate::entry::Entry;
use crate::error::LogError;
use crate::partition::{Partition, Position};
use crate::writer::LogWriter;

/// How long to wait before asking a full queue again.
const FULL: Duration = Duration::from_millis(2);
/// How long a readiness question may take.
const READY: Duration = Duration::from_secs(3);

const APPENDING: &str = "appending";

/// Appends to Kafka.
pub(super) struct KafkaWriter {
    queue: Arc<Queue>,
}

/// What the calls share.
struct Queue {
    config: KafkaConfig,
    client: RwLock<Arc<Client>>,
    /// Held while a call queues its entries, so that calls keep their order when the queue is full.
    turn: tokio::sync::Mutex<()>,
    /// Topics that are known to exist.
    topics: Mutex<HashSet<Arc<str>>>,
    /// Ids of the topics that were asked for, by name on the broker, as they were at first.
    ids: Mutex<HashMap<String, TopicId>>,
}

/// One client of the brokers.
struct Client {
    producer: FutureProducer<Voice>,
    voice: Voice,
}

impl Client {
    fn open(config: &KafkaConfig) -> Result<Self, LogError> {
        let voice = Voice::new(&config.brokers);
        let producer: Result<FutureProducer<Voice>, _> = client_config(config, &Role::Writer)?.create_with_context(voice.clone());
        Ok(Self { producer: producer.map_err(|error| failed("opening the log", error))?, voice })
    }

    /// Every topic on the brokers, by its name there.
    fn topics(&self, wait: Duration) -> Result<HashMap<String, u32>, LogError> {
        // The producer polls by itself.
        self.voice.topics(self.producer.client(), wait, || {})
    }
}

impl KafkaWriter {
    /// Opens the log for appending; blocks until a broker answers.
    pub(super) fn open(config: &KafkaConfig) -> Result<Self, LogError> {
        let queue = Queue {
            config: config.clone(),
            client: RwLock::new(Arc::new(Client::open(config)?)),
            turn: tokio::sync::Mutex::new(()),
            topics: Mutex::new(HashSet::new()),
            ids: Mutex::new(HashMap::new()),
        };
        queue.learn_topics(ANSWER)?;
        let queue = Arc::new(queue);
        let watched = Arc::downgrade(&queue);
        let thread = std::thread::Builder::new().name("log-watch".into()).spawn(move || watch(&watched));
        thread.map_err(|error| LogError::Fatal { reason: format!("no thread: {error}") })?;
        Ok(Self { queue })
    }
}

/// Replaces a client that is not answered any more, although another one is; the thread ends with the writer. Why that happens:
/// [`super::watch`].
fn watch(queue: &Weak<Queue>) {
    let mut answered = Instant::now();
    // Closed here, where it may block, once no call uses them any more.
    let mut retired: Vec<Arc<Client>> = Vec::new();
    loop {
        std::thread::sleep(PROBE);
        let Some(queue) = queue.upgrade() else { return };
        retired.retain(|client| Arc::strong_count(client) > 1);
        match queue.client().topics(ANSWER) {
            Ok(_) => answered = Instant::now(),
            Err(error) if answered.elapsed() < SILENCE => tracing::warn!(%error, "the broker does not answer the writer"),
            Err(_) => match Client::open(&queue.config).and_then(|fresh| fresh.topics(ANSWER).map(|_| fresh)) {
                Ok(fresh) => {
                    tracing::warn!("the log client has stopped working; a new one takes its place");
                    retired.push(queue.replace(fresh));
                    answered = Instant::now();
                }
                Err(error) => tracing::warn!(%error, "no broker answers the writer"),
            },
        }
    }
}

#[async_trait]
impl LogWriter for KafkaWriter {
    async fn append(&self, entries: Vec<Entry>) -> Vec<Result<Position, LogError>> {
        let count = entries.len();
        let queue = self.queue.clone();
        // A task of its own: a caller that goes away cannot cut the call in two.
        let call = tokio::spawn(async move { queue.append(entries).await });
        call.await.unwrap_or_else(|_| (0..count).map(|_| Err(LogError::Closed)).collect())
    }

    async fn flush(&self, deadline: Duration) -> Result<(), LogError> {
        let until = Instant::now() + deadline;
        let client = self.queue.client();
        let unsettled = |client: &Client| LogError::Unsettled { unsettled: client.producer.in_flight_count().unsigned_abs().into() };
        // Whoever was before us has queued its entries by then.
        if tokio::time::timeout_at(until, self.queue.turn.lock()).await.is_err() {
            return Err(unsettled(&client));
        }
        let flush = move || match client.producer.flush(until.saturating_duration_since(Instant::now())) {
            Ok(()) => Ok(()),
            Err(error) if error.rdkafka_error_code() == Some(Code::OperationTimedOut) => Err(unsettled(&client)),
            Err(error) => Err(failed("flushing", error)),
        };
        tokio::task::spawn_blocking(flush).await.unwrap_or(Err(LogError::Closed))
    }

    async fn ready(&self) -> Result<(), LogError> {
        let queue = self.queue.clone();
        let ask = move || {
            queue.fatal()?;
            queue.learn_topics(READY)
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or(Err(LogError::Closed))
    }

    async fn verify(&self, topics: &[&str]) -> Result<(), LogError> {
        let queue = self.queue.clone();
        let names: Vec<_> = topics.iter().map(|topic| format!("{}{topic}", queue.config.topic_prefix)).collect();
        tokio::task::spawn_blocking(move || queue.verify(&names)).await.unwrap_or(Err(LogError::Closed))
    }
}

impl Queue {
    fn client(&self) -> Arc<Client> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a new client; returns the old one.
    fn replace(&self, fresh: Client) -> Arc<Client> {
        std::mem::replace(&mut *self.client.write().unwrap_or_else(PoisonError::into_inner), Arc::new(fresh))
    }

    fn verify(&self, names: &[String]) -> Result<(), LogError> {
        let found = topic_ids(self.client().producer.client(), names, READY).map_err(|error| failed("asking for topics", error))?;
        compare(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner), &found)
    }

    async fn append(self: Arc<Self>, entries: Vec<Entry>) -> Vec<Result<Position, LogError>> {
        let mut waiting = Vec::with_capacity(entries.len());
        let turn = self.turn.lock().await;
        for entry in &entries {
            waiting.push(self.enqueue(entry).await);
        }
        drop(turn);
        let mut outcomes = Vec::with_capacity(entries.len());
        for (entry, queued) in entries.iter().zip(waiting) {
            outcomes.push(match queued {
                // A fatal state of the producer shows in its own error only, not in the outcome it caused.
                Ok(delivery) => settle(entry, delivery).await.map_err(|error| self.fatal().err().unwrap_or(error)),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    async fn enqueue(self: &Arc<Self>, entry: &Entry) -> Result<DeliveryFuture, LogError> {
        entry.check()?;
        self.check_topic(&entry.topic).await?;
        let topic = format!("{}{}", self.config.topic_prefix, entry.topic);
        let headers = entry.headers.iter().fold(OwnedHeaders::new_with_capacity(entry.headers.len()), |headers, (name, value)| {
            headers.insert(Header { key: name, value: Some(&value[..]) })
        });
        let mut record = FutureRecord::to(&topic).key(&entry.key[..]).payload(&entry.value[..]).headers(headers);
        loop {
            match self.client().producer.send_result(record) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(Code::QueueFull), again)) => {
                    record = again;
                    tokio::time::sleep(FULL).await;
                }
                Err((error, _)) => return Err(refused(entry, error)),
            }
        }
    }

    /// Refuses a topic that does not exist; asked once per topic, as a broker may be set to create it by itself.
    async fn check_topic(self: &Arc<Self>, topic: &Arc<str>) -> Result<(), LogError> {
        if self.knows(topic) {
            return Ok(());
        }
        let queue = self.clone();
        tokio::task::spawn_blocking(move || queue.learn_topics(ANSWER)).await.unwrap_or(Err(LogError::Closed))?;
        if self.knows(topic) { Ok(()) } else { Err(LogError::UnknownTopic { topic: topic.to_string() }) }
    }

    fn knows(&self, topic: &Arc<str>) -> bool {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    fn learn_topics(&self, wait: Duration) -> Result<(), LogError> {
        let known = self.client().topics(wait)?;
        let local = known.keys().filter_map(|name| name.strip_prefix(&self.config.topic_prefix)).map(Arc::from);
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).extend(local);
        Ok(())
    }

    fn fatal(&self) -> Result<(), LogError> {
        match self.client().producer.client().fatal_error() {
            Some((code, reason)) => Err(LogError::Fatal { reason: format!("{code}: {reason}") }),
            None => Ok(()),
        }
    }
}

async fn settle(entry: &Entry, delivery: DeliveryFuture) -> Result<Position, LogError> {
    match delivery.await {
        Ok(Ok(done)) => match u64::try_from(done.offset) {
            Ok(offset) => Ok(Position { partition: Partition::new(entry.topic.clone(), done.partition.unsigned_abs()), offset }),
            // A repeated request that the broker had already taken: stored, but nobody says where.
            Err(_) => Err(LogError::Unavailable { action: "telling the offset of an append", source: None }),
        },
        Ok(Err((error, _))) => Err(refused(entry, error)),
        Err(_) => Err(LogError::Closed),
    }
}

fn refused(entry: &Entry, error: KafkaError) -> LogError {
    let topic = entry.topic.to_string();
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => LogError::UnknownTopic { topic },
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge) => {
            LogError::Refused { topic, reason: "the topic's max.message.bytes on the broker is below this entry's size" }
        }
        // Its client was replaced, or the writer is closed.
        Some(Code::PurgeQueue | Code::PurgeInflight) => LogError::Unavailable { action: APPENDING, source: Some(error) },
        _ => failed(APPENDING, error),
    }
}
