//! Invalid bodies: malformed, too large, too slow, of the wrong media type. Nothing of them is in the log.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, TestEnv},
    sample::{campaign_at, headcount},
};

const SETTINGS: &[(&str, &str)] =
    &[("QAMTU__LIMITS__BODY_MS", "400"), ("QAMTU__LIMITS__IDLE_MS", "400"), ("QAMTU__LIMITS__HEAD_MS", "400")];

#[tokio::test]
async fn malformed_bodies_are_refused_and_nothing_is_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let before = env.end_offsets().await?;
    let good = headcount("m-open", 5).to_string();
    let deep = good.replace(r#""people":5"#, &format!(r#""people":{}{}"#, "[".repeat(10_000), "]".repeat(10_000)));
    let long = good.replace("tests", &"x".repeat(10 << 20));
    let mut binary = good.clone().into_bytes();
    let at = good.find("tests").context("no source")?;
    binary[at] = 0xff;
    let cases: Vec<(&str, &str, Vec<u8>, (u16, &str, &str))> = vec![
        ("10,000 levels", ONE, deep.clone().into(), (400, "too-deep", "/data")),
        ("10,000 levels in a batch", BATCH, format!("[{deep}]").into(), (400, "too-deep", "/0/data")),
        ("a 10 MB string", ONE, long.clone().into(), (413, "body-too-large", "-")),
        ("a 10 MB string in a batch", BATCH, format!("[{long}]").into(), (413, "body-too-large", "-")),
        (
            "a large event in a batch",
            BATCH,
            format!("[{}]", good.replace("tests", &"x".repeat(1 << 20))).into(),
            (413, "event-too-large", "/0"),
        ),
        ("no UTF-8", ONE, binary.clone(), (400, "invalid-utf8", "-")),
        ("no UTF-8 in a batch", BATCH, [&b"["[..], &binary, b"]"].concat(), (400, "invalid-utf8", "")),
        ("half an event", ONE, good[..80].into(), (400, "invalid-json", "-")),
        ("a truncated batch", BATCH, format!("[{good},{good}").into(), (400, "invalid-json", "")),
        ("no array", BATCH, good.clone().into(), (400, "invalid-json", "")),
        ("an array as one event", ONE, format!("[{good}]").into(), (400, "invalid-json", "-")),
        ("nothing", ONE, Vec::new(), (400, "invalid-json", "-")),
        ("something behind it", ONE, format!("{good} x").into(), (400, "invalid-json", "-")),
        ("a field twice", ONE, good.replacen(r#""source""#, r#""id":"x","source""#, 1).into(), (400, "duplicate-field", "/id")),
        ("too many", BATCH, format!("[{}1]", "1,".repeat(10_000)).into(), (413, "too-many-events", "")),
    ];
    for (name, kind, body, expected) in cases {
        let response = ingest.post(kind, body).await.with_context(|| name.to_owned())?;
        ensure!(response.problem() == expected, "{name}: {response:?}");
    }
    let lines = [deep.as_bytes(), long.as_bytes(), &binary, &good.as_bytes()[..80]].join(&b"\n"[..]);
    let response = ingest.post(LINES, lines).await?;
    let codes: Vec<_> =
        response.body["failures"].as_array().context("no failures")?.iter().map(|failure| failure["code"].clone()).collect();
    ensure!(codes == ["too-deep", "event-too-large", "invalid-utf8", "invalid-json"], "{response:?}");
    ensure!(response.status == 207 && response.body["refused"] == 4, "{response:?}");
    ensure!(response.body["refused_lines"] == json!([{"first": 1, "last": 4}]), "{response:?}");
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}

/// Sends raw bytes and reads the response until the connection ends.
async fn raw(ingest: &Ingest, bytes: &[u8], end: bool) -> Result<String> {
    let mut stream = TcpStream::connect(ingest.url.trim_start_matches("http://")).await?;
    stream.write_all(bytes).await?;
    if end {
        stream.shutdown().await?;
    }
    let mut response = Vec::new();
    // A connection reset is accepted too: the server has closed the connection.
    drop(tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut response)).await?);
    Ok(String::from_utf8_lossy(&response).into_owned())
}

