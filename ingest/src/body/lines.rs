//! A stream of lines: read piece by piece and cut into chunks of whole lines.
//!
//! Guarantees: a line that is too long is skipped, not kept; every other line that is not blank is in exactly one chunk, with its
//! number, at the latest [`LINGER`] after it came. A stream that is waited for must bring lines: blank ones, or many bytes of one, do
//! not keep its place. Nor may it be long without them, since blank lines cost nothing to send when they are compressed.

use std::time::{Duration, Instant};

use axum::body::Body;
use tokio::sync::mpsc;

use super::{Chunk, Part, drain, piece, slow};
use crate::rejection::{Detail, Reason, Rejection};

/// Most bytes taken from the network before the lines among them are looked at.
const SLICE_BYTES: usize = 65_536;

/// Longest wait of a line for others of its chunk: a slow stream is judged and stored while it comes.
const LINGER: Duration = Duration::from_secs(1);

/// How many times the largest line may lie between two events in lines that are too long, which may be a mistake in a good stream. Blank
/// lines, each of which costs more, may have as many bytes as one line.
const LONG_FACTOR: usize = 64;

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
    let (mut total, mut silent) = (0_u64, Duration::ZERO);
    let ended = 'reading: loop {
        let asked = Instant::now();
        let (left, linger) = (cut.idle.saturating_sub(silent), splitter.linger());
        let next = tokio::select! {
            () = chunks.closed() => return drain(body),
            next = tokio::time::timeout(linger.map_or(left, |linger| linger.min(left)), piece(&mut body)) => next,
        };
        let waited = silent + asked.elapsed();
        let piece = match next {
            Err(_) if waited >= cut.idle => break Err(slow()),
            Err(_) => {
                silent = waited;
                if splitter.is_due(&cut) && chunks.send(Ok(splitter.take())).await.is_err() {
                    return drain(body);
                }
                continue;
            }
            Ok(Err(rejection)) => break Err(rejection),
            Ok(Ok(None)) => break Ok(()),
            Ok(Ok(Some(piece))) => piece,
        };
        silent = Duration::ZERO;
        let before = splitter.found;
        total += piece.len() as u64;
        if total > cut.stream_bytes {
            break Err(Rejection::new(Reason::BodyTooLarge, Detail::StreamMax { bytes: cut.stream_bytes }));
        }
        for slice in piece.chunks(SLICE_BYTES) {
            splitter.feed(slice);
            if splitter.is_due(&cut) && chunks.send(Ok(splitter.take())).await.is_err() {
                return drain(body);
            }
            if let Err(rejection) = splitter.check_gap() {
                break 'reading Err(rejection);
            }
        }
        if !pace.holds(waited, splitter.found - before) {
            break Err(slow());
        }
    };
    // After a failure the lines of the unfinished chunk are left out: nothing was said about them, and they are sent again.
    let last = ended.map(|()| splitter.end());
    if last.is_err() {
        drain(body);
    }
    if !matches!(&last, Ok(chunk) if chunk.parts.is_empty()) {
        drop(chunks.send(last).await);
    }
}

