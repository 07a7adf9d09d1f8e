//! Rows of consent given and withdrawn: `consents`.

use qamtu_schemas::{
    event::{ConsentGiven, ConsentWithdrawn, Person},
    id::EventId,
};

use super::{DecodedRecord, halves};
use crate::rows::{ConsentKind, ConsentRow, Row};

/// A person agreed, perhaps again.
pub(super) fn given<'a>(record: &DecodedRecord<'a>, data: &'a ConsentGiven) -> Row<'a> {
    row(record, data.person, ConsentKind::Given, &data.supersedes)
}

/// A person took consent back.
pub(super) fn withdrawn<'a>(record: &DecodedRecord<'a>, data: &'a ConsentWithdrawn) -> Row<'a> {
    row(record, data.person, ConsentKind::Withdrawn, &[])
}

fn row<'a>(record: &DecodedRecord<'a>, person: Person, kind: ConsentKind, supersedes: &'a [EventId]) -> Row<'a> {
    let (person_hi, person_lo) = halves(person.id);
    Row::Consents(record.origin(), ConsentRow { person_hi, person_lo, kind, supersedes })
}
