//! How far the planned meetings that remain will carry the campaign: attendances and reach until the last lawful day.
//!
//! A campaign is continued many times by chance: a planned meeting is held with the probability that plans of its unit were held, its size varies
//! around the expected one as sizes did so far (negative binomial), and its people come again as unequally often as those before ([`crate::estimate`]).
//! Of meetings that began and have no report, as many are expected to be reported late as of those before. What few meetings tell is uncertain,
//! so each continuation has its own expected size and probability, drawn with their standard errors. The fan is what the middle 80 % of the
//! continuations have.
//!
//! Guarantees: the same facts give the same forecast, since chance is seeded. Once nothing remains, the forecast is the present state. It fails
//! closed: without an estimate of the reach so far there is none of the reach to come, but the reason. It supposes that attendance stays as it
//! was and that nothing is held without a plan. Plans that the campaign is configured for and that were not sent yet have no day and place; [`WholePlan`] has them as average meetings.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, Gamma, Poisson, StandardNormal};
use serde::Serialize;

use crate::{
    coverage::{Coverage, Estimate, region_group},
    error::AnalyticsError,
    estimate::Projection,
    facts::meetings::{InternedMeeting, InternedPlan},
    facts_store::{FactsStore, is_missing},
    remaining_plans::{Learned, RemainingPlan, RemainingPlans, remaining, unreachable},
};

/// Continuations that are drawn.
const DRAWS: usize = 1_000;

/// The unit and format of a meeting that was not planned yet: those of all count.
const UNKNOWN: &str = "";

/// The middle of the continuations, and the ends of their middle 80 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fan {
    /// One in ten is lower.
    pub low: u64,
    /// The median: half of the continuations are lower.
    pub middle: u64,
    /// One in ten is higher.
    pub high: u64,
}

/// The state after the plans of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForecastDay {
    /// Local day on which plans remain.
    pub day: Date,
    /// Plans that remain until its end.
    pub meetings: usize,
    /// Gross attendance by then, with that of the meetings so far.
    pub gross: Fan,
    /// Different voters; none without an estimate.
    pub reached: Option<Fan>,
}

/// New voters for each meeting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunRate {
    /// Different voters for each held meeting so far.
    pub so_far: f64,
    /// New voters for each meeting that is expected to be held or reported late, unsent plans included, to reach the target; none if no meeting
    /// remains.
    pub needed: Option<f64>,
}

/// The forecast of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// Plans that remain on lawful days.
    pub remaining: usize,
    /// How many of them are expected to be held.
    pub expected_held: u64,
    /// Further planned meetings in precincts where none can be held; none of them is expected.
    pub unreachable: usize,
    /// Meetings that began and have no report.
    pub missing: usize,
    /// How many of their reports are expected to come.
    pub expected_late: u64,
    /// Gross attendance so far.
    pub gross: u64,
    /// Different voters so far; an interval if some people were only counted.
    pub reached: Option<Fan>,
    /// The days with plans that remain, in order.
    pub days: Vec<ForecastDay>,
    /// Meetings that the campaign is configured for and whose plans were not sent; 0 once the last lawful day has passed.
    pub unsent: u64,
    /// The end if these are held as the others are; none if there is none.
    pub whole_plan: Option<WholePlan>,
    /// Why there is no forecast of reach.
    pub no_reach: Option<Estimate>,
    /// Voters that the campaign is to reach, as configured; none if 0.
    pub target: Option<u64>,
    /// Reach of the whole plan if nobody came twice, at most all voters.
    pub ceiling: Option<u64>,
    /// New voters for each meeting, so far and as needed for the target; none without a target or an estimate.
    pub run_rate: Option<RunRate>,
}

/// The end of the campaign with all meetings that it is configured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WholePlan {
    /// Gross attendance by then, with that of the meetings so far.
    pub gross: Fan,
    /// Different voters; none without an estimate.
    pub reached: Option<Fan>,
}

/// What continuations are drawn from.
struct Outlook<'a> {
    learned: &'a Learned,
    shape: Option<f64>,
    plans: &'a [RemainingPlan],
    missing: &'a [(String, String)],
    unsent: u64,
    projection: Option<Projection>,
}

