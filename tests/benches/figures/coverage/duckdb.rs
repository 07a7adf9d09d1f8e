//! The DuckDB peer: a separate process on a database file filled beforehand. `make bench` installs it.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use qamtu_devstack::cache_dir;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::Timed;

/// Loads the files, which is not measured, runs the queries, and prints results and seconds as JSON.
const PROGRAM: &str = include_str!("duckdb.py");

/// Runs the queries; returns results and seconds.
pub async fn answer(files: &Path) -> Result<Timed> {
    let python = cache_dir()?.join("duckdb/bin/python");
    ensure!(python.exists(), "{} is missing: `make bench` installs DuckDB there", python.display());
    let statements: Vec<_> = super::statements(include_str!("duckdb.sql")).collect();
    let mut child =
        tokio::process::Command::new(python).args(["-c", PROGRAM]).arg(files).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("standard input")?;
    input.write_all(json!(statements).to_string().as_bytes()).await?;
    drop(input);
    let done = child.wait_with_output().await?;
    ensure!(done.status.success(), "DuckDB failed");
    let output: Value = serde_json::from_slice(&done.stdout)?;
    let answers = serde_json::from_value(output["answers"].clone())?;
    Ok(Timed { answers, seconds: output["seconds"].as_f64().context("seconds")? })
}
