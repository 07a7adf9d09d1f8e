//! What readers see of slices: each row beside the exact one, and all tables together attacked with linear programs.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome};
use proptest::{prelude::*, sample::subsequence};
use qamtu_analytics::{
    Coverage, Snapshot, SnapshotId,
    access::{Reader, Role},
    csv::field::Field,
    dimension::Dimension,
    facts_store::FactsStore,
    published::Published,
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

/// A query that readers may ask, with at most three dimensions.
fn query() -> impl Strategy<Value = SliceQuery> {
    let filters = ["unit=A", "category=YOUTH", "format=HALL", "week=2026-W09", "residence_unit=A", "sex=f"];
    let filters = subsequence(filters.to_vec(), 0..=2)
        .prop_map(|filters| filters.into_iter().map(|text| text.parse().expect("a filter")).collect::<Vec<Filter>>());
    let by = subsequence(Dimension::all().filter(|dimension| dimension.is_for_readers()).collect::<Vec<_>>(), 0..=2);
    (filters, by).prop_map(|(filters, by)| SliceQuery { filters, by, with_frequencies: false, with_totals: true }).prop_filter(
        "three dimensions",
        |query| {
            let mut all: Vec<Dimension> = query.by.iter().copied().chain(query.filters.iter().map(|filter| filter.dimension)).collect();
            all.sort_unstable();
            all.dedup();
            all.len() <= 3
        },
    )
}

fn reader_measures(query: &SliceQuery) -> Vec<Measure> {
    let fits = |measure: &Measure| query.person_dimension().is_none() || measure.is_of_people();
    Measure::all().filter(|measure| measure.is_for_readers() && fits(measure)).collect()
}

fn shown(store: &FactsStore, query: &SliceQuery, measures: &[Measure], role: Role) -> BTreeMap<Vec<RowKey>, Vec<Field>> {
    let request = SliceRequest { query: query.clone(), measures: measures.to_vec() };
    let lines = published_lines(store, &request, &Reader::of_region(role), true).expect("a slice").expect("a role with figures");
    let number = lines.len();
    let rows: BTreeMap<Vec<RowKey>, Vec<Field>> = lines.into_iter().map(|line| (line.keys, line.values)).collect();
    assert_eq!(rows.len(), number, "no row is there twice");
    rows
}

/// The largest count that is shown as this one: counts are rounded down to a multiple of twice the threshold.
fn last_of(shown: u64, k: u64) -> u64 {
    if shown == 0 { 0 } else { shown + 2 * k - 1 }
}

/// Whether a row is of another value than that of a filter on the same dimension: of meetings that have several values.
fn is_of_another_value(query: &SliceQuery, keys: &[RowKey]) -> bool {
    query.by.iter().zip(keys).any(|(by, key)| match key {
        RowKey::Value(value) => query.filters.iter().any(|filter| filter.dimension == *by && !filter.values.contains(value)),
        _ => false,
    })
}

/// Checks a value beside the exact one.
fn check(measure: Measure, shown: &Field, exact: MeasureValue, k: u64) -> Result<(), TestCaseError> {
    let name = measure.name();
    match (measure.counted(), exact, shown) {
        (Counted::Public, MeasureValue::Count(exact), shown) => prop_assert_eq!(shown, &Field::Count(exact), "{}", name),
        (Counted::People, MeasureValue::Count(exact), Field::Count(shown)) => {
            prop_assert!((exact == 0 || exact >= 2 * k) && *shown <= exact && exact <= last_of(*shown, k), "{} {}", name, exact);
        }
        (Counted::People | Counted::Share { .. }, _, Field::Withheld) => {}
        (Counted::Share { .. }, MeasureValue::Share(..), Field::Percent(_)) => {}
        (_, MeasureValue::Unknown, shown) => prop_assert_eq!(shown, &Field::Unknown, "{}", name),
        (_, MeasureValue::NotApplicable, shown) => prop_assert_eq!(shown, &Field::Empty, "{}", name),
        (_, exact, shown) => prop_assert!(false, "{} is {:?}, shown as {:?}", name, exact, shown),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_shown_row_is_the_exact_one_rounded_down(meetings in crowded(), query in query()) {
        let store = crowded_world(&meetings).store(after(), usize::MAX);
        let measures = reader_measures(&query);
        let exact = slice(&store, &query).expect("a slice");
        let contacts = measures.iter().position(|measure| *measure == Measure::CONTACTS).expect("a measure of readers");
        let mut by_role = Vec::new();
        for (role, k) in ROLES {
            let rows = shown(&store, &query, &measures, role);
            let mut missing = 0;
            for row in exact.values(&measures) {
                let Some(shown) = rows.get(row.keys) else {
                    missing += 1;
                    prop_assert!(query.person_dimension().is_some() || is_of_another_value(&query, row.keys), "{:?} is missing", row.keys);
                    continue;
                };
                for ((measure, shown), exact) in measures.iter().zip(shown).zip(row.values) {
                    check(*measure, shown, exact, k).map_err(|error| TestCaseError::fail(format!("{:?}: {error}", row.keys)))?;
                }
                // Of people, a row that is shown is one of many.
                let is_many = matches!(shown[contacts], Field::Count(count) if count >= k);
                prop_assert!(query.person_dimension().is_none() || is_many, "{:?}: {:?}", row.keys, shown);
            }
            prop_assert_eq!(rows.len() + missing, exact.len());
            by_role.push(rows);
        }
        // What a leader sees follows from what an analyst sees.
        for (keys, of_leader) in &by_role[1] {
            for ((measure, of_leader), of_analyst) in measures.iter().zip(of_leader).zip(&by_role[0][keys]) {
                if let (Counted::People, Field::Count(count)) = (measure.counted(), of_leader) {
                    prop_assert!(matches!(of_analyst, Field::Count(finer) if count <= finer && *finer <= last_of(*count, 10)), "{keys:?}: {of_leader:?} {of_analyst:?}");
                }
            }
        }
    }
}

/// Dimensions of which each attendance has exactly one value.
const DIMENSIONS: [&str; 4] = ["unit", "week", "residence_unit", "sex"];

/// Attendances by the dimensions above; an empty value is none.
type Atoms = BTreeMap<[String; 4], u64>;

/// Meetings of 200 voters: unit, day, first person, people and the step between them.
type Gathering = (usize, usize, u64, u64, u64);

fn gatherings() -> impl Strategy<Value = Vec<Gathering>> {
    proptest::collection::vec((0..2_usize, 0..3_usize, 1..=200_u64, 5..=45_u64, 1..=7_u64), 5..=14)
}

fn gathered(gatherings: &[Gathering]) -> World {
    let mut world = World::new();
    let home = |person| match person {
        1..=70 => "A-1",
        71..=120 => "A-2",
        _ => "B-1",
    };
    world.roll = (1..=200).map(|person| (person, home(person))).collect();
    for (number, (unit, day, first, people, step)) in gatherings.iter().enumerate() {
        let id = format!("m{number:02}");
        let starts = ["2026-02-16T07:00:00Z", "2026-02-23T07:00:00Z", "2026-03-02T07:00:00Z"][*day];
        let place = World::place_of(["A", "B"][*unit], "R", &["YOUTH"], starts);
        world.held(&id, place);
        world.strong(&id, (0..*people).map(|at| (first + at * step - 1) % 200 + 1).collect::<std::collections::BTreeSet<u64>>());
    }
    world
}

fn dimension(name: &str) -> Dimension {
    Dimension::named(name).expect("a dimension")
}

fn key_text(key: &RowKey) -> String {
    if let RowKey::Value(value) = key { value.clone() } else { String::new() }
}

/// The number of attendances by all of the dimensions, zeros included: that nobody of a sex came is not known.
fn atoms(store: &FactsStore) -> Atoms {
    let mut atoms = Atoms::new();
    let weeks = ["2026-W08", "2026-W09", "2026-W10"];
    for (unit, week) in ["A", "B"].into_iter().flat_map(|unit| weeks.map(|week| (unit, week))) {
        for (residence, sex) in ["A", "B"].into_iter().flat_map(|residence| ["f", "m", ""].map(|sex| (residence, sex))) {
            atoms.insert([unit, week, residence, sex].map(str::to_owned), 0);
        }
    }
    let query = SliceQuery { with_totals: false, ..SliceQuery::by(DIMENSIONS.map(dimension)) };
    let table = slice(store, &query).expect("a slice");
    for row in table.values(&[Measure::CONTACTS]) {
        let MeasureValue::Count(contacts) = row.values[0] else { continue };
        let keys: Vec<String> = row.keys.iter().map(key_text).collect();
        atoms.insert(keys.try_into().expect("four keys"), contacts);
    }
    atoms
}

/// What the page shows.
fn published(store: &FactsStore, role: Role) -> Published {
    let coverage = Coverage::of(store).expect("a coverage");
    let snapshot = Snapshot { id: SnapshotId::of(&coverage.identity), coverage };
    Published::new(&snapshot, &Reader::of_region(role)).expect("a role with figures")
}

/// A small count, of those that are constrained most, that has fewer possible values than the threshold.
fn disclosed(store: &FactsStore, published: &Published, role: Role, k: u64, tried: usize) -> Option<String> {
    let mut attacker = Attacker::of(store, published, role, k);
    // Sums of the fewest conditions are the most constrained ones.
    attacker.small.sort_by_key(|(atoms, _)| std::cmp::Reverse(atoms.len()));
    attacker.small.iter().take(tried).find_map(|(atoms, sum)| {
        let (least, most) = attacker.interval(atoms);
        (most - least < k as f64 - 1.5).then(|| format!("{sum} lies between {least} and {most}: {atoms:?}"))
    })
}

#[test]
fn one_hidden_row_in_a_line_discloses_no_small_count() {
    // Of unit B two live in A and eleven in B. If these eleven alone were hidden for the two, they would follow from those of unit A in B.
    let gatherings = [(0, 0, 47, 9, 7), (0, 1, 134, 10, 7), (1, 2, 127, 13, 7), (0, 2, 120, 33, 7), (0, 0, 178, 20, 7)];
    let store = gathered(&gatherings).store(after(), usize::MAX);
    let published = published(&store, Role::Analyst);
    assert!(published.is_complete());
    assert_eq!(disclosed(&store, &published, Role::Analyst, 5, 30), None);
}

/// What an attacker knows: that sums of some attendances lie between two numbers.
struct Attacker {
    atoms: Atoms,
    known: BTreeMap<Vec<usize>, (u64, u64)>,
    /// Sums below the threshold that are withheld or left out, those of most attendances first.
    small: Vec<(Vec<usize>, u64)>,
}

impl Attacker {
    /// Asks for every table of three dimensions, and reads the exact totals of region and units from the page.
    fn of(store: &FactsStore, published: &Published, role: Role, k: u64) -> Self {
        let mut attacker = Self { atoms: atoms(store), known: BTreeMap::new(), small: Vec::new() };
        for chosen in 0..1_usize << DIMENSIONS.len() {
            let places: Vec<usize> = (0..DIMENSIONS.len()).filter(|at| chosen >> at & 1 == 1).collect();
            if places.len() == 3 {
                attacker.ask(store, role, k, &places);
            }
        }
        // Everybody on the lists is a voter, so gross attendance is the number of contacts.
        for week in published.weeks.iter().filter(|week| week.gross.shown().is_some()) {
            let atoms = attacker.matching(&[1], &[Some(week.week.clone())]);
            let sum = attacker.sum(&atoms);
            attacker.know(atoms, sum, sum);
        }
        for unit in [None, Some("A"), Some("B")] {
            let atoms = attacker.matching(&[0], &[unit.map(str::to_owned)]);
            let sum = attacker.sum(&atoms);
            attacker.know(atoms, sum, sum);
        }
        attacker
    }

    /// One query groups by two of the dimensions, for each value of the third one.
    fn ask(&mut self, store: &FactsStore, role: Role, k: u64, places: &[usize]) {
        let by: Vec<Dimension> = places[1..].iter().map(|at| dimension(DIMENSIONS[*at])).collect();
        let mut values: Vec<Option<String>> =
            self.atoms.keys().map(|keys| keys[places[0]].clone()).filter(|value| !value.is_empty()).map(Some).collect();
        values.sort();
        values.dedup();
        values.push(None);
        for value in values {
            let filter = value.iter().map(|value| format!("{}={value}", DIMENSIONS[places[0]]).parse().expect("a filter"));
            let query = SliceQuery { filters: filter.collect(), by: by.clone(), with_frequencies: false, with_totals: true };
            let of_people = query.person_dimension().is_some();
            let rows = shown(store, &query, &[Measure::CONTACTS], role);
            let exact = slice(store, &query).expect("a slice");
            for row in exact.values(&[Measure::CONTACTS]) {
                let keys = row.keys.iter().map(|key| (*key != RowKey::Total).then(|| key_text(key)));
                let atoms = self.matching(places, &std::iter::once(value.clone()).chain(keys).collect::<Vec<_>>());
                let sum = self.sum(&atoms);
                assert_eq!(row.values[0], MeasureValue::Count(sum));
                match rows.get(row.keys).map(|values| &values[0]) {
                    Some(Field::Count(0)) => self.know(atoms, 0, 0),
                    Some(Field::Count(count)) => self.know(atoms, *count, last_of(*count, k)),
                    Some(Field::Withheld) => self.small(atoms, sum, k),
                    None if of_people => self.small(atoms, sum, k),
                    other => panic!("{:?} is {other:?}", row.keys),
                }
            }
        }
    }

    fn know(&mut self, atoms: Vec<usize>, least: u64, most: u64) {
        let known = self.known.entry(atoms).or_insert((least, most));
        *known = (known.0.max(least), known.1.min(most));
    }

    fn small(&mut self, atoms: Vec<usize>, sum: u64, k: u64) {
        if (1..k).contains(&sum) && !self.small.iter().any(|(known, _)| *known == atoms) {
            self.small.push((atoms, sum));
        }
    }

    /// Numbers of the atoms with these values; none is any value.
    fn matching(&self, places: &[usize], values: &[Option<String>]) -> Vec<usize> {
        let matches =
            |keys: &[String; 4]| places.iter().zip(values).all(|(at, value)| value.as_ref().is_none_or(|value| keys[*at] == *value));
        self.atoms.keys().enumerate().filter(|(_, keys)| matches(keys)).map(|(number, _)| number).collect()
    }

    fn sum(&self, atoms: &[usize]) -> u64 {
        let counts: Vec<u64> = self.atoms.values().copied().collect();
        atoms.iter().map(|atom| counts[*atom]).sum()
    }

    /// Least and most that a sum may be.
    fn interval(&self, wanted: &[usize]) -> (f64, f64) {
        let solve = |direction| {
            let mut problem = Problem::new(direction);
            let weight = |atom: usize| if wanted.contains(&atom) { 1.0 } else { 0.0 };
            let variables: Vec<_> = (0..self.atoms.len()).map(|atom| problem.add_var(weight(atom), (0.0, 5_000.0))).collect();
            for (atoms, (least, most)) in &self.known {
                let terms: Vec<_> = atoms.iter().map(|atom| (variables[*atom], 1.0)).collect();
                problem.add_constraint(&terms, ComparisonOp::Ge, *least as f64);
                problem.add_constraint(&terms, ComparisonOp::Le, *most as f64);
            }
            match problem.solve().expect("the truth solves it") {
                SolveOutcome::Solution(solution) => solution.objective(),
                SolveOutcome::Interrupted(_) => panic!("no limit was set"),
            }
        };
        (solve(OptimizationDirection::Minimize), solve(OptimizationDirection::Maximize))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn all_tables_together_disclose_no_small_count(gatherings in gatherings()) {
        let store = gathered(&gatherings).store(after(), usize::MAX);
        for (role, k) in ROLES {
            // Otherwise there are no figures of people.
            let published = published(&store, role);
            prop_assume!(published.is_complete());
            let disclosed = disclosed(&store, &published, role, k, 6);
            prop_assert!(disclosed.is_none(), "{disclosed:?}");
        }
    }
}
