//! End offsets of the log, polled with a client separate from the reader.
//!
//! The offsets come from the log and not from the reader's cached state. A failed poll yields `None`, and the next one opens a new
//! client.

use std::time::Duration;

use qamtu_log::{Bounds, LogConfig, LogError, LogReader, Membership, ReaderOptions, open_reader};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Interval between two polls of the log.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Timeout of one poll.
const POLL_TIMEOUT: Duration = Duration::from_secs(15);

/// Result of the newest poll; `None` if it failed.
type LatestBounds = Option<Vec<Bounds>>;

/// Background task that polls the end offsets; dropping this stops it.
#[derive(Debug)]
pub struct EndOffsets {
    task: JoinHandle<()>,
    bounds: watch::Receiver<LatestBounds>,
}

impl EndOffsets {
    /// Starts to poll the end offsets of these topics.
    pub fn poll(log: LogConfig, topics: Vec<String>) -> Self {
        let (sender, bounds) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut reader = None;
            loop {
                let polled = timeout(POLL_TIMEOUT, query_bounds(&mut reader, &log, &topics)).await;
                let result = polled.unwrap_or(Err(LogError::Unavailable { action: "reading the end offsets of the log", source: None }));
                if let Err(error) = &result {
                    tracing::warn!(%error, "the end offsets of the log are unknown");
                    reader = None;
                }
                sender.send_replace(result.ok());
                sleep(POLL_INTERVAL).await;
            }
        });
        Self { task, bounds }
    }

    /// The bounds of the next poll; `None` if it failed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<Bounds>> {
        if self.bounds.changed().await.is_err() {
            // The task only ends when the runtime shuts down.
            std::future::pending::<()>().await;
        }
        self.bounds.borrow_and_update().clone()
    }
}

impl Drop for EndOffsets {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn query_bounds(reader: &mut Option<Box<dyn LogReader>>, log: &LogConfig, topics: &[String]) -> Result<Vec<Bounds>, LogError> {
    let reader = match reader {
        Some(reader) => reader,
        none => {
            let options = ReaderOptions { topics: topics.to_vec(), membership: Membership::Standalone, max_records: 1, max_bytes: 1 };
            none.insert(open_reader(log, options).await?)
        }
    };
    let mut bounds = Vec::new();
    for topic in topics {
        bounds.extend(reader.bounds(topic).await?);
    }
    Ok(bounds)
}
