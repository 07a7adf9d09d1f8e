//! Headcounts as events, in the current version or in version 1.

use qamtu_schemas::{
    event::{Count, HeadcountReported, audience::HeadcountReportedV1},
    id::CounterId,
};

use super::meeting::{Headcount, Meeting};
use crate::submission::Payload;

/// The counts of one or two counters.
pub(super) fn counts(headcount: &Headcount) -> Vec<Count> {
    // INVARIANT: constant codes.
    let counter = |name: &str| -> CounterId { name.parse().expect("a counter") };
    let first = Count { counter: counter("1"), people: headcount.first };
    std::iter::once(first).chain(headcount.second.map(|people| Count { counter: counter("2"), people })).collect()
}

pub(super) fn reported(meeting: &Meeting, headcount: &Headcount) -> Payload {
    let meeting = meeting.id.clone();
    if headcount.old_form {
        Payload::OldHeadcount(HeadcountReportedV1 { meeting, people: headcount.first })
    } else {
        HeadcountReported { meeting, counts: counts(headcount), eligible_minimum: headcount.eligible_minimum }.into()
    }
}
