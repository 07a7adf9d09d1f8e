//! Contacts and reach of slices of the demo at full size equal an independent recount, over every dimension, whether polars or ClickHouse counts them.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use qamtu_analytics::{
    clickhouse_slices::{ClickHouseSlices, FactsAge},
    compute::{FactsSource, select},
    config::{ClickhouseConfig, SliceServers},
    facts::WarehouseReader,
    facts_store::FactsStore,
    slice::{RowKey, SliceRows, SliceTable, slice},
    slice_query::SliceQuery,
};
use qamtu_devstack::testing::{WarehouseLogin, WarehouseProgram, binary};
use qamtu_tests::recount::{self, Attendances, DIMENSIONS, DemoFiles, Slice, SliceFilter};
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
/// How many random slices are compared besides, unless this variable says so.
const RANDOM_SLICES: usize = 60;
const RANDOM_SLICES_VARIABLE: &str = "QAMTU_RANDOM_SLICES";

/// Compares slices of the warehouse that a demo left in its folder.
pub async fn equal_the_recount(demo: &Path, files: &DemoFiles, campaign: &str, as_of: &str) -> Result<()> {
    let warehouse = WarehouseProgram::start(&demo.join("warehouse"), &[])?;
    let login = warehouse.login("analytics")?;
    let store = read_store(&login, campaign, as_of).await?;
    let slices = slice_server(&warehouse.login("admin")?, &config(&login)).await?;
    let load = slices.load(&store, FactsAge::OfInstant, Timestamp::now()).await?;
    let recounted = recount::attendances(files, as_of)?;
    let random = std::env::var(RANDOM_SLICES_VARIABLE).ok().and_then(|number| number.parse().ok()).unwrap_or(RANDOM_SLICES);
    let mut numbers = Numbers(20_260_315);
    let fixed = PAIRS.map(|by| (by.to_vec(), Vec::new()));
    for (by, filters) in fixed.into_iter().chain((0..random).map(|_| random_slice(&recounted, &mut numbers))) {
        let words: Vec<String> = filters.iter().map(SliceFilter::to_string).collect();
        let query = SliceQuery::parse(&by.join(","), &words)?;
        let counted = slice(&store, &query)?;
        ensure!(slices.slice(&load, &query).await? == counted, "{by:?} where {words:?}: ClickHouse and polars differ");
        ensure_equal(&contacts_and_reach(&counted), &recounted.slice(&by, &filters)).with_context(|| format!("{by:?} where {words:?}"))?;
    }
    find_the_copied_sheets(&login, campaign, as_of).await
}

fn config(login: &WarehouseLogin) -> ClickhouseConfig {
    let WarehouseLogin { url, user, password } = login.clone();
    ClickhouseConfig { url, user, password: password.into(), database: "qamtu".to_owned() }
}

async fn read_store(login: &WarehouseLogin, campaign: &str, as_of: &str) -> Result<Arc<FactsStore>> {
    let source = FactsSource { warehouse: WarehouseReader::new(&config(login)), dir: None, saves: false };
    let selection = select(&source.warehouse, &campaign.parse()?, Some(as_of.parse()?), Timestamp::now()).await?;
    Ok(source.with_store(selection, |store| Ok(Arc::clone(store))).await?)
}

/// The warehouse's own ClickHouse, with a database for slices.
async fn slice_server(login: &WarehouseLogin, facts: &ClickhouseConfig) -> Result<ClickHouseSlices> {
    let created =
        reqwest::Client::new().post(&login.url).basic_auth(&login.user, Some(&login.password)).body("CREATE DATABASE IF NOT EXISTS slices");
    created.send().await?.error_for_status()?;
    let WarehouseLogin { url, user, password } = login.clone();
    let servers = SliceServers { urls: vec![url], user, password: password.into(), database: "slices".to_owned() };
    Ok(ClickHouseSlices::new(&servers, WarehouseReader::new(facts).identity().await?)?)
}

/// One or two dimensions, and up to two filters on values that the campaign has.
fn random_slice(recounted: &Attendances, numbers: &mut Numbers) -> (Vec<&'static str>, Vec<SliceFilter>) {
    let mut by = vec![DIMENSIONS[numbers.below(DIMENSIONS.len())]];
    let second = DIMENSIONS[numbers.below(DIMENSIONS.len())];
    if numbers.below(4) > 0 && second != by[0] {
        by.push(second);
    }
    let mut filters = Vec::new();
    for _ in 0..numbers.below(3) {
        let dimension = DIMENSIONS[numbers.below(DIMENSIONS.len())];
        let known: Vec<String> = recounted.values(dimension).into_iter().collect();
        let sign = if matches!(dimension, "day" | "week" | "birth") { ["=", ">=", "<="][numbers.below(3)] } else { "=" };
        let values = if sign == "=" { 1 + numbers.below(3) } else { 1 };
        filters.push(SliceFilter { dimension, sign, values: (0..values).map(|_| known[numbers.below(known.len())].clone()).collect() });
    }
    (by, filters)
}

/// Numbers that look random and are the same in each run (Knuth's multiplicative generator, MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

fn ensure_equal(counted: &Slice, recounted: &Slice) -> Result<()> {
    let mut differing = recounted.iter().filter(|(key, counts)| counted.get(*key) != Some(counts));
    let first = differing.next().map(|(key, counts)| (key, counts, counted.get(key)));
    ensure!(first.is_none(), "a row, what the recount counts, and what the program says: {first:?}");
    let unexpected = counted.iter().find(|(key, (contacts, _))| *contacts > 0 && !recounted.contains_key(*key));
    ensure!(unexpected.is_none(), "{unexpected:?} is in no report");
    Ok(())
}

/// Contacts and reach, as the recount counts them.
fn contacts_and_reach(table: &SliceTable) -> Slice {
    let word = |key: &RowKey| match key {
        RowKey::Value(value) => value.clone(),
        RowKey::Without => String::new(),
        RowKey::Total => "*".to_owned(),
    };
    let words = |keys: &[RowKey]| keys.iter().map(word).collect::<Vec<_>>();
    match &table.rows {
        SliceRows::Meetings(rows) => {
            rows.iter().map(|row| (words(&row.keys), (row.figures.people.contacts, row.figures.people.reached))).collect()
        }
        SliceRows::People(rows) => {
            rows.iter().map(|row| (words(&row.keys), (row.figures.people.contacts, row.figures.people.reached))).collect()
        }
    }
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
