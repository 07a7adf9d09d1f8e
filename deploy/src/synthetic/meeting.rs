//! The types of a generated meeting: plan, outcome, report, audience and anomalies.
//!
//! [`super::meetings`] draws meetings, [`super::audience`] their audience, [`super::anomalies`] their anomalies;
//! [`super::emit_meetings`] turns them into events.

use jiff::{SignedDuration, Timestamp};
use qamtu_schemas::{event::Plan, id::MeetingId};

use super::{World, people::Attendee};
use crate::submission::Iin;

/// The fields of a plan or a report, as indexes into the lists of [`World`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GeneratedDetails {
    pub unit: usize,
    pub precinct: Option<usize>,
    pub venue: Option<usize>,
    pub coalition: usize,
    pub members: Vec<usize>,
    pub category: usize,
    pub secondary: Option<usize>,
    /// Index into the scenario's formats.
    pub format: usize,
    pub language: usize,
    pub starts: Timestamp,
    pub expected: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeetingOutcome {
    Held,
    Cancelled,
    Unreported,
}

/// A meeting with its final facts and the way in which they are reported.
#[derive(Debug, Clone)]
pub(super) struct GeneratedMeeting {
    pub id: MeetingId,
    /// The plan in force; none for a meeting outside the plan.
    pub plan: Option<GeneratedDetails>,
    /// The new starts of successive moves.
    pub moves: Vec<Timestamp>,
    pub outcome: MeetingOutcome,
    /// The report in force if the meeting is held.
    pub report: GeneratedDetails,
    pub headcount: Option<GeneratedHeadcount>,
    pub lines: Vec<GeneratedLine>,
    pub anomaly: Anomaly,
    /// Delay between the meeting and its report.
    pub delay: Delay,
    /// Whether its sheet arrives in an import file.
    pub is_imported: bool,
}

impl GeneratedMeeting {
    pub fn nobody_eligible(&self) -> bool {
        self.headcount.is_some_and(|headcount| headcount.nobody_eligible)
    }

    pub fn planned_start(&self) -> Option<Timestamp> {
        self.plan.as_ref().map(|plan| self.moves.last().copied().unwrap_or(plan.starts))
    }
}

impl GeneratedDetails {
    /// Every meeting takes 90 minutes.
    pub fn ends(&self) -> Timestamp {
        self.starts + SignedDuration::from_mins(90)
    }

    /// The same as payload of the event contract.
    pub fn payload(&self, world: &World<'_>) -> Plan {
        let campaign = world.campaign;
        Plan {
            unit: campaign.units[self.unit].code.clone(),
            precinct: self.precinct.map(|index| world.roll.precincts[index].id.clone()),
            venue: self.venue.map(|index| world.venues[index].id.clone()),
            coalition: campaign.coalitions[self.coalition].id.clone(),
            members: self.members.iter().map(|index| world.people.members[*index].id.clone()).collect(),
            category: campaign.categories[self.category].code.clone(),
            secondary: self.secondary.map(|index| campaign.categories[index].code.clone()).into_iter().collect(),
            format: world.scenario.formats[self.format].format.clone(),
            language: campaign.languages[self.language].code.clone(),
            starts: self.starts,
            expected: self.expected,
        }
    }
}

/// A headcount by one or two counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GeneratedHeadcount {
    pub first: u32,
    pub second: Option<u32>,
    pub eligible_minimum: Option<u32>,
    /// Nobody in the room was a voter, such as at a meeting with pupils.
    pub nobody_eligible: bool,
    /// Reported in version 1 of the event, which has a single count and no minimum.
    pub old_form: bool,
}

impl GeneratedHeadcount {
    /// A headcount by one counter, in the current version of the event.
    pub fn by_one_counter(people: u32) -> Self {
        Self { first: people, second: None, eligible_minimum: None, nobody_eligible: false, old_form: false }
    }

