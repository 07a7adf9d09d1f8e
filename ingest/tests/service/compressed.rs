//! Compressed bodies: every event in them has an outcome, or the request is refused.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{
    harness::{BATCH, Ingest, LINES, ONE, Response, TestEnv, execute, lines},
    sample::{IIN, campaign_at, event, headcount},
};

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Compresses the bytes as two members or frames.
fn in_two(encoding: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let part = |part: &[u8]| if encoding == "zstd" { Ok(zstd::encode_all(part, 1)?) } else { gzip(part) };
    Ok([part(first)?, part(second)?].concat())
}

async fn send(ingest: &Ingest, (route, kind): (&str, &str), encoding: &str, body: Vec<u8>) -> Result<Response> {
    execute(ingest.request(route, kind).header("content-encoding", encoding).body(body)).await
}

#[tokio::test]
async fn every_member_of_a_compressed_body_is_taken() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let roll = |version: u32| {
        let voters = json!([[{"iin": IIN}, 1985, "m"]]);
        event("precinct.enrolled.v1", json!({"precinct": "TRK-014", "version": version, "strength": "strong", "voters": voters}))
    };
    for (round, encoding) in [(0, "gzip"), (1, "zstd")] {
        let events: Vec<Value> = (0..100).map(|people| headcount("m-open", people)).collect();
        let response = send(&ingest, ("/v1/events", LINES), encoding, in_two(encoding, lines(&events).as_bytes())?).await?;
        ensure!((response.status, response.counts()) == (200, (100, 0)), "{encoding}: {response:?}");
        let batch: Vec<Value> = (0..50).map(|people| headcount("m-open", people)).collect();
        let response = send(&ingest, ("/v1/events", BATCH), encoding, in_two(encoding, json!(batch).to_string().as_bytes())?).await?;
        ensure!((response.status, response.counts()) == (202, (50, 0)), "{encoding}: {response:?}");
        let rolls = [roll(2 * round + 1), roll(2 * round + 2)];
        let response = send(&ingest, ("/v1/roll", LINES), encoding, in_two(encoding, lines(&rolls).as_bytes())?).await?;
        ensure!((response.status, response.counts()) == (200, (2, 0)), "{encoding}: {response:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_second_document_or_other_bytes_after_the_end_refuse_the_request() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let before = env.end_offsets().await?;
    let (one, array) = (|| headcount("m-open", 5).to_string(), || json!([headcount("m-open", 5)]).to_string());
    for encoding in ["gzip", "zstd", "identity"] {
        let compressed = |text: &str| match encoding {
            "gzip" => gzip(text.as_bytes()),
            "zstd" => Ok(zstd::encode_all(text.as_bytes(), 1)?),
            _ => Ok(text.as_bytes().to_vec()),
        };
        for (kind, document) in [(ONE, &one as &dyn Fn() -> String), (BATCH, &array)] {
            let twice = [compressed(&document())?, compressed(&document())?].concat();
            let response = send(&ingest, ("/v1/events", kind), encoding, twice).await?;
            ensure!(response.status == 400 && response.body["code"] == "invalid-json", "{encoding}: {response:?}");
            if encoding == "identity" {
                continue;
            }
            for rest in [&b"\0\0\0\0"[..], b"{}", document().as_bytes()] {
                let response = send(&ingest, ("/v1/events", kind), encoding, [&compressed(&document())?, rest].concat()).await?;
                ensure!(response.problem() == (400, "invalid-compression", "-"), "{encoding}: {response:?}");
            }
        }
        // A line with two events is refused.
        let response = send(&ingest, ("/v1/events", LINES), encoding, compressed(&format!("{}{}\n", one(), one()))?).await?;
        ensure!(
            response.status == 207 && response.body["refused"] == 1 && response.body["failures"][0]["line"] == 1,
            "{encoding}: {response:?}"
        );
    }
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}

#[tokio::test]
async fn encodings_are_recognised_in_every_spelling() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    for (encoding, compressed) in [
        ("GZIP", true),
        ("x-gzip", true),
        ("X-GZip", true),
        ("identity, gzip", true),
        ("Identity", false),
        ("identity, identity", false),
        ("", false),
    ] {
        let plain = headcount("m-open", 5).to_string().into_bytes();
        let body = if compressed { gzip(&plain)? } else { plain };
        let response = send(&ingest, ("/v1/events", ONE), encoding, body).await?;
        ensure!(response.status == 202, "{encoding}: {response:?}");
    }
    for encoding in ["zstd", "ZSTD", "identity,zstd"] {
        let body = zstd::encode_all(headcount("m-open", 5).to_string().as_bytes(), 3)?;
        let response = send(&ingest, ("/v1/events", ONE), encoding, body).await?;
        ensure!(response.status == 202, "{encoding}: {response:?}");
    }
    for encoding in ["br", "deflate", "gzip, gzip", "gzip, zstd"] {
        let response = send(&ingest, ("/v1/events", ONE), encoding, vec![1]).await?;
        ensure!(response.problem() == (415, "unsupported-encoding", "-"), "{encoding}: {response:?}");
        ensure!(response.headers["accept-encoding"] == "gzip, zstd, identity", "{response:?}");
    }
    ingest.stop().await
}

