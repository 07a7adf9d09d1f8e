//! Waits for a condition with a deadline.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Pause between two checks.
const INTERVAL: Duration = Duration::from_millis(10);

/// Calls `check` until it returns `Ok`; fails after `timeout` with its last error.
pub async fn until<T, S: Debug>(what: &str, timeout: Duration, mut check: impl AsyncFnMut() -> Result<T, S>) -> Result<T> {
    let since = Instant::now();
    loop {
        match check().await {
            Err(last) if since.elapsed() > timeout => anyhow::bail!("waited {timeout:?} for {what}; last: {last:?}"),
            Err(_) => tokio::time::sleep(INTERVAL).await,
            Ok(value) => return Ok(value),
        }
    }
}

/// Calls `check` until it returns true; fails after `timeout`.
pub async fn until_true(what: &str, timeout: Duration, mut check: impl AsyncFnMut() -> bool) -> Result<()> {
    until(what, timeout, async || if check().await { Ok(()) } else { Err("false") }).await
}

/// As [`until`], for code outside of a runtime.
pub fn until_blocking<T>(what: &str, timeout: Duration, mut check: impl FnMut() -> Option<T>) -> Result<T> {
    let since = Instant::now();
    loop {
        match check() {
            None if since.elapsed() < timeout => std::thread::sleep(INTERVAL),
            outcome => return outcome.with_context(|| format!("waited {timeout:?} for {what}")),
        }
    }
}
