//! Event to the log: prepared bytes in, durably acknowledged positions out. Decides nothing.
//!
//! Guarantees: good is only what the log has acknowledged, entry by entry. Otherwise nothing is promised: some may stand in the log
//! or come to stand there, and whoever sent them sends them again with the same ids. Every append is followed to its end, also when
//! nobody waits for the answer any more.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use qamtu_log::{Entry, LogError, LogWriter, Position};
use qamtu_schemas::{Encoded, Topic};

use crate::{
    metrics,
    panics::task_panicked,
    rejection::{Detail, Reason, Rejection},
    telemetry::chain,
};

static EVENTS: LazyLock<Arc<str>> = LazyLock::new(|| Topic::Events.name().into());
static ROLL: LazyLock<Arc<str>> = LazyLock::new(|| Topic::Roll.name().into());

/// The log's entry for an event.
pub fn entry(encoded: Encoded) -> Entry {
    let topic = match encoded.topic {
        Topic::Events => EVENTS.clone(),
        Topic::Roll => ROLL.clone(),
    };
    let headers = encoded.headers.into_iter().map(|(name, value)| (Cow::Borrowed(name), Bytes::from(value))).collect();
    Entry { topic, key: encoded.key.into(), headers, value: encoded.value.into() }
}

/// What the log said of each entry.
pub type Outcomes = Vec<Result<Position, LogError>>;

/// Appends entries in a task of its own and waits for it, but not longer than `time`. `settle` is told the outcomes, however late
/// they come, and before anybody is answered.
pub async fn append(
    writer: Arc<dyn LogWriter>,
    entries: Vec<Entry>,
    time: Duration,
    settle: impl FnOnce(&Outcomes) + Send + 'static,
) -> Result<(), Rejection> {
    if entries.is_empty() {
        return Ok(());
    }
    let (count, begun) = (entries.len(), Instant::now());
    let appending = tokio::spawn(async move {
        let outcomes = writer.append(entries).await;
        settle(&outcomes);
        outcomes
    });
    let outcomes = tokio::time::timeout(time, appending).await;
    let stored = |outcomes: &Outcomes| outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    metrics::append(begun.elapsed(), matches!(&outcomes, Ok(Ok(outcomes)) if stored(outcomes) == count));
    match outcomes {
        Ok(Ok(outcomes)) => match outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
            None => return Ok(()),
            Some(error) => tracing::error!(count, stored = stored(&outcomes), error = chain(error), "the log did not take an append"),
        },
        Ok(Err(ended)) => return Err(task_panicked(&ended)),
        Err(_) => tracing::error!(count, ?time, "the log did not acknowledge an append in time"),
    }
    Err(unacknowledged())
}

/// Makes sure that the log still is the one that the register knows. "Sent before" is a promise that the log holds the event, and a
/// log that was deleted, made anew or restored from an older copy may not.
pub async fn verify(writer: &dyn LogWriter) -> Result<(), Rejection> {
    writer.verify(&Topic::ALL.map(Topic::name)).await.map_err(|error| {
        tracing::error!(error = chain(&error), "the log cannot be shown to be the one that the register was built from");
        unacknowledged()
    })
}

/// The refusal of what the log may or may not have.
pub fn unacknowledged() -> Rejection {
    Rejection::new(Reason::LogUnavailable, Detail::Unacknowledged)
}
