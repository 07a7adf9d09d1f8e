//! No small count of a random campaign can be worked out, from one state or from several, and counts that threaten nobody are shown.

use std::collections::BTreeSet;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use qamtu_analytics::{
    access::{Reader, Role, Scope},
    cell::Threshold,
    published::{Published, ReleaseState},
};

use crate::{
    attack::sequence,
    published, sample, small_counts,
    successive_states::release,
    worked_out,
    world::{World, growing, sparse, worlds},
};

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
            prop_assert!(one.weeks.is_empty() && one.frequencies.is_empty() && one.categories.is_empty());
        }
    }
}

/// The states of a growing world that are shown one after another.
fn shown(world: &World, role: Role) -> Vec<(World, Published)> {
    let threshold = Threshold::of(&Reader::of_region(role)).unwrap();
    let mut shown = Vec::new();
    let mut last: Option<ReleaseState> = None;
    for meetings in 1..=world.meetings.len() {
        let world = world.until(meetings);
        let published = published(world.coverage(), role);
        let release = release(world.coverage(), &published);
        let next = match &last {
            None => Some(release.first()),
            Some(last) => release.after(last, threshold),
        };
        if let Some(next) = next {
            last = Some(next);
            shown.push((world, published));
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
