//! Ingest: a stream of events compared with librdkafka alone, and single events at a steady rate.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{Program, binary};
use qamtu_tests::stack::{Log, Stack};
use tokio::{sync::Semaphore, task::JoinSet, time::interval};

use crate::{
    load,
    measurement::{Better, Comparison, Measured, Measurement, peak_rss_mb},
    processors::Processors,
};

/// Number of events in the measured stream.
const EVENTS: u64 = 500_000;
/// Maximum number of concurrent requests; further ones wait, and the measured latency includes that.
const MAX_OPEN_REQUESTS: usize = 400;
/// Single events a second, and for how long.
const RATE: u64 = 2_000;
const SECONDS: u64 = 15;
/// Seconds of warm-up before, not measured.
const WARM_UP: u64 = 15;
/// Allowed latency as a multiple of librdkafka's round trip; it includes HTTP, validation and deduplication.
const MAX_ROUND_TRIPS: f64 = 5.0;
/// Number of events in the warm-up stream, not measured.
const WARM_UP_EVENTS: u64 = 200_000;

/// Validated events per second through one stream, and librdkafka alone with the same keys, headers and bytes on the same broker.
pub async fn batch() -> Result<Measurement> {
    let mut stack = Stack::start(Log::Kafka).await?;
    load::prepare(&stack).await?;
    // No consumer reads librdkafka's topic, so none but ingest's own register may read this one.
    stack.projector.take().context("projector")?.stop().await?;
    // Without a warm-up, the second measurement would have a warmer broker.
    load::send(&stack, load::lines(WARM_UP_EVENTS), WARM_UP_EVENTS).await?;
    let lines = load::lines(EVENTS);
    let begin = Instant::now();
    load::send(&stack, lines, EVENTS).await?;
    let rate = EVENTS as f64 / begin.elapsed().as_secs_f64();
    let brokers = stack.brokers().context("no broker")?;
    let peer = binary("examples/produce_raw")?;
    let done = tokio::process::Command::new(peer).args([&brokers, "events", "events-raw"]).output().await?;
    ensure!(done.status.success(), "produce_raw failed: {}", String::from_utf8_lossy(&done.stderr));
    let raw: f64 = String::from_utf8(done.stdout)?.trim().parse()?;
    let peak = peak_rss_mb(stack.ingest.as_ref().map(Program::pid));
    let measured = Measured { value: rate, unit: "events/s", better: Better::More };
    let against = Comparison { with: "librdkafka alone, same bytes, same broker", value: raw };
    Ok(Measurement::new("ingest-batch", "validated events through one NDJSON stream, acks=all", measured, against).peak_rss_mb(peak))
}

/// Single events at a steady rate: latency of the response, and time until the event is visible in the warehouse.
pub async fn single_and_visible() -> Result<Vec<Measurement>> {
    let stack = Stack::start(Log::Kafka).await?;
    load::prepare(&stack).await?;
    // In its first seconds a broker is slowed by JIT compilation.
    send_at_rate(&stack, 0..RATE * WARM_UP).await?;
    let polling = tokio::spawn(poll_visible(stack.warehouse_client(), RATE * (WARM_UP + SECONDS)));
    let before = Processors::now();
    let responses = send_at_rate(&stack, RATE * WARM_UP..RATE * (WARM_UP + SECONDS)).await?;
    let processors = Processors::now().since(&before);
    let mut waits: Vec<f64> = responses.iter().map(|response| response.latency.as_secs_f64() * 1000.0).collect();
    let counts = polling.await??;
    let again: u64 = responses.iter().map(|response| response.overloaded).sum();
    let mut accepted: Vec<Instant> = responses.into_iter().map(|response| response.accepted).collect();
    accepted.sort();
    // The n-th accepted event is visible when n events are: an upper bound for any order.
    let mut visible: Vec<f64> = accepted
        .iter()
        .zip(RATE * WARM_UP + 1..)
        .filter_map(|(at, n)| {
            counts.iter().find(|count| count.events >= n).map(|count| count.at.saturating_duration_since(*at).as_secs_f64())
        })
        .collect();
    ensure!(visible.len() == accepted.len(), "{} of {} events became visible", visible.len(), accepted.len());
    let processors_before = Processors::now();
    let round_trip = round_trip(&stack).await?;
    let processors_of_peer = Processors::now().since(&processors_before);
    let latency = Measured { value: p99(&mut waits), unit: "ms", better: Better::Less };
    let against = Comparison {
        with: "5 times the p99 of a librdkafka round trip at the same rate, same records, same broker",
        value: MAX_ROUND_TRIPS * round_trip,
    };
    let delay = Measured { value: p99(&mut visible), unit: "s", better: Better::Less };
    Ok(vec![
        Measurement::new("ingest-single", "single events at 2,000/s, p99", latency, against)
            .note(format!("p50 {:.1} ms; {again} times 503; {processors}; with librdkafka alone {processors_of_peer}", median(&mut waits))),
        Measurement::new("visible", "accepted to visible at 2,000 events/s, p99", delay, Comparison { with: "limit", value: 5.0 }),
    ])
}

