//! A broker that was away for a while comes back, and so do the clients: with librdkafka alone some never do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use qamtu_log::broker::{Broker, BrokerExtras};
use qamtu_log::{Delivery, KafkaConfig, LogConfig, LogReader, Membership, Partition};
use rdkafka::mocking::MockCluster;

use crate::kafka::Frozen;
use crate::site::{Site, append_all, assigned, broker_options, kafka_at, member, numbered, or_skip, run, soon, text};

/// How long the broker is away, in seconds: longer than its own session, so that it takes itself for fenced when it comes back.
const FREEZES: [u64; 3] = [9, 13, 18];

/// A broker that its controller fences again and again, since it reports too seldom: half of the time it answers with an empty list of
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
    or_skip(Broker::start_with(broker_options(name), &BrokerExtras { settings, scram_users: Vec::new() }))
}

fn freeze(broker: &mut Broker, seconds: u64) {
    let frozen = Frozen::new(broker);
    std::thread::sleep(Duration::from_secs(seconds));
    drop(frozen);
}

/// Reads as a service does: a reader that ends with what passes is opened again.
struct Service<'a> {
    site: &'a Site,
    membership: Membership,
    reader: Option<Box<dyn LogReader>>,
    next: BTreeMap<Partition, u64>,
    records: BTreeSet<u64>,
    /// How many readers have ended.
    ended: usize,
}

impl<'a> Service<'a> {
    fn new(site: &'a Site, membership: Membership) -> Self {
        Self { site, membership, reader: None, next: BTreeMap::new(), records: BTreeSet::new(), ended: 0 }
    }

