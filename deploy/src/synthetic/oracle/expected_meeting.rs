//! A meeting's audience after all corrections, retractions and withdrawals, counted from its final facts.

use std::collections::BTreeSet;

use crate::synthetic::{
    World,
    meeting::{Anomaly, GeneratedMeeting, MeetingOutcome},
    people::Attendee,
};

/// A meeting's audience after all corrections, retractions and withdrawals.
pub(super) struct ExpectedMeeting<'a> {
    pub meeting: &'a GeneratedMeeting,
    pub strong: BTreeSet<u32>,
    pub weak: usize,
    pub eligible: Vec<u32>,
    pub low: u64,
    high: u64,
    stated_minimum: u64,
    /// Whether it starts before the end of the stream.
    begun: bool,
}

impl<'a> ExpectedMeeting<'a> {
    pub fn of(world: &World<'_>, meeting: &'a GeneratedMeeting, withdrawn: &BTreeSet<Attendee>) -> Self {
        let lines = if headcounts_only(world, meeting) || meeting.nobody_eligible() { &[][..] } else { &meeting.lines };
        let people: BTreeSet<Attendee> =
            lines.iter().filter_map(|line| line.holds()).filter(|attendee| !withdrawn.contains(attendee)).collect();
        let strong: BTreeSet<u32> =
            people.iter().filter_map(|attendee| if let Attendee::Strong(person) = attendee { Some(*person) } else { None }).collect();
        let eligible = strong.iter().copied().filter(|person| (*person as usize) < world.roll.number_of_voters()).collect();
        let headcount = meeting.headcount.filter(|headcount| !headcount.nobody_eligible);
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

    pub fn recorded(&self) -> u64 {
        (self.strong.len() + self.weak) as u64
    }

    /// Number of attendees who are not strongly identified.
    pub fn unidentified(&self) -> u64 {
        self.high.max(self.recorded()) - self.strong.len() as u64
    }

    /// The stated minimum of eligible people, reduced if more attendees are known to be from outside.
    pub fn eligible_minimum(&self) -> u64 {
        self.stated_minimum.min(self.eligible.len() as u64 + self.unidentified())
    }

    pub fn held(&self) -> bool {
        self.meeting.outcome == MeetingOutcome::Held && self.begun
    }

    /// Whether contradicting events are in force.
    pub fn is_contested(&self) -> bool {
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
    pub fn unit(&self) -> Option<usize> {
        if self.held() { Some(self.meeting.report.unit) } else { self.meeting.plan.as_ref().map(|plan| plan.unit) }
    }

    /// Whether any event of the meeting is in force.
    pub fn known(&self) -> bool {
        self.held() || self.meeting.plan.is_some() || self.meeting.headcount.is_some() || self.recorded() > 0
    }
}

/// Whether the plan or a report in force has a revealing category, first or second. Then names are not counted.
fn headcounts_only(world: &World<'_>, meeting: &GeneratedMeeting) -> bool {
    if meeting.anomaly == (Anomaly::RevealedLate { contested: true }) {
        return true;
    }
    let report = (meeting.outcome == MeetingOutcome::Held).then_some(&meeting.report);
    let reveals = |category: usize| world.campaign.categories[category].revealing;
    meeting.plan.iter().chain(report).any(|details| reveals(details.category) || details.secondary.is_some_and(reveals))
}
