//! M10: what headcounts say about reach that lists of people cannot.
//!
//! Guarantees: `reached <= lower <= upper`, always. Only what is uncertain is capped by the number of voters; what was counted from
//! people never is, so that a reach above 100 % shows.

use crate::coverage::{Denominator, Method, Reach};

/// The reach of a set of meetings. `minimum` is the largest eligible minimum of one of them, `rest` the people in the rooms who were not
/// strongly identified, `cap` the voters of the whole region.
pub(crate) fn of_meetings(reached: u64, (minimum, rest, cap): (u64, u64, u64), denominator: Denominator) -> Reach {
    reach(reached, (reached.max(minimum), rest, cap), denominator)
}

/// The reach of the residents of a place: anyone not identified anywhere may live there.
pub(crate) fn of_residents(reached: u64, rest: u64, denominator: Denominator) -> Reach {
    reach(reached, (reached, rest, denominator.voters), denominator)
}

fn reach(reached: u64, (lower, rest, cap): (u64, u64, u64), denominator: Denominator) -> Reach {
    let upper = lower.max(cap.min(reached.saturating_add(rest)));
    let method = if rest == 0 { Method::Exact } else { Method::Bounds };
    Reach { reached, lower, upper, method, over: reached > denominator.voters, denominator }
}
