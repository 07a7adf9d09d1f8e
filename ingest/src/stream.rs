//! Processes a stream of lines: the next chunk is read and validated while the previous one is appended.
//!
//! Guarantees: chunks are appended one after another, in order; at most three are in memory. `accepted` counts only durable events, also
//! when the stream ends with a problem. The problem names the first line that is not covered: every line before it has an outcome and is
//! in the log unless it is listed as refused. A stream whose permit is revoked ends in the same way.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use qamtu_schemas::Kind;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    app_state::AppState,
    body::{
        self, Chunk,
        lines::{self, StreamLimits},
    },
    panics::task_panicked,
    permits::Permit,
    pipeline::{self, Outcome, PendingState},
    rejection::{Detail, Language, ProblemCode, Rejection},
    response::{Problem, StreamSummary},
};

/// Most ranges of refused lines that a response lists; a stream with more of them ends with a problem.
const REFUSED_RANGES_MAX: usize = 100_000;

type AppendTask = JoinHandle<Result<Vec<(u64, Outcome)>, Rejection>>;

/// Stores the events of a stream and returns its summary. With `only`, events of any other type are refused. Details of refusals are
/// written in `language`.
pub async fn process(
    app: &Arc<AppState>,
    body: Body,
    only: Option<Kind>,
    (permit, language): (Permit, Language),
) -> Result<Response, Problem> {
    let mut stream = Stream { app, only, language, summary: StreamSummary::default(), next_line: 1 };
    match stream.run(body, permit).await {
        Ok(()) => Ok(stream.summary.into_response()),
        Err(rejection) => {
            let rejection = Rejection { line: Some(stream.next_line), ..rejection };
            Err(Problem { before: Some(Box::new(stream.summary)), ..rejection.into() })
        }
    }
}

/// A stream that is being processed.
struct Stream<'a> {
    app: &'a Arc<AppState>,
    only: Option<Kind>,
    language: Language,
    /// Outcomes of the lines before `next_line`.
    summary: StreamSummary,
    next_line: u64,
}

impl Stream<'_> {
    async fn run(&mut self, body: Body, permit: Permit) -> Result<(), Rejection> {
        let (sender, mut chunks) = mpsc::channel(1);
        let reading = self.app.spawn_helper(lines::read(body, self.limits(), sender));
        let result = self.process_chunks(&mut chunks, &permit).await;
        // Without a receiver the reader drains the rest of the body in the background.
        drop((chunks, permit));
        drop(reading.await);
        result
    }

    async fn process_chunks(&mut self, chunks: &mut mpsc::Receiver<Result<Chunk, Rejection>>, permit: &Permit) -> Result<(), Rejection> {
        let pipeline = self.app.running_pipeline()?.clone();
        let mut earlier = Arc::new(PendingState::default());
        let mut append: Option<AppendTask> = None;
        let result = loop {
            let chunk = tokio::select! {
                biased;
                () = self.app.streams_aborted() => Some(Err(Rejection::new(ProblemCode::Stopping, Detail::Stopping))),
                () = permit.revoked() => Some(Err(body::permit_revoked())),
                chunk = chunks.recv() => chunk,
            };
            let validated = match chunk {
                None => break Ok(()),
                Some(Err(rejection)) => break Err(rejection),
                Some(Ok(chunk)) => self.app.validate(chunk, earlier.clone(), self.only).await,
            };
            self.finish_append(append.take(), permit).await?;
            let validated = match validated {
                Ok(validated) => validated,
                Err(rejection) => break Err(rejection),
            };
            earlier = validated.pending.clone();
            let pipeline = pipeline.clone();
            append = Some(tokio::spawn(async move { pipeline::store(&pipeline, validated).await }));
        };
        self.finish_append(append.take(), permit).await?;
        result
    }

    fn limits(&self) -> StreamLimits {
        let limits = &self.app.limits;
        StreamLimits {
            line_bytes: limits.largest(self.only),
            stream_bytes: limits.stream_bytes,
            chunk_lines: limits.chunk_events,
            chunk_bytes: limits.chunk_bytes,
            idle: limits.idle,
            lines_per_minute: if self.only.is_some() { limits.stream_rolls_per_minute } else { limits.stream_events_per_minute },
        }
    }

    /// Waits for an append and adds the outcomes of its lines to the summary.
    async fn finish_append(&mut self, append: Option<AppendTask>, permit: &Permit) -> Result<(), Rejection> {
        let Some(append) = append else { return Ok(()) };
        let outcomes = append.await.unwrap_or_else(|error| Err(task_panicked(&error)))?;
        permit.record_progress(outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Accepted { .. })));
        for (line, outcome) in outcomes {
            self.next_line = line + 1;
            self.summary.add(line, outcome, self.language);
        }
        if self.summary.refused_lines.len() > REFUSED_RANGES_MAX {
            return Err(Rejection::new(ProblemCode::TooManyRefused, Detail::TooManyRefused));
        }
        Ok(())
    }
}
