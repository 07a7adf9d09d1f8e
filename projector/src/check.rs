//! Start-up check: do server, tables and login provide what exactly-once depends on?
//!
//! Every failure is one line that says how to fix it, and happens before anything is projected. Deduplication is tested, not only looked
//! up: the check inserts one row twice with one token and expects one row.

use clickhouse::{Client, Row};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    migrate,
    rows::{ColumnSpec, Table},
    warehouse::{ClickhouseError, END_TIMEOUT, INSERT_SETTINGS, SEND_TIMEOUT, TableUuids, run_query},
};

/// What the projector needs to know of the checked server.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    /// Version that the server reports.
    pub version: String,
    /// UUID of each table, part of the deduplication tokens.
    pub table_uuids: TableUuids,
}

#[derive(Row, Deserialize)]
struct ServerRow {
    version: String,
    async_insert: String,
}

#[derive(Row, Deserialize)]
struct SystemTableRow {
    name: String,
    engine: String,
    engine_full: String,
    #[serde(with = "clickhouse::serde::uuid")]
    uuid: Uuid,
}

#[derive(Row, Deserialize)]
struct SystemColumnRow {
    table: String,
    name: String,
    r#type: String,
}

/// Checks settings, schema, columns and insert deduplication of the server.
pub async fn check(client: &Client) -> Result<ServerInfo, ClickhouseError> {
    let mut client = client.clone();
    for (name, value) in INSERT_SETTINGS {
        client.set_setting(name, value);
    }
    let server = "SELECT version() AS version, toString(getSetting('async_insert')) AS async_insert";
    let server: ServerRow = run_query("asking the server for its version", client.query(server).fetch_one()).await?;
    if !matches!(server.async_insert.as_str(), "0" | "false") {
        return Err(ClickhouseError::Misconfigured(
            "the server forces async_insert = 1 on this user: remove that constraint from its profile".into(),
        ));
    }
    migrate::verify(&client).await?;
    let table_uuids = tables(&client).await?;
    columns(&client).await?;
    check_deduplication(&client).await?;
    Ok(ServerInfo { version: server.version, table_uuids })
}

async fn tables(client: &Client) -> Result<TableUuids, ClickhouseError> {
    let query = "SELECT name, engine, engine_full, uuid FROM system.tables WHERE database = currentDatabase()";
    let rows: Vec<SystemTableRow> = run_query("reading the list of tables", client.query(query).fetch_all()).await?;
    let check_table = |table: Table| {
        let name = table.name();
        let row = rows.iter().find(|row| row.name == name);
        let row = row.ok_or_else(|| {
            ClickhouseError::Misconfigured(format!("table {name} is missing: it was dropped; restore it or use a new database"))
        })?;
        if !row.engine.ends_with("ReplacingMergeTree") {
            return Err(ClickhouseError::Misconfigured(format!(
                "table {name} has engine {}, it needs ReplacingMergeTree or ReplicatedReplacingMergeTree",
                row.engine
            )));
        }
        // A replicated table deduplicates inserts by default, a plain one only within its configured window.
        if row.engine == "ReplacingMergeTree" && window(&row.engine_full) == 0 {
            let fix = format!("ALTER TABLE {name} MODIFY SETTING non_replicated_deduplication_window = 10000");
            return Err(ClickhouseError::Misconfigured(format!("table {name} does not deduplicate repeated inserts: {fix}")));
        }
        Ok((table, row.uuid))
    };
    Table::ALL.into_iter().map(check_table).collect()
}

/// The deduplication window in a table's definition; 0 if it has none.
fn window(engine: &str) -> u64 {
    let digits = engine.split_once("non_replicated_deduplication_window = ").map(|(_, rest)| rest);
    digits.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

async fn columns(client: &Client) -> Result<(), ClickhouseError> {
    let query = "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()";
    let rows: Vec<SystemColumnRow> = run_query("reading the list of columns", client.query(query).fetch_all()).await?;
    for table in Table::ALL {
        for ColumnSpec { name, sql_type } in table.columns() {
            let row = rows.iter().find(|row| row.table == table.name() && row.name == name);
            let actual = row.map_or("missing", |row| row.r#type.as_str());
            if actual != sql_type {
                let column = format!("{}.{name}", table.name());
                return Err(ClickhouseError::Misconfigured(format!(
                    "column {column} is {actual}, this version of the projector writes {sql_type}"
                )));
            }
        }
    }
    Ok(())
}

#[derive(Row, Deserialize)]
struct CountRow {
    rows: u64,
}

async fn check_deduplication(client: &Client) -> Result<(), ClickhouseError> {
    let probe = Uuid::new_v4();
    for _ in 0..2 {
        let mut request = client
            .insert_formatted_with("INSERT INTO insert_checks (probe) FORMAT CSV")
            .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT))
            .with_setting("insert_deduplication_token", probe.to_string());
        let done = async {
            request.send(format!("{probe}\n").into()).await?;
            request.end().await
        };
        run_query("inserting a test row", done).await?;
    }
    let query = client.query("SELECT count() AS rows FROM insert_checks WHERE probe = ?").bind(probe.to_string());
    let count: CountRow = run_query("counting the test rows", query.fetch_one()).await?;
    match count.rows {
        1 => Ok(()),
        rows => Err(ClickhouseError::Misconfigured(format!(
            "one row inserted twice with one token counts {rows} times: this server does not deduplicate repeated inserts \
             (insert_deduplicate, non_replicated_deduplication_window)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_read_from_the_definition() {
        let engine = "ReplacingMergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192";
        assert_eq!(window(engine), 10_000);
        assert_eq!(window("ReplacingMergeTree ORDER BY x SETTINGS index_granularity = 8192"), 0);
    }
}
