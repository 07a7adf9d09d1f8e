//! The definition of coverage, version 1: what every figure means, and its formula.
//!
//! Who is counted
//! - A meeting is **counted** when its state is held: a report that holds says so. Attendance of any other meeting is *pending*.
//! - A person is **eligible** when strongly identified and on the campaign's strong roll. A campaign without one takes, attendance by
//!   attendance, those stated to be adult and to live in one of its units or precincts. Strong but not eligible is *outside the
//!   denominator*; a person known by phone alone is *weak* and never enters exact reach.
//! - One person at one meeting counts once, however often recorded.
//! - **Residence** is the roll's precinct (the lowest id if several rolls name the person). Without a roll it is the stated precinct,
//!   else the stated unit, and of several statements the lowest code of the more precise kind.
//!
//! A counted meeting `m` with headcount `h_low <= h_high` (0 without one)
//! - `s` strongly identified people, `e` eligible of them, `w` weakly identified people, `k = s + w` recorded.
//! - gross attendance `a = max(h_low, k)`: a count below the list is a miscount.
//! - rest `r = max(h_high, k) - s`: in the room, not strongly identified.
//! - eligible minimum `f = min(stated minimum, e + r)`: no more eligible people than the room can hold beside those who are known not
//!   to be.
//!
//! Figures of a set of meetings
//! - **M1 plan fulfilment** `held_planned / due`, and `held_planned / planned`. Due: planned, not cancelled, begins (after moves) on the
//!   as-of day or before, and on a lawful day. Held and planned on an unlawful day is flagged and left out; extra meetings stand apart.
//! - **M2 gross attendance** `G = sum a`.
//! - **M3 exact unique reach** `U = |union of eligible people|`, counted from people for every slice, never added up.
//! - **M4 average frequency** `sum e / U`.
//! - **M5 gross coverage** `100 G / N`; may pass 100 and is never called coverage.
//! - **M6 unique coverage** `100 U / N` with `100 lower / N` and `100 upper / N`.
//! - **M7 exposure** `n_j = |eligible people seen exactly j times|`, `j` = 1 to 4 and 5 or more.
//! - **M8 duplication** `1 - U / sum e`; **new reach** of a week: people whose first counted meeting is in it, divided by its reach.
//! - **M10 bounds** `lower = max(U, max f)`, `upper = max(lower, min(N_region, U + sum r))`. The cap is the region's `N` in every slice of
//!   meetings, since people attend outside their own unit. For residents of a place: `lower = U`,
//!   `upper = max(U, min(N_place, U + sum of all r))`, since anyone not identified may live there.
//! - **M24 ceiling** `min(N, planned_meetings * G / held)`, rounded down.
//!
//! `N` is the sum of the precincts' counts that are true on the as-of day (campaign's time zone). A unit is compared to its own voters, a
//! coalition to its unit's or else the region's, a category and a week to the region's. `U > N` is an error to be shown (`over`).
//!
//! Slices: what was planned stands under the plan's unit, coalition, categories and week (after moves); what was held under the
//! report's. Weeks are ISO weeks of the local day.

/// Version of this definition; part of every snapshot's identity.
pub const DEFINITION: u32 = 1;

/// M24: reach if every planned meeting were held with the average gross attendance and nobody came twice.
pub(super) fn ceiling(planned_meetings: u32, gross: u64, held: u64, voters: u64) -> Option<u64> {
    u128::from(planned_meetings).checked_mul(u128::from(gross))?.checked_div(u128::from(held)).map(|people| {
        // What exceeds 64 bits exceeds the voters too.
        u64::try_from(people).unwrap_or(u64::MAX).min(voters)
    })
}
