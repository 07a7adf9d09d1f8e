//! Estimates of reach beside other estimators, and under other assumptions about the people who were only counted.
//!
//! - **Random duplication** (Sainsbury's formula of media research): everybody comes to each meeting of a unit by chance,
//!   `N (1 - prod(1 - a_m / N))` for its voters `N` and the attendances `a_m` of its meetings; the region has the sum of its units.
//! - **Same ratio**: those who were only counted come again as often as the identified ones did so far, `gross * reached / contacts`.
//!
//! Both are mostly larger than the truth where some come often and others never. How much random duplication is in simulated campaigns is in
//! `analytics/estimate-accuracy.md`; the same ratio ignores that fewer attendees are new the more meetings there are. They are for comparison and nowhere else. Guarantees: the other figures are those of [`crate::coverage`]; with its settings the
//! estimates are too.

use polars::prelude::PolarsResult;
use serde::Serialize;

use crate::{
    coverage::{Coverage, EstimateSettings, eligible_share},
    dimension::MeetingDimension,
    error::AnalyticsError,
    estimate::Estimate,
    facts_store::{FactsStore, MEETING},
    figures::{Denominator, MeetingFigures},
};

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EstimatedGroup {
    /// Every meeting of the campaign.
    Region,
    /// The meetings in a unit.
    Unit,
    /// The meetings of a week.
    Week,
}

/// Estimates of a group of meetings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateRow {
    /// What the row is about.
    pub group: EstimatedGroup,
    /// Code of the unit or name of the week; empty for the region.
    pub key: String,
    /// Registered voters; none if they were not counted.
    pub voters: Option<u64>,
    /// Identified attendances in percent of the gross attendance; none without any.
    pub identified_percent: Option<f64>,
    /// Different voters who were identified.
    pub reached: u64,
    /// Lower bound of the different voters.
    pub lower: u64,
    /// Upper bound of the different voters.
    pub upper: u64,
    /// As it is published, or under the assumptions that were asked for.
    pub estimate: Estimate,
    /// What random duplication gives; none without voters.
    pub random_duplication: Option<u64>,
    /// What the ratio of the identified gives; none if nobody was identified.
    pub same_ratio: Option<u64>,
}

/// Estimates of all groups, and what they assume.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateComparison {
    /// Share of voters that was assumed among the people who were not identified.
    pub eligible_share: f64,
    /// Smallest share of the attendances that had to be identified, in percent.
    pub min_identified_percent: f64,
    /// The region, its units, and the weeks.
    pub rows: Vec<EstimateRow>,
}

/// Attendances of a counted meeting that are expected to be of voters.
struct MeetingAttendance {
    unit: Option<u32>,
    week: Option<u32>,
    voters: f64,
}

/// Compares the estimates of a store.
pub fn compare_estimates(store: &FactsStore, settings: EstimateSettings) -> Result<EstimateComparison, AnalyticsError> {
    let mut coverage = Coverage::of(store)?;
    coverage.estimate(store, settings)?;
    let share = settings.eligible_share.unwrap_or_else(|| eligible_share(&coverage.region.figures));
    let meetings = attendances(store, share).map_err(|source| AnalyticsError::Frame { what: "the attendances of meetings", source })?;
    let number = |dimension, key: &str| store.meetings().values(dimension).number(key);
    let mut rows = Vec::new();
    for unit in &coverage.units {
        let voters = store.voters().unit(unit.unit.as_str());
        let own = number(MeetingDimension::Unit, unit.unit.as_str());
        let random = random_duplication(&voters, meetings.iter().filter(|meeting| own.is_some() && meeting.unit == own));
        rows.push(row(EstimatedGroup::Unit, unit.unit.as_str(), &unit.figures, &voters, unit.estimate, random, share));
    }
    let region = &store.voters().region;
    let random: Option<Vec<f64>> = rows.iter().map(|unit| unit.random_duplication.map(|people| people as f64)).collect();
    let random = random.filter(|units| !units.is_empty()).map(|units| units.iter().sum());
    rows.insert(0, row(EstimatedGroup::Region, "", &coverage.region.figures, region, coverage.region.estimate, random, share));
    for week in &coverage.weeks {
        let own = number(MeetingDimension::Week, &week.week);
        let random = random_duplication(region, meetings.iter().filter(|meeting| own.is_some() && meeting.week == own));
        rows.push(row(EstimatedGroup::Week, &week.week, &week.figures, region, week.estimate, random, share));
    }
    Ok(EstimateComparison { eligible_share: share, min_identified_percent: settings.min_identified, rows })
}

fn attendances(store: &FactsStore, eligible_share: f64) -> PolarsResult<Vec<MeetingAttendance>> {
    let frame = store.meetings().frame();
    let numbers = |name: &str| frame.column(name)?.u32();
    let (counted, unit, week) = (numbers(MEETING)?, numbers(MeetingDimension::Unit.name())?, numbers(MeetingDimension::Week.name())?);
    let (gross, identified, contacts) = (numbers("gross")?, numbers("identified")?, numbers("contacts")?);
    let at = |row: usize| {
        counted.get(row)?;
        let unidentified = gross.get(row)?.saturating_sub(identified.get(row)?);
        let voters = f64::from(contacts.get(row)?) + f64::from(unidentified) * eligible_share;
        Some(MeetingAttendance { unit: unit.get(row), week: week.get(row), voters })
    };
    Ok((0..frame.height()).filter_map(at).collect())
}

/// Different voters if each meeting had the same chance for everybody; none if the voters were not counted.
fn random_duplication<'a>(voters: &Denominator, meetings: impl Iterator<Item = &'a MeetingAttendance>) -> Option<f64> {
    let all = voters.known().filter(|voters| *voters > 0)? as f64;
    Some(all * (1.0 - meetings.map(|meeting| (1.0 - meeting.voters / all).max(0.0)).product::<f64>()))
}

fn row(
    group: EstimatedGroup,
    key: &str,
    figures: &MeetingFigures,
    voters: &Denominator,
    estimate: Estimate,
    random: Option<f64>,
    eligible_share: f64,
) -> EstimateRow {
    let audience = &figures.audience;
    let expected = audience.contacts as f64 + audience.gross.saturating_sub(audience.identified) as f64 * eligible_share;
    EstimateRow {
        group,
        key: key.to_owned(),
        voters: voters.known(),
        identified_percent: (audience.gross > 0).then(|| audience.identified as f64 * 100.0 / audience.gross as f64),
        reached: audience.reach.reached,
        lower: audience.reach.lower,
        upper: audience.reach.upper,
        estimate,
        random_duplication: random.map(|people| people.round() as u64),
        same_ratio: (audience.contacts > 0).then(|| (expected * audience.reach.reached as f64 / audience.contacts as f64).round() as u64),
    }
}
