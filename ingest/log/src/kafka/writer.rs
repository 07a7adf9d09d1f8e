//! Appends to Kafka: entries are enqueued in order; an entry has its outcome when every in-sync replica has the record.
//!
//! Guarantees: callers wait in order while the queue is full; a cancelled call still enqueues all of its entries; after a fatal
//! error of the idempotent producer [`LogWriter::ready`] fails until the process restarts. A producer that gets no response while
//! a new one does is replaced; its undelivered entries fail with [`LogError::Unavailable`]. Dropping the last handle drops
//! undelivered entries: flush first.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use tokio::time::Instant;

use super::client::{ClientRole, REQUEST_TIMEOUT, client_config};
use super::context::{KafkaContext, failed};
use super::topic_id::{TopicId, topic_ids};
use super::watchdog::{PROBE_INTERVAL, STALL_TIMEOUT, check_topic_ids};
use crate::config::KafkaConfig;
use crate::entry::Entry;
use crate::error::LogError;
use crate::partition::{Partition, Position};
use crate::writer::LogWriter;

/// Wait before a retry while the queue is full.
const QUEUE_FULL_RETRY: Duration = Duration::from_millis(2);
/// Timeout of the requests behind `ready` and `verify`.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

const APPENDING: &str = "appending";
pub(super) struct KafkaWriter {
    shared: Arc<WriterState>,
}

/// State that all calls and the watchdog thread share.
struct WriterState {
    config: KafkaConfig,
    client: RwLock<Arc<KafkaProducer>>,
    /// Locked while a call enqueues its entries, so that calls keep their order when the queue is full.
    enqueue_lock: tokio::sync::Mutex<()>,
    /// Topics that are known to exist.
    topics: Mutex<HashSet<Arc<str>>>,
    /// Topic ids by name on the broker, as of the first `verify`.
    ids: Mutex<HashMap<String, TopicId>>,
}

/// The producer with its client context.
struct KafkaProducer {
    producer: FutureProducer<KafkaContext>,
    kafka: KafkaContext,
}

impl KafkaProducer {
    fn open(config: &KafkaConfig) -> Result<Self, LogError> {
        let kafka = KafkaContext::new(&config.brokers);
        let producer: Result<FutureProducer<KafkaContext>, _> =
            client_config(config, &ClientRole::Writer)?.create_with_context(kafka.clone());
        Ok(Self { producer: producer.map_err(|error| failed("opening the log", error))?, kafka })
    }

    /// Partition count of every topic, by its name on the brokers.
    fn topics(&self, wait: Duration) -> Result<HashMap<String, u32>, LogError> {
        // The producer has a polling thread of its own.
        self.kafka.fetch_topics(self.producer.client(), wait, || {})
    }
}

impl KafkaWriter {
    /// Opens the log for appending; blocks until a broker responds.
    pub(super) fn open(config: &KafkaConfig) -> Result<Self, LogError> {
        let shared = WriterState {
            config: config.clone(),
            client: RwLock::new(Arc::new(KafkaProducer::open(config)?)),
            enqueue_lock: tokio::sync::Mutex::new(()),
            topics: Mutex::new(HashSet::new()),
            ids: Mutex::new(HashMap::new()),
        };
        shared.refresh_topics(REQUEST_TIMEOUT)?;
        let shared = Arc::new(shared);
        let weak = Arc::downgrade(&shared);
        let thread = std::thread::Builder::new().name("log-watch".into()).spawn(move || replace_stalled_client(&weak));
        thread.map_err(|error| LogError::Fatal { reason: format!("no thread: {error}") })?;
        Ok(Self { shared })
    }
}

/// Replaces a client that gets no response while a new one does ([`super::watchdog`] says why that happens). The thread ends with
/// the writer.
fn replace_stalled_client(shared: &Weak<WriterState>) {
    let mut last_answer = Instant::now();
    // Dropped here once no call uses them, as closing a client blocks.
    let mut retired: Vec<Arc<KafkaProducer>> = Vec::new();
    loop {
        std::thread::sleep(PROBE_INTERVAL);
        let Some(shared) = shared.upgrade() else { return };
        retired.retain(|client| Arc::strong_count(client) > 1);
        match shared.client().topics(REQUEST_TIMEOUT) {
            Ok(_) => last_answer = Instant::now(),
            Err(error) if last_answer.elapsed() < STALL_TIMEOUT => tracing::warn!(%error, "the broker does not respond to the writer"),
            Err(_) => {
                match KafkaProducer::open(&shared.config).and_then(|replacement| replacement.topics(REQUEST_TIMEOUT).map(|_| replacement)) {
                    Ok(replacement) => {
                        tracing::warn!("the log client has stopped working; it was replaced by a new one");
                        retired.push(shared.replace(replacement));
                        last_answer = Instant::now();
                    }
                    Err(error) => tracing::warn!(%error, "no broker responds to the writer"),
                }
            }
        }
    }
}

