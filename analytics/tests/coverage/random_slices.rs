//! Random slices of random campaigns, compared with [`naive`].

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::subsequence};
use qamtu_analytics::{
    dimension::Dimension,
    slice::{RowKey, SliceRows, SliceTable, slice},
    slice_query::{Filter, SliceQuery},
};

use crate::{
    naive_slices::{Naive, Side, naive, passes, person_value, sides},
    random_meetings::{everything, meeting, world},
    world::after,
};

/// A filter whose values every campaign has.
fn filter() -> impl Strategy<Value = Filter> {
    let texts = [
        "unit=A",
        "unit=B",
        "unit=A,B",
        "precinct=A-1",
        "precinct=A-1,B-1",
        "coalition=CA",
        "category=YOUTH",
        "category=ELDER,STAFF",
        "format=HALL",
        "language=ru",
        "party=P1",
        "party=P1,P2",
        "member=M1",
        "member=M2,M4",
        "day>=2026-02-20",
        "day<=2026-02-23",
        "day=2026-02-20,2026-02-21",
        "week>=2026-W09",
        "week=2026-W08",
        "evidence=list,headcount+list",
        "evidence=none",
        "residence=A-1",
        "residence=A-2,B-1",
        "residence_unit=A",
        "birth>=1955-1959",
        "birth=1950-1954",
        "sex=f",
        "sex=m,f",
    ];
    prop::sample::select(texts.to_vec()).prop_map(|text| text.parse().expect("a filter"))
}

pub fn query() -> impl Strategy<Value = SliceQuery> {
    let dimensions = subsequence(Dimension::all().collect::<Vec<_>>(), 0..=2).prop_shuffle();
    (proptest::collection::vec(filter(), 0..=3), dimensions, any::<bool>()).prop_map(|(filters, by, with_frequencies)| SliceQuery {
        filters,
        by,
        with_frequencies,
        with_totals: true,
    })
}

/// Compares every row of a slice with the naive count.
pub fn check(table: &SliceTable, sides: &[Side<'_>], query: &SliceQuery) -> Result<(), TestCaseError> {
    let frequencies = |naive: &Naive| query.with_frequencies.then_some(naive.frequencies);
    let mut keys = BTreeSet::new();
    match &table.rows {
        SliceRows::Meetings(rows) => {
            for row in rows {
                let expected = naive(sides, query, &row.keys);
                let (plan, audience, people) = (&row.figures.figures.fulfilment, &row.figures.figures.audience, row.figures.people);
                prop_assert_eq!(
                    (plan.planned, plan.held, audience.gross, audience.weak),
                    (expected.planned, expected.held, expected.gross, expected.weak),
                    "{:?}",
                    row.keys
                );
                prop_assert_eq!(
                    (people.reached, people.contacts, people.first_reached),
                    (expected.reached, expected.contacts, expected.first_reached),
                    "{:?}",
                    row.keys
                );
                prop_assert_eq!(
                    (audience.unidentified, audience.reach.reached, audience.reach.upper),
                    (expected.unidentified, expected.reached, expected.upper())
                );
                prop_assert_eq!(people.frequencies, frequencies(&expected), "{:?}", row.keys);
                prop_assert!(keys.insert(row.keys.clone()), "{:?} twice", row.keys);
            }
        }
        SliceRows::People(rows) => {
            for row in rows {
                let expected = naive(sides, query, &row.keys);
                let people = row.figures.people;
                prop_assert_eq!(
                    (people.reached, people.contacts, people.first_reached),
                    (expected.reached, expected.contacts, expected.first_reached),
                    "{:?}",
                    row.keys
                );
                prop_assert_eq!(people.frequencies, frequencies(&expected), "{:?}", row.keys);
                prop_assert!(keys.insert(row.keys.clone()), "{:?} twice", row.keys);
            }
        }
    }
    // Whoever was counted anywhere is in a row without a total.
    for side in sides {
        let values = |dimension: Dimension, person: u64| match dimension {
            Dimension::Meeting(dimension) => side.values[dimension.name()].clone(),
            Dimension::Person(dimension) => Vec::from_iter(person_value(person, dimension)),
        };
        for person in &side.people {
            let passed = query.filters.iter().all(|filter| passes(filter, &values(filter.dimension, *person)));
            let mut rows: Vec<Vec<RowKey>> = vec![Vec::new()];
            for by in &query.by {
                let mut own: Vec<RowKey> = values(*by, *person).into_iter().map(RowKey::Value).collect();
                if own.is_empty() {
                    own.push(RowKey::Without);
                }
                rows = rows.iter().flat_map(|row| own.iter().map(|key| row.iter().cloned().chain([key.clone()]).collect())).collect();
            }
            prop_assert!(!passed || rows.iter().all(|row| keys.contains(row)), "{:?} of person {}", rows, person);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn every_row_of_a_slice_equals_a_naive_count(meetings in proptest::collection::vec(meeting(), 0..10), queries in proptest::collection::vec(query(), 4)) {
        let mut known = meetings.clone();
        // Filters name values that the campaign must have.
        known.push(everything());
        let world = world(&known);
        let store = world.store(after(), usize::MAX);
        let sides = sides(&known);
        for query in &queries {
            check(&slice(&store, query).expect("a slice"), &sides, query)?;
        }
    }

    #[test]
    fn the_order_of_attendances_changes_no_slice(meetings in proptest::collection::vec(meeting(), 1..8), query in query(), turn in any::<prop::sample::Index>()) {
        let mut known = meetings.clone();
        known.push(everything());
        let one = world(&known);
        let mut other = one.clone();
        let turned = turn.index(other.attendances.len());
        other.attendances.rotate_left(turned);
        prop_assert_eq!(
            slice(&one.store(after(), usize::MAX), &query).expect("a slice"),
            slice(&other.store(after(), 3), &query).expect("a slice")
        );
    }
}
