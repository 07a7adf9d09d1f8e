//! Event to the log: prepared bytes in, durably acknowledged positions out. Decides nothing.
//!
//! Guarantees: positions come back only if the log has acknowledged every entry. Otherwise nothing is promised: some may stand in
//! the log or come to stand there, and whoever sent them sends them again with the same ids.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use qamtu_log::{Entry, LogWriter, Position};
use qamtu_schemas::{Encoded, Topic};

use crate::{
    error::chain,
    metrics,
    rejection::{Reason, Rejection},
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

/// Appends entries and waits for the log, but not longer than `time`.
pub async fn append(writer: &dyn LogWriter, entries: Vec<Entry>, time: Duration) -> Result<Vec<Position>, Rejection> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let (count, begun) = (entries.len(), Instant::now());
    let outcomes = tokio::time::timeout(time, writer.append(entries)).await;
    let stored = outcomes.as_ref().map_or(0, |outcomes| outcomes.iter().filter(|outcome| outcome.is_ok()).count());
    metrics::append(begun.elapsed(), stored == count);
    match outcomes.map(|outcomes| outcomes.into_iter().collect::<Result<Vec<_>, _>>()) {
        Ok(Ok(positions)) => return Ok(positions),
        Ok(Err(error)) => tracing::error!(count, stored, error = chain(&error), "the log did not take an append"),
        Err(_) => tracing::error!(count, ?time, "the log did not acknowledge an append in time"),
    }
    let detail = "the log has not acknowledged all of it; send the same events again, with the same ids, after a while";
    Err(Rejection::new(Reason::LogUnavailable, detail))
}
