//! Withheld counts stay withheld: an attacker who knows every shown figure, and every sum that holds between them, is left with at least
//! as many possible values for a small count as the rule itself admits.
//!
//! Little worlds of people are counted by brute force, published, and attacked by linear programming over all the equations at once:
//! other code than the rules, which look at one table at a time.

#[path = "sample/sample.rs"]
mod sample;

use std::collections::{BTreeMap, BTreeSet};

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOutcome, Variable};
use proptest::prelude::*;
use qamtu_analytics::{
    access::{Reader, Role, Scope},
    cell::Cell,
    published::Published,
};
use serde_json::{Value, json};

/// A person: residence, and the meetings they came to.
type Person = (usize, BTreeSet<usize>);

/// A little world: units of meetings, weeks of meetings, residents, and how many of each meeting came from outside.
#[derive(Debug, Clone)]
struct World {
    units: usize,
    /// Unit and week of each meeting.
    meetings: Vec<(usize, usize)>,
    people: Vec<Person>,
    /// People from outside at each meeting.
    outside: Vec<u64>,
}

const WEEKS: usize = 3;

fn worlds() -> impl Strategy<Value = World> {
    (2..5usize, 2..7usize).prop_flat_map(|(units, meetings)| {
        let person = (0..units, prop::collection::btree_set(0..meetings, 1..3));
        (
            prop::collection::vec((0..units, 0..WEEKS), meetings),
            prop::collection::vec(person, 0..90),
            prop::collection::vec(0..14u64, meetings),
        )
            .prop_map(move |(meetings, people, outside)| World { units, meetings, people, outside })
    })
}

impl World {
    fn at(&self, wanted: impl Fn(usize) -> bool) -> (u64, u64, u64) {
        let visits = |person: &Person| person.1.iter().filter(|meeting| wanted(**meeting)).count() as u64;
        let contacts = self.people.iter().map(visits).sum();
        let reached = self.people.iter().filter(|person| visits(person) > 0).count() as u64;
        let outside = self.outside.iter().enumerate().filter(|(meeting, _)| wanted(*meeting)).map(|(_, people)| people).sum();
        (contacts, reached, outside)
    }

    fn first_week(&self, person: &Person) -> usize {
        person.1.iter().map(|meeting| self.meetings[*meeting].1).min().unwrap_or(0)
    }

    fn slice(&self, held: u64, wanted: impl Fn(usize) -> bool) -> Value {
        let (contacts, reached, outside) = self.at(wanted);
        let identified = contacts + outside;
        // Twenty people in each room were only counted.
        sample::Figures { planned: held, held, gross: identified + 20 * held, identified, contacts, reached, weak: 0, rest: 20 * held }
            .slice(5_000)
    }

    fn coverage(&self) -> Value {
        let held = |wanted: &dyn Fn(&(usize, usize)) -> bool| self.meetings.iter().filter(|meeting| wanted(meeting)).count() as u64;
        let mut coverage = sample::coverage();
        let mut exposure = [0u64; 5];
        self.people.iter().for_each(|person| exposure[person.1.len().min(5) - 1] += 1);
        coverage["region"] = json!({
            "slice": self.slice(self.meetings.len() as u64, |_| true), "exposure": exposure, "pending_attendance": 0, "ceiling": 5_000,
        });
        let names = coverage["units"][0]["names"].clone();
        coverage["units"] = (0..self.units)
            .map(|unit| {
                let residents: Vec<&Person> = self.people.iter().filter(|person| person.0 == unit).collect();
                let contacts: usize = residents.iter().map(|person| person.1.len()).sum();
                let reached = residents.len() as u64;
                json!({
                    "unit": format!("U{unit}"), "names": names, "kind": "city", "tile": {"row": 0, "column": unit},
                    "slice": self.slice(held(&|meeting| meeting.0 == unit), |meeting| self.meetings[meeting].0 == unit),
                    "residents": {"contacts": contacts, "reach": sample::reach(reached, reached + 20, 5_000)},
                })
            })
            .collect();
        let mut to_date = 0;
        coverage["weeks"] = (0..WEEKS)
            .map(|week| {
                let first = self.people.iter().filter(|person| self.first_week(person) == week).count() as u64;
                to_date += first;
                json!({
                    "week": format!("2026-W{:02}", week + 7), "monday": "2026-02-09", "first_reached": first, "reached_to_date": to_date,
                    "slice": self.slice(held(&|meeting| meeting.1 == week), |meeting| self.meetings[meeting].1 == week),
                })
            })
            .collect();
        coverage["coalitions"] = json!([]);
        coverage["categories"] = json!([]);
        coverage
    }
}

