//! What readers see of slices: random slices attacked with their neighbours, other snapshots and other roles.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::subsequence};
use qamtu_analytics::{
    access::{Reader, Role},
    csv::field::Field,
    dimension::Dimension,
    facts_store::FactsStore,
    slice::{Counted, Measure, MeasureValue, RowKey, slice},
    slice_disclosure::published_lines,
    slice_query::{Filter, SliceQuery},
    slice_request::SliceRequest,
};

use crate::{
    random_meetings::{Meeting, everything, meeting, world},
    world::{World, after},
};

const ROLES: [(Role, u64); 2] = [(Role::Analyst, 5), (Role::Leader, 10)];

/// Meetings of up to sixty people on the roll, so that some groups are small and some are not.
fn crowded() -> impl Strategy<Value = Vec<Meeting>> {
    let crowd = (any::<bool>(), subsequence((11..=60_u64).collect::<Vec<_>>(), 0..=50));
    let meeting = (meeting(), crowd).prop_map(|(mut meeting, (is_crowded, people))| {
        if is_crowded {
            meeting.people.extend(people.into_iter().map(|person| (person, true)));
        }
        meeting
    });
    proptest::collection::vec(meeting, 1..7)
}

fn crowded_world(meetings: &[Meeting]) -> World {
    let mut known = meetings.to_vec();
    known.push(everything());
    let mut world = world(&known);
    let home = |person| match person {
        1..=5 | 11..=40 => "A-1",
        6 | 7 | 41..=45 => "A-2",
        _ => "B-1",
    };
    world.roll = (1..=60).map(|person| (person, home(person))).collect();
    world
}

fn filters() -> impl Strategy<Value = Vec<Filter>> {
    let texts = ["unit=A", "unit=A,B", "category=YOUTH", "format=HALL", "member=M1,M2", "day<=2026-02-23", "residence=A-1", "sex=f"];
    subsequence(texts.to_vec(), 0..=2)
        .prop_map(|filters| filters.into_iter().map(|text| text.parse().expect("a filter")).collect::<Vec<Filter>>())
}

fn query() -> impl Strategy<Value = SliceQuery> {
    let by = subsequence(Dimension::all().collect::<Vec<_>>(), 0..=2);
    (filters(), by).prop_map(|(filters, by)| SliceQuery { filters, by, with_frequencies: true, with_totals: true })
}

fn all_measures(query: &SliceQuery) -> Vec<Measure> {
    Measure::all().filter(|measure| query.person_dimension().is_none() || measure.is_of_people()).collect()
}

