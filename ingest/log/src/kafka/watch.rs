//! Watchdog of a reader: finds a client that has stopped working although the log has not, so that it is replaced by a new one.
//!
//! librdkafka forgets every broker when a broker that was away for a while answers with an empty list of brokers (librdkafka 5301):
//! only the name of the group's coordinator is left, no call fails, and nothing is ever read again. A thread of its own ([`super::probe`])
//! asks the broker every [`PROBE`]; the reading thread compares the answers with its own progress. Nothing here does I/O.
//!
//! Guarantees: the reader ends with [`LogError::Stalled`] when no broker has answered for [`SILENCE`], when it has had no assignment for
//! as long as a rebalance may take, or when a partition has had more records for [`SILENCE`] and nothing of them came; and with
//! [`LogError::Replaced`] when a topic was deleted or made anew. A member that is fenced after a silence is stalled, too: its own
//! request to join, which it had given up, came through late and looks like another member's. A slow owner is no stall: while there is no room the reader takes it
//! that everything has just been heard of.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::cursor::Cursors;
use super::topic_id::TopicId;
use crate::error::LogError;
use crate::partition::Partition;

/// How often the broker is asked.
pub(super) const PROBE: Duration = Duration::from_secs(2);
/// How long a broker may be silent, or a partition without progress.
pub(super) const SILENCE: Duration = Duration::from_secs(20);

/// An answer that is later than this is a silence.
const LATE: Duration = Duration::from_secs(6);
/// How long a silence may have effects.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The ends of the started partitions, or why they are not known.
pub(super) type Ends = Result<Vec<(Partition, u64)>, LogError>;

/// Where the newest answer waits for the reading thread, and whether the broker was silent lately.
#[derive(Debug)]
pub(super) struct Answers(Mutex<Heard>);

#[derive(Debug)]
struct Heard {
    newest: Option<Ends>,
    answered: Instant,
    /// When the broker was last found silent.
    silent: Option<Instant>,
}

impl Answers {
    /// None yet.
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Heard { newest: None, answered: now, silent: None }))
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, ends: Ends, now: Instant) {
        let mut heard = self.heard();
        if ends.is_err() || now.duration_since(heard.answered) > LATE {
            heard.silent = Some(now);
        }
        if ends.is_ok() {
            heard.answered = now;
        }
        heard.newest = Some(ends);
    }

    /// The newest answer, once.
    pub(super) fn take(&self) -> Option<Ends> {
        self.heard().newest.take()
    }

    /// Whether the broker is silent, or was so shortly before. Then the group may have taken a request that went unanswered for one of
    /// another member.
    pub(super) fn were_late(&self, now: Instant) -> bool {
        let heard = self.heard();
        now.duration_since(heard.answered) > LATE || heard.silent.is_some_and(|silent| now.duration_since(silent) < REMEMBERED)
    }
}

/// Compares the ids of topics with those that were seen first, and remembers new ones.
pub(super) fn compare(seen: &mut HashMap<String, TopicId>, found: &HashMap<String, TopicId>) -> Result<(), LogError> {
    for (topic, id) in found {
        let reason = match (id, *seen.entry(topic.clone()).or_insert(*id)) {
            (TopicId::Missing, _) => "it was deleted",
            (TopicId::Known(..), TopicId::Known(..)) if seen[topic] != *id => "it was deleted and made anew",
            _ => continue,
        };
        return Err(LogError::Replaced { log: format!("topic {topic}"), reason: reason.to_owned() });
    }
    Ok(())
}

/// What the reader has to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Nothing.
    Wait,
    /// Fetch anew from where each partition stands: the end was told, but the broker has more.
    Refetch,
}

/// The judgement over the answers.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// How long the group may take to assign partitions.
    rebalance: Duration,
    answered: Instant,
    /// Since when there is no assignment.
    unassigned: Option<Instant>,
}

impl Watchdog {
    /// Begins now.
    pub(super) fn new(rebalance: Duration, now: Instant) -> Self {
        Self { rebalance: rebalance + SILENCE, answered: now, unassigned: Some(now) }
    }

    /// Judges an answer.
    pub(super) fn judge(&mut self, ends: Ends, cursors: &mut Cursors, now: Instant) -> Result<Advice, LogError> {
        let ends = match ends {
            Ok(ends) => ends,
            Err(error @ LogError::Replaced { .. }) => return Err(error),
            Err(error) => {
                let silence = now.duration_since(self.answered);
                tracing::warn!(%error, silent_s = silence.as_secs(), "the broker does not answer the watchdog");
                return if silence < SILENCE { Ok(Advice::Wait) } else { Err(stalled("no broker has answered", silence)) };
            }
        };
        self.answered = now;
        if !cursors.is_assigned() {
            let since = *self.unassigned.get_or_insert(now);
            let waiting = now.duration_since(since);
            return if waiting < self.rebalance { Ok(Advice::Wait) } else { Err(stalled("there is no assignment", waiting)) };
        }
        self.unassigned = None;
        let lag = cursors.lag(&ends, now);
        if let Some((quiet, partition)) = lag.behind
            && quiet >= SILENCE
        {
            return Err(stalled(&format!("nothing comes of {partition}"), quiet));
        }
        if lag.at_end.is_some_and(|quiet| quiet >= PROBE) {
            cursors.restart(&ends, now);
            return Ok(Advice::Refetch);
        }
        Ok(Advice::Wait)
    }
}

