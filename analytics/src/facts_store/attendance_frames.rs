//! Attendance as data frames: one row per meeting, in ascending order of meeting ids, with the eligible people as a list, or without one if they
//! are in the order by person.

use polars::{
    frame::DataFrame,
    prelude::{Column, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsError, PolarsResult, UInt32Type},
};

use super::attendance_lists::{AttendanceLists, MeetingAttendance};
use crate::figures::AttendeeCounts;

/// Rows of a frame of the roll, and attendances of a frame of lists.
pub(super) const FRAME_ROWS: usize = 1 << 20;

/// Frames of lists in ascending order of meeting ids, with the columns `meeting`, `events`, `headcount_only`, the counts of
/// [`AttendeeCounts`], and `people`. At least one.
pub(super) fn frames<'a>(
    mut lists: impl Iterator<Item = (MeetingAttendance, Option<&'a [u32]>)>,
) -> impl Iterator<Item = PolarsResult<DataFrame>> {
    let mut is_first = true;
    std::iter::from_fn(move || {
        let mut columns = Columns::new();
        while columns.attendances < FRAME_ROWS
            && let Some((attendance, people)) = lists.next()
        {
            columns.push(&attendance, people);
        }
        (std::mem::take(&mut is_first) || !columns.meetings.is_empty()).then(|| columns.finish())
    })
}

/// The columns of a frame while rows are added.
struct Columns {
    meetings: Vec<String>,
    events: Vec<u32>,
    headcount_only: Vec<bool>,
    /// Identified, eligible, unstated and weak.
    counts: [Vec<u64>; 4],
    people: ListPrimitiveChunkedBuilder<UInt32Type>,
    attendances: usize,
}

const COUNTS: [&str; 4] = ["identified", "eligible", "unstated", "weak"];

impl Columns {
    fn new() -> Self {
        Self {
            meetings: Vec::new(),
            events: Vec::new(),
            headcount_only: Vec::new(),
            counts: Default::default(),
            people: ListPrimitiveChunkedBuilder::new("people".into(), 0, 0, DataType::UInt32),
            attendances: 0,
        }
    }

    fn push(&mut self, attendance: &MeetingAttendance, people: Option<&[u32]>) {
        let AttendeeCounts { identified, eligible, unstated, weak } = attendance.counts;
        self.meetings.push(attendance.meeting.to_string());
        self.events.push(attendance.events);
        self.headcount_only.push(attendance.is_headcount_only);
        self.counts.iter_mut().zip([identified, eligible, unstated, weak]).for_each(|(column, count)| column.push(count));
        self.people.append_opt_slice(people);
        self.attendances += people.map_or(0, <[u32]>::len);
    }

    fn finish(mut self) -> PolarsResult<DataFrame> {
        let mut columns = vec![
            Column::new("meeting".into(), self.meetings),
            Column::new("events".into(), self.events),
            Column::new("headcount_only".into(), self.headcount_only),
        ];
        columns.extend(self.counts.into_iter().zip(COUNTS).map(|(column, name)| Column::new(name.into(), column)));
        columns.push(self.people.finish().into_column());
        DataFrame::new_infer_height(columns)
    }
}

/// Adds the lists of a frame. Fails at a person whose number is not below `people`, and at a list without people unless there is an order.
pub(super) fn read(frame: &DataFrame, lists: &mut AttendanceLists, people: usize, has_order: bool) -> PolarsResult<()> {
    let meetings = frame.column("meeting")?.str()?;
    let events = frame.column("events")?.u32()?.cont_slice()?;
    let headcount_only = frame.column("headcount_only")?.bool()?;
    let mut counts = Vec::with_capacity(COUNTS.len());
    for name in COUNTS {
        counts.push(frame.column(name)?.u64()?.cont_slice()?);
    }
    for (row, list) in frame.column("people")?.list()?.amortized_iter().enumerate() {
        let invalid = || PolarsError::ComputeError(format!("row {row} of the attendance is not valid").into());
        let meeting = meetings.get(row).and_then(|id| id.parse().ok()).ok_or_else(invalid)?;
        let attendance = MeetingAttendance {
            meeting,
            events: events[row],
            is_headcount_only: headcount_only.get(row).ok_or_else(invalid)?,
            counts: AttendeeCounts { identified: counts[0][row], eligible: counts[1][row], unstated: counts[2][row], weak: counts[3][row] },
        };
        let Some(list) = list else {
            if !has_order {
                return Err(invalid());
            }
            lists.push_in_order(attendance);
            continue;
        };
        let numbers = list.as_ref().u32()?.cont_slice()?;
        if numbers.iter().any(|person| *person as usize >= people) {
            return Err(invalid());
        }
        lists.push(attendance, numbers.iter().copied());
    }
    Ok(())
}
