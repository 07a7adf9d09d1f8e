//! A stream of lines through the pipeline: the next chunk is read and judged while the one before it is being appended.
//!
//! Guarantees: chunks are appended one after another in their order; at most three are in memory; what the answer counts as
//! accepted stands durably in the log, also when the stream ends with a problem, which then says from where to go on: every line
//! before that one has been judged, is counted, and stands in the log unless it is listed as refused. A stream that has to make room for
//! another client ends in the same way.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use qamtu_schemas::Kind;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    answer::{Failure, LISTED_MAX, LineRange, Problem, REFUSED_RANGES_MAX, Tally, Warned},
    body::{
        self, Chunk,
        lines::{self, Cut},
    },
    panics::task_panicked,
    permits::Permit,
    pipeline::{self, Fate, Layer},
    rejection::{Detail, Language, Reason, Rejection},
    service::Service,
};

type Storing = JoinHandle<Result<Vec<(u64, Fate)>, Rejection>>;

/// Takes a stream of events; `only` one type, if given. What is refused is told in a language.
pub async fn take(
    service: &Arc<Service>,
    body: Body,
    only: Option<Kind>,
    (permit, language): (Permit, Language),
) -> Result<Response, Problem> {
    let mut stream = Stream { service, only, language, tally: Tally::default(), next_line: 1 };
    match stream.run(body, permit).await {
        Ok(()) => Ok(stream.tally.into_response()),
        Err(rejection) => {
            let rejection = Rejection { line: Some(stream.next_line), ..rejection };
            Err(Problem { before: Some(Box::new(stream.tally)), ..rejection.into() })
        }
    }
}

/// A stream that is being taken.
struct Stream<'a> {
    service: &'a Arc<Service>,
    only: Option<Kind>,
    language: Language,
    /// What became of the lines before `next_line`.
    tally: Tally,
    next_line: u64,
}

impl Stream<'_> {
    async fn run(&mut self, body: Body, permit: Permit) -> Result<(), Rejection> {
        let (sender, mut chunks) = mpsc::channel(1);
        let reading = self.service.beside(lines::read(body, self.cut(), sender));
        let ended = self.follow(&mut chunks, &permit).await;
        // What is still coming is thrown away beside the answer.
        drop((chunks, permit));
        drop(reading.await);
        ended
    }

    async fn follow(&mut self, chunks: &mut mpsc::Receiver<Result<Chunk, Rejection>>, permit: &Permit) -> Result<(), Rejection> {
        let path = self.service.path_of_running()?.clone();
        let mut earlier = Arc::new(Layer::default());
        let mut storing: Option<Storing> = None;
        let ended = loop {
            let chunk = tokio::select! {
                biased;
                () = self.service.cut() => Some(Err(Rejection::new(Reason::Stopping, Detail::Stopping))),
                () = permit.revoked() => Some(Err(body::revoked())),
                chunk = chunks.recv() => chunk,
            };
            let judged = match chunk {
                None => break Ok(()),
                Some(Err(rejection)) => break Err(rejection),
                Some(Ok(chunk)) => self.service.judge(chunk, earlier.clone(), self.only).await,
            };
            self.settle(storing.take(), permit).await?;
            let judged = match judged {
                Ok(judged) => judged,
                Err(rejection) => break Err(rejection),
            };
            earlier = judged.layer.clone();
            let path = path.clone();
            storing = Some(tokio::spawn(async move { pipeline::store(&path, judged).await }));
        };
        self.settle(storing.take(), permit).await?;
        ended
    }

    fn cut(&self) -> Cut {
        let limits = &self.service.limits;
        Cut {
            line_bytes: limits.largest(self.only),
            stream_bytes: limits.stream_bytes,
            chunk_lines: limits.chunk_events,
            chunk_bytes: limits.chunk_bytes,
            idle: limits.idle,
            lines_per_minute: if self.only.is_some() { limits.stream_rolls_per_minute } else { limits.stream_events_per_minute },
        }
    }

    /// Waits for an append and counts what became of its lines.
    async fn settle(&mut self, storing: Option<Storing>, permit: &Permit) -> Result<(), Rejection> {
        let Some(storing) = storing else { return Ok(()) };
        let fates = storing.await.unwrap_or_else(|ended| Err(task_panicked(&ended)))?;
        permit.judged(fates.iter().any(|(_, fate)| matches!(fate, Fate::Accepted { .. })));
        for (line, fate) in fates {
            self.next_line = line + 1;
            self.tally.count(line, fate, self.language);
        }
        if self.tally.refused_lines.len() > REFUSED_RANGES_MAX {
            return Err(Rejection::new(Reason::TooManyRefused, Detail::TooManyRefused));
        }
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, line: u64, fate: Fate, language: Language) {
        match fate {
            Fate::Accepted { id, warnings, .. } => {
                self.accepted += 1;
                self.warned += u64::from(!warnings.is_empty());
                Warned::list(&mut self.warnings, id.0, &warnings, Some(line));
            }
            Fate::Duplicate { .. } => self.duplicates += 1,
            Fate::Refused(rejection) => {
                self.refused += 1;
                match self.refused_lines.last_mut() {
                    Some(range) if range.last + 1 == line => range.last = line,
                    _ => self.refused_lines.push(LineRange { first: line, last: line }),
                }
                if self.failures.len() < LISTED_MAX {
                    self.failures.push(Failure::new(rejection.on_line(line), language));
                }
            }
        }
    }
}
