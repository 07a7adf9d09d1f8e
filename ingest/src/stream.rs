//! A stream of lines through the pipeline: the next chunk is read and judged while the one before it is being appended.
//!
//! Guarantees: chunks are appended one after another in their order; at most three are in memory; what the answer counts as
//! accepted stands durably in the log, also when the stream ends with a problem, which then says from where to go on.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use qamtu_schemas::Kind;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    answer::{Failure, LISTED_MAX, Problem, Tally, Warned},
    body::{self, Chunk, Cut},
    pipeline::{self, Fate, Layer},
    rejection::{Reason, Rejection},
    service::Service,
};

type Storing = JoinHandle<Result<Vec<(u64, Fate)>, Rejection>>;

/// Takes a stream of events; `only` one type, if given.
pub async fn take(service: &Arc<Service>, body: Body, only: Option<Kind>) -> Result<Response, Problem> {
    let mut tally = Tally::default();
    let mut next_line = 1;
    match run(service, body, only, (&mut tally, &mut next_line)).await {
        Ok(()) => Ok(tally.into_response()),
        Err(rejection) => {
            let detail = format!("{}. From line {next_line} on nothing is known to be stored.", rejection.detail);
            let rejection = Rejection { detail, line: Some(next_line), ..rejection };
            Err(Problem { before: Some(Box::new(tally)), ..rejection.into() })
        }
    }
}

async fn run(service: &Arc<Service>, body: Body, only: Option<Kind>, (tally, next_line): (&mut Tally, &mut u64)) -> Result<(), Rejection> {
    let (sender, mut chunks) = mpsc::channel(1);
    let reading = service.beside(body::lines(body, cut(service, only), sender));
    let ended = follow(service, &mut chunks, only, (tally, next_line)).await;
    // Whoever is still sending sees the answer only after the rest has been taken off the line.
    drop(chunks);
    drop(reading.await);
    ended
}

async fn follow(
    service: &Arc<Service>,
    chunks: &mut mpsc::Receiver<Result<Chunk, Rejection>>,
    only: Option<Kind>,
    (tally, next_line): (&mut Tally, &mut u64),
) -> Result<(), Rejection> {
    let path = service.path_of_running()?.clone();
    let mut earlier = Arc::new(Layer::default());
    let mut storing: Option<Storing> = None;
    let ended = loop {
        let chunk = tokio::select! {
            biased;
            () = service.cut() => Some(Err(Rejection::new(Reason::Stopping, "the service is being stopped"))),
            chunk = chunks.recv() => chunk,
        };
        let judged = match chunk {
            None => break Ok(()),
            Some(Err(rejection)) => break Err(rejection),
            Some(Ok(chunk)) => service.judge(chunk, earlier.clone(), only).await,
        };
        settle(storing.take(), tally, next_line).await?;
        let judged = match judged {
            Ok(judged) => judged,
            Err(rejection) => break Err(rejection),
        };
        earlier = judged.layer.clone();
        let path = path.clone();
        storing = Some(tokio::spawn(async move { pipeline::store(&path, judged).await }));
    };
    settle(storing.take(), tally, next_line).await?;
    ended
}

fn cut(service: &Service, only: Option<Kind>) -> Cut {
    let limits = &service.limits;
    Cut {
        line_bytes: limits.largest(only),
        stream_bytes: limits.stream_bytes,
        chunk_lines: limits.chunk_events,
        chunk_bytes: limits.chunk_bytes,
        idle: limits.idle,
        bytes_per_second: limits.stream_bytes_per_second,
    }
}

/// Waits for an append and counts what became of its lines.
async fn settle(storing: Option<Storing>, tally: &mut Tally, next_line: &mut u64) -> Result<(), Rejection> {
    let Some(storing) = storing else { return Ok(()) };
    let fates = storing.await.unwrap_or_else(|ended| Err(crate::service::broken(&ended)))?;
    for (line, fate) in fates {
        *next_line = line + 1;
        tally.count(line, fate);
    }
    Ok(())
}

impl Tally {
    fn count(&mut self, line: u64, fate: Fate) {
        match fate {
            Fate::Accepted { id, warnings, .. } => {
                self.accepted += 1;
                self.warned += u64::from(!warnings.is_empty());
                Warned::list(&mut self.warnings, id.0, &warnings, Some(line));
            }
            Fate::Duplicate { .. } => self.duplicates += 1,
            Fate::Refused(rejection) => {
                self.refused += 1;
                if self.failures.len() < LISTED_MAX {
                    self.failures.push(Failure::from(rejection.on_line(line)));
                }
            }
        }
    }
}
