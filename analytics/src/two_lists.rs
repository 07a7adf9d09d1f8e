//! Estimates how many people with a national id were at meetings that were recorded twice, on a sheet and without one. People who are known by a
//! telephone number are on neither list.
//!
//! Chapman's estimator: with `a` people on one list, `b` on the other and `m` on both, about
//! `N = (a + 1)(b + 1) / (m + 1) - 1` people were there, with variance `(a + 1)(b + 1)(a - m)(b - m) / ((m + 1)² (m + 2))`; the interval is
//! `N ± 1.96 √variance`, and never below the people on either list. It assumes that whoever is on one list is neither more nor less often on
//! the other; if those who sign also check in, the estimate is too low.
//!
//! Guarantees: it changes no figure, and stands beside the headcount of the same meeting, which has everybody. Few people on both lists give no estimate:
//! with at least seven the bias of the estimator is small (Robson and Regier 1964).

use qamtu_schemas::id::MeetingId;
use serde::Serialize;

use crate::{facts::ListSizes, facts_store::FactsStore};

/// Fewest people on both lists.
pub const MIN_ON_BOTH: u64 = 7;

/// Quantile of the normal distribution for a confidence of 95 %.
const Z: f64 = 1.96;

/// Estimate of the people with a national id at a meeting, with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PeopleEstimate {
    /// Most likely number of people.
    pub people: u64,
    /// Lower end of the interval of 95 %.
    pub low: u64,
    /// Upper end of it.
    pub high: u64,
}

/// A held meeting that was recorded twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MeetingWithTwoLists {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Code of the unit that its report names.
    pub unit: String,
    /// People who were recorded from a line of a sheet.
    pub on_sheet: u64,
    /// People who were recorded without a sheet.
    pub checked_in: u64,
    /// People on both lists.
    pub on_both: u64,
    /// How many people were there; none if fewer than [`MIN_ON_BOTH`] are on both lists.
    pub estimate: Option<PeopleEstimate>,
    /// The headcount, if there is one; of two counters the smaller count.
    pub headcount: Option<u64>,
}

/// The held meetings among those that were recorded twice, in the order of their ids.
pub fn two_lists(store: &FactsStore, sizes: &[ListSizes]) -> Vec<MeetingWithTwoLists> {
    let meetings = &store.facts().meetings;
    let held = |sizes: &ListSizes| {
        let meeting = &meetings.rows()[meetings.ids().binary_search(&sizes.meeting).ok()?];
        let report = meeting.report.as_ref()?;
        Some(MeetingWithTwoLists {
            meeting: sizes.meeting.clone(),
            unit: meetings.units.keys()[report.unit as usize].to_string(),
            on_sheet: sizes.on_sheet,
            checked_in: sizes.checked_in,
            on_both: sizes.on_both,
            estimate: chapman(sizes),
            headcount: meeting.headcount.map(|headcount| headcount.low.into()),
        })
    };
    sizes.iter().filter_map(held).collect()
}

fn chapman(sizes: &ListSizes) -> Option<PeopleEstimate> {
    let ListSizes { on_sheet, checked_in, on_both, .. } = *sizes;
    if on_both < MIN_ON_BOTH {
        return None;
    }
    let [a, b, m] = [on_sheet, checked_in, on_both].map(|people| people as f64);
    let people = (a + 1.0) * (b + 1.0) / (m + 1.0) - 1.0;
    let variance = (a + 1.0) * (b + 1.0) * (a - m) * (b - m) / ((m + 1.0) * (m + 1.0) * (m + 2.0));
    let half = Z * variance.sqrt();
    let either = on_sheet + checked_in - on_both;
    let at_least = |people: f64| (people as u64).max(either);
    Some(PeopleEstimate {
        people: at_least(people.round()),
        low: at_least((people - half).floor()),
        high: at_least((people + half).ceil()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(on_sheet: u64, checked_in: u64, on_both: u64) -> Option<(u64, u64, u64)> {
        let sizes = ListSizes { meeting: "m".parse().expect("a meeting"), on_sheet, checked_in, on_both };
        chapman(&sizes).map(|PeopleEstimate { people, low, high }| (people, low, high))
    }

    #[test]
    fn estimates_follow_the_formula() {
        // 201 · 151 / 61 - 1 = 496.6; the variance is 201 · 151 · 140 · 90 / (61² · 62) = 1,657.6, its root 40.7.
        assert_eq!(estimate(200, 150, 60), Some((497, 416, 577)));
        // The same people on both lists, and all of one on the other: nobody else was there.
        assert_eq!(estimate(80, 80, 80), Some((80, 80, 80)));
        assert_eq!(estimate(100, 40, 40), Some((100, 100, 100)));
        assert_eq!(estimate(500, 400, 6), None);
        assert_eq!(estimate(50, 20, 7), Some((133, 69, 197)));
        assert_eq!(estimate(20, 20, 19), Some((21, 21, 22)), "21 people are known");
    }
}
