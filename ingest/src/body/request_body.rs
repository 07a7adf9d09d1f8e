//! The unparsed submissions of one request, in chunks: one chunk of a whole body, any number of a stream of lines.
//!
//! Guarantees: a stream ends early, with a refusal, when its permit is revoked or the service aborts streams. After [`RequestBody::close`]
//! the rest of its body is read and discarded in the background.

use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Chunk, permit_revoked};
use crate::{
    permits::Permit,
    rejection::{Detail, ProblemCode, Rejection},
};

/// What a refused event means for the others of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Nothing is stored if any event is refused.
    AllOrNothing,
    /// Valid events are stored.
    KeepGood,
}

/// How a body holds submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The body is one submission.
    One,
    /// A JSON array.
    Batch(OnError),
    /// A stream of lines; valid events are stored.
    Lines,
}

impl BodyKind {
    /// Whether nothing is stored if any submission is refused.
    pub const fn is_all_or_nothing(self) -> bool {
        matches!(self, Self::One | Self::Batch(OnError::AllOrNothing))
    }
}

/// The submissions of one request, and its permit to run.
pub struct RequestBody {
    /// How the body holds them.
    pub kind: BodyKind,
    source: ChunkSource,
    permit: Permit,
}

enum ChunkSource {
    /// `None` once it is taken.
    Whole(Option<Chunk>),
    Lines(LineChunks),
}

/// Chunks of lines from the task that reads them.
pub(crate) struct LineChunks {
    pub(crate) chunks: mpsc::Receiver<Result<Chunk, Rejection>>,
    pub(crate) reading: AbortOnDropHandle<()>,
    /// Cancelled when the service aborts streams.
    pub(crate) aborted: CancellationToken,
}

impl RequestBody {
    /// The submissions of a whole body.
    pub fn whole(kind: BodyKind, chunk: Chunk, permit: Permit) -> Self {
        Self { kind, source: ChunkSource::Whole(Some(chunk)), permit }
    }

    /// The submissions of a stream.
    pub(crate) fn lines(lines: LineChunks, permit: Permit) -> Self {
        Self { kind: BodyKind::Lines, source: ChunkSource::Lines(lines), permit }
    }

    /// The next chunk; `None` at the regular end.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Rejection> {
        let lines = match &mut self.source {
            ChunkSource::Whole(chunk) => return Ok(chunk.take()),
            ChunkSource::Lines(lines) => lines,
        };
        tokio::select! {
            biased;
            () = lines.aborted.cancelled() => Err(Rejection::new(ProblemCode::Stopping, Detail::Stopping)),
            () = self.permit.revoked() => Err(permit_revoked()),
            chunk = lines.chunks.recv() => chunk.transpose(),
        }
    }

    /// Records that a chunk was stored; `new` if any of its events was new.
    pub fn record_progress(&self, new: bool) {
        self.permit.record_progress(new);
    }

    /// Returns the permit, and waits until the reading task has passed the rest of the body to the background.
    pub async fn close(self) {
        drop(self.permit);
        if let ChunkSource::Lines(LineChunks { chunks, reading, .. }) = self.source {
            // Without a receiver the task drains the rest of the body in the background.
            drop(chunks);
            drop(reading.await);
        }
    }
}
