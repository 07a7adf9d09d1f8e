//! Doubtful reports: what is unlikely about a held meeting, with the evidence. Nothing is changed or deleted; whoever reads the list decides.
//!
//! 1. [`copied_lists`] finds meetings with nearly the same people.
//! 2. More people than the venue holds, or than its precinct has voters.
//! 3. [`members`] finds members who spoke in two units at nearly the same time.
//! 4. A report that came more than [`LATE_DAYS`] days after the meeting, or together with many others of its coalition.
//! 5. [`heaping`] finds coalitions whose headcounts are round more often than counts are.
//!
//! Guarantees: evidence is of meetings, members and coalitions; attendees are counted and never named. The same facts give the same list. The
//! figures without doubtful meetings are counted anew, reach included.

mod copied_lists;
mod heaping;
mod members;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use qamtu_schemas::id::MeetingId;
use serde::Serialize;

use crate::{
    error::AnalyticsError,
    facts::meetings::{InternedMeeting, InternedPlan},
    facts_store::FactsStore,
    slice::{SliceRows, slice},
    slice_query::{Filter, SliceQuery},
};
pub use heaping::Heaping;

/// Days after which a report is filed late.
const LATE_DAYS: i64 = 7;

/// Reports of one coalition that came within [`BURST`] and are many.
const BURST_REPORTS: usize = 10;

/// Time within which many reports are a burst.
const BURST: SignedDuration = SignedDuration::from_mins(10);

/// What is unlikely about a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Doubt {
    /// Its list has nearly the same people as that of another meeting.
    CopiedList {
        /// The other meeting.
        other: MeetingId,
        /// Voters on both lists.
        common: u64,
        /// Voters on both lists in percent of those on either (Jaccard index).
        percent: u64,
    },
    /// More people than the venue holds.
    OverCapacity {
        /// Attendance.
        people: u64,
        /// Capacity of the venue.
        capacity: u64,
    },
    /// More people than the venue's precinct has registered voters.
    OverPrecinct {
        /// Attendance.
        people: u64,
        /// Registered voters of the precinct.
        voters: u64,
    },
    /// A member who spoke also spoke in another unit at nearly the same time.
    ImpossibleTravel {
        /// The member.
        member: String,
        /// The other meeting.
        other: MeetingId,
        /// Minutes between the starts.
        minutes: u64,
    },
    /// The first report came late.
    LateReport {
        /// Whole days after the start.
        days: u64,
    },
    /// The first report came together with many others of the coalition.
    Burst {
        /// Reports of the coalition within ten minutes.
        reports: u64,
    },
}

/// A held meeting with doubts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubtfulMeeting {
    /// Id of the meeting.
    pub meeting: MeetingId,
    /// Code of the unit.
    pub unit: String,
    /// Id of the coalition that held it.
    pub coalition: String,
    /// Local day.
    pub day: Date,
    /// What is unlikely about it; at least one.
    pub doubts: Vec<Doubt>,
}

/// Figures of some meetings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MeetingTotals {
    /// Held meetings.
    pub held: u64,
    /// Gross attendance.
    pub gross: u64,
    /// Attendances of voters.
    pub contacts: u64,
    /// Different voters.
    pub reached: u64,
}

/// Everything doubtful of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plausibility {
    /// Held meetings with doubts, by id.
    pub meetings: Vec<DoubtfulMeeting>,
    /// Coalitions with too many round headcounts, by id.
    pub heaping: Vec<Heaping>,
    /// Figures of all meetings.
    pub all: MeetingTotals,
    /// Figures without the meetings whose numbers are in doubt, see [`Doubt::is_about_numbers`].
    pub without_doubtful: MeetingTotals,
}

impl Doubt {
    /// Whether it is about who or how many came, and not about when the report came.
    pub fn is_about_numbers(&self) -> bool {
        !matches!(self, Self::LateReport { .. } | Self::Burst { .. })
    }
}

/// A held meeting as the checks see it.
#[derive(Clone, Copy)]
struct HeldMeeting<'a> {
    number: u32,
    id: &'a MeetingId,
    meeting: &'a InternedMeeting,
    report: &'a InternedPlan,
}

