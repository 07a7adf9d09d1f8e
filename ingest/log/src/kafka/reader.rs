//! Reads Kafka: one thread polls, keeps its place in the group alive and hands records over.
//!
//! While the owner takes nothing, the thread stops fetching but goes on polling, so that a slow
//! warehouse never costs the membership. A client that has stopped working ends the reader ([`super::watch`]).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers as _, Message};
use rdkafka::topic_partition_list::TopicPartitionListElem;

use super::client::{Names, Role, client_config};
use super::commit::Commits;
use super::cursor::Cursors;
use super::group::{Client, Member, Seat};
use super::probe;
use super::voice::{Voice, failed};
use super::watch::{Advice, Answers, Watchdog};
use crate::config::KafkaConfig;
use crate::entry::{Headers, Record};
use crate::error::LogError;
use crate::handle::{Command, Handle, HandleGone, Notice};
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Membership, ReaderOptions};

/// How long one poll waits for records; also the longest a command waits on an idle topic.
const POLL: Duration = Duration::from_millis(10);
/// How long to wait for a command while there is no room.
const FULL: Duration = Duration::from_millis(50);
/// After this long without room fetching is paused and polling goes on.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// Joins the group (or names everything) and starts the reading thread.
pub(super) fn open(config: &KafkaConfig, options: &ReaderOptions) -> Result<Handle, LogError> {
    let (role, group) = match &options.membership {
        Membership::Group { group, member, .. } => (Role::Member { group: group.clone(), member: *member }, Some((group.clone(), *member))),
        Membership::Whole => (Role::Whole, None),
    };
    let (handle, link) = Handle::new();
    let (commits, orders) = Commits::new();
    let member = Member {
        voice: Voice::new(&config.brokers),
        names: Names::new(&config.topic_prefix, &options.topics),
        group,
        drain: Duration::from_millis(config.drain_timeout_ms.into()),
        seat: Mutex::new(Seat { link, cursors: Cursors::default(), commits, failure: None }),
        answers: Answers::new(Instant::now()),
    };
    let client: Client = client_config(config, &role)?.create_with_context(member).map_err(|error| failed("opening the log", error))?;
    let client = Arc::new(client);
    let no_thread = |error: std::io::Error| LogError::Fatal { reason: format!("no thread: {error}") };
    let partitions = client.context().existing(&client, &options.topics, || drop(client.poll(POLL)))?;
    if options.membership == Membership::Whole {
        let mut seat = client.context().seat();
        seat.cursors.own(partitions.iter().cloned());
        seat.link.notify(Notice::Assigned(partitions.into_iter().map(|partition| (partition, None)).collect()));
    } else {
        orders.serve(&client).map_err(no_thread)?;
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
        held: None,
        full: None,
        paused: false,
        watchdog: Watchdog::new(rebalance, Instant::now()),
    };
    let thread = std::thread::Builder::new().name("log-reader".into()).spawn(move || reader.run());
    thread.map_err(no_thread)?;
    Ok(handle)
}

struct Reader {
    client: Arc<Client>,
    max_records: usize,
    max_bytes: usize,
    /// A record that did not fit into the last portion.
    held: Option<(u64, Record)>,
    /// Since when there is no room.
    full: Option<Instant>,
    paused: bool,
    watchdog: Watchdog,
}

/// Records of one portion, by partition; the number is the epoch of the start they belong to.
type Portion = BTreeMap<Partition, (u64, Vec<Record>)>;

impl Reader {
    /// The thread; leaves the group when the handle is dropped.
    fn run(mut self) {
        loop {
            match self.turn() {
                Ok(Ok(())) => {}
                Ok(Err(HandleGone)) => return,
                Err(error) => {
                    self.client.context().seat().link.notify(Notice::Failed(error));
                    return;
                }
            }
        }
    }

