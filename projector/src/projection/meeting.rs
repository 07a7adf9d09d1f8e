//! Rows of a meeting's life: `meeting_events`.

use super::DecodedRecord;
use crate::rows::{MeetingEventRow, Row};

/// The event as it is; the fold of the contract makes a state of it.
pub(super) fn event<'a>(record: &DecodedRecord<'a>) -> Option<Row<'a>> {
    let meeting = record.event.data.meeting()?;
    Some(Row::MeetingEvents(record.origin(), MeetingEventRow { meeting_id: meeting.as_str(), body: record.body }))
}
