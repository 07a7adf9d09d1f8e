//! Faults of Kafka: frozen and killed brokers, removed records, wrong settings.

use std::collections::BTreeSet;
use std::time::Duration;

use qamtu_devstack::broker::Broker;
use qamtu_devstack::testing::{broker_or_skip, shared_broker, start_broker, wait};
use qamtu_log::{Delivery, KafkaConfig, LogConfig, LogError, Partition, TopicSpec, ensure_topics, open_reader, open_writer};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::fixture::{
    DEADLINE, LogFixture, append_all, assert_contiguous, assigned, broker_options, expect_error, kafka_config, member, next, numbered,
    options, read_count, read_to_end, run_test, start_all, within_deadline,
};
use crate::process::TestProcess;

/// The settings of this Kafka log.
pub fn kafka(log: &LogFixture) -> KafkaConfig {
    match &log.config {
        LogConfig::Kafka(config) => config.clone(),
        LogConfig::Embedded(_) => panic!("this is not Kafka"),
    }
}

/// A suspended broker; resumed on drop, so that a failed assertion leaves none suspended.
pub struct Frozen<'a>(&'a mut Broker);

impl<'a> Frozen<'a> {
    pub fn new(broker: &'a mut Broker) -> Self {
        broker.pause().expect("pause");
        Self(broker)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let _ = self.0.resume();
    }
}

#[test]
fn a_frozen_broker_makes_appends_fail_in_time_and_a_thawed_one_takes_them() {
    run_test(async {
        let Some(mut broker) = start_broker("frozen", 0) else { return };
        // Long enough for the flush below to see unacknowledged entries on a machine that starts other brokers at the same time.
        let config = LogConfig::Kafka(KafkaConfig { append_timeout_ms: 10_000, ..kafka_config(broker.address()) });
        ensure_topics(&config, &[TopicSpec { name: "events".into(), partitions: 2 }]).await.expect("topic");
        let writer = open_writer(&config).await.expect("writer");
        append_all(&*writer, numbered("events", 9, 0..100)).await;
        broker.pause().expect("pause");
        let appending = {
            let writer = writer.clone();
            tokio::spawn(async move { writer.append(numbered("events", 9, 100..110)).await })
        };
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let error = loop {
            match writer.flush(Duration::from_millis(20)).await {
                // The append has not begun yet.
                Ok(()) => assert!(tokio::time::Instant::now() < deadline, "nothing was ever unsettled"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, LogError::FlushTimeout { unacknowledged: 1..=10 }), "{error}");
        assert!(matches!(within_deadline("ready", writer.ready()).await, Err(LogError::Unavailable { .. })));
        for outcome in within_deadline("append", appending).await.expect("task") {
            let error = expect_error(outcome);
            assert!(matches!(error, LogError::Unavailable { .. }) && error.is_transient(), "{error}");
        }
        broker.resume().expect("resume");
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while writer.ready().await.is_err() {
            assert!(tokio::time::Instant::now() < deadline, "not ready again");
        }
        append_all(&*writer, numbered("events", 9, 200..300)).await;
        within_deadline("flush", writer.flush(DEADLINE)).await.expect("flush");
        // Failed entries may be stored or not; acknowledged ones are.
        let log = LogFixture::with_config(config);
        let all = log.read_all(&["events"]).await;
        all.values().for_each(|records| assert_contiguous(records, 0));
        let mut numbers: Vec<u64> = all.values().flatten().map(|record| crate::fixture::text(record).parse().expect("number")).collect();
        numbers.retain(|number| !(100..110).contains(number));
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).chain(200..300).collect::<Vec<_>>());
    });
}