/// What an attacker reckons with: unknown counts of people, some of them shown, and sums.
#[derive(Default)]
struct Attack {
    truth: BTreeMap<String, u64>,
    shown: BTreeMap<String, u64>,
    /// Whole, and its parts with their weights.
    sums: Vec<(String, Vec<(u64, String)>)>,
}

impl Attack {
    fn count(&mut self, name: &str, truth: u64) {
        self.truth.insert(name.to_owned(), truth);
    }

    fn cell(&mut self, name: &str, cell: Cell, truth: u64) {
        self.count(name, truth);
        if let Some(count) = cell.shown() {
            assert_eq!(count, truth, "{name}");
            self.shown.insert(name.to_owned(), count);
        }
    }

    fn sum(&mut self, whole: &str, parts: &[(u64, String)]) {
        let total: u64 = parts.iter().map(|(weight, part)| weight * self.truth[part]).sum();
        assert_eq!(self.truth[whole], total, "{whole} is no sum of {parts:?}");
        self.sums.push((whole.to_owned(), parts.to_vec()));
    }

    /// Least and most that a count may be.
    fn interval(&self, wanted: &str) -> (f64, f64) {
        let solve = |direction| {
            let mut problem = Problem::new(direction);
            let variables: BTreeMap<&String, Variable> = self
                .truth
                .keys()
                .map(|name| {
                    let bounds = self.shown.get(name).map_or((0.0, 5_000.0), |count| (*count as f64, *count as f64));
                    (name, problem.add_var(if name == wanted { 1.0 } else { 0.0 }, bounds))
                })
                .collect();
            for (whole, parts) in &self.sums {
                let mut terms: Vec<(Variable, f64)> = parts.iter().map(|(weight, part)| (variables[part], *weight as f64)).collect();
                terms.push((variables[whole], -1.0));
                problem.add_constraint(&terms, ComparisonOp::Eq, 0.0);
            }
            match problem.solve().expect("the truth solves it") {
                SolveOutcome::Solution(solution) => solution.objective(),
                SolveOutcome::Interrupted(_) => panic!("no limit was set"),
            }
        };
        (solve(OptimizationDirection::Minimize), solve(OptimizationDirection::Maximize))
    }
}

fn attack(world: &World, published: &Published) -> Attack {
    let mut attack = Attack::default();
    let one = |name: String| (1, name);
    let audience = |attack: &mut Attack, of: &str, cells: &qamtu_analytics::published::Audience, truth: (u64, u64, u64)| {
        let (contacts, reached, outside) = truth;
        attack.cell(&format!("{of} contacts"), cells.contacts, contacts);
        attack.cell(&format!("{of} reached"), cells.reached, reached);
        attack.cell(&format!("{of} outside"), cells.outside, outside);
        attack.cell(&format!("{of} identified"), cells.identified, contacts + outside);
        attack.count(&format!("{of} repeats"), contacts - reached);
        attack.sum(&format!("{of} contacts"), &[one(format!("{of} reached")), one(format!("{of} repeats"))]);
        attack.sum(&format!("{of} identified"), &[one(format!("{of} contacts")), one(format!("{of} outside"))]);
        // Bounds give away who was only counted; with the gross attendance that is who was identified.
        if cells.upper.shown().is_some() {
            attack.shown.insert(format!("{of} identified"), contacts + outside);
        }
        if let Some(lower) = cells.lower.shown() {
            attack.shown.insert(format!("{of} reached"), lower);
        }
    };
    audience(&mut attack, "region", &published.whole.audience, world.at(|_| true));
    for (place, unit) in published.units.iter().enumerate() {
        audience(&mut attack, &format!("unit {place}"), &unit.audience, world.at(|meeting| world.meetings[meeting].0 == place));
        let residents = world.people.iter().filter(|person| person.0 == place).count() as u64;
        attack.cell(&format!("residents {place}"), unit.residents, residents);
    }
    for (place, week) in published.weeks.iter().enumerate() {
        let first = world.people.iter().filter(|person| world.first_week(person) == place).count() as u64;
        attack.cell(&format!("first {place}"), week.first_reached, first);
        let to_date = world.people.iter().filter(|person| world.first_week(person) <= place).count() as u64;
        attack.cell(&format!("to date {place}"), week.to_date, to_date);
        attack.sum(&format!("to date {place}"), &(0..=place).map(|week| one(format!("first {week}"))).collect::<Vec<_>>());
    }
    for part in ["contacts", "outside"] {
        let units: Vec<_> = (0..world.units).map(|unit| one(format!("unit {unit} {part}"))).collect();
        attack.sum(&format!("region {part}"), &units);
    }
    attack.sum("region reached", &(0..world.units).map(|unit| one(format!("residents {unit}"))).collect::<Vec<_>>());
    attack.sum("region reached", &(0..WEEKS).map(|week| one(format!("first {week}"))).collect::<Vec<_>>());
    exposure(world, published, &mut attack);
    attack
}

