//! Attack on disclosure control: an attacker who knows every shown figure, and all relations between figures, must be left with at least as
//! many possible values for a small count as the rules admit.
//!
//! Small campaigns are counted by brute force, published, and attacked by linear programming over all relations at once, independently of
//! the rules.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "what helps a test fails with it, and tables of cases are plain"
)]

#[path = "cells/attack.rs"]
mod attack;
#[path = "sample/sample.rs"]
mod sample;
#[path = "cells/world.rs"]
mod world;

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use qamtu_analytics::{
    Coverage,
    access::{Reader, Role, Scope},
    cell::Threshold,
    published::{Published, ReleaseState},
};
use serde_json::{Value, json};

use attack::{Attack, attack, sequence};
use world::{Meeting, World, growing, sparse, worlds};

fn published(coverage: Value, role: Role) -> Published {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample::stored(folder.path(), coverage);
    Published::new(&snapshot, &Reader::of_region(role)).unwrap()
}

/// The small counts of a world that can be worked out, each with the interval it is left with.
fn worked_out(world: &World, published: &Published) -> Vec<String> {
    small_counts(&attack(world, published), published.threshold.people())
}

/// The small counts among those that are attacked which can be worked out.
fn small_counts(attack: &Attack, k: u64) -> Vec<String> {
    let small = attack.people.iter().filter(|name| (1..k).contains(&attack.truth[*name]));
    small
        .filter_map(|name| {
            let (least, most) = if attack.shown.contains_key(name) { (0.0, 0.0) } else { attack.interval(name) };
            (most - least <= k as f64 - 2.5).then(|| format!("{name} = {} lies between {least} and {most}", attack.truth[name]))
        })
        .collect()
}

/// A few cases in every run; `PROPTEST_CASES` asks for more, since some leaks are found among thousands only.
fn cases(few: u32) -> u32 {
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    if is_asked { ProptestConfig::default().cases } else { few }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(64), ..ProptestConfig::default() })]
    #[test]
    fn no_small_count_can_be_worked_out(world in worlds(), analyst in any::<bool>()) {
        let role = if analyst { Role::Analyst } else { Role::Leader };
        let found = worked_out(&world, &published(world.coverage(), role));
        prop_assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn no_small_count_can_be_worked_out_where_little_happens(world in sparse(), analyst in any::<bool>()) {
        let role = if analyst { Role::Analyst } else { Role::Leader };
        let found = worked_out(&world, &published(world.coverage(), role));
        prop_assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn counts_that_threaten_nobody_are_shown(world in worlds()) {
        let published = published(world.coverage(), Role::Leader);
        let reached = world.people.len() as u64;
        prop_assert_eq!(published.total.audience.reached.shown(), (reached == 0 || reached >= 10).then_some(reached));
        let residents: Vec<u64> = (0..world.units).map(|unit| world.residents(unit)).collect();
        if residents.iter().all(|people| *people == 0 || *people >= 10) {
            let shown: Vec<u64> = published.units.iter().filter_map(|unit| unit.residents.shown()).collect();
            prop_assert_eq!(shown, residents);
        }
    }

    #[test]
    fn two_scopes_together_show_no_more_than_the_region(world in worlds()) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = sample::stored(folder.path(), world.coverage());
        let all = Published::new(&snapshot, &Reader::of_region(Role::Leader)).unwrap();
        for unit in &all.units {
            let scope = Scope::Units(BTreeSet::from([unit.unit.clone()]));
            let one = Published::new(&snapshot, &Reader { role: Role::Leader, scope }).unwrap();
            prop_assert_eq!(one.units.len(), 1);
            prop_assert_eq!(one.units[0].residents, unit.residents);
            prop_assert_eq!(one.units[0].audience, unit.audience);
            prop_assert_eq!(one.total.audience.reached, unit.residents);
            prop_assert!(one.weeks.is_empty() && one.exposure.is_empty() && one.categories.is_empty());
        }
    }
}

/// A campaign of one table: `rows` are reached people, all of whom came once.
fn campaign(table: &str, rows: &[u64]) -> Value {
    let figures = |people: u64| sample::Figures {
        planned: 9,
        held: 9,
        gross: 2 * people,
        identified: people,
        contacts: people,
        reached: people,
        weak: 0,
        rest: people,
    };
    let mut coverage = sample::coverage();
    let held: Vec<Value> = coverage[table]
        .as_array()
        .unwrap()
        .iter()
        .zip(rows)
        .map(|(row, people)| {
            let mut row = row.clone();
            row["slice"] = figures(*people).slice(5_000);
            row
        })
        .collect();
    let all: u64 = rows.iter().sum();
    for other in ["units", "coalitions", "categories", "weeks"] {
        coverage[other] = json!([]);
    }
    coverage[table] = json!(held);
    coverage["region"] =
        json!({"slice": figures(all).slice(5_000), "exposure": [all, 0, 0, 0, 0], "pending_attendance": 0, "ceiling": null});
    coverage
}