#[test]
fn a_frozen_broker_makes_a_commit_fail_in_time_and_a_thawed_one_takes_the_next() {
    run_test(async {
        let Some(mut broker) = start_broker("silent", 0) else { return };
        // The session must be longer than the outage.
        let log = LogFixture::with_config(LogConfig::Kafka(KafkaConfig { session_timeout_ms: 45_000, ..kafka_config(broker.address()) }));
        log.topic("events", 1).await;
        append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
        let events = Partition::new("events", 0);
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        start_all(&mut *reader).await;
        read_to_end(&mut *reader).await;
        within_deadline("commit", reader.commit(&[events.next_offset(20)])).await.expect("commit");
        let frozen = Frozen::new(&mut broker);
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let error = loop {
            // Three times the timeout of a commit; without a timeout it takes minutes.
            match tokio::time::timeout(Duration::from_secs(30), reader.commit(&[events.next_offset(40)])).await {
                // The broker is not frozen yet.
                Ok(Ok(())) => assert!(tokio::time::Instant::now() < deadline, "the broker was never frozen"),
                Ok(Err(error)) => break error,
                Err(_) => panic!("an unresponsive broker blocks the reader"),
            }
        };
        assert!(matches!(error, LogError::Unavailable { action: "committing", .. }) && error.is_transient(), "{error}");
        let error = expect_error(within_deadline("commit", reader.commit(&[events.next_offset(60)])).await);
        assert!(matches!(error, LogError::Unavailable { action: "committing", .. }), "{error}");
        drop(frozen);
        // Refused until the response to the commit that timed out has arrived.
        let committed = async || match within_deadline("commit", reader.commit(&[events.next_offset(80)])).await {
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                Err(error)
            }
            done => done,
        };
        wait::until("the commit", DEADLINE, committed).await.expect("commit");
        drop(reader);
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        assert_eq!(assigned(&mut *reader).await, [(events, Some(80))]);
    });
}

#[test]
fn a_killed_broker_comes_back_with_everything_and_the_clients_go_on() {
    run_test(async {
        let Some(broker) = start_broker("killed", 0) else { return };
        let options = broker_options("killed");
        let port = broker.address().rsplit(':').next().expect("port").parse().expect("port");
        let log = LogFixture::with_config(LogConfig::Kafka(kafka_config(broker.address())));
        log.topic("events", 3).await;
        let writer = log.writer().await;
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        start_all(&mut *reader).await;
        append_all(&*writer, numbered("events", 9, 0..1_000)).await;
        let mut new: BTreeSet<_> =
            read_count(&mut *reader, 1_000).await.into_iter().map(|record| (record.partition, record.offset)).collect();
        // Dropping kills with SIGKILL; the append waits for the next broker.
        drop(broker);
        let appending = {
            let writer = writer.clone();
            tokio::spawn(async move { append_all(&*writer, numbered("events", 9, 1_000..1_100)).await.len() })
        };
        let restart = tokio::task::spawn_blocking(move || Broker::start(qamtu_devstack::broker::BrokerOptions { port, ..options }));
        let broker = broker_or_skip(within_deadline("restart", restart).await.expect("task")).expect("it started before");
        assert_eq!(within_deadline("append", appending).await.expect("task"), 100);
        // If the broker was away for longer than the session, the partitions are lost and assigned again.
        while new.len() < 1_100 {
            match next(&mut *reader).await {
                Delivery::Records(records) => new.extend(records.into_iter().map(|record| (record.partition, record.offset))),
                Delivery::Assigned(partitions) => {
                    let at: Vec<_> = partitions.iter().map(|(partition, _)| partition.next_offset(0)).collect();
                    within_deadline("start", reader.start_at(&at)).await.expect("start");
                }
                Delivery::Revoked { partitions, .. } => within_deadline("release", reader.release(&partitions)).await.expect("release"),
                Delivery::CaughtUp => {}
            }
        }
        let (last, offset) = new.last().expect("record").clone();
        within_deadline("commit", reader.commit(&[last.next_offset(offset + 1)])).await.expect("a member again");
        let all = log.read_all(&["events"]).await;
        all.values().for_each(|records| assert_contiguous(records, 0));
        assert_eq!(all.values().map(Vec::len).sum::<usize>(), 1_100);
        broker.stop().expect("stop in order");
    });
}

#[test]
fn a_broker_dies_with_its_parent() {
    let Some(broker) = start_broker("probe", 0) else { return };
    drop(broker);
    let log = LogFixture::embedded();
    let process = TestProcess::start(&log, "broker orphan");
    let address = process.wait_for("address");
    std::net::TcpStream::connect(&address).expect("the broker listens");
    process.kill();
    let deadline = std::time::Instant::now() + DEADLINE;
    while std::net::TcpStream::connect(&address).is_ok() {
        assert!(std::time::Instant::now() < deadline, "the broker at {address} outlived its parent");
        std::thread::yield_now();
    }
}

fn admin(config: &KafkaConfig) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &config.brokers).create().expect("admin")
}