/// Shown and exact values of every row and measure.
type Values = BTreeMap<(Vec<RowKey>, &'static str), (Field, MeasureValue)>;

fn values(store: &FactsStore, query: &SliceQuery, role: Role) -> Values {
    let measures = all_measures(query);
    let exact = slice(store, query).expect("a slice");
    let request = SliceRequest { query: query.clone(), measures: measures.clone() };
    let shown = published_lines(store, &request, &Reader::of_region(role), true).expect("a slice").expect("a role with figures");
    let mut values = Values::new();
    for (line, row) in shown.iter().zip(exact.values(&measures)) {
        assert_eq!(line.keys, row.keys);
        for ((measure, field), value) in measures.iter().zip(&line.values).zip(row.values) {
            values.insert((line.keys.clone(), measure.name()), (field.clone(), value));
        }
    }
    values
}

fn measure(name: &str) -> Measure {
    Measure::all().find(|measure| measure.name() == name).expect("a measure")
}

/// The values that a count may have, given what is shown of it.
fn possible(shown: &Field, k: u64) -> Option<(u64, u64)> {
    match shown {
        Field::Count(0) => Some((0, 0)),
        Field::Count(shown) => Some((*shown, shown + k - 1)),
        Field::Withheld => Some((1, u64::MAX)),
        _ => None,
    }
}

/// Checks one value by its own. A row whose attendances are withheld shows no count of people, not even zero.
fn check(name: &str, shown: &Field, exact: MeasureValue, is_hidden: bool, k: u64) -> Result<(), TestCaseError> {
    match (measure(name).counted(), exact, shown) {
        (Counted::Public, MeasureValue::Count(exact), shown) => prop_assert_eq!(shown, &Field::Count(exact), "{}", name),
        (Counted::AtMostPeople, MeasureValue::Count(exact), Field::Count(shown)) => {
            prop_assert!(*shown % k == 0 && (exact == 0) == (*shown == 0) && exact <= *shown && *shown <= exact + k, "{} {}", name, exact)
        }
        (Counted::People | Counted::AtLeastPeople, MeasureValue::Count(exact), Field::Count(shown)) => {
            prop_assert!(*shown == exact - exact % k && (exact == 0 || exact >= k), "{} {}", name, exact);
        }
        (Counted::Share { .. }, MeasureValue::Share(part, whole), shown) => prop_assert!(
            *shown == Field::Withheld || part == 0 || part >= k || whole == 0 || is_share_of_meetings(name),
            "{} {} {}: {:?}",
            name,
            part,
            whole,
            shown
        ),
        (_, MeasureValue::Count(exact), Field::Withheld) => prop_assert!(exact > 0 || is_hidden, "{} is zero", name),
        (_, MeasureValue::Unknown, shown) => prop_assert_eq!(shown, &Field::Unknown, "{}", name),
        (_, MeasureValue::NotApplicable, shown) => prop_assert_eq!(shown, &Field::Empty, "{}", name),
        (_, exact, shown) => prop_assert!(false, "{} is {:?}, shown as {:?}", name, exact, shown),
    }
    Ok(())
}

/// Whether it is a share of two numbers of meetings, which are public.
fn is_share_of_meetings(name: &str) -> bool {
    matches!(measure(name).counted(), Counted::Share { part, whole } if [part, whole].iter().all(|one| one.counted() == Counted::Public))
}

/// A row that leaves few people of the same row with fewer conditions must be withheld.
fn check_remainders(rows: &Values, wider: &Values, k: u64) -> Result<(), TestCaseError> {
    for (key, (shown, exact)) in rows {
        let (Some((_, wider)), true) = (wider.get(key), measure(key.1).counted() == Counted::People) else { continue };
        if let (MeasureValue::Count(exact), MeasureValue::Count(wider)) = (*exact, *wider)
            && (1..k).contains(&wider.saturating_sub(exact))
        {
            prop_assert!(exact == 0 || *shown == Field::Withheld, "{:?}: {} of {} is shown", key, exact, wider);
        }
    }
    Ok(())
}

/// An attacker subtracts every count of one set of rows from the same of another. A difference of a few people must have as many possible
/// values as the threshold.
fn attack(one: &Values, other: &Values, k: u64) -> Result<(), TestCaseError> {
    for (key, (shown, exact)) in one {
        let (Some((other_shown, other_exact)), true) = (other.get(key), measure(key.1).counted() == Counted::People) else { continue };
        let (MeasureValue::Count(exact), MeasureValue::Count(other_exact)) = (*exact, *other_exact) else { continue };
        let difference = exact.abs_diff(other_exact);
        let both = possible(shown, k).zip(possible(other_shown, k));
        let (true, Some(((least, most), (other_least, other_most)))) = ((1..k).contains(&difference), both) else { continue };
        // The larger one is known to be larger, since its filters are fewer or its snapshot is newer.
        let (low, high) = match exact > other_exact {
            true => (least.saturating_sub(other_most), most.saturating_sub(other_least)),
            false => (other_least.saturating_sub(most), other_most.saturating_sub(least)),
        };
        prop_assert!(high - low + 1 >= k, "{:?}: {:?} and {:?} leave {} to {}", key, shown, other_shown, low, high);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_two_shown_counts_of_slices_disclose_a_small_one(meetings in crowded(), query in query(), more in filters()) {
        let store = crowded_world(&meetings).store(after(), usize::MAX);
        let earlier = crowded_world(&meetings[1..]).store(after(), usize::MAX);
        let mut by_role = Vec::new();
        for (role, k) in ROLES {
            let all = values(&store, &query, role);
            for ((keys, name), (shown, exact)) in &all {
                let is_hidden = all[&(keys.clone(), "contacts")].0 == Field::Withheld;
                check(name, shown, *exact, is_hidden, k).map_err(|error| TestCaseError::fail(format!("{keys:?}: {error}")))?;
            }
            attack(&all, &values(&earlier, &query, role), k)?;
            for filter in &more {
                let narrower = SliceQuery { filters: query.filters.iter().chain([filter]).cloned().collect(), ..query.clone() };
                if narrower.person_dimension() == query.person_dimension() {
                    let narrower = values(&store, &narrower, role);
                    attack(&all, &narrower, k)?;
                    check_remainders(&narrower, &all, k)?;
                }
            }
            // A row and the same row without a key.
            let parents: Values = all.iter().filter_map(|((keys, name), value)| {
                let (last, before) = keys.split_last()?;
                (*last == RowKey::Total).then(|| ((before.to_vec(), *name), value.clone()))
            }).collect();
            for last in all.keys().filter_map(|(keys, _)| keys.last()).collect::<std::collections::BTreeSet<_>>() {
                let rows = all.iter().filter(|((keys, _), _)| keys.last() == Some(last));
                let rows: Values = rows.map(|((keys, name), value)| ((keys[..keys.len() - 1].to_vec(), *name), value.clone())).collect();
                attack(&rows, &parents, k)?;
                check_remainders(&rows, &parents, k)?;
            }
            by_role.push(all);
        }
        // What a leader sees follows from what an analyst sees.
        for (key, (of_leader, _)) in &by_role[1] {
            let (of_analyst, _) = &by_role[0][key];
            match (measure(key.1).counted(), of_leader) {
                (Counted::People, Field::Count(count)) => {
                    prop_assert!(matches!(of_analyst, Field::Count(finer) if finer - finer % 10 == *count), "{:?}: {:?} {:?}", key, of_leader, of_analyst);
                }
                (Counted::Public, shown) => prop_assert_eq!(shown, of_analyst),
                _ => {}
            }
        }
    }
}
