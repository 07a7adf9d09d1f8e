//! Properties of random campaigns, and equality with a naive count by hash sets, which shares no code with the product.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use qamtu_analytics::{Coverage, coverage::Reach};

use crate::world::{World, after};

const UNITS: [&str; 2] = ["A", "B"];
const COALITIONS: [&str; 2] = ["CA", "R"];
const CATEGORIES: [&str; 3] = ["ELDER", "STAFF", "YOUTH"];
/// A Monday at noon; days are counted from it.
const DAYS: [&str; 6] = ["2026-02-16", "2026-02-20", "2026-02-23", "2026-03-02", "2026-03-13", "2026-03-14"];

#[derive(Debug, Clone)]
struct Meeting {
    unit: usize,
    coalition: usize,
    category: usize,
    second_category: usize,
    day: usize,
    planned: bool,
    held: bool,
    cancelled: bool,
    heads: Option<(u32, u32, u32)>,
    people: Vec<(u64, bool)>,
}

fn meeting() -> impl Strategy<Value = Meeting> {
    let place = (0..2_usize, 0..2_usize, 0..3_usize, 0..3_usize, 0..DAYS.len());
    let heads = (0..40_u32, 0..40_u32, 0..40_u32).prop_map(|(one, other, minimum)| (one, other, minimum.min(one.min(other))));
    let people = proptest::collection::vec((1..16_u64, prop::bool::weighted(0.8)), 0..20);
    (place, any::<bool>(), prop::bool::weighted(0.8), prop::bool::weighted(0.1), proptest::option::of(heads), people).prop_map(
        |((unit, coalition, category, second_category, day), planned, held, cancelled, heads, people)| Meeting {
            unit,
            coalition,
            category,
            second_category,
            day,
            planned,
            held,
            cancelled,
            heads,
            people,
        },
    )
}

fn world(meetings: &[Meeting]) -> World {
    let mut world = World::new();
    for (number, meeting) in meetings.iter().enumerate() {
        let id = format!("m{number:02}");
        let mut categories = vec![CATEGORIES[meeting.category], CATEGORIES[meeting.second_category]];
        categories.dedup();
        let starts = format!("{}T07:00:00Z", DAYS[meeting.day]);
        let place = World::place_of(UNITS[meeting.unit], COALITIONS[meeting.coalition], &categories, &starts);
        if meeting.planned {
            world.planned(&id, place.clone());
        }
        if meeting.held {
            world.held(&id, place);
        }
        if meeting.cancelled {
            world.cancelled(&id);
        }
        if let Some((one, other, minimum)) = meeting.heads {
            world.heads(&id, &[one, other], Some(minimum));
        }
        for (person, strong) in &meeting.people {
            if *strong { world.strong(&id, [*person]) } else { world.weak(&id, [*person]) }
        }
    }
    world
}

/// Figures of a set of meetings.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    held: u64,
    gross: u64,
    identified: u64,
    contacts: u64,
    reached: u64,
    weak: u64,
    outside: u64,
    unidentified: u64,
    lower: u64,
    upper: u64,
}

/// The independent count. People 1 to 10 are on the roll, see [`World`].
fn naive(meetings: &[&Meeting], cap: u64) -> Line {
    let (mut gross, mut identified, mut contacts, mut weak, mut unidentified, mut minimum) = (0, 0, 0, 0, 0, 0);
    let mut union: HashSet<u64> = HashSet::new();
    for meeting in meetings {
        let strong: HashSet<u64> = meeting.people.iter().filter(|(_, strong)| *strong).map(|(person, _)| *person).collect();
        let phones: HashSet<u64> = meeting.people.iter().filter(|(_, strong)| !strong).map(|(person, _)| *person).collect();
        let eligible: HashSet<u64> = strong.iter().copied().filter(|person| *person <= 10).collect();
        let recorded = strong.len() as u64 + phones.len() as u64;
        let (one, other, stated) = meeting.heads.unwrap_or_default();
        let here = u64::from(one.max(other)).max(recorded) - strong.len() as u64;
        gross += u64::from(one.min(other)).max(recorded);
        unidentified += here;
        identified += strong.len() as u64;
        weak += phones.len() as u64;
        contacts += eligible.len() as u64;
        minimum = minimum.max(u64::from(stated).min(eligible.len() as u64 + here));
        union.extend(eligible);
    }
    let reached = union.len() as u64;
    let lower = reached.max(minimum);
    Line {
        held: meetings.len() as u64,
        gross,
        identified,
        contacts,
        reached,
        weak,
        outside: identified - contacts,
        unidentified,
        lower,
        upper: (reached + unidentified).min(cap).max(lower),
    }
}

