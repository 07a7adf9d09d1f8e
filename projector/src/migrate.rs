//! Migrations: bring a database to the schema in `tables/`, and check that it has this schema.
//!
//! Migrations are numbered from 1 without gaps, have one statement each, are safe to repeat, are applied once and never edited. A view is
//! replaced when its statement changes. Two runs, sequential or concurrent, have the same result as one. The files name no database: they use
//! that of the connection. For a cluster see [`statement`] and `tables/README.md`.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::warehouse::{ClickhouseError, run_query};

/// An SQL file of `tables/`, embedded in the binary.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// File name without extension: `0002_log`, or the name of the view.
    pub name: &'static str,
    /// Comments and one statement.
    pub sql: &'static str,
}

macro_rules! files {
    ($folder:literal, $($name:literal,)*) => {
        &[$(SqlFile { name: $name, sql: include_str!(concat!("../tables/", $folder, $name, ".sql")) },)*]
    };
}

/// The migrations, in the order of their numbers.
pub const MIGRATIONS: &[SqlFile] = files![
    "",
    "0001_schema_versions",
    "0002_log",
    "0003_meeting_events",
    "0004_attendance",
    "0005_attendance_retractions",
    "0006_reference_events",
    "0007_consents",
    "0008_roll_versions",
    "0009_roll",
    "0010_insert_checks",
    "0011_log_skipped",
];

/// The views; a view comes after the views that it reads.
pub const VIEWS: &[SqlFile] = files![
    "views/",
    "v_contiguous_offsets",
    "v_rejected",
    "v_conflicts",
    "v_records",
    "v_reversed_imports",
    "v_attendance_retractions",
    "v_retractions",
    "v_consents",
    "v_withdrawn",
    "v_meeting_events",
    "v_references",
    "v_dangling_references",
    "v_lookalike_meetings",
    "v_attendance_events",
    "v_attendance",
    "v_reference_events",
    "v_roll_versions",
    "v_roll",
    "v_other_events",
    "v_events",
    "v_missing_records",
    "v_missing_facts",
];

/// Number of statements that a run has applied.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MigrationCounts {
    /// Number of applied migrations.
    pub migrations: usize,
    /// Number of created or replaced views.
    pub views: usize,
}

/// Hash of the statement of each applied file, by name.
type Hashes = BTreeMap<String, String>;

/// Content of `schema_versions`.
#[derive(Default)]
struct Applied {
    migrations: Hashes,
    views: Hashes,
}

#[derive(Row, Deserialize)]
struct VersionRow {
    kind: String,
    name: String,
    sha256: String,
}

#[derive(Row, Deserialize)]
struct NameRow {
    name: String,
}

/// Creates the database if it is missing, and applies pending migrations and changed views. Otherwise needs no right to change tables.
pub async fn migrate(client: &Client) -> Result<MigrationCounts, ClickhouseError> {
    let mut applied = match applied(client).await {
        Err(error) if error.is_unknown_database() => {
            create_database(client).await?;
            Applied::default()
        }
        applied => applied?,
    };
    let mut done = MigrationCounts::default();
    for file in MIGRATIONS.iter().filter(|file| file.is_pending(&applied.migrations)) {
        file.check_unedited(&applied.migrations)?;
        apply(client, "table", file).await?;
        done.migrations += 1;
    }
    let existing = views(client).await?;
    applied.views.retain(|name, _| existing.contains(name));
    for file in VIEWS.iter().filter(|file| file.is_pending(&applied.views)) {
        apply(client, "view", file).await?;
        done.views += 1;
    }
    Ok(done)
}

