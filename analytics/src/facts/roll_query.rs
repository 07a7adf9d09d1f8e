//! Reads the [`Roll`].

use std::collections::HashMap;

use clickhouse::Row;
use polars::{
    frame::DataFrame,
    prelude::{PolarsResult, StringChunked},
};
use qamtu_schemas::{Topic, event::Sex, id::PrecinctId};
use serde::Deserialize;

use super::{stream::ArrowBatches, warehouse_reader::WarehouseReader};
use crate::{
    error::AnalyticsError,
    roll::{PersonKey, Roll, RollId, RollLine},
    snapshot_identity::Selection,
};

/// The newest version of a precinct's roll, and the record it comes from.
#[derive(Row, Deserialize)]
struct VersionRow {
    precinct: String,
    version: u32,
    partition: u32,
    offset: u64,
    received_us: i64,
    strength: u8,
}

impl WarehouseReader {
    /// The voters of each precinct's newest version, where that version is a strong one, and the id of these versions. The voters are only
    /// read if `saved` has no roll with this id.
    pub(super) async fn roll(
        &self,
        selection: &Selection,
        saved: impl FnOnce(&RollId) -> Option<Roll> + Send + 'static,
    ) -> Result<(RollId, Roll), AnalyticsError> {
        let id = self.roll_id(selection).await?;
        let wanted = id.clone();
        let saved = tokio::task::spawn_blocking(move || saved(&wanted)).await.map_err(AnalyticsError::TaskFailed)?;
        match saved {
            Some(roll) => Ok((id, roll)),
            None => Ok((id, self.voters(selection).await?)),
        }
    }

    /// Identifies the newest versions by the records they come from.
    async fn roll_id(&self, selection: &Selection) -> Result<RollId, AnalyticsError> {
        let sql = format!(
            "SELECT toString(precinct) AS precinct, newest.1 AS version, newest.3 AS partition, newest.4 AS offset, \
             toUnixTimestamp64Micro(newest.5) AS received_us, newest.6 AS strength FROM (SELECT precinct, \
             argMax((toUInt32(version), event_id, toUInt32(partition), toUInt64(offset), received, toUInt8(strength)), \
             (version, toUInt128(event_id))) AS newest FROM v_roll_versions WHERE {} GROUP BY precinct) ORDER BY precinct",
            selection.admits(Topic::Roll)
        );
        let rows: Vec<VersionRow> = self.rows("the versions of the roll", &sql).await?;
        let parts = rows.iter().flat_map(|row| {
            let numbers = [row.version.into(), row.partition.into(), row.offset, row.received_us.cast_unsigned(), row.strength.into()];
            std::iter::once(row.precinct.as_bytes().to_vec()).chain(numbers.map(|number: u64| number.to_be_bytes().to_vec()))
        });
        Ok(RollId::of(parts))
    }

    async fn voters(&self, selection: &Selection) -> Result<Roll, AnalyticsError> {
        let sql = format!(
            "SELECT toString(precinct) AS precinct, toUInt64(person_hi) AS hi, toUInt64(person_lo) AS lo, \
             toUInt32(birth_band) AS birth_band, toUInt8(sex) AS sex FROM v_roll WHERE {} AND event_id IN \
             (SELECT newest.2 FROM \
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
    let mut numbers = PrecinctNumbers::default();
    while let Some(frame) = batches.next().transpose()? {
        let voters = RollColumns::of(&frame).map_err(batches.schema_error())?;
        for (row, precinct) in voters.precinct.iter().map(Option::unwrap_or_default).enumerate() {
            lines.push(RollLine {
                precinct: numbers.number(precinct)?,
                key: PersonKey { hi: voters.hi[row], lo: voters.lo[row] },
                birth_band: u16::try_from(voters.birth_band[row]).unwrap_or(0),
                sex: sex(voters.sex[row]),
            });
        }
    }
    Roll::new(lines, numbers.precincts)
}

/// The columns of a batch, with the types of the view's contract.
struct RollColumns<'a> {
    precinct: &'a StringChunked,
    hi: &'a [u64],
    lo: &'a [u64],
    birth_band: &'a [u32],
    sex: &'a [u8],
}

impl<'a> RollColumns<'a> {
    fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            precinct: frame.column("precinct")?.str()?,
            hi: frame.column("hi")?.u64()?.cont_slice()?,
            lo: frame.column("lo")?.u64()?.cont_slice()?,
            birth_band: frame.column("birth_band")?.u32()?.cont_slice()?,
            sex: frame.column("sex")?.u8()?.cont_slice()?,
        })
    }
}

/// The number of a sex in the table `roll`.
fn sex(number: u8) -> Sex {
    match number {
        1 => Sex::Female,
        2 => Sex::Male,
        _ => Sex::Unknown,
    }
}

/// Numbers precincts in the order of arrival.
#[derive(Default)]
struct PrecinctNumbers {
    numbers: HashMap<String, u32>,
    precincts: Vec<PrecinctId>,
    /// The precinct of the last row: rows of one precinct follow one another.
    last: Option<(String, u32)>,
}

impl PrecinctNumbers {
    fn number(&mut self, precinct: &str) -> Result<u32, AnalyticsError> {
        if let Some((_, number)) = self.last.as_ref().filter(|(last, _)| last == precinct) {
            return Ok(*number);
        }
        let number = match self.numbers.get(precinct) {
            Some(number) => *number,
            None => self.add(precinct)?,
        };
        self.last = Some((precinct.to_owned(), number));
        Ok(number)
    }

    fn add(&mut self, precinct: &str) -> Result<u32, AnalyticsError> {
        let invalid = |_| AnalyticsError::Value { view: "v_roll", value: precinct.to_owned(), expected: "precinct" };
        let number = u32::try_from(self.precincts.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
        self.precincts.push(precinct.parse().map_err(invalid)?);
        self.numbers.insert(precinct.to_owned(), number);
        Ok(number)
    }
}
