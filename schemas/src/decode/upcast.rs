//! Upcasters: one function for each step from an old version of a payload to the next.
//!
//! An upcaster is pure and total: it never fails.

use crate::{
    event::{
        Data,
        attendance::{Count, HeadcountReported, HeadcountReportedV1},
    },
    id::CounterId,
};

/// `headcount.reported` 1 to 2: the only count becomes that of counter `1`.
pub fn headcount_reported(old: HeadcountReportedV1) -> Data {
    // INVARIANT: "1" is a valid code.
    let counter: CounterId = "1".parse().expect("a constant code");
    HeadcountReported {
        meeting: old.meeting,
        counts: vec![Count { counter, people: old.people }],
        eligible_minimum: None,
        nobody_eligible: false,
    }
    .into()
}
