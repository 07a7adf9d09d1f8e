//! A stream of lines: read piece by piece and cut into chunks of whole lines.
//!
//! Guarantees: a line that is too long is skipped, not kept; every other line that is not blank is in exactly one chunk, with its
//! number. A stream that is waited for must bring lines: blank ones, or many bytes of one, do not keep its place.

use std::time::{Duration, Instant};

use axum::body::Body;
use tokio::sync::mpsc;

use super::{Chunk, Part, drain, piece, slow};
use crate::rejection::{Detail, Reason, Rejection};

/// Most bytes taken from the network before the lines among them are looked at.
const SLICE_BYTES: usize = 65_536;

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
    /// Fewest lines per minute of waiting for them; blank ones do not count.
    pub lines_per_minute: u64,
}

/// How fast a stream comes. Only time spent waiting for it counts: while the log is busy nobody asks for more.
struct Pace {
    cut: Cut,
    waited: Duration,
    lines: u64,
}

impl Pace {
    /// Counts the lines that a wait has ended with; false: over a whole window they were too few.
    fn holds(&mut self, waited: Duration, lines: u64) -> bool {
        self.waited += waited;
        self.lines += lines;
        if self.waited < self.cut.idle {
            return true;
        }
        let (waited, lines) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.lines));
        let wanted = u128::from(self.cut.lines_per_minute) * waited.as_millis() / 60_000;
        self.cut.lines_per_minute == 0 || u128::from(lines) >= wanted.max(1)
    }
}

/// Reads a stream and hands out chunks of whole lines; waits while the receiver is busy. When it is gone, the rest is thrown away.
pub async fn read(mut body: Body, cut: Cut, chunks: mpsc::Sender<Result<Chunk, Rejection>>) {
    let mut splitter = Splitter::new(cut.line_bytes);
    let mut pace = Pace { cut, waited: Duration::ZERO, lines: 0 };
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
        let (waited, before) = (asked.elapsed(), splitter.found);
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
        if !pace.holds(waited, splitter.found - before) {
            break Err(slow());
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
    /// How many lines that are not blank were found.
    found: u64,
}

impl Splitter {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), parts: Vec::new(), begin: 0, line: 1, skipping: false, found: 0 }
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
        self.found += u64::from(self.begin < self.bytes.len() || self.skipping);
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
        let cut = Cut { line_bytes: 9, stream_bytes: 9, chunk_lines: 9, chunk_bytes: 9, idle, lines_per_minute: 200 };
        let mut pace = Pace { cut, waited: Duration::ZERO, lines: 0 };
        assert!(pace.holds(Duration::from_secs(29), 1), "the first window is not over");
        assert!(pace.holds(Duration::from_secs(1), 99));
        assert!(pace.holds(Duration::ZERO, 1_000_000) && pace.holds(Duration::from_secs(31), 1));
        // What came fast once does not pay for what comes slowly afterwards.
        assert!(pace.holds(Duration::from_secs(29), 1) && !pace.holds(Duration::from_secs(1), 98));
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_changes_nothing(input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b' ')], 0..60), pieces in 1..9_usize) {
            prop_assert_eq!(cut(&input, pieces, 5), cut(&input, 1000, 5));
        }
    }
}
