//! Appends to the embedded log: calls queue up, one thread writes many of them in one transaction.
//!
//! Guarantees: an outcome is sent only after the transaction is synced; offsets of a partition have no
//! gap, because they are taken inside the transaction; memory is bounded by [`QUEUE_BYTES`], callers wait.
//! After a failure the file is opened again, so that appends go on as soon as the disk takes them.
//! Several processes may append at the same time: SQLite lets one transaction in after the other.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::append::{Appender, Outcomes};
use super::store::FileId;
use crate::entry::Entry;
use crate::error::LogError;
use crate::writer::LogWriter;

/// Bytes of entries that may wait; one larger call waits for the whole of it.
const QUEUE_BYTES: usize = 64 << 20;
/// Calls that may wait.
const QUEUE_CALLS: usize = 4096;
/// A transaction is closed when it has this many bytes; one larger call is one transaction.
const TRANSACTION_BYTES: usize = 8 << 20;

/// One call of [`LogWriter::append`] on its way to the thread.
struct Append {
    entries: Vec<Entry>,
    bytes: usize,
    outcomes: oneshot::Sender<Outcomes>,
    _room: OwnedSemaphorePermit,
}

enum Job {
    Append(Append),
    /// Answered when everything before it is settled.
    Flush(oneshot::Sender<()>),
    /// Asks whether appends work again.
    Probe(oneshot::Sender<Result<(), LogError>>),
}

/// What both sides of the queue see.
#[derive(Default)]
struct State {
    unsettled: AtomicU64,
    /// Why the last transaction failed; none once one succeeds.
    failure: Mutex<Option<LogError>>,
}

impl State {
    fn failure(&self) -> Option<LogError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, failure: Option<LogError>) {
        let mut last = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(error)) = (&*last, &failure) {
            tracing::error!(%error, "the log takes no appends");
        }
        *last = failure;
    }
}

/// Appends to the embedded log.
pub(super) struct EmbeddedWriter {
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    state: Arc<State>,
    file: (PathBuf, FileId),
}

impl EmbeddedWriter {
    /// Starts the writing thread.
    pub(super) fn start(appender: Appender) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE_CALLS);
        let state = Arc::new(State::default());
        let file = appender.file();
        let thread = Thread { appender, queue, state: state.clone() };
        std::thread::Builder::new().name("log-writer".into()).spawn(move || thread.run())?;
        Ok(Self { jobs, room: Arc::new(Semaphore::new(QUEUE_BYTES)), state, file })
    }
}

#[async_trait]
impl LogWriter for EmbeddedWriter {
    async fn append(&self, entries: Vec<Entry>) -> Outcomes {
        let count = entries.len();
        if count == 0 {
            return Vec::new();
        }
        let closed = || (0..count).map(|_| Err(LogError::Closed)).collect();
        let bytes = entries.iter().map(Entry::size).sum::<usize>();
        // INVARIANT: the semaphore has QUEUE_BYTES permits, which fit into 32 bits.
        let wanted = u32::try_from(bytes.clamp(1, QUEUE_BYTES)).expect("permits");
        let Ok(room) = self.room.clone().acquire_many_owned(wanted).await else { return closed() };
        let Ok(place) = self.jobs.reserve().await else { return closed() };
        let (outcomes, settled) = oneshot::channel();
        self.state.unsettled.fetch_add(count as u64, Ordering::Relaxed);
        place.send(Job::Append(Append { entries, bytes, outcomes, _room: room }));
        settled.await.unwrap_or_else(|_| closed())
    }

    async fn flush(&self, deadline: Duration) -> Result<(), LogError> {
        let (done, flushed) = oneshot::channel();
        let flush = async {
            self.jobs.send(Job::Flush(done)).await.map_err(|_| LogError::Closed)?;
            flushed.await.map_err(|_| LogError::Closed)
        };
        let unsettled = || LogError::Unsettled { unsettled: self.state.unsettled.load(Ordering::Relaxed) };
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
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Probe(answer)).await.map_err(|_| LogError::Closed)?;
        answered.await.unwrap_or(Err(LogError::Closed))
    }

    async fn verify(&self, _topics: &[&str]) -> Result<(), LogError> {
        let (path, file) = &self.file;
        file.check(path)
    }
}

/// The writing thread; ends when the last handle is dropped and the queue is empty.
struct Thread {
    appender: Appender,
    queue: mpsc::Receiver<Job>,
    state: Arc<State>,
}

impl Thread {
    fn run(mut self) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| self.queue.blocking_recv()) {
            match job {
                Job::Append(first) => {
                    let (group, after) = self.gather(first);
                    next = after;
                    self.write(group);
                }
                Job::Flush(done) => drop(done.send(())),
                Job::Probe(answer) => {
                    let result = self.appender.probe();
                    self.state.note(result.as_ref().err().cloned());
                    drop(answer.send(result));
                }
            }
        }
    }

    /// Group commit: what has queued up meanwhile goes into the same transaction.
    fn gather(&mut self, first: Append) -> (Vec<Append>, Option<Job>) {
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

    fn write(&mut self, group: Vec<Append>) {
        let written = self.appender.append(group.iter().map(|append| append.entries.as_slice()));
        self.state.note(written.as_ref().err().cloned());
        let mut outcomes = match written {
            Ok(outcomes) => outcomes,
            Err(error) => group.iter().map(|append| vec![Err(error.clone()); append.entries.len()]).collect(),
        };
        for (append, outcomes) in group.into_iter().zip(outcomes.drain(..)) {
            self.state.unsettled.fetch_sub(outcomes.len() as u64, Ordering::Relaxed);
            // A caller that has gone away is no error: its entries stand in the log.
            drop(append.outcomes.send(outcomes));
        }
    }
}
