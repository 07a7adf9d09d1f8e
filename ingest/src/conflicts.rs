//! Ids that come again with another content: what clients are told, and what operators see.
//!
//! Guarantees: no answer depends on the person that an event names. A body that differs from the known one in the person alone is
//! answered as a repetition; it goes into the log all the same, once for each id, after the answer and independent of it, so that the
//! view `v_conflicts` lists it. It never replaces the body that came first. All other conflicts are told to the client, but only so
//! many a minute. Both are logged as numbers, without ids.

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
    publish,
    rejection::{Detail, Reason, Rejection},
};

/// Ids of which a second body was kept that are remembered; after as many, no more bodies are kept until a restart.
const KEPT_MAX: usize = 100_000;

/// Time between two lines in the logs.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Limits, counts and keeps conflicts.
#[derive(Debug)]
pub struct Conflicts {
    budget: Mutex<Budget>,
    kept: Arc<Mutex<HashSet<EventId>>>,
    tally: Mutex<Tally>,
    appends: TaskTracker,
}

/// A token bucket: so many conflicts may be told.
#[derive(Debug)]
struct Budget {
    per_minute: u32,
    left: f64,
    filled: Instant,
}

/// What the next line in the logs will say.
#[derive(Debug, Default)]
struct Tally {
    told: u64,
    limited: u64,
    kept: u64,
    logged: Option<Instant>,
}

/// A second body of an id, to be kept for operators.
#[derive(Debug)]
pub struct OtherBody {
    id: EventId,
    entry: Entry,
}

impl OtherBody {
    /// The body as it goes into the log, stamped with the server's clock even where a client simulates it: the first body stays the
    /// earliest received.
    pub fn new(id: EventId, mut encoded: Encoded, now: Timestamp) -> Self {
        for (name, value) in &mut encoded.headers {
            if *name == "ce_receivedtime" {
                *value = micros(now).to_string();
            }
        }
        Self { id, entry: publish::entry(encoded) }
    }
}

impl Conflicts {
    /// Conflicts of which clients are told at most so many a minute.
    pub fn new(per_minute: u32) -> Self {
        let budget = Budget { per_minute, left: f64::from(per_minute), filled: Instant::now() };
        Self { budget: Mutex::new(budget), kept: Arc::default(), tally: Mutex::default(), appends: TaskTracker::new() }
    }

    /// The refusal of an id that stands for another content.
    pub fn tell(&self, detail: Detail) -> Rejection {
        let told = lock(&self.budget).take(Instant::now());
        self.count(|tally| if told { tally.told += 1 } else { tally.limited += 1 });
        if told {
            Rejection::new(Reason::ConflictingId, detail).at("/id")
        } else {
            Rejection::new(Reason::TooManyConflicts, Detail::ConflictsLimited).at("/id")
        }
    }

    /// Appends second bodies without waiting for the log, those of ids that have none yet.
    pub fn keep(&self, writer: &Arc<dyn LogWriter>, bodies: Vec<OtherBody>) {
        if bodies.is_empty() {
            return;
        }
        self.count(|tally| tally.kept += bodies.len() as u64);
        let (ids, entries): (Vec<EventId>, Vec<Entry>) = {
            let mut kept = lock(&self.kept);
            bodies.into_iter().filter(|body| kept.len() < KEPT_MAX && kept.insert(body.id)).map(|body| (body.id, body.entry)).unzip()
        };
        if ids.is_empty() {
            return;
        }
        let (writer, kept) = (writer.clone(), self.kept.clone());
        self.appends.spawn(async move {
            let outcomes = writer.append(entries).await;
            let mut kept = lock(&kept);
            // What the log did not take may be kept when it comes again.
            for (id, _) in ids.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_err()) {
                kept.remove(id);
            }
        });
    }

    /// Waits until everything that is kept stands in the log, or was refused by it.
    pub async fn flush(&self) {
        self.appends.close();
        self.appends.wait().await;
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        let mut tally = lock(&self.tally);
        change(&mut tally);
        if tally.logged.is_none_or(|last| last.elapsed() >= LOG_EVERY) {
            let Tally { told, limited, kept, .. } = *tally;
            tracing::warn!(told, limited, kept, "ids were sent again with another content");
            *tally = Tally { logged: Some(Instant::now()), ..Tally::default() };
        }
    }
}

impl Budget {
    fn take(&mut self, now: Instant) -> bool {
        let most = f64::from(self.per_minute);
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() / 60.0 * most;
        (self.left, self.filled) = ((self.left + gained).min(most), now);
        let told = self.left >= 1.0;
        self.left -= if told { 1.0 } else { 0.0 };
        told
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
    fn so_many_conflicts_are_told_in_a_minute() {
        let begun = Instant::now();
        let mut budget = Budget { per_minute: 2, left: 2.0, filled: begun };
        let told: Vec<bool> = [0, 0, 0, 20, 31, 61, 600, 600, 600].map(|at| budget.take(begun + Duration::from_secs(at))).to_vec();
        assert_eq!(told, [true, true, false, false, true, true, true, true, false]);
    }

    #[test]
    fn a_second_body_is_stamped_with_the_clock_of_the_server() {
        let headers = vec![("ce_receivedtime", "2026-02-13T10:00:00Z".to_owned())];
        let encoded = Encoded { topic: Topic::Events, key: "c/m".to_owned(), headers, value: Vec::new() };
        let body = OtherBody::new(EventId(Uuid::from_u128(1)), encoded, "2026-11-01T00:00:00.1234567Z".parse().unwrap());
        assert_eq!(body.entry.headers[0].1.as_ref(), b"2026-11-01T00:00:00.123456Z");
    }
}
