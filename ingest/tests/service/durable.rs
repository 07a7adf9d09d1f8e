//! Acknowledged events are in the log, after SIGKILL, a stop under load, a failing log, or a client that disconnects.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{start_broker, wait};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Mutex, task::JoinSet};

use super::{
    harness::{BATCH, DEADLINE, LINES, ONE, TestEnv, lines},
    sample::{attendance, campaign_at, headcount, iin, with},
};

fn id_of(event: &Value) -> String {
    event["id"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_kill_during_a_stream_loses_nothing_that_was_acknowledged() -> Result<()> {
    let env = TestEnv::new()?;
    let settings = &[("QAMTU__LIMITS__CHUNK_EVENTS", "200")];
    let mut ingest = Some(campaign_at(&env, settings).await?);
    let all: Vec<Value> = (0..6000).map(|n| attendance("m-open", json!({"iin": iin(n)}))).collect();
    let mut acknowledged = BTreeSet::new();
    for (round, part) in all.chunks(1000).enumerate() {
        let running = ingest.take().context("not running")?;
        // Small requests that are acknowledged, and a stream that still runs when the program is killed.
        for few in part[..200].chunks(100) {
            ensure!(running.post(BATCH, Value::from(few).to_string()).await?.status == 202);
            acknowledged.extend(few.iter().map(id_of));
        }
        let stream = running.request("/v1/events", LINES).body(lines(&part[200..]));
        let streaming = tokio::spawn(async move { stream.send().await?.json::<Value>().await });
        let held = env.end_offsets().await?.values().sum::<u64>();
        let begun = Instant::now();
        while round > 0
            && env.end_offsets().await?.values().sum::<u64>() == held
            && !streaming.is_finished()
            && begun.elapsed() < Duration::from_secs(30)
        {
            tokio::task::yield_now().await;
        }
        running.kill().await?;
        if let Ok(response) = streaming.await? {
            ensure!(response["accepted"] == 800, "{response}");
            acknowledged.extend(part[200..].iter().map(id_of));
        }
        let ids = env.ids().await?;
        ensure!(acknowledged.iter().all(|id| ids.contains_key(id)), "acknowledged and not in the log, round {round}");
        ingest = Some(env.start(settings).await?);
    }
    let ingest = ingest.context("not running")?;
    let response = ingest.post(LINES, lines(&all)).await?;
    let (accepted, duplicates) = response.counts();
    ensure!(response.status == 200 && accepted + duplicates == 6000 && duplicates >= acknowledged.len() as u64, "{response:?}");
    ingest.stop().await?;
    let ids = env.ids().await?;
    ensure!(all.iter().all(|event| ids.contains_key(&id_of(event))) && ids.len() == 6008);
    Ok(())
}

#[tokio::test]
async fn a_stop_under_load_loses_nothing_that_was_acknowledged() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[("QAMTU__STOP__DRAIN_MS", "1000")]).await?;
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let mut clients = JoinSet::new();
    for client in 0..6 {
        let (url, acknowledged, http) = (ingest.url.clone(), acknowledged.clone(), reqwest::Client::new());
        clients.spawn(async move {
            loop {
                let events: Vec<Value> = (0..20).map(|people| headcount("m-open", people)).collect();
                let (kind, body) = if client % 2 == 0 { (BATCH, Value::from(events.clone()).to_string()) } else { (LINES, lines(&events)) };
                let sent = http.post(format!("{url}/v1/events")).header("content-type", kind).body(body).send().await;
                let Ok(response) = sent else { return };
                match response.status().as_u16() {
                    200 | 202 => acknowledged.lock().await.extend(events.iter().map(id_of)),
                    503 => return,
                    other => panic!("status {other}"),
                }
            }
        });
    }
    // An endless stream is aborted, and its response reports what was stored.
    let endless = futures::stream::unfold(0_u32, |n| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok::<_, std::io::Error>(headcount("m-open", n % 500).to_string() + "\n"), n + 1))
    });
    let body = reqwest::Body::wrap_stream(endless);
    let endless = ingest.request("/v1/events", LINES).body(body);
    let endless = tokio::spawn(async move { endless.send().await?.json::<Value>().await });
    let is_enough = async || acknowledged.lock().await.len() >= 2000;
    wait::until_true("enough to be acknowledged", Duration::from_secs(60), is_enough).await?;
    ingest.terminate()?;
    let status = ingest.wait_exit().await?;
    while let Some(client) = clients.join_next().await {
        client?;
    }
    ensure!(status.success(), "{status}: {}", env.stderr());
    let response = endless.await??;
    ensure!(response["code"] == "stopping" && response["before"]["refused"] == 0, "{response}");
    let ids = env.ids().await?;
    ensure!(acknowledged.lock().await.iter().all(|id| ids.contains_key(id)), "acknowledged and not in the log");
    Ok(())
}

