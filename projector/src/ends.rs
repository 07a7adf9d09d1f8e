//! Ends: how far the log goes, asked of the log itself, with a client of its own.
//!
//! Guarantees: the answer is the log's and not what the reading client believes; while there is none, that is told, too, and never
//! replaced by an older one. A client that is not answered is opened again.

use std::time::Duration;

use qamtu_log::{Bounds, LogConfig, LogError, LogReader, Membership, ReaderOptions, open_reader};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How often the log is asked.
const EVERY: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(15);

/// The newest answer; none while the log does not answer.
type Answer = Option<Vec<Bounds>>;

/// A task that asks; it ends with this.
#[derive(Debug)]
pub struct Ends {
    task: JoinHandle<()>,
    answers: watch::Receiver<Answer>,
}

impl Ends {
    /// Begins to ask for the ends of these topics.
    pub fn follow(log: LogConfig, topics: Vec<String>) -> Self {
        let (sender, answers) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut reader = None;
            loop {
                let asked = timeout(ANSWER, ask(&mut reader, &log, &topics)).await;
                let answer = asked.unwrap_or(Err(LogError::Unavailable { action: "asking how far the log goes", source: None }));
                if let Err(error) = &answer {
                    tracing::warn!(%error, "the end of the log is not known");
                    reader = None;
                }
                sender.send_replace(answer.ok());
                sleep(EVERY).await;
            }
        });
        Self { task, answers }
    }

    /// The next answer; none: the log did not answer. Cancel-safe.
    pub async fn next(&mut self) -> Option<Vec<Bounds>> {
        if self.answers.changed().await.is_err() {
            // The task never ends by itself: the runtime is going away.
            std::future::pending::<()>().await;
        }
        self.answers.borrow_and_update().clone()
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn ask(reader: &mut Option<Box<dyn LogReader>>, log: &LogConfig, topics: &[String]) -> Result<Vec<Bounds>, LogError> {
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
