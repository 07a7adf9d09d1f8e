//! A log that is deleted, made anew or put in the place of another one while it is used.

use qamtu_log::broker::delete_topics;
use qamtu_log::{LogConfig, LogError, LogReader, Membership};

use crate::on_both_logs;
use crate::site::{Site, append_all, expect_error, member, numbered, read_count, soon, start_all};

on_both_logs!(replaced:
    a_log_made_anew_ends_its_readers,
    a_deleted_log_ends_its_readers,
    a_writer_tells_a_log_made_anew_from_its_own,
    a_log_that_only_grows_stays_the_same,
);

/// Deletes the topic, or the folder, as an operator would.
async fn delete(site: &Site) {
    match &site.config {
        LogConfig::Embedded(config) => std::fs::remove_dir_all(&config.dir).expect("remove"),
        LogConfig::Kafka(config) => delete_topics(config, &["events"]).await.expect("deletion"),
    }
}

/// Makes the topic again; a broker may still be busy with the deletion.
async fn make_anew(site: &Site) {
    let begun = std::time::Instant::now();
    let topic = [qamtu_log::TopicSpec { name: "events".into(), partitions: 2 }];
    while let Err(error) = qamtu_log::ensure_topics(&site.config, &topic).await {
        assert!(begun.elapsed() < crate::site::DEADLINE, "{error}");
    }
}

async fn read_everything(site: &Site, count: usize) -> [Box<dyn LogReader>; 2] {
    let mut readers = [site.reader(&["events"], member(0, 1)).await, site.reader(&["events"], Membership::Whole).await];
    for reader in &mut readers {
        start_all(&mut **reader).await;
        read_count(&mut **reader, count).await;
    }
    readers
}

/// The error with which a reader ends; nothing of the new log may come before it.
async fn end_of(reader: &mut dyn LogReader) -> LogError {
    loop {
        match soon("the end of the reader", reader.next()).await {
            Ok(qamtu_log::Delivery::Records(records)) => panic!("{} records of another log were delivered", records.len()),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

async fn a_log_made_anew_ends_its_readers(site: Site) {
    site.topic("events", 2).await;
    append_all(&*site.writer().await, numbered("events", 9, 0..100)).await;
    let mut readers = read_everything(&site, 100).await;
    delete(&site).await;
    make_anew(&site).await;
    for reader in &mut readers {
        let error = end_of(&mut **reader).await;
        assert!(matches!(error, LogError::Replaced { .. }) && !error.is_transient(), "{error}");
    }
}

async fn a_deleted_log_ends_its_readers(site: Site) {
    site.topic("events", 2).await;
    append_all(&*site.writer().await, numbered("events", 9, 0..100)).await;
    let mut readers = read_everything(&site, 100).await;
    delete(&site).await;
    for reader in &mut readers {
        let error = end_of(&mut **reader).await;
        assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    }
}

async fn a_writer_tells_a_log_made_anew_from_its_own(site: Site) {
    site.topic("events", 2).await;
    let writer = site.writer().await;
    append_all(&*writer, numbered("events", 9, 0..10)).await;
    soon("verify", writer.verify(&["events"])).await.expect("its own");
    delete(&site).await;
    let error = expect_error(soon("verify", writer.verify(&["events"])).await);
    assert!(matches!(error, LogError::Replaced { .. }) && error.to_string().contains("deleted"), "{error}");
    make_anew(&site).await;
    let error = expect_error(soon("verify", writer.verify(&["events"])).await);
    assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    if !site.is_kafka() {
        // What goes into a file that nobody can find any more is not acknowledged.
        for outcome in soon("append", writer.append(numbered("events", 9, 10..20))).await {
            assert!(matches!(outcome, Err(LogError::Replaced { .. })), "{outcome:?}");
        }
        assert!(matches!(soon("ready", writer.ready()).await, Err(LogError::Replaced { .. })));
        assert!(site.read_all(&["events"]).await.is_empty());
    }
}

async fn a_log_that_only_grows_stays_the_same(site: Site) {
    site.topic("events", 2).await;
    let writer = site.writer().await;
    for round in 0..5 {
        append_all(&*writer, numbered("events", 9, round * 10..round * 10 + 10)).await;
        site.topic("roll", 1).await;
        soon("verify", writer.verify(&["events"])).await.expect("the same log");
    }
}

/// SQLite's own way to restore writes into the same file: the file stays, its records go.
#[test]
fn an_older_copy_restored_into_the_same_file_ends_the_reader() {
    crate::site::run(async {
        let site = Site::embedded();
        site.topic("events", 2).await;
        append_all(&*site.writer().await, numbered("events", 9, 0..100)).await;
        let mut reader = site.reader(&["events"], member(0, 1)).await;
        start_all(&mut *reader).await;
        read_count(&mut *reader, 100).await;
        let sql = rusqlite::Connection::open(site.dir().join("records.sqlite")).expect("file");
        sql.busy_timeout(crate::site::DEADLINE).expect("timeout");
        sql.execute_batch("DELETE FROM p1 WHERE \"offset\" >= 20; DELETE FROM p2 WHERE \"offset\" >= 20;").expect("restore");
        let error = end_of(&mut *reader).await;
        assert!(matches!(error, LogError::Replaced { .. }), "{error}");
    });
}
