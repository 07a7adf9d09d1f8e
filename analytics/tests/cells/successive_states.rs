//! States of a campaign that are shown one after another: a state is shown only if its difference from the last one reveals nobody.

use qamtu_analytics::{
    access::{Reader, Role},
    cell::Threshold,
    published::{Published, ReleaseState},
};
use serde_json::{Value, json};

use crate::{campaign, published};

/// What is noted of a published state.
pub fn release(coverage: Value, published: &Published) -> ReleaseState {
    ReleaseState::of(&serde_json::from_value(coverage).unwrap(), published)
}

/// The same for a leader.
fn for_leaders(coverage: Value) -> ReleaseState {
    release(coverage.clone(), &published(coverage, Role::Leader))
}

/// The least count that a leader is shown.
fn threshold() -> Threshold {
    Threshold::of(&Reader::of_region(Role::Leader)).unwrap()
}

/// A state of a campaign of units, all of whose people came once.
fn of_units(people: &[u64]) -> ReleaseState {
    for_leaders(campaign("units", people))
}

/// Whether the figures of one state may follow those of another.
fn follows(before: &[u64], after: &[u64]) -> bool {
    of_units(after).after(&of_units(before).first(), threshold()).is_some()
}

#[test]
fn one_arrival_is_not_what_the_next_state_adds() {
    assert!(!follows(&[100, 200, 300], &[101, 200, 300]));
    assert!(!follows(&[100, 200, 300], &[109, 200, 300]));
    assert!(follows(&[100, 200, 300], &[110, 200, 300]));
    assert!(!follows(&[100, 200, 300], &[110, 203, 300]), "a few beside many");
    assert!(follows(&[100, 200, 300], &[100, 200, 300]), "nothing new about people");
}

#[test]
fn a_withheld_three_is_not_what_the_next_state_leaves() {
    // 3 is withheld, and 15 with it. With 9 more all could be shown, and whoever knows that 15 is what it was would have the 3.
    assert!(!follows(&[3, 15, 300], &[12, 15, 300]));
    // Few more of a withheld count are not what the total grows by.
    assert!(!follows(&[3, 15, 300], &[5, 15, 300]));
    assert!(follows(&[3, 15, 300], &[3, 15, 320]));
}

#[test]
fn a_small_campaign_of_which_nothing_is_shown_goes_on() {
    let of_people = |people: u64| {
        let mut coverage = campaign("units", &[people, 0, 0]);
        // Nobody counts heads, so the gross attendance is withheld with the people.
        for pointer in ["/region/figures/audience", "/units/0/figures/audience"] {
            let audience = coverage.pointer_mut(pointer).unwrap();
            (audience["headcount_meetings"], audience["gross"]) = (json!(0), json!(people));
        }
        for_leaders(coverage)
    };
    let mut last = of_people(3).first();
    for people in [4, 9, 12, 25] {
        last = of_people(people).after(&last, threshold()).unwrap_or_else(|| panic!("{people} people"));
    }
    assert!(of_people(26).after(&last, threshold()).is_none(), "from then on, one more person is one person");
}

#[test]
fn what_was_shown_once_is_remembered_while_it_is_withheld() {
    let first = of_units(&[40, 0, 300]).first();
    // 52 is withheld as the company of a small newcomer, and with many more of both it may be.
    let second = of_units(&[52, 8, 300]).after(&first, threshold()).unwrap();
    // Later the newcomer is large; the company is shown again, 12 more than it was last seen.
    assert!(of_units(&[52, 40, 300]).after(&second, threshold()).is_some());
    assert!(of_units(&[45, 40, 300]).after(&second, threshold()).is_none(), "5 more than what was last seen");
}
