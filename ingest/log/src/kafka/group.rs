//! The rebalance callbacks of a reader: assignment and revocation of partitions.
//!
//! They run on the reading thread, inside its poll. Assignment: the committed offsets are fetched and delivered; nothing is fetched
//! until the caller gives the start offsets. Revocation: the caller has a bounded time to finish and commit (the drain), then the
//! partitions are unassigned. Lost partitions can no longer be committed. A commit has a timeout ([`super::commit`]), so an
//! unresponsive broker extends the drain by no more than that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::client::{GroupMember, REQUEST_TIMEOUT, TopicNames};
use super::commit::CommitSender;
use super::context::{KafkaContext, failed};
use super::cursor::Cursors;
use super::watchdog::ProbeResults;
use crate::error::LogError;
use crate::handle::{HandleDropped, ReaderMessage, ReaderRequest, WorkerChannel};
use crate::partition::{Bounds, NextOffset, Partition};

/// Timeout for fetching the committed offsets, retries included.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a drain checks whether the partitions were lost.
const DRAIN_POLL: Duration = Duration::from_millis(100);
/// Wait between queries of a partition that has no leader.
const LEADER_RETRY: Duration = Duration::from_millis(100);

/// The rdkafka consumer with the callbacks of [`GroupContext`].
pub(super) type KafkaConsumer = BaseConsumer<GroupContext>;

/// Client context of a reader: its settings, its owned partitions and its channel to the caller.
pub(super) struct GroupContext {
    /// Log lines and authentication errors.
    pub(super) kafka: KafkaContext,
    /// Topic names on the brokers.
    pub(super) names: TopicNames,
    /// The member, for errors; none: reads all partitions, without a group.
    pub(super) member: Option<GroupMember>,
    /// Timeout of the drain of revoked partitions.
    pub(super) drain_timeout: Duration,
    /// Locked by the thread that polls (the reading one, or the one that closes the client), between polls or inside one, never across
    /// a poll; and shortly by the probe thread.
    pub(super) state: Mutex<ConsumerState>,
    /// Results of the probe thread.
    pub(super) probe_results: ProbeResults,
}

/// The mutable state of a reader, shared with the callbacks.
pub(super) struct ConsumerState {
    /// Channel to the handle.
    pub(super) channel: WorkerChannel,
    /// Owned partitions and their next offsets.
    pub(super) cursors: Cursors,
    /// Channel to the thread that commits.
    pub(super) commit_sender: CommitSender,
    /// Error of a callback that must end the reader.
    pub(super) failure: Option<LogError>,
}

