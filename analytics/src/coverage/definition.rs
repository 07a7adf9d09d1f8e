//! The definition of coverage, version 6: what every figure means, and its formula.
//!
//! # As-of instant
//!
//! - Every figure is true for its **as-of instant**, which is now or in the past. Records received by then count. Records that take others
//!   back (corrections, retractions, reversals of imports, withdrawals of consent) count from their own time of receipt on.
//! - The time of receipt is the server's. In a synthetic campaign it is simulated, and the clock shows the time of receipt of the newest
//!   event that is not ahead of the server's clock. A record that is ahead counts once its time has come.
//!
//! # Meetings
//!
//! - **counted** or **held**: a current report says that the meeting was held, and the meeting begins at the as-of instant or earlier.
//!   Until it begins, its report is ignored.
//! - **cancelled**: planned, cancelled, and without a report. A report takes precedence over a cancellation. A report that is corrected to
//!   none is a cancellation. A later plan or move that supersedes the cancellation removes it.
//! - **pending**: something is known of the meeting, but there is neither a plan nor a report. A meeting that was reported before it begins
//!   is not pending.
//! - **moved**: planned, and its start comes from a move. A move replaces the start; unit, coalition and categories remain the plan's.
//! - **contested**: two current reports, two current headcounts, or a report and a cancellation. The meeting counts once, under the unit,
//!   coalition, categories and week of its report; without a report under those of its plan; without both in the region alone.
//! - A plan that supersedes another one replaces all of it, whichever arrives first. Of several current plans the one with the highest id
//!   counts. That does not make a meeting contested.
//! - **headcount only**: any current plan or report, even if another one takes precedence, names a category, first or secondary, that reveals
//!   belief, origin or health by the campaign's current configuration. Its attendances are ignored: they are in no figure of people.
//! - **nobody eligible**: the headcount that counts says that no voter of the campaign's units was in the room, for example because all were
//!   pupils. The meeting is held and counted as `nobody_eligible`; its headcount and its attendances are in no figure of people, the bounds
//!   of reach and gross attendance included.
//! - **uncounted**: held, with neither a headcount nor a recorded person. How many came is unknown.
//!
//! # People
//!
//! - Ignored are attendances that were retracted, that came with a reversed import, or whose person withdrew consent. A withdrawal ends only
//!   with a consent that names it; a new attendance does not end it. Then all attendances of the person count again.
//! - One person at one meeting counts once, however often recorded.
//! - **strong**: identified by a national id. **weak**: known by phone only; never in reach.
//! - **eligible, outside** if the roll decides: strong, and on the campaign's strong roll or not. The roll decides only if every precinct of
//!   the denominator has a strong roll.
//! - **eligible, outside, unstated** if it does not decide: strong, and by what is stated with the attendance, whoever is on a partial roll.
//!   An adult who lives in a unit or precinct of the campaign is eligible. A minor, a resident of another region or of an undefined place is
//!   outside. Anyone else is unstated. Of several statements at one meeting the first of these three counts.
//! - **residence**: the roll's precinct, of several the lowest id. If the roll does not decide, the stated precinct, else the stated unit,
//!   of several the lowest code of the more precise kind. The unit of a precinct is the one that its valid count names.
//!
//! # One counted meeting
//!
//! It has a headcount `low <= high` (0 without one), and different people: `identified` (eligible or outside), `eligible` of them,
//! `unstated` and `weak`.
//!
//! | quantity | formula | meaning |
//! |---|---|---|
//! | recorded | `identified + unstated + weak` | Everybody on its lists. |
//! | gross | `max(low, recorded)` | A headcount below the lists is a miscount. |
//! | unidentified | `max(high, recorded) - identified` | People of whom it is unknown whether they are eligible. |
//! | eligible minimum | `min(stated minimum, eligible + unidentified)` | No more than can be eligible. |
//!
//! # Figures of a set of meetings
//!
//! `N` is the number of registered voters that the set is compared to, `U` its reach; sums are over its counted meetings.
//!
//! | figure | formula | meaning |
//! |---|---|---|
//! | due | planned, not cancelled, lawful, and `start day <= as-of day` | Meetings that should have been held. The start is that after moves. |
//! | held on plan | due, and held on a lawful day | `held_planned`; a meeting held before its planned day is in it from that day on. |
//! | plan fulfilment | `held_planned / due` and `held_planned / planned` | How far the plan is kept. |
//! | missing | due, and without a report | Meetings that should have been reported. |
//! | on time, late | due, with a report, and the first report was received within 24 hours of the start, or later | `on_time + late + missing = due`. The start is that of the report that counts; a correction does not make a report late. |
//! | within 72 hours | the same with 72 hours | `within_72_hours`, those on time included. |
//! | unlawful | held, and not on a lawful day | They are held and not missing, their audience counts, and they are never in `held_planned`. |
//! | extra | held, and without a plan | `held_extra`; they do not fulfil the plan. |
//! | gross attendance | `sum(gross)` | Attendances; a person counts at every meeting. So do `identified`, `weak`, `outside` and `unstated`. |
//! | attendance without report | `sum(recorded)` over meetings that are not counted | Stored, and in no other figure. |
//! | contacts | `sum(eligible)` | Attendances of eligible people. |
//! | reach | `U` = number of different eligible people | Counted from people in every set, never added up. |
//! | average frequency | `contacts / U` | How often a reached person came. |
//! | gross attendance per voter | `100 gross / N` | May be above 100; it is never called coverage. |
//! | coverage | `100 U / N`, with `100 lower / N` and `100 upper / N` | Share of the voters who were reached. |
//! | frequencies | number of eligible people with exactly 1, 2, 3, 4, and with 5 or more attendances | Distribution of the frequency. |
//! | duplication | `1 - U / contacts` | Share of the contacts that reached nobody new. |
//! | new reach of a week | number of people whose first counted meeting is in it, divided by its reach | How many of a week's people are new. |
//! | lower bound | `max(U, largest eligible minimum)` | At least so many different eligible people came. |
//! | upper bound | `max(lower, min(N of the region, U + sum(unidentified)))` | Everybody unidentified may be new. |
//! | ceiling | `min(N, planned meetings * gross / (held - uncounted))`, rounded down | Reach of the whole plan at average size, if nobody came twice. |
//! | estimate | `N - (N - U) q(G) / q(contacts)`, `q(c) = (1 + c / N / k)^-k`, within the bounds | Different voters, with those who were not identified; of the region, units and weeks. |
//!
//! - The **estimate** assumes that unidentified people came again as often as identified ones. `G` is `contacts` and, of
//!   `gross - identified`, as large a share as voters are of `identified` in the region. `k` says how unequally often people come: the sum
//!   of `N (1 - q(contacts))` over the units, or weeks, or for the region itself, is that of `U`. For `k` without limit people come at random,
//!   and `q(c) = exp(-c / N)`. The interval is 1.645 standard errors, from 64 half-samples of the
//!   meetings with lists (`analytics/src/estimate.rs` has the formula). There is none if less than 30 % of `G` are `contacts`, if no `k` fits, if `U > N`, or if too few half-samples have a solution. People at uncounted meetings are not in it.
//! - The upper bound of every set of meetings is capped by the region's voters, since people attend outside their own unit. It is incomplete
//!   if a meeting is uncounted; a reach is then never called exact. Without a precinct count nothing is capped.
//! - There is no ceiling while `N` is unknown, and while nobody was counted at any meeting.
//!
//! # Figures of residents
//!
//! Residents of a unit or precinct count wherever they attended. `lower = U` and
//! `upper = max(U, min(N of the place, U + sum(unidentified) over all meetings))`, since anyone not identified may live there. In a slice
//! with filters of meetings, those meetings count instead of all.
//!
//! # Registered voters
//!
//! - `N` is the sum of the precincts' valid counts: of each precinct the newest one up to the as-of day in the campaign's time zone. Its date
//!   is that of the newest of them. Without a count it is unknown and not 0.
//! - A unit is compared to its own voters, a coalition to those of its unit or else the region's, a category and a week to the region's. In a
//!   slice, meetings are compared to the voters of their precincts, else of their units, else of their only coalition, else to the
//!   region's, and people to those of the places where they live. Meetings without a precinct have no voters
//!   in a slice by precinct. The voters of several places are unknown if those of one are; how many
//!   have a sex or a birth band is not known.
//! - `U > N` is an error to be shown (`over`).
//!
//! # Slices
//!
//! `planned`, `due`, `held_planned`, `missing`, `on_time`, `late`, `within_72_hours`, `cancelled` and `moved` count under the unit, coalition, categories and week of the plan, after
//! moves. `held` and the audience count under those of the report. Weeks are ISO weeks of the local day.

/// Version of this definition; part of every snapshot's identity.
pub const DEFINITION: u32 = 6;

/// The arithmetic ceiling. `counted` is the number of held meetings of which it is known how many came.
pub(super) fn ceiling(planned_meetings: u32, gross: u64, counted: u64, voters: Option<u64>) -> Option<u64> {
    let voters = voters.filter(|_| planned_meetings > 0 && gross > 0)?;
    u128::from(planned_meetings).checked_mul(u128::from(gross))?.checked_div(u128::from(counted)).map(|people| {
        // What exceeds 64 bits exceeds the voters too.
        u64::try_from(people).unwrap_or(u64::MAX).min(voters)
    })
}
