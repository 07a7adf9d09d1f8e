//! The definition of coverage, version 3: what every figure means, and its formula.
//!
//! What is known
//! - Every figure is true for its **as-of instant**. Records that were received by then count, and so does what takes others back: a
//!   correction, a retraction, the reversal of an import or a withdrawal of consent that is received later changes nothing of an earlier
//!   instant. The time of receipt is that of the server; in a synthetic campaign it is simulated.
//! - The as-of instant is now, or the past: nobody knows the future. A synthetic campaign's clock shows when its newest event was
//!   received, those stamped ahead of the server's clock apart. A record that is stamped ahead counts once its time has come.
//!
//! Who is counted
//! - A meeting is **counted** when its state is held: a report that holds says so, and the meeting begins at the as-of instant or earlier.
//!   A report of a meeting that begins later counts as if it had not come in yet. Attendance of any other meeting is *pending*.
//! - A report wins over a cancellation: a meeting with both is held, and *contested*. A report that is corrected to none counts as a
//!   cancellation: the meeting is cancelled and no longer due. A cancellation that a later plan or move supersedes is gone.
//! - Left out as if never recorded: attendances that were retracted or came with a reversed import, and all attendances of a person whose
//!   withdrawal of consent stands. A withdrawal stands until a consent that was given names it: a new sheet alone takes nothing back,
//!   and once it is taken back the person's sheets count again, new and old.
//! - A meeting is **counted by heads only** when a plan or a report of it names a category, first or secondary, that reveals belief,
//!   origin or health, now or by a later revision: any plan or report that stands, also one that another takes precedence over.
//!   Attendances recorded for it (before that was known) are not looked at: they are neither identified nor weak nor pending.
//! - A person is **eligible** when strongly identified and on the campaign's strong roll. The roll decides only if every precinct of the
//!   denominator has one. Otherwise people are taken, attendance by attendance, at what they state, whoever is on a partial roll: adult
//!   and living in one of the campaign's units or precincts is eligible; not adult, living outside, or in a place that does not exist
//!   is *outside the denominator*; of whom age or home is not stated is *unknown*. Of several statements at one meeting an eligible one
//!   holds, else one from outside. With a roll, strong but not on it is outside. A person known by phone alone is *weak* and never
//!   enters exact reach.
//! - One person at one meeting counts once, however often recorded.
//! - **Residence** is the roll's precinct (the lowest id if several rolls name the person). Where the roll does not decide it is the
//!   stated precinct, else the stated unit, and of several statements the lowest code of the more precise kind. A precinct lies in the
//!   unit that its count names which is true on the as-of day.
//!
//! A counted meeting `m` with headcount `h_low <= h_high` (0 without one)
//! - `s` identified people (strongly, eligible or outside), `e` eligible of them, `n` unknown, `w` weak, `k = s + n + w` recorded.
//! - gross attendance `a = max(h_low, k)`: a count below the list is a miscount.
//! - unidentified `r = max(h_high, k) - s`: in the room, and perhaps eligible for all that is known.
//! - eligible minimum `f = min(stated minimum, e + r)`: no more eligible people than the room can hold beside those who are known not
//!   to be.
//! - **uncounted** without a headcount and with `k = 0`: how many came is unknown, and `a = r = 0` says nothing about it.
//!
//! Figures of a set of meetings
//! - **M1 plan fulfilment** `held_planned / due`, and `held_planned / planned`. Due: planned, not cancelled, begins (after moves) on the
//!   as-of day or before, and on a lawful day. `held_planned`: due, and held on a lawful day; so it is never more than `due`. A meeting
//!   held before its planned day counts from that day on. A meeting that was held on an unlawful day is flagged (`unlawful`) and left out
//!   of `held_planned` alone: it is `held`, it is not `missing`, and its audience counts in every figure. A plan or a move to an unlawful
//!   day is never due; held all the same, the meeting is `held` and neither `held_planned` nor extra. Extra meetings, which nobody
//!   planned, stand apart.
//! - **missing**: due, and without a report. **cancelled**: planned, cancelled, and without a report. **moved**: planned, and what holds
//!   of its start is a move. A move replaces the start and nothing else: unit, coalition and categories stay the plan's.
//! - A plan that supersedes another replaces it whole, whichever arrives first. Of several plans that stand the highest id holds; that
//!   alone does not make a meeting contested.
//! - **pending**: something is known of the meeting, but no plan and no report, nor a report that came before the meeting begins.
//! - **contested**: two reports, two headcounts, or a report and a cancellation stand side by side. It counts once, under the report's
//!   unit, coalition, categories and week; without a report under the plan's; with neither in the region alone.
//! - **M2 gross attendance** `G = sum a`. Like it, `identified`, `weak` and `outside` of a slice are sums over its meetings: attendances,
//!   not different people.
//! - **M3 exact unique reach** `U = |union of eligible people|`, counted from people for every slice, never added up.
//! - **M4 average frequency** `sum e / U`.
//! - **M5 gross coverage** `100 G / N`; may pass 100 and is never called coverage.
//! - **M6 unique coverage** `100 U / N` with `100 lower / N` and `100 upper / N`.
//! - **M7 exposure** `n_j = |eligible people seen exactly j times|`, `j` = 1 to 4 and 5 or more.
//! - **M8 duplication** `1 - U / sum e`; **new reach** of a week: people whose first counted meeting is in it, divided by its reach.
//! - **M10 bounds** `lower = max(U, max f)`, `upper = max(lower, min(N_region, U + sum r))`. The cap is the region's `N` in every slice of
//!   meetings, since people attend outside their own unit. For residents of a place: `lower = U`,
//!   `upper = max(U, min(N_place, U + sum of all r))`, since anyone not identified may live there. With an uncounted meeting the upper
//!   bound is incomplete, and a reach is never called exact. Where no precinct count says `N`, nothing is capped.
//! - **M24 ceiling** `min(N, planned_meetings * G / (held - uncounted))`, rounded down: the average is that of meetings of which it is known
//!   how many came, since an uncounted one says nothing about it. None while `N` is unknown, and while nobody was counted at any meeting.
//!
//! `N` is the sum of the precincts' counts that are true on the as-of day (campaign's time zone): of each precinct the newest up to that
//! day. The date beside `N` is that of the newest precinct count. A unit is compared to its own voters, a coalition to its unit's or
//! else the region's, a category and a week to the region's. `U > N` is an error to be shown (`over`); without
//! a count `N` is unknown and not 0.
//!
//! Slices: what was planned, and what of it is due, held or missing, stands under the plan's unit, coalition, categories and week (after
//! moves); what was held at all, and who was there, under the report's. Weeks are ISO weeks of the local day.

/// Version of this definition; part of every snapshot's identity.
pub const DEFINITION: u32 = 3;

/// M24: reach if every planned meeting were held with the average gross attendance of the `counted` ones and nobody came twice.
pub(super) fn ceiling(planned_meetings: u32, gross: u64, counted: u64, voters: Option<u64>) -> Option<u64> {
    let voters = voters.filter(|_| planned_meetings > 0 && gross > 0)?;
    u128::from(planned_meetings).checked_mul(u128::from(gross))?.checked_div(u128::from(counted)).map(|people| {
        // What exceeds 64 bits exceeds the voters too.
        u64::try_from(people).unwrap_or(u64::MAX).min(voters)
    })
}
