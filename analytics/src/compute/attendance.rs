//! Splits Arrow batches of attendance into runs: consecutive rows of one meeting, as slices of the batch's columns.

use polars::{
    frame::DataFrame,
    prelude::{PolarsResult, StringChunked},
};

use crate::{
    error::AnalyticsError,
    facts::{ArrowBatches, StatedResidence},
    facts_store::{AttendanceCollector, AttendanceRun, OUTSIDE, ResidenceIndex, UNSTATED},
};

/// Adds every attendance of the stream to the collector. Fails at a column of another name or type, and at rows that are not in the order of
/// meeting ids.
pub(super) fn collect(collector: &mut AttendanceCollector<'_>, batches: ArrowBatches) -> Result<(), AnalyticsError> {
    for frame in batches {
        collect_frame(collector, &frame?)?;
    }
    Ok(())
}

/// Adds the attendances of one batch.
pub(super) fn collect_frame(collector: &mut AttendanceCollector<'_>, frame: &DataFrame) -> Result<(), AnalyticsError> {
    let schema_error = |source| AnalyticsError::Schema { what: "attendance", source };
    let residences = match collector.uses_roll() {
        true => Vec::new(),
        false => residence_numbers(frame, collector.residences()).map_err(schema_error)?,
    };
    let columns = AttendanceColumns::of(frame).map_err(schema_error)?;
    let mut start = 0;
    for MeetingRows { meeting, end } in meeting_rows(columns.meeting) {
        collector.add_run(AttendanceRun {
            meeting,
            hi: &columns.hi[start..end],
            lo: &columns.lo[start..end],
            strength: &columns.strength[start..end],
            is_counted: &columns.is_counted[start..end],
            residences: residences.get(start..end).unwrap_or_default(),
        })?;
        start = end;
    }
    Ok(())
}

/// The columns of a batch, with the types of the view's contract.
struct AttendanceColumns<'a> {
    meeting: &'a StringChunked,
    hi: &'a [u64],
    lo: &'a [u64],
    strength: &'a [u8],
    is_counted: &'a [u8],
}

impl<'a> AttendanceColumns<'a> {
    fn of(frame: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            meeting: frame.column("meeting")?.str()?,
            hi: frame.column("hi")?.u64()?.cont_slice()?,
            lo: frame.column("lo")?.u64()?.cont_slice()?,
            strength: frame.column("strength")?.u8()?.cont_slice()?,
            is_counted: frame.column("is_counted")?.u8()?.cont_slice()?,
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

/// Consecutive rows of one meeting in a batch; they start where the previous ones end.
struct MeetingRows<'a> {
    meeting: &'a str,
    /// Exclusive end of the rows.
    end: usize,
}

/// The runs of equal ids in a batch.
fn meeting_rows(ids: &StringChunked) -> Vec<MeetingRows<'_>> {
    let mut runs: Vec<MeetingRows<'_>> = Vec::new();
    for (row, meeting) in ids.iter().map(Option::unwrap_or_default).enumerate() {
        match runs.last_mut() {
            Some(last) if last.meeting == meeting => last.end = row + 1,
            _ => runs.push(MeetingRows { meeting, end: row + 1 }),
        }
    }
    runs
}
