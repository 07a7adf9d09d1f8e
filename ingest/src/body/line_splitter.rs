//! Splits the bytes of a stream into numbered lines and groups whole lines into chunks.
//!
//! Guarantees: every line that is not blank is in exactly one chunk; a line over the size limit is not buffered. The number of bytes between
//! two events is limited, because blank lines cost the sender nothing when they are compressed.

use std::time::{Duration, Instant};

use super::{Chunk, ChunkItem, Place};
use crate::rejection::{Detail, ProblemCode, Rejection};

/// Longest time that a line waits for its chunk to fill, so that the events of a slow stream are stored while it runs.
const CHUNK_MAX_AGE: Duration = Duration::from_secs(1);

/// Limit of the bytes in too long lines between two events, as a multiple of the line limit: a valid stream may hold such lines by
/// mistake. For blank lines, which cost more per byte, the limit is one line.
const LONG_FACTOR: usize = 64;

/// Limits of the chunks of a stream.
#[derive(Debug, Clone, Copy)]
pub struct ChunkLimits {
    /// Most bytes of one line.
    pub line_bytes: usize,
    /// Number of lines at which a chunk is sent.
    pub lines: usize,
    /// Number of bytes at which a chunk is sent.
    pub bytes: usize,
}

/// Splits bytes into lines; blank lines are numbered but not part of a chunk.
pub(super) struct LineSplitter {
    limits: ChunkLimits,
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
    pub(super) lines_found: u64,
}

impl LineSplitter {
    pub(super) fn new(limits: ChunkLimits) -> Self {
        Self {
            limits,
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
    pub(super) fn check_gap(&self) -> Result<(), Rejection> {
        let (blank, long) = (self.limits.line_bytes, self.limits.line_bytes.saturating_mul(LONG_FACTOR));
        if self.blank_bytes <= blank && self.long_bytes <= long {
            return Ok(());
        }
        Err(Rejection::new(ProblemCode::BodyTooLarge, Detail::GapMax { blank, long }))
    }

    /// Time until the chunk must be sent; `None` if it is empty.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.first_at.map(|first| CHUNK_MAX_AGE.saturating_sub(first.elapsed()))
    }

    /// Whether the chunk is not empty, and full or old enough to be sent.
    pub(super) fn is_due(&self) -> bool {
        let is_full = self.items.len() >= self.limits.lines || self.bytes.len() >= self.limits.bytes;
        self.time_left().is_some_and(|time_left| is_full || time_left.is_zero())
    }

    pub(super) fn feed(&mut self, mut input: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', input) {
            self.extend(&input[..end]);
            self.close();
            input = &input[end + 1..];
        }
        self.extend(input);
    }

    fn extend(&mut self, piece: &[u8]) {
        if !self.skipping && self.bytes.len() - self.begin + piece.len() > self.limits.line_bytes {
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
            self.items.push(ChunkItem { place: Place::Line(self.line_number), range: None });
        } else if self.bytes[range.clone()].iter().all(u8::is_ascii_whitespace) {
            self.blank_bytes += range.len() + 1;
            self.bytes.truncate(self.begin);
        } else {
            (self.blank_bytes, self.long_bytes) = (0, 0);
            self.items.push(ChunkItem { place: Place::Line(self.line_number), range: Some(range) });
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
    pub(super) fn take(&mut self) -> Chunk {
        let unfinished = self.bytes.split_off(self.begin);
        (self.begin, self.first_at) = (0, None);
        Chunk { bytes: std::mem::replace(&mut self.bytes, unfinished).into(), items: std::mem::take(&mut self.items) }
    }

    /// The last lines; the last one needs no line feed.
    pub(super) fn end(mut self) -> Chunk {
        self.close();
        self.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A splitter of lines of at most so many bytes.
    fn splitter(line_bytes: usize) -> LineSplitter {
        LineSplitter::new(ChunkLimits { line_bytes, lines: 9, bytes: 9 })
    }

    fn split(input: &[u8], pieces: usize, line_bytes: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut splitter = splitter(line_bytes);
        let mut items = Vec::new();
        let mut collect = |chunk: Chunk| {
            items.extend(chunk.items.iter().map(|item| (item.place.line().unwrap(), chunk.bytes_of(item).map(<[u8]>::to_vec))))
        };
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
    fn bytes_without_an_event_are_counted_from_the_last_one_on() {
        let mut splitter = splitter(4);
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

    proptest! {
        #[test]
        fn how_bytes_arrive_changes_nothing(input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), Just(b' ')], 0..60), pieces in 1..9_usize) {
            prop_assert_eq!(split(&input, pieces, 5), split(&input, 1000, 5));
        }
    }
}
