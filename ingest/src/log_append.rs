//! Appends encoded events to the log.
//!
//! Guarantees: an append is a success only when the log has acknowledged every entry. Otherwise some entries may be in the log, or may
//! still be written; the client sends all of them again with the same ids. Each append runs in its own task until it ends, also after
//! its caller has timed out.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use qamtu_log::{Entry, LogError, LogWriter, Position};
use qamtu_schemas::{Encoded, Topic};
use qamtu_service::telemetry::error_chain;

use crate::{
    metrics,
    panics::task_panicked,
    rejection::{Detail, ProblemCode, Rejection},
};

static EVENTS: LazyLock<Arc<str>> = LazyLock::new(|| Topic::Events.name().into());
static ROLL: LazyLock<Arc<str>> = LazyLock::new(|| Topic::Roll.name().into());

/// The log entry of an encoded event: topic, key, `ce_*` headers and payload.
pub fn entry(encoded: Encoded) -> Entry {
    let topic = match encoded.topic {
        Topic::Events => EVENTS.clone(),
        Topic::Roll => ROLL.clone(),
    };
    let headers = encoded.headers.into_iter().map(|(name, value)| (Cow::Borrowed(name), Bytes::from(value))).collect();
    Entry { topic, key: encoded.key.into(), headers, value: encoded.value.into() }
}

/// The position or the error of each appended entry, in the order of the entries.
pub type AppendResults = Vec<Result<Position, LogError>>;

/// Appends entries in a task of its own and waits at most `time` for it. `settle` runs with the results as soon as the append ends,
/// before this call returns, and also when the call has timed out long before.
pub async fn append(
    writer: Arc<dyn LogWriter>,
    entries: Vec<Entry>,
    time: Duration,
    settle: impl FnOnce(&AppendResults) + Send + 'static,
) -> Result<(), Rejection> {
    if entries.is_empty() {
        return Ok(());
    }
    let (count, begun) = (entries.len(), Instant::now());
    let appending = tokio::spawn(async move {
        let results = writer.append(entries).await;
        settle(&results);
        results
    });
    let results = tokio::time::timeout(time, appending).await;
    let stored = |results: &AppendResults| results.iter().filter(|result| result.is_ok()).count();
    metrics::append(begun.elapsed(), matches!(&results, Ok(Ok(results)) if stored(results) == count));
    match results {
        Ok(Ok(results)) => match results.iter().find_map(|result| result.as_ref().err()) {
            None => return Ok(()),
            Some(error) => tracing::error!(count, stored = stored(&results), error = error_chain(error), "an append failed"),
        },
        Ok(Err(error)) => return Err(task_panicked(&error)),
        Err(_) => tracing::error!(count, ?time, "an append timed out"),
    }
    Err(unacknowledged())
}

/// Checks that the log is still the one that the register was built from. A duplicate is reported as stored, which is false if the log
/// was deleted, recreated or restored from an older copy.
pub async fn verify(writer: &dyn LogWriter) -> Result<(), Rejection> {
    writer.verify(&Topic::ALL.map(Topic::name)).await.map_err(|error| {
        tracing::error!(error = error_chain(&error), "cannot verify that the log is the one that the register was built from");
        unacknowledged()
    })
}

/// The refusal (503) of events that may or may not be in the log.
pub fn unacknowledged() -> Rejection {
    Rejection::new(ProblemCode::LogUnavailable, Detail::Unacknowledged)
}