/// The p99 latency of a record with librdkafka alone, at the same rate and with the same settings, in ms.
/// Projector and warehouse are running but idle, since nothing reads the topic.
async fn round_trip(stack: &Stack) -> Result<f64> {
    let brokers = stack.brokers().context("no broker")?;
    let peer = binary("examples/produce_raw")?;
    let done = tokio::process::Command::new(peer).args([&brokers, "events", "events-raw", &RATE.to_string()]).output().await?;
    ensure!(done.status.success(), "produce_raw failed: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?.trim().parse()?)
}

/// The responses to one event.
struct Response {
    /// Number of 503 responses before it was accepted.
    overloaded: u64,
    /// Time from when it was due to be sent until it was accepted.
    latency: Duration,
    accepted: Instant,
}

/// Sends single events, [`RATE`] per second.
async fn send_at_rate(stack: &Stack, numbers: Range<u64>) -> Result<Vec<Response>> {
    let ingest = stack.ingest.as_ref().context("ingest")?.ready_field("listening")?;
    let client = reqwest::Client::new();
    let open = Arc::new(Semaphore::new(MAX_OPEN_REQUESTS));
    let mut sent: JoinSet<Result<Response>> = JoinSet::new();
    let mut ticks = interval(Duration::from_micros(1_000_000 / RATE));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    for number in numbers {
        let due = ticks.tick().await.into_std();
        let (open, client, address, body) =
            (open.clone(), client.clone(), format!("{ingest}/v1/events"), load::attendance(number).to_string());
        sent.spawn(async move {
            let _permit = open.acquire_owned().await?;
            // A client repeats the same event after a 503 until it is accepted.
            let mut overloaded = 0;
            loop {
                let request = client.post(&address).header("content-type", "application/cloudevents+json").body(body.clone());
                let status = request.send().await?.status();
                // Since it was due, so that a stall counts for all delayed events.
                if status.is_success() {
                    return Ok(Response { overloaded, latency: due.elapsed(), accepted: Instant::now() });
                }
                ensure!(status == 503, "ingest answered {status}");
                overloaded += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let mut responses = Vec::new();
    while let Some(response) = sent.join_next().await {
        responses.push(response??);
    }
    Ok(responses)
}

/// How many events are visible at an instant.
struct VisibleCount {
    at: Instant,
    events: u64,
}

/// Polls the number of visible attendances until all are visible.
async fn poll_visible(stack: qamtu_tests::stack::WarehouseClient, all: u64) -> Result<Vec<VisibleCount>> {
    let mut seen = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let rows = stack.query("SELECT count() AS n FROM v_attendance").await?;
        let events = rows[0]["n"].as_u64().unwrap_or(0);
        seen.push(VisibleCount { at: Instant::now(), events });
        if events >= all || Instant::now() > deadline {
            return Ok(seen);
        }
        // Polling without a pause would compete for the processors; the pause is part of the measured time.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn p99(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}
