//! `make bench`: performance figures of Qamtu, each with a comparison measured in the same run on the same machine.
//!
//! Prints a table and writes `bench.json` in the root of the repository. A ratio above 1 means that Qamtu is better than the
//! comparison. Arguments select figures by the beginning of their names.

#[path = "figures/coverage.rs"]
mod coverage;
#[path = "figures/demo.rs"]
mod demo;
#[path = "figures/ingest.rs"]
mod ingest;
#[path = "figures/load.rs"]
mod load;
#[path = "figures/measurement.rs"]
mod measurement;
#[path = "figures/processors.rs"]
mod processors;
#[path = "figures/project.rs"]
mod project;

use anyhow::Result;
use measurement::Measurement;

#[tokio::main]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |id: &str| wanted.is_empty() || wanted.iter().any(|start| id.starts_with(start.as_str()));
    let mut figures: Vec<Measurement> = Vec::new();
    let mut failures = Vec::new();
    if is_wanted("ingest-batch") {
        record(ingest::batch().await.map(|figure| vec![figure]), &mut figures, &mut failures)?;
    }
    if is_wanted("ingest-single") || is_wanted("visible") {
        record(ingest::single_and_visible().await, &mut figures, &mut failures)?;
    }
    if is_wanted("project") {
        record(project::project().await, &mut figures, &mut failures)?;
    }
    if is_wanted("demo") {
        record(demo::demo().await.map(|figure| vec![figure]), &mut figures, &mut failures)?;
    }
    for size in coverage::SIZES.iter().filter(|size| is_wanted(size.id) && (!size.only_if_named || !wanted.is_empty())) {
        record(coverage::coverage(size).await.map(|figure| vec![figure]), &mut figures, &mut failures)?;
    }
    if is_wanted(coverage::renew::ID) {
        record(coverage::renew::renew().await.map(|figure| vec![figure]), &mut figures, &mut failures)?;
    }
    if is_wanted(coverage::slices::ID) {
        record(coverage::slices::slices().await.map(|figure| vec![figure]), &mut figures, &mut failures)?;
    }
    anyhow::ensure!(failures.is_empty(), "not measured: {}", failures.join("; "));
    Ok(())
}

/// Adds measured figures and prints all so far; collects errors, which are reported at the end.
fn record(measured: Result<Vec<Measurement>>, figures: &mut Vec<Measurement>, failures: &mut Vec<String>) -> Result<()> {
    match measured {
        Ok(measured) => figures.extend(measured),
        Err(error) => failures.push(format!("{error:#}")),
    }
    measurement::report(figures)
}
