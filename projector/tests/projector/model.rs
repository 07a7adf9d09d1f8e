//! Model of the tables without a database: rows with the same key collapse to the one with precedence.

use std::collections::{BTreeMap, BTreeSet};

use qamtu_projector::rows::{Row, Table};
use serde_json::{Value, json};

/// Rows after all merges, by table and key, with their rank.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Tables(BTreeMap<(Table, String), (String, Value)>);

impl Tables {
    pub fn insert(&mut self, rows: &[Row<'_>]) {
        for row in rows {
            let value = serde_json::to_value(row).unwrap();
            let (key, rank) = key(row, &value);
            let entry = self.0.entry((row.table(), key));
            entry
                .and_modify(|stored| {
                    if rank <= stored.0 {
                        *stored = (rank.clone(), value.clone())
                    }
                })
                .or_insert((rank.clone(), value.clone()));
        }
    }

    pub fn log_copy_offsets(&self) -> BTreeSet<u64> {
        let rows = self.0.iter().filter(|((table, _), _)| *table == Table::Log);
        rows.map(|(_, (_, row))| row["log"]["offset"].as_u64().unwrap()).collect()
    }
}

/// Key of a row, and its rank within the key: the lowest rank wins, and of equal ranks the last inserted row.
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
