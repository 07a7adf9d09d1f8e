//! More requests than may run: they wait for their places in turn, and only after a while are told to come again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::{
    harness::{Answer, Ingest, ONE, Place, answer},
    sample::{campaign_at, headcount},
};

/// The first half of a request: it holds the only place until the rest comes.
struct Half {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Half {
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
        let mut said = String::new();
        self.stream.read_to_string(&mut said).await?;
        Ok(said)
    }
}

#[tokio::test]
async fn one_too_many_is_told_to_come_again_after_a_while() -> Result<()> {
    let place = Place::new()?;
    let limits = [("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "100"), ("QAMTU__LIMITS__BODY_BYTES_PER_SECOND", "0")];
    let ingest = campaign_at(&place, &limits).await?;
    let half = Half::send(&ingest).await?;
    let event = headcount("m-open", 6);
    let answer = ingest.one(&event).await?;
    ensure!(answer.problem() == (503, "overloaded", "-") && answer.headers.contains_key("retry-after"), "{answer:?}");
    let said = half.finish().await?;
    ensure!(said.starts_with("HTTP/1.1 202"), "{said}");
    // The same event, as the answer said.
    ensure!(ingest.one(&event).await?.counts() == (1, 0));
    ingest.stop().await
}

#[tokio::test]
async fn a_request_waits_for_its_place() -> Result<()> {
    let place = Place::new()?;
    let ingest = campaign_at(&place, &[("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000")]).await?;
    let half = Half::send(&ingest).await?;
    let event = headcount("m-open", 6);
    let mut waiting = Box::pin(ingest.one(&event));
    ensure!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "it was answered while the place was held");
    let said = half.finish().await?;
    ensure!(said.starts_with("HTTP/1.1 202"), "{said}");
    ensure!(waiting.await?.counts() == (1, 0));
    ingest.stop().await
}

#[tokio::test]
async fn only_so_many_wait_that_connections_are_left() -> Result<()> {
    let place = Place::new()?;
    let limits = [("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000"), ("QAMTU__LIMITS__CONNECTIONS", "8")];
    let ingest = campaign_at(&place, &limits).await?;
    let half = Half::send(&ingest).await?;
    let events: Vec<_> = (0..5).map(|number| headcount("m-open", 6 + number)).collect();
    let mut answers: JoinSet<Result<Answer>> = JoinSet::new();
    for event in &events {
        let request = ingest.request("/v1/events", ONE).body(event.to_string());
        answers.spawn(answer(request));
    }
    // Half of the connections wait, the fifth is answered while they do, and health is told beside them.
    let first = tokio::time::timeout(Duration::from_secs(20), answers.join_next()).await?.context("an answer")???;
    ensure!(first.problem() == (503, "overloaded", "-"), "{first:?}");
    ensure!(ingest.get("/live").await?.status == 200);
    let said = half.finish().await?;
    ensure!(said.starts_with("HTTP/1.1 202"), "{said}");
    while let Some(said) = answers.join_next().await {
        ensure!(said??.counts() == (1, 0));
    }
    ingest.stop().await
}

#[tokio::test]
async fn who_waits_for_a_place_is_not_forgotten_at_the_end() -> Result<()> {
    let place = Place::new()?;
    let mut ingest = campaign_at(&place, &[("QAMTU__LIMITS__REQUESTS", "1"), ("QAMTU__LIMITS__WAIT_MS", "60000")]).await?;
    let half = Half::send(&ingest).await?;
    let event = headcount("m-open", 6);
    {
        let mut waiting = Box::pin(ingest.one(&event));
        ensure!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err(), "it was answered while the place was held");
        ingest.terminate()?;
        let answer = waiting.await?;
        ensure!(answer.problem() == (503, "stopping", "-"), "{answer:?}");
    }
    let said = half.finish().await?;
    ensure!(said.starts_with("HTTP/1.1 202"), "{said}");
    ensure!(ingest.ended().await?.success());
    Ok(())
}
