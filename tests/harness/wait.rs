//! Waiting for a state, never for a time.

use std::{fmt::Debug, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, interval};

/// Asks until the answer is `Ok`, or fails after `timeout` with the last answer seen.
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
