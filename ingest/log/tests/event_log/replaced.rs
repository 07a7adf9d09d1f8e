//! A log that is deleted, recreated or replaced while it is used.

use qamtu_log::testing::delete_topics;
use qamtu_log::{LogConfig, LogError, LogReader, Membership};

use crate::fixture::{LogFixture, append_all, expect_error, member, numbered, read_count, start_all, within_deadline};
use crate::on_both_logs;

on_both_logs!(replaced:
    a_recreated_log_ends_its_readers,
    a_deleted_log_ends_its_readers,
    a_writer_distinguishes_a_recreated_log_from_its_own,
    a_log_that_only_grows_stays_the_same,
);

/// Deletes the topic, or the folder, as an operator would.
async fn delete(log: &LogFixture) {
    match &log.config {
        LogConfig::Embedded(config) => std::fs::remove_dir_all(&config.dir).expect("remove"),
        LogConfig::Kafka(config) => delete_topics(config, &["events"]).await.expect("deletion"),
    }
}

/// Creates the topic again; retries while the broker still deletes the old one.
async fn recreate_topic(log: &LogFixture) {
    let begun = std::time::Instant::now();
    let topic = [qamtu_log::TopicSpec { name: "events".into(), partitions: 2 }];
    while let Err(error) = qamtu_log::ensure_topics(&log.config, &topic).await {
        assert!(begun.elapsed() < crate::fixture::DEADLINE, "{error}");
    }
}

async fn caught_up_readers(log: &LogFixture, count: usize) -> [Box<dyn LogReader>; 2] {
    let mut readers = [log.reader(&["events"], member(0, 1)).await, log.reader(&["events"], Membership::Standalone).await];
    for reader in &mut readers {
        start_all(&mut **reader).await;
        read_count(&mut **reader, count).await;
    }
    readers
}

/// The error that ends a reader; it may deliver no record of the new log before.
async fn final_error(reader: &mut dyn LogReader) -> LogError {
    loop {
        match within_deadline("the end of the reader", reader.next()).await {
            Ok(qamtu_log::Delivery::Records(records)) => panic!("{} records of another log were delivered", records.len()),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

async fn a_recreated_log_ends_its_readers(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let mut readers = caught_up_readers(&log, 100).await;
    delete(&log).await;
    recreate_topic(&log).await;
    for reader in &mut readers {
        let error = final_error(&mut **reader).await;
        assert!(matches!(error, LogError::Replaced { .. }) && !error.is_transient(), "{error}");
    }
}

async fn a_deleted_log_ends_its_readers(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let mut readers = caught_up_readers(&log, 100).await;
    delete(&log).await;
    for reader in &mut readers {
        let error = final_error(&mut **reader).await;
        assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    }
}

async fn a_writer_distinguishes_a_recreated_log_from_its_own(log: LogFixture) {
    log.topic("events", 2).await;
    let writer = log.writer().await;
    append_all(&*writer, numbered("events", 9, 0..10)).await;
    within_deadline("verify", writer.verify(&["events"])).await.expect("its own");
    delete(&log).await;
    let error = expect_error(within_deadline("verify", writer.verify(&["events"])).await);
    assert!(matches!(error, LogError::Replaced { .. }) && error.to_string().contains("deleted"), "{error}");
    recreate_topic(&log).await;
    let error = expect_error(within_deadline("verify", writer.verify(&["events"])).await);
    assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    if !log.is_kafka() {
        // Appends to the deleted file are not acknowledged.
        for outcome in within_deadline("append", writer.append(numbered("events", 9, 10..20))).await {
            assert!(matches!(outcome, Err(LogError::Replaced { .. })), "{outcome:?}");
        }
        assert!(matches!(within_deadline("ready", writer.ready()).await, Err(LogError::Replaced { .. })));
        assert!(log.read_all(&["events"]).await.is_empty());
    }
}

async fn a_log_that_only_grows_stays_the_same(log: LogFixture) {
    log.topic("events", 2).await;
    let writer = log.writer().await;
    for round in 0..5 {
        append_all(&*writer, numbered("events", 9, round * 10..round * 10 + 10)).await;
        log.topic("roll", 1).await;
        within_deadline("verify", writer.verify(&["events"])).await.expect("the same log");
    }
}

/// SQLite's own restore writes into the same file, so only its records change.
#[test]
fn an_older_copy_restored_into_the_same_file_ends_the_reader() {
    crate::fixture::run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 2).await;
        append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        start_all(&mut *reader).await;
        read_count(&mut *reader, 100).await;
        let sql = rusqlite::Connection::open(log.dir().join("records.sqlite")).expect("file");
        sql.busy_timeout(crate::fixture::DEADLINE).expect("timeout");
        sql.execute_batch("DELETE FROM p1 WHERE \"offset\" >= 20; DELETE FROM p2 WHERE \"offset\" >= 20;").expect("restore");
        let error = final_error(&mut *reader).await;
        assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    });
}
