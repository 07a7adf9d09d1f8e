//! The ClickHouse peer: tables of its own in the same warehouse, and the queries in SQL.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use qamtu_tests::stack::Stack;

use super::{
    Answers, Reach, Timed,
    dataset::{self, Area},
    empty_folder,
};

const TABLES: [&str; 4] = ["peer_attendance", "peer_roll", "peer_meetings", "peer_seen"];

/// Fills the peers' tables: attendance by meeting and person, voters with dense numbers, meetings with small numbers.
pub async fn prepare(stack: &Stack, Area { voters, precincts }: Area) -> Result<()> {
    clean(stack).await?;
    let (units, categories) = (dataset::UNITS, dataset::CATEGORIES);
    for sql in [
        "CREATE TABLE peer_attendance ENGINE = MergeTree ORDER BY (meeting, hi, lo) AS \
         SELECT toUInt32(substring(CAST(meeting_id AS String), 2)) AS meeting, person_hi AS hi, person_lo AS lo FROM attendance"
            .to_owned(),
        "OPTIMIZE TABLE peer_attendance FINAL".to_owned(),
        format!(
            "CREATE TABLE peer_roll ENGINE = MergeTree ORDER BY tuple() AS SELECT toUInt32(number) AS voter, intHash64(number) AS hi, \
             intHash64(number + 10000000) AS lo, toUInt16(intDiv(number * {precincts}, {voters})) AS precinct, toUInt8(precinct % {units}) AS home \
             FROM numbers({voters})"
        ),
        format!(
            "CREATE TABLE peer_meetings ENGINE = MergeTree ORDER BY tuple() AS SELECT toUInt32(number) AS meeting, toUInt8(number % {precincts} % {units}) AS unit, \
             toUInt8(8 + intDiv(number, 11) % 4) AS week, toUInt8(number % {categories}) AS first, \
             if(number % 3 = 0, [first, toUInt8((first + 1 + intDiv(number, 7) % ({categories} - 1)) % {categories})], [first]) AS categories \
             FROM numbers({})",
            dataset::MEETINGS
        ),
    ] {
        stack.query(&sql).await?;
    }
    Ok(())
}

/// Exports the peers' tables as Parquet files for DuckDB.
pub async fn export(stack: &Stack, to: &Path) -> Result<()> {
    empty_folder(to)?;
    for (table, file) in [("peer_attendance", "attendance"), ("peer_roll", "roll"), ("peer_meetings", "meetings")] {
        stack.warehouse_client().save(&format!("SELECT * FROM {table} FORMAT Parquet"), &to.join(format!("{file}.parquet"))).await?;
    }
    Ok(())
}

/// Runs the queries; returns results and seconds, or none if the memory limit is too low.
pub async fn answer(stack: &Stack) -> Result<Option<Timed>> {
    let begin = Instant::now();
    let mut answers = Answers::new();
    for (name, sql) in super::statements(include_str!("clickhouse.sql")) {
        let rows = match stack.query(sql).await {
            Err(error) if error.to_string().contains("MEMORY_LIMIT_EXCEEDED") => return Ok(None),
            rows => rows.with_context(|| format!("{name}: {sql}"))?,
        };
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
        let reach = |row: &serde_json::Value| Reach { people: number(&row["people"]), attendances: number(&row["attendances"]) };
        let figures = rows.iter().map(|row| (row["code"].as_str().unwrap_or("").to_owned(), reach(row)));
        answers.insert(name.to_owned(), figures.collect());
    }
    Ok(Some(Timed { answers, seconds: begin.elapsed().as_secs_f64() }))
}

/// Removes the peer's tables.
pub async fn clean(stack: &Stack) -> Result<()> {
    for table in TABLES {
        stack.query(&format!("DROP TABLE IF EXISTS {table} SYNC")).await?;
    }
    Ok(())
}
