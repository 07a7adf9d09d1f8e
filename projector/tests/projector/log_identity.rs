//! The projector refuses a log that is not the one its tables were filled from, whatever its length; an unknown lag is not zero.

use std::{path::Path, time::Duration};

use qamtu_devstack::testing::{start_broker, wait};
use qamtu_log::{LogConfig, TopicSpec, ensure_topics, testing::delete_topics};
use qamtu_schemas::Topic;

use crate::{
    events::{campaign, entries},
    fixture::{DEADLINE, LogKind, ProjectorFixture, run},
    on_both_logs,
};

async fn delete(fixture: &ProjectorFixture) {
    match &fixture.log {
        LogConfig::Embedded(log) => std::fs::remove_dir_all(&log.dir).unwrap(),
        LogConfig::Kafka(config) => delete_topics(config, &Topic::ALL.map(Topic::name)).await.unwrap(),
    }
}

/// Creates missing topics; retries while the broker is busy with the deletion or starting up.
async fn make_topics(fixture: &ProjectorFixture) {
    let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().into(), partitions: topic.partitions() });
    let begun = std::time::Instant::now();
    while let Err(error) = ensure_topics(&fixture.log, &specs).await {
        assert!(begun.elapsed() < DEADLINE, "{error}");
    }
}

/// Asserts that the projector refuses the log with a message and writes nothing.
async fn assert_refused(fixture: &ProjectorFixture) {
    let before = fixture.table_hashes().await;
    let mut refused = fixture.spawn(&[], &[]);
    assert_eq!(refused.wait().await.code(), Some(1), "{}", refused.stderr());
    let logs = refused.stderr();
    // Other lines may follow, because the reader may still be leaving its group.
    let refusal = logs.lines().find(|line| line.starts_with("qamtu-projector: ")).unwrap_or_default();
    assert!(refusal.contains("this is another log") && refusal.contains("clickhouse.database"), "{logs}");
    assert_eq!(fixture.table_hashes().await, before);
}

async fn a_recreated_log_longer_than_the_tables_is_refused(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 300))).await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    delete(&fixture).await;
    make_topics(&fixture).await;
    // Every partition is longer than before; without the check 300 records would be skipped.
    fixture.append(entries(&campaign(2, 3_000))).await;
    assert_refused(&fixture).await;
}

/// The append times differ although ids and bodies of the first events are the same.
async fn the_same_events_in_a_new_log_are_another_log(fixture: ProjectorFixture) {
    let events = campaign(1, 300);
    fixture.append(entries(&events)).await;
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    delete(&fixture).await;
    make_topics(&fixture).await;
    fixture.append(entries(&events)).await;
    fixture.append(entries(&campaign(2, 300))).await;
    assert_refused(&fixture).await;
}

async fn a_log_that_only_grew_is_the_same(fixture: ProjectorFixture) {
    for round in 0..3 {
        fixture.append(entries(&campaign(round, 200))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
    }
    fixture.assert_everything_once().await;
}

async fn a_log_that_is_deleted_while_it_is_read_ends_the_projector(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 300))).await;
    let mut projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    delete(&fixture).await;
    make_topics(&fixture).await;
    assert_eq!(projector.wait().await.code(), Some(1), "{}", projector.stderr());
    let logs = projector.stderr();
    let messages = ["is no longer the log that was opened", "this is another log"];
    assert!(messages.iter().any(|messages| logs.contains(messages)), "{logs}");
    fixture.append(entries(&campaign(2, 3_000))).await;
    assert_refused(&fixture).await;
}

on_both_logs!(
    a_recreated_log_longer_than_the_tables_is_refused,
    the_same_events_in_a_new_log_are_another_log,
    a_log_that_only_grew_is_the_same,
    a_log_that_is_deleted_while_it_is_read_ends_the_projector,
);

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_restored_backup_of_the_log_is_refused() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let LogConfig::Embedded(log) = &fixture.log else { panic!("embedded") };
        fixture.append(entries(&campaign(1, 200))).await;
        let backup = fixture.dir.path().join("backup");
        copy(&log.dir, &backup);
        fixture.append(entries(&campaign(2, 200))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        std::fs::remove_dir_all(&log.dir).unwrap();
        copy(&backup, &log.dir);
        fixture.append(entries(&campaign(3, 2_000))).await;
        assert_refused(&fixture).await;
    });
}

#[test]
fn it_resumes_after_a_broker_outage_and_never_reports_an_unknown_lag_as_zero() {
    run(async {
        let Some(mut broker) = start_broker("outage", 0) else { return };
        let fixture = ProjectorFixture::at_broker(broker.address());
        fixture.append(entries(&campaign(0, 200))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        for (round, seconds) in [(1, 10_u64), (2, 14), (3, 18)] {
            broker.pause().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            if round == 3 {
                // After a longer pause the lag becomes unknown: neither zero nor the last value.
                let is_unknown = async || projector.metric("qamtu_projector_lag_records").await.is_nan();
                wait::until_true("the lag to be unknown", DEADLINE, is_unknown).await.unwrap();
            }
            broker.resume().unwrap();
            make_topics(&fixture).await;
            fixture.append(entries(&campaign(round, 200))).await;
            fixture.wait_caught_up().await;
        }
        let is_zero = async || projector.metric("qamtu_projector_lag_records").await == 0.0;
        wait::until_true("the lag to be known again", DEADLINE, is_zero).await.unwrap();
        assert!(projector.stop().await.success());
        fixture.assert_everything_once().await;
    });
}
