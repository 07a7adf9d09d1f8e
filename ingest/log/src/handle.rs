//! The two halves of every reader: a worker thread that does the blocking work, and the handle that the caller has.
//!
//! The handle sends [`ReaderRequest`]s and receives [`ReaderMessage`]s. It makes `next` cancel-safe and drops records that were
//! read ahead before a seek or a revocation. [`ReaderRequest::BatchTaken`] tells the thread that it may read ahead again, so that at
//! most [`READ_AHEAD`] batches wait.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc as messages, oneshot};

use crate::entry::Record;
use crate::error::LogError;
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Delivery, LogReader};

/// Most batches that wait to be taken: one being delivered, one read ahead.
const READ_AHEAD: usize = 2;

/// Channel for the response to one request.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, LogError>>;

/// A request of the handle to the worker thread.
pub(crate) enum ReaderRequest {
    /// Read from these offsets; records read before carry an older epoch.
    StartAt { at: Vec<NextOffset>, epoch: u64, reply: Reply<()> },
    /// Commit these next offsets, all or none.
    Commit { offsets: Vec<NextOffset>, reply: Reply<()> },
    /// End the drain of these revoked partitions.
    Release { partitions: Vec<Partition>, reply: Reply<()> },
    /// Query the first and next offsets of a topic.
    Bounds { topic: String, reply: Reply<Vec<Bounds>> },
    /// The caller has taken one batch of records.
    BatchTaken,
}

/// A message of the worker thread to the handle.
pub(crate) enum ReaderMessage {
    /// See [`Delivery::Assigned`].
    Assigned(Vec<(Partition, Option<u64>)>),
    /// Records of one partition, read since the start with this epoch.
    Records { partition: Partition, epoch: u64, records: Vec<Record> },
    /// See [`Delivery::Revoked`].
    Revoked { partitions: Vec<Partition>, lost: bool },
    /// See [`Delivery::CaughtUp`]; true as of the start with this epoch.
    CaughtUp { epoch: u64 },
    /// The worker thread ends because of this error.
    Failed(LogError),
}

/// The channel's end in the worker thread.
pub(crate) struct WorkerChannel {
    requests: mpsc::Receiver<ReaderRequest>,
    messages: messages::UnboundedSender<ReaderMessage>,
    unread_batches: usize,
    failure: EndReason,
}

/// Why the thread has ended: the response to every later request.
type EndReason = Arc<Mutex<Option<LogError>>>;

impl WorkerChannel {
    /// Receives the next request; none on timeout; an error when the handle was dropped.
    pub(crate) fn recv(&mut self, wait: Duration) -> Result<Option<ReaderRequest>, HandleDropped> {
        match self.requests.recv_timeout(wait) {
            Ok(ReaderRequest::BatchTaken) => {
                self.unread_batches = self.unread_batches.saturating_sub(1);
                Ok(None)
            }
            Ok(request) => Ok(Some(request)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(HandleDropped),
        }
    }

    /// Whether fewer than [`READ_AHEAD`] batches wait to be taken.
    pub(crate) fn has_capacity(&self) -> bool {
        self.unread_batches < READ_AHEAD
    }

    /// Sends a message; when the handle was dropped, the next [`Self::recv`] fails.
    pub(crate) fn send(&mut self, message: ReaderMessage) {
        match &message {
            ReaderMessage::Records { .. } => self.unread_batches += 1,
            ReaderMessage::Failed(error) => *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone()),
            _ => {}
        }
        let _ = self.messages.send(message);
    }
}

/// The handle was dropped, so the thread must end.
#[derive(Debug)]
pub(crate) struct HandleDropped;

/// The channel's end at the caller.
pub(crate) struct ReaderHandle {
    requests: mpsc::Sender<ReaderRequest>,
    messages: messages::UnboundedReceiver<ReaderMessage>,
    inbox: VecDeque<ReaderMessage>,
    /// Number of calls of `start_at` so far.
    epoch: u64,
    /// The latest start of each partition; records of an older one are dropped.
    epochs: HashMap<Partition, u64>,
    failure: EndReason,
}

impl ReaderHandle {
    pub(crate) fn new() -> (Self, WorkerChannel) {
        let (requests, received) = mpsc::channel();
        let (sender, messages) = messages::unbounded_channel();
        let failure = EndReason::default();
        let channel = WorkerChannel { requests: received, messages: sender, unread_batches: 0, failure: failure.clone() };
        (Self { requests, messages, inbox: VecDeque::new(), epoch: 0, epochs: HashMap::new(), failure }, channel)
    }

    async fn request<T>(&self, request: impl FnOnce(Reply<T>) -> ReaderRequest) -> Result<T, LogError> {
        let (reply, response) = oneshot::channel();
        let failure = || self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(LogError::Closed);
        self.requests.send(request(reply)).map_err(|_| failure())?;
        response.await.unwrap_or_else(|_| Err(failure()))
    }

    /// Whether these records are current: no later start, and no revocation received after them.
    fn is_current(&self, partition: &Partition, epoch: u64) -> bool {
        let revoked =
            |message: &ReaderMessage| matches!(message, ReaderMessage::Revoked { partitions, .. } if partitions.contains(partition));
        self.epochs.get(partition) == Some(&epoch) && !self.inbox.iter().any(revoked)
    }

    /// Converts a message into a delivery; none when it is out of date.
    fn deliver(&mut self, message: ReaderMessage) -> Option<Result<Delivery, LogError>> {
        match message {
            ReaderMessage::Assigned(partitions) => Some(Ok(Delivery::Assigned(partitions))),
            ReaderMessage::Records { partition, epoch, records } => {
                let _ = self.requests.send(ReaderRequest::BatchTaken);
                self.is_current(&partition, epoch).then_some(Ok(Delivery::Records(records)))
            }
            ReaderMessage::Revoked { partitions, lost } => {
                self.epochs.retain(|partition, _| !partitions.contains(partition));
                Some(Ok(Delivery::Revoked { partitions, lost }))
            }
            ReaderMessage::CaughtUp { epoch } => (epoch == self.epoch).then_some(Ok(Delivery::CaughtUp)),
            ReaderMessage::Failed(error) => Some(Err(error)),
        }
    }
}

#[async_trait]
impl LogReader for ReaderHandle {
    async fn next(&mut self) -> Result<Delivery, LogError> {
        loop {
            while let Ok(message) = self.messages.try_recv() {
                self.inbox.push_back(message);
            }
            if self.inbox.is_empty() {
                // Cancel-safe: a message leaves the channel only into the inbox.
                let message = self.messages.recv().await.ok_or(LogError::Closed)?;
                self.inbox.push_back(message);
                continue;
            }
            let delivery = self.inbox.pop_front().and_then(|message| self.deliver(message));
            if let Some(delivery) = delivery {
                return delivery;
            }
        }
    }

    async fn start_at(&mut self, at: &[NextOffset]) -> Result<(), LogError> {
        self.epoch += 1;
        let epoch = self.epoch;
        self.epochs.extend(at.iter().map(|next| (next.partition.clone(), epoch)));
        self.request(|reply| ReaderRequest::StartAt { at: at.to_vec(), epoch, reply }).await
    }

    async fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError> {
        self.request(|reply| ReaderRequest::Commit { offsets: offsets.to_vec(), reply }).await
    }

    async fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.request(|reply| ReaderRequest::Release { partitions: partitions.to_vec(), reply }).await
    }

    async fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, LogError> {
        self.request(|reply| ReaderRequest::Bounds { topic: topic.to_owned(), reply }).await
    }
}
