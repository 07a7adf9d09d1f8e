//! What is true of one invented meeting: its plan, how it ended, who was there, and what is wrong with how the field reports it.
//!
//! Types alone: meetings are drawn in [`super::meetings`], attended in [`super::audience`], given anomalies in [`super::anomalies`] and
//! turned into events in [`super::emit_meetings`].

use jiff::Timestamp;
use qamtu_schemas::{event::Plan, id::MeetingId};

use super::{World, people::Attendee};
use crate::submission::Iin;

/// The questions of a plan and of a report, answered by indexes into the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetingDetails {
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

/// How a meeting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeetingOutcome {
    Held,
    Cancelled,
    Unreported,
}

/// A meeting and all that is true of it in the end.
#[derive(Debug, Clone)]
pub(super) struct Meeting {
    pub id: MeetingId,
    /// The plan that holds; none: nobody planned it.
    pub plan: Option<MeetingDetails>,
    /// Where it was moved to, one after the other.
    pub moves: Vec<Timestamp>,
    pub outcome: MeetingOutcome,
    /// What its report says, if it is held.
    pub report: MeetingDetails,
    /// Headcount counted, as they hold in the end.
    pub headcount: Option<Headcount>,
    /// The attendance sheet.
    pub lines: Vec<Line>,
    /// What is odd about how it is told.
    pub anomaly: Anomaly,
    /// How late it is told.
    pub delay: Delay,
    /// The import its sheet comes with.
    pub import: Option<usize>,
}

impl Meeting {
    /// When the plan and its moves say that it begins.
    pub fn planned_start(&self) -> Option<Timestamp> {
        self.plan.as_ref().map(|plan| self.moves.last().copied().unwrap_or(plan.starts))
    }
}

impl MeetingDetails {
    /// The payload of the contract.
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

/// Headcount counted in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Headcount {
    pub first: u32,
    pub second: Option<u32>,
    pub eligible_minimum: Option<u32>,
    /// EventStream in the old form, which knows one count and nothing else.
    pub old_form: bool,
}

impl Headcount {
    pub fn low(&self) -> u32 {
        self.second.map_or(self.first, |second| self.first.min(second))
    }
    pub fn high(&self) -> u32 {
        self.second.map_or(self.first, |second| self.first.max(second))
    }
}

/// Where somebody says that they live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatedResidence {
    Unknown,
    OutsideRegion,
    Unit(usize),
    Precinct(usize),
}

/// What is wrong with a line of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineAnomaly {
    None,
    /// The number was typed so that its check digit does not fit; some are typed again.
    Mistyped {
        typed: Iin,
        corrected: bool,
    },
    /// The unit is written in a way that no list knows; sent again with the right code.
    MisspeltUnit,
    /// Nobody of that number was there; retracted.
    Retracted,
}

/// A line of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub attendee: Attendee,
    pub residence: StatedResidence,
    pub adult: Option<bool>,
    pub anomaly: LineAnomaly,
}

impl Line {
    /// Attendee stays recorded in the end.
    pub fn holds(&self) -> Option<Attendee> {
        match self.anomaly {
            LineAnomaly::Retracted | LineAnomaly::Mistyped { corrected: false, .. } => None,
            _ => Some(self.attendee),
        }
    }
}

/// How a wrong statement is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CorrectionPattern {
    Once,
    /// The correction is wrong too, and corrected.
    Twice,
    /// The correction arrives before what it corrects.
    Early,
}

/// What is odd about how a meeting is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anomaly {
    None,
    /// Reported with a wrong date, then corrected.
    WrongDate(CorrectionPattern),
    /// Reported in a wrong unit, then corrected.
    WrongUnit(CorrectionPattern),
    /// Headcount miscounted, then recounted.
    WrongHeadcount(CorrectionPattern),
    /// Reported as held; then it turns out that it was not.
    NotHeld,
    /// Cancelled by one and held by another: both stand.
    CancelledYetHeld,
    /// Cancelled in error; a correction says that it was held.
    CancellationCorrected,
    /// Two sources report it; the later id holds.
    TwoReports,
    /// Two sources count heads; the later id holds.
    TwoHeadcounts,
    /// The sheet is typed again under new ids.
    Rekeyed,
    /// The device's time zone is out of date: an hour early.
    StaleTimeZone,
    /// Such a device on which only the day was entered: an hour before its midnight, so on the day before.
    StaleTimeZoneAtMidnight,
    /// Neither a sheet nor a headcount comes in.
    Uncounted,
    /// Dated on the day of silence.
    DatedOnSilenceDay,
    /// The same sheet stands in for several meetings.
    CopiedSheet,
    /// Its import is taken back and sent again.
    ReversedImport,
    /// The sheet arrives long before the report.
    SheetFirst,
    /// The plan arrives after the report.
    LatePlan,
    /// The plan is replaced by another, which names another unit; `early`: the new plan arrives before the one that it replaces.
    Replanned {
        early: bool,
    },
    /// Two plans stand side by side; the later id holds.
    TwoPlans,
    /// Moved to a later day, but held on the day that was planned first.
    HeldEarly,
    /// Moved to an unlawful day, but held on a lawful one.
    MovedToUnlawfulDay,
    /// Only the day was entered: the report begins at local midnight, which is the day before in UTC.
    DateOnly,
    /// Planned in one unit and held in another; `contested`: a first report still names the planned unit.
    OtherUnit {
        contested: bool,
    },
    /// The names arrive before it is known that the audience is a revealing one: accepted, and never counted. `rival`: of two reports
    /// that stand, only the one that does not hold says so.
    RevealedLate {
        contested: bool,
    },
    /// The report names the unit in a way that no list knows; sent again.
    MisspeltUnit,
    /// More people on its sheet name a precinct than that has voters.
    MoreReachedThanCounted,
    /// A sheet arrives under a meeting id that nobody knows, for good; or for a meeting that is never reported.
    StraySheet,
    /// Somebody sends names from a meeting where only heads may be counted: refused.
    RefusedNames,
}

/// How late a report arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delay {
    Day,
    Week,
    Weeks,
    AfterVote,
}
