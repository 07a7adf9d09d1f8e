//! Reads a stream of lines and groups whole lines into chunks.
//!
//! Guarantees: every line that is not blank is in exactly one chunk, with its number, at most [`CHUNK_MAX_AGE`] after it arrived; a line
//! over the size limit is not buffered. The rate limit counts non-blank lines, not bytes. The number of bytes between two events is
//! limited too, because blank lines cost the sender nothing when they are compressed.

use std::time::{Duration, Instant};

use axum::body::Body;
use tokio::sync::mpsc;

use super::{Chunk, ChunkItem, drain, next_data, too_slow};
use crate::rejection::{Detail, ProblemCode, Rejection};

/// Most bytes that are split into lines before full chunks are sent.
const SLICE_BYTES: usize = 65_536;

/// Longest time that a line waits for its chunk to fill, so that the events of a slow stream are stored while it runs.
const CHUNK_MAX_AGE: Duration = Duration::from_secs(1);

/// Limit of the bytes in too long lines between two events, as a multiple of the line limit: a valid stream may hold such lines by
/// mistake. For blank lines, which cost more per byte, the limit is one line.
const LONG_FACTOR: usize = 64;

/// Limits of a stream and of its chunks.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Most bytes of one line.
    pub line_bytes: usize,
    /// Most bytes of the stream, after decompression.
    pub stream_bytes: u64,
    /// Number of lines at which a chunk is sent.
    pub chunk_lines: usize,
    /// Number of bytes at which a chunk is sent.
    pub chunk_bytes: usize,
    /// Longest wait for the next bytes; also the interval over which the rate is measured.
    pub idle: Duration,
    /// Fewest non-blank lines per minute of waiting; 0 for no limit.
    pub lines_per_minute: u64,
}

/// Measures lines per minute. Only time spent waiting for the client counts, not the time for validation and appends.
struct RateMeter {
    limits: StreamLimits,
    waited: Duration,
    lines: u64,
}

impl RateMeter {
    /// Records `lines` that arrived after a wait; false if a whole interval brought too few.
    fn is_fast_enough(&mut self, waited: Duration, lines: u64) -> bool {
        self.waited += waited;
        self.lines += lines;
        if self.waited < self.limits.idle {
            return true;
        }
        let (waited, lines) = (std::mem::take(&mut self.waited), std::mem::take(&mut self.lines));
        let wanted = u128::from(self.limits.lines_per_minute) * waited.as_millis() / 60_000;
        self.limits.lines_per_minute == 0 || u128::from(lines) >= wanted.max(1)
    }
}

/// Reads a stream and sends chunks of whole lines, then an error if the stream is refused. Waits while the channel is full; drains the
/// body if the receiver is dropped.
pub async fn read(mut body: Body, limits: StreamLimits, chunks: mpsc::Sender<Result<Chunk, Rejection>>) {
    let mut splitter = LineSplitter::new(limits.line_bytes);
    let mut rate = RateMeter { limits, waited: Duration::ZERO, lines: 0 };
    let (mut total, mut silent) = (0_u64, Duration::ZERO);
    let result = 'reading: loop {
        let wait_begun = Instant::now();
        let (left, time_left) = (limits.idle.saturating_sub(silent), splitter.time_left());
        let next = tokio::select! {
            () = chunks.closed() => return drain(body),
            next = tokio::time::timeout(time_left.map_or(left, |time_left| time_left.min(left)), next_data(&mut body)) => next,
        };
        let waited = silent + wait_begun.elapsed();
        let piece = match next {
            Err(_) if waited >= limits.idle => break Err(too_slow()),
            Err(_) => {
                silent = waited;
                if splitter.is_due(&limits) && chunks.send(Ok(splitter.take())).await.is_err() {
                    return drain(body);
                }
                continue;
            }
            Ok(Err(rejection)) => break Err(rejection),
            Ok(Ok(None)) => break Ok(()),
            Ok(Ok(Some(piece))) => piece,
        };
        silent = Duration::ZERO;
        let before = splitter.lines_found;
        total += piece.len() as u64;
        if total > limits.stream_bytes {
            break Err(Rejection::new(ProblemCode::BodyTooLarge, Detail::StreamMax { bytes: limits.stream_bytes }));
        }
        for slice in piece.chunks(SLICE_BYTES) {
            splitter.feed(slice);
            if splitter.is_due(&limits) && chunks.send(Ok(splitter.take())).await.is_err() {
                return drain(body);
            }
            if let Err(rejection) = splitter.check_gap() {
                break 'reading Err(rejection);
            }
        }
        if !rate.is_fast_enough(waited, splitter.lines_found - before) {
            break Err(too_slow());
        }
    };
    // After a failure the unfinished chunk is discarded: its lines have no outcome, and the client sends them again.
    let last = result.map(|()| splitter.end());
    if last.is_err() {
        drain(body);
    }
    if !matches!(&last, Ok(chunk) if chunk.items.is_empty()) {
        drop(chunks.send(last).await);
    }
}

