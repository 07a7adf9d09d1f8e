//! The meetings as a data frame: one row for a plan, one for a report.
//!
//! A meeting with a plan and a report has two rows, since it is planned under the dimensions of its plan and held under those of its report.
//! A meeting with neither has one row without dimensions; those known by attendance alone have one together. Sums over rows are therefore
//! sums over meetings.
//!
//! Columns: `counted_meeting` is the number of a counted meeting, empty in other rows; one column for each [`MeetingDimension`] has numbers of
//! the dimension's values, as lists if a meeting may have several; one column for each of [`MeetingSums::ALL`]; `eligible_minimum`.

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult, UInt32Type};
use qamtu_schemas::id::MeetingId;

use super::{attendance_lists::AttendanceLists, calendar::LocalCalendar, dictionary::Dictionary, fulfilment, meeting_codes::MeetingCodes};
use crate::{
    dimension::MeetingDimension,
    error::AnalyticsError,
    facts::{
        Facts,
        meetings::{InternedMeeting, InternedPlan},
    },
    figures::{Fulfilment, MeetingSums},
};

/// Name of the column with the numbers of counted meetings.
pub(crate) const MEETING: &str = "counted_meeting";
/// Name of the column with the eligible minima.
pub(crate) const ELIGIBLE_MINIMUM: &str = "eligible_minimum";

/// The meetings of a store, and the values of their dimensions.
#[derive(Debug)]
pub(crate) struct MeetingFrame {
    frame: DataFrame,
    codes: MeetingCodes,
}

impl MeetingFrame {
    pub(super) fn new(facts: &Facts, calendar: &LocalCalendar, attendance: &AttendanceLists) -> Result<Self, AnalyticsError> {
        let codes = MeetingCodes::new(facts, calendar);
        let mut columns = Columns::new(facts.meetings.rows().len());
        for ((id, meeting), number) in facts.meetings.ids().iter().zip(facts.meetings.rows()).zip(0..) {
            if let Some(plan) = &meeting.plan {
                let sums = MeetingSums { fulfilment: fulfilment::of_plan(meeting, plan, calendar), ..MeetingSums::default() };
                columns.push(None, Some((id, plan)), sums, &codes, calendar);
            }
            if let Some(report) = &meeting.report {
                let audience = MeetingSums::of_audience(meeting.headcount, attendance.counts(number));
                let sums = MeetingSums { fulfilment: fulfilment::of_report(meeting, report, calendar), ..audience };
                columns.push(Some(number), Some((id, report)), sums, &codes, calendar);
            }
            if let InternedMeeting { plan: None, report: None, .. } = meeting {
                let sums = MeetingSums { fulfilment: fulfilment::of_neither(meeting), ..MeetingSums::default() };
                columns.push(None, None, sums, &codes, calendar);
            }
        }
        if attendance.unknown_meetings > 0 {
            // A meeting known by attendance alone has neither plan nor report.
            let pending = Fulfilment { pending: attendance.unknown_meetings, ..Fulfilment::default() };
            columns.push(None, None, MeetingSums { fulfilment: pending, ..MeetingSums::default() }, &codes, calendar);
        }
        let frame = columns.finish().map_err(|source| AnalyticsError::Frame { what: "the meetings", source })?;
        Ok(Self { frame, codes })
    }

    pub(crate) fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// Values of a dimension: those of the reference data, and those of plans and reports.
    pub(crate) fn values(&self, dimension: MeetingDimension) -> &Dictionary {
        self.codes.values(dimension)
    }
}

/// The columns of the frame while rows are added.
struct Columns {
    meetings: Vec<Option<u32>>,
    /// Dimensions with one value, in the order of [`MeetingDimension::ALL`].
    single: Vec<(MeetingDimension, Vec<Option<u32>>)>,
    lists: Vec<(MeetingDimension, ListPrimitiveChunkedBuilder<UInt32Type>)>,
    sums: Vec<Vec<u32>>,
    eligible_minimum: Vec<u32>,
}

impl Columns {
    fn new(meetings: usize) -> Self {
        let (lists, single): (Vec<_>, Vec<_>) = MeetingDimension::ALL.into_iter().partition(|dimension| dimension.is_multi_valued());
        let list = |dimension: MeetingDimension| {
            (dimension, ListPrimitiveChunkedBuilder::new(dimension.name().into(), meetings, meetings, DataType::UInt32))
        };
        Self {
            meetings: Vec::new(),
            single: single.into_iter().map(|dimension| (dimension, Vec::new())).collect(),
            lists: lists.into_iter().map(list).collect(),
            sums: vec![Vec::new(); MeetingSums::ALL.len()],
            eligible_minimum: Vec::new(),
        }
    }

    fn push(
        &mut self,
        meeting: Option<u32>,
        plan: Option<(&MeetingId, &InternedPlan)>,
        mut sums: MeetingSums,
        codes: &MeetingCodes,
        calendar: &LocalCalendar,
    ) {
        let moment = plan.map(|(_, plan)| codes.moment(calendar.day(plan.starts)));
        let audience = meeting.map(|_| &sums);
        let numbers = |dimension| match (plan, moment) {
            (Some((id, plan)), Some(moment)) => codes.numbers(dimension, id, plan, moment, audience),
            _ => Vec::new(),
        };
        self.single.iter_mut().for_each(|(dimension, column)| column.push(numbers(*dimension).first().copied()));
        self.lists.iter_mut().for_each(|(dimension, list)| list.append_slice(&numbers(*dimension)));
        self.meetings.push(meeting);
        self.eligible_minimum.push(sums.eligible_minimum as u32);
        for (column, (_, sum)) in self.sums.iter_mut().zip(MeetingSums::ALL) {
            // A meeting has at most some hundred thousand people.
            column.push(u32::try_from(*sum(&mut sums)).unwrap_or(u32::MAX));
        }
    }

    fn finish(self) -> PolarsResult<DataFrame> {
        let mut columns = vec![Column::new(MEETING.into(), self.meetings), Column::new(ELIGIBLE_MINIMUM.into(), self.eligible_minimum)];
        columns.extend(self.single.into_iter().map(|(dimension, column)| Column::new(dimension.name().into(), column)));
        columns.extend(self.lists.into_iter().map(|(_, mut list)| list.finish().into_column()));
        columns.extend(self.sums.into_iter().zip(MeetingSums::ALL).map(|(column, (name, _))| Column::new(name.into(), column)));
        DataFrame::new_infer_height(columns)
    }
}
