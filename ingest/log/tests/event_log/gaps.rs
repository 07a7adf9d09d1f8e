//! Offsets without a record on Kafka: transaction markers, aborted and compacted records.

use std::time::Duration;

use qamtu_log::testing::{TransactionalProducer, alter_topic};
use qamtu_log::{KafkaConfig, LogConfig, Membership, Partition, Record};

use crate::fixture::{DEADLINE, LogFixture, append_all, entry, member, next, numbered, read_to_end, run_test, start_all, text};

fn kafka(log: &LogFixture) -> KafkaConfig {
    match &log.config {
        LogConfig::Kafka(config) => config.clone(),
        LogConfig::Embedded(_) => panic!("this is not Kafka"),
    }
}

/// A transactional producer that writes values to partition 0 of `events`.
struct ExternalProducer(TransactionalProducer);

impl ExternalProducer {
    fn new(config: &KafkaConfig) -> Self {
        Self(TransactionalProducer::new(config).expect("producer"))
    }

    fn begin(&self, values: &[&'static str]) {
        let entries: Vec<_> = values.iter().map(|value| entry("events", "foreign", *value)).collect();
        self.0.begin(0, &entries).expect("begin");
    }

    fn commit(&self, values: &[&'static str]) {
        self.begin(values);
        self.0.commit().expect("commit");
    }

    fn abort(&self, values: &[&'static str]) {
        self.begin(values);
        self.0.abort().expect("abort");
    }
}

/// Offset, number of skipped offsets and value of each record.
fn read(records: &[Record]) -> Vec<(u64, u64, String)> {
    records.iter().map(|record| (record.offset, record.skipped, text(record))).collect()
}

#[test]
fn transactions_of_another_producer_are_read_without_their_markers_and_aborted_records() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        // Two topics with the same partition number, as the client reports an end without the topic.
        log.topic("events", 1).await;
        log.topic("roll", 1).await;
        let events = Partition::new("events", 0);
        let writer = log.writer().await;
        append_all(&*writer, numbered("events", 1, 0..2)).await;
        let external = ExternalProducer::new(&kafka(&log));
        external.commit(&["a", "b"]);
        external.abort(&["lost", "lost"]);
        append_all(&*writer, numbered("events", 1, 2..3)).await;
        // The last offset is a transaction marker.
        external.commit(&["c"]);
        let wanted = [(0, 0, "0"), (1, 0, "1"), (2, 0, "a"), (3, 0, "b"), (8, 4, "2"), (9, 0, "c")];
        let wanted: Vec<_> = wanted.into_iter().map(|(offset, skipped, value)| (offset, skipped, value.to_owned())).collect();
        for membership in [Membership::Standalone, member(0, 1)] {
            let mut reader = log.reader(&["events", "roll"], membership).await;
            start_all(&mut *reader).await;
            // Waits for `CaughtUp`, which must come although the last offset holds no record.
            let records = read_to_end(&mut *reader).await;
            assert_eq!(read(&records[&events]), wanted);
            let bounds = reader.bounds("events").await.expect("bounds");
            assert_eq!((bounds[0].start, bounds[0].end), (0, 11));
        }
        // The next record counts the skipped offsets, also from a start in the middle of them.
        append_all(&*writer, numbered("events", 1, 3..4)).await;
        let mut reader = log.reader(&["events", "roll"], Membership::Standalone).await;
        crate::fixture::assigned(&mut *reader).await;
        reader.start_at(&[events.next_offset(5), Partition::new("roll", 0).next_offset(0)]).await.expect("start");
        let records = read_to_end(&mut *reader).await;
        let wanted = [(8, 3, "2"), (9, 0, "c"), (11, 1, "3")];
        let wanted: Vec<_> = wanted.into_iter().map(|(offset, skipped, value)| (offset, skipped, value.to_owned())).collect();
        assert_eq!(read(&records[&events]), wanted);
    });
}

#[test]
fn a_transaction_that_is_open_holds_back_nothing_that_came_before_it() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 1).await;
        log.topic("roll", 1).await;
        append_all(&*log.writer().await, numbered("events", 1, 0..3)).await;
        let external = ExternalProducer::new(&kafka(&log));
        external.begin(&["open"]);
        let mut reader = log.reader(&["events", "roll"], Membership::Standalone).await;
        start_all(&mut *reader).await;
        let before = read_to_end(&mut *reader).await;
        assert_eq!(before[&Partition::new("events", 0)].len(), 3);
        external.0.commit().expect("commit");
        let after = read_to_end(&mut *reader).await;
        assert_eq!(read(&after[&Partition::new("events", 0)]), [(3, 0, "open".to_owned())]);
    });
}

#[test]
fn what_compaction_left_of_a_topic_is_read_to_its_end() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 1).await;
        let events = Partition::new("events", 0);
        let writer = log.writer().await;
        let values =
            |key: &str, numbers: std::ops::Range<u32>| numbers.map(|number| entry("events", key, format!("{key}{number}"))).collect();
        append_all(&*writer, values("a", 0..40)).await;
        append_all(&*writer, values("b", 0..1)).await;
        // An operator enables compaction and makes segments roll at once.
        let compacted = [
            ("cleanup.policy", "compact"),
            ("segment.ms", "100"),
            ("min.cleanable.dirty.ratio", "0.01"),
            ("max.compaction.lag.ms", "100"),
            ("min.compaction.lag.ms", "0"),
        ];
        alter_topic(&kafka(&log), "events", &compacted).await.expect("altered");
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let records = loop {
            // A segment rolls with the next appended record.
            append_all(&*writer, values("c", 0..1)).await;
            let mut reader = log.reader(&["events"], Membership::Standalone).await;
            start_all(&mut *reader).await;
            let records = read_to_end(&mut *reader).await.remove(&events).unwrap_or_default();
            // The broker replaces one segment after another: records of a later one may be gone before those of the first.
            if records.first().is_some_and(|record| record.skipped > 0) {
                break records;
            }
            assert!(tokio::time::Instant::now() < deadline, "the broker does not compact");
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let first: Vec<_> = read(&records[..2]);
        assert_eq!(first, [(39, 39, "a39".to_owned()), (40, 0, "b0".to_owned())]);
        let covered: u64 = records.iter().map(|record| record.skipped + 1).sum();
        assert_eq!(covered, records.last().expect("record").offset + 1, "every offset is a record or is counted");
        // A reader that starts in the middle continues.
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        crate::fixture::assigned(&mut *reader).await;
        reader.start_at(&[events.next_offset(20)]).await.expect("start");
        let qamtu_log::Delivery::Records(records) = next(&mut *reader).await else { panic!("no records") };
        assert_eq!((records[0].offset, records[0].skipped), (39, 19));
    });
}
