//! M10: bounds of reach from headcounts.
//!
//! Guarantees: `reached <= lower <= upper`. Only the uncertain part is capped by the number of voters; people who were identified never
//! are, so that a reach above 100 % is visible. Without a precinct count nothing is capped and nothing is above 100 %. Meetings without a
//! headcount add nothing to `upper`: it is then incomplete, and the reach is not exact.

use crate::coverage::{Audience, Denominator, Method, Reach};

/// Reach of a set of meetings. `minimum` is the largest eligible minimum of one meeting, `region` the voters of the whole region.
pub(crate) fn of_meetings(reached: u64, audience: &Audience, (minimum, region): (u64, &Denominator), denominator: Denominator) -> Reach {
    reach(reached, audience, (reached.max(minimum), region.known()), denominator)
}

/// Reach of the residents of a unit or precinct: anyone unidentified at any meeting may live there.
pub(crate) fn of_residents(reached: u64, audience: &Audience, denominator: Denominator) -> Reach {
    reach(reached, audience, (reached, denominator.known()), denominator)
}

fn reach(reached: u64, audience: &Audience, (lower, cap): (u64, Option<u64>), denominator: Denominator) -> Reach {
    let upper = lower.max(reached.saturating_add(audience.unidentified).min(cap.unwrap_or(u64::MAX)));
    let method = if audience.unidentified == 0 && audience.uncounted_meetings == 0 { Method::Exact } else { Method::Bounds };
    Reach { reached, lower, upper, method, over: denominator.known().is_some_and(|voters| reached > voters), denominator }
}
