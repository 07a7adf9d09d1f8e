//! Known ids that arrive with another body: the response to the client, and the record for operators.
//!
//! Guarantees: no response depends on the person that an event names. A body that differs from the known one only in the person gets the
//! response of a duplicate. It is appended to the log all the same, once per id, in the background, and the response does not wait for it; so the
//! view `v_conflicts` lists it. It never replaces the first body. All other conflicts are reported to the client, up to a rate limit. Logs
//! contain counts, no ids.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use qamtu_log::{Entry, LogWriter};
use qamtu_schemas::{Encoded, id::EventId, instant::micros};
use tokio_util::task::TaskTracker;

use crate::{
    log_append,
    rejection::{Detail, ProblemCode, Rejection},
};

/// Most ids with a stored second body; when it is reached, no more second bodies are stored until a restart.
const STORED_IDS_MAX: usize = 100_000;

/// Shortest time between two log lines about conflicts.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Rate limit and counts of conflicts, and the ids whose second body is stored.
#[derive(Debug)]
pub struct Conflicts {
    bucket: Mutex<TokenBucket>,
    stored_ids: Arc<Mutex<HashSet<EventId>>>,
    counts: Mutex<ConflictCounts>,
    appends: TaskTracker,
}

/// Token bucket that limits how many conflicts per minute are reported to clients.
#[derive(Debug)]
struct TokenBucket {
    per_minute: u32,
    tokens: f64,
    filled: Instant,
}

/// Counts since the last log line.
#[derive(Debug, Default)]
struct ConflictCounts {
    reported: u64,
    limited: u64,
    other_person: u64,
    logged: Option<Instant>,
}

/// A second body of a known id, encoded for the log.
#[derive(Debug)]
pub struct OtherBody {
    id: EventId,
    entry: Entry,
}

impl OtherBody {
    /// Stamps the body with the server's clock, even if the client simulates one, but always later than the first body, so that the first
    /// one stays the one received earliest. The time of the first one may be simulated, or the server's clock was set back since.
    pub fn new(id: EventId, mut encoded: Encoded, now: Timestamp, first_received_us: i64) -> Self {
        let after_first = Timestamp::from_microsecond(first_received_us.saturating_add(1)).unwrap_or(now);
        let received = micros(now).max(after_first);
        for (name, value) in &mut encoded.headers {
            if *name == "ce_receivedtime" {
                *value = received.to_string();
            }
        }
        Self { id, entry: log_append::entry(encoded) }
    }
}

impl Conflicts {
    /// No conflicts yet; at most `per_minute` are reported to clients.
    pub fn new(per_minute: u32) -> Self {
        let bucket = TokenBucket { per_minute, tokens: f64::from(per_minute), filled: Instant::now() };
        Self { bucket: Mutex::new(bucket), stored_ids: Arc::default(), counts: Mutex::default(), appends: TaskTracker::new() }
    }

    /// The refusal of an id that another body has: 409, or 429 over the rate limit.
    pub fn reject(&self, detail: Detail) -> Rejection {
        let reported = lock(&self.bucket).take(Instant::now());
        self.update(|counts| if reported { counts.reported += 1 } else { counts.limited += 1 });
        if reported {
            Rejection::new(ProblemCode::ConflictingId, detail).at("/id")
        } else {
            Rejection::new(ProblemCode::TooManyConflicts, Detail::ConflictsLimited).at("/id")
        }
    }

    /// Appends the second bodies of ids that have none yet, in the background.
    pub fn append(&self, writer: &Arc<dyn LogWriter>, bodies: Vec<OtherBody>) {
        if bodies.is_empty() {
            return;
        }
        self.update(|counts| counts.other_person += bodies.len() as u64);
        let (ids, entries): (Vec<EventId>, Vec<Entry>) = {
            let mut stored_ids = lock(&self.stored_ids);
            bodies
                .into_iter()
                .filter(|body| stored_ids.len() < STORED_IDS_MAX && stored_ids.insert(body.id))
                .map(|body| (body.id, body.entry))
                .unzip()
        };
        if ids.is_empty() {
            return;
        }
        let (writer, stored_ids) = (writer.clone(), self.stored_ids.clone());
        self.appends.spawn(async move {
            let results = writer.append(entries).await;
            let mut stored_ids = lock(&stored_ids);
            // After a failed append the body may be stored when it is sent again.
            for (id, _) in ids.iter().zip(&results).filter(|(_, result)| result.is_err()) {
                stored_ids.remove(id);
            }
        });
    }

    /// Waits until all background appends have succeeded or failed.
    pub async fn flush(&self) {
        self.appends.close();
        self.appends.wait().await;
    }

    fn update(&self, change: impl FnOnce(&mut ConflictCounts)) {
        let mut counts = lock(&self.counts);
        change(&mut counts);
        if counts.logged.is_none_or(|last| last.elapsed() >= LOG_EVERY) {
            let ConflictCounts { reported, limited, other_person, .. } = *counts;
            tracing::warn!(reported, limited, other_person, "ids were sent again with another content");
            *counts = ConflictCounts { logged: Some(Instant::now()), ..ConflictCounts::default() };
        }
    }
}

impl TokenBucket {
    fn take(&mut self, now: Instant) -> bool {
        let capacity = f64::from(self.per_minute);
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() / 60.0 * capacity;
        (self.tokens, self.filled) = ((self.tokens + gained).min(capacity), now);
        let reported = self.tokens >= 1.0;
        self.tokens -= if reported { 1.0 } else { 0.0 };
        reported
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use qamtu_schemas::Topic;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn conflicts_are_reported_up_to_a_rate() {
        let begun = Instant::now();
        let mut bucket = TokenBucket { per_minute: 2, tokens: 2.0, filled: begun };
        let reported: Vec<bool> = [0, 0, 0, 20, 31, 61, 600, 600, 600].map(|at| bucket.take(begun + Duration::from_secs(at))).to_vec();
        assert_eq!(reported, [true, true, false, false, true, true, true, true, false]);
    }

    #[test]
    fn a_second_body_is_stamped_with_the_clock_of_the_server_and_always_later_than_the_first() {
        let now = "2026-11-01T00:00:00.1234567Z".parse().unwrap();
        for (first, expected) in [
            ("2026-02-13T10:00:00Z", "2026-11-01T00:00:00.123456Z"),
            ("2026-11-01T00:00:00.123456Z", "2026-11-01T00:00:00.123457Z"),
            ("2026-12-31T23:59:59Z", "2026-12-31T23:59:59.000001Z"),
        ] {
            let headers = vec![("ce_receivedtime", "2026-02-13T10:00:00Z".to_owned())];
            let encoded = Encoded { topic: Topic::Events, key: "c/m".to_owned(), headers, value: Vec::new() };
            let first: Timestamp = first.parse().unwrap();
            let body = OtherBody::new(EventId(Uuid::from_u128(1)), encoded, now, first.as_microsecond());
            assert_eq!(body.entry.headers[0].1.as_ref(), expected.as_bytes());
        }
    }
}
