//! Taking and giving back partitions: the rebalance callbacks of a reader.
//!
//! They run on the reading thread, inside its poll. Taking: the committed positions are read and told,
//! and nothing is fetched until the owner says where to start. Giving back: the owner gets a bounded time
//! to finish and commit, then the partitions go. Lost partitions are gone at once and can no longer be committed.
//! A commit ends in time, whether the broker answers or not ([`super::commit`]), so a silent broker does not stretch the drain by more
//! than that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::client::{ANSWER, Names};
use super::commit::Commits;
use super::cursor::Cursors;
use super::voice::{Voice, failed};
use super::watch::Answers;
use crate::error::LogError;
use crate::handle::{Command, HandleGone, Link, Notice};
use crate::partition::{Bounds, NextOffset, Partition};

/// How long the committed positions may take before the reader gives up.
const COMMITTED: Duration = Duration::from_secs(60);
/// How often a drain looks whether the partitions are lost meanwhile.
const DRAIN_LOOK: Duration = Duration::from_millis(100);
/// Wait before a partition without a leader is asked for again.
const NO_LEADER: Duration = Duration::from_millis(100);

/// The consumer with our callbacks.
pub(super) type Client = BaseConsumer<Member>;

/// A reader's place in its group: what it owns, and its line to the owner of the effect.
pub(super) struct Member {
    /// Log lines and refusals.
    pub(super) voice: Voice,
    /// Topic names on the brokers.
    pub(super) names: Names,
    /// Name and number for messages; none: reads everything, without a group.
    pub(super) group: Option<(String, u32)>,
    /// How long revoked partitions may be held.
    pub(super) drain: Duration,
    /// Locked by the thread that polls (the reading one, or the one that closes the client), between polls or inside one, never across a
    /// poll; and by the watchdog, for as long as it takes to look.
    pub(super) seat: Mutex<Seat>,
    /// What the watchdog has asked the broker.
    pub(super) answers: Answers,
}

/// What changes.
pub(super) struct Seat {
    /// Line to the handle.
    pub(super) link: Link,
    /// Owned partitions and where reading stands.
    pub(super) cursors: Cursors,
    /// Line to the thread that commits.
    pub(super) commits: Commits,
    /// Why the reader has to end, when that was found inside a callback.
    pub(super) failure: Option<LogError>,
}

