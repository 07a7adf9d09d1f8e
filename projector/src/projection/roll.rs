//! Rows of a precinct's roll: `roll`, one row per voter, and `roll_versions`.

use std::collections::BTreeSet;

use qamtu_schemas::event::PrecinctEnrolled;

use super::{DecodedRecord, PseudonymHalves};
use crate::rows::{RollRow, RollVersionRow, Row};

/// Rows of one roll version: one per voter, then one in `roll_versions`. Of a voter who is listed twice the first entry counts.
pub(super) fn enrolled<'a>(record: &DecodedRecord<'a>, data: &'a PrecinctEnrolled, rows: &mut Vec<Row<'a>>) {
    let envelope = &record.event.envelope;
    let mut listed = BTreeSet::new();
    rows.reserve(data.voters.len() + 2);
    for voter in data.voters.iter().filter(|voter| listed.insert(voter.0)) {
        let person = PseudonymHalves::from(voter.0);
        rows.push(Row::Roll(RollRow {
            campaign: envelope.campaign.as_str(),
            precinct: data.precinct.as_str(),
            version: data.version,
            event_id: envelope.id,
            bodyhash: envelope.bodyhash,
            person_hi: person.high,
            person_lo: person.low,
            birth_band: voter.1,
            sex: voter.2,
        }));
    }
    let version = RollVersionRow {
        precinct: data.precinct.as_str(),
        version: data.version,
        strength: data.strength,
        voters: u32::try_from(listed.len()).unwrap_or(u32::MAX),
    };
    rows.push(Row::RollVersions(record.origin(), version));
}
