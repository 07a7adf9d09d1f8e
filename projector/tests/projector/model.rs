//! What the tables do with rows, without a database: rows of one key collapse, the one with precedence stays.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_projector::rows::{Row, Table};
use serde_json::{Value, json};

/// Tables after all merges, by table and key.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Tables(BTreeMap<(Table, String), (String, Value)>);

impl Tables {
    /// Inserts rows.
    pub fn insert(&mut self, rows: &[Row<'_>]) {
        for row in rows {
            let value = serde_json::to_value(row).unwrap();
            let (key, rank) = key(row, &value);
            let entry = self.0.entry((row.table(), key));
            entry
                .and_modify(|held| {
                    if rank <= held.0 {
                        *held = (rank.clone(), value.clone())
                    }
                })
                .or_insert((rank.clone(), value.clone()));
        }
    }

    /// Offsets of the log copy.
    pub fn receipts(&self) -> BTreeSet<u64> {
        let rows = self.0.iter().filter(|((table, _), _)| *table == Table::Log);
        rows.map(|(_, (_, row))| row["log"]["offset"].as_u64().unwrap()).collect()
    }
}

/// Key of a row, and its rank within the key: the lowest stays, of equal ones the last inserted.
fn key(row: &Row<'_>, value: &Value) -> (String, String) {
    let rank = |origin: &Value| format!("{} {} {:020}", origin["received"], origin["bodyhash"], origin["offset"].as_u64().unwrap());
    let with = |parts: &[&Value]| json!(parts).to_string();
    let pair = &value[value.as_object().unwrap().keys().next().unwrap()];
    match row {
        Row::Log(_) => (with(&[&pair["topic"], &pair["partition"], &pair["offset"]]), String::new()),
        Row::Roll(_) | Row::Retractions(_) => (pair.to_string(), String::new()),
        Row::MeetingEvents(..) | Row::Attendance(..) => {
            (with(&[&pair[0]["campaign"], &pair[1]["meeting_id"], &pair[0]["event_id"]]), rank(&pair[0]))
        }
        Row::ReferenceEvents(..) | Row::Consents(..) | Row::RollVersions(..) => {
            (with(&[&pair[0]["campaign"], &pair[0]["event_id"]]), rank(&pair[0]))
        }
    }
}
