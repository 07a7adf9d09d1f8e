//! The figures of a set of meetings or of residents: for tables of any kind.
//!
//! Shared by all tables so that a figure has one definition; [`crate::coverage::definition`] has the formulas.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub mod bounds;
mod meeting_sums;

pub use meeting_sums::{AttendeeCounts, MeetingSums, Sum};

/// Fulfilment of the plan: meetings by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilment {
    /// Meetings with a plan.
    pub planned: u64,
    /// Planned meetings that are lawful, not cancelled, and begin on the as-of day or earlier.
    pub due: u64,
    /// Meetings whose report says they were held: the counted meetings.
    pub held: u64,
    /// Due meetings that were held on a lawful day, by the unit and time of the plan: at most `due`.
    pub held_planned: u64,
    /// Held meetings without a plan.
    pub held_extra: u64,
    /// Held meetings outside the lawful days. Their attendance counts; they do not fulfil the plan.
    pub unlawful: u64,
    /// Planned meetings that were cancelled and not reported as held.
    pub cancelled: u64,
    /// Planned meetings whose start comes from a move.
    pub moved: u64,
    /// Due meetings without a report.
    pub missing: u64,
    /// Due meetings whose first report was received within 24 hours of the start: `on_time + late + missing = due`.
    #[serde(default)]
    pub on_time: u64,
    /// Due meetings whose first report was received later.
    #[serde(default)]
    pub late: u64,
    /// Due meetings whose first report was received within 72 hours of the start, those on time included.
    #[serde(default)]
    pub within_72_hours: u64,
    /// Meetings with neither plan nor report; one that was reported before it begins is not among them. They have no dimensions, so the
    /// figure is zero for every unit, coalition, category and week.
    pub pending: u64,
    /// Meetings with two conflicting reports or headcounts, or with both a report and a cancellation.
    pub contested: u64,
    /// Held meetings whose headcount says that nobody in the room was a voter here. Their headcount and lists are in no figure of an
    /// audience. Zero in snapshots that were stored before this was counted.
    #[serde(default)]
    pub nobody_eligible: u64,
}

/// Registered voters that a reach is divided by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denominator {
    /// Registered voters; 0 without a count.
    pub voters: u64,
    /// Date of the newest precinct count in it, the others being older; none without a count.
    pub date: Option<Date>,
}

impl Denominator {
    /// The voters of several places; unknown if those of one are, or if there is no place.
    pub fn sum(places: impl Iterator<Item = Self>) -> Self {
        let add = |sum: Self, place: Self| match sum.is_known() && place.is_known() {
            true => Self { voters: sum.voters + place.voters, date: sum.date.max(place.date) },
            false => Self::default(),
        };
        places.reduce(add).unwrap_or_default()
    }

    /// Whether the voters were counted; a count of zero is known, too.
    pub fn is_known(&self) -> bool {
        self.date.is_some()
    }

    /// The registered voters, if they were counted.
    pub fn known(&self) -> Option<u64> {
        self.is_known().then_some(self.voters)
    }
}

/// Whether a reach is exact or lies between bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// All attendees were identified, or no meeting was held: `reached = lower = upper`.
    #[default]
    Exact,
    /// Some attendees were counted but not identified: the true reach lies between `lower` and `upper`. With
    /// [`Audience::uncounted_meetings`], `upper` is incomplete.
    Bounds,
}

/// Different eligible people reached, and bounds of their true number: `reached <= lower <= upper`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Different eligible people, strongly identified.
    pub reached: u64,
    /// Lower bound of the different eligible people.
    pub lower: u64,
    /// Upper bound of the different eligible people.
    pub upper: u64,
    /// The voters that it is divided by.
    pub denominator: Denominator,
    /// Whether the reach is exact.
    pub method: Method,
    /// More people reached than registered: above 100 %. Displayed as an error, never clipped.
    pub over: bool,
}

/// Attendance at the counted meetings of a set of meetings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Gross attendance: of each meeting the headcount, or the length of the list if that is larger.
    pub gross: u64,
    /// Of the gross attendance, strongly identified attendances of people known to be eligible or outside. `identified / gross` is the
    /// identified share.
    pub identified: u64,
    /// Of the identified, attendances of eligible people. `contacts / reached` is the average frequency.
    pub contacts: u64,
    /// Different eligible people, with bounds.
    pub reach: Reach,
    /// Weakly identified attendances: people known by phone number only.
    pub weak: u64,
    /// Strongly identified attendances of people known to be outside the denominator.
    pub outside: u64,
    /// Strongly identified attendances of people who may or may not be eligible. Zero in snapshots that were stored before
    /// this was counted.
    #[serde(default)]
    pub unstated: u64,
    /// Attendees who were not identified, or who may or may not be eligible; summed over meetings. Named `rest` in snapshots
    /// of an earlier state.
    #[serde(alias = "rest")]
    pub unidentified: u64,
    /// Counted meetings with a headcount.
    pub headcount_meetings: u64,
    /// Counted meetings with at least one identified attendance.
    pub identified_meetings: u64,
    /// Counted meetings with neither a headcount nor an attendance that counts: their attendees are unknown and missing from
    /// `unidentified`. Zero in snapshots that were stored before this was counted.
    #[serde(default)]
    pub uncounted_meetings: u64,
}

impl Audience {
    /// Attendances on lists: everybody recorded at a counted meeting.
    pub fn listed(&self) -> u64 {
        self.contacts + self.outside + self.unstated + self.weak
    }

    /// Headcounts in excess of the lists, summed over meetings.
    pub fn beyond_lists(&self) -> u64 {
        self.gross.saturating_sub(self.listed())
    }
}

/// The figures of a set of meetings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingFigures {
    /// Fulfilment of the plan, by the unit and time of the plan; `held` and `unlawful` by those of the report.
    pub fulfilment: Fulfilment,
    /// Attendance, by the unit and time of the report.
    pub audience: Audience,
}

/// The figures of residents, wherever they attended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Residents {
    /// Attendances of eligible residents.
    pub contacts: u64,
    /// Different eligible residents. Between `reached` and `upper`, unidentified attendees may live here.
    pub reach: Reach,
}
