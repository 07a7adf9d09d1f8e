//! The client context of every Kafka client: log lines, authentication errors, metadata, and the mapping of errors to [`LogError`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;

use super::bootstrap;
use crate::error::LogError;

/// Wait after metadata without any broker.
const EMPTY_METADATA_RETRY: Duration = Duration::from_millis(100);

/// Forwards the log lines of a client and stores its last authentication error; clones share it.
#[derive(Debug, Clone)]
pub(super) struct KafkaContext {
    auth_error: Arc<Mutex<Option<KafkaError>>>,
    /// Comma-separated list of the configured brokers.
    bootstrap: Arc<str>,
}

impl KafkaContext {
    /// Context of a client that is configured with these brokers.
    pub(super) fn new(bootstrap: &str) -> Self {
        Self { auth_error: Arc::default(), bootstrap: bootstrap.into() }
    }

    /// Adds the configured brokers again to a client that may have forgotten every broker ([`super::bootstrap`]).
    pub(super) fn add_bootstrap_brokers<C: ClientContext>(&self, client: &Client<C>) {
        bootstrap::add_brokers(client, &self.bootstrap);
    }

    fn auth_error(&self) -> MutexGuard<'_, Option<KafkaError>> {
        self.auth_error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partition count of every topic, by its name on the brokers. Requests all topics, as a request for one may create it.
    /// `poll` must serve the client's event queue: an authentication error arrives there and is returned at once.
    pub(super) fn fetch_topics<C: ClientContext>(
        &self,
        client: &Client<C>,
        wait: Duration,
        poll: impl Fn(),
    ) -> Result<HashMap<String, u32>, LogError> {
        let action = "looking for topics";
        let deadline = Instant::now() + wait;
        loop {
            let error = match client.fetch_metadata(None, wait.min(Duration::from_secs(1))) {
                Ok(metadata) if !metadata.brokers().is_empty() => {
                    *self.auth_error() = None;
                    return Ok(partition_counts(&metadata));
                }
                // A broker that is still fenced returns no brokers, not even itself; a client that believes it stops working.
                Ok(_) => {
                    std::thread::sleep(EMPTY_METADATA_RETRY);
                    LogError::Unavailable { action, source: None }
                }
                Err(error) => failed(action, error),
            };
            self.add_bootstrap_brokers(client);
            poll();
            if let Some(source) = self.auth_error().clone() {
                return Err(LogError::Denied { action, source });
            }
            if Instant::now() > deadline {
                return Err(error);
            }
        }
    }
}

fn partition_counts(metadata: &Metadata) -> HashMap<String, u32> {
    let count = |partitions: usize| u32::try_from(partitions).unwrap_or(u32::MAX);
    metadata.topics().iter().map(|topic| (topic.name().to_owned(), count(topic.partitions().len()))).collect()
}

impl ClientContext for KafkaContext {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, line: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(target: "librdkafka", fac, "{line}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", fac, "{line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => tracing::info!(target: "librdkafka", fac, "{line}"),
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", fac, "{line}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(Code::PartitionEOF) => {}
            Some(code) if is_auth_error(code) => {
                tracing::error!(target: "librdkafka", %error, "{reason}");
                *self.auth_error() = Some(error);
            }
            _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
        }
    }
}

/// The default callbacks: a consumer without a group has no rebalances.
impl ConsumerContext for KafkaContext {}

/// Maps an error of the Kafka client to [`LogError`]; `action` is the failed operation.
pub(super) fn failed(action: &'static str, error: KafkaError) -> LogError {
    match error.rdkafka_error_code() {
        Some(code) if is_auth_error(code) => LogError::Denied { action, source: error },
        Some(code) if is_unavailable(code) => LogError::Unavailable { action, source: Some(error) },
        Some(Code::Fatal) => LogError::Fatal { reason: error.to_string() },
        _ => LogError::Kafka { action, source: error },
    }
}

fn is_auth_error(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SSL
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::IllegalSASLState
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
    )
}

fn is_unavailable(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::DestroyBroker
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::TimedOutQueue
            | Code::MessageTimedOut
            | Code::WaitingForCoordinator
            | Code::RequestTimedOut
            | Code::BrokerNotAvailable
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::NotController
            | Code::Retry
    )
}
