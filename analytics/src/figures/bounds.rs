//! Bounds of reach from headcounts.
//!
//! Guarantees: `reached <= lower <= upper`. Only the uncertain part is capped by the number of voters; people who were identified never
//! are, so that a reach above 100 % is visible. Without a precinct count nothing is capped and nothing is above 100 %. Meetings without a
//! headcount add nothing to `upper`: it is then incomplete, and the reach is not exact.

use super::{Audience, Denominator, MeetingSums, Method, Reach};

/// Reach of a set of meetings. Since people attend outside their unit, it is capped by the voters of the whole region.
pub fn of_meetings(reached: u64, sums: &MeetingSums, denominator: Denominator, region: &Denominator) -> Reach {
    reach(reached, reached.max(sums.eligible_minimum), region.known(), &sums.audience, denominator)
}

/// Reach of residents at a set of meetings: anyone unidentified at any of these meetings may be one of them. `cap` are the voters of the
/// places where they live.
pub fn of_residents(reached: u64, audience: &Audience, denominator: Denominator, cap: Option<u64>) -> Reach {
    reach(reached, reached, cap, audience, denominator)
}

fn reach(reached: u64, lower: u64, cap: Option<u64>, audience: &Audience, denominator: Denominator) -> Reach {
    let upper = lower.max(reached.saturating_add(audience.unidentified).min(cap.unwrap_or(u64::MAX)));
    let method = if audience.unidentified == 0 && audience.uncounted_meetings == 0 { Method::Exact } else { Method::Bounds };
    Reach { reached, lower, upper, method, over: denominator.known().is_some_and(|voters| reached > voters), denominator }
}
