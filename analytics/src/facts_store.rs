//! The facts of a campaign as columns: meetings with all their dimensions, people with dense numbers, and who attended which meeting.
//!
//! A store is true for one selection. [`crate::slice`] answers questions over it, and reads nothing else.
//!
//! Guarantees: figures depend on the facts alone, not on the order or repetition of attendances. Lists and groups have numbers of people and no
//! pseudonyms; only the roll has those. Memory: eight bytes for each attendance of an eligible person, some sixty for each voter, some hundred
//! for each meeting.

use std::{collections::BTreeSet, sync::Arc};

use jiff::civil::Date;
use qamtu_schemas::{event::CampaignConfigured, id::MeetingId};

use crate::{
    dimension::{Dimension, PersonDimension},
    error::AnalyticsError,
    facts::Facts,
    roll::Roll,
    snapshot_identity::Selection,
};

mod arrow_file;
mod attendance_collector;
mod attendance_frames;
mod attendance_lists;
mod attendance_run;
mod calendar;
mod catalog;
mod dictionary;
mod fulfilment;
mod look_alike_ids;
mod meeting_codes;
mod meeting_frame;
mod open_meeting;
mod order_frames;
mod people;
mod people_frames;
mod person_meetings;
mod person_set;
mod residences;
mod revealing_audiences;
mod saved_order;
mod saved_store;
mod voters;

pub use attendance_collector::AttendanceCollector;
use attendance_lists::AttendanceLists;
pub use attendance_run::{AttendanceRun, OUTSIDE, STRONG, UNSTATED};
pub(crate) use calendar::LocalCalendar;
pub(crate) use calendar::week_monday;
pub(crate) use catalog::Catalog;
pub(crate) use dictionary::Dictionary;
pub(crate) use fulfilment::{ON_TIME, is_missing};
pub(crate) use meeting_frame::{ELIGIBLE_MINIMUM, MEETING, MeetingFrame};
pub(crate) use people::{People, PersonGroups};
pub(crate) use person_meetings::{MeetingCounts, PersonMeetings};
pub use residences::ResidenceIndex;
pub(crate) use residences::precinct_counts;
use revealing_audiences::RevealingAudiences;
pub use saved_order::SavedAttendance;
pub use saved_store::{MAX_AGE, SaveInputs, SavedStore, StoreFolder};
pub(crate) use voters::Voters;

/// The facts of a campaign at one instant, as columns.
#[derive(Debug)]
pub struct FactsStore {
    facts: Facts,
    calendar: LocalCalendar,
    residences: ResidenceIndex,
    catalog: Catalog,
    people: People,
    attendance: AttendanceLists,
    person_meetings: Arc<PersonMeetings>,
    meetings: MeetingFrame,
}

/// Whether the roll decides about eligibility: only if it has every precinct of the denominator. Otherwise it follows from what people
/// state.
pub fn roll_decides(facts: &Facts) -> Result<bool, AnalyticsError> {
    let calendar = LocalCalendar::of(configured(facts)?, facts.selection.as_of)?;
    Ok(eligibility_roll(facts, &calendar).is_some())
}

fn configured(facts: &Facts) -> Result<&CampaignConfigured, AnalyticsError> {
    let Selection { campaign, as_of, .. } = &facts.selection;
    let not_yet = || AnalyticsError::NotConfiguredYet { campaign: campaign.clone(), as_of: *as_of };
    facts.reference.campaign().ok_or_else(not_yet)
}

/// The roll, if it decides about eligibility.
fn eligibility_roll<'a>(facts: &'a Facts, calendar: &LocalCalendar) -> Option<&'a Roll> {
    let is_complete = residences::precincts_without_roll(&facts.reference, &facts.roll, calendar.today) == 0;
    Some(&facts.roll).filter(|roll| is_complete && !roll.is_empty())
}

