//! Surveys beside the counted coverage of the same place.
//!
//! - Of several results of one survey the one with the highest event id counts, and the survey is contested if they differ
//!   ([`qamtu_schemas::surveys`]).
//! - The **counted coverage** is that of the meetings up to the local day of the survey, by what is known of them now. That of a unit is the
//!   coverage of its residents, since residents are asked.
//! - Survey and count **contradict** each other if the interval of the survey and the bounds of the count have no share in common. The upper
//!   bound is not known while people at a held meeting were not counted.
//!
//! Guarantees: survey and count are never merged into one number, and neither changes the other.

use jiff::civil::Date;
use qamtu_schemas::{
    id::{SurveyId, UnitCode},
    surveys::SurveyResult,
};
use serde::Serialize;

use super::{
    SurveyJudgement,
    lqas::{LqasDecision, LqasRule},
    wilson::ShareInterval,
};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    error::AnalyticsError,
    facts_store::FactsStore,
    figures::{Reach, bounds},
    slice::{RowKey, SliceRows, slices},
    slice_query::{Comparison, Filter, SliceQuery},
};

/// A survey and the counted coverage of its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SurveyComparison {
    /// Id of the survey.
    pub survey: SurveyId,
    /// Code of its unit; none for the region.
    pub unit: Option<UnitCode>,
    /// Local day on which it was made.
    pub day: Date,
    /// How the asked were chosen.
    pub method: String,
    /// People who were asked.
    pub asked: u32,
    /// Those of them who had been at a meeting.
    pub attended: u32,
    /// Whether another result of the same survey was reported.
    pub contested: bool,
    /// Share of the asked who had been at a meeting, with a 95 % interval; none if nobody was asked.
    pub share: Option<PercentInterval>,
    /// What was counted by then.
    pub counted: CountedCoverage,
    /// Whether the two contradict each other.
    pub verdict: Verdict,
    /// The decision of a small sample, if shares to be told apart were given.
    pub lqas: Option<LqasOutcome>,
}

/// A share and its interval, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PercentInterval {
    /// The share of the sample.
    pub percent: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Reach of the meetings up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CountedCoverage {
    /// Different voters who were identified.
    pub reached: u64,
    /// Lower bound of the different voters.
    pub lower: u64,
    /// Upper bound; none while people at a held meeting were not counted.
    pub upper: Option<u64>,
    /// Registered voters of the place, if they were counted.
    pub voters: Option<u64>,
}

/// Whether a survey and the counted coverage contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Some share lies in the interval and within the bounds.
    NoContradiction,
    /// The whole interval is above the upper bound.
    SurveyHigher,
    /// The whole interval is below the lower bound.
    SurveyLower,
    /// Nobody was asked, or the voters of the place are not known.
    NotComparable,
}

/// The decision of a survey as a small sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LqasOutcome {
    /// The rule for its number of people.
    #[serde(flatten)]
    pub rule: LqasRule,
    /// What it says.
    pub decision: LqasDecision,
}

/// Compares every survey.
pub(super) fn compare(store: &FactsStore, judgement: SurveyJudgement) -> Result<Vec<SurveyComparison>, AnalyticsError> {
    let mut compared = Vec::new();
    for result in store.facts().surveys.values() {
        compared.push(comparison(store, result, judgement)?);
    }
    compared.sort_by(|one, other| (one.day, &one.survey).cmp(&(other.day, &other.survey)));
    Ok(compared)
}

fn comparison(store: &FactsStore, result: &SurveyResult, judgement: SurveyJudgement) -> Result<SurveyComparison, AnalyticsError> {
    let SurveyResult { report, time, contested } = result;
    let day = store.calendar().day(*time);
    let share = ShareInterval::of(report.reached, report.asked, judgement.design_effect);
    let counted = counted(store, report.unit.as_ref(), day)?;
    let lqas = judgement.lqas.filter(|_| report.asked > 0).map(|task| {
        let rule = task.rule(report.asked);
        LqasOutcome { rule, decision: task.decide(&rule, report.reached) }
    });
    Ok(SurveyComparison {
        survey: report.survey.clone(),
        unit: report.unit.clone(),
        day,
        method: report.method.to_string(),
        asked: report.asked,
        attended: report.reached,
        contested: *contested,
        share: share.map(|ShareInterval { share, low, high }| PercentInterval {
            percent: share * 100.0,
            low: low * 100.0,
            high: high * 100.0,
        }),
        counted,
        verdict: verdict(share, &counted),
        lqas,
    })
}

/// Reach of the meetings up to a day: of the region, or of the residents of a unit.
fn counted(store: &FactsStore, unit: Option<&UnitCode>, day: Date) -> Result<CountedCoverage, AnalyticsError> {
    let until =
        Filter { dimension: Dimension::Meeting(MeetingDimension::Day), comparison: Comparison::AtMost, values: vec![day.to_string()] };
    let of_meetings = SliceQuery { filters: vec![until], ..SliceQuery::default() };
    let of_residents = SliceQuery { by: vec![Dimension::Person(PersonDimension::ResidenceUnit)], ..of_meetings.clone() };
    let [meetings, residents] = slices(store, [&of_meetings, &of_residents])?;
    let region = match meetings.rows {
        SliceRows::Meetings(mut rows) => rows.pop().map(|row| row.figures.figures.audience).unwrap_or_default(),
        SliceRows::People(_) => Default::default(),
    };
    let reach = match unit {
        None => region.reach.clone(),
        Some(unit) => {
            let key = RowKey::Value(unit.to_string());
            let reached = match residents.rows {
                SliceRows::People(rows) => rows.iter().find(|row| row.keys.contains(&key)).map_or(0, |row| row.figures.people.reached),
                SliceRows::Meetings(_) => 0,
            };
            let voters = store.voters().unit(unit.as_str());
            let known = voters.known();
            bounds::of_residents(reached, &region, voters, known)
        }
    };
    let Reach { reached, lower, upper, denominator, .. } = reach;
    Ok(CountedCoverage { reached, lower, upper: (region.uncounted_meetings == 0).then_some(upper), voters: denominator.known() })
}

fn verdict(share: Option<ShareInterval>, counted: &CountedCoverage) -> Verdict {
    let Some((share, voters)) = share.zip(counted.voters.filter(|voters| *voters > 0)) else { return Verdict::NotComparable };
    let part = |people: u64| people as f64 / voters as f64;
    if share.high < part(counted.lower) {
        Verdict::SurveyLower
    } else if counted.upper.is_some_and(|upper| share.low > part(upper)) {
        Verdict::SurveyHigher
    } else {
        Verdict::NoContradiction
    }
}
