//! The baseline for the ingest benchmark: librdkafka alone copies the records of one topic to another.
//!
//! Same keys, headers and bytes, acks from all replicas, idempotent, the same compression.
//! `produce_raw BROKERS FROM TO` produces as fast as it can and prints records a second.
//! `produce_raw BROKERS FROM TO RATE` produces RATE records a second, one by one, and prints the p99 in milliseconds from when a
//! record was due until it was acknowledged.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use qamtu_log::{Delivery, KafkaConfig, LogConfig, Membership, NextOffset, ReaderOptions, Record, TopicSpec, ensure_topics, open_reader};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, FutureProducer, FutureRecord, Producer},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, from, to, rate @ ..] = args.as_slice() else { bail!("usage: produce_raw BROKERS FROM TO [RATE]") };
    let mut kafka = KafkaConfig::new(brokers.as_str());
    kafka.replicas = 1;
    let config = LogConfig::Kafka(kafka);
    let records = read(&config, from).await?;
    ensure_topics(&config, &[TopicSpec { name: to.clone(), partitions: 8 }]).await?;
    let client = client(brokers);
    let (topic, prepared) = (to.clone(), prepare(&records));
    let figure = match rate.first() {
        Some(rate) => p99_ms(&client, &topic, prepared, rate.parse()?).await?,
        None => tokio::task::spawn_blocking(move || produce(&client, &topic, prepared)).await??,
    };
    writeln!(std::io::stdout(), "{figure}")?;
    Ok(())
}

/// Reads all records of a topic.
async fn read(config: &LogConfig, topic: &str) -> Result<Vec<Record>> {
    let options =
        ReaderOptions { topics: vec![topic.to_owned()], membership: Membership::Standalone, max_records: 10_000, max_bytes: 16 << 20 };
    let mut reader = open_reader(config, options).await?;
    let mut all = Vec::new();
    loop {
        match reader.next().await? {
            Delivery::Assigned(partitions) => {
                let starts: Vec<NextOffset> = partitions.into_iter().map(|(partition, _)| NextOffset { partition, offset: 0 }).collect();
                reader.start_at(&starts).await?;
            }
            Delivery::Records(records) => all.extend(records),
            Delivery::CaughtUp => return Ok(all),
            Delivery::Revoked { .. } => bail!("the partitions were taken away"),
        }
    }
}

/// Headers, key and value of a record to produce.
type Prepared = (OwnedHeaders, Arc<[u8]>, Arc<[u8]>);

/// The producer settings of the log's own Kafka client.
fn client(brokers: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("enable.idempotence", "true").set("acks", "all");
    client.set("partitioner", "murmur2_random").set("compression.type", "lz4").set("linger.ms", "5");
    client.set("queue.buffering.max.messages", "200000");
    client
}

fn prepare(records: &[Record]) -> Vec<Prepared> {
    let prepare = |record: &Record| {
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(&value[..]) }));
        (headers, record.key.as_deref().unwrap_or_default().into(), record.value.as_deref().unwrap_or_default().into())
    };
    records.iter().map(prepare).collect()
}

/// Produces at a steady rate; returns the p99 latency in milliseconds.
async fn p99_ms(client: &ClientConfig, topic: &str, prepared: Vec<Prepared>, rate: u64) -> Result<f64> {
    let producer: FutureProducer = client.create()?;
    let mut pace = interval(Duration::from_micros(1_000_000 / rate.max(1)));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent: JoinSet<Result<Duration>> = JoinSet::new();
    for (headers, key, value) in prepared {
        let due = pace.tick().await.into_std();
        let record = FutureRecord::to(topic).key(&key[..]).payload(&value[..]).headers(headers);
        let delivery = producer.send_result(record).map_err(|(error, _)| error)?;
        sent.spawn(async move {
            delivery.await?.map_err(|(error, _)| error)?;
            Ok(due.elapsed())
        });
    }
    let mut waits = Vec::with_capacity(sent.len());
    while let Some(wait) = sent.join_next().await {
        waits.push(wait??.as_secs_f64() * 1000.0);
    }
    waits.sort_by(f64::total_cmp);
    waits.get(waits.len() * 99 / 100).copied().context("the topic is empty")
}

/// Produces all records and waits until each is acknowledged; returns records per second.
fn produce(client: &ClientConfig, topic: &str, prepared: Vec<Prepared>) -> Result<f64> {
    let producer: BaseProducer = client.create()?;
    let count = prepared.len();
    let begin = Instant::now();
    for (headers, key, value) in prepared {
        let mut message = BaseRecord::to(topic).key(&key[..]).payload(&value[..]).headers(headers);
        while let Err((error, back)) = producer.send(message) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    producer.poll(Duration::from_millis(1));
                    message = back;
                }
                error => return Err(error.into()),
            }
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(60))?;
    Ok(count as f64 / begin.elapsed().as_secs_f64())
}
