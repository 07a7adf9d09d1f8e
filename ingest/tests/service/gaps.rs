//! Offsets without a record, and removed records: the service starts, follows the log and reports what is lost.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use qamtu_devstack::testing::{shared_broker, wait};
use qamtu_log::{
    Entry, KafkaConfig, Partition,
    testing::{TransactionalProducer, delete_records},
};
use serde_json::json;

use super::{
    harness::{DEADLINE, Ingest, TestEnv},
    sample::{campaign_at, headcount, planned, reference},
};

/// Topics with their own prefix, and the settings for them.
fn log(name: &str) -> Option<(KafkaConfig, [(&'static str, String); 4])> {
    let config = KafkaConfig { topic_prefix: format!("{name}-"), replicas: 1, ..KafkaConfig::new(shared_broker()?) };
    let settings = [
        ("QAMTU__LOG__KIND", "kafka".to_owned()),
        ("QAMTU__LOG__BROKERS", config.brokers.clone()),
        ("QAMTU__LOG__TOPIC_PREFIX", config.topic_prefix.clone()),
        ("QAMTU__LOG__REPLICAS", "1".to_owned()),
    ];
    Some((config, settings))
}

fn pairs<'a>(settings: &'a [(&'static str, String); 4]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Records of another producer that are no events.
fn foreign_records(count: usize) -> Vec<Entry> {
    let one = Entry { topic: "events".into(), key: Bytes::from_static(b"k"), headers: Vec::new(), value: Bytes::from_static(b"{}") };
    vec![one; count]
}

/// Writes a committed and an aborted transaction to each partition of `events`, so that each ends with markers.
fn transactions(foreign: &TransactionalProducer) -> Result<()> {
    for partition in 0..8 {
        foreign.begin(partition, &foreign_records(3))?;
        foreign.commit()?;
        foreign.begin(partition, &foreign_records(2))?;
        foreign.abort()?;
    }
    Ok(())
}

async fn check_known(ingest: &Ingest, meeting: &str) -> Result<()> {
    let response = ingest.post_one(&headcount(meeting, 5)).await?;
    ensure!(response.body["warnings"] == json!([]), "{meeting}: {response:?}");
    Ok(())
}

/// Waits until at least `records` records are in the register's file.
async fn wait_written(ingest: &Ingest, records: usize) -> Result<()> {
    wait::until("the records to be written", DEADLINE, async || {
        let metrics = ingest.metrics().await.map_err(|error| error.to_string())?;
        let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
        let is_written = value("qamtu_ingest_records_read_total ") >= Some(records) && value("qamtu_ingest_events_unwritten ") == Some(0);
        if is_written { Ok(()) } else { Err(metrics) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_another_producer_keep_nobody_from_getting_ready() -> Result<()> {
    let Some((config, settings)) = log("transactions") else { return Ok(()) };
    let (env, settings) = (TestEnv::new()?, pairs(&settings));
    let ingest = campaign_at(&env, &settings).await?;
    let foreign = TransactionalProducer::new(&config)?;
    transactions(&foreign)?;
    // The running service reads on behind the markers: a new meeting becomes known.
    ingest.send_lines(&[planned("behind", "YOUTH")]).await?;
    check_known(&ingest, "behind").await?;
    ingest.stop().await?;
    transactions(&foreign)?;
    // Start from the position of the register, and from the beginning of the log.
    for register in ["kept", "deleted"] {
        if register == "deleted" {
            std::fs::remove_file(env.path("register.sqlite"))?;
        }
        let ingest = env.start(&settings).await?;
        check_known(&ingest, "behind").await?;
        ingest.stop().await?;
    }
    ensure!(!env.stderr().contains("built again"), "{}", env.stderr());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_the_log_removed_are_named_and_the_register_keeps_what_it_knows() -> Result<()> {
    let Some((config, settings)) = log("removed") else { return Ok(()) };
    let (env, settings) = (TestEnv::new()?, pairs(&settings));
    let ingest = campaign_at(&env, &settings).await?;
    ingest.send_lines(&[planned("before", "YOUTH")]).await?;
    wait_written(&ingest, reference(false).len() + 1).await?;
    ingest.stop().await?;
    let foreign = TransactionalProducer::new(&config)?;
    transactions(&foreign)?;
    // In every partition, delete the records that the register has read, and one that it has not.
    let partition = |number| Partition::new("events", number);
    let ends: Vec<u64> = {
        let options = qamtu_log::ReaderOptions {
            topics: vec!["events".to_owned()],
            membership: qamtu_log::Membership::Standalone,
            max_records: 1,
            max_bytes: 1,
        };
        let reader = qamtu_log::open_reader(&qamtu_log::LogConfig::Kafka(config.clone()), options).await?;
        reader.bounds("events").await?.into_iter().map(|bounds| bounds.end).collect()
    };
    // 7: three records and a marker, two records and a marker.
    let known = |number: u32| ends[number as usize] - 7;
    for number in 0..8 {
        delete_records(&config, &partition(number).next_offset(known(number) + 1)).await?;
    }
    let ingest = env.start(&settings).await?;
    check_known(&ingest, "before").await.with_context(|| env.stderr())?;
    let stderr = env.stderr();
    ensure!(stderr.contains("the log removed records before the register read them"), "{stderr}");
    ensure!(!stderr.contains("built again"), "{stderr}");
    let metrics = ingest.metrics().await?;
    ensure!(metrics.contains("qamtu_ingest_records_lost_total 8\n"), "{metrics}");
    ingest.stop().await
}
