//! Waiting for a state, never for a time.

use std::{fmt::Debug, future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, interval};

/// Asks until the answer is `Ok`, or fails after `patience` with the last answer seen.
pub async fn until<T, S: Debug, F>(what: &str, patience: Duration, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, S>>,
{
    let deadline = Instant::now() + patience;
    let mut pace = interval(Duration::from_millis(50));
    loop {
        pace.tick().await;
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(seen) if Instant::now() > deadline => bail!("waited {patience:?} for {what}; last seen: {seen:?}"),
            Err(_) => {}
        }
    }
}
