//! A stream of any length needs the same memory.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use serde_json::json;

use super::{
    harness::{LINES, TestEnv, execute},
    sample::{attendance, campaign_at, iin},
};

/// Number of lines of the long stream.
const LINES_SENT: u32 = 200_000;

/// Largest accepted growth of the peak memory, compared with a short stream.
const ALLOWED_KB: u64 = 100_000;

#[tokio::test]
async fn a_long_stream_takes_bounded_memory() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[]).await?;
    ingest.send_lines(&(0..5000).map(|n| attendance("m-open", json!({"iin": iin(n)}))).collect::<Vec<_>>()).await?;
    let before = ingest.peak_kb()?;
    let pieces = futures::stream::iter((0..LINES_SENT / 500).map(|piece| {
        let lines = (piece * 500..(piece + 1) * 500).map(|n| format!("{}\n", attendance("m-open", json!({"iin": iin(10_000 + n)}))));
        Ok::<_, std::io::Error>(Bytes::from(lines.collect::<String>()))
    }));
    let begun = Instant::now();
    let response = execute(ingest.request("/v1/events", LINES).body(reqwest::Body::wrap_stream(pieces))).await?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(response.status == 200 && response.counts() == (u64::from(LINES_SENT), 0), "{response:?}");
    let grown = ingest.peak_kb()? - before;
    println!("{LINES_SENT} attendances in {seconds:.1} s, {:.0} per second, {grown} kB more than before", f64::from(LINES_SENT) / seconds);
    ensure!(grown < ALLOWED_KB, "{grown} kB");
    ingest.stop().await
}
