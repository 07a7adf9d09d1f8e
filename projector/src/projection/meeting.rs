//! Rows of meeting events: `meeting_events`.

use super::DecodedRecord;
use crate::rows::{MeetingEventRow, Row};

/// Row of a meeting event with its whole body; readers fold the events of a meeting to its state. `None` if the event has no meeting.
pub(super) fn event<'a>(record: &DecodedRecord<'a>) -> Option<Row<'a>> {
    let meeting = record.event.data.meeting()?;
    Some(Row::MeetingEvents(record.origin(), MeetingEventRow { meeting_id: meeting.as_str(), body: record.body }))
}
