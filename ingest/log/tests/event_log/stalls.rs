//! Readers and writers recover after a broker was away; with librdkafka alone some never do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use qamtu_devstack::broker::{Broker, BrokerOverrides};
use qamtu_devstack::testing::broker_or_skip;
use qamtu_log::{Delivery, KafkaConfig, LogConfig, LogReader, Membership, Partition};
use rdkafka::mocking::MockCluster;

use crate::fixture::{LogFixture, append_all, assigned, broker_options, kafka_config, member, numbered, run_test, text, within_deadline};
use crate::kafka::Frozen;

/// How long the broker is away, in seconds: longer than its own session, so that it is fenced when it comes back.
const FREEZES: [u64; 3] = [9, 13, 18];

/// A broker that its controller fences again and again because its heartbeats are too rare: half of the time it returns an empty list of
/// brokers and has no leaders.
fn start_fenced_broker(name: &str) -> Option<Broker> {
    start_broker(name, [("broker.session.timeout.ms", "4000"), ("broker.heartbeat.interval.ms", "8000")])
}

/// A broker that may be fenced for some seconds after it was frozen.
fn start_slow_broker(name: &str) -> Option<Broker> {
    start_broker(name, [("broker.session.timeout.ms", "6000"), ("broker.heartbeat.interval.ms", "3000")])
}

fn start_broker(name: &str, settings: [(&str, &str); 2]) -> Option<Broker> {
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    broker_or_skip(Broker::start_with(broker_options(name), &BrokerOverrides { settings, scram_users: Vec::new() }))
}

fn freeze(broker: &mut Broker, seconds: u64) {
    let frozen = Frozen::new(broker);
    std::thread::sleep(Duration::from_secs(seconds));
    drop(frozen);
}

/// Reads as a service does: opens the reader again after a transient error.
struct RestartingReader<'a> {
    log: &'a LogFixture,
    membership: Membership,
    reader: Option<Box<dyn LogReader>>,
    next: BTreeMap<Partition, u64>,
    records: BTreeSet<u64>,
    /// The errors with which readers have ended.
    ended: Vec<String>,
}

impl<'a> RestartingReader<'a> {
    fn new(log: &'a LogFixture, membership: Membership) -> Self {
        Self { log, membership, reader: None, next: BTreeMap::new(), records: BTreeSet::new(), ended: Vec::new() }
    }

    async fn read_until(&mut self, count: usize) {
        while self.records.len() < count {
            if let Err(error) = self.step().await {
                assert!(error.is_transient(), "{error}");
                self.reader = None;
                self.ended.push(error.to_string());
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        assert_eq!(self.records, (0..count as u64).collect());
    }

    async fn step(&mut self) -> Result<(), qamtu_log::LogError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => {
                none.insert(qamtu_log::open_reader(&self.log.config, crate::fixture::options(&["events"], self.membership.clone())).await?)
            }
        };
        match reader.next().await? {
            Delivery::Assigned(partitions) => {
                let at: Vec<_> =
                    partitions.iter().map(|(partition, _)| partition.next_offset(self.next.get(partition).copied().unwrap_or(0))).collect();
                reader.start_at(&at).await?;
            }
            Delivery::Records(records) => {
                for record in records {
                    self.next.insert(record.partition.clone(), record.offset + 1);
                    self.records.insert(text(&record).parse().expect("number"));
                }
            }
            Delivery::Revoked { partitions, .. } => reader.release(&partitions).await?,
            Delivery::CaughtUp => {}
        }
        Ok(())
    }
}

/// Appends with a new client until everything is acknowledged; retried entries may be stored twice.
async fn write(log: &LogFixture, numbers: std::ops::Range<u64>) {
    loop {
        let outcomes = match qamtu_log::open_writer(&log.config).await {
            Ok(writer) => writer.append(numbered("events", 9, numbers.clone())).await,
            Err(error) => vec![Err(error)],
        };
        match outcomes.into_iter().find_map(Result::err) {
            None => return,
            Some(error) => assert!(error.is_transient(), "{error}"),
        }
    }
}

async fn check_readers_continue(name: &str, membership: Membership, session_timeout_ms: u32) {
    let Some(mut broker) = start_slow_broker(name) else { return };
    let log = LogFixture::with_config(LogConfig::Kafka(KafkaConfig { session_timeout_ms, ..kafka_config(broker.address()) }));
    log.topic("events", 3).await;
    let mut reader = RestartingReader::new(&log, membership);
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    within_deadline("the first records", reader.read_until(100)).await;
    for (seconds, round) in FREEZES.into_iter().zip(1_u64..) {
        freeze(&mut broker, seconds);
        within_deadline("writing", write(&log, round * 100..round * 100 + 100)).await;
        within_deadline(&format!("reading on after {seconds} s"), reader.read_until(usize::try_from(round).expect("round") * 100 + 100))
            .await;
    }
}

