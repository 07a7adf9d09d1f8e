//! Commits with a timeout: a worker thread waits for the broker, so that the reading thread does not block.
//!
//! librdkafka's synchronous commit has no timeout (it blocks for minutes when a broker is frozen), and rdkafka never reports the
//! outcome of an asynchronous one: it calls the callback for automatic commits only (rust-rdkafka 856). So a thread of its own calls
//! the synchronous one.
//!
//! Guarantees: a commit returns within the timeout; `Ok` is the broker's response to exactly these offsets, as every request has its
//! own response channel; only one commit is in progress, so commits keep their order. Limits: librdkafka may still apply a commit
//! that timed out; until it gives up, further commits are refused, and the client of an ended reader is closed here afterwards.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::error::LogError;

/// Timeout of a commit. A healthy broker responds within 5 s, at least with an error (`offsets.commit.timeout.ms`); and a commit after
/// a drain of four minutes must end before `max.poll.interval.ms` does.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends commits to the worker thread and waits for their outcome.
pub(super) struct CommitSender {
    requests: Sender<CommitRequest>,
    timeout: Duration,
    /// Response channel of the last commit, if it timed out.
    unanswered: Option<Receiver<KafkaResult<()>>>,
}

/// The worker thread before it is started: receives commits and executes them.
pub(super) struct CommitWorker(Receiver<CommitRequest>);

struct CommitRequest {
    offsets: TopicPartitionList,
    reply: Sender<KafkaResult<()>>,
}

impl CommitSender {
    pub(super) fn new() -> (Self, CommitWorker) {
        let (requests, received) = mpsc::channel();
        (Self { requests, timeout: COMMIT_TIMEOUT, unanswered: None }, CommitWorker(received))
    }

    /// Commits these offsets; the inner result is the broker's, the outer error is a timeout or a closed client.
    pub(super) fn commit(&mut self, offsets: TopicPartitionList) -> Result<KafkaResult<()>, LogError> {
        // While the last commit has no response, this one would only queue up and be executed after its own timeout. It does not wait
        // for the timeout again either, as an unresponsive broker would then block the reader at every commit.
        if let Some(unanswered) = self.unanswered.take() {
            drop(self.wait(unanswered, Duration::ZERO)?);
        }
        let (reply, response) = mpsc::channel();
        self.requests.send(CommitRequest { offsets, reply }).map_err(|_| LogError::Closed)?;
        self.wait(response, self.timeout)
    }

    fn wait(&mut self, response: Receiver<KafkaResult<()>>, timeout: Duration) -> Result<KafkaResult<()>, LogError> {
        match response.recv_timeout(timeout) {
            Ok(outcome) => Ok(outcome),
            Err(RecvTimeoutError::Disconnected) => Err(LogError::Closed),
            Err(RecvTimeoutError::Timeout) => {
                self.unanswered = Some(response);
                Err(LogError::Unavailable { action: "committing", source: None })
            }
        }
    }
}

impl CommitWorker {
    /// Starts the worker thread; it ends with the client.
    pub(super) fn spawn<C: ConsumerContext + 'static>(self, client: &Arc<BaseConsumer<C>>) -> std::io::Result<()> {
        // Weak: the client owns the sending end, so a strong reference would be a cycle that is never dropped.
        let client = Arc::downgrade(client);
        let run = move || {
            while let Ok(CommitRequest { offsets, reply }) = self.0.recv() {
                let Some(client) = client.upgrade() else { return };
                let outcome = client.commit(&offsets, CommitMode::Sync);
                // Dropped before the response, so that normally the reading thread drops the last reference and closes the client.
                drop(client);
                drop(reply.send(outcome));
            }
        };
        std::thread::Builder::new().name("log-commits".into()).spawn(run).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

    use super::*;

    #[test]
    fn a_late_response_is_not_taken_for_that_to_a_later_commit() {
        let (mut sender, worker) = CommitSender::new();
        sender.timeout = Duration::ZERO;
        for _ in 0..2 {
            let outcome = sender.commit(TopicPartitionList::new());
            assert!(matches!(outcome, Err(LogError::Unavailable { .. })), "{outcome:?}");
        }
        let first = worker.0.try_recv().expect("the first commit");
        assert!(worker.0.try_recv().is_err(), "the second one queued up behind it");
        first.reply.send(Ok(())).expect("the receiver is kept");
        sender.timeout = Duration::from_secs(60);
        let broker = std::thread::spawn(move || {
            let request = worker.0.recv().expect("the third commit");
            request.reply.send(Err(KafkaError::ConsumerCommit(Code::IllegalGeneration))).expect("the sender waits");
        });
        let outcome = sender.commit(TopicPartitionList::new());
        assert!(matches!(outcome, Ok(Err(KafkaError::ConsumerCommit(Code::IllegalGeneration)))), "{outcome:?}");
        broker.join().expect("broker");
    }
}
