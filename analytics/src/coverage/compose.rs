//! Composes a coverage: each of its tables is a slice.

use std::{collections::BTreeMap, panic::resume_unwind, str::FromStr, thread};

use qamtu_schemas::id::{CategoryCode, CoalitionId, PrecinctId, UnitCode};

use super::{
    Counts, Coverage, DEFINITION,
    breakdowns::{CategoryCoverage, CoalitionCoverage, PrecinctCoverage, RegionCoverage, UnitCoverage, WeekCoverage},
    campaign_settings::CampaignSettings,
    definition,
};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    error::AnalyticsError,
    facts_store::{FactsStore, precinct_counts, week_monday},
    figures::{Audience, Residents, Slice, bounds},
    slice::{MeetingFigures, PeopleCounts, RowKey, SliceRows, SliceTable, slice},
    slice_query::SliceQuery,
    snapshot_identity::{Selection, SnapshotIdentity},
};

/// Named in the error for a code that cannot be parsed.
const TABLE: &str = "slice";

impl Coverage {
    /// Computes every figure of a coverage from a store.
    pub fn of(store: &FactsStore) -> Result<Self, AnalyticsError> {
        let facts = store.facts();
        let Selection { campaign, offsets, as_of } = facts.selection.clone();
        let not_configured = || AnalyticsError::NotConfiguredYet { campaign: campaign.clone(), as_of };
        let settings = CampaignSettings::from(facts.reference.campaign().ok_or_else(not_configured)?);
        let (of_people, of_meetings) = thread::scope(|scope| {
            let of_people = scope.spawn(|| people_tables(store, &settings));
            let of_meetings = (coalitions(store), categories(store), weeks(store));
            (of_people.join().unwrap_or_else(|panic| resume_unwind(panic)), of_meetings)
        });
        let PeopleTables { region, units, precincts } = of_people?;
        Ok(Self {
            units,
            precincts,
            coalitions: of_meetings.0?,
            categories: of_meetings.1?,
            weeks: of_meetings.2?,
            counts: counts(store, &region),
            quality: facts.quality.clone(),
            identity: SnapshotIdentity { campaign, as_of, offsets, definition: DEFINITION, redaction_epoch: 0 },
            campaign: settings,
            region,
        })
    }
}

/// The tables that count people one by one, which takes about as long as all others together.
struct PeopleTables {
    region: RegionCoverage,
    units: Vec<UnitCoverage>,
    precincts: Vec<PrecinctCoverage>,
}

fn people_tables(store: &FactsStore, settings: &CampaignSettings) -> Result<PeopleTables, AnalyticsError> {
    let region = region(store, settings)?;
    Ok(PeopleTables { units: units(store, &region.slice.audience)?, precincts: precincts(store)?, region })
}

/// Figures of meetings, by the values of a dimension.
fn by_meetings(store: &FactsStore, dimension: MeetingDimension) -> Result<BTreeMap<String, MeetingFigures>, AnalyticsError> {
    let table = slice(store, &SliceQuery::by([Dimension::Meeting(dimension)]))?;
    let SliceRows::Meetings(rows) = table.rows else { return Ok(BTreeMap::new()) };
    Ok(rows.into_iter().filter_map(|row| Some((value(row.keys)?, row.figures))).collect())
}

/// Figures of residents, by the values of a dimension.
fn by_residence(store: &FactsStore, dimension: PersonDimension) -> Result<BTreeMap<String, Residents>, AnalyticsError> {
    let SliceTable { rows, .. } = slice(store, &SliceQuery::by([Dimension::Person(dimension)]))?;
    let SliceRows::People(rows) = rows else { return Ok(BTreeMap::new()) };
    Ok(rows.into_iter().filter_map(|row| Some((value(row.keys)?, row.figures.residents))).collect())
}

/// The value of a row by one dimension; none for a total and for meetings without a value.
fn value(keys: Vec<RowKey>) -> Option<String> {
    keys.into_iter().find_map(|key| if let RowKey::Value(value) = key { Some(value) } else { None })
}

fn region(store: &FactsStore, settings: &CampaignSettings) -> Result<RegionCoverage, AnalyticsError> {
    let table = slice(store, &SliceQuery { with_exposure: true, ..SliceQuery::default() })?;
    let total = match table.rows {
        SliceRows::Meetings(mut rows) => rows.pop().map(|row| row.figures),
        SliceRows::People(_) => None,
    };
    let (slice, people) = total.map_or_else(|| (Slice::default(), PeopleCounts::default()), |total| (total.slice, total.people));
    let counted = slice.fulfilment.held.saturating_sub(slice.audience.uncounted_meetings);
    Ok(RegionCoverage {
        exposure: people.exposure.unwrap_or_default(),
        attendance_without_report: store.attendance().without_report,
        ceiling: definition::ceiling(settings.planned_meetings, slice.audience.gross, counted, store.voters().region.known()),
        slice,
    })
}

