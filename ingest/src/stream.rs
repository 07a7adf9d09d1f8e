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
    rejection::{Detail, Language, Reason, Rejection},
    service::Service,
};

type Storing = JoinHandle<Result<Vec<(u64, Fate)>, Rejection>>;

/// Takes a stream of events; `only` one type, if given. What is refused is told in a language.
pub async fn take(service: &Arc<Service>, body: Body, only: Option<Kind>, language: Language) -> Result<Response, Problem> {
    let mut progress = Progress { tally: Tally::default(), next_line: 1, language };
    match run(service, body, only, &mut progress).await {
        Ok(()) => Ok(progress.tally.into_response()),
        Err(rejection) => {
            let rejection = Rejection { line: Some(progress.next_line), ..rejection };
            Err(Problem { before: Some(Box::new(progress.tally)), ..rejection.into() })
        }
    }
}

/// How far a stream has come.
struct Progress {
    tally: Tally,
    /// The line after the last one whose fate is known.
    next_line: u64,
    language: Language,
}

async fn run(service: &Arc<Service>, body: Body, only: Option<Kind>, progress: &mut Progress) -> Result<(), Rejection> {
    let (sender, mut chunks) = mpsc::channel(1);
    let reading = service.beside(body::lines(body, cut(service, only), sender));
    let ended = follow(service, &mut chunks, only, progress).await;
    // Whoever is still sending sees the answer only after the rest has been taken off the line.
    drop(chunks);
    drop(reading.await);
    ended
}

async fn follow(
    service: &Arc<Service>,
    chunks: &mut mpsc::Receiver<Result<Chunk, Rejection>>,
    only: Option<Kind>,
    progress: &mut Progress,
) -> Result<(), Rejection> {
    let path = service.path_of_running()?.clone();
    let mut earlier = Arc::new(Layer::default());
    let mut storing: Option<Storing> = None;
    let ended = loop {
        let chunk = tokio::select! {
            biased;
            () = service.cut() => Some(Err(Rejection::new(Reason::Stopping, Detail::Stopping))),
            chunk = chunks.recv() => chunk,
        };
        let judged = match chunk {
            None => break Ok(()),
            Some(Err(rejection)) => break Err(rejection),
            Some(Ok(chunk)) => service.judge(chunk, earlier.clone(), only).await,
        };
        settle(storing.take(), progress).await?;
        let judged = match judged {
            Ok(judged) => judged,
            Err(rejection) => break Err(rejection),
        };
        earlier = judged.layer.clone();
        let path = path.clone();
        storing = Some(tokio::spawn(async move { pipeline::store(&path, judged).await }));
    };
    settle(storing.take(), progress).await?;
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
async fn settle(storing: Option<Storing>, progress: &mut Progress) -> Result<(), Rejection> {
    let Some(storing) = storing else { return Ok(()) };
    let fates = storing.await.unwrap_or_else(|ended| Err(crate::service::broken(&ended)))?;
    for (line, fate) in fates {
        progress.next_line = line + 1;
        progress.tally.count(line, fate, progress.language);
    }
    Ok(())
}

impl Tally {
    fn count(&mut self, line: u64, fate: Fate, language: Language) {
        match fate {
            Fate::Accepted { id, warning, .. } => {
                self.accepted += 1;
                if let Some(warning) = warning {
                    self.warned += 1;
                    if self.warnings.len() < LISTED_MAX {
                        self.warnings.push(Warned::new(id.0, warning, Some(line)));
                    }
                }
            }
            Fate::Duplicate { .. } => self.duplicates += 1,
            Fate::Refused(rejection) => {
                self.refused += 1;
                if self.failures.len() < LISTED_MAX {
                    self.failures.push(Failure::new(rejection.on_line(line), language));
                }
            }
        }
    }
}
