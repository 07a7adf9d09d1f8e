//! A long stream that is aborted reports what it stored: every line that it counts as accepted is in the log, and sending the rest completes
//! it without losses or duplicates. Tested on both logs, with SIGTERM and with a failing broker.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use qamtu_devstack::testing::{start_broker, wait};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{
    harness::{DEADLINE, Ingest, LINES, Response, TestEnv, execute, lines},
    sample::{campaign_at, headcount, planned},
};

const SETTINGS: &[(&str, &str)] =
    &[("QAMTU__LIMITS__CHUNK_EVENTS", "50"), ("QAMTU__LIMITS__APPEND_MS", "3000"), ("QAMTU__STOP__DRAIN_MS", "1000")];

/// The lines of one stream: every tenth event is refused, and every seventh line is blank.
struct SentStream {
    events: Vec<Value>,
    /// Index of the event in each line; `None` for a blank line.
    lines: Vec<Option<usize>>,
}

impl SentStream {
    fn new(count: usize) -> Self {
        let event = |n: usize| if n % 10 == 9 { planned("m-2", "NOBODY") } else { headcount("m-open", u32::try_from(n % 500).unwrap()) };
        let events: Vec<Value> = (0..count).map(event).collect();
        let mut lines = Vec::new();
        for number in 0..count {
            if number % 7 == 6 {
                lines.push(None);
            }
            lines.push(Some(number));
        }
        Self { events, lines }
    }

    fn id(&self, event: usize) -> &str {
        self.events[event]["id"].as_str().unwrap_or_default()
    }

    fn is_good(event: usize) -> bool {
        event % 10 != 9
    }

    /// Sends all lines as one stream, slower than they are processed; `sent` counts them.
    fn send(&self, ingest: &Ingest, sent: Arc<AtomicUsize>) -> JoinHandle<Result<Response>> {
        let text: Vec<String> =
            self.lines.iter().map(|line| line.map_or_else(|| "\n".to_owned(), |event| format!("{}\n", self.events[event]))).collect();
        let pieces = futures::stream::unfold((text.into_iter(), sent), |(mut text, sent)| async move {
            let line = text.next()?;
            if sent.fetch_add(1, Ordering::Relaxed) % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Some((Ok::<_, std::io::Error>(Bytes::from(line)), (text, sent)))
        });
        let request = ingest.request("/v1/events", LINES).body(reqwest::Body::wrap_stream(pieces));
        tokio::spawn(execute(request))
    }

    /// Checks the response to an aborted stream: it counts exactly the lines before the one that it names, and every accepted event is in the
    /// log once.
    fn check(&self, response: &Response, code: &str, ids: &HashMap<String, usize>) -> Result<()> {
        ensure!(response.status == 503 && response.body["code"] == code, "{response:?}");
        let line = usize::try_from(response.body["line"].as_u64().context("no line")?)?;
        ensure!(line > 1 && line <= self.lines.len(), "the stream was not aborted in the middle: {response:?}");
        let before: Vec<usize> = self.lines[..line - 1].iter().filter_map(|event| *event).collect();
        let (good, bad): (Vec<usize>, Vec<usize>) = before.into_iter().partition(|event| Self::is_good(*event));
        let counts = &response.body["before"];
        ensure!(counts["accepted"] == good.len() && counts["refused"] == bad.len() && counts["duplicates"] == 0, "{response:?}");
        let listed = counts["refused_lines"].as_array().context("no list of refused lines")?.iter().flat_map(|range| {
            let end = |name: &str| range[name].as_u64().unwrap_or_default();
            end("first")..=end("last")
        });
        let is_bad = |line: &u64| matches!(self.lines[usize::try_from(*line).unwrap() - 1], Some(event) if !Self::is_good(event));
        let refused: Vec<u64> = (1..line as u64).filter(is_bad).collect();
        ensure!(listed.collect::<Vec<_>>() == refused, "{response:?}");
        for event in good {
            ensure!(ids.get(self.id(event)) == Some(&1), "acknowledged and not once in the log: {}", self.events[event]);
        }
        ensure!(!bad.iter().any(|event| ids.contains_key(self.id(*event))), "refused, and in the log all the same");
        Ok(())
    }

