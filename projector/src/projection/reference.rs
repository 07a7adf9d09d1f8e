//! Rows of reference data, surveys and imports: `reference_events`.

use qamtu_schemas::id::ImportId;

use super::DecodedRecord;
use crate::rows::{ReferenceEventRow, Row};

/// The event as it is, under what it is about.
pub(super) fn event<'a>(record: &DecodedRecord<'a>, subject: &'a str) -> Row<'a> {
    Row::ReferenceEvents(record.origin(), ReferenceEventRow { subject: subject.into(), body: record.body })
}

/// The event as it is, under its import.
pub(super) fn import<'a>(record: &DecodedRecord<'a>, import: ImportId) -> Row<'a> {
    Row::ReferenceEvents(record.origin(), ReferenceEventRow { subject: import.to_string().into(), body: record.body })
}
