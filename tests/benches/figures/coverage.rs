//! Coverage: every breakdown over 1,195,000 voters, by `qamtu-analytics compute` as in production, compared with the same
//! queries in SQL on ClickHouse and on DuckDB. The benchmark fails unless all three give the same figures.
//!
//! Qamtu reads the views of the warehouse: it deduplicates, applies retractions and withdrawn consents, and transfers every row
//! over HTTP. The peers query tables of their own, which are filled, deduplicated and sorted beforehand, outside the measured time.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use qamtu_tests::{
    small_campaign::CAMPAIGN,
    stack::{Log, Stack},
};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::figure::{Better, Figure, peak_rss_mb};

#[path = "coverage/clickhouse.rs"]
mod clickhouse;
#[path = "coverage/dataset.rs"]
mod dataset;
#[path = "coverage/duckdb.rs"]
mod duckdb;

/// Attendances, in millions, and the figure's name.
pub const SIZES: [(u64, &str); 3] = [(1, "coverage-1m"), (10, "coverage-10m"), (50, "coverage-50m")];

/// Memory limit of ClickHouse in MB: the peer's queries need far more than those of Qamtu.
const MEMORY_MB: &str = "14000";

/// The results: by kind and code of a slice the number of different eligible people and of their attendances.
type Answers = BTreeMap<String, BTreeMap<String, (u64, u64)>>;

/// Measures the figure of one size.
pub async fn coverage((millions, id): (u64, &'static str)) -> Result<Figure> {
    let mut stack = Stack::with_warehouse(Log::Embedded, &["--memory-max-mb", MEMORY_MB]).await?;
    dataset::send(&stack).await?;
    stack.wait_until_projected().await?;
    stack.projector.take().context("projector")?.stop().await?;
    measure(&stack, millions, id).await
}

async fn measure(stack: &Stack, millions: u64, id: &'static str) -> Result<Figure> {
    dataset::fill_attendance(stack, millions).await?;
    let (ours, (seconds, peak)) = compute(stack).await?;
    clickhouse::prepare(stack).await?;
    let files = stack.dir().join("facts");
    clickhouse::export(stack, &files).await?;
    let sql = clickhouse::answer(stack).await?;
    clickhouse::clean(stack).await?;
    let (duck, duckdb) = duckdb::answer(&files).await?;
    ensure_same("DuckDB", &ours, &duck)?;
    let (mut peer, mut clickhouse) = (("DuckDB", duckdb), "more memory than it was given".to_owned());
    if let Some((answers, seconds)) = sql {
        ensure_same("ClickHouse", &ours, &answers)?;
        clickhouse = format!("{seconds:.2} s");
        peer = if seconds < duckdb { ("ClickHouse SQL", seconds) } else { peer };
    }
    Ok(Figure::new(
        (id, &format!("all breakdowns of {millions} million attendances over 1.195 million voters")),
        Better::Less,
        (seconds, "s"),
        peer,
    )
    .peak_rss_mb(peak)
    .note(format!(
        "ClickHouse SQL {clickhouse}, DuckDB {duckdb:.2} s, on tables deduplicated beforehand; ours from the views, {} MB",
        peak.unwrap_or_default()
    )))
}

/// Runs `qamtu-analytics compute`; returns its results, its seconds from start to end, and its peak memory.
async fn compute(stack: &Stack) -> Result<(Answers, (f64, Option<u64>))> {
    let out = stack.dir().join("coverage.json");
    let csv = stack.dir().join("coverage.csv");
    let mut command = stack.analytics()?;
    command.args(["compute", "--campaign", CAMPAIGN, "--as-of", dataset::AS_OF, "--json"]).arg(&out).arg("--csv").arg(&csv);
    let begin = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut peak = None;
    let status = loop {
        match tokio::time::timeout(Duration::from_millis(20), child.wait()).await {
            Ok(status) => break status?,
            Err(_) => peak = peak_rss_mb(child.id()).or(peak),
        }
    };
    let seconds = begin.elapsed().as_secs_f64();
    let mut output = String::new();
    child.stderr.take().context("standard error")?.read_to_string(&mut output).await?;
    ensure!(status.success(), "compute failed: {output}");
    let figures: Value = serde_json::from_slice(&std::fs::read(&out)?)?;
    Ok((dataset::read(&figures, &csv)?, (seconds, peak)))
}

/// Fails at the first figure in which a peer differs.
fn ensure_same(peer: &str, ours: &Answers, theirs: &Answers) -> Result<()> {
    for (slice, figures) in ours {
        let other = theirs.get(slice).with_context(|| format!("{peer} has no figures for {slice}"))?;
        for (code, figure) in figures.iter().filter(|(_, figure)| **figure != (0, 0)) {
            if other.get(code) != Some(figure) {
                bail!("{slice} {code}: Qamtu counts {figure:?}, {peer} counts {:?}", other.get(code));
            }
        }
    }
    Ok(())
}

/// The statements of a file: `-- do` marks preparation without a result, `-- ask NAME` a query.
fn statements(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split("\n-- ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.filter_map(|(head, sql)| match head.split_once(' ') {
        None if head == "do" => Some(("", sql.trim())),
        Some(("ask", name)) => Some((name, sql.trim())),
        _ => None,
    })
}

/// Creates an empty folder for a peer.
fn empty_folder(path: &Path) -> Result<()> {
    std::fs::remove_dir_all(path).or_else(|error| if path.exists() { Err(error) } else { Ok(()) })?;
    std::fs::create_dir_all(path).map_err(Into::into)
}
