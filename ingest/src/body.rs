//! Request to bytes: one whole body, or a stream cut into chunks of lines.
//!
//! Guarantees: memory is bounded by the limits, whatever is sent and however well it compresses (bytes are counted after
//! decompression); a body that comes too slowly, too large or broken is refused with its own reason. A line that is too long is
//! skipped, not kept.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use crate::rejection::{Detail, Reason, Rejection};

/// Most bytes taken from the network before the lines among them are looked at.
const SLICE_BYTES: usize = 65_536;

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

/// Reads a whole body of at most `limit` bytes, within `time`.
pub async fn whole(mut body: Body, limit: usize, time: Duration) -> Result<Bytes, Rejection> {
    let too_large = || Rejection::new(Reason::BodyTooLarge, Detail::BodyMax { bytes: limit });
    let announced = body.size_hint().lower();
    let read = async {
        if announced > limit as u64 {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = piece(&mut body).await? {
            if bytes.len() + piece.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Bytes::from(bytes))
    };
    let read = tokio::time::timeout(time, read).await.unwrap_or_else(|_| Err(slow()));
    if matches!(&read, Err(rejection) if rejection.reason == Reason::BodyTooLarge) {
        drain(&mut body).await;
    }
    read
}

/// The next bytes of a body; none at its proper end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Rejection> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(Rejection::new(Reason::IncompleteBody, Detail::BodyBroken));
            }
        }
    }
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

/// How a stream is cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Longest line.
    pub line_bytes: usize,
    /// Longest stream.
    pub stream_bytes: u64,
    /// Lines after which a chunk is full.
    pub chunk_lines: usize,
    /// Bytes after which a chunk is full.
    pub chunk_bytes: usize,
    /// Longest wait for the next bytes; also the time over which the rate is measured.
    pub idle: Duration,
    /// Fewest bytes per second of waiting for them.
    pub bytes_per_second: u64,
}

/// How fast a stream comes. Only time spent waiting for it counts: while the log is busy nobody asks for more.
struct Pace {
    cut: Cut,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Counts what came after a wait; false: over a whole window it was too little.
    fn holds(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < self.cut.idle {
            return true;
        }
        let (waited, bytes) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.bytes));
        u128::from(bytes) * 1000 >= u128::from(self.cut.bytes_per_second) * waited.as_millis()
    }
}

/// Reads a stream and hands out chunks of whole lines; waits while the receiver is busy. When it is gone, the rest is thrown away.
pub async fn lines(mut body: Body, cut: Cut, chunks: mpsc::Sender<Result<Chunk, Rejection>>) {
    let mut splitter = Splitter::new(cut.line_bytes);
    let mut pace = Pace { cut, waited: Duration::ZERO, bytes: 0 };
    let mut total = 0_u64;
    let ended = loop {
        let asked = Instant::now();
        let next = tokio::select! {
            () = chunks.closed() => return drain(&mut body).await,
            next = tokio::time::timeout(cut.idle, piece(&mut body)) => next,
        };
        let piece = match next {
            Err(_) => break Err(slow()),
            Ok(Err(rejection)) => break Err(rejection),
            Ok(Ok(None)) => break Ok(()),
            Ok(Ok(Some(piece))) => piece,
        };
        if !pace.holds(asked.elapsed(), piece.len()) {
            break Err(slow());
        }
        total += piece.len() as u64;
        if total > cut.stream_bytes {
            break Err(Rejection::new(Reason::BodyTooLarge, Detail::StreamMax { bytes: cut.stream_bytes }));
        }
        for slice in piece.chunks(SLICE_BYTES) {
            splitter.feed(slice);
            if splitter.parts.len() < cut.chunk_lines && splitter.bytes.len() < cut.chunk_bytes || splitter.parts.is_empty() {
                continue;
            }
            if chunks.send(Ok(splitter.take())).await.is_err() {
                return drain(&mut body).await;
            }
        }
    };
    // After a failure the lines of the unfinished chunk are left out: nothing was said about them, and they are sent again.
    let last = ended.map(|()| splitter.end());
    if !matches!(&last, Ok(chunk) if chunk.parts.is_empty()) {
        drop(chunks.send(last).await);
    }
}

