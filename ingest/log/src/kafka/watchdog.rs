//! Watchdog of a reader: detects a client that has stalled although the broker works, so that the owner opens a new reader.
//!
//! A client may stop fetching although no call fails, for example when librdkafka has forgotten every broker and [`super::bootstrap`]
//! could not restore them. A thread of its own ([`super::probe`]) queries the
//! broker every [`PROBE_INTERVAL`]; the reading thread compares the results with its own progress. Nothing here does I/O.
//!
//! Guarantees: the reader ends with [`LogError::Stalled`] when no broker has responded for [`STALL_TIMEOUT`], when it had no assignment
//! for longer than a rebalance may take, or when a partition has had more records for [`STALL_TIMEOUT`] and none arrived; and with
//! [`LogError::Replaced`] when a topic was deleted or recreated. A member that is fenced shortly after an outage has stalled, too: its
//! own join request, which had timed out, arrived late and looks like that of another member. A slow caller is no stall: while no
//! batch can be sent, the reader resets the activity times.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::cursor::{Cursors, EndOffset};
use super::topic_id::TopicId;
use crate::error::LogError;

/// How often the broker is queried.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// How long a broker may not respond, or a partition make no progress.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// A longer time between two successful probes is an outage.
const LATE_AFTER: Duration = Duration::from_secs(6);
/// How long after an outage a late request may still arrive at the broker.
const OUTAGE_MEMORY: Duration = Duration::from_secs(60);

/// End offsets of the started partitions, or why the probe failed.
pub(super) type ProbeResult = Result<Vec<EndOffset>, LogError>;

/// The latest probe result for the reading thread, and the time of the last outage.
#[derive(Debug)]
pub(super) struct ProbeResults(Mutex<ProbeState>);

#[derive(Debug)]
struct ProbeState {
    latest: Option<ProbeResult>,
    last_success: Instant,
    /// When a probe last failed or was late.
    last_outage: Option<Instant>,
}

impl ProbeResults {
    /// No result yet; `now` counts as the last success.
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(ProbeState { latest: None, last_success: now, last_outage: None }))
    }

    fn lock(&self) -> MutexGuard<'_, ProbeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self, result: ProbeResult, now: Instant) {
        let mut state = self.lock();
        if result.is_err() || now.duration_since(state.last_success) > LATE_AFTER {
            state.last_outage = Some(now);
        }
        if result.is_ok() {
            state.last_success = now;
        }
        state.latest = Some(result);
    }

    /// Takes the latest result; none when it was taken before.
    pub(super) fn take(&self) -> Option<ProbeResult> {
        self.lock().latest.take()
    }

    /// Whether there is an outage or was one shortly before. Then a join request that timed out may have fenced this member.
    pub(super) fn recently_late(&self, now: Instant) -> bool {
        let state = self.lock();
        now.duration_since(state.last_success) > LATE_AFTER
            || state.last_outage.is_some_and(|outage| now.duration_since(outage) < OUTAGE_MEMORY)
    }
}

/// Compares topic ids with the first known ones and stores new ones; fails when a topic was deleted or recreated.
pub(super) fn check_topic_ids(known: &mut HashMap<String, TopicId>, found: &HashMap<String, TopicId>) -> Result<(), LogError> {
    for (topic, id) in found {
        let reason = match (id, *known.entry(topic.clone()).or_insert(*id)) {
            (TopicId::Missing, _) => "it was deleted",
            (TopicId::Known { .. }, TopicId::Known { .. }) if known[topic] != *id => "it was deleted and recreated",
            _ => continue,
        };
        return Err(LogError::Replaced { log: format!("topic {topic}"), reason: reason.to_owned() });
    }
    Ok(())
}

/// What the reader has to do after a probe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing is wrong, or not for long enough.
    Continue,
    /// Fetch again from the next offsets: the client reported the end of a partition, but the broker has more records.
    Refetch,
}

/// Evaluates the probe results against the reader's progress.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// How long the group may take to assign partitions before the client counts as stalled.
    assignment_timeout: Duration,
    last_success: Instant,
    /// Since when there is no assignment; none: assigned.
    unassigned_since: Option<Instant>,
}

impl Watchdog {
    pub(super) fn new(rebalance: Duration, now: Instant) -> Self {
        Self { assignment_timeout: rebalance + STALL_TIMEOUT, last_success: now, unassigned_since: Some(now) }
    }

    /// Evaluates one probe result; fails when the client has stalled or a topic was replaced.
    pub(super) fn evaluate(&mut self, result: ProbeResult, cursors: &mut Cursors, now: Instant) -> Result<Action, LogError> {
        let ends = match result {
            Ok(ends) => ends,
            Err(error @ LogError::Replaced { .. }) => return Err(error),
            Err(error) => {
                let silence = now.duration_since(self.last_success);
                tracing::warn!(%error, silent_s = silence.as_secs(), "the broker does not respond to the watchdog");
                return if silence < STALL_TIMEOUT { Ok(Action::Continue) } else { Err(stalled("no broker has responded", silence)) };
            }
        };
        self.last_success = now;
        if !cursors.is_assigned() {
            let since = *self.unassigned_since.get_or_insert(now);
            let waiting = now.duration_since(since);
            return if waiting < self.assignment_timeout { Ok(Action::Continue) } else { Err(stalled("there is no assignment", waiting)) };
        }
        self.unassigned_since = None;
        let lag = cursors.lag(&ends, now);
        if let Some((idle, partition)) = lag.behind
            && idle >= STALL_TIMEOUT
        {
            return Err(stalled(&format!("no records of {partition} have arrived"), idle));
        }
        if lag.at_end.is_some_and(|idle| idle >= PROBE_INTERVAL) {
            cursors.refetch(&ends, now);
            return Ok(Action::Refetch);
        }
        Ok(Action::Continue)
    }
}