#[tokio::test]
async fn a_full_log_gives_503_and_reports_what_was_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LOG__MAX_BYTES", "1500000"), ("QAMTU__LIMITS__CHUNK_EVENTS", "500")]).await?;
    let all: Vec<Value> = (0..8000).map(|people| headcount("m-open", people)).collect();
    let response = ingest.post(LINES, lines(&all)).await?;
    ensure!(response.problem() == (503, "log-unavailable", "-") && response.headers.contains_key("retry-after"), "{response:?}");
    let before = response.body["before"]["accepted"].as_u64().context("no count")?;
    let line = response.body["line"].as_u64().context("no line")?;
    ensure!(before > 0 && line == before + 1, "{response:?}");
    // The remaining space takes some single events.
    let mut singles = 0;
    while ingest.post_one(&all[7999 - singles]).await?.status == 202 {
        singles += 1;
        ensure!(singles < 4000, "the log is never full");
    }
    let full = env.end_offsets().await?;
    for (kind, body) in [(ONE, all[4000].to_string()), (BATCH, json!([all[4000], all[4001]]).to_string())] {
        let response = ingest.post(kind, body).await?;
        ensure!(response.problem() == (503, "log-unavailable", "-") && response.headers.contains_key("retry-after"), "{response:?}");
    }
    ensure!(ingest.get("/live").await?.status == 200);
    ensure!(ingest.get("/ready").await?.problem().1 == "log-unavailable");
    ensure!(env.end_offsets().await? == full);
    ingest.stop().await?;
    // With more space the same events are accepted; acknowledged ones are duplicates.
    let ingest = env.start(&[]).await?;
    let response = ingest.post(LINES, lines(&all)).await?;
    ensure!(response.counts() == (8000 - before - singles as u64, before + singles as u64), "{response:?}");
    ingest.stop().await
}

#[tokio::test]
async fn a_client_that_disconnects_does_not_interrupt_its_event() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let events: Vec<Value> = (0..50).map(|people| headcount("m-open", people)).collect();
    for event in &events {
        let body = event.to_string();
        let mut stream = TcpStream::connect(ingest.url.trim_start_matches("http://")).await?;
        let request =
            format!("POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {ONE}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await?;
        drop(stream);
    }
    // Each event is in the log and known, or neither.
    let first = ingest.post(LINES, lines(&events)).await?;
    ensure!(first.status == 200 && first.counts().0 + first.counts().1 == 50, "{first:?}");
    let second = ingest.post(LINES, lines(&events)).await?;
    ensure!(second.counts() == (0, 50), "{second:?}");
    ingest.stop().await?;
    let ids = env.ids().await?;
    ensure!(events.iter().all(|event| ids.contains_key(&id_of(event))));
    Ok(())
}

#[tokio::test]
async fn after_a_timeout_the_id_stays_reserved_for_its_body() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__APPEND_MS", "2000")]).await?;
    let log = rusqlite::Connection::open(env.path("log").join("records.sqlite"))?;
    log.busy_timeout(Duration::from_secs(10))?;
    // While another connection holds the write lock, appends stay in the queue of the log.
    log.execute_batch("BEGIN IMMEDIATE")?;
    let first = headcount("m-open", 5);
    let other = with(first.clone(), "source", "other tests");
    let response = ingest.post_one(&first).await?;
    ensure!(response.problem() == (503, "log-unavailable", "-"), "{response:?}");
    for (kind, body) in [(ONE, other.to_string()), (BATCH, json!([other]).to_string())] {
        let response = ingest.post(kind, body).await?;
        ensure!(response.body["code"] == "conflicting-id", "{response:?}");
    }
    let response = ingest.post(LINES, lines(std::slice::from_ref(&other))).await?;
    ensure!(response.body["failures"][0]["code"] == "conflicting-id", "{response:?}");
    log.execute_batch("ROLLBACK")?;
    // A retry is accepted, and a duplicate once the event is in the log.
    let begun = Instant::now();
    while ingest.post_one(&first).await?.counts() != (0, 1) {
        ensure!(begun.elapsed() < Duration::from_secs(60), "what was sent never came to stand in the log");
    }
    let response = ingest.post_one(&other).await?;
    ensure!(response.problem() == (409, "conflicting-id", "/id"), "{response:?}");
    ingest.stop().await?;
    ensure!(env.ids().await?.contains_key(&id_of(&first)));
    Ok(())
}

#[tokio::test]
async fn the_id_of_an_append_that_never_reached_the_log_is_free_again() -> Result<()> {
    let Some(first) = tokio::task::spawn_blocking(|| start_broker("unresolved", 0)).await? else { return Ok(()) };
    let port = first.address().rsplit(':').next().context("no port")?.parse()?;
    let env = TestEnv::on_kafka(first.address())?;
    // The append fails before its caller times out, so that the response is its result.
    let settings =
        &[("QAMTU__LOG__APPEND_TIMEOUT_MS", "2000"), ("QAMTU__LIMITS__APPEND_MS", "60000"), ("QAMTU__REGISTER__UNRESOLVED_MS", "1000")];
    let ingest = campaign_at(&env, settings).await?;
    tokio::task::spawn_blocking(move || drop(first)).await?;
    let lost = headcount("m-open", 5);
    let corrected = with(lost.clone(), "source", "other tests");
    ensure!(ingest.post_one(&lost).await?.problem() == (503, "log-unavailable", "-"));
    // Nobody can know yet whether the log holds the event.
    ensure!(ingest.post_one(&corrected).await?.problem() == (503, "log-unavailable", "-"));
    let second = tokio::task::spawn_blocking(move || start_broker("unresolved", port)).await?.context("it started before")?;
    let accepted = async || match ingest.post_one(&corrected).await? {
        response if response.status == 202 => Ok(()),
        response => Err(anyhow::anyhow!("{response:?}")),
    };
    wait::until("the corrected event to be accepted", DEADLINE, accepted).await?;
    ensure!(ingest.post_one(&lost).await?.problem() == (409, "conflicting-id", "/id"));
    ingest.stop().await?;
    ensure!(env.ids().await?.get(&id_of(&lost)) == Some(&1));
    drop(second);
    Ok(())
}