#[test]
fn a_small_category_is_not_what_the_others_leave() {
    let published = published(campaign("categories", &[300, 200, 3]), Role::Leader);
    assert_eq!(published.total.audience.reached.shown(), Some(503));
    let shown: Vec<Option<u64>> = published.categories.iter().map(|category| category.audience.reached.shown()).collect();
    assert_eq!(shown, [Some(300), None, None]);
    assert!(published.categories.iter().all(|category| category.audience.contacts.shown().is_none()));
}

#[test]
fn few_of_a_regional_coalition_are_not_what_a_unit_leaves() {
    let mut coverage = campaign("units", &[103, 400, 500]);
    let codes: Vec<Value> = coverage["units"].as_array().unwrap().iter().map(|unit| unit["unit"].clone()).collect();
    let coalitions = campaign("coalitions", &[100, 400, 500, 3])["coalitions"].clone();
    coverage["coalitions"] = coalitions;
    for (place, code) in codes.into_iter().enumerate() {
        coverage["coalitions"][place]["unit"] = code;
    }
    coverage["coalitions"][3]["unit"] = Value::Null;
    let published = published(coverage, Role::Leader);
    let units: Vec<Option<u64>> = published.units.iter().map(|unit| unit.audience.contacts.shown()).collect();
    let coalitions: Vec<Option<u64>> = published.coalitions.iter().map(|coalition| coalition.audience.reached.shown()).collect();
    assert_eq!(units, [None, None, Some(500)]);
    assert_eq!(coalitions, [None, None, Some(500), None]);
}

#[test]
fn a_gross_attendance_from_a_list_is_a_count_of_people() {
    // Three on a list, and so many heads beyond it.
    let gross = |heads: u64| {
        let mut coverage = sample::coverage();
        let few = sample::Figures { planned: 1, held: 1, gross: 3 + heads, identified: 3, contacts: 3, reached: 3, weak: 0, rest: heads };
        coverage["units"][0]["slice"] = few.slice(45_941);
        coverage["units"][0]["slice"]["audience"]["headcount_meetings"] = json!(1);
        published(coverage, Role::Leader).units[0].audience.gross.shown()
    };
    for heads in 0..20 {
        assert_eq!(gross(heads), None, "the list is no longer than {}", 3 + heads);
    }
    assert_eq!(gross(20), Some(23), "heads in a room are public");
}

/// The only meeting of a campaign: of 46 on its list 45 came from outside.
fn list_of_outsiders(heads: Option<u64>) -> World {
    let meetings = vec![Meeting { outside: 45, heads, ..Meeting::of(0, false) }];
    World { units: 2, meetings, people: vec![(0, BTreeSet::from([0]))] }
}

#[test]
fn a_headcount_below_a_list_does_not_tell_who_is_on_it() {
    for (heads, shown) in [(None, None), (Some(0), None), (Some(8), None), (Some(20), Some(66))] {
        let world = list_of_outsiders(heads);
        let published = published(world.coverage(), Role::Leader);
        let audience = published.total.audience;
        assert_eq!((audience.outside.shown(), audience.gross.shown()), (Some(45), shown), "{heads:?}");
        assert_eq!(published.weeks[0].gross, audience.gross, "the week is the campaign");
        assert_eq!(published.categories[0].audience.gross, audience.gross, "the category is the campaign");
        let found = worked_out(&world, &published);
        assert!(found.is_empty(), "{heads:?}: {found:#?}");
    }
}

#[test]
fn few_who_may_be_eligible_are_not_what_lists_leave() {
    for (unstated, shown) in [(0, Some(40)), (3, None), (12, Some(52))] {
        let meetings = vec![Meeting { unstated, ..Meeting::of(0, false) }];
        let world = World { units: 2, meetings, people: vec![(0, BTreeSet::from([0])); 40] };
        let published = published(world.coverage(), Role::Leader);
        assert_eq!(published.total.audience.gross.shown(), shown, "{unstated} did not state their age or home");
        let found = worked_out(&world, &published);
        assert!(found.is_empty(), "{unstated}: {found:#?}");
    }
}