#[tokio::test]
async fn slow_and_incomplete_bodies_are_refused_and_nothing_is_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, SETTINGS).await?;
    let before = env.end_offsets().await?;
    let good = headcount("m-open", 5).to_string();
    let head = |kind: &str, length: usize| {
        format!(
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    let slow = raw(&ingest, format!("{}{good}", head(ONE, good.len() + 5)).as_bytes(), false).await?;
    ensure!(slow.starts_with("HTTP/1.1 408") && slow.contains("slow-body"), "{slow}");
    let slow = raw(&ingest, format!("{}{good}\n{{", head(LINES, 5000)).as_bytes(), false).await?;
    ensure!(slow.starts_with("HTTP/1.1 408") && slow.contains("slow-body"), "{slow}");
    for kind in [ONE, BATCH, LINES] {
        let incomplete = raw(&ingest, format!("{}[{good},", head(kind, 5000)).as_bytes(), true).await?;
        ensure!(!incomplete.contains(" 200 ") && !incomplete.contains(" 202 "), "{incomplete}");
    }
    let silent = raw(&ingest, b"POST /v1/ev", false).await?;
    ensure!(silent.is_empty() || silent.contains(" 408 "), "{silent}");
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}

/// Sends the head of a request, then some bytes every 100 ms until a response arrives.
async fn drip(ingest: &Ingest, head: &str, bytes: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(ingest.url.trim_start_matches("http://")).await?;
    stream.write_all(head.as_bytes()).await?;
    let begun = Instant::now();
    while tokio::time::timeout(Duration::from_millis(100), stream.readable()).await.is_err() {
        ensure!(begun.elapsed() < Duration::from_secs(20), "a stream may drip for ever");
        stream.write_all(bytes).await?;
    }
    let mut response = Vec::new();
    drop(tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut response)).await?);
    Ok(String::from_utf8_lossy(&response).into_owned())
}

#[tokio::test]
async fn a_stream_of_blank_lines_or_of_one_endless_line_does_not_keep_its_place() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[SETTINGS, &[("QAMTU__LIMITS__STREAMS", "1")]].concat()).await?;
    // The rate counts events, not bytes.
    let blank_lines = "\n\r\n \t\n".repeat(500);
    for route in ["/v1/events", "/v1/roll"] {
        for bytes in [" ", "x", &blank_lines] {
            let head = format!(
                "POST {route} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {LINES}\r\ncontent-length: 9000000\r\nconnection: close\r\n\r\n"
            );
            let response = drip(&ingest, &head, bytes.as_bytes()).await?;
            ensure!(response.starts_with("HTTP/1.1 408") && response.contains("slow-body"), "{response}");
        }
    }
    // The only permit for streams is free again.
    ingest.send_lines(&[headcount("m-open", 5)]).await?;
    ingest.stop().await
}

#[tokio::test]
async fn every_refused_line_of_a_stream_is_listed_or_the_stream_ends() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let some = headcount("m-open", 5);
    let text = |ranges: usize| format!("{}{some}\n", "{}\n\n".repeat(ranges));
    let response = ingest.post(LINES, text(5000)).await?;
    let listed = response.body["refused_lines"].as_array().context("no list")?;
    ensure!(
        response.status == 207 && response.counts() == (1, 0) && listed.len() == 5000,
        "{} of {}",
        listed.len(),
        response.body["refused"]
    );
    ensure!(listed[4999] == json!({"first": 9999, "last": 9999}), "{}", listed[4999]);
    let response = ingest.post(LINES, text(150_000)).await?;
    ensure!(response.problem() == (413, "too-many-refused", "-"), "{}", response.status);
    let (line, counts) = (response.body["line"].as_u64().context("no line")?, &response.body["before"]);
    ensure!(counts["accepted"] == 0 && counts["refused"].as_u64() == Some(line / 2), "{line} {}", counts["refused"]);
    ingest.stop().await
}

#[tokio::test]
async fn a_wrong_media_type_or_parameter_is_refused() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let before = env.end_offsets().await?;
    let body = json!([]).to_string();
    let cases = [
        ("/v1/events", "text/plain", (415, "unsupported-media-type", "-")),
        ("/v1/events", "application/x-www-form-urlencoded", (415, "unsupported-media-type", "-")),
        ("/v1/events?on_error=ignore", BATCH, (400, "invalid-parameter", "-")),
        ("/v1/events?onerror=keep-good", BATCH, (400, "invalid-parameter", "-")),
        ("/v1/events?on_error=all-or-nothing", LINES, (400, "invalid-parameter", "-")),
        ("/v1/roll", BATCH, (415, "unsupported-media-type", "-")),
        ("/v1/roll?x=1", LINES, (400, "invalid-parameter", "-")),
        ("/v1/nowhere", BATCH, (404, "not-found", "-")),
        ("/live", BATCH, (405, "method-not-allowed", "-")),
    ];
    for (route, kind, expected) in cases {
        let response = ingest.post_to(route, kind, body.clone()).await?;
        ensure!(response.problem() == expected, "{route}: {response:?}");
    }
    let response = ingest.post_to("/v1/roll", LINES, headcount("m-open", 5).to_string()).await?;
    ensure!(response.body["failures"][0]["code"] == "roll-only", "{response:?}");
    let response = ingest.post("application/cloudevents-batch+json; charset=utf-8", body).await?;
    ensure!(response.status == 200 && response.counts() == (0, 0), "{response:?}");
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}
