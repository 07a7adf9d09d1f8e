//! The test oracle: the figures that the pipeline must compute, and the expected outcomes of all submissions.
//!
//! The figures are counted from the final facts of the meetings, not from events. The code shares nothing with the fold of events or with
//! the coverage calculation. It follows the published definition, version 6.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use qamtu_schemas::id::MeetingId;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    World,
    meeting::{GeneratedDetails, GeneratedMeeting, MeetingOutcome},
    stream::{EventStream, StreamCounts},
};

mod breakdowns;
mod expected_meeting;

use expected_meeting::ExpectedMeeting;

/// Expected figures and counts of a campaign, written to `oracle.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Oracle {
    /// The figures, named as in `summary.json`.
    pub figures: Value,
    /// Numbers of submissions by expected outcome.
    pub stream: StreamCounts,
}

/// Computes the expected figures from the final facts.
pub(super) fn compute(world: &World<'_>, meetings: &[GeneratedMeeting], stream: &EventStream, seed: u64) -> Oracle {
    let expected: Vec<ExpectedMeeting<'_>> =
        meetings.iter().map(|meeting| ExpectedMeeting::of(world, meeting, &stream.withdrawn)).collect();
    let expected_figures =
        ExpectedFigures { world, meetings: &expected, today: world.clock.day(world.clock.ends), first_reports: &stream.first_reports };
    let mut figures = json!({
        "campaign": world.campaign.id,
        "synthetic": true,
        "seed": seed,
        "as_of": world.clock.ends,
        "definition": 6,
        "counts": expected_figures.counts(stream.counts.accepted),
        "plan": expected_figures.plan(),
        "units": expected_figures.units(),
        "coalitions": expected_figures.coalitions(),
        "categories": expected_figures.categories(),
        "weeks": expected_figures.weeks(),
    });
    expected_figures.add_audience(&mut figures);
    Oracle { figures, stream: stream.counts.clone() }
}

/// Audience figures of a set of meetings.
#[derive(Default)]
struct AudienceTotals {
    held: u64,
    gross: u64,
    identified: u64,
    weak: u64,
    contacts: u64,
    unidentified: u64,
    minimum: u64,
    people: BTreeMap<u32, u64>,
}

impl AudienceTotals {
    fn reached(&self) -> u64 {
        self.people.len() as u64
    }
    fn lower(&self) -> u64 {
        self.reached().max(self.minimum)
    }
    /// In every slice the cap is the number of the region's voters, since people attend outside their unit.
    fn upper(&self, voters_of_the_region: u64) -> u64 {
        self.lower().max(voters_of_the_region.min(self.reached() + self.unidentified))
    }
}

struct ExpectedFigures<'a> {
    world: &'a World<'a>,
    meetings: &'a [ExpectedMeeting<'a>],
    today: Date,
    first_reports: &'a BTreeMap<MeetingId, Timestamp>,
}