/// Whether lists were made for other states of their meetings than the facts have: another audience, or a report that does not count now.
pub fn has_other_meetings(facts: &Facts, attendance: &SavedAttendance) -> bool {
    let revealing = RevealingAudiences::of(facts);
    attendance.lists.differ_from(&facts.meetings, |meeting| revealing.includes(meeting))
}

impl FactsStore {
    /// Builds a store; `collect` adds all attendances, meeting by meeting. Fails if the campaign is not configured yet at the as-of instant.
    pub fn new(
        facts: Facts,
        collect: impl FnOnce(&mut AttendanceCollector<'_>) -> Result<(), AnalyticsError>,
    ) -> Result<Self, AnalyticsError> {
        Self::renewed(facts, SavedAttendance::default(), collect)
    }

    /// Builds a store of attendance that is still true; `collect` adds that of the other meetings. It can only be kept while the same roll decides
    /// about eligibility, and unless [`has_other_meetings`].
    pub fn renewed(
        mut facts: Facts,
        mut kept: SavedAttendance,
        collect: impl FnOnce(&mut AttendanceCollector<'_>) -> Result<(), AnalyticsError>,
    ) -> Result<Self, AnalyticsError> {
        let calendar = LocalCalendar::of(configured(&facts)?, facts.selection.as_of)?;
        let roll = eligibility_roll(&facts, &calendar);
        let residences = ResidenceIndex::of(&facts.reference, &facts.roll, calendar.today);
        let mut collector = AttendanceCollector::new(roll, &facts, &residences);
        collect(&mut collector)?;
        let (collected, stated_residences) = collector.finish()?;
        let people = match roll {
            Some(roll) => People::of_roll(roll, &residences),
            None => People::of_statements(stated_residences),
        };
        kept.lists.extend(collected);
        kept.lists.index(&facts.meetings);
        let person_meetings = Arc::new(kept.person_meetings(&facts.meetings, people.len())?);
        let SavedAttendance { lists: attendance, order } = kept;
        drop(order);
        let known: BTreeSet<&MeetingId> = facts.meeting_ids.iter().chain(attendance.meetings()).collect();
        facts.quality.lookalike_meetings = look_alike_ids::count(known.into_iter());
        let meetings = MeetingFrame::new(&facts, &calendar, &attendance)?;
        let values = |dimension| match dimension {
            Dimension::Meeting(dimension) => Some(meetings.values(dimension).clone()),
            Dimension::Person(dimension) => people.values(dimension, &residences),
        };
        let catalog = Catalog::new(values, Voters::of(&facts.reference, calendar.today));
        Ok(Self { calendar, facts, residences, catalog, people, attendance, person_meetings, meetings })
    }

    /// The facts that the columns were made of.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether all data of the campaign is invented.
    pub fn is_synthetic(&self) -> bool {
        self.facts.reference.campaign().is_some_and(|campaign| campaign.synthetic)
    }

    /// The local day of the as-of instant.
    pub fn today(&self) -> Date {
        self.calendar.today
    }

    /// Local days of the campaign.
    pub(crate) fn calendar(&self) -> &LocalCalendar {
        &self.calendar
    }

    /// Values of the dimensions, and voters of the places.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn voters(&self) -> &Voters {
        &self.catalog.voters
    }

    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// Divides everybody by a dimension; nobody has a value that the catalog does not have.
    pub(crate) fn person_groups(&self, by: PersonDimension) -> PersonGroups<'_> {
        let values = self.catalog.values(Dimension::Person(by)).cloned().unwrap_or_default();
        self.people.groups(by, &values, &self.residences)
    }

    pub(crate) fn attendance(&self) -> &AttendanceLists {
        &self.attendance
    }

    pub(crate) fn person_meetings(&self) -> &Arc<PersonMeetings> {
        &self.person_meetings
    }

    pub(crate) fn meetings(&self) -> &MeetingFrame {
        &self.meetings
    }

    /// Number of precincts in the denominator that have no roll.
    pub(crate) fn precincts_without_roll(&self) -> u64 {
        residences::precincts_without_roll(&self.facts.reference, &self.facts.roll, self.calendar.today)
    }
}