    async fn read_until(&mut self, count: usize) {
        while self.records.len() < count {
            if let Err(error) = self.step().await {
                assert!(error.is_transient(), "{error}");
                self.reader = None;
                self.ended += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        assert_eq!(self.records, (0..count as u64).collect());
    }

    async fn step(&mut self) -> Result<(), qamtu_log::LogError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => {
                none.insert(qamtu_log::open_reader(&self.site.config, crate::site::options(&["events"], self.membership.clone())).await?)
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

/// Appends with a client that has not seen the silence, until everything is acknowledged; what was not may be there twice.
async fn write(site: &Site, numbers: std::ops::Range<u64>) {
    loop {
        let outcomes = match qamtu_log::open_writer(&site.config).await {
            Ok(writer) => writer.append(numbered("events", 9, numbers.clone())).await,
            Err(error) => vec![Err(error)],
        };
        match outcomes.into_iter().find_map(Result::err) {
            None => return,
            Some(error) => assert!(error.is_transient(), "{error}"),
        }
    }
}

async fn readers_go_on(name: &str, membership: Membership, session_timeout_ms: u32) {
    let Some(mut broker) = start_slow_broker(name) else { return };
    let site = Site::on(LogConfig::Kafka(KafkaConfig { session_timeout_ms, ..kafka_at(broker.address()) }));
    site.topic("events", 3).await;
    let mut service = Service::new(&site, membership);
    append_all(&*site.writer().await, numbered("events", 9, 0..100)).await;
    soon("the first records", service.read_until(100)).await;
    for (seconds, round) in FREEZES.into_iter().zip(1_u64..) {
        freeze(&mut broker, seconds);
        soon("writing", write(&site, round * 100..round * 100 + 100)).await;
        soon(&format!("reading on after {seconds} s"), service.read_until(usize::try_from(round).expect("round") * 100 + 100)).await;
    }
}

#[test]
fn a_group_reads_on_after_the_broker_was_away_for_9_to_18_seconds() {
    run(readers_go_on("away-group", member(0, 1), 45_000));
}

#[test]
fn a_group_whose_session_ended_meanwhile_reads_on_too() {
    run(readers_go_on("away-session", member(0, 1), 6_000));
}

#[test]
fn a_whole_reader_reads_on_after_the_broker_was_away_for_9_to_18_seconds() {
    run(readers_go_on("away-whole", Membership::Whole, 6_000));
}

#[test]
fn a_writer_appends_again_after_the_broker_was_away_for_9_to_18_seconds() {
    run(async {
        let Some(mut broker) = start_slow_broker("away-writer") else { return };
        let site = Site::on(LogConfig::Kafka(kafka_at(broker.address())));
        site.topic("events", 3).await;
        let writer = site.writer().await;
        append_all(&*writer, numbered("events", 9, 0..100)).await;
        for seconds in FREEZES {
            // Something is under way when the broker falls silent, so that the client asks for it as soon as it answers again.
            let under_way = tokio::spawn({
                let writer = writer.clone();
                async move { writer.append(numbered("events", 9, 100..110)).await }
            });
            freeze(&mut broker, seconds);
            soon("what was under way", under_way).await.expect("task");
            let begun = Instant::now();
            while let Err(error) = writer.ready().await {
                assert!(error.is_transient() && begun.elapsed() < crate::site::DEADLINE, "not ready after {seconds} s: {error}");
            }
            soon(&format!("appending after {seconds} s"), append_all(&*writer, numbered("events", 9, 110..120))).await;
        }
    });
}

/// No broker can be told when to be without a leader, so librdkafka's own imitation of one stands in here.
#[test]
fn a_reader_starts_once_the_partition_has_a_leader_again() {
    run(async {
        let cluster = MockCluster::new(1).expect("cluster");
        cluster.create_topic("events", 1, 1).expect("topic");
        let site = Site::on(LogConfig::Kafka(kafka_at(cluster.bootstrap_servers())));
        let mut reader = site.reader(&["events"], Membership::Whole).await;
        let at: Vec<_> = assigned(&mut *reader).await.iter().map(|(partition, _)| partition.next_offset(0)).collect();
        cluster.partition_leader("events", 0, None).expect("no leader");
        // The client has to read the metadata once while there is no leader.
        let told = tokio::time::sleep(Duration::from_secs(2));
        let (started, ()) = tokio::join!(soon("start", reader.start_at(&at)), async {
            told.await;
            cluster.partition_leader("events", 0, Some(1)).expect("a leader");
        });
        started.expect("start");
        assert_eq!(soon("bounds", reader.bounds("events")).await.expect("bounds")[0].end, 0);
    });
}

/// Nothing fails that the caller would see: the clients find the broker again, and none is replaced.
#[test]
fn clients_go_on_while_the_broker_is_fenced_again_and_again() {
    run(async {
        let Some(broker) = start_fenced_broker("fenced") else { return };
        let config = KafkaConfig { append_timeout_ms: 60_000, session_timeout_ms: 45_000, ..kafka_at(broker.address()) };
        let site = Site::on(LogConfig::Kafka(config));
        site.topic("events", 3).await;
        let writer = site.writer().await;
        let (mut whole, mut group) = (Service::new(&site, Membership::Whole), Service::new(&site, member(0, 1)));
        // Four times fenced, and appended in every phase of it.
        for round in 0..32 {
            append_all(&*writer, numbered("events", 9, round * 10..round * 10 + 10)).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let count = usize::try_from(round * 10 + 10).expect("count");
            tokio::join!(soon("reading", whole.read_until(count)), soon("reading in a group", group.read_until(count)));
        }
        assert_eq!((whole.ended, group.ended), (0, 0), "readers that were replaced");
    });
}

/// While the broker is fenced, no partition has a leader: librdkafka calls each of them unknown, or loses the broker itself.
#[test]
fn a_reader_that_starts_at_any_moment_reads_everything() {
    run(async {
        let Some(broker) = start_fenced_broker("fenced-start") else { return };
        let site = Arc::new(Site::on(LogConfig::Kafka(kafka_at(broker.address()))));
        site.topic("events", 3).await;
        append_all(&*site.writer().await, numbered("events", 9, 0..100)).await;
        let mut readers = tokio::task::JoinSet::new();
        for reader in 0..32 {
            let site = site.clone();
            readers.spawn(async move {
                tokio::time::sleep(reader * Duration::from_millis(500)).await;
                let mut service = Service::new(&site, Membership::Whole);
                service.read_until(100).await;
                service.ended
            });
        }
        assert_eq!(soon("reading", readers.join_all()).await, [0; 32], "readers that were replaced");
    });
}