impl ExpectedFigures<'_> {
    fn held(&self) -> impl Iterator<Item = &ExpectedMeeting<'_>> {
        self.meetings.iter().filter(|expected| expected.held())
    }

    fn totals(&self, filter: impl Fn(&GeneratedDetails) -> bool) -> AudienceTotals {
        let mut sum = AudienceTotals::default();
        for expected in self.held().filter(|expected| filter(&expected.meeting.report)) {
            sum.held += 1;
            sum.gross += expected.low.max(expected.recorded());
            sum.identified += expected.strong.len() as u64;
            sum.weak += expected.weak as u64;
            sum.contacts += expected.eligible.len() as u64;
            sum.unidentified += expected.unidentified();
            sum.minimum = sum.minimum.max(expected.eligible_minimum());
            expected.eligible.iter().for_each(|person| *sum.people.entry(*person).or_default() += 1);
        }
        sum
    }

    fn planned(&self, filter: impl Fn(&GeneratedDetails) -> bool) -> u64 {
        self.meetings.iter().filter_map(|expected| expected.meeting.plan.as_ref()).filter(|plan| filter(plan)).count() as u64
    }

    fn voters(&self, unit: Option<usize>) -> u64 {
        let here = self.world.roll.precincts.iter().filter(|precinct| unit.is_none_or(|unit| unit == precinct.unit));
        here.filter_map(|precinct| precinct.counts.last()).map(|voters| u64::from(*voters)).sum()
    }

    fn lawful(&self, day: Date) -> bool {
        let days = self.world.campaign.calendar;
        days.opens <= day && day <= days.closes
    }

    fn counts(&self, accepted: u64) -> Value {
        json!({
            "voters": self.voters(None),
            "precincts": self.world.roll.precincts.len(),
            "units": self.world.campaign.units.len(),
            "members": self.world.people.members.len(),
            "coalitions": self.world.campaign.coalitions.len(),
            "meetings_planned": self.planned(|_| true),
            "meetings_known": self.meetings.iter().filter(|expected| expected.known()).count(),
            "events": accepted,
            "roll_voters": self.world.roll.number_of_voters(),
            "roll_precincts": self.world.roll.precincts.len(),
            "precincts_without_roll": self.world.roll.precincts.iter().filter(|precinct| precinct.voters.is_empty()).count(),
            "rejected": 0,
            "conflicts": 0,
        })
    }

    fn plan(&self) -> Value {
        let day = |expected: &ExpectedMeeting<'_>| self.world.clock.day(expected.meeting.report.starts);
        let number = |filter: &dyn Fn(&ExpectedMeeting<'_>) -> bool| self.meetings.iter().filter(|expected| filter(expected)).count();
        let planned = |expected: &ExpectedMeeting<'_>| expected.meeting.plan.is_some();
        let due = |expected: &ExpectedMeeting<'_>| self.is_due(expected);
        json!({
            "planned": number(&planned),
            "due": number(&due),
            "held": number(&|expected| expected.held()),
            "held_planned": number(&|expected| expected.held() && due(expected) && self.lawful(day(expected))),
            "held_extra": number(&|expected| expected.held() && !planned(expected)),
            "unlawful": number(&|expected| expected.held() && !self.lawful(day(expected))),
            "cancelled": number(&|expected| expected.meeting.outcome == MeetingOutcome::Cancelled),
            "moved": number(&|expected| !expected.meeting.moves.is_empty()),
            "missing": number(&|expected| due(expected) && !expected.held()),
            "on_time": number(&|expected| self.is_reported_within(expected, 24)),
            "late": number(&|expected| due(expected) && expected.held() && !self.is_reported_within(expected, 24)),
            "within_72_hours": number(&|expected| self.is_reported_within(expected, 72)),
            "pending": number(&|expected| expected.known() && expected.meeting.outcome == MeetingOutcome::Unreported && !planned(expected)),
            "contested": number(&|expected| expected.is_contested()),
            "nobody_eligible": number(&|expected| expected.held() && expected.meeting.nobody_eligible()),
        })
    }

    fn is_due(&self, expected: &ExpectedMeeting<'_>) -> bool {
        let day = expected.meeting.planned_start().map(|starts| self.world.clock.day(starts));
        expected.meeting.outcome != MeetingOutcome::Cancelled && day.is_some_and(|day| day <= self.today && self.lawful(day))
    }

    /// Whether it is due, and its first report arrived within so many hours of the start.
    fn is_reported_within(&self, expected: &ExpectedMeeting<'_>, hours: i64) -> bool {
        let limit = expected.meeting.report.starts + SignedDuration::from_hours(hours);
        self.is_due(expected) && expected.held() && self.first_reports.get(&expected.meeting.id).is_some_and(|received| *received <= limit)
    }

    /// Adds the audience of the whole campaign, frequencies and the figures of precincts.
    fn add_audience(&self, figures: &mut Value) {
        let all = self.totals(|_| true);
        let mut frequencies = [0_u64; 5];
        all.people.values().for_each(|times| frequencies[(*times).clamp(1, 5) as usize - 1] += 1);
        let without_report: u64 = self.meetings.iter().filter(|expected| !expected.held()).map(|expected| expected.recorded()).sum();
        let mut reached: BTreeMap<usize, u32> = BTreeMap::new();
        all.people.keys().for_each(|person| *reached.entry(self.world.roll.residence_of(*person)).or_default() += 1);
        let over = |(precinct, people): &(&usize, &u32)| Some(*people) > self.world.roll.precincts[**precinct].counts.last();
        let named: BTreeSet<usize> = self.held().filter_map(|expected| expected.meeting.report.precinct).collect();
        figures["audience"] = json!({
            "gross": all.gross,
            "identified": all.identified,
            "contacts": all.contacts,
            "reached": all.reached(),
            "weak": all.weak,
            "outside": all.identified - all.contacts,
            "unidentified": all.unidentified,
            "lower": all.lower(),
            "upper": all.upper(self.voters(None)),
            "headcount_meetings": self.held().filter(|expected| expected.meeting.headcount.is_some()).count(),
            "identified_meetings": self.held().filter(|expected| !expected.strong.is_empty()).count(),
            "uncounted_meetings": self.held().filter(|expected| expected.meeting.headcount.is_none() && expected.recorded() == 0).count(),
            "attendance_without_report": without_report,
        });
        figures["frequencies"] = json!(frequencies);
        figures["precincts_reached"] = json!(reached.len());
        figures["precincts_over"] = json!(reached.iter().filter(over).count());
        figures["precincts_without_meeting"] = json!(self.world.roll.precincts.len() - named.len());
    }
}
