//! Migrate: brings a database to the schema in `tables/`, and says whether it is there.
//!
//! Migrations are numbered from 1 without a gap, one statement each, safe to repeat, applied once and never edited; views are made
//! anew when their text changes. Guarantees: two runs, or two runners at once, give the same as one. Names in the files have no
//! database: it is the one of the connection. A cluster takes the same files through another [`statement`], see `tables/README.md`.

use std::collections::BTreeMap;

use clickhouse::{Client, Row};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::warehouse::{WarehouseError as Error, run_query};

/// A file of `tables/`: its name without the ending, and its text.
#[derive(Debug, Clone, Copy)]
pub struct SqlFile {
    /// Such as `0002_log`, or the name of a view.
    pub name: &'static str,
    /// Reasons and statement.
    pub sql: &'static str,
}

macro_rules! files {
    ($folder:literal, $($name:literal,)*) => {
        &[$(SqlFile { name: $name, sql: include_str!(concat!("../tables/", $folder, $name, ".sql")) },)*]
    };
}

/// The migrations, in order.
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

/// The views; one that reads another comes after it.
pub const VIEWS: &[SqlFile] = files![
    "views/",
    "v_watermark",
    "v_rejected",
    "v_conflicts",
    "v_records",
    "v_disputed",
    "v_beaten_bodies",
    "v_disputed_attendance",
    "v_beaten_attendance",
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

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct MigrationCounts {
    /// Migrations applied.
    pub tables: usize,
    /// Views made.
    pub views: usize,
}

/// What exists in `schema_versions`: kind and name to the hash of the text.
type Applied = BTreeMap<(String, String), String>;

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

/// Makes the database where it is missing and applies what has not been applied. Needs no right to change tables when nothing has.
pub async fn migrate(client: &Client) -> Result<MigrationCounts, Error> {
    let mut applied = match applied(client).await {
        Err(error) if error.code() == Some(UNKNOWN_DATABASE) => {
            create_database(client).await?;
            Applied::new()
        }
        applied => applied?,
    };
    let mut done = MigrationCounts::default();
    for file in MIGRATIONS.iter().filter(|file| file.is_pending("table", &applied)) {
        file.check_unedited(&applied)?;
        apply(client, "table", file).await?;
        done.tables += 1;
    }
    let existing = views(client).await?;
    applied.retain(|(kind, name), _| kind != "view" || existing.contains(name));
    for file in VIEWS.iter().filter(|file| file.is_pending("view", &applied)) {
        apply(client, "view", file).await?;
        done.views += 1;
    }
    Ok(done)
}

/// Whether the database has exactly this schema.
pub async fn verify(client: &Client) -> Result<(), Error> {
    let applied = applied(client).await?;
    let existing = views(client).await?;
    let known = |kind: &str, name: &str| kind == "view" || MIGRATIONS.iter().any(|file| file.name == name);
    if let Some((_, name)) = applied.keys().find(|(kind, name)| !known(kind, name)) {
        return Err(Error::Misconfigured(format!("the database already has migration {name}: it needs a newer qamtu-projector")));
    }
    let missing = MIGRATIONS.iter().find(|file| file.is_pending("table", &applied)).or_else(|| {
        let exists = |file: &&SqlFile| existing.iter().any(|name| name == file.name);
        VIEWS.iter().find(|file| file.is_pending("view", &applied) || !exists(file))
    });
    match missing {
        None => Ok(()),
        Some(file) => {
            Err(Error::Misconfigured(format!("{} is not applied: run `qamtu-projector migrate` with an administrator's login", file.name)))
        }
    }
}

impl SqlFile {
    fn sha256(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Not applied, or with another text.
    fn is_pending(&self, kind: &str, applied: &Applied) -> bool {
        applied.get(&(kind.to_owned(), self.name.to_owned())) != Some(&self.sha256())
    }

    /// A migration that was applied with another text was edited, here or there.
    fn check_unedited(&self, applied: &Applied) -> Result<(), Error> {
        match applied.get(&("table".to_owned(), self.name.to_owned())) {
            None => Ok(()),
            Some(_) => {
                Err(Error::Misconfigured(format!("migration {} was applied with another text: add a new migration instead", self.name)))
            }
        }
    }

    /// The server will refuse the statement again and again.
    fn refusal(&self, error: &Error) -> Error {
        Error::Misconfigured(format!("{} was refused: {}", self.name, error.chain()))
    }

    /// Number of a migration; 0 for a view.
    pub fn number(&self) -> u32 {
        self.name.split('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

/// The statement of a file as it is sent. The seam for a cluster: engines and `ON CLUSTER` would be written in here.
pub fn statement(file: &SqlFile) -> String {
    file.sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

const UNKNOWN_TABLE: u32 = 60;
const UNKNOWN_DATABASE: u32 = 81;

async fn create_database(client: &Client) -> Result<(), Error> {
    let name = client.database().unwrap_or("qamtu").to_owned();
    let default_database = client.clone().with_database("default");
    let query = format!("CREATE DATABASE IF NOT EXISTS `{name}`");
    run_query("making the database", default_database.query_raw(&query).execute()).await
}

async fn applied(client: &Client) -> Result<Applied, Error> {
    let query = "SELECT toString(kind) AS kind, name, argMax(sha256, applied) AS sha256 FROM schema_versions GROUP BY kind, name";
    match run_query("reading the schema's version", client.query(query).fetch_all::<VersionRow>()).await {
        Err(error) if error.code() == Some(UNKNOWN_TABLE) => Ok(Applied::new()),
        rows => Ok(rows?.into_iter().map(|row| ((row.kind, row.name), row.sha256)).collect()),
    }
}

async fn views(client: &Client) -> Result<Vec<String>, Error> {
    let query = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'";
    let names: Vec<NameRow> = run_query("looking at the views", client.query(query).fetch_all()).await?;
    Ok(names.into_iter().map(|row| row.name).collect())
}

async fn apply(client: &Client, kind: &'static str, file: &SqlFile) -> Result<(), Error> {
    tracing::info!(kind, name = file.name, "applying");
    let done = run_query("applying a migration", client.query_raw(&statement(file)).execute()).await;
    done.map_err(|error| if error.is_statement_error() { file.refusal(&error) } else { error })?;
    let record = client.query("INSERT INTO schema_versions (kind, number, name, sha256) VALUES (?, ?, ?, ?)");
    let record = record.bind(kind).bind(file.number()).bind(file.name).bind(file.sha256());
    run_query("recording a migration", record.execute()).await
}
