//! The projector dies, ClickHouse dies, again and again while events flow: everything counts once afterwards.

use std::time::Duration;

use qamtu_log::LogWriter;

use crate::{
    events::{campaign, entries},
    on_both_logs,
    proxy::Proxy,
    rig::{DEADLINE, Kind, Rig, run},
    server::Server,
};

/// Appends events in small portions until it is told to stop.
fn flow(writer: std::sync::Arc<dyn LogWriter>, seed: u128) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<usize>) {
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

/// Numbers that look random and are the same in every run.
fn jitter(n: u64) -> Duration {
    Duration::from_millis(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33 & 0xff)
}

async fn killed_at_any_moment(rig: Rig) {
    let (stop, appended) = flow(rig.writer().await, 100);
    for n in 0..24_u64 {
        let projector = rig.projector().await;
        tokio::time::sleep(jitter(n)).await;
        projector.kill().await;
    }
    stop.send(()).unwrap();
    assert!(appended.await.unwrap() > 1_000);
    let projector = rig.projector().await;
    rig.caught_up().await;
    assert!(projector.stop().await.success());
    rig.assert_everything_once().await;
}

async fn stopped_under_load(rig: Rig) {
    let (stop, appended) = flow(rig.writer().await, 200);
    for n in 0..12_u64 {
        let projector = rig.projector().await;
        tokio::time::sleep(jitter(n)).await;
        let words = projector.words();
        assert!(projector.stop().await.success(), "{words}");
    }
    stop.send(()).unwrap();
    appended.await.unwrap();
    let projector = rig.projector().await;
    rig.caught_up().await;
    assert!(projector.stop().await.success());
    rig.assert_everything_once().await;
}

on_both_logs!(killed_at_any_moment, stopped_under_load);

/// Ends the projector at a named point for the n-th time; what stands in the tables then.
#[cfg(feature = "faults")]
async fn ended_at(rig: &Rig, fault: &str) {
    let mut projector = rig.spawn(&[], &[("QAMTU_FAULT", fault)]);
    assert!(!projector.ended().await.success(), "the point {fault} was not reached");
}

#[cfg(feature = "faults")]
#[test]
fn the_receipt_is_written_last() {
    run(async {
        let rig = Rig::new(Kind::Embedded).unwrap();
        rig.append(entries(&campaign(1, 2_000))).await;
        ended_at(&rig, "before-facts:1").await;
        assert_eq!(rig.ask("SELECT count() FROM attendance").await.trim(), "0");
        ended_at(&rig, "before-receipt:1").await;
        let facts: u64 = rig.ask("SELECT count() FROM attendance").await.trim().parse().unwrap();
        let unreceipted =
            "SELECT count() FROM attendance WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset FROM log)";
        let ahead: u64 = rig.ask(unreceipted).await.trim().parse().unwrap();
        assert!(facts > 0 && ahead > 0, "facts {facts}, ahead of the receipt {ahead}");
        for fault in ["before-receipt:3", "before-facts:9", "after-receipt:2", "before-facts:14", "after-receipt:1"] {
            ended_at(&rig, fault).await;
            rig.append(entries(&campaign(fault.len() as u128 + 50, 1_500))).await;
            let lacking = "SELECT count() FROM log WHERE status = 'event' AND type LIKE 'qamtu.attendance.recorded%'
                AND (campaign, event_id) NOT IN (SELECT campaign, event_id FROM attendance)";
            assert_eq!(rig.ask(lacking).await.trim(), "0", "a receipt without its facts after {fault}");
        }
        let projector = rig.projector().await;
        rig.caught_up().await;
        assert!(projector.stop().await.success());
        rig.assert_everything_once().await;
    });
}

#[test]
fn clickhouse_killed_under_load() {
    run(async {
        let server = Server::start();
        let rig = Rig::at(Kind::Embedded, server.config("admin", "t")).unwrap();
        let (stop, appended) = flow(rig.writer().await, 300);
        let projector = rig.projector().await;
        for n in 0..8_u64 {
            tokio::time::sleep(Duration::from_millis(300) + jitter(n)).await;
            server.kill();
            rig.until("ClickHouse is back", "SELECT 1", |said| said == "1").await;
        }
        stop.send(()).unwrap();
        appended.await.unwrap();
        rig.caught_up().await;
        projector.counted("qamtu_projector_retries_total", 1.0).await;
        assert!(projector.stop().await.success());
        rig.assert_everything_once().await;
    });
}

#[test]
fn answers_lost_under_load() {
    run(async {
        let rig = Rig::new(Kind::Embedded).unwrap();
        let proxy = Proxy::before(&rig.clickhouse.url).await;
        let through =
            Rig::at(Kind::Embedded, qamtu_projector::config::ClickhouseConfig { url: proxy.url(), ..rig.clickhouse.clone() }).unwrap();
        let (stop, appended) = flow(through.writer().await, 400);
        let projector = through.projector().await;
        for n in 0..10_u64 {
            let lost = proxy.lost();
            proxy.lose_answers_to_inserts(2);
            tokio::time::sleep(jitter(n)).await;
            let deadline = tokio::time::Instant::now() + DEADLINE;
            while proxy.lost() == lost {
                assert!(tokio::time::Instant::now() < deadline, "nothing is written");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        stop.send(()).unwrap();
        appended.await.unwrap();
        through.caught_up().await;
        assert!(proxy.lost() >= 10, "{} answers were lost", proxy.lost());
        assert!(projector.stop().await.success());
        let physical = through.ask("SELECT count() - uniqExact(topic, partition, offset) FROM log").await;
        assert_eq!(physical.trim(), "0", "the tokens were not recognised");
        through.assert_everything_once().await;
    });
}
