//! Streams that bring nothing new: they keep their permits as long as nobody waits, and a file that is sent again gets through.

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

/// Nobody's time is up but that of repeats.
const SETTINGS: &[(&str, &str)] =
    &[("QAMTU__LIMITS__IDLE_MS", "3600000"), ("QAMTU__LIMITS__STREAM_REPEATS_MS", "200"), ("QAMTU__LIMITS__WAIT_MS", "200")];

const JUDGED: &str = "qamtu_ingest_events_duplicate_total";

/// A client at an address of its own.
fn client(number: u8) -> Result<reqwest::Client> {
    let address = std::net::Ipv4Addr::new(127, 0, 0, number);
    Ok(reqwest::Client::builder().local_address(std::net::IpAddr::from(address)).build()?)
}

async fn stream(client: &reqwest::Client, ingest: &Ingest, body: impl Into<reqwest::Body>) -> Result<Response> {
    execute(client.post(format!("{}/v1/events", ingest.url)).header("content-type", LINES).body(body)).await
}

/// Sends the same line again and again until it is answered.
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

/// What became of events that were sent until all had an outcome.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    accepted: u64,
    duplicates: u64,
}

/// Sends events as an honest client does: what is refused for now is sent again from where the answer says.
async fn persist(client: &reqwest::Client, ingest: &Ingest, events: &[Value]) -> Result<Sent> {
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

/// Sends lines and then nothing more, again until their stream was let in and had to make room.
async fn until_cut(client: &reqwest::Client, ingest: &Ingest, lines: String) -> Result<Response> {
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
    // Clients of two addresses, so that nobody holds more than a fair share.
    let attackers = [repeat(2, &ingest, format!("{known}\n"))?, repeat(3, &ingest, "{}\n".to_owned())?];
    ingest.wait_metric("qamtu_ingest_requests_running", 2).await?;
    // They are judged while they come, although no chunk is full.
    ingest.wait_metric(JUDGED, 1).await?;
    let events: Vec<Value> = (0..100).map(|people| headcount("m-open", people)).collect();
    ensure!(persist(&client(4)?, &ingest, &events).await? == Sent { accepted: 100, ..Sent::default() });
    ensure!(persist(&client(5)?, &ingest, &[headcount("m-open", 7)]).await? == Sent { accepted: 1, ..Sent::default() });
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
    ensure!(persist(&client(2)?, &ingest, known).await? == Sent { accepted: 5000, ..Sent::default() });
    // Nobody waits: a repetition takes as long as it likes.
    ensure!(persist(&client(2)?, &ingest, known).await? == Sent { duplicates: 5000, ..Sent::default() });
    // Two attackers want the only permit, too, for ever.
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
    ingest.wait_metric(JUDGED, 5001).await?;
    let cut = until_cut(&client(2)?, &ingest, lines(known)).await?;
    let before = cut.body["before"]["duplicates"].as_u64().context("duplicates")?;
    ensure!(before > 0 && cut.body["before"]["accepted"] == 0, "{cut:?}");
    let rest = usize::try_from(cut.body["line"].as_u64().context("the line to go on from")?)? - 1;
    let sent = persist(&client(2)?, &ingest, &file[rest..]).await.context("the file did not get through")?;
    ensure!((sent.accepted, before + sent.duplicates) == (1000, 5000), "{cut:?} {sent:?}");
    attackers.iter().for_each(tokio::task::JoinHandle::abort);
    ingest.stop().await
}
