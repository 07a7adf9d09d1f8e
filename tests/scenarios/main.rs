//! End-to-end tests of Qamtu: real processes, a real ClickHouse, both event logs, a real browser.

mod as_of;
#[path = "../../analytics/tests/sample/cases.rs"]
mod cases;
mod crate_dependencies;
mod demo;
mod demo_page;
mod demo_slices;
mod end_to_end;
mod known_failures;
mod modules;
mod page_layout;
mod readme;
mod repository_rules;
#[path = "../../analytics/tests/sample/sample.rs"]
mod sample;
mod send;

use std::path::Path;

use anyhow::{Result, ensure};
use qamtu_tests::{small_campaign, stack::Stack};
use serde_json::Value;

const NDJSON: &str = "application/x-ndjson";

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Sends the reference data and the roll of the small campaign, each event changed by `change`.
async fn send_reference_data(stack: &Stack, change: impl Fn(Value) -> Value) -> Result<()> {
    stack.accept(&small_campaign::reference().into_iter().map(&change).collect::<Vec<_>>()).await?;
    let roll: Vec<Value> = small_campaign::roll().lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let roll: String = roll.into_iter().map(|line| format!("{}\n", change(line))).collect();
    let (status, answer) = stack.post("/v1/roll", NDJSON, roll).await?;
    ensure!(status == 200 && answer["accepted"] == 3, "{status} {answer}");
    Ok(())
}
