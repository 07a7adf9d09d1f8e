//! The steps from an old version of a payload to the next, one function each.
//!
//! A step is pure and total: an old event never fails to become a new one.

use crate::{
    event::{
        Data,
        audience::{Count, HeadcountReported, HeadcountReportedV1},
    },
    id::CounterId,
};

/// `headcount.reported` 1 to 2: the one count was made by counter `1`.
pub fn headcount_reported(old: HeadcountReportedV1) -> Data {
    // INVARIANT: "1" is a valid code.
    let counter: CounterId = "1".parse().expect("a constant code");
    HeadcountReported { meeting: old.meeting, counts: vec![Count { counter, people: old.people }], eligible_minimum: None }.into()
}