#[test]
fn the_only_coalition_is_shown_as_the_campaign_is() {
    // Few came to the first of two units, so that the rows of units are withheld.
    let mut coverage = campaign("units", &[3, 40]);
    let region = coverage["region"]["slice"].clone();
    coverage["region"]["slice"]["fulfilment"]["held"] = json!(18);
    coverage["coalitions"] = json!([{"coalition": "regional", "names": null, "unit": null, "slice": coverage["region"]["slice"]}]);
    let shown = published(coverage.clone(), Role::Leader);
    assert_eq!(shown.units[0].audience.reached.shown(), None);
    assert_eq!(shown.total.audience.reached.shown(), Some(43));
    assert_eq!(shown.coalitions[0].audience, shown.total.audience);
    // Beside a second one that held meetings, it is one of two.
    coverage["coalitions"][0]["slice"] = region.clone();
    coverage["coalitions"].as_array_mut().unwrap().push(json!({"coalition": "other", "names": null, "unit": null, "slice": region}));
    assert!(published(coverage, Role::Leader).coalitions.iter().all(|coalition| coalition.audience.reached.shown().is_none()));
}

/// A world of three units and five meetings, at the fourth of which only some came: one of the regional coalition, whose heads nobody
/// counted, in a unit whose own coalition counted them.
fn regional_meeting(people: usize) -> World {
    let meeting = |unit: usize, regional: bool, heads: Option<u64>| Meeting { heads, ..Meeting::of(unit, regional) };
    let heads = Some(20);
    let meetings =
        vec![meeting(1, true, heads), meeting(2, false, heads), meeting(1, false, None), meeting(2, true, None), meeting(1, false, heads)];
    World { units: 3, meetings, people: vec![(0, BTreeSet::from([3])); people] }
}

#[test]
fn few_of_a_regional_coalition_are_not_what_gross_attendances_leave() {
    for people in 1..10 {
        let world = regional_meeting(people);
        for role in [Role::Leader, Role::Analyst] {
            let found = worked_out(&world, &published(world.coverage(), role));
            assert!(found.is_empty(), "{people} people, {role:?}: {found:#?}");
        }
    }
    let many = published(regional_meeting(30).coverage(), Role::Leader);
    let gross: Vec<Option<u64>> = many.units.iter().map(|unit| unit.audience.gross.shown()).collect();
    assert_eq!(gross, [Some(0), Some(40), Some(50)], "enough people threaten nobody");
}