fn stalled(what: &str, since: Duration) -> LogError {
    LogError::Stalled { reason: format!("{what} for {} s", since.as_secs()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Partition;

    const SECOND: Duration = Duration::from_secs(1);

    fn events() -> Partition {
        Partition::new("events", 0)
    }

    /// A reader with one assigned partition and next offset 5.
    fn reading(now: Instant) -> (Watchdog, Cursors) {
        let mut cursors = Cursors::default();
        cursors.assign([events()]);
        cursors.start(&[events().next_offset(5)], 1);
        cursors.touch(now);
        (Watchdog::new(SECOND, now), cursors)
    }

    fn no_answer() -> ProbeResult {
        Err(LogError::Unavailable { action: "asking", source: None })
    }

    #[test]
    fn a_client_without_a_broker_is_replaced() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        let mut evaluate = |ends, after: Duration| watchdog.evaluate(ends, &mut cursors, start + after);
        assert_eq!(evaluate(no_answer(), SECOND).expect("still waiting"), Action::Continue);
        assert_eq!(evaluate(Ok(vec![]), 15 * SECOND).expect("an answer"), Action::Continue);
        assert_eq!(evaluate(no_answer(), 34 * SECOND).expect("still waiting"), Action::Continue);
        assert!(matches!(evaluate(no_answer(), 35 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn a_client_without_an_assignment_is_replaced_after_a_rebalance_could_have_ended() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = (Watchdog::new(30 * SECOND, start), Cursors::default());
        let mut evaluate = |after: Duration| watchdog.evaluate(Ok(vec![]), &mut cursors, start + after);
        assert_eq!(evaluate(49 * SECOND).expect("still waiting"), Action::Continue);
        assert!(matches!(evaluate(50 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn a_partition_without_progress_is_a_stall_unless_the_caller_takes_nothing() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        let mut evaluate = |cursors: &mut Cursors, after: Duration| {
            watchdog.evaluate(Ok(vec![EndOffset { partition: events(), end: 9 }]), cursors, start + after)
        };
        assert_eq!(evaluate(&mut cursors, 19 * SECOND).expect("still waiting"), Action::Continue);
        cursors.touch(start + 19 * SECOND);
        assert_eq!(evaluate(&mut cursors, 38 * SECOND).expect("the caller took nothing"), Action::Continue);
        assert!(matches!(evaluate(&mut cursors, 39 * SECOND), Err(LogError::Stalled { .. })));
    }

    #[test]
    fn a_reported_end_is_fetched_again_once_the_broker_has_more() {
        let start = Instant::now();
        let (mut watchdog, mut cursors) = reading(start);
        cursors.mark_end(0);
        cursors.touch(start);
        let mut evaluate = |end, cursors: &mut Cursors, after: Duration| {
            watchdog.evaluate(Ok(vec![EndOffset { partition: events(), end }]), cursors, start + after).expect("no stall")
        };
        assert_eq!(evaluate(5, &mut cursors, 60 * SECOND), Action::Continue);
        assert_eq!(evaluate(7, &mut cursors, 61 * SECOND), Action::Refetch);
        // The end is reported again: the offset before it holds no record, e.g. a transaction marker.
        cursors.mark_end(0);
        assert_eq!(evaluate(7, &mut cursors, 90 * SECOND), Action::Continue);
        assert_eq!(evaluate(8, &mut cursors, 91 * SECOND), Action::Refetch);
    }

    #[test]
    fn an_outage_is_remembered_for_as_long_as_it_may_have_effects() {
        let start = Instant::now();
        let results = ProbeResults::new(start);
        for (answer, after, late) in [(Ok(vec![]), 2, false), (Ok(vec![]), 4, false), (no_answer(), 5, true), (Ok(vec![]), 6, true)] {
            results.record(answer, start + after * SECOND);
            assert_eq!(results.recently_late(start + after * SECOND), late, "after {after} s");
        }
        (7..80).step_by(2).for_each(|after| results.record(Ok(vec![]), start + after * SECOND));
        assert!(!results.recently_late(start + 80 * SECOND));
        assert!(results.recently_late(start + 86 * SECOND), "no probe succeeded since");
        results.record(Ok(vec![]), start + 86 * SECOND);
        assert!(results.recently_late(start + 87 * SECOND), "an outage without a failed probe is one, too");
    }

    #[test]
    fn a_recreated_or_deleted_topic_is_detected_by_its_id() {
        let mut known = HashMap::new();
        let ids = |id| HashMap::from([("events".to_owned(), id)]);
        assert!(check_topic_ids(&mut known, &ids(TopicId::Known { high: 1, low: 2 })).is_ok());
        assert!(check_topic_ids(&mut known, &ids(TopicId::Known { high: 1, low: 2 })).is_ok());
        for (id, reason) in [(TopicId::Known { high: 1, low: 3 }, "recreated"), (TopicId::Missing, "deleted")] {
            let error = check_topic_ids(&mut known, &ids(id)).expect_err("another topic");
            assert!(matches!(&error, LogError::Replaced { .. }) && error.to_string().contains(reason), "{error}");
        }
        assert!(check_topic_ids(&mut HashMap::new(), &ids(TopicId::Unsupported)).is_ok());
    }
}
