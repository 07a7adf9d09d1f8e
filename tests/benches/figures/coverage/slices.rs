//! Slices: two-dimensional tables of people over HTTP from a service that has the facts in memory, compared with DuckDB on a native table of its
//! own. They are those by dimensions that readers see figures of people by.
//!
//! Both give the rows of two dimensions, their totals over one and over both: different people and attendances. Ours are disclosed to an
//! analyst, so their counts are rounded; the benchmark fails unless they are those of DuckDB, rounded. DuckDB's table has people as dense
//! numbers, and it was read before.

use std::{collections::BTreeMap, process::Stdio, time::Instant};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::cache_dir;
use qamtu_tests::{
    small_campaign::CAMPAIGN,
    stack::{Log, Stack},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{MEMORY_MB, clickhouse, dataset};
use crate::measurement::{Better, Comparison, Measured, Measurement, peak_rss_mb};

/// Name of the figure.
pub const ID: &str = "slice";

/// Attendances, in millions.
const MILLIONS: u64 = 50;

/// Times that each slice is asked for.
const ROUNDS: usize = 20;

/// Counts of people that an analyst sees are multiples of this.
const ROUNDED_TO: u64 = 10;

/// Dimensions that both have, and their values in DuckDB's table.
const DIMENSIONS: [(&str, &str); 4] = [
    ("unit", "'U' || lpad(unit::VARCHAR, 2, '0')"),
    ("week", "'2026-W' || lpad(week::VARCHAR, 2, '0')"),
    ("category", "'C' || lpad(category::VARCHAR, 2, '0')"),
    ("residence_unit", "'U' || lpad(home::VARCHAR, 2, '0')"),
];

const PROGRAM: &str = include_str!("duckdb_slices.py");

/// People and attendances by the values of two dimensions; none is a total.
type Rows = BTreeMap<[Option<String>; 2], (u64, u64)>;

/// A DuckDB slice: its rows, and the seconds that it took.
#[derive(Deserialize)]
struct DuckdbSlice {
    rows: Vec<(Option<String>, Option<String>, u64, u64)>,
    seconds: f64,
}

/// Measures the figure.
pub async fn slices() -> Result<Measurement> {
    let mut stack = Stack::with_warehouse(Log::Embedded, &["--memory-max-mb", MEMORY_MB]).await?;
    dataset::send(&stack, dataset::REGION).await?;
    stack.wait_until_projected().await?;
    stack.projector.take().context("projector")?.stop().await?;
    dataset::fill_attendance(&stack, dataset::REGION, MILLIONS).await?;
    let pairs: Vec<[usize; 2]> = (0..DIMENSIONS.len()).flat_map(|one| (0..one).map(move |other| [other, one])).collect();
    let (ours, mut seconds, peak) = of_service(&stack, &pairs).await?;
    let theirs = of_duckdb(&stack, &pairs).await?;
    for ((pair, ours), theirs) in pairs.iter().zip(&ours).zip(&theirs) {
        ensure_same(&names(pair), ours, theirs)?;
    }
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| seconds[((seconds.len() - 1) as f64 * share).round() as usize];
    let mut duckdb: Vec<f64> = theirs.iter().map(|slice| slice.seconds).collect();
    duckdb.sort_by(f64::total_cmp);
    let median = duckdb[duckdb.len() / 2];
    let what = format!("a slice by two dimensions over {MILLIONS} million attendances, median of {} pairs", pairs.len());
    let note = format!(
        "p99 {:.3} s (limit 0.25), {ROUNDS} times each over HTTP with disclosure control; DuckDB {:.2} to {:.2} s",
        at(0.99),
        duckdb[0],
        duckdb[duckdb.len() - 1]
    );
    let measured = Measured { value: at(0.5), unit: "s", better: Better::Less };
    Ok(Measurement::new(ID, &what, measured, Comparison { with: "DuckDB, native table", value: median }).peak_rss_mb(peak).note(note))
}

fn names(pair: &[usize; 2]) -> [&'static str; 2] {
    pair.map(|dimension| DIMENSIONS[dimension].0)
}

/// The rows of each pair, the seconds of every request, and the peak memory in MB.
async fn of_service(stack: &Stack, pairs: &[[usize; 2]]) -> Result<(Vec<Rows>, Vec<f64>, Option<u64>)> {
    let mut command = stack.analytics()?;
    command.args(["serve", "--campaign", CAMPAIGN]).env("QAMTU__SERVE__LISTEN", "127.0.0.1:0").env("QAMTU__READER__ROLE", "analyst");
    let mut service = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    let line = BufReader::new(service.stdout.take().context("standard output")?).lines().next_line().await?.context("an address")?;
    let address = serde_json::from_str::<Value>(&line)?["listening"].as_str().context("an address")?.to_owned();
    let client = reqwest::Client::new();
    let get = async |pair: &[usize; 2]| {
        let by = names(pair).join(",");
        client.get(format!("{address}/v1/campaigns/{CAMPAIGN}/slices?by={by}&measures=reached,contacts")).send().await
    };
    // The service reads the facts first.
    while get(&pairs[0]).await?.status() == 503 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let (mut rows, mut seconds) = (Vec::new(), Vec::new());
    for pair in pairs {
        for round in 0..ROUNDS {
            let begin = Instant::now();
            let body = get(pair).await?.error_for_status()?.bytes().await?;
            seconds.push(begin.elapsed().as_secs_f64());
            if round == 0 {
                rows.push(read(&serde_json::from_slice(&body)?, names(pair))?);
            }
        }
    }
    Ok((rows, seconds, peak_rss_mb(service.id())))
}

/// Rows of a response; those with withheld counts are left out.
fn read(slice: &Value, by: [&str; 2]) -> Result<Rows> {
    let mut rows = Rows::new();
    for row in slice["rows"].as_array().context("rows")? {
        let key = by.map(|by| row["keys"][by].as_str().map(str::to_owned));
        if let (Some(people), Some(attendances)) = (row["figures"]["reached"].as_u64(), row["figures"]["contacts"].as_u64()) {
            rows.insert(key, (people, attendances));
        }
    }
    ensure!(!rows.is_empty(), "all rows are withheld");
    Ok(rows)
}

async fn of_duckdb(stack: &Stack, pairs: &[[usize; 2]]) -> Result<Vec<DuckdbSlice>> {
    clickhouse::prepare(stack, dataset::REGION).await?;
    let files = stack.dir().join("facts");
    clickhouse::export(stack, &files).await?;
    clickhouse::clean(stack).await?;
    let python = cache_dir()?.join("duckdb/bin/python");
    ensure!(python.exists(), "{} is missing: `make bench` installs DuckDB there", python.display());
    let mut child =
        tokio::process::Command::new(python).args(["-c", PROGRAM]).arg(&files).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("standard input")?;
    input.write_all(json!(pairs.iter().map(sql).collect::<Vec<_>>()).to_string().as_bytes()).await?;
    drop(input);
    let done = child.wait_with_output().await?;
    ensure!(done.status.success(), "DuckDB failed");
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// The rows of two dimensions and their totals: people are counted by grouping twice.
fn sql(pair: &[usize; 2]) -> String {
    let columns = ["unit", "week", "category", "home"];
    let grouping = |kept: [bool; 2]| {
        let kept_columns: Vec<&str> = pair.iter().zip(kept).filter(|(_, kept)| *kept).map(|(dimension, _)| columns[*dimension]).collect();
        let from = if kept_columns.contains(&"category") { "(SELECT *, unnest(categories) AS category FROM seen)" } else { "seen" };
        let of_person: Vec<&str> = kept_columns.iter().copied().chain(["voter"]).collect();
        let keys: Vec<&str> = pair.iter().zip(kept).map(|(dimension, kept)| if kept { DIMENSIONS[*dimension].1 } else { "NULL" }).collect();
        let inner = format!("SELECT {}, count(*) AS times FROM {from} GROUP BY {}", of_person.join(", "), of_person.join(", "));
        let group = if kept_columns.is_empty() { String::new() } else { format!(" GROUP BY {}", kept_columns.join(", ")) };
        format!("SELECT {}, count(*), sum(times)::UBIGINT FROM ({inner}){group}", keys.join(", "))
    };
    [[true, true], [true, false], [false, true], [false, false]].map(grouping).join(" UNION ALL ")
}

/// Fails at the first row that DuckDB counts otherwise.
fn ensure_same(by: &[&str; 2], ours: &Rows, theirs: &DuckdbSlice) -> Result<()> {
    let rounded = |count: u64| count - count % ROUNDED_TO;
    let theirs: Rows =
        theirs.rows.iter().map(|(one, other, people, attendances)| ([one.clone(), other.clone()], (*people, *attendances))).collect();
    for (key, (people, attendances)) in ours.iter().filter(|(_, (_, attendances))| *attendances > 0) {
        let (their_people, their_attendances) = theirs.get(key).with_context(|| format!("DuckDB has no row {key:?} by {by:?}"))?;
        ensure!(
            (*people, *attendances) == (rounded(*their_people), rounded(*their_attendances)),
            "{by:?} {key:?}: Qamtu shows {people} and {attendances}, DuckDB counts {their_people} and {their_attendances}"
        );
    }
    Ok(())
}
