//! Faults of the embedded log: corruption, a full disk, second owners, several writers.

use std::path::PathBuf;

use qamtu_log::{Delivery, EmbeddedConfig, LogConfig, LogError, Membership, Partition, TopicSpec, ensure_topics, open_reader, open_writer};
use rusqlite::Connection;

use crate::fixture::{
    LogFixture, append_all, assert_contiguous, entry, expect_error, member, next, numbered, options, read_to_end, run_test, start_all,
    text, within_deadline,
};
use crate::process::TestProcess;

async fn reader_error(log: &LogFixture, membership: Membership) -> LogError {
    open_reader(&log.config, options(&["events"], membership)).await.map(|_| ()).expect_err("this reader must be refused")
}

#[test]
fn a_second_owner_is_refused_by_name_until_the_first_is_gone() {
    run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 4).await;
        let process = TestProcess::start(&log, "hold");
        process.wait_for("assigned");
        let error = reader_error(&log, member(0, 1)).await;
        assert!(matches!(&error, LogError::Leased { group, .. } if group == "projector"), "{error}");
        assert!(error.to_string().contains("events/0 of group projector is already read by process "), "{error}");
        // Another number of members overlaps as well.
        assert!(matches!(reader_error(&log, member(1, 2)).await, LogError::Leased { .. }));
        // Another group and a standalone reader are not affected.
        drop(log.reader(&["events"], Membership::Group { group: "register".into(), member: 0, members: 1 }).await);
        drop(log.reader(&["events"], Membership::Standalone).await);
        process.kill();
        drop(log.reader(&["events"], member(0, 1)).await);
        assert!(matches!(reader_error(&log, member(2, 2)).await, LogError::Config { .. }));
    });
}

#[test]
fn several_processes_append_at_the_same_time() {
    run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 2).await;
        let processes: Vec<_> = (0..3).map(|_| TestProcess::start(&log, "append 10")).collect();
        for process in &processes {
            (0..100).for_each(|_| drop(process.wait_for("ack ")));
        }
        let acknowledged: Vec<_> = processes.into_iter().flat_map(TestProcess::kill).filter(|line| line.starts_with("ack ")).collect();
        let all = log.read_all(&["events"]).await;
        all.values().for_each(|records| assert_contiguous(records, 0));
        for line in acknowledged {
            if let [_, partition, offset, value] = line.split(' ').collect::<Vec<_>>()[..] {
                let partition = Partition::new("events", partition.parse().expect("partition"));
                let record = &all[&partition][offset.parse::<usize>().expect("offset")];
                assert!(text(record).starts_with(value), "{line}");
            }
        }
    });
}

#[test]
fn a_log_is_created_once_by_whoever_comes_first() {
    run_test(async {
        let log = LogFixture::embedded();
        // A start that was killed during creation leaves this file.
        std::fs::create_dir_all(log.dir()).expect("folder");
        std::fs::write(log.dir().join("records.new"), "half a file").expect("file");
        let starts = (0..16).map(|_| {
            let config = log.config.clone();
            tokio::spawn(async move { ensure_topics(&config, &[TopicSpec { name: "events".into(), partitions: 12 }]).await })
        });
        for start in starts.collect::<Vec<_>>() {
            start.await.expect("task").expect("topic");
        }
        append_all(&*log.writer().await, numbered("events", 9, 0..10)).await;
        assert_eq!(log.read_all(&["events"]).await.values().map(Vec::len).sum::<usize>(), 10);
    });
}

/// A log with a hundred records and no open reader or writer.
async fn filled_log() -> LogFixture {
    let log = LogFixture::embedded();
    log.topic("events", 1).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *reader).await;
    read_to_end(&mut *reader).await;
    within_deadline("commit", reader.commit(&[Partition::new("events", 0).next_offset(50)])).await.expect("commit");
    drop(reader);
    // Moves everything into the main files, so that the write-ahead log cannot repair damage to them.
    for file in ["records.sqlite", "positions.sqlite"] {
        let sql = Connection::open(log.dir().join(file)).expect("file");
        sql.busy_timeout(crate::fixture::DEADLINE).expect("timeout");
        sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
        sql.close().expect("close");
    }
    log
}

/// The error of every way to open the log again.
async fn reopen_errors(log: &LogFixture) -> Vec<LogError> {
    let topic = [TopicSpec { name: "events".into(), partitions: 1 }];
    vec![expect_error(ensure_topics(&log.config, &topic).await), reader_error(log, member(0, 1)).await]
}

#[test]
fn damage_is_one_clear_error_and_is_never_written_over() {
    run_test(async {
        for file in ["records.sqlite", "positions.sqlite"] {
            for damage in [Vec::new(), vec![0; 8192], b"this is no database at all, but a long enough text".repeat(100)] {
                let log = filled_log().await;
                let path: PathBuf = log.dir().join(file);
                std::fs::write(&path, &damage).expect("damage");
                for error in reopen_errors(&log).await {
                    assert!(matches!(&error, LogError::Corrupt { path: named, .. } if *named == path), "{error}");
                    assert!(error.to_string().contains("restore the folder from a backup"), "{error}");
                }
                assert_eq!(std::fs::read(&path).expect("file"), damage);
            }
        }
    });
}

