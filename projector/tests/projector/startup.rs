//! Where reading starts: at the end of the log copy, whatever was committed; and when the projector must not start.

use std::time::Duration;

use qamtu_devstack::testing::wait;
use qamtu_log::{LogConfig, Membership, ReaderOptions, open_reader};

use crate::{
    events::{attendance, campaign, entries, event},
    fixture::{LogKind, ProjectorFixture, run},
    on_both_logs,
};

async fn a_commit_beyond_the_log_copy_is_not_trusted(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 2_000))).await;
    // Commit the end of every partition although nothing was written.
    let records = fixture.records().await;
    let topics = vec!["events".to_owned(), "roll".to_owned()];
    let membership = Membership::Group { group: "projector".into(), member: 0, members: 1 };
    let options = ReaderOptions { topics, membership, max_records: 100, max_bytes: 1 << 20 };
    let mut reader = open_reader(&fixture.log, options).await.unwrap();
    loop {
        if let qamtu_log::Delivery::Assigned(_) = reader.next().await.unwrap() {
            break;
        }
    }
    let ends: Vec<_> = records.iter().map(|(partition, records)| partition.next_offset(records.len() as u64)).collect();
    reader.commit(&ends).await.unwrap();
    drop(reader);
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stderr().contains("the log copy lacks committed records"));
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

async fn a_restart_continues_where_the_last_run_ended(fixture: ProjectorFixture) {
    for round in 0..3 {
        fixture.append(entries(&campaign(round, 700))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        if round > 0 {
            let rows = projector.wait_for_metric("qamtu_projector_records_total", 700.0).await;
            assert_eq!(rows, 700.0, "earlier records were written again");
        }
        assert!(projector.stop().await.success());
    }
    fixture.assert_everything_once().await;
}

async fn rows_lost_before_a_start_are_written_again(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 2_000))).await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.query("DELETE FROM log WHERE offset BETWEEN 40 AND 60").await;
    fixture.query("DELETE FROM attendance WHERE offset BETWEEN 40 AND 60").await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

async fn a_single_event_is_written_without_waiting(fixture: ProjectorFixture) {
    let minute = [("QAMTU__PROJECTOR__LINGER_MS", "60000"), ("QAMTU__PROJECTOR__LINGER_BEHIND_MS", "60000")];
    let projector = fixture.projector_with(&minute).await;
    let attendances = "SELECT count() FROM v_attendance";
    fixture.append(entries(&[event(0xabc0, 0, None, attendance(0, 0))])).await;
    fixture.wait_until("the event is visible", attendances, |count| count == "1").await;
    // The second event of this partition waits. An event of another partition, which is appended after it, does not.
    fixture.append(entries(&[event(0xabc1, 0, None, attendance(0, 1))])).await;
    fixture.append(entries(&campaign(1, 44)[43..])).await;
    fixture.wait_until("the roll is visible", "SELECT count() FROM v_roll_versions", |count| count == "1").await;
    assert_eq!(fixture.query(attendances).await.trim(), "1");
    assert!(projector.stop().await.success());
}

on_both_logs!(
    a_commit_beyond_the_log_copy_is_not_trusted,
    a_restart_continues_where_the_last_run_ended,
    rows_lost_before_a_start_are_written_again,
    a_single_event_is_written_without_waiting,
);

#[test]
fn a_log_shorter_than_the_tables_is_refused() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.append(entries(&campaign(1, 500))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        let LogConfig::Embedded(log) = &fixture.log else { panic!("embedded") };
        std::fs::remove_dir_all(&log.dir).unwrap();
        fixture.append(entries(&campaign(1, 5))).await;
        let mut refused = fixture.spawn(&[], &[]);
        assert_eq!(refused.wait().await.code(), Some(1));
        let logs = refused.stderr();
        assert!(logs.lines().last().unwrap().contains("this is another log"), "{logs}");
    });
}

#[test]
fn invalid_settings_exit_with_64_and_one_line() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        for (name, value) in [("QAMTU__PROJECTOR__MEMBER", "5"), ("QAMTU__CLICKHOUSE__DATABSE", "x"), ("QAMTU__LOG__KIND", "rabbit")] {
            let mut refused = fixture.spawn(&[], &[(name, value)]);
            assert_eq!(refused.wait().await.code(), Some(64), "{name}");
            assert_eq!(refused.stderr().lines().count(), 1, "{}", refused.stderr());
        }
    });
}

#[test]
fn it_waits_for_an_unreachable_warehouse_and_stops_on_request() {
    run(async {
        let mut fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.clickhouse.url = "http://127.0.0.1:1".into();
        let waiting = fixture.spawn(&[], &[]);
        let logged = async || if waiting.stderr().contains("starting again") { Ok(()) } else { Err(waiting.stderr()) };
        wait::until("the next attempt", Duration::from_secs(30), logged).await.unwrap();
        assert!(waiting.stop().await.success());
    });
}

#[test]
fn it_serves_health_and_metrics() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let events = campaign(1, 1_000);
        fixture.append(entries(&events)).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        for (path, status) in [("/live", 200), ("/ready", 200), ("/metrics", 200), ("/", 404)] {
            assert_eq!(projector.get(path).await.0, status, "{path}");
            // DNS rebinding: the page of another site whose name resolves to this process.
            assert_eq!(projector.get_as(path, &["evil.example"]).await, 421, "{path}");
            assert_eq!(projector.get_as(path, &["localhost", "evil.example"]).await, 421, "{path}");
            assert_eq!(projector.get_as(path, &["localhost:1"]).await, status, "{path}");
        }
        assert_eq!(projector.wait_for_metric("qamtu_projector_records_total", 1_000.0).await, 1_000.0);
        assert_eq!(projector.wait_for_metric("qamtu_projector_rows_total{table=\"log\"}", 1_000.0).await, 1_000.0);
        // Counters of failures appear with the first failure, all others soon after the start.
        let failures = ["qamtu_projector_retries_total", "qamtu_projector_rejected_total"];
        let are_complete = async || {
            let (_, text) = projector.get("/metrics").await;
            let is_missing = |name: &&&str| !text.contains(&format!("# HELP {name} ")) && !failures.contains(name);
            let missing: Vec<_> = qamtu_projector::metrics::NAMES.iter().filter(is_missing).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} are missing")) }
        };
        wait::until("all metrics", crate::fixture::DEADLINE, are_complete).await.unwrap();
        assert!(projector.stop().await.success());
    });
}
