//! Contacts and reach of slices of the demo at full size equal an independent recount, over every dimension.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{WarehouseLogin, WarehouseProgram, binary};
use qamtu_tests::recount::{self, DemoFiles, Slice};
use serde_json::Value;

/// Pairs that have every dimension at least once.
const PAIRS: [[&str; 2]; 8] = [
    ["unit", "week"],
    ["precinct", "category"],
    ["coalition", "party"],
    ["member", "day"],
    ["format", "language"],
    ["evidence", "sex"],
    ["residence", "birth"],
    ["residence_unit", "category"],
];

/// Compares slices of the warehouse that a demo left in its folder.
pub async fn equal_the_recount(demo: &Path, files: &DemoFiles, campaign: &str, as_of: &str) -> Result<()> {
    let warehouse = WarehouseProgram::start(&demo.join("warehouse"), &[])?;
    let login = warehouse.login("analytics")?;
    for by in PAIRS {
        let counted = slice(&login, campaign, as_of, by).await?;
        let expected = recount::slice(files, as_of, by)?;
        let mut differing = expected.iter().filter(|(key, counts)| counted.get(*key) != Some(counts));
        let first = differing.next().map(|(key, counts)| (key, counts, counted.get(key)));
        ensure!(first.is_none(), "{by:?}: a row, what the recount counts, and what the program says: {first:?}");
        let unexpected = counted.iter().find(|(key, (contacts, _))| *contacts > 0 && !expected.contains_key(*key));
        ensure!(unexpected.is_none(), "{by:?}: {unexpected:?} is in no report");
        ensure!(expected.len() > 8, "{by:?}: the demo has only {} rows", expected.len());
    }
    find_the_copied_sheets(&login, campaign, as_of).await
}

/// Three meetings of the demo have one sheet, and no two others have nearly the same people.
async fn find_the_copied_sheets(login: &WarehouseLogin, campaign: &str, as_of: &str) -> Result<()> {
    let output = run(login, &["plausibility", "--campaign", campaign, "--as-of", as_of, "--format", "json"]).await?;
    let document: Value = serde_json::from_slice(&output)?;
    let meetings = document["plausibility"]["meetings"].as_array().context("meetings")?;
    let is_copied = |doubt: &Value| doubt["kind"] == "copied_list" && doubt["percent"].as_u64().is_some_and(|percent| percent > 90);
    let copied = meetings.iter().filter(|meeting| meeting["doubts"].as_array().is_some_and(|doubts| doubts.iter().any(is_copied)));
    ensure!(copied.count() == 3, "meetings with a copied list: {document}");
    let similar = output.windows(11).filter(|window| window == b"copied_list").count();
    ensure!(similar == 3, "{similar} meetings with nearly the same people");
    Ok(())
}

/// Runs the program and returns what it printed.
async fn run(login: &WarehouseLogin, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = tokio::process::Command::new(binary("qamtu-analytics")?);
    command.args(arguments).env("QAMTU__CLICKHOUSE__URL", &login.url).env("QAMTU__CLICKHOUSE__USER", &login.user);
    let done = command.env("QAMTU__CLICKHOUSE__PASSWORD", &login.password).output().await?;
    ensure!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(done.stdout)
}

/// What the program prints, as the recount counts it.
async fn slice(login: &WarehouseLogin, campaign: &str, as_of: &str, by: [&str; 2]) -> Result<Slice> {
    let by = by.join(",");
    let arguments = ["slice", "--campaign", campaign, "--as-of", as_of, "--measures", "contacts,reached", "--format", "csv", "--by", &by];
    let output = run(login, &arguments).await?;
    let mut rows = Slice::new();
    for record in csv::Reader::from_reader(output.as_slice()).into_records() {
        let record = record?;
        let number = |at: usize| record.get(at).filter(|text| !text.is_empty()).map_or(Ok(0), str::parse::<u64>);
        let key = [record.get(0).context("a key")?.to_owned(), record.get(1).context("a key")?.to_owned()];
        ensure!(rows.insert(key, (number(2)?, number(3)?)).is_none(), "{by:?}: {record:?} is there twice");
    }
    Ok(rows)
}