/// Attendances of one continuation by day, and its different voters.
type Continuation = Vec<(f64, Option<f64>)>;

/// Forecasts a campaign from its present state; fails only if its coverage cannot be computed.
pub fn forecast(store: &FactsStore) -> Result<Forecast, AnalyticsError> {
    let coverage = Coverage::of(store)?;
    let figures = &coverage.region.figures;
    let learned = Learned::of(store)?;
    let RemainingPlans { reachable: mut plans, unreachable: impossible } = remaining(store);
    plans.sort_by_key(|plan| plan.day);
    let missing = missing(store);
    let (projection, no_reach) = match coverage.region.estimate {
        why @ (Estimate::FewIdentified | Estimate::NoSolution | Estimate::NotApplicable) => (None, Some(why)),
        Estimate::Exact | Estimate::Estimated { .. } => match region_group(store, figures)?.projection() {
            Ok(projection) => (Some(projection), None),
            Err(why) => (None, Some(why)),
        },
    };
    let unsent = match store.calendar().is_over() {
        true => 0,
        false => u64::from(coverage.campaign.planned_meetings).saturating_sub(figures.fulfilment.planned),
    };
    let outlook = Outlook { shape: learned.size_shape(store)?, learned: &learned, plans: &plans, missing: &missing, unsent, projection };
    let mut days: BTreeMap<Date, usize> = BTreeMap::new();
    plans.iter().for_each(|plan| *days.entry(plan.day).or_default() += 1);
    let draws: Vec<Continuation> = match learned.meetings() {
        0 => Vec::new(),
        _ => (0..DRAWS).map(|draw| outlook.draw(draw)).collect(),
    };
    let fan_at = |at: usize| {
        let gross = fan(draws.iter().map(|draw| draw[at].0 + figures.audience.gross as f64).collect());
        (gross, draws.iter().map(|draw| draw[at].1).collect::<Option<Vec<f64>>>().and_then(fan))
    };
    let reached = (!draws.is_empty()).then(|| fan_at(0).1).flatten();
    let mut meetings = 0;
    let of_day = |(at, (day, of_day)): (usize, (&Date, &usize))| {
        meetings += of_day;
        let (gross, reached) = fan_at(at + 1);
        Some(ForecastDay { day: *day, meetings, gross: gross?, reached })
    };
    let days = if draws.is_empty() { Vec::new() } else { days.iter().enumerate().filter_map(of_day).collect() };
    let whole_plan = (unsent > 0 && !draws.is_empty())
        .then(|| fan_at(draws[0].len() - 1))
        .and_then(|(gross, reached)| Some(WholePlan { gross: gross?, reached }));
    let expected_held: f64 = plans.iter().map(|plan| learned.held(&plan.unit)).sum();
    let expected_in_all = expected_held + unsent as f64 * learned.held(UNKNOWN) + missing.len() as f64 * learned.late();
    let target = Some(u64::from(coverage.campaign.planned_reach)).filter(|target| *target > 0);
    let run_rate = reached.zip(target).filter(|_| figures.fulfilment.held > 0).map(|(reached, target)| RunRate {
        so_far: reached.middle as f64 / figures.fulfilment.held as f64,
        needed: (expected_held + unsent as f64 > 0.0).then(|| target.saturating_sub(reached.middle) as f64 / expected_in_all),
    });
    Ok(Forecast {
        remaining: plans.len(),
        unreachable: impossible.len(),
        missing: missing.len(),
        expected_late: (missing.len() as f64 * learned.late()).round() as u64,
        expected_held: expected_held.round() as u64,
        gross: figures.audience.gross,
        reached,
        days,
        unsent,
        whole_plan,
        no_reach,
        target,
        ceiling: coverage.region.ceiling,
        run_rate,
    })
}

