//! Reads Kafka: one thread polls, which also keeps the group membership, and delivers records.
//!
//! While the caller takes no batch, the thread pauses fetching but keeps polling, so that a slow consumer keeps its membership.
//! A stalled client ends the reader ([`super::watchdog`]).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers as _, Message};
use rdkafka::topic_partition_list::TopicPartitionListElem;

use super::client::{ClientRole, TopicNames, client_config};
use super::commit::CommitSender;
use super::context::{KafkaContext, failed};
use super::cursor::Cursors;
use super::group::{ConsumerState, GroupContext, KafkaConsumer};
use super::probe;
use super::watchdog::{Action, ProbeResults, Watchdog};
use crate::config::KafkaConfig;
use crate::entry::{Headers, Record};
use crate::error::LogError;
use crate::handle::{HandleDropped, ReaderHandle, ReaderMessage, ReaderRequest};
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Membership, ReaderOptions};

/// Timeout of one poll; also the longest delay of a request on an idle topic.
const POLL_TIMEOUT: Duration = Duration::from_millis(10);
/// How long to wait for a request while no further batch may be sent.
const FULL_WAIT: Duration = Duration::from_millis(50);
/// Fetching is paused when no batch could be sent for this long.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// Joins the group (or assigns all partitions) and starts the reading thread.
pub(super) fn open(config: &KafkaConfig, options: &ReaderOptions) -> Result<ReaderHandle, LogError> {
    let (role, group) = match &options.membership {
        Membership::Group { group, member, .. } => {
            (ClientRole::GroupMember { group: group.clone(), member: *member }, Some((group.clone(), *member)))
        }
        Membership::Standalone => (ClientRole::Standalone, None),
    };
    let (handle, channel) = ReaderHandle::new();
    let (commit_sender, commit_worker) = CommitSender::new();
    let context = GroupContext {
        kafka: KafkaContext::new(&config.brokers),
        names: TopicNames::new(&config.topic_prefix, &options.topics),
        group,
        drain_timeout: Duration::from_millis(config.drain_timeout_ms.into()),
        state: Mutex::new(ConsumerState { channel, cursors: Cursors::default(), commit_sender, failure: None }),
        probe_results: ProbeResults::new(Instant::now()),
    };
    let client: KafkaConsumer =
        client_config(config, &role)?.create_with_context(context).map_err(|error| failed("opening the log", error))?;
    let client = Arc::new(client);
    let no_thread = |error: std::io::Error| LogError::Fatal { reason: format!("no thread: {error}") };
    let partitions = client.context().partitions_of(&client, &options.topics, || drop(client.poll(POLL_TIMEOUT)))?;
    if options.membership == Membership::Standalone {
        let mut state = client.context().state();
        state.cursors.assign(partitions.iter().cloned());
        state.channel.send(ReaderMessage::Assigned(partitions.into_iter().map(|partition| (partition, None)).collect()));
    } else {
        commit_worker.spawn(&client).map_err(no_thread)?;
        let names: Vec<_> = options.topics.iter().map(|topic| client.context().names.remote(topic)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        client.subscribe(&names).map_err(|error| failed("joining the group", error))?;
    }
    let names = options.topics.iter().map(|topic| client.context().names.remote(topic)).collect();
    probe::start(&client, names).map_err(no_thread)?;
    let rebalance = Duration::from_millis(u64::from(config.session_timeout_ms) + u64::from(config.drain_timeout_ms));
    let reader = Reader {
        client,
        max_records: options.max_records.max(1),
        max_bytes: options.max_bytes,
        deferred: None,
        full_since: None,
        paused: false,
        watchdog: Watchdog::new(rebalance, Instant::now()),
    };
    let thread = std::thread::Builder::new().name("log-reader".into()).spawn(move || reader.run());
    thread.map_err(no_thread)?;
    Ok(handle)
}

struct Reader {
    client: Arc<KafkaConsumer>,
    max_records: usize,
    max_bytes: usize,
    /// A record that did not fit into the last batch, with its epoch.
    deferred: Option<(u64, Record)>,
    /// Since when no further batch may be sent.
    full_since: Option<Instant>,
    paused: bool,
    watchdog: Watchdog,
}

/// Records of one poll, by partition, with the epoch of the start they belong to.
type RecordBatches = BTreeMap<Partition, (u64, Vec<Record>)>;

impl Reader {
    /// Runs the thread; leaves the group when the handle is dropped.
    fn run(mut self) {
        loop {
            match self.poll_once() {
                Ok(Ok(())) => {}
                Ok(Err(HandleDropped)) => return,
                Err(error) => {
                    self.client.context().state().channel.send(ReaderMessage::Failed(error));
                    return;
                }
            }
        }
    }

    fn poll_once(&mut self) -> Result<Result<(), HandleDropped>, LogError> {
        let request = {
            let mut state = self.client.context().state();
            let wait = if state.channel.has_capacity() { Duration::ZERO } else { FULL_WAIT };
            state.channel.recv(wait)
        };
        match request {
            Ok(Some(request)) => self.handle(request),
            Ok(None) => self.read()?,
            Err(gone) => return Ok(Err(gone)),
        }
        self.check_watchdog()?;
        match self.client.context().state().failure.take() {
            Some(error) => Err(error),
            None => Ok(Ok(())),
        }
    }

    /// Evaluates the latest probe; fails when the client has stalled.
    fn check_watchdog(&mut self) -> Result<(), LogError> {
        let context = self.client.context();
        let Some(end_offsets) = context.probe_results.take() else { return Ok(()) };
        let mut state = context.state();
        if !state.channel.has_capacity() || self.paused {
            state.cursors.touch(Instant::now());
        }
        if self.watchdog.evaluate(end_offsets, &mut state.cursors, Instant::now())? == Action::Refetch {
            let started = context.list(&state.cursors.started())?;
            drop(state);
            tracing::debug!("the broker has more records than the client has fetched; the partitions are assigned again");
            self.client.assign(&started).map_err(|error| failed("starting to read", error))?;
        }
        Ok(())
    }

    fn handle(&mut self, request: ReaderRequest) {
        // Sending fails when the caller was cancelled; then nobody needs the reply.
        match request {
            ReaderRequest::StartAt { at, epoch, reply } => drop(reply.send(self.start_at(&at, epoch))),
            ReaderRequest::Commit { offsets, reply } => {
                let context = self.client.context();
                drop(reply.send(context.commit(&self.client, &mut context.state(), &offsets)));
            }
            // No drain is in progress, so there is nothing to release.
            ReaderRequest::Release { reply, .. } => drop(reply.send(Ok(()))),
            ReaderRequest::Bounds { topic, reply } => drop(reply.send(self.client.context().topic_bounds(&self.client, &topic))),
            ReaderRequest::BatchTaken => {}
        }
    }

    fn start_at(&mut self, at: &[NextOffset], epoch: u64) -> Result<(), LogError> {
        let context = self.client.context();
        context.state().cursors.stop(at);
        // It belongs to the earlier start and is read again; kept, later records of the partition would be sent under that start and dropped.
        self.deferred.take_if(|(_, record)| at.iter().any(|next| next.partition == record.partition));
        for NextOffset { partition, offset } in at {
            if !context.state().cursors.owns(partition) || self.client.assignment_lost() {
                return Err(LogError::NotOwned { partition: partition.clone() });
            }
            let Bounds { start, end, .. } = context.bounds(&self.client, partition)?;
            if !(start..=end).contains(offset) {
                return Err(LogError::OutOfRange { partition: partition.clone(), offset: *offset, start, end });
            }
        }
        let mut state = context.state();
        state.cursors.start(at, epoch);
        // Assigns all started partitions again at their next offsets: simpler than seeking, and valid in every state.
        let started = context.list(&state.cursors.started())?;
        self.paused = false;
        self.full_since = None;
        let assigned = self.client.assign(&started).and_then(|()| self.client.resume(&started));
        assigned.map_err(|error| failed("starting to read", error))
    }

    fn read(&mut self) -> Result<(), LogError> {
        let has_capacity = self.client.context().state().channel.has_capacity();
        self.pause_or_resume(has_capacity)?;
        if !has_capacity && !self.paused {
            return Ok(());
        }
        let batches = self.poll(if has_capacity { POLL_TIMEOUT } else { Duration::ZERO })?;
        let idle = batches.is_empty();
        let context = self.client.context();
        for (partition, (epoch, records)) in batches {
            context.state().channel.send(ReaderMessage::Records { partition, epoch, records });
        }
        if idle {
            self.resolve_ambiguous_ends();
        }
        let mut state = context.state();
        if let Some(epoch) = state.cursors.caught_up() {
            state.channel.send(ReaderMessage::CaughtUp { epoch });
        }
        Ok(())
    }

    /// Pauses fetching after [`PAUSE_AFTER`] without capacity; resumes when there is some.
    fn pause_or_resume(&mut self, has_capacity: bool) -> Result<(), LogError> {
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if has_capacity {
            self.full_since = None;
        }
        let pause = !has_capacity && since.elapsed() > PAUSE_AFTER;
        if (has_capacity && self.paused) || (pause && !self.paused) {
            let context = self.client.context();
            let started = context.list(&context.state().cursors.started())?;
            let done = if pause { self.client.pause(&started) } else { self.client.resume(&started) };
            done.map_err(|error| failed("pausing", error))?;
            self.paused = pause;
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration) -> Result<RecordBatches, LogError> {
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
            let Some((epoch, record)) = taken else { continue };
            bytes += record.size();
            if bytes > self.max_bytes && count > 0 {
                self.deferred = Some((epoch, record));
                break;
            }
            count += 1;
            batches.entry(record.partition.clone()).or_insert_with(|| (epoch, Vec::new())).1.push(record);
        }
        Ok(batches)
    }

    fn accept(&self, message: &BorrowedMessage<'_>) -> Option<(u64, Record)> {
        let context = self.client.context();
        let partition = Partition::new(context.names.local(message.topic()), message.partition().unsigned_abs());
        let taken = context.state().cursors.advance(&partition, message.offset().unsigned_abs());
        taken.map(|(epoch, skipped)| (epoch, record(partition, skipped, message)))
    }

    /// Queries the broker for partitions whose end event did not say which topic it belongs to.
    fn resolve_ambiguous_ends(&self) {
        let context = self.client.context();
        let ambiguous = context.state().cursors.ambiguous_ends();
        if ambiguous.is_empty() {
            return;
        }
        let positions = self.positions();
        let position = |partition: &Partition| positions.iter().find(|next| next.partition == *partition).map_or(0, |next| next.offset);
        let ends = ambiguous.iter().map(|partition| {
            context.bounds_now(&self.client, partition).map(|bounds| (partition.clone(), position(partition), bounds.end))
        });
        // If the broker does not respond, the next idle poll tries again.
        if let Ok(ends) = ends.collect::<Result<Vec<_>, _>>() {
            context.state().cursors.resolve_ends(&ends);
        }
    }

    /// Position of the client in each partition, past transaction markers; none where nothing was read yet.
    fn positions(&self) -> Vec<NextOffset> {
        let names = &self.client.context().names;
        let Ok(known) = self.client.position() else { return Vec::new() };
        let position = |one: &TopicPartitionListElem<'_>| {
            let offset = u64::try_from(one.offset().to_raw()?).ok()?;
            Some(Partition::new(names.local(one.topic()), one.partition().unsigned_abs()).next_offset(offset))
        };
        known.elements().iter().filter_map(position).collect()
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