#[test]
fn a_file_of_another_version_is_refused_by_both_numbers() {
    run_test(async {
        let log = filled_log().await;
        let sql = Connection::open(log.dir().join("records.sqlite")).expect("file");
        sql.execute_batch("PRAGMA user_version = 9").expect("version");
        drop(sql);
        for error in reopen_errors(&log).await {
            assert!(matches!(error, LogError::Version { found: 9, expected: 1, .. }), "{error}");
        }
    });
}

#[test]
fn a_changed_record_ends_the_reader_at_its_offset() {
    run_test(async {
        for damage in [
            "UPDATE p1 SET value = x'00' WHERE \"offset\" = 60",
            "DELETE FROM p1 WHERE \"offset\" = 60",
            "UPDATE p1 SET headers = x'ff' WHERE \"offset\" = 60",
        ] {
            let log = filled_log().await;
            let sql = Connection::open(log.dir().join("records.sqlite")).expect("file");
            sql.execute_batch(damage).expect("damage");
            drop(sql);
            let mut reader = log.reader(&["events"], Membership::Standalone).await;
            start_all(&mut *reader).await;
            let error = loop {
                match within_deadline("next", reader.next()).await {
                    Ok(Delivery::Records(records)) => assert!(records.iter().all(|record| record.offset < 60)),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break error,
                }
            };
            assert!(error.to_string().contains("events/0 has a gap or a wrong checksum at offset 60"), "{error}");
            assert!(matches!(within_deadline("next", reader.next()).await, Err(LogError::Closed)));
        }
    });
}

#[test]
fn a_log_older_than_its_positions_is_noticed() {
    run_test(async {
        let log = filled_log().await;
        // An operator restored a backup of the records only.
        let sql = Connection::open(log.dir().join("records.sqlite")).expect("file");
        sql.execute_batch("DELETE FROM p1 WHERE \"offset\" >= 40").expect("restore");
        drop(sql);
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        let Delivery::Assigned(partitions) = next(&mut *reader).await else { panic!("no assignment") };
        assert_eq!(partitions[0].1, Some(50));
        let error = expect_error(within_deadline("start", reader.start_at(&[partitions[0].0.next_offset(50)])).await);
        assert!(matches!(error, LogError::OutOfRange { offset: 50, start: 0, end: 40, .. }), "{error}");
    });
}

#[test]
fn a_full_log_refuses_whole_calls_and_takes_them_again_once_there_is_room() {
    run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 2).await;
        let limited = LogConfig::Embedded(EmbeddedConfig { dir: log.dir().into(), max_bytes: Some(4_000_000) });
        let writer = open_writer(&limited).await.expect("writer");
        let call = |round: u64| (0..10).map(|number| entry("events", &format!("{round}-{number}"), vec![b'x'; 20_000])).collect::<Vec<_>>();
        let mut stored = 0;
        let error = loop {
            let outcomes = within_deadline("append", writer.append(call(stored))).await;
            match outcomes.iter().filter(|outcome| outcome.is_ok()).count() {
                10 => stored += 1,
                0 => break expect_error(outcomes.into_iter().next().expect("outcome")),
                some => panic!("a call was cut in two: {some} of 10"),
            }
        };
        assert!(matches!(error, LogError::Full { .. }) && error.is_transient(), "{error}");
        assert!(matches!(within_deadline("ready", writer.ready()).await, Err(LogError::Full { .. })));
        assert!((10..20).contains(&stored), "{stored} calls of 200 KB fitted into 4 MB");
        // Reading still works, and so does appending once there is space.
        assert_eq!(log.read_all(&["events"]).await.values().map(Vec::len).sum::<usize>() as u64, stored * 10);
        drop(writer);
        let writer = log.writer().await;
        append_all(&*writer, call(stored)).await;
        let all = log.read_all(&["events"]).await;
        all.values().for_each(|records| assert_contiguous(records, 0));
        assert_eq!(all.values().map(Vec::len).sum::<usize>() as u64, stored * 10 + 10);
    });
}

/// More entries than fit into the queue: callers wait, nothing is refused or lost.
#[test]
fn callers_wait_while_the_queue_is_full() {
    run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 4).await;
        let writer = log.writer().await;
        let calls: Vec<_> = (0..40_u64)
            .map(|call| {
                let writer = writer.clone();
                let entries = (0..10).map(|number| entry("events", &format!("{call}-{number}"), vec![b'x'; 400_000])).collect();
                tokio::spawn(async move { append_all(&*writer, entries).await.len() })
            })
            .collect();
        let mut stored = 0;
        for call in calls {
            stored += call.await.expect("task");
        }
        assert_eq!(stored, 400);
        let mut reader = log.reader(&["events"], Membership::Standalone).await;
        start_all(&mut *reader).await;
        assert_eq!(crate::fixture::read_count(&mut *reader, 400).await.len(), 400);
    });
}
