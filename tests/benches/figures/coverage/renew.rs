//! Renewal: `qamtu-analytics compute` after one more meeting was reported, with the facts store of the calculation before.

use anyhow::{Context, Result, ensure};
use qamtu_tests::stack::{Log, Stack};

use super::{MEMORY_MB, Timed, compute, dataset};
use crate::measurement::{Better, Comparison, Measured, Measurement};

/// Name of the figure.
pub const ID: &str = "renew";

/// Attendances before, in millions.
const MILLIONS: u64 = 10;

/// Attendances of the meeting that is added.
const ADDED: u64 = 100;

/// Seconds that a renewal may take.
const LIMIT_S: f64 = 0.5;

/// Times that a meeting is added and the figures are computed; the median counts.
const ROUNDS: u64 = 5;

fn attendances(timed: &Timed) -> u64 {
    timed.answers["region"].values().map(|reach| reach.attendances).sum()
}

/// Adds meetings one after another, and measures the calculation after each.
pub async fn renew() -> Result<Measurement> {
    let stack = Stack::with_warehouse(Log::Embedded, &["--memory-max-mb", MEMORY_MB]).await?;
    dataset::send(&stack, dataset::REGION).await?;
    stack.wait_until_projected().await?;
    dataset::fill_attendance(&stack, dataset::REGION, MILLIONS).await?;
    let (cold, _) = compute(&stack, None).await?;
    let mut seconds = Vec::new();
    let mut peak = None;
    for round in 0..ROUNDS {
        dataset::add_meeting(&stack, round, ADDED).await?;
        stack.wait_until_projected().await?;
        let (renewed, memory) = compute(&stack, None).await?;
        ensure!(attendances(&renewed) == attendances(&cold) + (round + 1) * ADDED, "the added meetings are not in the figures");
        seconds.push(renewed.seconds);
        peak = memory.max(peak);
    }
    seconds.sort_by(f64::total_cmp);
    let median = *seconds.get(seconds.len() / 2).context("a round")?;
    let what = format!("all breakdowns after one more report at {MILLIONS} million attendances, median of {ROUNDS}");
    let measured = Measured { value: median, unit: "s", better: Better::Less };
    let note = format!("{:.2} to {:.2} s; {:.2} s without a facts store", seconds[0], seconds[seconds.len() - 1], cold.seconds);
    Ok(Measurement::new(ID, &what, measured, Comparison { with: "limit", value: LIMIT_S }).peak_rss_mb(peak).note(note))
}