    /// Sends the lines from the one that the response names; checks that nothing is missing then.
    async fn complete(&self, ingest: &Ingest, response: &Response, env: &TestEnv) -> Result<()> {
        let line = usize::try_from(response.body["line"].as_u64().context("no line")?)?;
        let rest: Vec<Value> = self.lines[line - 1..].iter().filter_map(|event| event.map(|event| self.events[event].clone())).collect();
        let again = ingest.post(LINES, lines(&rest)).await?;
        ensure!(again.status == 207, "{again:?}");
        let ids = ids(env).await?;
        for event in 0..self.events.len() {
            ensure!(ids.contains_key(self.id(event)) == Self::is_good(event), "{}", self.events[event]);
        }
        Ok(())
    }
}

async fn ids(env: &TestEnv) -> Result<HashMap<String, usize>> {
    Ok(env.ids().await?.into_iter().collect())
}

/// Waits until a part of the stream is acknowledged, while the rest is still being sent.
async fn wait_until_running(ingest: &Ingest) -> Result<()> {
    ingest.wait_metric("qamtu_ingest_events_accepted_total{type=\"headcount.reported\"}", 500).await
}

async fn stop_in_the_middle(env: &TestEnv) -> Result<()> {
    let mut ingest = campaign_at(env, SETTINGS).await?;
    let sent_stream = SentStream::new(200_000);
    let streaming = sent_stream.send(&ingest, Arc::default());
    wait_until_running(&ingest).await?;
    ingest.terminate()?;
    let response = streaming.await??;
    ensure!(ingest.wait_exit().await?.success(), "{}", env.stderr());
    sent_stream.check(&response, "stopping", &ids(env).await?)?;
    let ingest = env.start(SETTINGS).await?;
    sent_stream.complete(&ingest, &response, env).await?;
    ingest.stop().await
}

#[tokio::test]
async fn a_stream_cut_by_a_stop_tells_what_it_stored() -> Result<()> {
    stop_in_the_middle(&TestEnv::new()?).await
}

#[tokio::test]
async fn a_stream_cut_by_a_stop_tells_what_it_stored_on_kafka() -> Result<()> {
    let Some(broker) = tokio::task::spawn_blocking(|| start_broker("stop", 0)).await? else { return Ok(()) };
    stop_in_the_middle(&TestEnv::on_kafka(broker.address())?).await
}

#[tokio::test]
async fn a_stream_cut_by_a_log_that_cannot_be_written_tells_what_it_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, SETTINGS).await?;
    let sent_stream = SentStream::new(50_000);
    let sent = Arc::new(AtomicUsize::new(0));
    let streaming = sent_stream.send(&ingest, sent.clone());
    wait_until_running(&ingest).await?;
    let log = rusqlite::Connection::open(env.path("log").join("records.sqlite"))?;
    log.busy_timeout(DEADLINE)?;
    log.execute_batch("BEGIN IMMEDIATE")?;
    let response = streaming.await??;
    log.execute_batch("ROLLBACK")?;
    sent_stream.check(&response, "log-unavailable", &ids(&env).await?)?;
    sent_stream.complete(&ingest, &response, &env).await?;
    ingest.stop().await
}

#[tokio::test]
async fn a_stream_cut_by_a_killed_broker_tells_what_it_stored() -> Result<()> {
    let Some(first) = tokio::task::spawn_blocking(|| start_broker("killed", 0)).await? else { return Ok(()) };
    let port = first.address().rsplit(':').next().context("no port")?.parse()?;
    let env = TestEnv::on_kafka(first.address())?;
    let ingest = campaign_at(&env, SETTINGS).await?;
    let sent_stream = SentStream::new(200_000);
    let streaming = sent_stream.send(&ingest, Arc::default());
    wait_until_running(&ingest).await?;
    // Dropping the broker kills it with SIGKILL.
    tokio::task::spawn_blocking(move || drop(first)).await?;
    let response = streaming.await??;
    let second = tokio::task::spawn_blocking(move || start_broker("killed", port)).await?.context("it started before")?;
    sent_stream.check(&response, "log-unavailable", &ids(&env).await?)?;
    wait::until("the rest to be sent", DEADLINE, async || sent_stream.complete(&ingest, &response, &env).await).await?;
    ingest.stop().await?;
    drop(second);
    Ok(())
}
