//! The projector from Kafka to ClickHouse, compared with ClickHouse's own Kafka table engine with the same topic and columns.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use qamtu_devstack::testing::{Program, wait};
use qamtu_tests::stack::{Log, Stack};

use crate::{
    load,
    measurement::{Better, Comparison, Measured, Measurement, peak_rss_mb},
    processors::Processors,
};

/// Number of events in the topic.
const EVENTS: u64 = 400_000;
/// How long either side may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Rows per second, compared with the engine filling only the log copy, and with the engine filling the facts as well.
pub async fn project() -> Result<Vec<Measurement>> {
    let mut stack = Stack::with_warehouse(Log::Kafka, &["--kafka-engine"]).await?;
    load::prepare(&stack).await?;
    stack.projector.take().context("projector")?.stop().await?;
    for _ in 0..4 {
        load::send(&stack, load::lines(EVENTS / 4), EVENTS / 4).await?;
    }
    let (before, begin) = (Processors::now(), Instant::now());
    stack.start_projector().await?;
    wait_until_done(&stack, "the first rows", "SELECT count() > 1000 AS done FROM log").await?;
    let first = begin.elapsed();
    let sql = format!("SELECT count() >= {EVENTS} AS done FROM log");
    wait_until_done(&stack, "the log copy", &sql).await?;
    let rate = EVENTS as f64 / begin.elapsed().as_secs_f64();
    let ours = format!("first rows after {:.1} s, {}", first.as_secs_f64(), Processors::now().since(&before));
    let peak = peak_rss_mb(stack.projector.as_ref().map(Program::pid));
    stack.projector.take().context("projector")?.stop().await?;
    let figure = |id, with, peer: &EngineRun| {
        let measured = Measured { value: rate, unit: "rows/s", better: Better::More };
        let what = "log copy and facts from Kafka to ClickHouse";
        Measurement::new(id, what, measured, Comparison { with, value: peer.rows_per_second }).peak_rss_mb(peak)
    };
    let copy = kafka_engine(&stack, false).await?;
    let facts = kafka_engine(&stack, true).await?;
    Ok(vec![
        figure("project", "ClickHouse's Kafka table engine filling the log copy's columns alone", &copy)
            .note(format!("ours writes the facts as well, theirs does not; {ours}; with theirs {}", copy.progress)),
        figure("project-facts", "ClickHouse's Kafka table engine filling the same columns of both tables", &facts)
            .note(format!("with theirs {}", facts.progress)),
    ])
}

/// Waits until the column `done` of a query is 1.
async fn wait_until_done(stack: &Stack, what: &str, sql: &str) -> Result<()> {
    wait::until(what, TIMEOUT, async || {
        let rows = stack.query(sql).await.map_err(|error| error.to_string())?;
        if rows.first().is_some_and(|row| row["done"] == 1) { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await
}

/// A run of the Kafka table engine.
struct EngineRun {
    rows_per_second: f64,
    /// Time of the first rows and use of the processors, as text.
    progress: String,
}

/// Runs the Kafka table engine into a table with the columns of the log copy and, if `facts` is
/// set, one with those of attendance. It flushes every 2 s, as the projector does behind a backlog; the default is 7.5 s.
async fn kafka_engine(stack: &Stack, facts: bool) -> Result<EngineRun> {
    let brokers = stack.brokers().context("no broker")?;
    for name in ["peer_reads", "peer_facts_view", "peer_view", "peer_records", "peer_source", "peer_facts", "peer"] {
        stack.query(&format!("DROP TABLE IF EXISTS {name} SYNC")).await?;
    }
    let header = |name: &str| format!("_headers.value[indexOf(_headers.name, 'ce_{name}')]");
    let mut statements = vec![
        "CREATE TABLE peer AS log".to_owned(),
        "CREATE TABLE peer_facts AS attendance".to_owned(),
        format!(
            "CREATE TABLE peer_source (body String) ENGINE = Kafka SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = 'events', \
             kafka_group_name = 'peer-{facts}', kafka_format = 'RawBLOB', kafka_num_consumers = 2, kafka_thread_per_consumer = 1, \
             kafka_max_block_size = 65536, kafka_poll_max_batch_size = 65536, kafka_flush_interval_ms = 2000"
        ),
        // Both tables are filled from this one, so that one reader fills both.
        "CREATE TABLE peer_records (topic String, partition UInt32, offset UInt64, appended DateTime64(3), campaign String, event_id UUID, \
         type String, bodyhash FixedString(16), received DateTime64(6), occurred DateTime64(6), body String) ENGINE = Null"
            .to_owned(),
        "CREATE MATERIALIZED VIEW peer_view TO peer AS SELECT topic, partition, offset, appended, 'event' AS status, '' AS reason, event_id, \
         type, campaign, received, bodyhash, body FROM peer_records"
            .to_owned(),
    ];
    if facts {
        statements.push(facts_view());
    }
    for statement in &statements {
        stack.query(statement).await?;
    }
    let reads = format!(
        "CREATE MATERIALIZED VIEW peer_reads TO peer_records AS SELECT _topic AS topic, toUInt32(_partition) AS partition, \
         toUInt64(_offset) AS offset, fromUnixTimestamp64Milli(toUnixTimestamp64Milli(assumeNotNull(_timestamp_ms))) AS appended, \
         {} AS campaign, toUUID({}) AS event_id, {} AS type, unhex({}) AS bodyhash, parseDateTime64BestEffort({}, 6) AS received, \
         parseDateTime64BestEffort({}, 6) AS occurred, body FROM peer_source",
        header("campaign"),
        header("id"),
        header("type"),
        header("bodyhash"),
        header("receivedtime"),
        header("time"),
    );
    let (before, begin) = (Processors::now(), Instant::now());
    stack.query(&reads).await?;
    wait_until_done(stack, "the peer's first rows", "SELECT count() > 1000 AS done FROM peer").await?;
    let first = begin.elapsed();
    let filled = |table| format!("SELECT count() >= {EVENTS} AS done FROM {table}");
    wait_until_done(stack, "the peer's copy", &filled("peer")).await?;
    if facts {
        wait_until_done(stack, "the peer's facts", &filled("peer_facts")).await?;
    }
    let rows_per_second = EVENTS as f64 / begin.elapsed().as_secs_f64();
    let progress = format!("first rows after {:.1} s, {}", first.as_secs_f64(), Processors::now().since(&before));
    Ok(EngineRun { rows_per_second, progress })
}

/// Extracts the columns of attendance from the payload. The load has no residence and no sheet.
fn facts_view() -> String {
    let half = |from: u8| {
        format!(
            "reinterpretAsUInt64(reverse(unhex(translate(substring(JSONExtractString(body, 'attendee', 'id'), {from}, 16), \
             'abcdefghijklmnop', '0123456789abcdef'))))"
        )
    };
    format!(
        "CREATE MATERIALIZED VIEW peer_facts_view TO peer_facts AS SELECT topic, partition, offset, campaign, event_id, type, bodyhash, \
         received, JSONExtractString(body, 'meeting') AS meeting_id, occurred, {} AS person_hi, {} AS person_lo, \
         JSONExtractString(body, 'attendee', 'strength') AS strength, JSONExtractString(body, 'residence', 'precinct') AS residence \
         FROM peer_records WHERE type = 'qamtu.attendance.recorded.v1'",
        half(1),
        half(17)
    )
}