fn line(figures: &qamtu_analytics::coverage::MeetingFigures) -> Line {
    let audience = &figures.audience;
    let Reach { reached, lower, upper, .. } = audience.reach;
    Line {
        held: figures.fulfilment.held,
        gross: audience.gross,
        identified: audience.identified,
        contacts: audience.contacts,
        reached,
        weak: audience.weak,
        outside: audience.outside,
        unidentified: audience.unidentified,
        lower,
        upper,
    }
}

/// ISO weeks of [`DAYS`] and their Mondays.
fn week(day: usize) -> &'static str {
    ["2026-W08", "2026-W08", "2026-W09", "2026-W10", "2026-W11", "2026-W11"][day]
}

fn reaches(coverage: &Coverage) -> Vec<&Reach> {
    let all = std::iter::once(&coverage.region.figures)
        .chain(coverage.units.iter().map(|unit| &unit.figures))
        .chain(coverage.coalitions.iter().map(|coalition| &coalition.figures))
        .chain(coverage.categories.iter().map(|category| &category.figures))
        .chain(coverage.weeks.iter().map(|week| &week.figures));
    let residents = coverage.units.iter().map(|unit| &unit.residents).chain(coverage.precincts.iter().map(|precinct| &precinct.residents));
    all.map(|figures| &figures.audience.reach).chain(residents.map(|residents| &residents.reach)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_table_equals_a_naive_count(meetings in proptest::collection::vec(meeting(), 0..12)) {
        let coverage = world(&meetings).coverage(after());
        let held = |keep: &dyn Fn(&Meeting) -> bool| -> Vec<&Meeting> {
            meetings.iter().filter(|meeting| meeting.held && keep(meeting)).collect()
        };
        prop_assert_eq!(line(&coverage.region.figures), naive(&held(&|_| true), 220));
        for (unit, number) in coverage.units.iter().zip(0..) {
            prop_assert_eq!(line(&unit.figures), naive(&held(&|meeting| meeting.unit == number), 220));
        }
        for (coalition, number) in coverage.coalitions.iter().zip(0..) {
            prop_assert_eq!(line(&coalition.figures), naive(&held(&|meeting| meeting.coalition == number), 220));
        }
        for (category, number) in coverage.categories.iter().zip(0..) {
            let of = |meeting: &Meeting| meeting.category == number || meeting.second_category == number;
            prop_assert_eq!(line(&category.figures), naive(&held(&of), 220));
        }
        for this in &coverage.weeks {
            prop_assert_eq!(line(&this.figures), naive(&held(&|meeting| week(meeting.day) == this.week), 220));
            let until = naive(&held(&|meeting| week(meeting.day) <= this.week.as_str()), 220);
            prop_assert_eq!(this.reached_to_date, until.reached);
        }
    }

    #[test]
    fn frequencies_and_residents_equal_a_naive_count(meetings in proptest::collection::vec(meeting(), 0..12)) {
        let coverage = world(&meetings).coverage(after());
        let mut times: HashMap<u64, u64> = HashMap::new();
        for meeting in meetings.iter().filter(|meeting| meeting.held) {
            let strong: HashSet<u64> = meeting.people.iter().filter(|(person, strong)| *strong && *person <= 10).map(|attendance| attendance.0).collect();
            strong.into_iter().for_each(|person| *times.entry(person).or_default() += 1);
        }
        let mut frequencies = [0; 5];
        let mut residences: BTreeMap<&str, (u64, u64)> = [("A-1", (0, 0)), ("A-2", (0, 0)), ("B-1", (0, 0))].into();
        for (person, times) in times {
            frequencies[times.min(5) as usize - 1] += 1;
            let home = residences.entry(match person { 1..=5 => "A-1", 6 | 7 => "A-2", _ => "B-1" }).or_default();
            *home = (home.0 + 1, home.1 + times);
        }
        prop_assert_eq!(coverage.region.frequencies, frequencies);
        let residents: BTreeMap<&str, (u64, u64)> = coverage
            .precincts
            .iter()
            .map(|precinct| (precinct.precinct.as_str(), (precinct.residents.reach.reached, precinct.residents.contacts)))
            .collect();
        prop_assert_eq!(residents, residences);
    }

    #[test]
    fn reach_keeps_its_order_and_its_sums(meetings in proptest::collection::vec(meeting(), 0..12)) {
        let coverage = world(&meetings).coverage(after());
        for reach in reaches(&coverage) {
            prop_assert!(reach.reached <= reach.lower && reach.lower <= reach.upper, "{:?}", reach);
        }
        let all = coverage.units.iter().map(|unit| &unit.figures).chain(coverage.weeks.iter().map(|week| &week.figures));
        for plan in all.chain([&coverage.region.figures]).map(|figures| &figures.fulfilment) {
            prop_assert!(plan.held_planned + plan.missing <= plan.due && plan.due <= plan.planned, "{:?}", plan);
        }
        let region = &coverage.region.figures.audience;
        prop_assert!(region.reach.reached <= region.contacts && region.contacts <= region.identified && region.identified <= region.gross);
        // Units share people, so their reaches add up to at least the region's; attendances do add up.
        let sum = |of: &dyn Fn(&qamtu_analytics::coverage::UnitCoverage) -> u64| coverage.units.iter().map(of).sum::<u64>();
        prop_assert!(region.reach.reached <= sum(&|unit| unit.figures.audience.reach.reached));
        prop_assert_eq!(region.gross, sum(&|unit| unit.figures.audience.gross));
        prop_assert_eq!(region.contacts, sum(&|unit| unit.figures.audience.contacts));
        prop_assert_eq!(coverage.region.figures.fulfilment.planned, sum(&|unit| unit.figures.fulfilment.planned));
        prop_assert_eq!(coverage.region.figures.fulfilment.held, sum(&|unit| unit.figures.fulfilment.held));
        // A resident lives in one place, so residents add up to the region's reach.
        prop_assert_eq!(region.reach.reached, sum(&|unit| unit.residents.reach.reached));
        prop_assert_eq!(region.reach.reached, coverage.precincts.iter().map(|precinct| precinct.residents.reach.reached).sum::<u64>());
        prop_assert_eq!(region.reach.reached, coverage.region.frequencies.iter().sum::<u64>());
        prop_assert_eq!(region.reach.reached, coverage.weeks.iter().map(|week| week.first_reached).sum::<u64>());
    }

    #[test]
    fn order_repetition_and_cuts_change_nothing(
        meetings in proptest::collection::vec(meeting(), 1..8),
        order in any::<u64>(),
        rows in 1..7_usize,
    ) {
        let once = world(&meetings);
        let mut again = once.clone();
        again.attendances.extend(once.attendances.iter().cloned());
        again.events.extend(once.events.iter().cloned());
        again.roll.extend(once.roll.iter().copied());
        // A cheap shuffle that the seed decides.
        again.attendances.sort_by_key(|attendance| (attendance.person ^ order).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(attendance.meeting.len() as u32));
        again.events.sort_by_key(|event| event["id"].as_str().map(|id| id.bytes().fold(order, |hash, byte| hash.rotate_left(5) ^ u64::from(byte))));
        again.roll.sort_by_key(|(person, _)| person.wrapping_mul(order | 1));
        let bytes = |coverage: Coverage| serde_json::to_vec(&coverage).expect("bytes");
        let mut repeated = again.coverage_in_runs(after(), rows);
        prop_assert_eq!(repeated.counts.events, again.attendances.len() as u64);
        repeated.counts.events = once.attendances.len() as u64;
        prop_assert_eq!(bytes(once.coverage(after())), bytes(repeated));
    }
}
