//! Reads a stream of lines and groups whole lines into chunks.
//!
//! Guarantees: every line that is not blank is in exactly one chunk, with its number, at most a second after it arrived. The rate limit
//! counts non-blank lines, not bytes. Lines are split by [`super::line_splitter`].

use std::time::{Duration, Instant};

use axum::body::Body;
use tokio::sync::mpsc;

use super::{
    Chunk, drain,
    line_splitter::{ChunkLimits, LineSplitter},
    next_data, too_slow,
};
use crate::rejection::{Detail, ProblemCode, Rejection};

/// Most bytes that are split into lines before full chunks are sent.
const SLICE_BYTES: usize = 65_536;

/// Limits of a stream and of its chunks.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Limits of lines and chunks.
    pub chunk: ChunkLimits,
    /// Most bytes of the stream, after decompression.
    pub stream_bytes: u64,
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
    let mut splitter = LineSplitter::new(limits.chunk);
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
                if splitter.is_due() && chunks.send(Ok(splitter.take())).await.is_err() {
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
            if splitter.is_due() && chunks.send(Ok(splitter.take())).await.is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: ChunkLimits = ChunkLimits { line_bytes: 1000, lines: 9, bytes: 9 };

    #[test]
    fn a_stream_is_too_slow_when_a_whole_interval_of_waiting_brought_too_few_lines() {
        let idle = Duration::from_secs(30);
        let limits = StreamLimits { chunk: CHUNK, stream_bytes: 9, idle, lines_per_minute: 200 };
        let mut rate = RateMeter { limits, waited: Duration::ZERO, lines: 0 };
        assert!(rate.is_fast_enough(Duration::from_secs(29), 1), "the first interval is not over");
        assert!(rate.is_fast_enough(Duration::from_secs(1), 99));
        assert!(rate.is_fast_enough(Duration::ZERO, 1_000_000) && rate.is_fast_enough(Duration::from_secs(31), 1));
        // Each interval counts on its own.
        assert!(rate.is_fast_enough(Duration::from_secs(29), 1) && !rate.is_fast_enough(Duration::from_secs(1), 98));
    }

    #[tokio::test]
    async fn a_stream_with_too_many_bytes_between_two_events_is_refused() {
        let read_all = async |text: String| {
            let idle = Duration::from_secs(30);
            let limits = StreamLimits { chunk: CHUNK, stream_bytes: 1 << 30, idle, lines_per_minute: 0 };
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
}
