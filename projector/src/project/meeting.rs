//! Rows of a meeting's life: `meeting_events`.

use super::Source;
use crate::rows::{MeetingEventRow, Row};

/// The event as it is; the fold of the contract makes a state of it.
pub(super) fn event<'a>(source: &Source<'a>) -> Option<Row<'a>> {
    let meeting = source.event.data.meeting()?;
    Some(Row::MeetingEvents(source.origin(), MeetingEventRow { meeting_id: meeting.as_str(), body: source.body }))
}
