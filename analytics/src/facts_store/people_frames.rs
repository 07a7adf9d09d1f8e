//! The roll as data frames: one row per person, in the order of their numbers.

use polars::{
    frame::DataFrame,
    prelude::{Column, PolarsError, PolarsResult},
};
use qamtu_schemas::event::Sex;

use super::attendance_frames::FRAME_ROWS;
use crate::roll::{PersonKey, Roll, RollLine};

const UNKNOWN: u8 = 0;
const FEMALE: u8 = 1;
const MALE: u8 = 2;

/// Frames of about a million rows with the columns `precinct` (index of the roll's precincts), `hi`, `lo`, `birth_band` and `sex`. At least
/// one.
pub(super) fn frames(roll: &Roll) -> impl Iterator<Item = PolarsResult<DataFrame>> {
    let mut lines = roll.lines();
    let mut is_first = true;
    std::iter::from_fn(move || {
        let part: Vec<RollLine> = lines.by_ref().take(FRAME_ROWS).collect();
        (std::mem::take(&mut is_first) || !part.is_empty()).then(|| frame(&part))
    })
}

fn frame(lines: &[RollLine]) -> PolarsResult<DataFrame> {
    let sex = |line: &RollLine| match line.sex {
        Sex::Unknown => UNKNOWN,
        Sex::Female => FEMALE,
        Sex::Male => MALE,
    };
    DataFrame::new_infer_height(vec![
        Column::new("precinct".into(), lines.iter().map(|line| line.precinct).collect::<Vec<u32>>()),
        Column::new("hi".into(), lines.iter().map(|line| line.key.hi).collect::<Vec<u64>>()),
        Column::new("lo".into(), lines.iter().map(|line| line.key.lo).collect::<Vec<u64>>()),
        Column::new("birth_band".into(), lines.iter().map(|line| line.birth_band.into()).collect::<Vec<u32>>()),
        Column::new("sex".into(), lines.iter().map(sex).collect::<Vec<u8>>()),
    ])
}

/// Adds the people of a frame to a roll.
pub(super) fn read(frame: &DataFrame, roll: &mut Roll) -> PolarsResult<()> {
    let precinct = frame.column("precinct")?.u32()?.cont_slice()?;
    let hi = frame.column("hi")?.u64()?.cont_slice()?;
    let lo = frame.column("lo")?.u64()?.cont_slice()?;
    let birth_band = frame.column("birth_band")?.u32()?.cont_slice()?;
    let sex = frame.column("sex")?.u8()?.cont_slice()?;
    let lines = (0..frame.height()).map(|row| RollLine {
        precinct: precinct[row],
        key: PersonKey { hi: hi[row], lo: lo[row] },
        birth_band: u16::try_from(birth_band[row]).unwrap_or(0),
        sex: match sex[row] {
            FEMALE => Sex::Female,
            MALE => Sex::Male,
            _ => Sex::Unknown,
        },
    });
    roll.fill(lines).ok_or_else(|| PolarsError::ComputeError("a person of the roll has no precinct".into()))
}
