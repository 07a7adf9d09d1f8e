//! Streams a query result as Arrow batches over HTTP; they are decoded on a blocking thread.
//!
//! Guarantees: at most a few chunks are buffered; a stream that ends before its end marker is an error.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::{Buf, Bytes};
use clickhouse::query::Query;
use polars::{error::PolarsError, frame::DataFrame, prelude::PolarsResult};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};
use tokio::sync::mpsc;

use crate::error::AnalyticsError;

/// Chunks buffered between the socket and the calculation.
const CHUNKS: usize = 16;

/// Runs `work` on a blocking thread over the batches of a query result.
pub(super) async fn read<T, W>(what: &'static str, query: Query, work: W) -> Result<T, AnalyticsError>
where
    T: Send + 'static,
    W: FnOnce(ArrowBatches) -> Result<T, AnalyticsError> + Send + 'static,
{
    let failed = AnalyticsError::warehouse(what);
    let mut response = query.fetch_bytes("ArrowStream").map_err(&failed)?;
    let (send, receive) = mpsc::channel(CHUNKS);
    let transfer = async move {
        while let Some(chunk) = response.next().await.map_err(&failed)? {
            if send.send(chunk).await.is_err() {
                break;
            }
        }
        Ok::<(), AnalyticsError>(())
    };
    let worked = tokio::task::spawn_blocking(move || work(ArrowBatches::open(what, Chunks::new(receive))?));
    let (transferred, worked) = tokio::join!(transfer, worked);
    // A failed transfer is the cause of whatever error `work` returns.
    transferred?;
    worked.map_err(AnalyticsError::TaskFailed)?
}

/// ArrowBatches of a query result, each a data frame.
pub struct ArrowBatches {
    what: &'static str,
    reader: StreamReader<Chunks>,
}

impl ArrowBatches {
    fn open(what: &'static str, mut chunks: Chunks) -> Result<Self, AnalyticsError> {
        let metadata = read_stream_metadata(&mut chunks).map_err(|source| AnalyticsError::Schema { what, source })?;
        Ok(Self { what, reader: StreamReader::new(chunks, metadata, None) })
    }

    /// Converts an error about names or types of columns.
    pub(crate) fn schema_error(&self) -> impl Fn(PolarsError) -> AnalyticsError + use<> {
        let what = self.what;
        move |source| AnalyticsError::Schema { what, source }
    }

    fn read(&mut self) -> PolarsResult<Option<DataFrame>> {
        match self.reader.next().transpose()? {
            None => Ok(None),
            Some(StreamState::Some(batch)) => Ok(Some(DataFrame::from(batch))),
            Some(StreamState::Waiting) => Err(PolarsError::from(io::Error::from(io::ErrorKind::UnexpectedEof))),
        }
    }
}

impl Iterator for ArrowBatches {
    type Item = Result<DataFrame, AnalyticsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map_err(self.schema_error()).transpose()
    }
}

/// Blocking reader over received chunks. It supports the relative seeks that the Arrow reader needs.
struct Chunks {
    receive: mpsc::Receiver<Bytes>,
    chunk: Bytes,
    position: u64,
}

impl Chunks {
    fn new(receive: mpsc::Receiver<Bytes>) -> Self {
        Self { receive, chunk: Bytes::new(), position: 0 }
    }

    /// Waits for a chunk that is not empty; false at the end of the stream.
    fn fill(&mut self) -> bool {
        while self.chunk.is_empty() {
            match self.receive.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return false,
            }
        }
        true
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || !self.fill() {
            return Ok(0);
        }
        let count = into.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut into[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Chunks {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Current(ahead) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut left = u64::try_from(ahead).map_err(|_| io::ErrorKind::Unsupported)?;
        while left > 0 {
            if !self.fill() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = left.min(self.chunk.len() as u64);
            self.chunk.advance(count as usize);
            self.position += count;
            left -= count;
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_read_and_skip_as_one_text() {
        let (send, receive) = mpsc::channel(8);
        for chunk in ["qam", "", "tu and its", " chunks"] {
            send.try_send(Bytes::from_static(chunk.as_bytes())).expect("room");
        }
        drop(send);
        let mut chunks = Chunks::new(receive);
        let mut five = [0; 5];
        chunks.read_exact(&mut five).expect("five bytes");
        assert_eq!((&five, chunks.stream_position().expect("a place")), (b"qamtu", 5));
        assert_eq!(chunks.seek(SeekFrom::Current(8)).expect("a skip"), 13);
        let mut rest = String::new();
        chunks.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, " chunks");
        assert_eq!(chunks.seek(SeekFrom::Current(1)).map_err(|error| error.kind()), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(chunks.seek(SeekFrom::Start(0)).map_err(|error| error.kind()), Err(io::ErrorKind::Unsupported));
    }
}
