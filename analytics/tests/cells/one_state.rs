//! One state of a campaign: a withheld count is not what the shown ones leave.

use std::collections::BTreeSet;

use qamtu_analytics::access::Role;
use serde_json::{Value, json};

use crate::{
    campaign, published, sample, worked_out,
    world::{Meeting, World},
};

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
        let few =
            sample::Figures { planned: 1, held: 1, gross: 3 + heads, identified: 3, contacts: 3, reached: 3, weak: 0, unidentified: heads };
        coverage["units"][0]["figures"] = few.meeting_figures(45_941);
        coverage["units"][0]["figures"]["audience"]["headcount_meetings"] = json!(1);
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
    let region = coverage["region"]["figures"].clone();
    coverage["region"]["figures"]["fulfilment"]["held"] = json!(18);
    coverage["coalitions"] = json!([{"coalition": "regional", "names": null, "unit": null, "figures": coverage["region"]["figures"]}]);
    let shown = published(coverage.clone(), Role::Leader);
    assert_eq!(shown.units[0].audience.reached.shown(), None);
    assert_eq!(shown.total.audience.reached.shown(), Some(43));
    assert_eq!(shown.coalitions[0].audience, shown.total.audience);
    // Beside a second one that held meetings, it is one of two.
    coverage["coalitions"][0]["figures"] = region.clone();
    coverage["coalitions"].as_array_mut().unwrap().push(json!({"coalition": "other", "names": null, "unit": null, "figures": region}));
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
        for (pointer, headcounts, gross) in [("/region/figures", 1, 3 + heads), ("/units/0/figures", 0, 3), ("/units/1/figures", 1, heads)]
        {
            let audience = coverage.pointer_mut(pointer).unwrap()["audience"].as_object_mut().unwrap();
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
    let figures = sample::Figures { planned: 1, held: 1, gross: 53, identified: 50, contacts: 50, reached: 50, weak: 3, unidentified: 3 };
    coverage["region"]["figures"] = figures.meeting_figures(5_000);
    let audience = published(coverage, Role::Leader).total.audience;
    assert_eq!((audience.identified.shown(), audience.weak.shown()), (Some(50), None));
    assert_eq!((audience.upper.shown(), audience.gross.shown()), (None, None));
}
