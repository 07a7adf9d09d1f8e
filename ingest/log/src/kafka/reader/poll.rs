//! Takes records from the client, by partition; the client's error events arrive here too.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers as _, Message};

use super::KafkaReader;
use crate::entry::{Headers, Record};
use crate::error::LogError;
use crate::kafka::context::failed;
use crate::kafka::cursor::Advance;
use crate::partition::{Bounds, NextOffset, Partition};

/// A record, and the epoch of the start that it belongs to.
pub(super) struct EpochRecord {
    pub(super) epoch: u64,
    pub(super) record: Record,
}

/// Records of one partition from one poll, all of the same epoch.
pub(super) struct PartitionBatch {
    pub(super) epoch: u64,
    pub(super) records: Vec<Record>,
}

/// The batches of one poll.
type RecordBatches = BTreeMap<Partition, PartitionBatch>;

impl KafkaReader {
    /// Takes records until there are none or the batches are full; waits at most `wait` for the first one.
    pub(super) fn poll(&mut self, wait: Duration) -> Result<RecordBatches, LogError> {
        let (mut batches, mut count, mut bytes) = (RecordBatches::new(), 0, 0);
        let mut wait = wait;
        while count < self.max_records {
            let taken = match self.deferred.take() {
                Some(deferred) => Some(deferred),
                None => match self.client.poll(wait) {
                    None => break,
                    Some(Ok(message)) => self.accept(&message),
                    Some(Err(error)) => self.handle_error(error).map(|()| None)?,
                },
            };
            wait = Duration::ZERO;
            let Some(taken) = taken else { continue };
            bytes += taken.record.size();
            if bytes > self.max_bytes && count > 0 {
                self.deferred = Some(taken);
                break;
            }
            count += 1;
            let new = || PartitionBatch { epoch: taken.epoch, records: Vec::new() };
            batches.entry(taken.record.partition.clone()).or_insert_with(new).records.push(taken.record);
        }
        Ok(batches)
    }

    fn accept(&self, message: &BorrowedMessage<'_>) -> Option<EpochRecord> {
        let context = self.client.context();
        let partition = Partition::new(context.names.local(message.topic()), message.partition().unsigned_abs());
        let Advance { epoch, skipped } = context.state().cursors.advance(&partition, message.offset().unsigned_abs())?;
        Some(EpochRecord { epoch, record: record(partition, skipped, message) })
    }

    /// Handles an error event of the client; fails unless librdkafka recovers from it by itself.
    fn handle_error(&self, error: KafkaError) -> Result<(), LogError> {
        let context = self.client.context();
        if let KafkaError::PartitionEOF(number) = error {
            context.state().cursors.mark_end(number.unsigned_abs());
            return Ok(());
        }
        if let Some((code, reason)) = self.client.client().fatal_error() {
            let fenced = code == Code::FencedInstanceId;
            return Err(if fenced { context.fenced_error() } else { LogError::Fatal { reason: format!("{code}: {reason}") } });
        }
        match error.rdkafka_error_code() {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => Err(self.out_of_range(error)),
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition) => {
                Err(LogError::Kafka { action: "reading: a topic or partition has disappeared", source: error })
            }
            Some(Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed) => Err(failed("reading", error)),
            Some(
                Code::InconsistentGroupProtocol
                | Code::InvalidGroupId
                | Code::InvalidSessionTimeout
                | Code::GroupMaxSizeReached
                | Code::UnsupportedVersion,
            ) => Err(failed("joining the group", error)),
            _ => Ok(()),
        }
    }

    /// Finds the partition whose next offset the broker does not have.
    fn out_of_range(&self, error: KafkaError) -> LogError {
        let context = self.client.context();
        let started = context.state().cursors.started();
        let outside = started.into_iter().find_map(|NextOffset { partition, offset }| {
            let Bounds { start, end, .. } = context.bounds(&self.client, &partition).ok()?;
            if end < offset {
                let reason = format!("it was read up to {offset} and now ends at {end}");
                return Some(LogError::Replaced { log: partition.to_string(), reason });
            }
            (offset < start).then_some(LogError::OutOfRange { partition, offset, start, end })
        });
        outside.unwrap_or_else(|| failed("reading", error))
    }
}

fn record(partition: Partition, skipped: u64, message: &BorrowedMessage<'_>) -> Record {
    Record {
        partition,
        offset: message.offset().unsigned_abs(),
        skipped,
        appended_ms: message.timestamp().to_millis().unwrap_or_default(),
        key: message.key().map(Bytes::copy_from_slice),
        headers: headers(message),
        value: message.payload().map(Bytes::copy_from_slice),
    }
}

/// The headers of a record. The client panics at a name that is not UTF-8, which any other producer may write: such a record is
/// delivered without headers, so that it decodes to no event and does not block the partition.
fn headers(message: &BorrowedMessage<'_>) -> Headers {
    let read = || {
        message.headers().map_or_else(Headers::new, |headers| {
            let copy = |value: Option<&[u8]>| Bytes::copy_from_slice(value.unwrap_or_default());
            headers.iter().map(|header| (header.key.to_owned().into(), copy(header.value))).collect()
        })
    };
    // Unwind-safe: reading headers changes nothing in the message.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let (partition, offset) = (message.partition(), message.offset());
        tracing::warn!(partition, offset, "a record has a header whose name is not UTF-8; it is delivered without headers");
        Headers::new()
    })
}
