//! The projector from Kafka to ClickHouse, against ClickHouse's own Kafka table engine with the same topic and columns.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use qamtu_tests::{
    stack::{Log, Stack},
    wait,
};

use crate::{
    figure::{Better, Figure, peak_rss_mb},
    load,
};

/// Events in the topic.
const EVENTS: u64 = 400_000;
/// How long either side may take.
const PATIENCE: Duration = Duration::from_secs(600);

pub async fn project() -> Result<Figure> {
    let mut stack = Stack::start(Log::Kafka).await?;
    load::prepare(&stack).await?;
    stack.projector.take().context("projector")?.stop().await?;
    for _ in 0..4 {
        load::send(&stack, load::lines(EVENTS / 4), EVENTS / 4).await?;
    }
    let begin = Instant::now();
    stack.start_projector().await?;
    let sql = format!("SELECT count() >= {EVENTS} AS done FROM log");
    done(&stack, "the log copy", &sql).await?;
    let rate = EVENTS as f64 / begin.elapsed().as_secs_f64();
    let peak = peak_rss_mb(stack.projector.as_ref().and_then(|projector| projector.pid()));
    stack.projector.take().context("projector")?.stop().await?;
    let other = engine(&stack).await?;
    Ok(Figure::new(
        "project",
        "log copy and facts from Kafka to ClickHouse",
        Better::More,
        (rate, "rows/s"),
        ("ClickHouse's Kafka table engine filling the log copy's columns alone", other),
    )
    .peak_rss_mb(peak)
    .note("ours writes the facts as well, theirs does not"))
}

/// Waits until a query says that it is done.
async fn done(stack: &Stack, what: &str, sql: &str) -> Result<()> {
    wait::until(what, PATIENCE, || async move {
        let rows = stack.query(sql).await.map_err(|error| error.to_string())?;
        if rows.first().is_some_and(|row| row["done"] == 1) { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await
}

/// Rows a second of the Kafka table engine into a table with the columns of the log copy.
async fn engine(stack: &Stack) -> Result<f64> {
    let brokers = stack.brokers().context("no broker")?;
    for statement in [
        "CREATE TABLE peer AS log".to_owned(),
        format!(
            "CREATE TABLE peer_source (body String) ENGINE = Kafka SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = 'events', \
             kafka_group_name = 'peer', kafka_format = 'RawBLOB', kafka_num_consumers = 2, kafka_thread_per_consumer = 1"
        ),
    ] {
        stack.query(&statement).await?;
    }
    let header = |name: &str| format!("_headers.value[indexOf(_headers.name, 'ce_{name}')]");
    let view = format!(
        "CREATE MATERIALIZED VIEW peer_view TO peer AS SELECT _topic AS topic, toUInt32(_partition) AS partition, toUInt64(_offset) AS offset, \
         fromUnixTimestamp64Milli(toUnixTimestamp64Milli(assumeNotNull(_timestamp_ms))) AS appended, 'event' AS status, '' AS reason, \
         toUUID({}) AS event_id, {} AS type, {} AS campaign, parseDateTime64BestEffort({}, 6) AS received, \
         body FROM peer_source",
        header("id"),
        header("type"),
        header("campaign"),
        header("receivedtime"),
    );
    let begin = Instant::now();
    stack.query(&view).await?;
    let sql = format!("SELECT count() >= {EVENTS} AS done FROM peer");
    done(stack, "the peer's copy", &sql).await?;
    Ok(EVENTS as f64 / begin.elapsed().as_secs_f64())
}
