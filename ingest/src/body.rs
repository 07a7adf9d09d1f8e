//! Request to bytes: one whole body, or a stream cut into chunks of lines ([`lines`]).
//!
//! Guarantees: memory is bounded by the limits, whatever is sent and however well it compresses (bytes are counted after
//! decompression); a body that comes too slowly, too large or broken is refused with its own reason.

use std::{
    error::Error,
    ops::Range,
    time::{Duration, Instant},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;

use crate::{
    encoding::EncodingError,
    permits::Permit,
    rejection::{Detail, Reason, Rejection},
};

pub mod lines;

/// How much of a refused body is read and thrown away, and for how long: a client that is still sending when the connection closes
/// would not see the answer.
const DRAINED_BYTES: usize = 64 << 20;
const DRAINED_TIME: Duration = Duration::from_secs(2);

/// Submissions as bytes, with their places.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Bytes,
    /// The submissions in order.
    pub parts: Vec<Part>,
}

/// One submission of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Line number from 1 in a stream, index from 0 in a batch.
    pub place: u64,
    /// Where it stands in the chunk; none for a line that was too long to be kept.
    range: Option<Range<usize>>,
}

impl Chunk {
    /// A whole body as one submission.
    pub fn one(bytes: Bytes) -> Self {
        let range = Some(0..bytes.len());
        Self { bytes, parts: vec![Part { place: 0, range }] }
    }

    /// The elements of a batch, as ranges of its bytes.
    pub fn batch(bytes: Bytes, elements: Vec<Range<usize>>) -> Self {
        let parts = (0..).zip(elements).map(|(place, range)| Part { place, range: Some(range) }).collect();
        Self { bytes, parts }
    }

    /// The bytes of a submission, unless they were too many to be kept.
    pub fn bytes_of(&self, part: &Part) -> Option<&[u8]> {
        self.bytes.get(part.range.clone()?)
    }
}

/// Reads a whole body of at most `limit` bytes, within `time`, and only as long as nobody else needs its permit.
pub async fn whole(mut body: Body, limit: usize, time: Duration, permit: &Permit) -> Result<Bytes, Rejection> {
    let too_large = || Rejection::new(Reason::BodyTooLarge, Detail::BodyMax { bytes: limit });
    let announced = body.size_hint().lower();
    let read = async {
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = piece(&mut body).await? {
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
        read = tokio::time::timeout(time, read) => read.unwrap_or_else(|_| Err(slow())),
        () = permit.revoked() => return Err(revoked()),
    };
    permit.complete();
    if matches!(&read, Err(rejection) if rejection.reason == Reason::BodyTooLarge) {
        drain(&mut body).await;
    }
    read
}

/// The next bytes of a body; none at its proper end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Rejection> {
    loop {
        // Decoding may go on for long without waiting for anything.
        tokio::task::coop::consume_budget().await;
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(error)) => return Err(broken(&error)),
        }
    }
}

/// Why a body ended without its end.
fn broken(error: &axum::Error) -> Rejection {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        match cause.downcast_ref() {
            Some(EncodingError::Damaged(_)) => {
                return Rejection::new(Reason::InvalidCompression, Detail::CompressionDamaged);
            }
            Some(EncodingError::CutOff(_)) => {
                return Rejection::new(Reason::IncompleteBody, Detail::CompressionCutOff);
            }
            None => source = cause.source(),
        }
    }
    Rejection::new(Reason::IncompleteBody, Detail::BodyCutOff)
}

/// The refusal of a request that had to make room while its body was coming.
pub fn revoked() -> Rejection {
    Rejection::new(Reason::Overloaded, Detail::PermitRevoked)
}

/// Throws away what is still coming of a refused body, within bounds.
pub async fn drain(body: &mut Body) {
    let begun = Instant::now();
    let mut left = DRAINED_BYTES;
    while let Some(time) = DRAINED_TIME.checked_sub(begun.elapsed()) {
        match tokio::time::timeout(time, piece(body)).await {
            Ok(Ok(Some(piece))) if piece.len() <= left => left -= piece.len(),
            _ => return,
        }
    }
}

fn slow() -> Rejection {
    Rejection::new(Reason::SlowBody, Detail::BodySlow)
}
