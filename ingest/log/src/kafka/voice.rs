//! What Kafka clients say: their log lines, their refusals, and what their errors mean.

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

/// Wait before a broker that names no brokers is asked again.
const NO_BROKERS: Duration = Duration::from_millis(100);

/// Takes a client's log lines and remembers why it was refused; clones share what they remember.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    refused: Arc<Mutex<Option<KafkaError>>>,
    /// Where every client begins.
    brokers: Arc<str>,
}

impl Voice {
    /// Of a client that begins with these brokers.
    pub(super) fn new(brokers: &str) -> Self {
        Self { refused: Arc::default(), brokers: brokers.into() }
    }

    /// Lets a client begin anew that may have forgotten every broker ([`super::watch`]).
    pub(super) fn bootstrap<C: ClientContext>(&self, client: &Client<C>) {
        bootstrap::add_brokers(client, &self.brokers);
    }

    fn refused(&self) -> MutexGuard<'_, Option<KafkaError>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partitions of every topic on the brokers, by the name on the brokers. Asks for all topics, as asking for
    /// one may create it. A refusal of credentials is told as such and at once; it waits in the client's queue,
    /// which `poll` looks at.
    pub(super) fn topics<C: ClientContext>(
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
                    *self.refused() = None;
                    return Ok(partition_counts(&metadata));
                }
                // A broker that is still fenced knows no broker, not even itself: whoever believes it can neither append nor read.
                Ok(_) => {
                    std::thread::sleep(NO_BROKERS);
                    LogError::Unavailable { action, source: None }
                }
                Err(error) => failed(action, error),
            };
            self.bootstrap(client);
            poll();
            if let Some(source) = self.refused().clone() {
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

impl ClientContext for Voice {
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
            Some(code) if is_refusal(code) => {
                tracing::error!(target: "librdkafka", %error, "{reason}");
                *self.refused() = Some(error);
            }
            _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
        }
    }
}

/// Without a group there is nothing to rebalance.
impl ConsumerContext for Voice {}

/// The meaning of a client's error.
pub(super) fn failed(action: &'static str, error: KafkaError) -> LogError {
    match error.rdkafka_error_code() {
        Some(code) if is_refusal(code) => LogError::Denied { action, source: error },
        Some(code) if is_silence(code) => LogError::Unavailable { action, source: Some(error) },
        Some(Code::Fatal) => LogError::Fatal { reason: error.to_string() },
        _ => LogError::Kafka { action, source: error },
    }
}

fn is_refusal(code: Code) -> bool {
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

fn is_silence(code: Code) -> bool {
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
