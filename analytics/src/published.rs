//! A snapshot as one reader may see it.
//!
//! Guarantees: whatever leaves this crate about people is built from a [`Published`] and never from the coverage itself; its person counts
//! are [`Cell`]s, its rows those of the reader's scope. The published tables are fixed: the campaign, units, coalitions, categories,
//! weeks, how often people came. Precincts are not among them. Cells are decided over the whole campaign and narrowed to the scope
//! afterwards, so that two readers together learn no more than one.

use qamtu_schemas::{
    event::{Tile, UnitKind},
    id::{CategoryCode, CoalitionId, UnitCode},
    text::Names,
};

use crate::{
    access::{Reader, Scope},
    cell::{Cell, Threshold},
    coverage::{self, Campaign, Counts, Coverage, Denominator, Fulfilment, Identity},
    snapshot::{Snapshot, SnapshotId},
};

/// Figures cleared for a reader.
#[derive(Debug, Clone)]
pub struct Published {
    /// The snapshot they come from.
    pub snapshot: SnapshotId,
    /// What it is true for.
    pub identity: Identity,
    /// Calendar and plan.
    pub campaign: Campaign,
    /// How much data there is.
    pub counts: Counts,
    /// Whom they were cleared for.
    pub reader: Reader,
    /// The smallest count of people that is shown.
    pub threshold: Threshold,
    /// Everything in scope.
    pub whole: Whole,
    /// Units in scope, sorted by code.
    pub units: Vec<Unit>,
    /// Coalitions in scope, sorted by id.
    pub coalitions: Vec<Coalition>,
    /// Categories, sorted by code; known for the whole campaign only.
    pub categories: Vec<Category>,
    /// Weeks in order; known for the whole campaign only.
    pub weeks: Vec<Week>,
    /// How often people came; known for the whole campaign only.
    pub exposure: Vec<Exposure>,
}

/// Who was at a set of meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audience {
    /// Gross attendance: people in rooms.
    pub gross: u64,
    /// Counted meetings at which somebody was strongly identified.
    pub identified_meetings: u64,
    /// Counted meetings of which nobody knows how many came.
    pub uncounted_meetings: u64,
    /// Strongly identified attendances.
    pub identified: Cell,
    /// Attendances of eligible people.
    pub contacts: Cell,
    /// Different eligible people.
    pub reached: Cell,
    /// Lower bound of different eligible people.
    pub lower: Cell,
    /// Upper bound of them.
    pub upper: Cell,
    /// Strongly identified attendances from outside the denominator.
    pub outside: Cell,
    /// Weakly identified attendances.
    pub weak: Cell,
}

/// All that is in the reader's scope.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Where the plan stands.
    pub plan: Fulfilment,
    /// Registered voters and the date of their count.
    pub denominator: Denominator,
    /// Who was there. In a scope of units `reached` and its bounds are about residents.
    pub audience: Audience,
    /// More reached than registered.
    pub over: bool,
    /// Arithmetic ceiling; of the whole campaign only.
    pub ceiling: Option<u64>,
    /// Precincts with a reached resident; of the whole campaign only.
    pub precincts_reached: Option<u64>,
    /// Precincts that no counted meeting's report names; of the whole campaign only.
    pub precincts_without_meeting: Option<u64>,
}

/// A unit.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its code.
    pub unit: UnitCode,
    /// Its names.
    pub names: Option<Names>,
    /// District or city.
    pub kind: Option<UnitKind>,
    /// Its tile.
    pub tile: Option<Tile>,
    /// Where the plan stands.
    pub plan: Fulfilment,
    /// Registered voters.
    pub denominator: Denominator,
    /// Who was at meetings held in it.
    pub audience: Audience,
    /// Different eligible residents, wherever they attended.
    pub residents: Cell,
    /// Bounds of them.
    pub residents_bounds: (Cell, Cell),
    /// More residents reached than registered.
    pub over: bool,
}

/// A coalition.
#[derive(Debug, Clone)]
pub struct Coalition {
    /// Its id.
    pub coalition: CoalitionId,
    /// Its names.
    pub names: Option<Names>,
    /// Its unit; none for one of the whole region.
    pub unit: Option<UnitCode>,
    /// Where the plan stands.
    pub plan: Fulfilment,
    /// Who was at its meetings.
    pub audience: Audience,
}

/// A category of the population. Categories overlap and are never added up.
#[derive(Debug, Clone)]
pub struct Category {
    /// Its code.
    pub category: CategoryCode,
    /// Its names.
    pub names: Option<Names>,
    /// Where the plan stands.
    pub plan: Fulfilment,
    /// Who was at meetings for it.
    pub audience: Audience,
}

