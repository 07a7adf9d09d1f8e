//! Reads the [`Roll`].

use std::collections::HashMap;

use polars::{frame::DataFrame, prelude::PolarsResult};
use qamtu_schemas::{Topic, id::PrecinctId};

use super::{stream::ArrowBatches, warehouse_reader::WarehouseReader};
use crate::{
    error::AnalyticsError,
    roll::{PersonKey, Roll, RollLine},
    snapshot_identity::Selection,
};

impl WarehouseReader {
    /// The voters of each precinct's newest version, where that version is a strong one.
    pub(super) async fn roll(&self, selection: &Selection) -> Result<Roll, AnalyticsError> {
        let sql = format!(
            "SELECT toString(precinct) AS precinct, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo \
             FROM v_roll WHERE {} AND (v_roll.precinct, version, event_id) IN \
             (SELECT precinct, newest.1, newest.2 FROM \
             (SELECT precinct, argMax((version, event_id, strength), (version, toUInt128(event_id))) AS newest \
             FROM v_roll_versions WHERE {} GROUP BY precinct) WHERE newest.3 = 1)",
            selection.of_campaign(),
            selection.admits(Topic::Roll)
        );
        self.stream("the roll", &sql, build_roll).await
    }
}

/// Builds the roll from Arrow batches of voters.
fn build_roll(mut batches: ArrowBatches) -> Result<Roll, AnalyticsError> {
    let mut lines = Vec::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut precincts: Vec<PrecinctId> = Vec::new();
    while let Some(frame) = batches.next().transpose()? {
        for (precinct, keys) in by_precinct(&frame).map_err(batches.schema_error())? {
            let precinct_number = match numbers.get(precinct) {
                Some(number) => *number,
                None => {
                    let id = precinct.parse().map_err(|_| AnalyticsError::Value {
                        view: "v_roll",
                        value: precinct.to_owned(),
                        expected: "precinct",
                    })?;
                    let number = u32::try_from(precincts.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
                    precincts.push(id);
                    numbers.insert(precinct.to_owned(), number);
                    number
                }
            };
            lines.extend(keys.into_iter().map(|key| RollLine { precinct: precinct_number, key }));
        }
    }
    Roll::new(lines, precincts)
}

/// Groups consecutive rows of the same precinct.
fn by_precinct(frame: &DataFrame) -> PolarsResult<Vec<(&str, Vec<PersonKey>)>> {
    let hi = frame.column("hi")?.u64()?.cont_slice()?;
    let lo = frame.column("lo")?.u64()?.cont_slice()?;
    let mut runs: Vec<(&str, Vec<PersonKey>)> = Vec::new();
    for ((precinct, hi), lo) in frame.column("precinct")?.str()?.iter().map(Option::unwrap_or_default).zip(hi).zip(lo) {
        match runs.last_mut() {
            Some((last, keys)) if *last == precinct => keys.push(PersonKey { hi: *hi, lo: *lo }),
            _ => runs.push((precinct, vec![PersonKey { hi: *hi, lo: *lo }])),
        }
    }
    Ok(runs)
}
