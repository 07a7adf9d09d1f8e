//! Rows of given and withdrawn consent: `consents`.

use qamtu_schemas::{
    event::{ConsentGiven, ConsentWithdrawn, Person},
    id::EventId,
};

use super::{DecodedRecord, PseudonymHalves};
use crate::rows::{ConsentKind, ConsentRow, Row};

/// Row of a given consent; `supersedes` lists the withdrawals that it cancels.
pub(super) fn given<'a>(record: &DecodedRecord<'a>, data: &'a ConsentGiven) -> Row<'a> {
    row(record, data.person, ConsentKind::Given, &data.supersedes)
}

pub(super) fn withdrawn<'a>(record: &DecodedRecord<'a>, data: &'a ConsentWithdrawn) -> Row<'a> {
    row(record, data.person, ConsentKind::Withdrawn, &[])
}

fn row<'a>(record: &DecodedRecord<'a>, person: Person, kind: ConsentKind, supersedes: &'a [EventId]) -> Row<'a> {
    let person = PseudonymHalves::from(person.id);
    Row::Consents(record.origin(), ConsentRow { person_hi: person.high, person_lo: person.low, kind, supersedes })
}
