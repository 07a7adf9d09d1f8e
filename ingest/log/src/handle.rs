//! The two halves every reader is made of: a thread that does the blocking work, and this handle.
//!
//! The handle sends [`Command`]s and receives [`Notice`]s. It is what makes `next` cancel-safe, drops
//! records that were read ahead before a move or a revocation, and tells the thread by
//! [`Command::Taken`] that there is room to read ahead again, so at most [`READ_AHEAD`] portions wait.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc as notices, oneshot};

use crate::entry::Record;
use crate::error::LogError;
use crate::partition::{Bounds, NextOffset, Partition};
use crate::reader::{Delivery, LogReader};

/// Portions of records that wait to be taken: one being handed over, one read ahead.
const READ_AHEAD: usize = 2;

/// Where the answer to a command goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, LogError>>;

/// What the handle asks of the thread.
pub(crate) enum Command {
    /// Read from here; what was read before carries an older epoch.
    StartAt { at: Vec<NextOffset>, epoch: u64, answer: Answer<()> },
    /// Commit.
    Commit { offsets: Vec<NextOffset>, answer: Answer<()> },
    /// Give drained partitions away.
    Release { partitions: Vec<Partition>, answer: Answer<()> },
    /// Look at a topic.
    Bounds { topic: String, answer: Answer<Vec<Bounds>> },
    /// A portion of records was taken.
    Taken,
}

/// What the thread tells the handle.
pub(crate) enum Notice {
    /// See [`Delivery::Assigned`].
    Assigned(Vec<(Partition, Option<u64>)>),
    /// Records of one partition, read since the start with this epoch.
    Records { partition: Partition, epoch: u64, records: Vec<Record> },
    /// See [`Delivery::Revoked`].
    Revoked { partitions: Vec<Partition>, lost: bool },
    /// See [`Delivery::CaughtUp`]; true as of the start with this epoch.
    CaughtUp { epoch: u64 },
    /// The reader has ended.
    Failed(LogError),
}

/// The thread's half.
pub(crate) struct Link {
    commands: mpsc::Receiver<Command>,
    notices: notices::UnboundedSender<Notice>,
    waiting: usize,
    ended: Ended,
}

/// Why the thread has ended; told to whoever asks it for something afterwards.
type Ended = Arc<Mutex<Option<LogError>>>;

impl Link {
    /// The next command; none when the time is over; an error when the handle is gone.
    pub(crate) fn command(&mut self, wait: Duration) -> Result<Option<Command>, HandleGone> {
        match self.commands.recv_timeout(wait) {
            Ok(Command::Taken) => {
                self.waiting = self.waiting.saturating_sub(1);
                Ok(None)
            }
            Ok(command) => Ok(Some(command)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(HandleGone),
        }
    }

    /// Whether another portion of records may be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting < READ_AHEAD
    }

    /// Sends a notice; when nobody listens any more the next command says so.
    pub(crate) fn notify(&mut self, notice: Notice) {
        match &notice {
            Notice::Records { .. } => self.waiting += 1,
            Notice::Failed(error) => *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone()),
            _ => {}
        }
        let _ = self.notices.send(notice);
    }
}

/// The handle was dropped: the thread is to end.
#[derive(Debug)]
pub(crate) struct HandleGone;

/// The caller's half.
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
    notices: notices::UnboundedReceiver<Notice>,
    inbox: VecDeque<Notice>,
    /// Number of starts so far.
    epoch: u64,
    /// Start that is valid for each partition.
    epochs: HashMap<Partition, u64>,
    ended: Ended,
}

impl Handle {
    /// Both halves.
    pub(crate) fn new() -> (Self, Link) {
        let (commands, received) = mpsc::channel();
        let (sender, notices) = notices::unbounded_channel();
        let ended = Ended::default();
        let link = Link { commands: received, notices: sender, waiting: 0, ended: ended.clone() };
        (Self { commands, notices, inbox: VecDeque::new(), epoch: 0, epochs: HashMap::new(), ended }, link)
    }

    async fn ask<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, LogError> {
        let (answer, answered) = oneshot::channel();
        let ended = || self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(LogError::Closed);
        self.commands.send(command(answer)).map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Whether these records are still wanted: no later start, and no revocation behind them.
    fn wanted(&self, partition: &Partition, epoch: u64) -> bool {
        let revoked = |notice: &Notice| matches!(notice, Notice::Revoked { partitions, .. } if partitions.contains(partition));
        self.epochs.get(partition) == Some(&epoch) && !self.inbox.iter().any(revoked)
    }

    /// What a notice means to the caller; none when it is out of date.
    fn deliver(&mut self, notice: Notice) -> Option<Result<Delivery, LogError>> {
        match notice {
            Notice::Assigned(partitions) => Some(Ok(Delivery::Assigned(partitions))),
            Notice::Records { partition, epoch, records } => {
                let _ = self.commands.send(Command::Taken);
                self.wanted(&partition, epoch).then_some(Ok(Delivery::Records(records)))
            }
            Notice::Revoked { partitions, lost } => {
                self.epochs.retain(|partition, _| !partitions.contains(partition));
                Some(Ok(Delivery::Revoked { partitions, lost }))
            }
            Notice::CaughtUp { epoch } => (epoch == self.epoch).then_some(Ok(Delivery::CaughtUp)),
            Notice::Failed(error) => Some(Err(error)),
        }
    }
}

#[async_trait]
impl LogReader for Handle {
    async fn next(&mut self) -> Result<Delivery, LogError> {
        loop {
            while let Ok(notice) = self.notices.try_recv() {
                self.inbox.push_back(notice);
            }
            if self.inbox.is_empty() {
                // Cancel-safe: a notice leaves the channel only into the inbox.
                let notice = self.notices.recv().await.ok_or(LogError::Closed)?;
                self.inbox.push_back(notice);
                continue;
            }
            let delivery = self.inbox.pop_front().and_then(|notice| self.deliver(notice));
            if let Some(delivery) = delivery {
                return delivery;
            }
        }
    }

    async fn start_at(&mut self, at: &[NextOffset]) -> Result<(), LogError> {
        self.epoch += 1;
        let epoch = self.epoch;
        self.epochs.extend(at.iter().map(|next| (next.partition.clone(), epoch)));
        self.ask(|answer| Command::StartAt { at: at.to_vec(), epoch, answer }).await
    }

    async fn commit(&mut self, offsets: &[NextOffset]) -> Result<(), LogError> {
        self.ask(|answer| Command::Commit { offsets: offsets.to_vec(), answer }).await
    }

    async fn release(&mut self, partitions: &[Partition]) -> Result<(), LogError> {
        self.ask(|answer| Command::Release { partitions: partitions.to_vec(), answer }).await
    }

    async fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, LogError> {
        self.ask(|answer| Command::Bounds { topic: topic.to_owned(), answer }).await
    }
}
