//! Rebalances of Kafka: partitions that move while their reader works, drains, stalls or has ended.

use qamtu_log::{Delivery, KafkaConfig, LogConfig, LogError, LogReader, Partition, open_reader};

use crate::fixture::{
    LogFixture, append_all, assigned, expect_error, member, next, numbered, options, read_count, read_to_end, run_test, start_all,
    within_deadline,
};
use crate::kafka::kafka;
use crate::process::TestProcess;

/// Waits for a revocation, ignoring other deliveries.
async fn next_revocation(reader: &mut dyn LogReader) -> (Vec<Partition>, bool) {
    loop {
        if let Delivery::Revoked { partitions, lost } = next(reader).await {
            return (partitions, lost);
        }
    }
}

/// A reader that has read everything and whose partitions are being revoked, and the reader that joined.
async fn draining_reader(log: &LogFixture, drain_timeout_ms: u32) -> (Box<dyn LogReader>, Box<dyn LogReader>, Vec<Partition>) {
    log.topic("events", 4).await;
    append_all(&*log.writer().await, numbered("events", 60, 0..1_000)).await;
    let config = LogConfig::Kafka(KafkaConfig { drain_timeout_ms, ..kafka(log) });
    let mut first = open_reader(&config, options(&["events"], member(0, 2))).await.expect("reader");
    start_all(&mut *first).await;
    read_to_end(&mut *first).await;
    let second = log.reader(&["events"], member(1, 2)).await;
    let (partitions, lost) = next_revocation(&mut *first).await;
    assert_eq!((partitions.len(), lost), (4, false));
    (first, second, partitions)
}

#[test]
fn a_draining_reader_commits_and_the_next_owner_starts_there() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        let (mut first, mut second, partitions) = draining_reader(&log, 30_000).await;
        for (done, partition) in partitions.iter().enumerate() {
            within_deadline("commit", first.commit(&[partition.next_offset(done as u64 + 1)])).await.expect("commit while draining");
            within_deadline("release", first.release(std::slice::from_ref(partition))).await.expect("release");
            let error = expect_error(within_deadline("commit", first.commit(&[partition.next_offset(99)])).await);
            assert!(matches!(error, LogError::NotOwned { .. }), "{error}");
        }
        let (mut all, second) = tokio::join!(assigned(&mut *first), assigned(&mut *second));
        assert_eq!((all.len(), second.len()), (2, 2));
        all.extend(second);
        all.sort();
        let wanted: Vec<_> = partitions.into_iter().zip(1..).map(|(partition, next)| (partition, Some(next))).collect();
        assert_eq!(all, wanted);
    });
}

#[test]
fn partitions_that_are_not_released_in_time_are_lost() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        let (mut first, mut second, partitions) = draining_reader(&log, 1_000).await;
        within_deadline("release", first.release(&partitions[..1])).await.expect("release");
        let (unreleased, lost) = next_revocation(&mut *first).await;
        assert_eq!((unreleased, lost), (partitions[1..].to_vec(), true));
        let error = expect_error(within_deadline("commit", first.commit(&[partitions[3].next_offset(9)])).await);
        assert!(matches!(error, LogError::NotOwned { .. }), "{error}");
        let (first, second) = tokio::join!(assigned(&mut *first), assigned(&mut *second));
        assert!(first.iter().chain(&second).all(|(_, next)| next.is_none()) && first.len() + second.len() == 4);
    });
}

#[test]
fn a_second_reader_with_the_same_number_ends_the_first() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 4).await;
        let mut first = log.reader(&["events"], member(0, 1)).await;
        start_all(&mut *first).await;
        let mut second = log.reader(&["events"], member(0, 1)).await;
        let error = loop {
            match within_deadline("next", first.next()).await {
                Ok(Delivery::Revoked { partitions, .. }) => within_deadline("release", first.release(&partitions)).await.expect("release"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, LogError::Fenced { group, member: 0 } if group == "projector"), "{error}");
        assert_eq!(assigned(&mut *second).await.len(), 4);
        let events = Partition::new("events", 0);
        assert!(within_deadline("commit", first.commit(&[events.next_offset(3)])).await.is_err());
        within_deadline("commit", second.commit(&[events.next_offset(0)])).await.expect("commit");
    });
}

#[test]
fn a_stalled_member_is_replaced_and_can_no_longer_commit() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        log.topic("events", 2).await;
        let writer = log.writer().await;
        append_all(&*writer, numbered("events", 60, 0..100)).await;
        let process = TestProcess::start(&log, "read");
        process.wait_for("caught up");
        process.signal("STOP");
        // After the session timeout the other member owns all partitions.
        let mut other = log.reader(&["events"], member(1, 2)).await;
        let at = assigned(&mut *other).await;
        assert_eq!(at.len(), 2);
        let at: Vec<_> = at.iter().map(|(partition, next)| partition.next_offset(next.expect("committed"))).collect();
        within_deadline("start", other.start_at(&at)).await.expect("start");
        append_all(&*writer, numbered("events", 60, 100..300)).await;
        read_count(&mut *other, 200).await;
        let bounds = within_deadline("bounds", other.bounds("events")).await.expect("bounds");
        let ends: Vec<_> = bounds.iter().map(|bounds| bounds.partition.next_offset(bounds.end)).collect();
        within_deadline("commit", other.commit(&ends)).await.expect("commit");
        // The first member resumes with records that it can no longer commit.
        process.signal("CONT");
        let lines = process.lines_until("revoked");
        assert!(lines.last().is_some_and(|line| line == "revoked true"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("committed")), "{lines:?}");
        // It joins again, which triggers a rebalance; it is killed only then.
        let again = {
            let (partitions, _) = next_revocation(&mut *other).await;
            drop(process);
            within_deadline("release", other.release(&partitions)).await.expect("release");
            assigned(&mut *other).await
        };
        for (partition, next) in again {
            assert!(ends.contains(&partition.next_offset(next.expect("committed"))), "{partition} went back to {next:?}");
        }
    });
}
