//! EndOffsets: how far the log goes, polled of the log itself, with a client of its own.
//!
//! Guarantees: the result is the log's and not what the reading client believes; while there is none, that is told, too, and never
//! replaced by an older one. A client that is not answered is opened again.

use std::time::Duration;

use qamtu_log::{Bounds, LogConfig, LogError, LogReader, Membership, ReaderOptions, open_reader};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How often the log is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// How long an result may take.
const POLL_TIMEOUT: Duration = Duration::from_secs(15);

/// The newest result; none while the log does not result.
type LatestBounds = Option<Vec<Bounds>>;

/// A task that asks; it ends with this.
#[derive(Debug)]
pub struct EndOffsets {
    task: JoinHandle<()>,
    bounds: watch::Receiver<LatestBounds>,
}

impl EndOffsets {
    /// Begins to ask for the ends of these topics.
    pub fn poll(log: LogConfig, topics: Vec<String>) -> Self {
        let (sender, bounds) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut reader = None;
            loop {
                let polled = timeout(POLL_TIMEOUT, query_bounds(&mut reader, &log, &topics)).await;
                let result = polled.unwrap_or(Err(LogError::Unavailable { action: "asking how far the log goes", source: None }));
                if let Err(error) = &result {
                    tracing::warn!(%error, "the end of the log is not known");
                    reader = None;
                }
                sender.send_replace(result.ok());
                sleep(POLL_INTERVAL).await;
            }
        });
        Self { task, bounds }
    }

    /// The next result; none: the log did not result. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<Bounds>> {
        if self.bounds.changed().await.is_err() {
            // The task never ends by itself: the runtime is going away.
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
            let options = ReaderOptions { topics: topics.to_vec(), membership: Membership::Whole, max_records: 1, max_bytes: 1 };
            none.insert(open_reader(log, options).await?)
        }
    };
    let mut bounds = Vec::new();
    for topic in topics {
        bounds.extend(reader.bounds(topic).await?);
    }
    Ok(bounds)
}
