//! `make bench`: the figures that Qamtu holds itself to, each beside what it is compared with, in one run on one machine.
//!
//! Prints a table and writes `bench.json` at the top of the repository. A ratio above 1 means that Qamtu is better than what
//! it is compared with. Arguments choose figures by the beginning of their names.

#[path = "figures/coverage.rs"]
mod coverage;
#[path = "figures/demo.rs"]
mod demo;
#[path = "figures/figure.rs"]
mod figure;
#[path = "figures/ingest.rs"]
mod ingest;
#[path = "figures/load.rs"]
mod load;
#[path = "figures/project.rs"]
mod project;

use anyhow::Result;
use figure::Figure;

#[tokio::main]
async fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |id: &str| wanted.is_empty() || wanted.iter().any(|start| id.starts_with(start.as_str()));
    let mut figures: Vec<Figure> = Vec::new();
    if is_wanted("ingest-batch") {
        figures.push(ingest::batch().await?);
    }
    if is_wanted("ingest-single") || is_wanted("visible") {
        figures.extend(ingest::single_and_visible().await?);
    }
    if is_wanted("project") {
        figures.push(project::project().await?);
    }
    figures.extend(coverage::coverage(is_wanted).await?);
    if is_wanted("demo") {
        figures.push(demo::demo().await?);
    }
    figure::report(&figures)
}
