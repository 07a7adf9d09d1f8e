//! Rows of reference data, surveys and imports: `reference_events`.

use qamtu_schemas::id::ImportId;

use super::Source;
use crate::rows::{ReferenceEventRow, Row};

/// The event as it is, under what it is about.
pub(super) fn event<'a>(source: &Source<'a>, subject: &'a str) -> Row<'a> {
    Row::ReferenceEvents(source.origin(), ReferenceEventRow { subject: subject.into(), body: source.body })
}

/// The event as it is, under its import.
pub(super) fn import<'a>(source: &Source<'a>, import: ImportId) -> Row<'a> {
    Row::ReferenceEvents(source.origin(), ReferenceEventRow { subject: import.to_string().into(), body: source.body })
}
