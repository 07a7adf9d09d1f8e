//! The test oracle: the figures that the pipeline must compute, and the expected outcomes of all submissions.
//!
//! The figures are counted from the final facts of the meetings, not from events. The code shares nothing with the fold of events or with
//! the coverage calculation. It follows the published definition, version 3.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    World,
    meeting::{Anomaly, Meeting, MeetingDetails, MeetingOutcome},
    people::Attendee,
    stream::{EventStream, StreamCounts},
};

/// Expected figures and counts of a campaign, written to `oracle.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Oracle {
    /// The figures, named as in `summary.json`.
    pub figures: Value,
    /// Numbers of submissions by expected outcome.
    pub stream: StreamCounts,
}

/// Computes the expected figures from the final facts.
pub(super) fn compute(world: &World<'_>, meetings: &[Meeting], stream: &EventStream, seed: u64) -> Oracle {
    let expected: Vec<ExpectedMeeting<'_>> =
        meetings.iter().map(|meeting| ExpectedMeeting::of(world, meeting, &stream.withdrawn)).collect();
    let expected_figures = ExpectedFigures { world, meetings: &expected, today: world.clock.day(world.clock.ends) };
    let mut figures = json!({
        "campaign": world.campaign.id,
        "synthetic": true,
        "seed": seed,
        "as_of": world.clock.ends,
        "definition": 3,
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

/// A meeting's audience after all corrections, retractions and withdrawals.
struct ExpectedMeeting<'a> {
    meeting: &'a Meeting,
    strong: BTreeSet<u32>,
    weak: usize,
    eligible: Vec<u32>,
    low: u64,
    high: u64,
    stated_minimum: u64,
    /// Whether it starts before the end of the stream.
    begun: bool,
}

impl<'a> ExpectedMeeting<'a> {
    fn of(world: &World<'_>, meeting: &'a Meeting, withdrawn: &BTreeSet<Attendee>) -> Self {
        let lines = if headcounts_only(world, meeting) { &[][..] } else { &meeting.lines };
        let people: BTreeSet<Attendee> =
            lines.iter().filter_map(|line| line.holds()).filter(|attendee| !withdrawn.contains(attendee)).collect();
        let strong: BTreeSet<u32> =
            people.iter().filter_map(|attendee| if let Attendee::Strong(person) = attendee { Some(*person) } else { None }).collect();
        let eligible = strong.iter().copied().filter(|person| (*person as usize) < world.roll.len()).collect();
        let headcount = meeting.headcount;
        Self {
            weak: people.len() - strong.len(),
            strong,
            eligible,
            begun: meeting.report.starts <= world.clock.ends,
            low: headcount.map_or(0, |headcount| headcount.low().into()),
            high: headcount.map_or(0, |headcount| headcount.high().into()),
            stated_minimum: headcount.and_then(|headcount| headcount.eligible_minimum).unwrap_or(0).into(),
            meeting,
        }
    }

    fn recorded(&self) -> u64 {
        (self.strong.len() + self.weak) as u64
    }

    /// Number of attendees who are not strongly identified.
    fn unidentified(&self) -> u64 {
        self.high.max(self.recorded()) - self.strong.len() as u64
    }

    /// The stated minimum of eligible people, reduced if more attendees are known to be from outside.
    fn eligible_minimum(&self) -> u64 {
        self.stated_minimum.min(self.eligible.len() as u64 + self.unidentified())
    }

    fn held(&self) -> bool {
        self.meeting.outcome == MeetingOutcome::Held && self.begun
    }

    /// Whether contradicting events are in force.
    fn is_contested(&self) -> bool {
        matches!(
            self.meeting.anomaly,
            Anomaly::TwoReports
                | Anomaly::TwoHeadcounts
                | Anomaly::CancelledYetHeld
                | Anomaly::OtherUnit { contested: true }
                | Anomaly::RevealedLate { contested: true }
        )
    }

    /// The unit of the report if held, otherwise that of the plan.
    fn unit(&self) -> Option<usize> {
        if self.held() { Some(self.meeting.report.unit) } else { self.meeting.plan.as_ref().map(|plan| plan.unit) }
    }

    /// Whether any event of the meeting is in force.
    fn known(&self) -> bool {
        self.held() || self.meeting.plan.is_some() || self.meeting.headcount.is_some() || self.recorded() > 0
    }
}

/// Whether the plan or a report in force has a revealing category, first or second. Then names are not counted.
fn headcounts_only(world: &World<'_>, meeting: &Meeting) -> bool {
    if meeting.anomaly == (Anomaly::RevealedLate { contested: true }) {
        return true;
    }
    let report = (meeting.outcome == MeetingOutcome::Held).then_some(&meeting.report);
    let reveals = |category: usize| world.campaign.categories[category].revealing;
    meeting.plan.iter().chain(report).any(|details| reveals(details.category) || details.secondary.is_some_and(reveals))
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
}

impl ExpectedFigures<'_> {
    fn held(&self) -> impl Iterator<Item = &ExpectedMeeting<'_>> {
        self.meetings.iter().filter(|expected| expected.held())
    }

    fn totals(&self, filter: impl Fn(&MeetingDetails) -> bool) -> AudienceTotals {
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

    fn planned(&self, filter: impl Fn(&MeetingDetails) -> bool) -> u64 {
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
            "roll_voters": self.world.roll.len(),
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
            "pending": number(&|expected| expected.known() && expected.meeting.outcome == MeetingOutcome::Unreported && !planned(expected)),
            "contested": number(&|expected| expected.is_contested()),
        })
    }

    fn is_due(&self, expected: &ExpectedMeeting<'_>) -> bool {
        let day = expected.meeting.planned_start().map(|starts| self.world.clock.day(starts));
        expected.meeting.outcome != MeetingOutcome::Cancelled && day.is_some_and(|day| day <= self.today && self.lawful(day))
    }

    /// Adds the audience of the whole campaign, exposure and the figures of precincts.
    fn add_audience(&self, figures: &mut Value) {
        let all = self.totals(|_| true);
        let mut exposure = [0_u64; 5];
        all.people.values().for_each(|times| exposure[(*times).clamp(1, 5) as usize - 1] += 1);
        let pending: u64 = self.meetings.iter().filter(|expected| !expected.held()).map(|expected| expected.recorded()).sum();
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
            "rest": all.unidentified,
            "lower": all.lower(),
            "upper": all.upper(self.voters(None)),
            "headcount_meetings": self.held().filter(|expected| expected.meeting.headcount.is_some()).count(),
            "identified_meetings": self.held().filter(|expected| !expected.strong.is_empty()).count(),
            "uncounted_meetings": self.held().filter(|expected| expected.meeting.headcount.is_none() && expected.recorded() == 0).count(),
            "pending_attendance": pending,
        });
        figures["exposure"] = json!(exposure);
        figures["precincts_reached"] = json!(reached.len());
        figures["precincts_over"] = json!(reached.iter().filter(over).count());
        figures["precincts_without_meeting"] = json!(self.world.roll.precincts.len() - named.len());
    }

    fn units(&self) -> Value {
        let mut residents = vec![(0_u64, 0_u64); self.world.campaign.units.len()];
        for (person, times) in &self.totals(|_| true).people {
            let unit = self.world.roll.precincts[self.world.roll.residence_of(*person)].unit;
            residents[unit].0 += 1;
            residents[unit].1 += times;
        }
        let mut order: Vec<usize> = (0..self.world.campaign.units.len()).collect();
        order.sort_by_key(|unit| &self.world.campaign.units[*unit].code);
        let planned_here =
            |unit| self.meetings.iter().filter(move |expected| expected.meeting.plan.as_ref().is_some_and(|plan| plan.unit == unit));
        let one = |unit: usize| {
            let here = self.totals(|report| report.unit == unit);
            let voters = self.voters(Some(unit));
            json!({
                "unit": self.world.campaign.units[unit].code,
                "voters": voters,
                "planned": self.planned(|plan| plan.unit == unit),
                "cancelled": planned_here(unit).filter(|expected| expected.meeting.outcome == MeetingOutcome::Cancelled).count(),
                "missing": planned_here(unit).filter(|expected| self.is_due(expected) && !expected.held()).count(),
                "contested": self.meetings.iter().filter(|expected| expected.is_contested() && expected.unit() == Some(unit)).count(),
                "held": here.held,
                "gross": here.gross,
                "contacts": here.contacts,
                "reached": here.reached(),
                "weak": here.weak,
                "outside": here.identified - here.contacts,
                "rest": here.unidentified,
                "lower": here.lower(),
                "upper": here.upper(self.voters(None)),
                "residents_reached": residents[unit].0,
                "residents_contacts": residents[unit].1,
            })
        };
        order.into_iter().map(one).collect()
    }

    fn coalitions(&self) -> Value {
        let mut order: Vec<usize> = (0..self.world.campaign.coalitions.len()).collect();
        order.sort_by_key(|coalition| &self.world.campaign.coalitions[*coalition].id);
        let one = |coalition: usize| {
            let theirs = self.totals(|report| report.coalition == coalition);
            json!({
                "coalition": self.world.campaign.coalitions[coalition].id,
                "planned": self.planned(|plan| plan.coalition == coalition),
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
            })
        };
        order.into_iter().map(one).collect()
    }

    fn categories(&self) -> Value {
        let mut order: Vec<usize> = (0..self.world.campaign.categories.len()).collect();
        order.sort_by_key(|category| &self.world.campaign.categories[*category].code);
        let one = |category: usize| {
            let theirs = self.totals(|report| report.category == category || report.secondary == Some(category));
            json!({
                "category": self.world.campaign.categories[category].code,
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
            })
        };
        order.into_iter().map(one).collect()
    }

    fn weeks(&self) -> Value {
        let week = |report: &MeetingDetails| self.world.clock.week(report.starts);
        let weeks: BTreeSet<String> = self.held().map(|expected| week(&expected.meeting.report)).collect();
        let one = |this: &String| {
            let theirs = self.totals(|report| week(report) == *this);
            json!({
                "week": this,
                "held": theirs.held,
                "gross": theirs.gross,
                "contacts": theirs.contacts,
                "reached": theirs.reached(),
                "reached_to_date": self.totals(|report| week(report) <= *this).reached(),
            })
        };
        weeks.iter().map(one).collect()
    }
}
