//! M10: what headcounts say about reach that lists of people cannot.
//!
//! Guarantees: `reached <= lower <= upper`, always. Only what is uncertain is capped by the number of voters; what was counted from
//! people never is, so that a reach above 100 % shows. Where no precinct count says how many voters there are, nothing is capped and
//! nothing is above 100 %. Rooms that nobody counted add nothing to `upper`: it is then incomplete, and the reach is not called exact.

use crate::coverage::{Audience, Denominator, Method, Reach};

/// The reach of a set of meetings. `minimum` is the largest eligible minimum of one of them, `region` the voters of the whole region.
pub(crate) fn of_meetings(reached: u64, audience: &Audience, (minimum, region): (u64, &Denominator), denominator: Denominator) -> Reach {
    reach(reached, audience, (reached.max(minimum), region.known()), denominator)
}

/// The reach of the residents of a place: anyone not identified in any of the `rooms` may live there.
pub(crate) fn of_residents(reached: u64, audience: &Audience, denominator: Denominator) -> Reach {
    reach(reached, audience, (reached, denominator.known()), denominator)
}

fn reach(reached: u64, audience: &Audience, (lower, cap): (u64, Option<u64>), denominator: Denominator) -> Reach {
    let upper = lower.max(reached.saturating_add(audience.unidentified).min(cap.unwrap_or(u64::MAX)));
    let method = if audience.unidentified == 0 && audience.uncounted_meetings == 0 { Method::Exact } else { Method::Bounds };
    Reach { reached, lower, upper, method, over: denominator.known().is_some_and(|voters| reached > voters), denominator }
}