/// Cuts bytes into lines; empty ones count, but are left out.
struct Splitter {
    limit: usize,
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// Where the line being read begins.
    begin: usize,
    /// Its number.
    line: u64,
    /// It is too long already: the rest of it is dropped.
    skipping: bool,
}

impl Splitter {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), parts: Vec::new(), begin: 0, line: 1, skipping: false }
    }

    fn feed(&mut self, mut input: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', input) {
            self.extend(&input[..end]);
            self.close();
            input = &input[end + 1..];
        }
        self.extend(input);
    }

    fn extend(&mut self, piece: &[u8]) {
        if !self.skipping && self.bytes.len() - self.begin + piece.len() > self.limit {
            self.skipping = true;
            self.bytes.truncate(self.begin);
        }
        if !self.skipping {
            self.bytes.extend_from_slice(piece);
        }
    }

    fn close(&mut self) {
        let range = self.begin..self.bytes.len();
        if self.skipping {
            self.parts.push(Part { place: self.line, range: None });
        } else if self.bytes[range.clone()].iter().all(u8::is_ascii_whitespace) {
            self.bytes.truncate(self.begin);
        } else {
            self.parts.push(Part { place: self.line, range: Some(range) });
        }
        self.begin = self.bytes.len();
        self.skipping = false;
        self.line += 1;
    }

    /// The whole lines so far; the unfinished one stays.
    fn take(&mut self) -> Chunk {
        let rest = self.bytes.split_off(self.begin);
        self.begin = 0;
        Chunk { bytes: std::mem::replace(&mut self.bytes, rest).into(), parts: std::mem::take(&mut self.parts) }
    }

    /// The last lines, the last of which needs no line feed.
    fn end(mut self) -> Chunk {
        self.close();
        self.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(input: &[u8], pieces: usize, limit: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut splitter = Splitter::new(limit);
        let mut found = Vec::new();
        let mut collect =
            |chunk: Chunk| found.extend(chunk.parts.iter().map(|part| (part.place, chunk.bytes_of(part).map(<[u8]>::to_vec))));
        for piece in input.chunks(pieces) {
            splitter.feed(piece);
            collect(splitter.take());
        }
        collect(splitter.end());
        found
    }

    #[test]
    fn lines_are_numbered_and_long_ones_skipped() {
        let found = cut(b"a\n\n \r\nbb\nccc\ndd", 2, 2);
        let text = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(found, [(1, text("a")), (4, text("bb")), (5, None), (6, text("dd"))]);
    }

    #[test]
    fn a_stream_is_too_slow_when_a_whole_window_of_waiting_brought_too_little() {
        let idle = Duration::from_secs(30);
        let cut = Cut { line_bytes: 9, stream_bytes: 9, chunk_lines: 9, chunk_bytes: 9, idle, bytes_per_second: 100 };
        let mut pace = Pace { cut, waited: Duration::ZERO, bytes: 0 };
        assert!(pace.holds(Duration::from_secs(29), 1), "the first window is not over");
        assert!(pace.holds(Duration::from_secs(1), 2999));
        assert!(pace.holds(Duration::ZERO, 1_000_000) && pace.holds(Duration::from_secs(31), 1));
        // What came fast once does not pay for what comes slowly afterwards.
        assert!(pace.holds(Duration::from_secs(29), 1) && !pace.holds(Duration::from_secs(1), 2998));
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_changes_nothing(input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b' ')], 0..60), pieces in 1..9_usize) {
            prop_assert_eq!(cut(&input, pieces, 5), cut(&input, 1000, 5));
        }
    }
}