fn units(store: &FactsStore, everywhere: &Audience) -> Result<Vec<UnitCoverage>, AnalyticsError> {
    let residents = by_residence(store, PersonDimension::ResidenceUnit)?;
    let unit = |(code, figures): (String, MeetingFigures)| {
        let code: UnitCode = parse(&code, "unit")?;
        let defined = store.facts().reference.unit(&code);
        // Nobody is known to live in a unit that was never defined, but anybody unidentified may.
        let voters = store.voters().unit(code.as_str());
        let cap = voters.known();
        let nobody = || bounds::of_residents(0, everywhere, voters, cap);
        let of_unit = residents.get(code.as_str()).cloned();
        Ok(UnitCoverage {
            names: defined.map(|unit| unit.names.clone()),
            kind: defined.map(|unit| unit.kind),
            tile: defined.map(|unit| unit.tile),
            residents: of_unit.unwrap_or_else(|| Residents { contacts: 0, reach: nobody() }),
            slice: figures.slice,
            unit: code,
        })
    };
    by_meetings(store, MeetingDimension::Unit)?.into_iter().map(unit).collect()
}

fn precincts(store: &FactsStore) -> Result<Vec<PrecinctCoverage>, AnalyticsError> {
    let meetings = by_meetings(store, MeetingDimension::Precinct)?;
    let counts = precinct_counts(&store.facts().reference, store.today());
    let mut precincts = Vec::new();
    for (id, residents) in by_residence(store, PersonDimension::Residence)? {
        // A precinct whose first count comes later is not in the denominator; it is listed once one of its residents is reached.
        if residents.reach.denominator.is_known() || residents.reach.reached > 0 {
            let precinct: PrecinctId = parse(&id, "precinct")?;
            let counted = counts.get(&precinct);
            precincts.push(PrecinctCoverage {
                unit: counted.map(|count| count.unit.clone()),
                number: counted.map(|count| count.number),
                meetings: meetings.get(&id).map_or(0, |figures| figures.slice.fulfilment.held),
                residents,
                precinct,
            });
        }
    }
    Ok(precincts)
}

fn coalitions(store: &FactsStore) -> Result<Vec<CoalitionCoverage>, AnalyticsError> {
    let coalition = |(id, figures): (String, MeetingFigures)| {
        let coalition: CoalitionId = parse(&id, "coalition")?;
        let formed = store.facts().reference.coalition(&coalition);
        Ok(CoalitionCoverage {
            names: formed.map(|formed| formed.names.clone()),
            unit: formed.and_then(|formed| formed.unit.clone()),
            slice: figures.slice,
            coalition,
        })
    };
    by_meetings(store, MeetingDimension::Coalition)?.into_iter().map(coalition).collect()
}

fn categories(store: &FactsStore) -> Result<Vec<CategoryCoverage>, AnalyticsError> {
    let listed = || store.facts().reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
    let category = |(code, figures): (String, MeetingFigures)| {
        let category: CategoryCode = parse(&code, "category")?;
        let names = listed().find(|listed| listed.code == category).map(|listed| listed.names.clone());
        Ok(CategoryCoverage { category, names, slice: figures.slice })
    };
    by_meetings(store, MeetingDimension::Category)?.into_iter().map(category).collect()
}

fn weeks(store: &FactsStore) -> Result<Vec<WeekCoverage>, AnalyticsError> {
    let mut reached_to_date = 0;
    let week = |(week, figures): (String, MeetingFigures)| {
        let invalid = || AnalyticsError::Value { view: TABLE, value: week.clone(), expected: "week" };
        reached_to_date += figures.people.first_reached;
        Ok(WeekCoverage {
            monday: week_monday(&week).ok_or_else(invalid)?,
            slice: figures.slice,
            first_reached: figures.people.first_reached,
            reached_to_date,
            week,
        })
    };
    by_meetings(store, MeetingDimension::Week)?.into_iter().map(week).collect()
}

fn counts(store: &FactsStore, region: &RegionCoverage) -> Counts {
    let facts = store.facts();
    let reference = &facts.reference;
    Counts {
        voters: store.voters().region.known(),
        precincts: store.voters().precincts.len() as u64,
        units: reference.units().len() as u64,
        members: reference.members().len() as u64,
        coalitions: reference.coalitions().len() as u64,
        meetings_planned: region.slice.fulfilment.planned,
        meetings_known: facts.meetings.rows().len() as u64 + store.attendance().unknown_meetings,
        events: facts.record_counts.events + store.attendance().events(),
        roll_voters: facts.roll.len() as u64,
        roll_precincts: facts.roll.precincts().len() as u64,
        precincts_without_roll: store.precincts_without_roll(),
        rejected: facts.record_counts.rejected,
        conflicts: facts.record_counts.conflicts,
    }
}

/// A code that a store returned; `expected` names its type.
fn parse<T: FromStr>(code: &str, expected: &'static str) -> Result<T, AnalyticsError> {
    code.parse().map_err(|_| AnalyticsError::Value { view: TABLE, value: code.to_owned(), expected })
}
