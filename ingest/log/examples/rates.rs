//! Throughput of the logs on this machine: appends of a million records of 200 bytes in calls of 1,000,
//! sequential single appends, and reading all records.
//!
//! `rates` measures the embedded log in a new folder, `rates kafka` a local broker as well.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use qamtu_log::{Delivery, Entry, LogConfig, Membership, ReaderOptions, TopicSpec, ensure_topics, open_reader, open_writer};

const RECORDS: u64 = 1_000_000;
const CALL: u64 = 1_000;
const SINGLES: u32 = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    measure("embedded", &LogConfig::embedded(dir.path().join("log"))).await?;
    if std::env::args().any(|argument| argument == "kafka") {
        kafka(dir.path()).await?;
    }
    Ok(())
}

async fn kafka(dir: &std::path::Path) -> Result<(), Box<dyn Error>> {
    use qamtu_devstack::broker::{Broker, BrokerOptions};
    let broker = Broker::start(BrokerOptions::new(dir.join("broker"))?)?;
    let config = qamtu_log::KafkaConfig { replicas: 1, ..qamtu_log::KafkaConfig::new(broker.address()) };
    measure("kafka", &LogConfig::Kafka(config)).await
}

async fn measure(name: &str, config: &LogConfig) -> Result<(), Box<dyn Error>> {
    ensure_topics(config, &[TopicSpec { name: "events".into(), partitions: 12 }]).await?;
    let writer = open_writer(config).await?;
    let started = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for call in 0..RECORDS / CALL {
        let writer = writer.clone();
        waiting.spawn(async move { writer.append((call * CALL..(call + 1) * CALL).map(entry).collect()).await });
        // Eight concurrent calls, as from eight clients.
        if waiting.len() >= 8 {
            check(waiting.join_next().await)?;
        }
    }
    while !waiting.is_empty() {
        check(waiting.join_next().await)?;
    }
    report(name, "append, calls of 1,000", RECORDS, started.elapsed())?;

    let started = Instant::now();
    let mut waits = Vec::new();
    for number in 0..u64::from(SINGLES) {
        let one = Instant::now();
        check(Some(Ok(writer.append(vec![entry(number)]).await)))?;
        waits.push(one.elapsed());
    }
    report(name, "append, one by one", SINGLES.into(), started.elapsed())?;
    waits.sort_unstable();
    writeln!(std::io::stdout(), "{name:10} one append: p50 {:?}, p99 {:?}", waits[waits.len() / 2], waits[waits.len() * 99 / 100])?;
    read(name, config).await
}

async fn read(name: &str, config: &LogConfig) -> Result<(), Box<dyn Error>> {
    let options =
        ReaderOptions { topics: vec!["events".into()], membership: Membership::Standalone, max_records: 10_000, max_bytes: 8 << 20 };
    let mut reader = open_reader(config, options).await?;
    let started = Instant::now();
    let mut count = 0;
    loop {
        match reader.next().await? {
            Delivery::Assigned(partitions) => {
                let at: Vec<_> = partitions.iter().map(|(partition, _)| partition.next_offset(0)).collect();
                reader.start_at(&at).await?;
            }
            Delivery::Records(records) => count += records.len() as u64,
            Delivery::CaughtUp | Delivery::Revoked { .. } => break,
        }
    }
    Ok(report(name, "read", count, started.elapsed())?)
}

type Joined = Option<Result<Vec<Result<qamtu_log::Position, qamtu_log::LogError>>, tokio::task::JoinError>>;

fn check(joined: Joined) -> Result<(), Box<dyn Error>> {
    for outcome in joined.transpose()?.into_iter().flatten() {
        outcome?;
    }
    Ok(())
}

/// 200 bytes: a key, four headers and a value that compresses about as well as JSON does.
fn entry(number: u64) -> Entry {
    let header = |name: &'static str, value: String| (name.into(), Bytes::from(value));
    let headers = vec![
        header("ce_id", format!("{number:032x}")),
        header("ce_type", "attendance.recorded".into()),
        header("ce_time", format!("2026-03-{:02}T10:00:00Z", number % 28 + 1)),
        header("ce_specversion", "1.0".into()),
    ];
    let value = format!(
        "{{\"meeting\":\"m-{}\",\"person\":\"{:016x}\",\"category\":\"youth\"}}",
        number % 1_959,
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    );
    Entry { topic: "events".into(), key: Bytes::from(format!("meeting-{}", number % 1_959)), headers, value: Bytes::from(value) }
}

fn report(name: &str, what: &str, count: u64, took: Duration) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{name:10} {what:24} {count:>9} in {took:>10.2?} = {:>9.0}/s", count as f64 / took.as_secs_f64())
}