/// Fails unless the database has exactly this schema.
pub async fn verify(client: &Client) -> Result<(), ClickhouseError> {
    let applied = applied(client).await?;
    let existing = views(client).await?;
    let known = |name: &str| MIGRATIONS.iter().any(|file| file.name == name);
    if let Some(name) = applied.migrations.keys().find(|name| !known(name)) {
        return Err(ClickhouseError::Misconfigured(format!("the database already has migration {name}: it needs a newer qamtu-projector")));
    }
    let missing = MIGRATIONS.iter().find(|file| file.is_pending(&applied.migrations)).or_else(|| {
        let exists = |file: &&SqlFile| existing.iter().any(|name| name == file.name);
        VIEWS.iter().find(|file| file.is_pending(&applied.views) || !exists(file))
    });
    match missing {
        None => Ok(()),
        Some(file) => Err(ClickhouseError::Misconfigured(format!(
            "{} is not applied: run `qamtu-projector migrate` with an administrator's login",
            file.name
        ))),
    }
}

impl SqlFile {
    /// Hash of the statement; comments may change.
    fn sha256(&self) -> String {
        Sha256::digest(statement(self)).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the file is not applied, or was applied with another statement.
    fn is_pending(&self, applied: &Hashes) -> bool {
        applied.get(self.name) != Some(&self.sha256())
    }

    /// Fails if the migration was applied with another statement, because an applied migration must not change.
    fn check_unedited(&self, applied: &Hashes) -> Result<(), ClickhouseError> {
        match applied.get(self.name) {
            None => Ok(()),
            Some(_) => Err(ClickhouseError::Misconfigured(format!(
                "migration {} was applied with another statement: add a new migration instead",
                self.name
            ))),
        }
    }

    /// The permanent error of a rejected statement.
    fn refusal(&self, error: &ClickhouseError) -> ClickhouseError {
        ClickhouseError::Misconfigured(format!("{} was rejected by the server: {}", self.name, error.chain()))
    }

    /// Number of a migration; 0 for a view.
    pub fn number(&self) -> u32 {
        self.name.split('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

/// The statement of a file as it is sent, without comments. A cluster would need replicated engines and `ON CLUSTER` here.
pub fn statement(file: &SqlFile) -> String {
    file.sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

async fn create_database(client: &Client) -> Result<(), ClickhouseError> {
    let name = client.database().unwrap_or("qamtu").to_owned();
    let default_database = client.clone().with_database("default");
    let query = format!("CREATE DATABASE IF NOT EXISTS `{name}`");
    run_query("creating the database", default_database.query_raw(&query).execute()).await
}

async fn applied(client: &Client) -> Result<Applied, ClickhouseError> {
    let query = "SELECT toString(kind) AS kind, name, argMax(sha256, applied) AS sha256 FROM schema_versions GROUP BY kind, name";
    match run_query("reading the schema version", client.query(query).fetch_all::<VersionRow>()).await {
        Err(error) if error.is_unknown_table() => Ok(Applied::default()),
        rows => {
            let (views, migrations): (Vec<_>, Vec<_>) = rows?.into_iter().partition(|row| row.kind == "view");
            let hashes = |rows: Vec<VersionRow>| rows.into_iter().map(|row| (row.name, row.sha256)).collect();
            Ok(Applied { migrations: hashes(migrations), views: hashes(views) })
        }
    }
}

async fn views(client: &Client) -> Result<Vec<String>, ClickhouseError> {
    let query = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'";
    let names: Vec<NameRow> = run_query("reading the list of views", client.query(query).fetch_all()).await?;
    Ok(names.into_iter().map(|row| row.name).collect())
}

async fn apply(client: &Client, kind: &'static str, file: &SqlFile) -> Result<(), ClickhouseError> {
    tracing::info!(kind, name = file.name, "applying");
    let done = run_query("applying a migration", client.query_raw(&statement(file)).execute()).await;
    done.map_err(|error| if error.is_statement_error() { file.refusal(&error) } else { error })?;
    let record = client.query("INSERT INTO schema_versions (kind, number, name, sha256) VALUES (?, ?, ?, ?)");
    let record = record.bind(kind).bind(file.number()).bind(file.name).bind(file.sha256());
    run_query("recording a migration", record.execute()).await
}