/// A local ISO week. Of its people only those who are new are published: beside its attendances they would tell how few came again.
#[derive(Debug, Clone)]
pub struct Week {
    /// Such as `2026-W07`.
    pub week: String,
    /// Its Monday.
    pub monday: jiff::civil::Date,
    /// Counted meetings.
    pub held: u64,
    /// Gross attendance: people in rooms.
    pub gross: u64,
    /// People reached for the first time.
    pub first_reached: Cell,
    /// Different people reached up to its end.
    pub to_date: Cell,
}

/// People who came exactly so many times, or at least so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// How many times.
    pub times: u64,
    /// Or more.
    pub or_more: bool,
    /// How many people.
    pub people: Cell,
}

impl Published {
    /// What a reader may see of a snapshot; none for a role that sees no figures.
    pub fn new(snapshot: &Snapshot, reader: &Reader) -> Option<Self> {
        let threshold = Threshold::of(reader)?;
        let coverage = &snapshot.coverage;
        let region = Region::of(coverage, threshold);
        let mut units = units(coverage, &region);
        units.retain(|unit| reader.scope.has(&unit.unit));
        let mut coalitions = coalitions(coverage, &region);
        coalitions.retain(|held| held.unit.as_ref().map_or(reader.scope == Scope::Region, |unit| reader.scope.has(unit)));
        let all = reader.scope == Scope::Region;
        Some(Self {
            snapshot: snapshot.id,
            identity: coverage.identity.clone(),
            campaign: coverage.campaign.clone(),
            counts: coverage.counts.clone(),
            reader: reader.clone(),
            threshold,
            whole: if all { region.whole(coverage) } else { of_units(&units) },
            categories: if all { categories(coverage, &region) } else { Vec::new() },
            weeks: if all { weeks(coverage, &region) } else { Vec::new() },
            exposure: if all { exposure(coverage, &region) } else { Vec::new() },
            units,
            coalitions,
        })
    }
}

/// The cells of the whole campaign, to which tables add up.
struct Region {
    threshold: Threshold,
    audience: Audience,
}

impl Region {
    fn of(coverage: &Coverage, threshold: Threshold) -> Self {
        Self { threshold, audience: alone(&coverage.region.slice.audience, threshold) }
    }

    fn whole(&self, coverage: &Coverage) -> Whole {
        let region = &coverage.region;
        Whole {
            plan: region.slice.fulfilment.clone(),
            denominator: region.slice.audience.reach.denominator.clone(),
            audience: self.audience,
            over: region.slice.audience.reach.over,
            ceiling: region.ceiling,
            precincts_reached: Some(coverage.precincts_reached()),
            precincts_without_meeting: Some(coverage.precincts_without_meeting()),
        }
    }

    /// The audiences of slices that share the campaign's meetings out between them.
    fn partition<'a>(&self, slices: impl Iterator<Item = &'a coverage::Audience>) -> Vec<Audience> {
        let slices: Vec<&coverage::Audience> = slices.collect();
        let column = |count: fn(&coverage::Audience) -> u64, total: Cell| -> Vec<Cell> {
            self.threshold.family(&slices.iter().map(|slice| count(slice)).collect::<Vec<_>>(), total)
        };
        let contacts = column(|slice| slice.contacts, self.audience.contacts);
        let outside = column(|slice| slice.outside, self.audience.outside);
        let weak = column(|slice| slice.weak, self.audience.weak);
        let totals = contacts.iter().zip(&outside).zip(&weak).map(|((contacts, outside), weak)| Totals {
            contacts: *contacts,
            outside: *outside,
            weak: *weak,
        });
        slices.iter().zip(totals).map(|(slice, totals)| audience(slice, self.threshold, &totals)).collect()
    }
}

/// The columns of an audience that add up over a partition of the meetings.
struct Totals {
    contacts: Cell,
    outside: Cell,
    weak: Cell,
}

/// The rest of an audience, from its additive columns: attendances of eligible people are first visits and repeats; the identified are
/// they and those from outside; the bounds give away how many in the rooms were not identified, and with the gross attendance who was.
fn audience(held: &coverage::Audience, threshold: Threshold, totals: &Totals) -> Audience {
    let reached = threshold.part(held.reach.reached, held.contacts, totals.contacts);
    let contacts = totals.contacts;
    let known = [reached, contacts, totals.outside];
    let beside = |count: u64| threshold.composed(count, &[]).beside(&known);
    Audience {
        gross: held.gross,
        identified_meetings: held.identified_meetings,
        uncounted_meetings: held.uncounted_meetings,
        identified: beside(held.identified),
        contacts,
        reached,
        lower: beside(held.reach.lower),
        upper: beside(held.reach.upper),
        outside: totals.outside,
        weak: totals.weak,
    }
}

/// An audience that is no part of a total. How many were reached comes first: if few came again, their attendances give way, not they.
fn alone(held: &coverage::Audience, threshold: Threshold) -> Audience {
    let all = threshold.cell(held.contacts);
    let contacts = all.beside(&[threshold.part(held.reach.reached, held.contacts, all)]);
    let totals = Totals { contacts, outside: threshold.cell(held.outside), weak: threshold.cell(held.weak) };
    Audience { reached: threshold.cell(held.reach.reached), ..audience(held, threshold, &totals) }
}

