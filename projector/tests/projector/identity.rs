//! A log that is not the one that the tables were filled from is refused, however long it is; and what is not known is not called zero.

use std::{path::Path, time::Duration};

use qamtu_log::{
    LogConfig, TopicSpec,
    broker::{Broker, BrokerOptions, delete_topics},
    ensure_topics,
};
use qamtu_schemas::Topic;

use crate::{
    events::{campaign, entries},
    on_both_logs,
    rig::{DEADLINE, Kind, Rig, run},
    server::cache,
};

/// Deletes the log with everything in it, as an operator would.
async fn delete(rig: &Rig) {
    match &rig.log {
        LogConfig::Embedded(log) => std::fs::remove_dir_all(&log.dir).unwrap(),
        LogConfig::Kafka(config) => delete_topics(config, &Topic::ALL.map(Topic::name)).await.unwrap(),
    }
}

/// Makes the topics that are missing, as soon as the broker does that: it may be busy with a deletion, or just be waking up.
async fn make_topics(rig: &Rig) {
    let specs = Topic::ALL.map(|topic| TopicSpec { name: topic.name().into(), partitions: topic.partitions() });
    let begun = std::time::Instant::now();
    while let Err(error) = ensure_topics(&rig.log, &specs).await {
        assert!(begun.elapsed() < DEADLINE, "{error}");
    }
}

/// A projector is refused by name and writes nothing.
async fn assert_refused(rig: &Rig) {
    let before = rig.fingerprints().await;
    let mut refused = rig.spawn(&[], &[]);
    assert_eq!(refused.ended().await.code(), Some(1), "{}", refused.words());
    let words = refused.words();
    // The reader may still be leaving its group when the reason is told.
    let refusal = words.lines().find(|line| line.starts_with("qamtu-projector: ")).unwrap_or_default();
    assert!(refusal.contains("this is another log") && refusal.contains("clickhouse.database"), "{words}");
    assert_eq!(rig.fingerprints().await, before);
}

async fn a_log_made_anew_that_grew_past_the_tables_is_refused(rig: Rig) {
    rig.append(entries(&campaign(1, 300))).await;
    let projector = rig.projector().await;
    rig.caught_up().await;
    assert!(projector.stop().await.success());
    delete(&rig).await;
    make_topics(&rig).await;
    // Every partition is longer than before; without a proof 300 records would be skipped.
    rig.append(entries(&campaign(2, 3_000))).await;
    assert_refused(&rig).await;
}

/// The same events again, sent once more into a new log: their ids and bodies are the same, and still nothing says that all of them are.
async fn the_same_events_in_a_new_log_are_another_log(rig: Rig) {
    let events = campaign(1, 300);
    rig.append(entries(&events)).await;
    let projector = rig.projector().await;
    rig.caught_up().await;
    assert!(projector.stop().await.success());
    delete(&rig).await;
    make_topics(&rig).await;
    rig.append(entries(&events)).await;
    rig.append(entries(&campaign(2, 300))).await;
    assert_refused(&rig).await;
}

async fn a_log_that_only_grew_is_the_same(rig: Rig) {
    for round in 0..3 {
        rig.append(entries(&campaign(round, 200))).await;
        let projector = rig.projector().await;
        rig.caught_up().await;
        assert!(projector.stop().await.success());
    }
    rig.assert_everything_once().await;
}

async fn a_log_that_is_deleted_while_it_is_read_ends_the_projector(rig: Rig) {
    rig.append(entries(&campaign(1, 300))).await;
    let mut projector = rig.projector().await;
    rig.caught_up().await;
    delete(&rig).await;
    make_topics(&rig).await;
    assert_eq!(projector.ended().await.code(), Some(1), "{}", projector.words());
    let words = projector.words();
    let said = ["is no longer the log that was opened", "this is another log"];
    assert!(said.iter().any(|said| words.contains(said)), "{words}");
    rig.append(entries(&campaign(2, 3_000))).await;
    assert_refused(&rig).await;
}

on_both_logs!(
    a_log_made_anew_that_grew_past_the_tables_is_refused,
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
fn an_older_copy_of_the_log_that_grew_since_is_refused() {
    run(async {
        let rig = Rig::new(Kind::Embedded).unwrap();
        let LogConfig::Embedded(log) = &rig.log else { panic!("embedded") };
        rig.append(entries(&campaign(1, 200))).await;
        let backup = rig.dir.path().join("backup");
        copy(&log.dir, &backup);
        rig.append(entries(&campaign(2, 200))).await;
        let projector = rig.projector().await;
        rig.caught_up().await;
        assert!(projector.stop().await.success());
        std::fs::remove_dir_all(&log.dir).unwrap();
        copy(&backup, &log.dir);
        rig.append(entries(&campaign(3, 2_000))).await;
        assert_refused(&rig).await;
    });
}

/// A broker that a test may freeze.
fn broker(rig_dir: &Path) -> Option<Broker> {
    let options = BrokerOptions { dir: rig_dir.join("broker"), cache_dir: cache().join("kafka"), port: 0, heap_mb: 512 };
    match Broker::start(options) {
        Ok(broker) => Some(broker),
        Err(error) if std::env::var_os("CI").is_none() => {
            drop(std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("\n!!! KAFKA TESTS SKIPPED: {error}\n")));
            None
        }
        Err(error) => panic!("the Kafka tests need a broker: {error}"),
    }
}

#[test]
fn it_reads_on_after_the_broker_was_away_and_never_calls_an_unknown_lag_zero() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let Some(mut broker) = broker(dir.path()) else { return };
        let rig = Rig::at_broker(broker.address());
        rig.append(entries(&campaign(0, 200))).await;
        let projector = rig.projector().await;
        rig.caught_up().await;
        for (round, seconds) in [(1, 10_u64), (2, 14), (3, 18)] {
            broker.pause().unwrap();
            let frozen = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            if round == 3 {
                // Silent for longer, it makes the lag unknown: not zero, and not what it was.
                while !projector.metric("qamtu_projector_lag_records").await.is_nan() {
                    assert!(frozen.elapsed() < DEADLINE, "a lag is shown that nobody can know");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            broker.resume().unwrap();
            make_topics(&rig).await;
            rig.append(entries(&campaign(round, 200))).await;
            rig.caught_up().await;
        }
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while projector.metric("qamtu_projector_lag_records").await != 0.0 {
            assert!(tokio::time::Instant::now() < deadline, "the lag is not known again");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(projector.stop().await.success());
        rig.assert_everything_once().await;
    });
}
