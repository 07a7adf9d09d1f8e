//! The peer that ingest is measured against: librdkafka alone, producing what already stands in a topic to another topic.
//!
//! Same keys, headers and bytes, acks from all replicas, idempotent, the same compression. Prints records a second.
//! Usage: `produce_raw BROKERS FROM TO`.

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
    producer::{BaseProducer, BaseRecord, Producer},
};

#[tokio::main]
async fn main() -> Result<()> {
    let [_, brokers, from, to] = std::env::args().collect::<Vec<_>>().try_into().ok().context("usage: produce_raw BROKERS FROM TO")?;
    let mut kafka = KafkaConfig::new(&brokers);
    kafka.replicas = 1;
    let config = LogConfig::Kafka(kafka);
    let records = read(&config, &from).await?;
    ensure_topics(&config, &[TopicSpec { name: to.clone(), partitions: 8 }]).await?;
    let rate = tokio::task::spawn_blocking(move || produce(&brokers, &to, &records)).await??;
    writeln!(std::io::stdout(), "{rate}")?;
    Ok(())
}

/// Every record of a topic.
async fn read(config: &LogConfig, topic: &str) -> Result<Vec<Record>> {
    let options = ReaderOptions { topics: vec![topic.to_owned()], membership: Membership::Whole, max_records: 10_000, max_bytes: 16 << 20 };
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

/// Headers, key and value.
type Prepared = (OwnedHeaders, Arc<[u8]>, Arc<[u8]>);

/// Produces all of them and waits until each is acknowledged.
fn produce(brokers: &str, topic: &str, records: &[Record]) -> Result<f64> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "200000")
        .create()?;
    let prepared: Vec<Prepared> = records
        .iter()
        .map(|record| {
            let headers =
                record.headers.iter().fold(OwnedHeaders::new(), |held, (key, value)| held.insert(Header { key, value: Some(&value[..]) }));
            (headers, record.key.as_deref().unwrap_or_default().into(), record.value.as_deref().unwrap_or_default().into())
        })
        .collect();
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
    Ok(records.len() as f64 / begin.elapsed().as_secs_f64())
}
