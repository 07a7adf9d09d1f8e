//! Streams without new events keep their permits while nobody waits; a file that is sent again is processed completely.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    harness::{Ingest, LINES, Response, TestEnv, execute, lines},
    sample::{campaign_at, headcount},
};

const DEADLINE: Duration = Duration::from_secs(60);

/// Only the limit for streams without new events can end a stream.
const SETTINGS: &[(&str, &str)] =
    &[("QAMTU__LIMITS__IDLE_MS", "3600000"), ("QAMTU__LIMITS__STREAM_REPEATS_MS", "200"), ("QAMTU__LIMITS__WAIT_MS", "200")];

const DUPLICATES: &str = "qamtu_ingest_events_duplicate_total";

/// A client with its own loopback address.
fn client(number: u8) -> Result<reqwest::Client> {
    let address = std::net::Ipv4Addr::new(127, 0, 0, number);
    Ok(reqwest::Client::builder().local_address(std::net::IpAddr::from(address)).build()?)
}

async fn stream(client: &reqwest::Client, ingest: &Ingest, body: impl Into<reqwest::Body>) -> Result<Response> {
    execute(client.post(format!("{}/v1/events", ingest.url)).header("content-type", LINES).body(body)).await
}

/// Sends the same line repeatedly until there is a response.
fn repeat(number: u8, ingest: &Ingest, line: String) -> Result<tokio::task::JoinHandle<Result<Response>>> {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        while sender.send(line.clone().into()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let next = |mut lines: mpsc::Receiver<Bytes>| async { lines.recv().await.map(|line| (Ok::<_, std::io::Error>(line), lines)) };
    let body = reqwest::Body::wrap_stream(futures::stream::unfold(receiver, next));
    let request = client(number)?.post(format!("{}/v1/events", ingest.url)).header("content-type", LINES).body(body);
    Ok(tokio::spawn(execute(request)))
}

/// Sum of the outcomes of all attempts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    accepted: u64,
    duplicates: u64,
}

/// Sends events as an honest client does: after a 503 it continues from the line in the response.
async fn send_until_accepted(client: &reqwest::Client, ingest: &Ingest, events: &[Value]) -> Result<Sent> {
    let (begun, mut from, mut sent) = (Instant::now(), 0, Sent::default());
    loop {
        let response = stream(client, ingest, lines(&events[from..])).await?;
        ensure!(begun.elapsed() < DEADLINE && matches!(response.status, 200 | 503), "{response:?}");
        let counts = if response.status == 200 { &response.body } else { &response.body["before"] };
        sent.accepted += counts["accepted"].as_u64().unwrap_or(0);
        sent.duplicates += counts["duplicates"].as_u64().unwrap_or(0);
        if response.status == 200 {
            return Ok(sent);
        }
        from += response.body["line"].as_u64().map_or(0, |line| usize::try_from(line - 1).unwrap());
    }
}

/// Sends lines and then stalls, repeatedly, until a stream got a permit and had it revoked.
async fn stall_until_revoked(client: &reqwest::Client, ingest: &Ingest, lines: String) -> Result<Response> {
    let begun = Instant::now();
    loop {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(lines.clone()))]);
        let body = reqwest::Body::wrap_stream(first.chain(futures::stream::pending()));
        let response = tokio::time::timeout(DEADLINE, stream(client, ingest, body)).await.context("it kept its permit")??;
        ensure!(begun.elapsed() < DEADLINE && response.status == 503, "{response:?}");
        if response.body["before"].is_object() {
            return Ok(response);
        }
    }
}

#[tokio::test]
async fn streams_of_repeated_or_refused_events_keep_nobody_out() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[SETTINGS, &[("QAMTU__LIMITS__STREAMS", "2")]].concat()).await?;
    let known = headcount("m-open", 5);
    ensure!(ingest.post_one(&known).await?.counts() == (1, 0));
    // Two client addresses, so that neither has more than its fair share.
    let attackers = [repeat(2, &ingest, format!("{known}\n"))?, repeat(3, &ingest, "{}\n".to_owned())?];
    ingest.wait_metric("qamtu_ingest_requests_running", 2).await?;
    // Their events are stored while the streams run, although no chunk is full.
    ingest.wait_metric(DUPLICATES, 1).await?;
    let events: Vec<Value> = (0..100).map(|people| headcount("m-open", people)).collect();
    ensure!(send_until_accepted(&client(4)?, &ingest, &events).await? == Sent { accepted: 100, ..Sent::default() });
    ensure!(send_until_accepted(&client(5)?, &ingest, &[headcount("m-open", 7)]).await? == Sent { accepted: 1, ..Sent::default() });
    ensure!(attackers.iter().any(|attacker| attacker.is_finished()));
    for attacker in attackers.into_iter().filter(|attacker| attacker.is_finished()) {
        let response = attacker.await??;
        ensure!(response.problem() == (503, "overloaded", "-") && response.body["before"]["accepted"] == 0, "{response:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_file_that_is_sent_again_gets_through_also_while_others_wait() -> Result<()> {
    let env = TestEnv::new()?;
    let settings = [
        ("QAMTU__LIMITS__STREAMS", "1"),
        ("QAMTU__LIMITS__CHUNK_EVENTS", "50"),
        ("QAMTU__LIMITS__STREAM_REPEATS_MS", "20"),
        ("QAMTU__LIMITS__WAIT_MS", "20"),
    ];
    let ingest = campaign_at(&env, &[SETTINGS, &settings].concat()).await?;
    let file: Vec<Value> = (0..6000).map(|people| headcount("m-open", people)).collect();
    let known = &file[..5000];
    ensure!(send_until_accepted(&client(2)?, &ingest, known).await? == Sent { accepted: 5000, ..Sent::default() });
    // Nobody waits, so the repeated stream is not limited.
    ensure!(send_until_accepted(&client(2)?, &ingest, known).await? == Sent { duplicates: 5000, ..Sent::default() });
    // Two attackers request the only permit forever.
    let known_line = format!("{}\n", file[0]);
    let url = format!("{}/v1/events", ingest.url);
    let attackers: Vec<_> = [3, 4]
        .into_iter()
        .map(|number| {
            let (client, url, body) = (client(number), url.clone(), known_line.repeat(20_000));
            tokio::spawn(async move {
                let client = client.unwrap();
                loop {
                    drop(execute(client.post(&url).header("content-type", LINES).body(body.clone())).await);
                }
            })
        })
        .collect();
    ingest.wait_metric(DUPLICATES, 5001).await?;
    let revoked = stall_until_revoked(&client(2)?, &ingest, lines(known)).await?;
    let before = revoked.body["before"]["duplicates"].as_u64().context("duplicates")?;
    ensure!(before > 0 && revoked.body["before"]["accepted"] == 0, "{revoked:?}");
    let rest = usize::try_from(revoked.body["line"].as_u64().context("the line to go on from")?)? - 1;
    let sent = send_until_accepted(&client(2)?, &ingest, &file[rest..]).await.context("the file was not processed completely")?;
    ensure!((sent.accepted, before + sent.duplicates) == (1000, 5000), "{revoked:?} {sent:?}");
    attackers.iter().for_each(tokio::task::JoinHandle::abort);
    ingest.stop().await
}
