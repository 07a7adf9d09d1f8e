//! Appends to the embedded log with group commit: calls are queued, one thread writes many of them in one transaction.
//!
//! Guarantees: an outcome is sent only after the transaction is synced; offsets of a partition have no gap, because they are
//! assigned inside the transaction; memory is bounded by [`QUEUE_BYTES`], callers wait. After a failure the file is opened again,
//! so that appends work as soon as the disk does. Several processes may append at the same time: SQLite serialises transactions.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::append::{Appender, CallResults};
use super::store::FileId;
use crate::entry::Entry;
use crate::error::LogError;
use crate::writer::LogWriter;

/// Most bytes of queued entries; a larger call waits until the queue is empty.
const QUEUE_BYTES: usize = 64 << 20;
/// Most queued calls; further callers wait.
const QUEUE_CALLS: usize = 4096;
/// A transaction with this many bytes takes no further calls; a larger call is one transaction.
const TRANSACTION_BYTES: usize = 8 << 20;

/// One queued call of [`LogWriter::append`].
struct AppendCall {
    entries: Vec<Entry>,
    bytes: usize,
    outcomes: oneshot::Sender<CallResults>,
    _permit: OwnedSemaphorePermit,
}

enum Job {
    Append(AppendCall),
    /// Replies when every earlier job is done.
    Flush(oneshot::Sender<()>),
    /// Tests whether appends work again.
    CheckWritable(oneshot::Sender<Result<(), LogError>>),
}

/// State shared by the handle and the thread.
#[derive(Default)]
struct SharedState {
    unsettled: AtomicU64,
    /// Why the last transaction failed; none once one succeeds.
    failure: Mutex<Option<LogError>>,
}

impl SharedState {
    fn failure(&self) -> Option<LogError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, failure: Option<LogError>) {
        let mut last = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(error)) = (&*last, &failure) {
            tracing::error!(%error, "appends to the log fail");
        }
        *last = failure;
    }
}
pub(super) struct EmbeddedWriter {
    jobs: mpsc::Sender<Job>,
    queue_bytes: Arc<Semaphore>,
    state: Arc<SharedState>,
    path: PathBuf,
    file: FileId,
}

impl EmbeddedWriter {
    /// Starts the writing thread.
    pub(super) fn start(appender: Appender) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE_CALLS);
        let state = Arc::new(SharedState::default());
        let (path, file) = (appender.path().to_owned(), appender.file());
        let thread = WriterThread { appender, queue, state: state.clone() };
        std::thread::Builder::new().name("log-writer".into()).spawn(move || thread.run())?;
        Ok(Self { jobs, queue_bytes: Arc::new(Semaphore::new(QUEUE_BYTES)), state, path, file })
    }
}

#[async_trait]
impl LogWriter for EmbeddedWriter {
    async fn append(&self, entries: Vec<Entry>) -> CallResults {
        let count = entries.len();
        if count == 0 {
            return Vec::new();
        }
        let closed = || (0..count).map(|_| Err(LogError::Closed)).collect();
        let bytes = entries.iter().map(Entry::size).sum::<usize>();
        // INVARIANT: the semaphore has QUEUE_BYTES permits, which fit into 32 bits.
        let wanted = u32::try_from(bytes.clamp(1, QUEUE_BYTES)).expect("permits");
        let Ok(permit) = self.queue_bytes.clone().acquire_many_owned(wanted).await else { return closed() };
        let Ok(slot) = self.jobs.reserve().await else { return closed() };
        let (outcomes, settled) = oneshot::channel();
        self.state.unsettled.fetch_add(count as u64, Ordering::Relaxed);
        slot.send(Job::Append(AppendCall { entries, bytes, outcomes, _permit: permit }));
        settled.await.unwrap_or_else(|_| closed())
    }

    async fn flush(&self, deadline: Duration) -> Result<(), LogError> {
        let (done, flushed) = oneshot::channel();
        let flush = async {
            self.jobs.send(Job::Flush(done)).await.map_err(|_| LogError::Closed)?;
            flushed.await.map_err(|_| LogError::Closed)
        };
        let unsettled = || LogError::FlushTimeout { unacknowledged: self.state.unsettled.load(Ordering::Relaxed) };
        tokio::time::timeout(deadline, flush).await.unwrap_or_else(|_| Err(unsettled()))
    }

    async fn ready(&self) -> Result<(), LogError> {
        if self.jobs.is_closed() {
            return Err(LogError::Closed);
        }
        self.verify(&[]).await?;
        if self.state.failure().is_none() {
            return Ok(());
        }
        let (reply, response) = oneshot::channel();
        self.jobs.send(Job::CheckWritable(reply)).await.map_err(|_| LogError::Closed)?;
        response.await.unwrap_or(Err(LogError::Closed))
    }

    async fn verify(&self, _topics: &[&str]) -> Result<(), LogError> {
        self.file.check(&self.path)
    }
}

/// The writing thread; ends when the last handle is dropped and the queue is empty.
struct WriterThread {
    appender: Appender,
    queue: mpsc::Receiver<Job>,
    state: Arc<SharedState>,
}

impl WriterThread {
    fn run(mut self) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| self.queue.blocking_recv()) {
            match job {
                Job::Append(first) => {
                    let (group, after) = self.collect_group(first);
                    next = after;
                    self.write(group);
                }
                Job::Flush(done) => drop(done.send(())),
                Job::CheckWritable(reply) => {
                    let result = self.appender.check_writable();
                    self.state.set_failure(result.as_ref().err().cloned());
                    drop(reply.send(result));
                }
            }
        }
    }

    /// Group commit: takes all queued calls into the same transaction, up to [`TRANSACTION_BYTES`].
    fn collect_group(&mut self, first: AppendCall) -> (Vec<AppendCall>, Option<Job>) {
        let mut bytes = first.bytes;
        let mut group = vec![first];
        while bytes < TRANSACTION_BYTES {
            match self.queue.try_recv() {
                Ok(Job::Append(append)) => {
                    bytes += append.bytes;
                    group.push(append);
                }
                Ok(other) => return (group, Some(other)),
                Err(_) => break,
            }
        }
        (group, None)
    }

    fn write(&mut self, group: Vec<AppendCall>) {
        let written = self.appender.append(group.iter().map(|append| append.entries.as_slice()));
        self.state.set_failure(written.as_ref().err().cloned());
        let mut outcomes = match written {
            Ok(outcomes) => outcomes,
            Err(error) => group.iter().map(|append| vec![Err(error.clone()); append.entries.len()]).collect(),
        };
        for (append, outcomes) in group.into_iter().zip(outcomes.drain(..)) {
            self.state.unsettled.fetch_sub(outcomes.len() as u64, Ordering::Relaxed);
            // Sending fails when the caller was cancelled; its entries are stored all the same.
            drop(append.outcomes.send(outcomes));
        }
    }
}
