//! Commits with a time limit: a thread of their own waits for the broker, so that the reading thread need not.
//!
//! librdkafka waits for the answer to a commit without a limit (minutes, when a broker is frozen), and rdkafka's commit without waiting
//! never tells what became of it: its callback is called for automatic commits only (rust-rdkafka 856). So the one that waits is called
//! where waiting does no harm.
//!
//! Guarantees: a commit is answered within the limit; `Ok` is the broker's answer to exactly these offsets, as every commit has a
//! line of its own for its answer and nobody listens to that of one that was given up; one commit is under way at a time, so they keep
//! their order. Limits: a commit that was given up may still be made, until librdkafka gives it up, too; until then the next ones are
//! refused, and a client whose reader has ended is closed only after it, on this thread, for which nobody waits.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::error::LogError;

/// How long the reading thread waits for an answer. A broker that lives answers within 5 s, if only that its copies did not
/// (`offsets.commit.timeout.ms`); and after a drain of four minutes there must be time for it before `max.poll.interval.ms` is over.
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

/// The asking end.
pub(super) struct Commits {
    orders: Sender<Order>,
    limit: Duration,
    /// Where the answer to the last commit will come, if it has not come in time.
    missing: Option<Receiver<KafkaResult<()>>>,
}

/// The serving end.
pub(super) struct Orders(Receiver<Order>);

struct Order {
    offsets: TopicPartitionList,
    answer: Sender<KafkaResult<()>>,
}

impl Commits {
    /// Both ends.
    pub(super) fn new() -> (Self, Orders) {
        let (orders, received) = mpsc::channel();
        (Self { orders, limit: ACKNOWLEDGED, missing: None }, Orders(received))
    }

    /// What the client answers to a commit of these offsets; an error of ours when it does not in time.
    pub(super) fn commit(&mut self, offsets: TopicPartitionList) -> Result<KafkaResult<()>, LogError> {
        // Behind one without an answer this one would only queue up, to be made when nobody waits for it any more. Nor is the limit
        // waited for again: a silent broker would hold the reader at every commit.
        if let Some(missing) = self.missing.take() {
            drop(self.wait(missing, Duration::ZERO)?);
        }
        let (answer, answered) = mpsc::channel();
        self.orders.send(Order { offsets, answer }).map_err(|_| LogError::Closed)?;
        self.wait(answered, self.limit)
    }

    fn wait(&mut self, answered: Receiver<KafkaResult<()>>, limit: Duration) -> Result<KafkaResult<()>, LogError> {
        match answered.recv_timeout(limit) {
            Ok(outcome) => Ok(outcome),
            Err(RecvTimeoutError::Disconnected) => Err(LogError::Closed),
            Err(RecvTimeoutError::Timeout) => {
                self.missing = Some(answered);
                Err(LogError::Unavailable { action: "committing", source: None })
            }
        }
    }
}

impl Orders {
    /// Starts the thread; it ends with the client.
    pub(super) fn serve<C: ConsumerContext + 'static>(self, client: &Arc<BaseConsumer<C>>) -> std::io::Result<()> {
        // Weak: the client holds the asking end, so that the two would keep each other for ever.
        let client = Arc::downgrade(client);
        let serve = move || {
            while let Ok(Order { offsets, answer }) = self.0.recv() {
                let Some(client) = client.upgrade() else { return };
                let outcome = client.commit(&offsets, CommitMode::Sync);
                // Let go before the answer, so that it is the reading thread that closes the client, unless it has long gone.
                drop(client);
                drop(answer.send(outcome));
            }
        };
        std::thread::Builder::new().name("log-commits".into()).spawn(serve).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

    use super::*;

    #[test]
    fn a_late_answer_is_not_taken_for_that_to_a_later_commit() {
        let (mut commits, orders) = Commits::new();
        commits.limit = Duration::ZERO;
        for _ in 0..2 {
            let outcome = commits.commit(TopicPartitionList::new());
            assert!(matches!(outcome, Err(LogError::Unavailable { .. })), "{outcome:?}");
        }
        let first = orders.0.try_recv().expect("the first commit");
        assert!(orders.0.try_recv().is_err(), "the second one queued up behind it");
        first.answer.send(Ok(())).expect("somebody looks whether it came");
        commits.limit = Duration::from_secs(60);
        let broker = std::thread::spawn(move || {
            let order = orders.0.recv().expect("the third commit");
            order.answer.send(Err(KafkaError::ConsumerCommit(Code::IllegalGeneration))).expect("somebody waits");
        });
        let outcome = commits.commit(TopicPartitionList::new());
        assert!(matches!(outcome, Ok(Err(KafkaError::ConsumerCommit(Code::IllegalGeneration)))), "{outcome:?}");
        broker.join().expect("broker");
    }
}
