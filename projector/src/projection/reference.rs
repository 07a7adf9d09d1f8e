//! Rows of reference data, surveys and imports: `reference_events`.

use qamtu_schemas::id::ImportId;

use super::DecodedRecord;
use crate::rows::{ReferenceEventRow, Row};

/// Row of an event about a `subject`, such as a unit or a venue.
pub(super) fn event<'a>(record: &DecodedRecord<'a>, subject: &'a str) -> Row<'a> {
    Row::ReferenceEvents(record.origin(), ReferenceEventRow { subject: subject.into(), body: record.body })
}

pub(super) fn import<'a>(record: &DecodedRecord<'a>, import: ImportId) -> Row<'a> {
    Row::ReferenceEvents(record.origin(), ReferenceEventRow { subject: import.to_string().into(), body: record.body })
}