#[async_trait]
impl LogWriter for KafkaWriter {
    async fn append(&self, entries: Vec<Entry>) -> Vec<Result<Position, LogError>> {
        let count = entries.len();
        let shared = self.shared.clone();
        // A task of its own, so that cancelling the caller cannot enqueue only a part of the entries.
        let call = tokio::spawn(async move { shared.append(entries).await });
        call.await.unwrap_or_else(|_| (0..count).map(|_| Err(LogError::Closed)).collect())
    }

    async fn flush(&self, deadline: Duration) -> Result<(), LogError> {
        let until = Instant::now() + deadline;
        let client = self.shared.client();
        let unsettled =
            |client: &KafkaProducer| LogError::FlushTimeout { unacknowledged: client.producer.in_flight_count().unsigned_abs().into() };
        // With the lock, all earlier calls have enqueued their entries.
        if tokio::time::timeout_at(until, self.shared.enqueue_lock.lock()).await.is_err() {
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
        let shared = self.shared.clone();
        let ask = move || {
            shared.check_fatal()?;
            shared.refresh_topics(READY_TIMEOUT)
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or(Err(LogError::Closed))
    }

    async fn verify(&self, topics: &[&str]) -> Result<(), LogError> {
        let shared = self.shared.clone();
        let names: Vec<_> = topics.iter().map(|topic| format!("{}{topic}", shared.config.topic_prefix)).collect();
        tokio::task::spawn_blocking(move || shared.verify(&names)).await.unwrap_or(Err(LogError::Closed))
    }
}

impl WriterState {
    fn client(&self) -> Arc<KafkaProducer> {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the client; returns the old one.
    fn replace(&self, replacement: KafkaProducer) -> Arc<KafkaProducer> {
        std::mem::replace(&mut *self.client.write().unwrap_or_else(PoisonError::into_inner), Arc::new(replacement))
    }

    fn verify(&self, names: &[String]) -> Result<(), LogError> {
        let found = topic_ids(self.client().producer.client(), names, READY_TIMEOUT).map_err(|error| failed("asking for topics", error))?;
        check_topic_ids(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner), &found)
    }

    async fn append(self: Arc<Self>, entries: Vec<Entry>) -> Vec<Result<Position, LogError>> {
        let mut waiting = Vec::with_capacity(entries.len());
        let order = self.enqueue_lock.lock().await;
        for entry in &entries {
            waiting.push(self.enqueue(entry).await);
        }
        drop(order);
        let mut outcomes = Vec::with_capacity(entries.len());
        for (entry, queued) in entries.iter().zip(waiting) {
            outcomes.push(match queued {
                // The outcome does not show that the producer has failed fatally, so check it.
                Ok(delivery) => settle(entry, delivery).await.map_err(|error| self.check_fatal().err().unwrap_or(error)),
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
                    tokio::time::sleep(QUEUE_FULL_RETRY).await;
                }
                Err((error, _)) => return Err(delivery_error(entry, error)),
            }
        }
    }

    /// Refuses a topic that does not exist, as the broker might create it automatically. Queries the broker once per topic.
    async fn check_topic(self: &Arc<Self>, topic: &Arc<str>) -> Result<(), LogError> {
        if self.is_known(topic) {
            return Ok(());
        }
        let shared = self.clone();
        tokio::task::spawn_blocking(move || shared.refresh_topics(REQUEST_TIMEOUT)).await.unwrap_or(Err(LogError::Closed))?;
        if self.is_known(topic) { Ok(()) } else { Err(LogError::UnknownTopic { topic: topic.to_string() }) }
    }

    fn is_known(&self, topic: &Arc<str>) -> bool {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    fn refresh_topics(&self, wait: Duration) -> Result<(), LogError> {
        let known = self.client().topics(wait)?;
        let local = known.keys().filter_map(|name| name.strip_prefix(&self.config.topic_prefix)).map(Arc::from);
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).extend(local);
        Ok(())
    }

    fn check_fatal(&self) -> Result<(), LogError> {
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
            // A retry of a request that the broker had already stored: it does not return the offset.
            Err(_) => Err(LogError::Unavailable { action: "reading the offset of an append", source: None }),
        },
        Ok(Err((error, _))) => Err(delivery_error(entry, error)),
        Err(_) => Err(LogError::Closed),
    }
}

fn delivery_error(entry: &Entry, error: KafkaError) -> LogError {
    let topic = entry.topic.to_string();
    match error.rdkafka_error_code() {
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => LogError::UnknownTopic { topic },
        Some(Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge) => {
            LogError::InvalidEntry { topic, reason: "the topic's max.message.bytes on the broker is below this entry's size" }
        }
        // The client was replaced, or the writer was closed.
        Some(Code::PurgeQueue | Code::PurgeInflight) => LogError::Unavailable { action: APPENDING, source: Some(error) },
        _ => failed(APPENDING, error),
    }
}
