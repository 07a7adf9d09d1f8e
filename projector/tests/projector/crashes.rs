//! Projector and ClickHouse are killed repeatedly while events are appended: afterwards everything counts once.

use std::time::Duration;

use qamtu_devstack::testing::wait;
use qamtu_log::LogWriter;

use crate::{
    clickhouse_server::ClickhouseServer,
    events::{campaign, entries},
    fixture::{DEADLINE, LogKind, ProjectorFixture, run},
    on_both_logs,
    proxy::Proxy,
};

/// Appends small groups of events until stopped; returns how many.
fn append_until_stopped(
    writer: std::sync::Arc<dyn LogWriter>,
    seed: u128,
) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<usize>) {
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut appended = 0;
        for round in 0.. {
            if stopped.try_recv().is_ok() {
                break;
            }
            let events = campaign(seed + round, 60);
            for outcome in writer.append(entries(&events)).await {
                outcome.unwrap();
                appended += 1;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        appended
    });
    (stop, task)
}

/// Pseudo-random durations, the same in every run.
fn jitter(n: u64) -> Duration {
    Duration::from_millis(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33 & 0xff)
}

async fn killed_at_any_moment(fixture: ProjectorFixture) {
    let (stop, appended) = append_until_stopped(fixture.writer().await, 100);
    for n in 0..24_u64 {
        let projector = fixture.projector().await;
        tokio::time::sleep(jitter(n)).await;
        projector.kill().await;
    }
    stop.send(()).unwrap();
    assert!(appended.await.unwrap() > 1_000);
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

async fn stopped_under_load(fixture: ProjectorFixture) {
    let (stop, appended) = append_until_stopped(fixture.writer().await, 200);
    for n in 0..12_u64 {
        let projector = fixture.projector().await;
        tokio::time::sleep(jitter(n)).await;
        let logs = projector.stderr();
        assert!(projector.stop().await.success(), "{logs}");
    }
    stop.send(()).unwrap();
    appended.await.unwrap();
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

on_both_logs!(killed_at_any_moment, stopped_under_load);

/// Runs the projector until it aborts at a failpoint.
#[cfg(feature = "failpoints")]
async fn run_until_failpoint(fixture: &ProjectorFixture, failpoint: &str) {
    let mut projector = fixture.spawn(&[], &[("QAMTU_FAILPOINT", failpoint)]);
    assert!(!projector.wait().await.success(), "the point {failpoint} was not reached");
}

#[cfg(feature = "failpoints")]
#[test]
fn the_log_copy_is_written_last() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.append(entries(&campaign(1, 2_000))).await;
        run_until_failpoint(&fixture, "before-facts:1").await;
        assert_eq!(fixture.query("SELECT count() FROM attendance").await.trim(), "0");
        run_until_failpoint(&fixture, "before-log-copy:1").await;
        let facts: u64 = fixture.query("SELECT count() FROM attendance").await.trim().parse().unwrap();
        let without_log_row =
            "SELECT count() FROM attendance WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM log)";
        let ahead: u64 = fixture.query(without_log_row).await.trim().parse().unwrap();
        assert!(facts > 0 && ahead > 0, "facts {facts}, without a log copy row {ahead}");
        for failpoint in ["before-log-copy:3", "before-facts:9", "after-log-copy:2", "before-facts:14", "after-log-copy:1"] {
            run_until_failpoint(&fixture, failpoint).await;
            fixture.append(entries(&campaign(failpoint.len() as u128 + 50, 1_500))).await;
            let without_facts = "SELECT count() FROM log WHERE status = 'event' AND type LIKE 'qamtu.attendance.recorded%'
                AND (campaign, event_id) NOT IN (SELECT campaign, event_id FROM attendance)";
            assert_eq!(fixture.query(without_facts).await.trim(), "0", "a log copy row without facts after {failpoint}");
        }
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        fixture.assert_everything_once().await;
    });
}

#[test]
fn clickhouse_killed_under_load() {
    run(async {
        let server = ClickhouseServer::start();
        let fixture = ProjectorFixture::at(LogKind::Embedded, server.config("admin", "t")).unwrap();
        let (stop, appended) = append_until_stopped(fixture.writer().await, 300);
        let projector = fixture.projector().await;
        for n in 0..8_u64 {
            tokio::time::sleep(Duration::from_millis(300) + jitter(n)).await;
            server.kill();
            fixture.wait_until("ClickHouse is back", "SELECT 1", |value| value == "1").await;
        }
        stop.send(()).unwrap();
        appended.await.unwrap();
        fixture.wait_caught_up().await;
        projector.wait_for_metric("qamtu_projector_retries_total", 1.0).await;
        assert!(projector.stop().await.success());
        fixture.assert_everything_once().await;
    });
}

#[test]
fn lost_insert_responses_change_nothing() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let proxy = Proxy::before(&fixture.clickhouse.url).await;
        let proxied = ProjectorFixture::at(
            LogKind::Embedded,
            qamtu_projector::config::ClickhouseConfig { url: proxy.url(), ..fixture.clickhouse.clone() },
        )
        .unwrap();
        let (stop, appended) = append_until_stopped(proxied.writer().await, 400);
        let projector = proxied.projector().await;
        for n in 0..10_u64 {
            let lost = proxy.dropped();
            proxy.drop_insert_responses(2);
            tokio::time::sleep(jitter(n)).await;
            wait::until_true("a response to be lost", DEADLINE, async || proxy.dropped() != lost).await.unwrap();
        }
        stop.send(()).unwrap();
        appended.await.unwrap();
        proxied.wait_caught_up().await;
        assert!(proxy.dropped() >= 10, "{} responses were dropped", proxy.dropped());
        assert!(projector.stop().await.success());
        let physical = proxied.query("SELECT count() - uniqExact(topic, partition, offset) FROM log").await;
        assert_eq!(physical.trim(), "0", "repeated inserts were not deduplicated");
        proxied.assert_everything_once().await;
    });
}
