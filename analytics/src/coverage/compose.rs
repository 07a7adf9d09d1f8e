//! Composes a coverage: each of its tables is a slice.

use std::{collections::BTreeMap, str::FromStr};

use qamtu_schemas::id::{CategoryCode, CoalitionId, PrecinctId, UnitCode};

use super::{
    Counts, Coverage, DEFINITION,
    breakdowns::{CategoryCoverage, CoalitionCoverage, PrecinctCoverage, RegionCoverage, UnitCoverage, WeekCoverage},
    campaign_settings::CampaignSettings,
    definition,
    estimates::{self, EstimateSettings, Group},
    unreachable::unreachable,
};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    error::AnalyticsError,
    estimate::Estimate,
    facts_store::{FactsStore, precinct_counts, week_monday},
    figures::{Audience, MeetingFigures, Residents, bounds},
    slice::{MeetingRow, PeopleCounts, RowKey, SliceRows, SliceTable, slices},
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
        let of_meetings = |dimension| SliceQuery::by([Dimension::Meeting(dimension)]);
        let of_people = |dimension| SliceQuery::by([Dimension::Person(dimension)]);
        let [total, by_unit, by_precinct, by_coalition, by_category, by_week, by_residence_unit, by_residence] = slices(
            store,
            [
                &SliceQuery { with_frequencies: true, ..SliceQuery::default() },
                &of_meetings(MeetingDimension::Unit),
                &of_meetings(MeetingDimension::Precinct),
                &of_meetings(MeetingDimension::Coalition),
                &of_meetings(MeetingDimension::Category),
                &of_meetings(MeetingDimension::Week),
                &of_people(PersonDimension::ResidenceUnit),
                &of_people(PersonDimension::Residence),
            ],
        )?;
        let region = region(store, &settings, total);
        let mut coverage = Self {
            units: units(store, &region.figures.audience, by_unit, by_residence_unit)?,
            precincts: precincts(store, by_precinct, by_residence)?,
            coalitions: coalitions(store, by_coalition)?,
            categories: categories(store, by_category)?,
            weeks: weeks(by_week)?,
            unreachable: unreachable(store),
            counts: counts(store, &region),
            quality: facts.quality.clone(),
            identity: SnapshotIdentity { campaign, as_of, offsets, definition: DEFINITION, redaction_epoch: 0 },
            campaign: settings,
            region,
        };
        coverage.estimate(store, EstimateSettings::default())?;
        Ok(coverage)
    }

    /// Adds the estimates, which follow from the figures and the lists.
    pub(crate) fn estimate(&mut self, store: &FactsStore, settings: EstimateSettings) -> Result<(), AnalyticsError> {
        let voters = |unit: &UnitCoverage| store.voters().unit(unit.unit.as_str());
        let units: Vec<Group<'_>> =
            self.units.iter().map(|unit| Group { key: unit.unit.as_str(), figures: &unit.figures, voters: voters(unit) }).collect();
        let region = || store.voters().region.clone();
        let weeks: Vec<Group<'_>> =
            self.weeks.iter().map(|week| Group { key: &week.week, figures: &week.figures, voters: region() }).collect();
        let mut estimates = estimates::of(store, &self.region.figures, &units, &weeks, settings)?;
        self.region.estimate = estimates.region;
        self.units.iter_mut().for_each(|unit| unit.estimate = estimates.units.remove(unit.unit.as_str()).unwrap_or_default());
        self.weeks.iter_mut().for_each(|week| week.estimate = estimates.weeks.remove(&week.week).unwrap_or_default());
        Ok(())
    }
}

/// Figures of meetings, by the values of the table's dimension.
fn by_meetings(table: SliceTable) -> BTreeMap<String, MeetingRow> {
    let SliceRows::Meetings(rows) = table.rows else { return BTreeMap::new() };
    rows.into_iter().filter_map(|row| Some((value(row.keys)?, row.figures))).collect()
}

/// Figures of residents, by the values of the table's dimension.
fn by_residence(table: SliceTable) -> BTreeMap<String, Residents> {
    let SliceRows::People(rows) = table.rows else { return BTreeMap::new() };
    rows.into_iter().filter_map(|row| Some((value(row.keys)?, row.figures.residents))).collect()
}

