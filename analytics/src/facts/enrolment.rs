//! Builds the [`Roll`] from Arrow batches.

use std::collections::HashMap;

use polars::{frame::DataFrame, prelude::PolarsResult};
use qamtu_schemas::id::PrecinctId;

use crate::{
    error::AnalyticsError,
    facts::stream::Batches,
    roll::{Key, Roll},
};

/// Builds the roll from Arrow batches of voters.
pub(super) fn take(mut batches: Batches) -> Result<Roll, AnalyticsError> {
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
            lines.extend(keys.into_iter().map(|key| (precinct_number, key)));
        }
    }
    Roll::new(lines, precincts)
}

/// Groups consecutive rows of the same precinct.
fn by_precinct(frame: &DataFrame) -> PolarsResult<Vec<(&str, Vec<Key>)>> {
    let hi = frame.column("hi")?.u64()?.cont_slice()?;
    let lo = frame.column("lo")?.u64()?.cont_slice()?;
    let mut runs: Vec<(&str, Vec<Key>)> = Vec::new();
    for ((precinct, hi), lo) in frame.column("precinct")?.str()?.iter().map(Option::unwrap_or_default).zip(hi).zip(lo) {
        match runs.last_mut() {
            Some((last, keys)) if *last == precinct => keys.push((*hi, *lo)),
            _ => runs.push((precinct, vec![(*hi, *lo)])),
        }
    }
    Ok(runs)
}