    fn turn(&mut self) -> Result<Result<(), HandleGone>, LogError> {
        let command = {
            let mut seat = self.client.context().seat();
            let wait = if seat.link.has_room() { Duration::ZERO } else { FULL };
            seat.link.command(wait)
        };
        match command {
            Ok(Some(command)) => self.obey(command),
            Ok(None) => self.read()?,
            Err(gone) => return Ok(Err(gone)),
        }
        self.watch()?;
        match self.client.context().seat().failure.take() {
            Some(error) => Err(error),
            None => Ok(Ok(())),
        }
    }

    /// Hears what the watchdog has found.
    fn watch(&mut self) -> Result<(), LogError> {
        let member = self.client.context();
        let Some(ends) = member.answers.take() else { return Ok(()) };
        let mut seat = member.seat();
        if !seat.link.has_room() || self.paused {
            seat.cursors.touch(Instant::now());
        }
        if self.watchdog.judge(ends, &mut seat.cursors, Instant::now())? == Advice::Refetch {
            let started = member.list(&seat.cursors.started())?;
            drop(seat);
            tracing::debug!("the broker has more than the client has told; it is fetched anew");
            self.client.assign(&started).map_err(|error| failed("starting to read", error))?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) {
        // A caller that has gone away needs no answer.
        match command {
            Command::StartAt { at, epoch, answer } => drop(answer.send(self.start_at(&at, epoch))),
            Command::Commit { offsets, answer } => {
                let member = self.client.context();
                drop(answer.send(member.commit(&self.client, &mut member.seat(), &offsets)));
            }
            // Nothing is being revoked now; the rest is gone already.
            Command::Release { answer, .. } => drop(answer.send(Ok(()))),
            Command::Bounds { topic, answer } => drop(answer.send(self.client.context().topic_bounds(&self.client, &topic))),
            Command::Taken => {}
        }
    }

    fn start_at(&mut self, at: &[NextOffset], epoch: u64) -> Result<(), LogError> {
        let member = self.client.context();
        member.seat().cursors.stop(at);
        for NextOffset { partition, offset } in at {
            if !member.seat().cursors.owns(partition) || self.client.assignment_lost() {
                return Err(LogError::NotOwned { partition: partition.clone() });
            }
            let Bounds { start, end, .. } = member.bounds(&self.client, partition)?;
            if !(start..=end).contains(offset) {
                return Err(LogError::OutOfRange { partition: partition.clone(), offset: *offset, start, end });
            }
        }
        let mut seat = member.seat();
        seat.cursors.start(at, epoch);
        // The whole assignment anew, from where each partition stands: simpler than seeking, and valid in every state.
        let started = member.list(&seat.cursors.started())?;
        self.paused = false;
        self.full = None;
        let assigned = self.client.assign(&started).and_then(|()| self.client.resume(&started));
        assigned.map_err(|error| failed("starting to read", error))
    }

    fn read(&mut self) -> Result<(), LogError> {
        let room = self.client.context().seat().link.has_room();
        self.hold(room)?;
        if !room && !self.paused {
            return Ok(());
        }
        let portion = self.poll(if room { POLL } else { Duration::ZERO })?;
        let idle = portion.is_empty();
        let member = self.client.context();
        for (partition, (epoch, records)) in portion {
            member.seat().link.notify(Notice::Records { partition, epoch, records });
        }
        if idle {
            self.clear_up();
        }
        let mut seat = member.seat();
        if let Some(epoch) = seat.cursors.caught_up() {
            seat.link.notify(Notice::CaughtUp { epoch });
        }
        Ok(())
    }

    /// Pauses fetching once there was no room for a while; resumes when there is.
    fn hold(&mut self, room: bool) -> Result<(), LogError> {
        let since = *self.full.get_or_insert_with(Instant::now);
        if room {
            self.full = None;
        }
        let pause = !room && since.elapsed() > PAUSE_AFTER;
        if (room && self.paused) || (pause && !self.paused) {
            let member = self.client.context();
            let started = member.list(&member.seat().cursors.started())?;
            let done = if pause { self.client.pause(&started) } else { self.client.resume(&started) };
            done.map_err(|error| failed("pausing", error))?;
            self.paused = pause;
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration) -> Result<Portion, LogError> {
        let (mut portion, mut count, mut bytes) = (Portion::new(), 0, 0);
        let mut wait = wait;
        while count < self.max_records {
            let taken = match self.held.take() {
                Some(held) => Some(held),
                None => match self.client.poll(wait) {
                    None => break,
                    Some(Ok(message)) => self.take(&message),
                    Some(Err(error)) => self.judge(error).map(|()| None)?,
                },
            };
            wait = Duration::ZERO;
            let Some((epoch, record)) = taken else { continue };
            bytes += record.size();
            if bytes > self.max_bytes && count > 0 {
                self.held = Some((epoch, record));
                break;
            }
            count += 1;
            portion.entry(record.partition.clone()).or_insert_with(|| (epoch, Vec::new())).1.push(record);
        }
        Ok(portion)
    }

    fn take(&self, message: &BorrowedMessage<'_>) -> Option<(u64, Record)> {
        let member = self.client.context();
        let partition = Partition::new(member.names.local(message.topic()), message.partition().unsigned_abs());
        let taken = member.seat().cursors.take(&partition, message.offset().unsigned_abs());
        taken.map(|(epoch, skipped)| (epoch, record(partition, skipped, message)))
    }

    /// Asks the broker where several topics could have reached their end.
    fn clear_up(&self) {
        let member = self.client.context();
        let unclear = member.seat().cursors.unclear();
        if unclear.is_empty() {
            return;
        }
        let positions = self.positions();
        let position = |partition: &Partition| positions.iter().find(|next| next.partition == *partition).map_or(0, |next| next.offset);
        let ends = unclear
            .iter()
            .map(|partition| member.bounds_now(&self.client, partition).map(|bounds| (partition.clone(), position(partition), bounds.end)));
        // When the broker does not answer, the next idle moment asks again.
        if let Ok(ends) = ends.collect::<Result<Vec<_>, _>>() {
            member.seat().cursors.clear_up(&ends);
        }
    }

    /// Where the client stands in each partition, markers of transactions included; none where nothing was read yet.
    fn positions(&self) -> Vec<NextOffset> {
        let names = &self.client.context().names;
        let Ok(known) = self.client.position() else { return Vec::new() };
        let position = |one: &TopicPartitionListElem<'_>| {
            let offset = u64::try_from(one.offset().to_raw()?).ok()?;
            Some(Partition::new(names.local(one.topic()), one.partition().unsigned_abs()).next_offset(offset))
        };
        known.elements().iter().filter_map(position).collect()
    }

    /// Whether an event ends the reader; what librdkafka mends by itself does not.
    fn judge(&self, error: KafkaError) -> Result<(), LogError> {
        let member = self.client.context();
        if let KafkaError::PartitionEOF(number) = error {
            member.seat().cursors.reach_end(number.unsigned_abs());
            return Ok(());
        }
        if let Some((code, reason)) = self.client.client().fatal_error() {
            let fenced = code == Code::FencedInstanceId;
            return Err(if fenced { member.fenced() } else { LogError::Fatal { reason: format!("{code}: {reason}") } });
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

    /// Which partition stands outside of what the broker holds.
    fn out_of_range(&self, error: KafkaError) -> LogError {
        let member = self.client.context();
        let started = member.seat().cursors.started();
        let outside = started.into_iter().find_map(|NextOffset { partition, offset }| {
            let Bounds { start, end, .. } = member.bounds(&self.client, &partition).ok()?;
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
/// handed over without headers, so that it is no event to anybody and the partition goes on behind it.
fn headers(message: &BorrowedMessage<'_>) -> Headers {
    let read = || {
        message.headers().map_or_else(Headers::new, |headers| {
            let copy = |value: Option<&[u8]>| Bytes::copy_from_slice(value.unwrap_or_default());
            headers.iter().map(|header| (header.key.to_owned().into(), copy(header.value))).collect()
        })
    };
    // Reading changes nothing in the message: nothing is left half done, and the rest of it is still there.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let (partition, offset) = (message.partition(), message.offset());
        tracing::warn!(partition, offset, "a record has a header whose name is not UTF-8; it is taken without headers");
        Headers::new()
    })
}
