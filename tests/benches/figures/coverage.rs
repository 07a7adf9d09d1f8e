//! Coverage: every breakdown over 1,195,000 voters or, for the country, 12,400,000, by `qamtu-analytics compute` as in production, compared with the same
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
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use dataset::Area;

use crate::measurement::{Better, Comparison, Measured, Measurement, peak_rss_mb};

#[path = "coverage/clickhouse.rs"]
mod clickhouse;
#[path = "coverage/dataset.rs"]
mod dataset;
#[path = "coverage/duckdb.rs"]
mod duckdb;
#[path = "coverage/renew.rs"]
pub mod renew;
#[path = "coverage/slices.rs"]
pub mod slices;

/// A size of the dataset.
pub struct Size {
    /// Name of the figure.
    pub id: &'static str,
    /// Whether it is only measured if it is named: it takes long and needs some ten gigabytes of memory and disk.
    pub only_if_named: bool,
    area: Area,
    /// Attendances, in millions.
    millions: u64,
}

impl Size {
    const fn region(id: &'static str, millions: u64) -> Self {
        Self { id, only_if_named: false, area: dataset::REGION, millions }
    }
}

/// The measured sizes.
pub const SIZES: [Size; 4] = [
    Size::region("coverage-1m", 1),
    Size::region("coverage-10m", 10),
    Size::region("coverage-50m", 50),
    Size { id: "country", only_if_named: true, area: dataset::COUNTRY, millions: 100 },
];

/// Memory limit of ClickHouse in MB: the peer's queries need far more than those of Qamtu.
const MEMORY_MB: &str = "14000";

/// Different eligible people and their attendances, in a slice of the campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
struct Reach {
    people: u64,
    attendances: u64,
}

/// The results, by kind and code of a slice.
type Answers = BTreeMap<String, BTreeMap<String, Reach>>;

/// Results and the seconds that they took.
struct Timed {
    answers: Answers,
    seconds: f64,
}

/// Measures the figure of one size.
pub async fn coverage(size: &Size) -> Result<Measurement> {
    let mut stack = Stack::with_warehouse(Log::Embedded, &["--memory-max-mb", MEMORY_MB]).await?;
    dataset::send(&stack, size.area).await?;
    stack.wait_until_projected().await?;
    stack.projector.take().context("projector")?.stop().await?;
    measure(&stack, size).await
}

async fn measure(stack: &Stack, Size { id, area, millions, .. }: &Size) -> Result<Measurement> {
    dataset::fill_attendance(stack, *area, *millions).await?;
    let (ours, peak) = compute(stack, Some(dataset::AS_OF)).await?;
    clickhouse::prepare(stack, *area).await?;
    let files = stack.dir().join("facts");
    clickhouse::export(stack, &files).await?;
    let sql = clickhouse::answer(stack).await?;
    clickhouse::clean(stack).await?;
    let duckdb = duckdb::answer(&files).await?;
    ensure_same("DuckDB", &ours.answers, &duckdb.answers)?;
    let mut peer = Comparison { with: "DuckDB", value: duckdb.seconds };
    let mut clickhouse = "more memory than it was given".to_owned();
    if let Some(Timed { answers, seconds }) = sql {
        ensure_same("ClickHouse", &ours.answers, &answers)?;
        clickhouse = format!("{seconds:.2} s");
        peer = if seconds < peer.value { Comparison { with: "ClickHouse SQL", value: seconds } } else { peer };
    }
    let what = format!("all breakdowns of {millions} million attendances over {} million voters", area.voters as f64 / 1e6);
    let measured = Measured { value: ours.seconds, unit: "s", better: Better::Less };
    Ok(Measurement::new(id, &what, measured, peer).peak_rss_mb(peak).note(format!(
        "ClickHouse SQL {clickhouse}, DuckDB {:.2} s, on tables deduplicated beforehand; ours from the views, {} MB",
        duckdb.seconds,
        peak.unwrap_or_default()
    )))
}

/// Runs `qamtu-analytics compute` at an instant, or as of the newest record, which saves and renews the facts store. Returns its results, timed from start to end, and its peak memory in MB.
async fn compute(stack: &Stack, as_of: Option<&str>) -> Result<(Timed, Option<u64>)> {
    let out = stack.dir().join("coverage.json");
    let csv = stack.dir().join("coverage.csv");
    let mut command = stack.analytics()?;
    command.args(["compute", "--campaign", CAMPAIGN, "--json"]).arg(&out).arg("--csv").arg(&csv);
    command.args(as_of.iter().flat_map(|as_of| ["--as-of", as_of]));
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
    Ok((Timed { answers: dataset::read(&figures, &csv)?, seconds }, peak))
}

/// Fails at the first figure in which a peer differs.
fn ensure_same(peer: &str, ours: &Answers, theirs: &Answers) -> Result<()> {
    for (slice, figures) in ours {
        let other = theirs.get(slice).with_context(|| format!("{peer} has no figures for {slice}"))?;
        for (code, figure) in figures.iter().filter(|(_, figure)| **figure != Reach::default()) {
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