/// The value of a row by one dimension; none for a total and for meetings without a value.
fn value(keys: Vec<RowKey>) -> Option<String> {
    keys.into_iter().find_map(|key| if let RowKey::Value(value) = key { Some(value) } else { None })
}

fn region(store: &FactsStore, settings: &CampaignSettings, table: SliceTable) -> RegionCoverage {
    let total = match table.rows {
        SliceRows::Meetings(mut rows) => rows.pop().map(|row| row.figures),
        SliceRows::People(_) => None,
    };
    let (figures, people) =
        total.map_or_else(|| (MeetingFigures::default(), PeopleCounts::default()), |total| (total.figures, total.people));
    let counted = figures.fulfilment.held.saturating_sub(figures.audience.uncounted_meetings);
    RegionCoverage {
        estimate: Estimate::default(),
        frequencies: people.frequencies.unwrap_or_default(),
        attendance_without_report: store.attendance().without_report,
        ceiling: definition::ceiling(settings.planned_meetings, figures.audience.gross, counted, store.voters().region.known()),
        figures,
    }
}

fn units(
    store: &FactsStore,
    everywhere: &Audience,
    meetings: SliceTable,
    residents: SliceTable,
) -> Result<Vec<UnitCoverage>, AnalyticsError> {
    let residents = by_residence(residents);
    let unit = |(code, row): (String, MeetingRow)| {
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
            figures: row.figures,
            estimate: Estimate::default(),
            unit: code,
        })
    };
    by_meetings(meetings).into_iter().map(unit).collect()
}

fn precincts(store: &FactsStore, meetings: SliceTable, residents: SliceTable) -> Result<Vec<PrecinctCoverage>, AnalyticsError> {
    let meetings = by_meetings(meetings);
    let counts = precinct_counts(&store.facts().reference, store.today());
    let mut precincts = Vec::new();
    for (id, residents) in by_residence(residents) {
        // A precinct whose first count comes later is not in the denominator; it is listed once one of its residents is reached.
        if residents.reach.denominator.is_known() || residents.reach.reached > 0 {
            let precinct: PrecinctId = parse(&id, "precinct")?;
            let counted = counts.get(&precinct);
            precincts.push(PrecinctCoverage {
                unit: counted.map(|count| count.unit.clone()),
                number: counted.map(|count| count.number),
                meetings: meetings.get(&id).map_or(0, |row| row.figures.fulfilment.held),
                residents,
                precinct,
            });
        }
    }
    Ok(precincts)
}

fn coalitions(store: &FactsStore, table: SliceTable) -> Result<Vec<CoalitionCoverage>, AnalyticsError> {
    let coalition = |(id, row): (String, MeetingRow)| {
        let coalition: CoalitionId = parse(&id, "coalition")?;
        let formed = store.facts().reference.coalition(&coalition);
        Ok(CoalitionCoverage {
            names: formed.map(|formed| formed.names.clone()),
            unit: formed.and_then(|formed| formed.unit.clone()),
            figures: row.figures,
            coalition,
        })
    };
    by_meetings(table).into_iter().map(coalition).collect()
}

fn categories(store: &FactsStore, table: SliceTable) -> Result<Vec<CategoryCoverage>, AnalyticsError> {
    let listed = || store.facts().reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
    let category = |(code, row): (String, MeetingRow)| {
        let category: CategoryCode = parse(&code, "category")?;
        let names = listed().find(|listed| listed.code == category).map(|listed| listed.names.clone());
        Ok(CategoryCoverage { category, names, figures: row.figures })
    };
    by_meetings(table).into_iter().map(category).collect()
}

fn weeks(table: SliceTable) -> Result<Vec<WeekCoverage>, AnalyticsError> {
    let mut reached_to_date = 0;
    let week = |(week, row): (String, MeetingRow)| {
        let invalid = || AnalyticsError::Value { view: TABLE, value: week.clone(), expected: "week" };
        reached_to_date += row.people.first_reached;
        Ok(WeekCoverage {
            monday: week_monday(&week).ok_or_else(invalid)?,
            figures: row.figures,
            estimate: Estimate::default(),
            first_reached: row.people.first_reached,
            reached_to_date,
            week,
        })
    };
    by_meetings(table).into_iter().map(week).collect()
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
        meetings_planned: region.figures.fulfilment.planned,
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