/// Unit and format of each meeting that began, has no report and can have been held.
fn missing(store: &FactsStore) -> Vec<(String, String)> {
    let (meetings, as_of) = (&store.facts().meetings, store.facts().selection.as_of);
    let plan = |meeting: &InternedMeeting| {
        let is_expected = |plan: &&InternedPlan| {
            plan.starts <= as_of && is_missing(meeting, plan, store.calendar()) && unreachable(store, plan).is_none()
        };
        let plan = meeting.plan.as_ref().filter(is_expected)?;
        Some((meetings.units.keys()[plan.unit as usize].to_string(), meetings.formats.keys()[plan.format as usize].to_string()))
    };
    meetings.rows().iter().filter_map(plan).collect()
}

/// The middle 80 % of some numbers; none without numbers.
fn fan(mut numbers: Vec<f64>) -> Option<Fan> {
    numbers.sort_by(f64::total_cmp);
    let at =
        |share: f64| numbers.get(((numbers.len().checked_sub(1)?) as f64 * share).round() as usize).map(|number| number.round() as u64);
    Some(Fan { low: at(0.1)?, middle: at(0.5)?, high: at(0.9)? })
}

impl Outlook<'_> {
    /// Continues the campaign once: the present state, the state after each day with plans, and that with the unsent plans. Late reports
    /// are in all but the first.
    fn draw(&self, draw: usize) -> Continuation {
        let mut random = ChaCha8Rng::seed_from_u64(draw as u64);
        let [of_model, of_repeats, of_people, of_held]: [f64; 4] = std::array::from_fn(|_| StandardNormal.sample(&mut random));
        let level = (1.0 + of_people * self.learned.people_error(self.shape)).max(0.0);
        let held_more = of_held * self.learned.held_error();
        let reached = |gross: f64| {
            let more = gross * self.learned.eligible_share();
            self.projection.as_ref().map(|projection| projection.reached(more, draw, [of_model, of_repeats]))
        };
        let mut states = vec![(0.0, reached(0.0))];
        let late = (self.learned.late() + held_more).clamp(0.0, 1.0);
        let late = |(unit, format): &(String, String)| self.people(unit, format, level, late, &mut random);
        let mut gross: f64 = if self.learned.late() > 0.0 { self.missing.iter().map(late).sum() } else { 0.0 };
        for of_day in self.plans.chunk_by(|one, other| one.day == other.day) {
            gross += of_day
                .iter()
                .map(|plan| self.people(&plan.unit, &plan.format, level, self.learned.held(&plan.unit) + held_more, &mut random))
                .sum::<f64>();
            states.push((gross, reached(gross)));
        }
        gross += self.people_of_unsent(level, held_more, &mut random);
        states.push((gross, reached(gross)));
        states
    }

    /// Attendance of all unsent plans, whose number is not limited: a sum of as many gamma-distributed sizes is one of a larger shape.
    fn people_of_unsent(&self, level: f64, held_more: f64, random: &mut ChaCha8Rng) -> f64 {
        let probability = (self.learned.held(UNKNOWN) + held_more).clamp(0.0, 1.0);
        let held = Binomial::new(self.unsent, probability).map_or(0, |binomial| binomial.sample(random));
        let expected = level * self.learned.people(UNKNOWN, UNKNOWN);
        let sum = match self.shape.and_then(|shape| Gamma::new(shape * held as f64, expected / shape).ok()) {
            Some(gamma) => gamma.sample(random),
            None => expected * held as f64,
        };
        Poisson::new(sum).map_or(0.0, |poisson| poisson.sample(random))
    }

    /// Attendance of a meeting that is held with a probability, 0 if it is not held.
    fn people(&self, unit: &str, format: &str, level: f64, probability: f64, random: &mut ChaCha8Rng) -> f64 {
        let expected = level * self.learned.people(unit, format);
        let is_held = random.random::<f64>() < probability;
        let size = match self.shape.and_then(|shape| Gamma::new(shape, expected / shape).ok()) {
            Some(gamma) => gamma.sample(random),
            None => expected,
        };
        let people = Poisson::new(size).map_or(0.0, |poisson| poisson.sample(random));
        if is_held { people } else { 0.0 }
    }
}