fn units(coverage: &Coverage, region: &Region) -> Vec<Unit> {
    let audiences = region.partition(coverage.units.iter().map(|unit| &unit.slice.audience));
    let people: Vec<u64> = coverage.units.iter().map(|unit| unit.residents.reach.reached).collect();
    let residents = region.threshold.family(&people, region.audience.reached);
    coverage
        .units
        .iter()
        .zip(audiences)
        .zip(residents)
        .map(|((held, audience), residents)| {
            let reach = &held.residents.reach;
            let bound = |count: u64| region.threshold.composed(count, &[]).beside(&[residents, audience.upper]);
            Unit {
                unit: held.unit.clone(),
                names: held.names.clone(),
                kind: held.kind,
                tile: held.tile,
                plan: held.slice.fulfilment.clone(),
                denominator: reach.denominator.clone(),
                audience,
                residents,
                residents_bounds: (bound(reach.lower), bound(reach.upper)),
                over: reach.over,
            }
        })
        .collect()
}

fn coalitions(coverage: &Coverage, region: &Region) -> Vec<Coalition> {
    let audiences = region.partition(coverage.coalitions.iter().map(|coalition| &coalition.slice.audience));
    coverage
        .coalitions
        .iter()
        .zip(audiences)
        .map(|(held, audience)| Coalition {
            coalition: held.coalition.clone(),
            names: held.names.clone(),
            unit: held.unit.clone(),
            plan: held.slice.fulfilment.clone(),
            audience,
        })
        .collect()
}

/// Categories overlap, so nothing adds up to a total and every audience stands alone.
fn categories(coverage: &Coverage, region: &Region) -> Vec<Category> {
    let category = |category: &coverage::Category| Category {
        category: category.category.clone(),
        names: category.names.clone(),
        plan: category.slice.fulfilment.clone(),
        audience: alone(&category.slice.audience, region.threshold),
    };
    coverage.categories.iter().map(category).collect()
}

fn weeks(coverage: &Coverage, region: &Region) -> Vec<Week> {
    let firsts: Vec<u64> = coverage.weeks.iter().map(|week| week.first_reached).collect();
    let firsts = region.threshold.family(&firsts, region.audience.reached);
    let week = |(place, held): (usize, &coverage::Week)| Week {
        week: held.week.clone(),
        monday: held.monday,
        held: held.slice.fulfilment.held,
        gross: held.slice.audience.gross,
        first_reached: firsts[place],
        to_date: Cell::sum(firsts[..=place].iter().copied()),
    };
    coverage.weeks.iter().enumerate().map(week).collect()
}

/// How often people came, in the finest classes that may be seen. The attendances left for the last class would give away its makeup, so
/// what they exceed its fewest by may be nothing or enough.
fn exposure(coverage: &Coverage, region: &Region) -> Vec<Exposure> {
    let people = coverage.region.exposure;
    let threshold = region.threshold;
    let contacts = coverage.region.slice.audience.contacts;
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
    let class = |times: u64, or_more: bool, people: u64| Exposure { times, or_more, people: threshold.cell(people) };
    let mut classes: Vec<Exposure> = below.iter().zip(1..).map(|(people, times)| class(times, false, *people)).collect();
    classes.push(class(last as u64, true, above.iter().sum()));
    classes
}

/// A scope of units: residents and meetings add up, people at meetings do not.
fn of_units(units: &[Unit]) -> Whole {
    let cells = |cell: fn(&Unit) -> Cell| Cell::sum(units.iter().map(cell));
    let mut plan = Fulfilment::default();
    for unit in units {
        add(&mut plan, &unit.plan);
    }
    Whole {
        plan,
        denominator: Denominator {
            voters: units.iter().map(|unit| unit.denominator.voters).sum(),
            date: units.iter().filter_map(|unit| unit.denominator.date).max(),
        },
        audience: Audience {
            gross: units.iter().map(|unit| unit.audience.gross).sum(),
            identified_meetings: units.iter().map(|unit| unit.audience.identified_meetings).sum(),
            uncounted_meetings: units.iter().map(|unit| unit.audience.uncounted_meetings).sum(),
            identified: cells(|unit| unit.audience.identified),
            contacts: cells(|unit| unit.audience.contacts),
            reached: cells(|unit| unit.residents),
            lower: cells(|unit| unit.residents_bounds.0),
            upper: cells(|unit| unit.residents_bounds.1),
            outside: cells(|unit| unit.audience.outside),
            weak: cells(|unit| unit.audience.weak),
        },
        over: units.iter().any(|unit| unit.over),
        ceiling: None,
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
    sum.pending += part.pending;
    sum.contested += part.contested;
}
