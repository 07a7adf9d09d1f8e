//! Reads request bodies: whole ([`read_whole`], split by [`mod@array`]), or as a stream of chunks of lines ([`lines`]). The result is
//! [`RequestBody`], unparsed.
//!
//! Guarantees: memory is bounded by the limits, which count bytes after decompression. A body that is too slow, too large or incomplete
//! has a problem code of its own.

use std::{error::Error, ops::Range, time::Duration};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::{
    encoding::EncodingError,
    permits::Permit,
    rejection::{Detail, ProblemCode, Rejection},
};

pub mod array;
mod line_splitter;
pub mod lines;
mod request_body;

pub use line_splitter::ChunkLimits;
pub(crate) use request_body::LineChunks;
pub use request_body::{BodyKind, OnError, RequestBody};

/// Most bytes of a refused body that are read and discarded. Closing the connection while the client still sends would reset it, and the
/// client could lose the response.
pub const DRAINED_BYTES: usize = 64 << 20;
/// Longest time for which a refused body is read, see [`DRAINED_BYTES`].
pub const DRAINED_TIME: Duration = Duration::from_secs(2);

/// Unparsed submissions in one buffer.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// Place and byte range of each submission, in order.
    pub items: Vec<ChunkItem>,
}

/// One submission of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkItem {
    /// Where it is in the body of the request.
    pub place: Place,
    /// Byte range in the chunk; `None` for a line over the size limit, which is not buffered.
    range: Option<Range<usize>>,
}

/// Where a submission is in the body of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the whole body.
    Body,
    /// Index in a batch, from 0.
    Index(u64),
    /// Line of a stream, from 1.
    Line(u64),
}

impl Place {
    /// The line, if it is one.
    pub const fn line(self) -> Option<u64> {
        if let Self::Line(line) = self { Some(line) } else { None }
    }

    /// The refusal of the submission at this place: its JSON pointer leads into the batch, or it names its line.
    pub fn locate(self, rejection: Rejection) -> Rejection {
        match self {
            Self::Body => rejection,
            Self::Index(index) => rejection.within(&format!("/{index}")),
            Self::Line(line) => rejection.on_line(line),
        }
    }
}

impl Chunk {
    /// A whole body as one submission.
    pub fn one(bytes: Bytes) -> Self {
        let range = Some(0..bytes.len());
        Self { bytes, items: vec![ChunkItem { place: Place::Body, range }] }
    }

    /// A JSON batch, given the byte ranges of its elements.
    pub fn batch(bytes: Bytes, elements: Vec<Range<usize>>) -> Self {
        let items = (0..).zip(elements).map(|(index, range)| ChunkItem { place: Place::Index(index), range: Some(range) }).collect();
        Self { bytes, items }
    }

    /// The bytes of a submission; `None` for a line over the size limit.
    pub fn bytes_of(&self, item: &ChunkItem) -> Option<&[u8]> {
        self.bytes.get(item.range.clone()?)
    }
}

/// Reads a whole body of at most `limit` bytes within `time`; fails early if `permit` is revoked.
pub async fn read_whole(mut body: Body, limit: usize, time: Duration, permit: &Permit) -> Result<Bytes, Rejection> {
    let too_large = || Rejection::new(ProblemCode::BodyTooLarge, Detail::BodyMax { bytes: limit });
    let announced = body.size_hint().lower();
    let read = async {
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = next_data(&mut body).await? {
            permit.received(piece.len());
            if bytes.len() + piece.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Bytes::from(bytes))
    };
    let read = tokio::select! {
        biased;
        read = tokio::time::timeout(time, read) => read.unwrap_or_else(|_| Err(too_slow())),
        () = permit.revoked() => Err(permit_revoked()),
    };
    match &read {
        Ok(_) => permit.complete(),
        Err(_) => drain(body),
    }
    read
}

/// The next bytes of a body; `None` at its regular end.
async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Rejection> {
    loop {
        // Decompression can produce data for a long time without an await that waits; this yields to other tasks.
        tokio::task::coop::consume_budget().await;
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => return Err(body_error(&error)),
        }
    }
}

/// The refusal for a body that could not be read to its end.
fn body_error(error: &axum::Error) -> Rejection {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(EncodingError::Corrupt(_)) => {
                return Rejection::new(ProblemCode::InvalidCompression, Detail::CompressionDamaged);
            }
            Some(EncodingError::Truncated(_)) => {
                return Rejection::new(ProblemCode::IncompleteBody, Detail::CompressionCutOff);
            }
            None => source = cause.source(),
        }
    }
    Rejection::new(ProblemCode::IncompleteBody, Detail::BodyCutOff)
}

/// The refusal (503) of a request whose permit was revoked before its body was complete.
pub fn permit_revoked() -> Rejection {
    Rejection::new(ProblemCode::Overloaded, Detail::PermitRevoked)
}

/// Reads and discards the rest of a refused body in the background, up to [`DRAINED_BYTES`] and [`DRAINED_TIME`], so that the client gets
/// the response. Keeps the connection open until the time is over.
pub fn drain(mut body: Body) {
    tokio::spawn(async move {
        let end = tokio::time::Instant::now() + DRAINED_TIME;
        let mut left = DRAINED_BYTES;
        while let Ok(Ok(Some(piece))) = tokio::time::timeout_at(end, next_data(&mut body)).await {
            let Some(remaining) = left.checked_sub(piece.len()) else { break };
            left = remaining;
        }
        tokio::time::sleep_until(end).await;
    });
}

fn too_slow() -> Rejection {
    Rejection::new(ProblemCode::SlowBody, Detail::BodySlow)
}
