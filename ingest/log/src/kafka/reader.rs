//! Reads Kafka: one thread handles the requests of its handle and delivers what [`poll`] takes from the client.
//!
//! While the caller takes no batch, the thread pauses fetching but keeps polling, so that a slow consumer keeps its membership.
//! A stalled client ends the reader ([`super::watchdog`]).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionListElem;

use super::context::failed;
use super::cursor::ReadUpTo;
use super::group::KafkaConsumer;
use super::watchdog::{Action, Watchdog};
use crate::error::LogError;
use crate::handle::{HandleDropped, ReaderMessage, ReaderRequest};
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::ReaderOptions;

mod poll;

use poll::{EpochRecord, PartitionBatch};

/// Timeout of one poll; also the longest delay of a request on an idle topic.
pub(super) const POLL_TIMEOUT: Duration = Duration::from_millis(10);
/// How long to wait for a request while no further batch may be sent.
const FULL_WAIT: Duration = Duration::from_millis(50);
/// Fetching is paused when no batch could be sent for this long.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// The reading thread of an open client.
pub(super) struct KafkaReader {
    client: Arc<KafkaConsumer>,
    max_records: usize,
    max_bytes: usize,
    /// A record that did not fit into the last batch.
    deferred: Option<EpochRecord>,
    /// Since when no further batch may be sent.
    full_since: Option<Instant>,
    paused: bool,
    watchdog: Watchdog,
}

impl KafkaReader {
    /// A reader that has read nothing; a rebalance may take as long as `rebalance`.
    pub(super) fn new(client: Arc<KafkaConsumer>, options: &ReaderOptions, rebalance: Duration) -> Self {
        Self {
            client,
            max_records: options.max_records.max(1),
            max_bytes: options.max_bytes,
            deferred: None,
            full_since: None,
            paused: false,
            watchdog: Watchdog::new(rebalance, Instant::now()),
        }
    }

    /// Runs the thread; leaves the group when the handle is dropped.
    pub(super) fn run(mut self) {
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
        self.deferred.take_if(|deferred| at.iter().any(|next| next.partition == deferred.record.partition));
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
        for (partition, PartitionBatch { epoch, records }) in batches {
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
            let bounds = context.bounds_now(&self.client, partition)?;
            Ok::<_, LogError>(ReadUpTo { partition: partition.clone(), position: position(partition), end: bounds.end })
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
}
