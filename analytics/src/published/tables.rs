//! Builds the published tables from a coverage and its suppressed cells.

use super::{
    FrequencyClass, PublishedAudience, PublishedCategory, PublishedCoalition, PublishedUnit, PublishedWeek, ScopeTotal,
    complementary_suppression, region_cells::RegionCells,
};
use crate::{
    cell::Cell,
    coverage::{self, Coverage, Denominator, Fulfilment, MeetingFigures},
};

pub(super) fn units(coverage: &Coverage, region: &RegionCells<'_>, audiences: Vec<PublishedAudience>) -> Vec<PublishedUnit> {
    let people: Vec<u64> = coverage.units.iter().map(|unit| unit.residents.reach.reached).collect();
    let residents = region.threshold.suppress_parts(&people, region.audience.reached);
    coverage
        .units
        .iter()
        .zip(audiences)
        .zip(residents)
        .map(|((exact, audience), residents)| {
            let reach = &exact.residents.reach;
            // The upper bound less the residents reached is the number of unidentified attendees of the region, so it is shown only if both
            // are.
            let bound = |count: u64| Cell::open(count).if_all_shown(&[residents, region.audience.upper]);
            PublishedUnit {
                unit: exact.unit.clone(),
                names: exact.names.clone(),
                kind: exact.kind,
                tile: exact.tile,
                plan: exact.figures.fulfilment.clone(),
                denominator: reach.denominator.clone(),
                audience,
                residents,
                residents_lower: bound(reach.lower),
                residents_upper: bound(reach.upper),
                over: reach.over,
            }
        })
        .collect()
}

pub(super) fn coalitions(coverage: &Coverage, audiences: Vec<PublishedAudience>) -> Vec<PublishedCoalition> {
    coverage
        .coalitions
        .iter()
        .zip(audiences)
        .map(|(exact, audience)| PublishedCoalition {
            coalition: exact.coalition.clone(),
            names: exact.names.clone(),
            unit: exact.unit.clone(),
            plan: exact.figures.fulfilment.clone(),
            audience,
        })
        .collect()
}

pub(super) fn categories(coverage: &Coverage, region: &RegionCells<'_>) -> Vec<PublishedCategory> {
    let figures: Vec<&MeetingFigures> = coverage.categories.iter().map(|category| &category.figures).collect();
    let category = |(exact, audience): (&coverage::CategoryCoverage, PublishedAudience)| PublishedCategory {
        category: exact.category.clone(),
        names: exact.names.clone(),
        plan: exact.figures.fulfilment.clone(),
        audience,
    };
    coverage.categories.iter().zip(complementary_suppression::categories(region, &figures)).map(category).collect()
}

pub(super) fn weeks(coverage: &Coverage, region: &RegionCells<'_>) -> Vec<PublishedWeek> {
    let figures: Vec<&MeetingFigures> = coverage.weeks.iter().map(|week| &week.figures).collect();
    let firsts: Vec<u64> = coverage.weeks.iter().map(|week| week.first_reached).collect();
    let gross = complementary_suppression::weeks(region, &figures, &firsts);
    let firsts = region.threshold.suppress_parts(&firsts, region.audience.reached);
    let week = |(place, exact): (usize, &coverage::WeekCoverage)| PublishedWeek {
        week: exact.week.clone(),
        monday: exact.monday,
        held: exact.figures.fulfilment.held,
        gross: gross[place],
        first_reached: firsts[place],
        to_date: Cell::sum(firsts[..=place].iter().copied()),
    };
    coverage.weeks.iter().enumerate().map(week).collect()
}

/// Frequency of attendance, in the finest classes that may be shown. If 20 people came three times or more and all other attendances are
/// known, 61 attendances of theirs would disclose that one of them came a fourth time. So the attendances above the minimum of the last class
/// must be zero or enough.
pub(super) fn frequencies(coverage: &Coverage, region: &RegionCells<'_>) -> Vec<FrequencyClass> {
    let people = coverage.region.frequencies;
    let threshold = region.threshold;
    let contacts = coverage.region.figures.audience.contacts;
    let last = (1..=people.len()).rev().find(|last| {
        let (below, above) = people.split_at(last - 1);
        let counted: u64 = below.iter().zip(1..).map(|(people, times): (&u64, u64)| people * times).sum();
        let top: u64 = above.iter().sum();
        below.iter().all(|people| threshold.allows(*people))
            && threshold.allows(top)
            && threshold.allows(contacts.saturating_sub(counted + top * *last as u64))
    });
    let Some(last) = last.filter(|_| region.audience.reached.shown().is_some()) else { return Vec::new() };
    let (below, above) = people.split_at(last - 1);
    let class = |times: u64, or_more: bool, people: u64| FrequencyClass { times, or_more, people: threshold.cell(people) };
    let mut classes: Vec<FrequencyClass> = below.iter().zip(1..).map(|(people, times)| class(times, false, *people)).collect();
    classes.push(class(last as u64, true, above.iter().sum()));
    classes
}

/// Sums the units of a scope: residents and meetings are additive, people at meetings are not.
pub(super) fn of_units(units: &[PublishedUnit]) -> ScopeTotal {
    let cells = |cell: fn(&PublishedUnit) -> Cell| Cell::sum(units.iter().map(cell));
    let mut plan = Fulfilment::default();
    for unit in units {
        add(&mut plan, &unit.plan);
    }
    ScopeTotal {
        plan,
        denominator: Denominator {
            voters: units.iter().map(|unit| unit.denominator.voters).sum(),
            date: units.iter().filter_map(|unit| unit.denominator.date).max(),
        },
        audience: PublishedAudience {
            gross: cells(|unit| unit.audience.gross),
            identified_meetings: units.iter().map(|unit| unit.audience.identified_meetings).sum(),
            uncounted_meetings: units.iter().map(|unit| unit.audience.uncounted_meetings).sum(),
            identified: cells(|unit| unit.audience.identified),
            contacts: cells(|unit| unit.audience.contacts),
            reached: cells(|unit| unit.residents),
            lower: cells(|unit| unit.residents_lower),
            upper: cells(|unit| unit.residents_upper),
            outside: cells(|unit| unit.audience.outside),
            weak: cells(|unit| unit.audience.weak),
        },
        over: units.iter().any(|unit| unit.over),
        ceiling: None,
        estimate: None,
        precincts_reached: None,
        precincts_without_meeting: None,
    }
}

fn add(sum: &mut Fulfilment, part: &Fulfilment) {
    sum.planned += part.planned;
    sum.due += part.due;
    sum.held += part.held;
    sum.held_planned += part.held_planned;
    sum.held_extra += part.held_extra;
    sum.unlawful += part.unlawful;
    sum.cancelled += part.cancelled;
    sum.moved += part.moved;
    sum.missing += part.missing;
    sum.on_time += part.on_time;
    sum.late += part.late;
    sum.within_72_hours += part.within_72_hours;
    sum.pending += part.pending;
    sum.contested += part.contested;
    sum.nobody_eligible += part.nobody_eligible;
}
