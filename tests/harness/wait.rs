//! Waits for a condition with a deadline.

use std::{fmt::Debug, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, interval};

/// Calls `check` every 50 ms until it returns `Ok`; fails after `timeout` with its last error.
pub async fn until<T, S: Debug, F>(what: &str, timeout: Duration, mut check: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, S>>,
{
    let deadline = Instant::now() + timeout;
    let mut ticks = interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        match check().await {
            Ok(value) => return Ok(value),
            Err(last) if Instant::now() > deadline => bail!("waited {timeout:?} for {what}; last: {last:?}"),
            Err(_) => {}
        }
    }
}