#[test]
fn a_group_reads_on_after_the_broker_was_away_for_9_to_18_seconds() {
    run_test(check_readers_continue("away-group", member(0, 1), 45_000));
}

#[test]
fn a_group_whose_session_ended_meanwhile_reads_on_too() {
    run_test(check_readers_continue("away-session", member(0, 1), 6_000));
}

#[test]
fn a_whole_reader_reads_on_after_the_broker_was_away_for_9_to_18_seconds() {
    run_test(check_readers_continue("away-whole", Membership::Standalone, 6_000));
}

#[test]
fn a_writer_appends_again_after_the_broker_was_away_for_9_to_18_seconds() {
    run_test(async {
        let Some(mut broker) = start_slow_broker("away-writer") else { return };
        let log = LogFixture::with_config(LogConfig::Kafka(kafka_config(broker.address())));
        log.topic("events", 3).await;
        let writer = log.writer().await;
        append_all(&*writer, numbered("events", 9, 0..100)).await;
        for seconds in FREEZES {
            // An append is in progress when the broker freezes, so that the client retries as soon as the broker responds again.
            let under_way = tokio::spawn({
                let writer = writer.clone();
                async move { writer.append(numbered("events", 9, 100..110)).await }
            });
            freeze(&mut broker, seconds);
            within_deadline("what was under way", under_way).await.expect("task");
            let begun = Instant::now();
            while let Err(error) = writer.ready().await {
                assert!(error.is_transient() && begun.elapsed() < crate::fixture::DEADLINE, "not ready after {seconds} s: {error}");
            }
            within_deadline(&format!("appending after {seconds} s"), append_all(&*writer, numbered("events", 9, 110..120))).await;
        }
    });
}

/// Uses librdkafka's mock cluster, as a real broker cannot be told to have no leader.
#[test]
fn a_reader_starts_once_the_partition_has_a_leader_again() {
    run_test(async {
        let cluster = MockCluster::new(1).expect("cluster");
        cluster.create_topic("events", 1, 1).expect("topic");
        let log = LogFixture::with_config(LogConfig::Kafka(kafka_config(cluster.bootstrap_servers())));
        let mut reader = log.reader(&["events"], Membership::Standalone).await;
        let at: Vec<_> = assigned(&mut *reader).await.iter().map(|(partition, _)| partition.next_offset(0)).collect();
        cluster.partition_leader("events", 0, None).expect("no leader");
        // The client must fetch the metadata once while there is no leader.
        let delay = tokio::time::sleep(Duration::from_secs(2));
        let (started, ()) = tokio::join!(within_deadline("start", reader.start_at(&at)), async {
            delay.await;
            cluster.partition_leader("events", 0, Some(1)).expect("a leader");
        });
        started.expect("start");
        assert_eq!(within_deadline("bounds", reader.bounds("events")).await.expect("bounds")[0].end, 0);
    });
}

/// No append fails and no reader ends: the clients find the broker again without being replaced.
#[test]
fn clients_go_on_while_the_broker_is_fenced_again_and_again() {
    run_test(async {
        let Some(broker) = start_fenced_broker("fenced") else { return };
        let config = KafkaConfig { append_timeout_ms: 60_000, session_timeout_ms: 45_000, ..kafka_config(broker.address()) };
        let log = LogFixture::with_config(LogConfig::Kafka(config));
        log.topic("events", 3).await;
        let writer = log.writer().await;
        let (mut whole, mut group) = (RestartingReader::new(&log, Membership::Standalone), RestartingReader::new(&log, member(0, 1)));
        // The broker is fenced four times meanwhile; appends fall into every phase.
        for round in 0..32 {
            append_all(&*writer, numbered("events", 9, round * 10..round * 10 + 10)).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let count = usize::try_from(round * 10 + 10).expect("count");
            tokio::join!(
                within_deadline("reading", whole.read_until(count)),
                within_deadline("reading in a group", group.read_until(count))
            );
        }
        assert!(whole.ended.is_empty() && group.ended.is_empty(), "readers ended: {:?}, in the group {:?}", whole.ended, group.ended);
    });
}

/// While the broker is fenced, no partition has a leader: librdkafka reports each of them as unknown, or drops the broker.
#[test]
fn a_reader_that_starts_at_any_moment_reads_everything() {
    run_test(async {
        let Some(broker) = start_fenced_broker("fenced-start") else { return };
        let log = Arc::new(LogFixture::with_config(LogConfig::Kafka(kafka_config(broker.address()))));
        log.topic("events", 3).await;
        append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
        let mut readers = tokio::task::JoinSet::new();
        for number in 0..32 {
            let log = log.clone();
            readers.spawn(async move {
                tokio::time::sleep(number * Duration::from_millis(500)).await;
                let mut reader = RestartingReader::new(&log, Membership::Standalone);
                reader.read_until(100).await;
                reader.ended
            });
        }
        let ended: Vec<_> = within_deadline("reading", readers.join_all()).await.concat();
        assert!(ended.is_empty(), "readers ended: {ended:?}");
    });
}
