//! Requests over the limit queue for a while, then get 503.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{
    harness::{Ingest, ONE, Response, TestEnv, execute},
    sample::{campaign_at, headcount},
};

/// A request of which only a part is sent: it holds the only permit until the rest is sent.
struct HalfSentRequest {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl HalfSentRequest {
    async fn send(ingest: &Ingest) -> Result<Self> {
        let body = headcount("m-open", 5).to_string().into_bytes();
        let (first, rest) = body.split_at(20);
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: {ONE}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(ingest.url.trim_start_matches("http://")).await?;
        stream.write_all(&[head.as_bytes(), first].concat()).await?;
        ingest.wait_metric("qamtu_ingest_requests_running", 1).await?;
        Ok(Self { stream, rest: rest.to_vec() })
    }

    async fn finish(mut self) -> Result<String> {
        self.stream.write_all(&self.rest).await?;
        let mut text = String::new();
        self.stream.read_to_string(&mut text).await?;
        Ok(text)
    }
}

#[tokio::test]
async fn one_too_many_is_told_to_come_again_after_a_while() -> Result<()> {
    let env = TestEnv::new()?;
    let limits = [("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "100"), ("QAMTU__LIMITS__BODY_BYTES_PER_SECOND", "0")];
    let ingest = campaign_at(&env, &limits).await?;
    let request = HalfSentRequest::send(&ingest).await?;
    let event = headcount("m-open", 6);
    let response = ingest.post_one(&event).await?;
    ensure!(response.problem() == (503, "overloaded", "-") && response.headers.contains_key("retry-after"), "{response:?}");
    let text = request.finish().await?;
    ensure!(text.starts_with("HTTP/1.1 202"), "{text}");
    // A retry of the same event.
    ensure!(ingest.post_one(&event).await?.counts() == (1, 0));
    ingest.stop().await
}

#[tokio::test]
async fn a_request_waits_for_its_place() -> Result<()> {
    let env = TestEnv::new()?;
    let ingest = campaign_at(&env, &[("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000")]).await?;
    let request = HalfSentRequest::send(&ingest).await?;
    let event = headcount("m-open", 6);
    let mut waiting = Box::pin(ingest.post_one(&event));
    ensure!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "it was answered while the permit was held");
    let text = request.finish().await?;
    ensure!(text.starts_with("HTTP/1.1 202"), "{text}");
    ensure!(waiting.await?.counts() == (1, 0));
    ingest.stop().await
}

#[tokio::test]
async fn waiting_requests_leave_connections_free() -> Result<()> {
    let env = TestEnv::new()?;
    let limits = [("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000"), ("QAMTU__LIMITS__CONNECTIONS", "8")];
    let ingest = campaign_at(&env, &limits).await?;
    let request = HalfSentRequest::send(&ingest).await?;
    let events: Vec<_> = (0..5).map(|number| headcount("m-open", 6 + number)).collect();
    let mut responses: JoinSet<Result<Response>> = JoinSet::new();
    for event in &events {
        let another = ingest.request("/v1/events", ONE).body(event.to_string());
        responses.spawn(execute(another));
    }
    // Four requests, half the number of connections, wait; the fifth gets 503 at once, and health still responds.
    let first = tokio::time::timeout(Duration::from_secs(20), responses.join_next()).await?.context("an response")???;
    ensure!(first.problem() == (503, "overloaded", "-"), "{first:?}");
    ensure!(ingest.get("/live").await?.status == 200);
    let text = request.finish().await?;
    ensure!(text.starts_with("HTTP/1.1 202"), "{text}");
    while let Some(text) = responses.join_next().await {
        ensure!(text??.counts() == (1, 0));
    }
    ingest.stop().await
}

#[tokio::test]
async fn a_waiting_request_gets_a_response_at_shutdown() -> Result<()> {
    let env = TestEnv::new()?;
    let mut ingest = campaign_at(&env, &[("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000")]).await?;
    let request = HalfSentRequest::send(&ingest).await?;
    let event = headcount("m-open", 6);
    {
        let mut waiting = Box::pin(ingest.post_one(&event));
        ensure!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "it was answered while the permit was held");
        ingest.terminate()?;
        let response = waiting.await?;
        ensure!(response.problem() == (503, "stopping", "-"), "{response:?}");
    }
    let text = request.finish().await?;
    ensure!(text.starts_with("HTTP/1.1 202"), "{text}");
    ensure!(ingest.wait_exit().await?.success());
    Ok(())
}