#[tokio::test]
async fn compressed_bodies_are_counted_after_decompression() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    let before = env.end_offsets().await?;
    // One or two megabytes, or a few kilobytes, become a gigabyte.
    let spaces = vec![b' '; 1 << 30];
    for (encoding, bomb) in [("gzip", gzip(&spaces)?), ("zstd", zstd::encode_all(&spaces[..], 1)?)] {
        ensure!(bomb.len() < 2 << 20);
        let response = send(&ingest, ("/v1/events", BATCH), encoding, bomb.clone()).await?;
        ensure!(response.problem() == (413, "body-too-large", "-"), "{encoding}: {response:?}");
        let response = send(&ingest, ("/v1/events", LINES), encoding, bomb).await?;
        ensure!(response.problem() == (413, "body-too-large", "-"), "{encoding}: {response:?}");
    }
    // A frame with a window of 128 MiB is refused.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1)?;
    encoder.set_parameter(zstd::zstd_safe::CParameter::WindowLog(27))?;
    encoder.write_all(&spaces[..64 << 20])?;
    let response = send(&ingest, ("/v1/events", BATCH), "zstd", encoder.finish()?).await?;
    ensure!(response.problem() == (400, "invalid-compression", "-"), "{response:?}");
    ensure!(ingest.peak_kb()? < 120_000, "the bomb went off: {} kB", ingest.peak_kb()?);
    for (encoding, mut cut) in [
        ("gzip", gzip(headcount("m-open", 6).to_string().as_bytes())?),
        ("zstd", zstd::encode_all(headcount("m-open", 6).to_string().as_bytes(), 1)?),
    ] {
        cut.truncate(cut.len() - 5);
        let response = send(&ingest, ("/v1/events", ONE), encoding, cut).await?;
        ensure!(response.problem() == (400, "incomplete-body", "-"), "{encoding}: {response:?}");
    }
    ensure!(env.end_offsets().await? == before);
    ingest.stop().await
}

#[tokio::test]
async fn a_truncated_compressed_stream_reports_what_it_stored() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__CHUNK_EVENTS", "100")]).await?;
    for encoding in ["gzip", "zstd"] {
        let events: Vec<Value> = (0..5000).map(|people| headcount("m-open", people)).collect();
        let text = lines(&events);
        let mut body = if encoding == "zstd" { zstd::encode_all(text.as_bytes(), 1)? } else { gzip(text.as_bytes())? };
        body.truncate(body.len() * 2 / 3);
        let held = env.ids().await?;
        let response = send(&ingest, ("/v1/events", LINES), encoding, body).await?;
        ensure!(response.problem() == (400, "incomplete-body", "-"), "{response:?}");
        let stored = response.body["before"]["accepted"].as_u64().context("no count")?;
        ensure!(stored > 0 && response.body["line"] == stored + 1 && response.body["before"]["refused"] == 0, "{response:?}");
        let ids = env.ids().await?;
        let (first, rest) = events.split_at(usize::try_from(stored)?);
        let is_stored = |event: &Value| event["id"].as_str().is_some_and(|id| ids.contains_key(id));
        ensure!(first.iter().all(is_stored) && !rest.iter().any(is_stored) && ids.len() == held.len() + first.len());
        ensure!(ingest.send_lines(&events).await?.counts() == (5000 - stored, stored));
    }
    ingest.stop().await
}

/// Repetitive bytes cost the sender nothing when compressed, so the bytes between two events are limited.
#[tokio::test]
async fn what_decodes_to_blank_lines_or_one_endless_line_ends_the_stream() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__CHUNK_EVENTS", "1")]).await?;
    let compressed = |encoding: &str, plain: &[u8]| match encoding {
        "zstd" => Ok(zstd::encode_all(plain, 1)?),
        "gzip" => gzip(plain),
        _ => Ok(plain.to_vec()),
    };
    for encoding in ["gzip", "zstd", "identity"] {
        for filler in ["\n", " \r\n", "x", " "] {
            let (first, last) = (headcount("m-open", 5), headcount("m-open", 6));
            let bomb = format!("{first}\n{}\n{last}\n", filler.repeat((32 << 20) / filler.len()));
            let response = send(&ingest, ("/v1/events", LINES), encoding, compressed(encoding, bomb.as_bytes())?).await?;
            ensure!(response.problem() == (413, "body-too-large", "-"), "{encoding} {filler:?}: {response:?}");
            let detail = response.body["detail"].as_str().unwrap_or_default();
            ensure!(detail.contains("262144 bytes of blank lines and 16777216 bytes") && detail.contains("From line 2 on"), "{detail}");
            ensure!(response.body["before"]["accepted"] == 1, "{response:?}");
        }
        // A single line that is too long is refused on its own, and blank lines within the limit are accepted.
        let events = [headcount("m-open", 5), headcount("m-open", 6), headcount("m-open", 7)].map(|event| event.to_string());
        let text = format!("{}\n{}\n{}\n{}\n{}\n", events[0], "x".repeat(10_000_000), events[1], "\n".repeat(100_000), events[2]);
        let response = send(&ingest, ("/v1/events", LINES), encoding, compressed(encoding, text.as_bytes())?).await?;
        ensure!((response.status, response.counts()) == (207, (3, 0)), "{encoding}: {response:?}");
    }
    ingest.stop().await
}