impl GroupContext {
    pub(super) fn state(&self) -> MutexGuard<'_, ConsumerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Converts offsets to rdkafka's list, with topic names as on the broker.
    pub(super) fn list<'a>(&self, at: impl IntoIterator<Item = &'a NextOffset>) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::new();
        for NextOffset { partition, offset } in at {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            let added = list.add_partition_offset(&self.names.remote(&partition.topic), number(partition), offset);
            added.map_err(|error| failed("naming partitions", error))?;
        }
        Ok(list)
    }

    /// Commits; fails when a partition is not owned or the group has removed this member.
    pub(super) fn commit(&self, client: &KafkaConsumer, state: &mut ConsumerState, offsets: &[NextOffset]) -> Result<(), LogError> {
        let Some(first) = offsets.first() else { return Ok(()) };
        let not_owned = |partition: &Partition| LogError::NotOwned { partition: partition.clone() };
        let unowned = offsets.iter().find(|next| !state.cursors.owns(&next.partition));
        if let Some(next) = unowned.or((self.member.is_none() || client.assignment_lost()).then_some(first)) {
            return Err(not_owned(&next.partition));
        }
        state.commit_sender.commit(self.list(offsets)?)?.map_err(|error| match error.rdkafka_error_code() {
            Some(Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress | Code::AssignmentLost) => {
                not_owned(&first.partition)
            }
            Some(Code::FencedInstanceId) => self.fenced_error(),
            _ => failed("committing", error),
        })
    }

    /// The error of a fenced member: another process joined with its number, or its own late join request did ([`super::watchdog`]).
    pub(super) fn fenced_error(&self) -> LogError {
        if self.probe_results.recently_late(Instant::now()) {
            return LogError::Stalled { reason: "it was fenced by an earlier join request of its own".to_owned() };
        }
        let GroupMember { group, member } = self.member.clone().unwrap_or_default();
        LogError::Fenced { group, member }
    }

    /// First and next offset of a partition that exists. While it has no leader, e.g. after its broker was away, the client calls it
    /// unknown until it fetches the metadata again.
    pub(super) fn bounds(&self, client: &KafkaConsumer, partition: &Partition) -> Result<Bounds, LogError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            match self.bounds_now(client, partition) {
                Err(error) if has_no_leader(&error) && Instant::now() < deadline => {
                    tracing::debug!(%partition, "no leader yet");
                    std::thread::sleep(LEADER_RETRY);
                    // Without polling, as this also runs inside a poll.
                    self.kafka.fetch_topics(client.client(), REQUEST_TIMEOUT, || {})?;
                }
                outcome => return outcome,
            }
        }
    }

    /// As [`Self::bounds`], without waiting for a leader.
    pub(super) fn bounds_now(&self, client: &KafkaConsumer, partition: &Partition) -> Result<Bounds, LogError> {
        let watermarks = client.fetch_watermarks(&self.names.remote(&partition.topic), number(partition), REQUEST_TIMEOUT);
        let (start, end) = watermarks.map_err(|error| failed("asking for the bounds of a partition", error))?;
        Ok(Bounds { partition: partition.clone(), start: start.unsigned_abs(), end: end.unsigned_abs() })
    }

    /// First and next offset of every partition of a topic.
    pub(super) fn topic_bounds(&self, client: &KafkaConsumer, topic: &str) -> Result<Vec<Bounds>, LogError> {
        // Without polling, as above.
        let partitions = self.partitions_of(client, &[topic.to_owned()], || {})?;
        partitions.iter().map(|partition| self.bounds(client, partition)).collect()
    }

    /// Every partition of these topics; fails when one does not exist.
    pub(super) fn partitions_of(&self, client: &KafkaConsumer, topics: &[String], poll: impl Fn()) -> Result<Vec<Partition>, LogError> {
        let known = self.kafka.fetch_topics(client.client(), REQUEST_TIMEOUT, poll)?;
        let mut partitions = Vec::new();
        for topic in topics {
            let count = known.get(&self.names.remote(topic)).copied().filter(|count| *count > 0);
            let count = count.ok_or_else(|| LogError::UnknownTopic { topic: topic.clone() })?;
            let topic: Arc<str> = topic.as_str().into();
            partitions.extend((0..count).map(|number| Partition { topic: topic.clone(), number }));
        }
        Ok(partitions)
    }

    fn partitions(&self, list: &TopicPartitionList) -> Vec<Partition> {
        list.elements().iter().map(|one| Partition::new(self.names.local(one.topic()), one.partition().unsigned_abs())).collect()
    }

    fn on_assigned(&self, client: &KafkaConsumer, list: &TopicPartitionList) {
        let committed = self.committed(client, list);
        // The group has assigned them, but nothing is fetched before the caller gives the start offsets.
        if let Err(error) = client.assign(&TopicPartitionList::new()) {
            tracing::error!(%error, "the assignment was not accepted");
        }
        let mut state = self.state();
        match committed {
            Ok(committed) => {
                tracing::info!(partitions = committed.len(), "partitions assigned");
                state.cursors.assign(committed.iter().map(|(partition, _)| partition.clone()));
                state.channel.send(ReaderMessage::Assigned(committed));
            }
            Err(error) => state.failure = Some(error),
        }
    }

    fn committed(&self, client: &KafkaConsumer, list: &TopicPartitionList) -> Result<Vec<(Partition, Option<u64>)>, LogError> {
        let deadline = Instant::now() + COMMITTED_TIMEOUT;
        let known = loop {
            let asked = client.committed_offsets(list.clone(), REQUEST_TIMEOUT);
            let partition_error = |known: &TopicPartitionList| known.elements().iter().find_map(|one| one.error().err());
            match asked.and_then(|known| partition_error(&known).map_or(Ok(known), Err)) {
                Ok(known) => break known,
                Err(error) if Instant::now() > deadline => return Err(failed("reading the committed offsets", error)),
                Err(error) => tracing::warn!(%error, "the committed offsets cannot be read yet"),
            }
        };
        let offsets = known.elements().into_iter().map(|one| one.offset().to_raw().and_then(|raw| u64::try_from(raw).ok()));
        let offsets: Vec<_> = offsets.collect();
        Ok(self.partitions(&known).into_iter().zip(offsets).collect())
    }

    fn on_revoked(&self, client: &KafkaConsumer) {
        let lost = client.assignment_lost();
        let partitions = self.state().cursors.owned();
        if !partitions.is_empty() {
            tracing::info!(partitions = partitions.len(), lost, "partitions revoked");
            self.state().channel.send(ReaderMessage::Revoked { partitions, lost });
            let unreleased = if lost { Vec::new() } else { self.drain(client) };
            if !unreleased.is_empty() {
                tracing::warn!(partitions = unreleased.len(), "revoked partitions were not released before they were lost");
                self.state().channel.send(ReaderMessage::Revoked { partitions: unreleased, lost: true });
            }
        }
        self.state().cursors.unassign();
        if let Err(error) = client.unassign() {
            tracing::error!(%error, "the revocation was not accepted");
        }
    }

    /// Lets the caller finish until everything is released or lost, or the timeout passes; returns what was not released.
    fn drain(&self, client: &KafkaConsumer) -> Vec<Partition> {
        let deadline = Instant::now() + self.drain_timeout;
        let mut state = self.state();
        // Stops delivery, so that the caller only has to finish what it already has.
        let started = state.cursors.started();
        state.cursors.stop(&started);
        while !state.cursors.owned().is_empty() && !client.assignment_lost() && Instant::now() < deadline {
            match state.channel.recv(DRAIN_POLL) {
                Ok(Some(request)) => self.handle_while_draining(client, &mut state, request),
                Ok(None) => {}
                // The caller has dropped the handle: nothing is left to release.
                Err(HandleDropped) => return Vec::new(),
            }
        }
        state.cursors.owned()
    }

    fn handle_while_draining(&self, client: &KafkaConsumer, state: &mut ConsumerState, request: ReaderRequest) {
        match request {
            ReaderRequest::Commit { offsets, reply } => drop(reply.send(self.commit(client, state, &offsets))),
            ReaderRequest::Release { partitions, reply } => {
                partitions.iter().for_each(|partition| state.cursors.remove(partition));
                drop(reply.send(Ok(())));
            }
            ReaderRequest::StartAt { at, reply, .. } => {
                let first = at.first().map(|next| LogError::NotOwned { partition: next.partition.clone() });
                drop(reply.send(first.map_or(Ok(()), Err)));
            }
            ReaderRequest::Bounds { topic, reply } => drop(reply.send(self.topic_bounds(client, &topic))),
            ReaderRequest::BatchTaken => {}
        }
    }
}

/// Whether the error means that the client knows no leader of the partition.
fn has_no_leader(error: &LogError) -> bool {
    let (LogError::Kafka { source, .. } | LogError::Unavailable { source: Some(source), .. }) = error else { return false };
    matches!(
        source.rdkafka_error_code(),
        Some(
            Code::UnknownPartition
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::ReplicaNotAvailable
                | Code::BrokerTransportFailure
                | Code::DestroyBroker
        )
    )
}

/// The partition number as rdkafka's type.
pub(super) fn number(partition: &Partition) -> i32 {
    i32::try_from(partition.number).unwrap_or(i32::MAX)
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, line: &str) {
        self.kafka.log(level, fac, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.kafka.error(error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, client: &KafkaConsumer, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.on_assigned(client, list),
            _ => self.on_revoked(client),
        }
    }
}