/// Splits bytes into lines; blank lines are numbered but not part of a chunk.
struct LineSplitter {
    limit: usize,
    bytes: Vec<u8>,
    items: Vec<ChunkItem>,
    /// When the first item of the chunk arrived.
    first_at: Option<Instant>,
    /// Bytes of blank lines since the last event.
    blank_bytes: usize,
    /// Bytes of lines over the limit since the last event.
    long_bytes: usize,
    /// Index in `bytes` where the current line begins.
    begin: usize,
    /// Number of the current line, from 1.
    line_number: u64,
    /// The current line is over the limit: the rest of it is dropped.
    skipping: bool,
    /// Number of non-blank lines so far.
    lines_found: u64,
}

impl LineSplitter {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: Vec::new(),
            items: Vec::new(),
            first_at: None,
            blank_bytes: 0,
            long_bytes: 0,
            begin: 0,
            line_number: 1,
            skipping: false,
            lines_found: 0,
        }
    }

    /// Refuses a stream with too many bytes between two events.
    fn check_gap(&self) -> Result<(), Rejection> {
        let (blank, long) = (self.limit, self.limit.saturating_mul(LONG_FACTOR));
        if self.blank_bytes <= blank && self.long_bytes <= long {
            return Ok(());
        }
        Err(Rejection::new(ProblemCode::BodyTooLarge, Detail::GapMax { blank, long }))
    }

    /// Time until the chunk must be sent; `None` if it is empty.
    fn time_left(&self) -> Option<Duration> {
        self.first_at.map(|first| CHUNK_MAX_AGE.saturating_sub(first.elapsed()))
    }

    /// Whether the chunk is not empty, and full or old enough to be sent.
    fn is_due(&self, limits: &StreamLimits) -> bool {
        let is_full = self.items.len() >= limits.chunk_lines || self.bytes.len() >= limits.chunk_bytes;
        self.time_left().is_some_and(|time_left| is_full || time_left.is_zero())
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
            self.long_bytes += self.bytes.len() - self.begin;
            self.bytes.truncate(self.begin);
        }
        if self.skipping {
            self.long_bytes += piece.len();
        } else {
            self.bytes.extend_from_slice(piece);
        }
    }

    fn close(&mut self) {
        let range = self.begin..self.bytes.len();
        if self.skipping {
            self.items.push(ChunkItem { position: self.line_number, range: None });
        } else if self.bytes[range.clone()].iter().all(u8::is_ascii_whitespace) {
            self.blank_bytes += range.len() + 1;
            self.bytes.truncate(self.begin);
        } else {
            (self.blank_bytes, self.long_bytes) = (0, 0);
            self.items.push(ChunkItem { position: self.line_number, range: Some(range) });
        }
        if !self.items.is_empty() {
            self.first_at.get_or_insert_with(Instant::now);
        }
        self.lines_found += u64::from(self.begin < self.bytes.len() || self.skipping);
        self.begin = self.bytes.len();
        self.skipping = false;
        self.line_number += 1;
    }

    /// The complete lines so far; the current line stays.
    fn take(&mut self) -> Chunk {
        let unfinished = self.bytes.split_off(self.begin);
        (self.begin, self.first_at) = (0, None);
        Chunk { bytes: std::mem::replace(&mut self.bytes, unfinished).into(), items: std::mem::take(&mut self.items) }
    }

    /// The last lines; the last one needs no line feed.
    fn end(mut self) -> Chunk {
        self.close();
        self.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(input: &[u8], pieces: usize, limit: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut splitter = LineSplitter::new(limit);
        let mut items = Vec::new();
        let mut collect =
            |chunk: Chunk| items.extend(chunk.items.iter().map(|item| (item.position, chunk.bytes_of(item).map(<[u8]>::to_vec))));
        for piece in input.chunks(pieces) {
            splitter.feed(piece);
            collect(splitter.take());
        }
        collect(splitter.end());
        items
    }

    #[test]
    fn lines_are_numbered_and_long_ones_skipped() {
        let items = split(b"a\n\n \r\nbb\nccc\ndd", 2, 2);
        let text = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(items, [(1, text("a")), (4, text("bb")), (5, None), (6, text("dd"))]);
    }

    #[test]
    fn a_stream_is_too_slow_when_a_whole_interval_of_waiting_brought_too_few_lines() {
        let idle = Duration::from_secs(30);
        let limits = StreamLimits { line_bytes: 9, stream_bytes: 9, chunk_lines: 9, chunk_bytes: 9, idle, lines_per_minute: 200 };
        let mut rate = RateMeter { limits, waited: Duration::ZERO, lines: 0 };
        assert!(rate.is_fast_enough(Duration::from_secs(29), 1), "the first interval is not over");
        assert!(rate.is_fast_enough(Duration::from_secs(1), 99));
        assert!(rate.is_fast_enough(Duration::ZERO, 1_000_000) && rate.is_fast_enough(Duration::from_secs(31), 1));
        // Each interval counts on its own.
        assert!(rate.is_fast_enough(Duration::from_secs(29), 1) && !rate.is_fast_enough(Duration::from_secs(1), 98));
    }

    #[test]
    fn bytes_without_an_event_are_counted_from_the_last_one_on() {
        let mut splitter = LineSplitter::new(4);
        let mut fed = |text: &str| {
            splitter.feed(text.as_bytes());
            (splitter.blank_bytes, splitter.long_bytes)
        };
        assert_eq!([fed("\n \n"), fed(" "), fed("\n"), fed("ab\n")], [(3, 0), (3, 0), (5, 0), (0, 0)]);
        assert_eq!(
            [fed("abcd"), fed("ef"), fed("ghi"), fed("\n\n"), fed("a"), fed("\n")],
            [(0, 0), (0, 6), (0, 9), (1, 9), (1, 9), (0, 0)]
        );
    }

    #[tokio::test]
    async fn a_stream_with_too_many_bytes_between_two_events_is_refused() {
        let read_all = async |text: String| {
            let idle = Duration::from_secs(30);
            let limits =
                StreamLimits { line_bytes: 1000, stream_bytes: 1 << 30, chunk_lines: 9, chunk_bytes: 9, idle, lines_per_minute: 0 };
            let (sender, mut chunks) = mpsc::channel(1);
            let reading = tokio::spawn(read(Body::from(text), limits, sender));
            let (mut lines, mut refusal) = (0, None);
            while let Some(chunk) = chunks.recv().await {
                match chunk {
                    Ok(chunk) => lines += chunk.items.len(),
                    Err(rejection) => refusal = Some((rejection.code, rejection.detail)),
                }
            }
            reading.await.unwrap();
            (lines, refusal)
        };
        let (blank, refused) = ("\n".repeat(1000), Some((ProblemCode::BodyTooLarge, Detail::GapMax { blank: 1000, long: 64_000 })));
        assert_eq!(read_all(format!("a\n{blank}b\n{blank}c")).await, (3, None));
        // The first line is in no chunk yet: it has no outcome and is sent again.
        assert_eq!(read_all(format!("a\n{}", blank.repeat(2))).await, (0, refused.clone()));
        assert_eq!(read_all(format!("a\n{}\nb", "x".repeat(64_000))).await, (3, None));
        assert_eq!(read_all(format!("a\n{}\nb", "x".repeat(70_000))).await.1, refused);
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_changes_nothing(input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b' ')], 0..60), pieces in 1..9_usize) {
            prop_assert_eq!(split(&input, pieces, 5), split(&input, 1000, 5));
        }
    }
}