#[test]
fn records_removed_behind_a_reader_are_noticed() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 1).await;
        append_all(&*log.writer().await, numbered("events", 9, 0..1_000)).await;
        let config = kafka(&log);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&format!("{}events", config.topic_prefix), 0, Offset::Offset(600)).expect("partition");
        admin(&config).delete_records(&list, &AdminOptions::new()).await.expect("removal");
        let events = Partition::new("events", 0);
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        assigned(&mut *reader).await;
        let error = expect_error(within_deadline("start", reader.start_at(&[events.next_offset(0)])).await);
        assert!(matches!(error, LogError::OutOfRange { offset: 0, start: 600, end: 1_000, .. }), "{error}");
        within_deadline("start", reader.start_at(&[events.next_offset(600)])).await.expect("start");
        assert_contiguous(&read_to_end(&mut *reader).await[&events], 600);
    });
}

#[test]
fn a_reader_that_is_overtaken_by_retention_ends_instead_of_skipping() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 1).await;
        append_all(&*log.writer().await, numbered("events", 9, 0..1_000)).await;
        let events = Partition::new("events", 0);
        // Small batches, so that most records are still on the broker when they are removed.
        let options = qamtu_log::ReaderOptions { max_records: 1, ..options(&["events"], member(0, 1)) };
        let mut reader = open_reader(&log.config, options).await.expect("reader");
        start_all(&mut *reader).await;
        read_count(&mut *reader, 1).await;
        // Long enough for the reader to pause fetching and drop its buffer.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let config = kafka(&log);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&format!("{}events", config.topic_prefix), 0, Offset::Offset(900)).expect("partition");
        admin(&config).delete_records(&list, &AdminOptions::new()).await.expect("removal");
        let error = loop {
            match within_deadline("next", reader.next()).await {
                Ok(Delivery::Records(records)) => assert!(records[0].offset < 100 && records[0].partition == events),
                Ok(other) => panic!("{other:?}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, LogError::OutOfRange { start: 900, end: 1_000, .. }), "{error}");
    });
}

#[test]
fn a_topic_with_limited_retention_is_refused() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        let config = kafka(&log);
        let name = format!("{}events", config.topic_prefix);
        let topic = NewTopic::new(&name, 2, TopicReplication::Fixed(1)).set("retention.ms", "604800000");
        admin(&config).create_topics([&topic], &AdminOptions::new()).await.expect("topic");
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let error = loop {
            let error = expect_error(ensure_topics(&log.config, &[TopicSpec { name: "events".into(), partitions: 2 }]).await);
            // Not every broker knows a new topic at once.
            if !matches!(error, LogError::PartitionCount { found: 0, .. }) || tokio::time::Instant::now() > deadline {
                break error;
            }
        };
        assert!(matches!(&error, LogError::TopicSetting { setting: "retention.ms", found, .. } if found == "604800000"), "{error}");
    });
}

#[test]
fn more_copies_than_brokers_are_refused_by_the_setting_to_change() {
    run_test(async {
        let Some(address) = shared_broker() else { return };
        let config = LogConfig::Kafka(KafkaConfig { topic_prefix: "copies-".into(), ..KafkaConfig::new(address) });
        let error = expect_error(ensure_topics(&config, &[TopicSpec { name: "events".into(), partitions: 1 }]).await);
        assert!(matches!(error, LogError::Config { setting: "replicas", .. }), "{error}");
    });
}

#[test]
fn no_broker_is_one_clear_error() {
    run_test(async {
        let config = LogConfig::kafka("127.0.0.1:1");
        for error in crate::fixture::open_errors(&config).await {
            assert!(matches!(error, LogError::Unavailable { .. }), "{error}");
        }
    });
}

/// librdkafka's mock cluster returns an error after which the idempotent producer cannot continue.
#[test]
fn a_fatal_producer_error_fails_readiness_for_good() {
    run_test(async {
        let cluster = MockCluster::new(1).expect("mock");
        cluster.create_topic("events", 1, 1).expect("topic");
        let writer = open_writer(&LogConfig::kafka(cluster.bootstrap_servers())).await.expect("writer");
        within_deadline("ready", writer.ready()).await.expect("ready");
        cluster.request_errors(RDKafkaApiKey::Produce, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER; 3]);
        let outcome = within_deadline("append", writer.append(numbered("events", 1, 0..1))).await.remove(0);
        assert!(matches!(outcome, Err(LogError::Fatal { .. })), "{outcome:?}");
        for _ in 0..2 {
            let error = expect_error(within_deadline("ready", writer.ready()).await);
            assert!(matches!(error, LogError::Fatal { .. }) && !error.is_transient(), "{error}");
        }
    });
}
