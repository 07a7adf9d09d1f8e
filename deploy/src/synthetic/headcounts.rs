//! Headcounts as events, in the current form or in the old one.

use qamtu_schemas::{
    event::{Count, HeadcountReported, audience::HeadcountReportedV1},
    id::CounterId,
};

use super::meeting::{Heads, Meeting};
use crate::submission::Payload;

/// The counts of one or two counters.
pub(super) fn counts(heads: &Heads) -> Vec<Count> {
    // INVARIANT: constant codes.
    let counter = |name: &str| -> CounterId { name.parse().expect("a counter") };
    let first = Count { counter: counter("1"), people: heads.first };
    std::iter::once(first).chain(heads.second.map(|people| Count { counter: counter("2"), people })).collect()
}

/// The event that reports a headcount.
pub(super) fn reported(meeting: &Meeting, heads: &Heads) -> Payload {
    let meeting = meeting.id.clone();
    if heads.old_form {
        Payload::OldHeadcount(HeadcountReportedV1 { meeting, people: heads.first })
    } else {
        HeadcountReported { meeting, counts: counts(heads), eligible_minimum: heads.eligible_minimum }.into()
    }
}