/// Cuts bytes into lines; empty ones count, but are left out.
struct Splitter {
    limit: usize,
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// When the first of them came.
    first: Option<Instant>,
    /// Bytes of blank lines since the last line that was kept.
    blank: usize,
    /// Bytes of lines that are too long since then.
    long: usize,
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
        Self { limit, bytes: Vec::new(), parts: Vec::new(), first: None, blank: 0, long: 0, begin: 0, line: 1, skipping: false, found: 0 }
    }

    /// Refuses a stream that has been without an event for too many bytes.
    fn check_gap(&self) -> Result<(), Rejection> {
        let (blank, long) = (self.limit, self.limit.saturating_mul(LONG_FACTOR));
        if self.blank <= blank && self.long <= long {
            return Ok(());
        }
        Err(Rejection::new(Reason::BodyTooLarge, Detail::GapMax { blank, long }))
    }

    /// How long the lines so far may still wait for others; none if there are none.
    fn linger(&self) -> Option<Duration> {
        self.first.map(|first| LINGER.saturating_sub(first.elapsed()))
    }

    /// Are there lines, and enough of them or old enough to be handed out?
    fn is_due(&self, cut: &Cut) -> bool {
        let is_full = self.parts.len() >= cut.chunk_lines || self.bytes.len() >= cut.chunk_bytes;
        self.linger().is_some_and(|linger| is_full || linger.is_zero())
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
            self.long += self.bytes.len() - self.begin;
            self.bytes.truncate(self.begin);
        }
        if self.skipping {
            self.long += piece.len();
        } else {
            self.bytes.extend_from_slice(piece);
        }
    }

    fn close(&mut self) {
        let range = self.begin..self.bytes.len();
        if self.skipping {
            self.parts.push(Part { place: self.line, range: None });
        } else if self.bytes[range.clone()].iter().all(u8::is_ascii_whitespace) {
            self.blank += range.len() + 1;
            self.bytes.truncate(self.begin);
        } else {
            (self.blank, self.long) = (0, 0);
            self.parts.push(Part { place: self.line, range: Some(range) });
        }
        if !self.parts.is_empty() {
            self.first.get_or_insert_with(Instant::now);
        }
        self.found += u64::from(self.begin < self.bytes.len() || self.skipping);
        self.begin = self.bytes.len();
        self.skipping = false;
        self.line += 1;
    }

    /// The whole lines so far; the unfinished one stays.
    fn take(&mut self) -> Chunk {
        let rest = self.bytes.split_off(self.begin);
        (self.begin, self.first) = (0, None);
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

    #[test]
    fn bytes_without_an_event_are_counted_from_the_last_one_on() {
        let mut splitter = Splitter::new(4);
        let mut fed = |text: &str| {
            splitter.feed(text.as_bytes());
            (splitter.blank, splitter.long)
        };
        assert_eq!([fed("\n \n"), fed(" "), fed("\n"), fed("ab\n")], [(3, 0), (3, 0), (5, 0), (0, 0)]);
        assert_eq!(
            [fed("abcd"), fed("ef"), fed("ghi"), fed("\n\n"), fed("a"), fed("\n")],
            [(0, 0), (0, 6), (0, 9), (1, 9), (1, 9), (0, 0)]
        );
    }

    #[tokio::test]
    async fn a_stream_ends_where_too_much_lies_between_two_events() {
        let read_all = async |text: String| {
            let idle = Duration::from_secs(30);
            let cut = Cut { line_bytes: 1000, stream_bytes: 1 << 30, chunk_lines: 9, chunk_bytes: 9, idle, lines_per_minute: 0 };
            let (sender, mut chunks) = mpsc::channel(1);
            let reading = tokio::spawn(read(Body::from(text), cut, sender));
            let (mut lines, mut ended) = (0, None);
            while let Some(chunk) = chunks.recv().await {
                match chunk {
                    Ok(chunk) => lines += chunk.parts.len(),
                    Err(rejection) => ended = Some((rejection.reason, rejection.detail)),
                }
            }
            reading.await.unwrap();
            (lines, ended)
        };
        let (blank, refused) = ("\n".repeat(1000), Some((Reason::BodyTooLarge, Detail::GapMax { blank: 1000, long: 64_000 })));
        assert_eq!(read_all(format!("a\n{blank}b\n{blank}c")).await, (3, None));
        // The line before is in no chunk yet: nothing is said about it, and it is sent again.
        assert_eq!(read_all(format!("a\n{}", blank.repeat(2))).await, (0, refused.clone()));
        assert_eq!(read_all(format!("a\n{}\nb", "x".repeat(64_000))).await, (3, None));
        assert_eq!(read_all(format!("a\n{}\nb", "x".repeat(70_000))).await.1, refused);
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_changes_nothing(input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b' ')], 0..60), pieces in 1..9_usize) {
            prop_assert_eq!(cut(&input, pieces, 5), cut(&input, 1000, 5));
        }
    }
}