impl Member {
    /// The changing part.
    pub(super) fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Partitions with offsets, in the client's form.
    pub(super) fn list<'a>(&self, at: impl IntoIterator<Item = &'a NextOffset>) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::new();
        for NextOffset { partition, offset } in at {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            let added = list.add_partition_offset(&self.names.remote(&partition.topic), number(partition), offset);
            added.map_err(|error| failed("naming partitions", error))?;
        }
        Ok(list)
    }

    /// Commits, if every partition is owned and the group still knows us.
    pub(super) fn commit(&self, client: &Client, seat: &mut Seat, offsets: &[NextOffset]) -> Result<(), LogError> {
        let Some(first) = offsets.first() else { return Ok(()) };
        let not_owned = |partition: &Partition| LogError::NotOwned { partition: partition.clone() };
        let foreign = offsets.iter().find(|next| !seat.cursors.owns(&next.partition));
        if let Some(next) = foreign.or((self.group.is_none() || client.assignment_lost()).then_some(first)) {
            return Err(not_owned(&next.partition));
        }
        seat.commits.commit(self.list(offsets)?)?.map_err(|error| match error.rdkafka_error_code() {
            Some(Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress | Code::AssignmentLost) => {
                not_owned(&first.partition)
            }
            Some(Code::FencedInstanceId) => self.fenced(),
            _ => failed("committing", error),
        })
    }

    /// Another process has taken our member number; or we have, with a request that we had given up.
    pub(super) fn fenced(&self) -> LogError {
        if self.answers.were_late(Instant::now()) {
            return LogError::Stalled { reason: "its group has given its place to an earlier request of its own".to_owned() };
        }
        let (group, member) = self.group.clone().unwrap_or_default();
        LogError::Fenced { group, member }
    }

    /// First and next offset of a partition that exists. While it has no leader, as after its broker was away, the client calls it
    /// unknown, and goes on doing so until it reads the metadata again.
    pub(super) fn bounds(&self, client: &Client, partition: &Partition) -> Result<Bounds, LogError> {
        let deadline = Instant::now() + ANSWER;
        loop {
            match self.bounds_now(client, partition) {
                Err(error) if has_no_leader(&error) && Instant::now() < deadline => {
                    tracing::debug!(%partition, "no leader yet");
                    std::thread::sleep(NO_LEADER);
                    // Not polled: this is asked inside of a poll, too.
                    self.voice.topics(client.client(), ANSWER, || {})?;
                }
                answer => return answer,
            }
        }
    }

    /// As [`Self::bounds`], without waiting for a leader.
    pub(super) fn bounds_now(&self, client: &Client, partition: &Partition) -> Result<Bounds, LogError> {
        let watermarks = client.fetch_watermarks(&self.names.remote(&partition.topic), number(partition), ANSWER);
        let (start, end) = watermarks.map_err(|error| failed("asking for the bounds of a partition", error))?;
        Ok(Bounds { partition: partition.clone(), start: start.unsigned_abs(), end: end.unsigned_abs() })
    }

    /// First and next offset of every partition of a topic.
    pub(super) fn topic_bounds(&self, client: &Client, topic: &str) -> Result<Vec<Bounds>, LogError> {
        // Not polled, as above.
        let partitions = self.existing(client, &[topic.to_owned()], || {})?;
        partitions.iter().map(|partition| self.bounds(client, partition)).collect()
    }

    /// Every partition of the topics, which must exist.
    pub(super) fn existing(&self, client: &Client, topics: &[String], poll: impl Fn()) -> Result<Vec<Partition>, LogError> {
        let known = self.voice.topics(client.client(), ANSWER, poll)?;
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

    fn assigned(&self, client: &Client, list: &TopicPartitionList) {
        let committed = self.committed(client, list);
        // Owned in the group, but nothing is fetched before the owner has said from where.
        if let Err(error) = client.assign(&TopicPartitionList::new()) {
            tracing::error!(%error, "the assignment was not taken");
        }
        let mut seat = self.seat();
        match committed {
            Ok(committed) => {
                tracing::info!(partitions = committed.len(), "partitions assigned");
                seat.cursors.own(committed.iter().map(|(partition, _)| partition.clone()));
                seat.link.notify(Notice::Assigned(committed));
            }
            Err(error) => seat.failure = Some(error),
        }
    }

    fn committed(&self, client: &Client, list: &TopicPartitionList) -> Result<Vec<(Partition, Option<u64>)>, LogError> {
        let deadline = Instant::now() + COMMITTED;
        let known = loop {
            let asked = client.committed_offsets(list.clone(), ANSWER);
            let broken = |known: &TopicPartitionList| known.elements().iter().find_map(|one| one.error().err());
            match asked.and_then(|known| broken(&known).map_or(Ok(known), Err)) {
                Ok(known) => break known,
                Err(error) if Instant::now() > deadline => return Err(failed("reading the committed positions", error)),
                Err(error) => tracing::warn!(%error, "the committed positions cannot be read yet"),
            }
        };
        let offsets = known.elements().into_iter().map(|one| one.offset().to_raw().and_then(|raw| u64::try_from(raw).ok()));
        let offsets: Vec<_> = offsets.collect();
        Ok(self.partitions(&known).into_iter().zip(offsets).collect())
    }

    fn revoked(&self, client: &Client) {
        let lost = client.assignment_lost();
        let partitions = self.seat().cursors.owned();
        if !partitions.is_empty() {
            tracing::info!(partitions = partitions.len(), lost, "partitions revoked");
            self.seat().link.notify(Notice::Revoked { partitions, lost });
            let unreleased = if lost { Vec::new() } else { self.drain(client) };
            if !unreleased.is_empty() {
                tracing::warn!(partitions = unreleased.len(), "revoked partitions were not released before they were lost");
                self.seat().link.notify(Notice::Revoked { partitions: unreleased, lost: true });
            }
        }
        self.seat().cursors.leave();
        if let Err(error) = client.unassign() {
            tracing::error!(%error, "the revocation was not taken");
        }
    }

    /// Lets the owner finish, until everything is released, lost, or the time is over; answers what was not released.
    fn drain(&self, client: &Client) -> Vec<Partition> {
        let deadline = Instant::now() + self.drain;
        let mut seat = self.seat();
        // Nothing more is delivered, so what is under way is all there is.
        let started = seat.cursors.started();
        seat.cursors.stop(&started);
        while !seat.cursors.owned().is_empty() && !client.assignment_lost() && Instant::now() < deadline {
            match seat.link.command(DRAIN_LOOK) {
                Ok(Some(command)) => self.obey_draining(client, &mut seat, command),
                Ok(None) => {}
                // Nobody is left to release anything: the orderly end.
                Err(HandleGone) => return Vec::new(),
            }
        }
        seat.cursors.owned()
    }

    fn obey_draining(&self, client: &Client, seat: &mut Seat, command: Command) {
        match command {
            Command::Commit { offsets, answer } => drop(answer.send(self.commit(client, seat, &offsets))),
            Command::Release { partitions, answer } => {
                partitions.iter().for_each(|partition| seat.cursors.disown(partition));
                drop(answer.send(Ok(())));
            }
            Command::StartAt { at, answer, .. } => {
                let first = at.first().map(|next| LogError::NotOwned { partition: next.partition.clone() });
                drop(answer.send(first.map_or(Ok(()), Err)));
            }
            Command::Bounds { topic, answer } => drop(answer.send(self.topic_bounds(client, &topic))),
            Command::Taken => {}
        }
    }
}

/// Whether a partition that exists has no leader that the client knows of.
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

/// The client's number of a partition.
pub(super) fn number(partition: &Partition) -> i32 {
    i32::try_from(partition.number).unwrap_or(i32::MAX)
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, line: &str) {
        self.voice.log(level, fac, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.voice.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn rebalance(&self, client: &Client, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(client, list),
            _ => self.revoked(client),
        }
    }
}
