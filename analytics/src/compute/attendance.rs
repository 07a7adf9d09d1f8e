//! Splits Arrow batches of attendance into runs: consecutive rows of one meeting that count, as slices of the batch's columns. Rows that
//! do not count are only added to the number of events.

use polars::{
    frame::DataFrame,
    prelude::{BooleanChunked, ChunkCompareEq, PolarsResult, StringChunked},
};
use qamtu_schemas::id::MeetingId;

use crate::{
    error::AnalyticsError,
    facts::{ArrowBatches, Facts, StatedResidence},
    facts_store::{AttendanceCollector, AttendanceRun, OUTSIDE, ResidenceIndex, UNSTATED},
};

/// Adds every attendance of the stream to the collector. Fails at a column of another name or type, and at rows that are not grouped by meeting.
pub(super) fn collect(facts: &Facts, collector: &mut AttendanceCollector<'_>, mut batches: ArrowBatches) -> Result<(), AnalyticsError> {
    let mut numbers = MeetingNumbers::of(facts)?;
    let mut residences = Vec::new();
    while let Some(frame) = batches.next().transpose()? {
        collector.add_events(frame.height() as u64);
        let frame = rows_that_count(frame).map_err(batches.schema_error())?;
        if !collector.uses_roll() {
            residences = residence_numbers(&frame, collector.residences()).map_err(batches.schema_error())?;
        }
        let columns = AttendanceColumns::of(&frame).map_err(batches.schema_error())?;
        let mut start = 0;
        for MeetingRows { meeting, end } in numbers.runs(columns.meeting)? {
            let residences = residences.get(start..end).unwrap_or_default();
            let (hi, lo, strength) = (&columns.hi[start..end], &columns.lo[start..end], &columns.strength[start..end]);
            collector.add_run(AttendanceRun { meeting, hi, lo, strength, residences })?;
            start = end;
        }
    }
    Ok(())
}

/// The rows that were not retracted, reversed or withdrawn.
fn rows_that_count(frame: DataFrame) -> PolarsResult<DataFrame> {
    let is_counted: BooleanChunked = frame.column("is_counted")?.u8()?.not_equal(0);
    if is_counted.all() {
        return Ok(frame);
    }
    let mut frame = frame.filter(&is_counted)?;
    frame.rechunk_mut();
    Ok(frame)
}

/// The columns of a batch, with the types of the view's contract.
struct AttendanceColumns<'a> {
    meeting: &'a StringChunked,
    hi: &'a [u64],
    lo: &'a [u64],
    strength: &'a [u8],
}

impl<'a> AttendanceColumns<'a> {
    fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            meeting: frame.column("meeting")?.str()?,
            hi: frame.column("hi")?.u64()?.cont_slice()?,
            lo: frame.column("lo")?.u64()?.cont_slice()?,
            strength: frame.column("strength")?.u8()?.cont_slice()?,
        })
    }
}

/// Residence numbers of rows, see [`ResidenceIndex`].
fn residence_numbers(frame: &DataFrame, index: &ResidenceIndex) -> PolarsResult<Vec<u32>> {
    let if_adult = |number: Option<u32>, is_adult: bool| number.map_or(OUTSIDE, |number| if is_adult { number } else { UNSTATED });
    let number = |column: &str| match StatedResidence::parse(column) {
        StatedResidence::Unstated => UNSTATED,
        StatedResidence::Outside => OUTSIDE,
        StatedResidence::Precinct { id, is_adult } => if_adult(index.precinct(id), is_adult),
        StatedResidence::Unit { code, is_adult } => if_adult(index.unit(code), is_adult),
    };
    Ok(frame.column("stated_residence")?.str()?.iter().map(|column| number(column.unwrap_or_default())).collect())
}

/// Numbers meetings: known ones in the order of their ids, then those known by attendance alone in the order of arrival.
struct MeetingNumbers<'a> {
    known: &'a [MeetingId],
    /// Index that is compared first: attendance is sorted by meeting id, too.
    hint: usize,
    next: u32,
    current: Option<NumberedMeeting>,
}

/// The meeting of the last row that was read.
struct NumberedMeeting {
    id: String,
    number: u32,
}

/// Consecutive rows of one meeting in a batch; they start where the previous ones end.
struct MeetingRows {
    meeting: u32,
    /// Exclusive end of the rows.
    end: usize,
}

impl<'a> MeetingNumbers<'a> {
    fn of(facts: &'a Facts) -> Result<Self, AnalyticsError> {
        let known = facts.meetings.ids();
        let next = u32::try_from(known.len()).map_err(|_| AnalyticsError::TooMany(u32::MAX))?;
        Ok(Self { known, hint: 0, next, current: None })
    }

    /// The runs of equal ids in a batch.
    fn runs(&mut self, meetings: &StringChunked) -> Result<Vec<MeetingRows>, AnalyticsError> {
        let mut runs = Vec::new();
        for (row, id) in meetings.iter().map(Option::unwrap_or_default).enumerate() {
            if self.current.as_ref().is_none_or(|current| current.id != id) {
                let number = self.number(id)?;
                if let Some(ended) = self.current.replace(NumberedMeeting { id: id.to_owned(), number }).filter(|_| row > 0) {
                    runs.push(MeetingRows { meeting: ended.number, end: row });
                }
            }
        }
        let last = self.current.as_ref().filter(|_| !meetings.is_empty());
        runs.extend(last.map(|last| MeetingRows { meeting: last.number, end: meetings.len() }));
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
