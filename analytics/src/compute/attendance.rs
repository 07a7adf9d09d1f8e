//! Splits Arrow batches of attendance into runs: consecutive rows of one meeting that count, as slices of the batch's columns. Rows that
//! do not count are only added to the number of events.

use polars::{
    frame::DataFrame,
    prelude::{BooleanChunked, ChunkCompareEq, PolarsResult, StringChunked},
};
use qamtu_schemas::id::MeetingId;

use crate::{
    coverage::{CoverageFold, OUTSIDE, ResidenceIndex, Run, UNSTATED},
    error::AnalyticsError,
    facts::{Batches, Facts},
};

/// Adds all attendance to a calculation.
pub(super) fn add_runs(facts: &Facts, fold: &mut CoverageFold<'_>, mut batches: Batches) -> Result<(), AnalyticsError> {
    let mut numbers = MeetingNumbers::of(facts)?;
    let mut residences = Vec::new();
    while let Some(frame) = batches.next().transpose()? {
        fold.add_events(frame.height() as u64);
        let frame = rows_that_count(frame).map_err(batches.schema_error())?;
        if !fold.uses_roll() {
            residences = stated(&frame, fold.residences()).map_err(batches.schema_error())?;
        }
        let columns = Columns::of(&frame).map_err(batches.schema_error())?;
        let mut start = 0;
        for (meeting, end) in numbers.runs(columns.meeting)? {
            let residences = residences.get(start..end).unwrap_or_default();
            let (hi, lo, strength) = (&columns.hi[start..end], &columns.lo[start..end], &columns.strength[start..end]);
            fold.add_run(Run { meeting, hi, lo, strength, residences })?;
            start = end;
        }
    }
    Ok(())
}

/// The rows that are not retracted, reversed or withdrawn.
fn rows_that_count(frame: DataFrame) -> PolarsResult<DataFrame> {
    let holds: BooleanChunked = frame.column("holds")?.u8()?.not_equal(0);
    if holds.all() {
        return Ok(frame);
    }
    let mut frame = frame.filter(&holds)?;
    frame.rechunk_mut();
    Ok(frame)
}

/// The columns of a batch, with the types of the view's contract.
struct Columns<'a> {
    meeting: &'a StringChunked,
    hi: &'a [u64],
    lo: &'a [u64],
    strength: &'a [u8],
}

impl<'a> Columns<'a> {
    fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            meeting: frame.column("meeting")?.str()?,
            hi: frame.column("hi")?.u64()?.cont_slice()?,
            lo: frame.column("lo")?.u64()?.cont_slice()?,
            strength: frame.column("strength")?.u8()?.cont_slice()?,
        })
    }
}

/// Residence numbers of rows, see [`ResidenceIndex`]. A row has `p` and a precinct or `u` and a unit for an adult, `P` or `U` if the age is
/// not stated, `x` for a minor or a resident of another region, or nothing.
fn stated(frame: &DataFrame, index: &ResidenceIndex) -> PolarsResult<Vec<u32>> {
    let number = |residence: &str| match residence.split_at_checked(1) {
        None => UNSTATED,
        Some(("p", precinct)) => index.precinct(precinct).unwrap_or(OUTSIDE),
        Some(("u", unit)) => index.unit(unit).unwrap_or(OUTSIDE),
        Some(("P", precinct)) => index.precinct(precinct).map_or(OUTSIDE, |_| UNSTATED),
        Some(("U", unit)) => index.unit(unit).map_or(OUTSIDE, |_| UNSTATED),
        Some(_) => OUTSIDE,
    };
    Ok(frame.column("stated_residence")?.str()?.iter().map(|residence| number(residence.unwrap_or_default())).collect())
}

/// Numbers meetings: known ones in the order of their ids, then those known by attendance alone in the order of arrival.
struct MeetingNumbers<'a> {
    known: &'a [MeetingId],
    /// Index that is compared first: attendance is sorted by meeting id, too.
    hint: usize,
    next: u32,
    current: Option<(String, u32)>,
}

impl<'a> MeetingNumbers<'a> {
    fn of(facts: &'a Facts) -> Result<Self, AnalyticsError> {
        let known = facts.meetings.ids();
        let next = u32::try_from(known.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
        Ok(Self { known, hint: 0, next, current: None })
    }

    /// The meeting number and the exclusive end of each run of equal ids.
    fn runs(&mut self, meetings: &StringChunked) -> Result<Vec<(u32, usize)>, AnalyticsError> {
        let mut runs = Vec::new();
        for (at, id) in meetings.iter().map(Option::unwrap_or_default).enumerate() {
            match &self.current {
                Some((current, _)) if current == id => {}
                current => {
                    runs.extend(current.as_ref().filter(|_| at > 0).map(|(_, number)| (*number, at)));
                    let number = self.number(id)?;
                    self.current = Some((id.to_owned(), number));
                }
            }
        }
        runs.extend(self.current.as_ref().filter(|_| !meetings.is_empty()).map(|(_, number)| (*number, meetings.len())));
        Ok(runs)
    }

    fn number(&mut self, id: &str) -> Result<u32, AnalyticsError> {
        let is_next = self.known.get(self.hint).is_some_and(|known| known.as_str() == id);
        let found = if is_next { Ok(self.hint) } else { self.known.binary_search_by(|known| known.as_str().cmp(id)) };
        if let Ok(index) = found {
            self.hint = index + 1;
            return Ok(index as u32);
        }
        let number = self.next;
        self.next = number.checked_add(1).ok_or(AnalyticsError::TooMany(u32::MAX))?;
        Ok(number)
    }
}