/// Checks the held meetings of a store.
pub fn plausibility(store: &FactsStore) -> Result<Plausibility, AnalyticsError> {
    let meetings = &store.facts().meetings;
    let all = meetings.ids().iter().zip(meetings.rows()).zip(0..);
    let held: Vec<HeldMeeting<'_>> =
        all.filter_map(|((id, meeting), number)| Some(HeldMeeting { number, id, meeting, report: meeting.report.as_ref()? })).collect();
    let mut doubts: BTreeMap<u32, Vec<Doubt>> = BTreeMap::new();
    copied_lists::find(store, &held, &mut doubts);
    let gross = gross(store)?;
    held.iter().for_each(|meeting| too_many(store, *meeting, gross.get(&meeting.number).copied().unwrap_or(0), &mut doubts));
    members::find(store, &held, &mut doubts);
    late(&held, &mut doubts);
    bursts(&held, &mut doubts);
    let is_kept = |meeting: &HeldMeeting<'_>| !doubts.get(&meeting.number).is_some_and(|doubts| doubts.iter().any(Doubt::is_about_numbers));
    let kept: Vec<String> = held.iter().filter(|meeting| is_kept(meeting)).map(|meeting| meeting.id.to_string()).collect();
    let of = |meeting: &HeldMeeting<'_>| {
        Some(DoubtfulMeeting {
            meeting: meeting.id.clone(),
            unit: meetings.units.keys()[meeting.report.unit as usize].to_string(),
            coalition: meetings.coalitions.keys()[meeting.report.coalition as usize].to_string(),
            day: store.calendar().day(meeting.report.starts),
            doubts: doubts.get(&meeting.number)?.clone(),
        })
    };
    Ok(Plausibility {
        meetings: held.iter().filter_map(of).collect(),
        heaping: heaping::find(store, &held),
        all: totals(store, None)?,
        without_doubtful: totals(store, Some(kept))?,
    })
}

/// Gross attendance by meeting number.
fn gross(store: &FactsStore) -> Result<BTreeMap<u32, u64>, AnalyticsError> {
    let frame = store.meetings().frame();
    let error = |source| AnalyticsError::Frame { what: "attendances of meetings", source };
    let column = |name: &str| frame.column(name).and_then(|column| column.u32().cloned()).map_err(error);
    let (gross, number) = (column("gross")?, column(crate::facts_store::MEETING)?);
    Ok(number.iter().zip(gross.iter()).filter_map(|(number, gross)| Some((number?, gross.unwrap_or(0).into()))).collect())
}

/// Figures of some meetings; without ids, of all.
fn totals(store: &FactsStore, ids: Option<Vec<String>>) -> Result<MeetingTotals, AnalyticsError> {
    let filters = ids.map(Filter::of_meetings).into_iter().collect();
    let SliceRows::Meetings(mut rows) = slice(store, &SliceQuery { filters, ..SliceQuery::default() })?.rows else {
        return Ok(MeetingTotals::default());
    };
    Ok(rows.pop().map_or_else(MeetingTotals::default, |row| {
        let figures = row.figures.figures;
        let reached = figures.audience.reach.reached;
        MeetingTotals { held: figures.fulfilment.held, gross: figures.audience.gross, contacts: figures.audience.contacts, reached }
    }))
}

fn too_many(store: &FactsStore, meeting: HeldMeeting<'_>, people: u64, doubts: &mut BTreeMap<u32, Vec<Doubt>>) {
    let (reference, meetings) = (&store.facts().reference, &store.facts().meetings);
    let venue = meeting.report.venue.and_then(|venue| reference.venue(&meetings.venues.keys()[venue as usize]));
    if let Some(capacity) = venue.and_then(|venue| venue.capacity).map(u64::from).filter(|capacity| people > *capacity) {
        doubts.entry(meeting.number).or_default().push(Doubt::OverCapacity { people, capacity });
    }
    let precinct = meeting.report.precinct.map(|precinct| &meetings.precincts.keys()[precinct as usize]);
    let voters = precinct.and_then(|precinct| store.voters().precinct(precinct.as_str()).known());
    if let Some(voters) = voters.filter(|voters| people > *voters) {
        doubts.entry(meeting.number).or_default().push(Doubt::OverPrecinct { people, voters });
    }
}

fn late(held: &[HeldMeeting<'_>], doubts: &mut BTreeMap<u32, Vec<Doubt>>) {
    for meeting in held {
        let days = meeting.meeting.reported.map_or(0, |reported| reported.duration_since(meeting.report.starts).as_hours().div_euclid(24));
        if days >= LATE_DAYS {
            doubts.entry(meeting.number).or_default().push(Doubt::LateReport { days: days.unsigned_abs() });
        }
    }
}

/// Reports of a coalition that came within ten minutes of each other.
fn bursts(held: &[HeldMeeting<'_>], doubts: &mut BTreeMap<u32, Vec<Doubt>>) {
    let mut by_coalition: BTreeMap<u32, Vec<(Timestamp, u32)>> = BTreeMap::new();
    for meeting in held {
        if let Some(reported) = meeting.meeting.reported {
            by_coalition.entry(meeting.report.coalition).or_default().push((reported, meeting.number));
        }
    }
    for mut reports in by_coalition.into_values() {
        reports.sort_unstable();
        let mut most: BTreeMap<u32, u64> = BTreeMap::new();
        let mut first = 0;
        for last in 0..reports.len() {
            while reports[last].0.duration_since(reports[first].0) > BURST {
                first += 1;
            }
            let window = &reports[first..=last];
            if window.len() >= BURST_REPORTS {
                window.iter().for_each(|(_, number)| {
                    let reports = most.entry(*number).or_default();
                    *reports = (*reports).max(window.len() as u64);
                });
            }
        }
        for (number, reports) in most {
            doubts.entry(number).or_default().push(Doubt::Burst { reports });
        }
    }
}
