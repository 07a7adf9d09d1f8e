//! Contacts and reach of slices of the demo at full size equal an independent recount, over every dimension.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use qamtu_devstack::testing::{WarehouseLogin, WarehouseProgram, binary};
use qamtu_tests::recount::{self, DemoFiles, Slice};

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
    Ok(())
}

/// What the program prints, as the recount counts it.
async fn slice(login: &WarehouseLogin, campaign: &str, as_of: &str, by: [&str; 2]) -> Result<Slice> {
    let mut command = tokio::process::Command::new(binary("qamtu-analytics")?);
    command.args(["slice", "--campaign", campaign, "--as-of", as_of, "--measures", "contacts,reached", "--format", "csv"]);
    command.args(["--by", &by.join(",")]);
    command.env("QAMTU__CLICKHOUSE__URL", &login.url).env("QAMTU__CLICKHOUSE__USER", &login.user);
    let done = command.env("QAMTU__CLICKHOUSE__PASSWORD", &login.password).output().await?;
    ensure!(done.status.success(), "{by:?}: {}", String::from_utf8_lossy(&done.stderr));
    let mut rows = Slice::new();
    for record in csv::Reader::from_reader(done.stdout.as_slice()).into_records() {
        let record = record?;
        let number = |at: usize| record.get(at).filter(|text| !text.is_empty()).map_or(Ok(0), str::parse::<u64>);
        let key = [record.get(0).context("a key")?.to_owned(), record.get(1).context("a key")?.to_owned()];
        ensure!(rows.insert(key, (number(2)?, number(3)?)).is_none(), "{by:?}: {record:?} is there twice");
    }
    Ok(rows)
}