    pub fn low(&self) -> u32 {
        self.second.map_or(self.first, |second| self.first.min(second))
    }
    pub fn high(&self) -> u32 {
        self.second.map_or(self.first, |second| self.first.max(second))
    }
}

/// The residence that an attendee states on the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatedResidence {
    Unknown,
    OutsideRegion,
    Unit(usize),
    Precinct(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineAnomaly {
    None,
    /// The national id has an invalid check digit and is refused; some are sent again correctly.
    Mistyped {
        typed: Iin,
        corrected: bool,
    },
    /// The unit code is unknown and refused; sent again with the right code.
    MisspeltUnit,
    /// The person did not attend; the line is retracted.
    Retracted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GeneratedLine {
    pub attendee: Attendee,
    pub residence: StatedResidence,
    pub adult: Option<bool>,
    pub anomaly: LineAnomaly,
}

impl GeneratedLine {
    /// The attendee who stays recorded after all corrections.
    pub fn holds(&self) -> Option<Attendee> {
        match self.anomaly {
            LineAnomaly::Retracted | LineAnomaly::Mistyped { corrected: false, .. } => None,
            _ => Some(self.attendee),
        }
    }
}

/// Order and number of the corrections of a wrong event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CorrectionPattern {
    Once,
    /// The correction is wrong too and is corrected again.
    Twice,
    /// The correction arrives before the original.
    Early,
}

/// The anomaly in the events of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anomaly {
    None,
    /// Reported with a wrong date, then corrected.
    WrongDate(CorrectionPattern),
    /// Reported in a wrong unit, then corrected.
    WrongUnit(CorrectionPattern),
    /// Reported with a wrong headcount, then recounted.
    WrongHeadcount(CorrectionPattern),
    /// Reported as held, then the report is withdrawn.
    NotHeld,
    /// Both a cancellation and a report are in force.
    CancelledYetHeld,
    /// Cancelled in error; a correction says that it was held.
    CancellationCorrected,
    /// Two sources report it; the later id is in force.
    TwoReports,
    /// Two sources count heads; the later id is in force.
    TwoHeadcounts,
    /// The sheet is typed again under new ids.
    Rekeyed,
    /// The device's time zone is out of date, so the start is one hour early.
    StaleTimeZone,
    /// The same with only the day entered: one hour before midnight, so on the day before.
    StaleTimeZoneAtMidnight,
    /// Neither a sheet nor a headcount arrives.
    Uncounted,
    /// Dated on the day of silence.
    DatedOnSilenceDay,
    /// Several meetings have the same sheet.
    CopiedSheet,
    /// Its import is reversed and sent again.
    ReversedImport,
    /// The sheet arrives long before the report.
    SheetFirst,
    /// The plan arrives after the report.
    LatePlan,
    /// A plan for another unit is replaced; `early`: the new plan arrives before the one that it replaces.
    Replanned {
        early: bool,
    },
    /// Two plans are in force; the later id counts.
    TwoPlans,
    /// Moved to a later day but held on the day planned first.
    HeldEarly,
    /// Moved to an unlawful day but held on a lawful one.
    MovedToUnlawfulDay,
    /// Only the day was entered: the start is local midnight, which is the day before in UTC.
    DateOnly,
    /// Planned in one unit and held in another; `contested`: another report in force has the planned unit.
    OtherUnit {
        contested: bool,
    },
    /// The names arrive before it is known that the audience is revealing: accepted and never counted. `contested`: of two reports in
    /// force, only the one with the earlier id has the revealing category.
    RevealedLate {
        contested: bool,
    },
    /// The report has an unknown unit code and is refused; sent again with the right code.
    MisspeltUnit,
    /// More people on its sheet state a precinct than that has voters.
    MoreReachedThanCounted,
    /// A sheet has a meeting id that never becomes known, or belongs to a meeting without a report.
    StraySheet,
    /// Names are sent although only heads may be counted; ingest refuses them.
    RefusedNames,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delay {
    Day,
    Week,
    Weeks,
    AfterVote,
}