fn stalled(what: &str, since: Duration) -> LogError {
    LogError::Stalled { reason: format!("{what} for {} s", since.as_secs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn events() -> Partition {
        Partition::new("events", 0)
    }

    /// A reader that was assigned one partition and stands at offset 5.
    fn reading(now: Instant) -> (Watchdog, Cursors) {
        let mut cursors = Cursors::default();
        cursors.own([events()]);
        cursors.start(&[events().next_offset(5)], 1);
        cursors.touch(now);
        (Watchdog::new(SECOND, now), cursors)
    }

    fn unanswered() -> Ends {
        Err(LogError::Unavailable { action: "asking", source: None })
    }

    #[test]
    fn a_client_without_a_broker_is_replaced() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        let mut judge = |ends, after: Duration| watchdog.judge(ends, &mut cursors, start + after);
        assert_eq!(judge(unanswered(), SECOND).expect("still waiting"), Advice::Wait);
        assert_eq!(judge(Ok(vec![]), 15 * SECOND).expect("an answer"), Advice::Wait);
        assert_eq!(judge(unanswered(), 34 * SECOND).expect("still waiting"), Advice::Wait);
        assert!(matches!(judge(unanswered(), 35 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn a_client_without_an_assignment_is_replaced_after_a_rebalance_could_have_ended() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = (Watchdog::new(30 * SECOND, start), Cursors::default());
        let mut judge = |after: Duration| watchdog.judge(Ok(vec![]), &mut cursors, start + after);
        assert_eq!(judge(49 * SECOND).expect("still waiting"), Advice::Wait);
        assert!(matches!(judge(50 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn a_partition_of_which_nothing_comes_is_a_stall_unless_its_owner_takes_nothing() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        let mut judge = |cursors: &mut Cursors, after: Duration| watchdog.judge(Ok(vec![(events(), 9)]), cursors, start + after);
        assert_eq!(judge(&mut cursors, 19 * SECOND).expect("still waiting"), Advice::Wait);
        cursors.touch(start + 19 * SECOND);
        assert_eq!(judge(&mut cursors, 38 * SECOND).expect("nobody took anything"), Advice::Wait);
        assert!(matches!(judge(&mut cursors, 39 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn an_end_that_was_told_is_looked_at_again_once_the_broker_has_more() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        cursors.reach_end(0);
        cursors.touch(start);
        let mut judge = |end, cursors: &mut Cursors, after: Duration| {
            watchdog.judge(Ok(vec![(events(), end)]), cursors, start + after).expect("no stall")
        };
        assert_eq!(judge(5, &mut cursors, 60 * SECOND), Advice::Wait);
        assert_eq!(judge(7, &mut cursors, 61 * SECOND), Advice::Refetch);
        // The end comes again: what lies before it is no record, e.g. the marker of a transaction.
        cursors.reach_end(0);
        assert_eq!(judge(7, &mut cursors, 90 * SECOND), Advice::Wait);
        assert_eq!(judge(8, &mut cursors, 91 * SECOND), Advice::Refetch);
    }

    #[test]
    fn a_silence_is_remembered_for_as_long_as_it_may_have_effects() {
        let start = Instant::now();
        let answers = Answers::new(start);
        for (answer, after, late) in [(Ok(vec![]), 2, false), (Ok(vec![]), 4, false), (unanswered(), 5, true), (Ok(vec![]), 6, true)] {
            answers.put(answer, start + after * SECOND);
            assert_eq!(answers.were_late(start + after * SECOND), late, "after {after} s");
        }
        (7..80).step_by(2).for_each(|after| answers.put(Ok(vec![]), start + after * SECOND));
        assert!(!answers.were_late(start + 80 * SECOND));
        assert!(answers.were_late(start + 86 * SECOND), "nothing was heard since");
        answers.put(Ok(vec![]), start + 86 * SECOND);
        assert!(answers.were_late(start + 87 * SECOND), "a silence that nobody asked into is one, too");
    }

    #[test]
    fn a_topic_that_was_made_anew_or_deleted_is_noticed_by_its_id() {
        let mut seen = HashMap::new();
        let says = |id| HashMap::from([("events".to_owned(), id)]);
        assert!(compare(&mut seen, &says(TopicId::Known(1, 2))).is_ok());
        assert!(compare(&mut seen, &says(TopicId::Known(1, 2))).is_ok());
        for (id, reason) in [(TopicId::Known(1, 3), "made anew"), (TopicId::Missing, "deleted")] {
            let error = compare(&mut seen, &says(id)).expect_err("another topic");
            assert!(matches!(&error, LogError::Replaced { .. }) && error.to_string().contains(reason), "{error}");
        }
        assert!(compare(&mut HashMap::new(), &says(TopicId::None)).is_ok());
    }
}