#[test]
fn withheld_gross_attendances_do_not_add_up_to_a_withheld_total() {
    // Three came to the first unit. The lists of the first two units are withheld together and hold 43, of whom 40 came from outside.
    let meeting = |unit: usize, outside: u64, heads: Option<u64>| Meeting {
        week: unit,
        categories: (unit, None),
        outside,
        heads,
        ..Meeting::of(unit, false)
    };
    let meetings = vec![meeting(0, 20, None), meeting(1, 20, None), meeting(2, 40, Some(20))];
    let world = World { units: 3, meetings, people: vec![(0, BTreeSet::from([0])); 3] };
    let found = worked_out(&world, &published(world.coverage(), Role::Leader));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_few_on_a_list_are_not_what_few_heads_leave() {
    // Three on the list of one unit, and heads alone in another.
    let gross = |heads: u64| {
        let mut coverage = campaign("units", &[3, 0]);
        for (slice, headcounts, gross) in [("/region/slice", 1, 3 + heads), ("/units/0/slice", 0, 3), ("/units/1/slice", 1, heads)] {
            let audience = coverage.pointer_mut(slice).unwrap()["audience"].as_object_mut().unwrap();
            audience.insert("headcount_meetings".to_owned(), json!(headcounts));
            audience.insert("gross".to_owned(), json!(gross));
        }
        let published = published(coverage, Role::Leader);
        let units: Vec<Option<u64>> = published.units.iter().map(|unit| unit.audience.gross.shown()).collect();
        (published.total.audience.gross.shown(), units)
    };
    assert_eq!(gross(2).0, None, "no more than five are on lists");
    assert_eq!(gross(2).1[0], None);
    assert_eq!(gross(22), (Some(25), vec![None, None]), "22 heads leave room, unless the unit that has them is told apart");
}

#[test]
fn bounds_do_not_tell_how_few_were_weakly_identified() {
    let mut coverage = campaign("units", &[]);
    let figures = sample::Figures { planned: 1, held: 1, gross: 53, identified: 50, contacts: 50, reached: 50, weak: 3, rest: 3 };
    coverage["region"]["slice"] = figures.slice(5_000);
    let audience = published(coverage, Role::Leader).total.audience;
    assert_eq!((audience.identified.shown(), audience.weak.shown()), (Some(50), None));
    assert_eq!((audience.upper.shown(), audience.gross.shown()), (None, None));
}

/// A state as a reader sees it, and what is to be noted of it.
fn state(world: &World, role: Role) -> ((World, Published), ReleaseState) {
    let coverage: Coverage = serde_json::from_value(world.coverage()).unwrap();
    let published = published(world.coverage(), role);
    let release = ReleaseState::of(&coverage, &published);
    ((world.clone(), published), release)
}

/// The states of a growing world that are shown one after another.
fn shown(world: &World, role: Role) -> Vec<(World, Published)> {
    let threshold = Threshold::of(&Reader::of_region(role)).unwrap();
    let mut shown = Vec::new();
    let mut last: Option<ReleaseState> = None;
    for meetings in 1..=world.meetings.len() {
        let (seen, release) = state(&world.until(meetings), role);
        let next = match &last {
            None => Some(release.first()),
            Some(last) => release.after(last, threshold),
        };
        if let Some(next) = next {
            last = Some(next);
            shown.push(seen);
        }
    }
    shown
}

#[test]
fn no_small_count_can_be_worked_out_from_a_sequence_of_states() {
    let mut runner = TestRunner::deterministic();
    let mut pairs = 0;
    for case in 0..cases(200) {
        let world = growing().new_tree(&mut runner).unwrap().current();
        let role = if case % 2 == 0 { Role::Leader } else { Role::Analyst };
        let shown = shown(&world, role);
        // Each state beside the one before it, and the last beside the first.
        let ends = (shown.len() > 2).then(|| (&shown[0], &shown[shown.len() - 1]));
        for (before, after) in shown.windows(2).map(|pair| (&pair[0], &pair[1])).chain(ends) {
            let found = small_counts(&sequence(before, after), after.1.threshold.people());
            assert!(found.is_empty(), "{found:#?} of {:?} after {:?}", after.0, before.0);
            pairs += 1;
        }
    }
    assert!(pairs > 40, "only {pairs} states followed another one");
}

/// A campaign of these units, all of whose people came once: may its figures follow those of another?
fn follows(before: &[u64], after: &[u64]) -> bool {
    let release = |rows: &[u64]| {
        let coverage: Coverage = serde_json::from_value(campaign("units", rows)).unwrap();
        ReleaseState::of(&coverage, &published(campaign("units", rows), Role::Leader))
    };
    let threshold = Threshold::of(&Reader::of_region(Role::Leader)).unwrap();
    release(after).after(&release(before).first(), threshold).is_some()
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
    let release = |people: u64| {
        let mut coverage = campaign("units", &[people, 0, 0]);
        // Nobody counts heads, so the gross attendance is withheld with the people.
        for slice in ["/region/slice/audience", "/units/0/slice/audience"] {
            let audience = coverage.pointer_mut(slice).unwrap();
            (audience["headcount_meetings"], audience["gross"]) = (json!(0), json!(people));
        }
        let kept: Coverage = serde_json::from_value(coverage.clone()).unwrap();
        ReleaseState::of(&kept, &published(coverage, Role::Leader))
    };
    let threshold = Threshold::of(&Reader::of_region(Role::Leader)).unwrap();
    let mut last = release(3).first();
    for people in [4, 9, 12, 25] {
        last = release(people).after(&last, threshold).unwrap_or_else(|| panic!("{people} people"));
    }
    assert!(release(26).after(&last, threshold).is_none(), "from then on, one more person is one person");
}

#[test]
fn what_was_shown_once_is_remembered_while_it_is_withheld() {
    let threshold = Threshold::of(&Reader::of_region(Role::Leader)).unwrap();
    let release = |rows: &[u64]| {
        let coverage: Coverage = serde_json::from_value(campaign("units", rows)).unwrap();
        ReleaseState::of(&coverage, &published(campaign("units", rows), Role::Leader))
    };
    let first = release(&[40, 0, 300]).first();
    // 52 is withheld as the company of a small newcomer, and with many more of both it may be.
    let second = release(&[52, 8, 300]).after(&first, threshold).unwrap();
    // Later the newcomer is large; the company is shown again, 12 more than it was last seen.
    assert!(release(&[52, 40, 300]).after(&second, threshold).is_some());
    assert!(release(&[45, 40, 300]).after(&second, threshold).is_none(), "5 more than what was last seen");
}