/// People by how often they came: one, two, ..., and what the attendances exceed the last class's fewest by.
fn exposure(world: &World, published: &Published, attack: &mut Attack) {
    let times: Vec<u64> = world.people.iter().map(|person| person.1.len() as u64).collect();
    let count = |wanted: &dyn Fn(u64) -> bool| times.iter().filter(|times| wanted(**times)).count() as u64;
    let Some(last) = published.exposure.last().map(|class| class.times) else { return };
    let mut people = Vec::new();
    let mut visits = Vec::new();
    for class in &published.exposure {
        let truth = count(&|times| if class.or_more { times >= class.times } else { times == class.times });
        let name = format!("times {}", class.times);
        attack.cell(&name, class.people, truth);
        people.push((1, name.clone()));
        visits.push((class.times, name));
    }
    attack.count("excess", times.iter().map(|times| times.saturating_sub(last)).sum());
    visits.push((1, "excess".to_owned()));
    attack.sum("region reached", &people);
    attack.sum("region contacts", &visits);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]
    #[test]
    fn no_small_count_can_be_worked_out(world in worlds(), analyst in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = sample::kept(folder.path(), world.coverage());
        let role = if analyst { Role::Analyst } else { Role::Leader };
        let published = Published::new(&snapshot, &Reader::of_region(role)).unwrap();
        let k = published.threshold.people();
        let attack = attack(&world, &published);
        for (name, truth) in &attack.truth {
            if (1..k).contains(truth) {
                prop_assert!(!attack.shown.contains_key(name), "{name} = {truth} is shown");
                let (least, most) = attack.interval(name);
                prop_assert!(most - least > k as f64 - 2.5, "{name} = {truth} lies between {least} and {most}");
            }
        }
    }

    #[test]
    fn counts_that_threaten_nobody_are_shown(world in worlds()) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = sample::kept(folder.path(), world.coverage());
        let published = Published::new(&snapshot, &Reader::of_region(Role::Leader)).unwrap();
        let reached = world.people.len() as u64;
        prop_assert_eq!(published.whole.audience.reached.shown(), (reached == 0 || reached >= 10).then_some(reached));
        let residents: Vec<u64> = (0..world.units).map(|unit| world.people.iter().filter(|person| person.0 == unit).count() as u64).collect();
        if residents.iter().all(|people| *people == 0 || *people >= 10) {
            let shown: Vec<u64> = published.units.iter().filter_map(|unit| unit.residents.shown()).collect();
            prop_assert_eq!(shown, residents);
        }
    }

    #[test]
    fn two_scopes_together_show_no_more_than_the_region(world in worlds()) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = sample::kept(folder.path(), world.coverage());
        let all = Published::new(&snapshot, &Reader::of_region(Role::Leader)).unwrap();
        for unit in &all.units {
            let scope = Scope::Units(BTreeSet::from([unit.unit.clone()]));
            let one = Published::new(&snapshot, &Reader { role: Role::Leader, scope }).unwrap();
            prop_assert_eq!(one.units.len(), 1);
            prop_assert_eq!(one.units[0].residents, unit.residents);
            prop_assert_eq!(one.units[0].audience, unit.audience);
            prop_assert_eq!(one.whole.audience.reached, unit.residents);
            prop_assert!(one.weeks.is_empty() && one.exposure.is_empty() && one.categories.is_empty());
        }
    }
}
