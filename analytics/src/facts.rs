//! Facts: the records of a campaign that a [`Selection`] admits, as the views of the warehouse return them.
//!
//! This is the only module that queries the warehouse. Columns of Arrow streams are checked by name and type. Attendance is not stored: it is
//! streamed, grouped by meeting.
//!
//! Guarantees: a record counts if its offset is below that of the selection, which is nowhere above the contiguous offset, and it was received
//! by the as-of instant. So does a record that takes attendance back: a retraction, the reversal of an import, a withdrawal of consent. Of
//! several bodies of one event the earliest received counts, so a later one never replaces what counted before. The same selection gives the same facts at any later time.
//!
//! Limits: the time of receipt is the one that ingest stored. A record that is not yet in the tables during a calculation
//! counts in the next calculation of the same instant. A body that was received earlier than the one that counts, and appended later,
//! counts instead of it from then on.

use std::collections::BTreeMap;

use qamtu_schemas::{
    MeetingFold, Reference, Surveys,
    id::{MeetingId, SurveyId},
    surveys::SurveyResult,
};

use crate::{
    error::AnalyticsError,
    roll::{Roll, RollId},
    snapshot_identity::Selection,
};

mod attendance_query;
mod changes;
mod conditions;
pub mod meetings;
mod quality;
mod roll_query;
mod selection_inputs;
mod stated_residence;
mod stream;
mod two_lists;
mod warehouse_reader;

pub use changes::LogEnd;
use meetings::Meetings;
pub use quality::Quality;
use quality::{References, Retracted};
pub use selection_inputs::{CampaignRecords, Configured, Receipts, WarehouseId};
pub use stated_residence::StatedResidence;
pub use stream::ArrowBatches;
pub use two_lists::ListSizes;
use warehouse_reader::EventView;
pub use warehouse_reader::WarehouseReader;

/// Facts about a campaign, without attendance.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Selects the records that count.
    pub selection: Selection,
    /// Numbers of events and rejected records.
    pub record_counts: RecordCounts,
    /// Anomalies of the records.
    pub quality: Quality,
    /// Units, precincts, coalitions, members, venues, reversed imports.
    pub reference: Reference,
    /// Results of surveys; only [`crate::verification`] reads them.
    pub surveys: BTreeMap<SurveyId, SurveyResult>,
    /// Meetings with at least one event that was not reversed, without attendance.
    pub meetings: Meetings,
    /// Ids of the meetings with any event but attendances, sorted.
    pub meeting_ids: Vec<MeetingId>,
    /// The strong roll: voters with pseudonyms of national ids.
    pub roll: Roll,
    /// Which versions the roll is made of.
    pub roll_id: RollId,
}

/// Numbers of events and rejected records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Different events, without attendances and rolls; attendances are counted while they are streamed.
    pub events: u64,
    /// Records of the log that do not decode, of every campaign.
    pub rejected: u64,
    /// Event ids with several bodies.
    pub conflicts: u64,
}

/// What follows from events of reference data, surveys and imports.
struct ReferenceFacts {
    reference: Reference,
    surveys: BTreeMap<SurveyId, SurveyResult>,
    events: u64,
}

/// What follows from events of meetings, without attendance.
struct MeetingFacts {
    meetings: Meetings,
    /// Ids of all meetings with an event, sorted.
    ids: Vec<MeetingId>,
    events: u64,
    /// References to an event that the meeting does not have.
    dangling_references: u64,
    /// Attendances that retractions name; whether the meetings have them is asked afterwards.
    retracted: Vec<Retracted>,
}

const REFERENCE_EVENTS: EventView = EventView { name: "v_reference_events", order_by: "event_id" };
const MEETING_EVENTS: EventView = EventView { name: "v_meeting_events", order_by: "meeting_id" };

impl WarehouseReader {
    /// The facts of a selection. Independent queries run concurrently. `saved_roll` returns the roll if it is that of
    /// the given versions; otherwise the roll is read.
    pub async fn facts(
        &self,
        selection: Selection,
        saved_roll: impl FnOnce(&RollId) -> Option<Roll> + Send + 'static,
    ) -> Result<Facts, AnalyticsError> {
        let without_roll = async {
            // First, because meetings and counts need the reversed imports.
            let ReferenceFacts { reference, surveys, events } = self.reference(&selection).await?;
            let meetings = self.meetings(&selection, &reference);
            let (mut meetings, counts) = tokio::try_join!(meetings, self.counts(&selection, &reference))?;
            meetings.dangling_references += self.dangling_retractions(&selection, &meetings.retracted).await?;
            Ok((reference, surveys, events, meetings, counts))
        };
        let roll = self.roll(&selection, saved_roll);
        let ((reference, surveys, events, meetings, counts), conflicts, (roll_id, roll)) =
            tokio::try_join!(without_roll, self.conflicts(&selection), roll)?;
        let MeetingFacts { meetings, ids: meeting_ids, events: meeting_events, dangling_references, .. } = meetings;
        let record_counts = RecordCounts { events: events + meeting_events + counts.consents, rejected: counts.rejected, conflicts };
        let quality = Quality {
            newest_record: counts.newest_record,
            dangling_references: dangling_references + counts.dangling_references,
            lookalike_meetings: 0,
            clock_ahead: counts.clock_ahead,
            premature_reports: meetings.rows().iter().filter(|meeting| meeting.premature).count() as u64,
        };
        Ok(Facts { selection, record_counts, quality, reference, surveys, meetings, meeting_ids, roll, roll_id })
    }

    /// Number of event ids with several bodies.
    async fn conflicts(&self, selection: &Selection) -> Result<u64, AnalyticsError> {
        let conflicts = format!(
            "SELECT count() FROM v_conflicts WHERE {} AND arrayCount(\
             (`topic`, `partition`, `offset`, `received`) -> {} AND {}, places.1, places.2, places.3, places.4) > 1",
            selection.of_campaign(),
            selection.below_offsets_of_topics(),
            selection.not_after_as_of("`received`")
        );
        self.number("the number of conflicting event ids", &conflicts).await
    }

    async fn reference(&self, selection: &Selection) -> Result<ReferenceFacts, AnalyticsError> {
        let (mut reference, mut surveys) = (Reference::default(), Surveys::default());
        let read = self.events(REFERENCE_EVENTS, selection, |event| {
            reference.apply(&event);
            surveys.insert(&event);
            Ok(())
        });
        let events = read.await?;
        let surveys = surveys.results(reference.reversed());
        Ok(ReferenceFacts { reference, surveys, events })
    }

    /// Folds meetings one after another, so that only the events of one are in memory.
    async fn meetings(&self, selection: &Selection, reference: &Reference) -> Result<MeetingFacts, AnalyticsError> {
        let mut meetings = Meetings::default();
        let mut ids: Vec<MeetingId> = Vec::new();
        let (mut dangling_references, mut retracted) = (0, Vec::new());
        let mut open: Option<OpenMeeting> = None;
        let mut close = |open: Option<OpenMeeting>| {
            let Some(OpenMeeting { id, fold, references }) = open else { return Ok(()) };
            dangling_references += references.dangling();
            retracted.extend(references.retracted(&id));
            if fold.is_empty() || meetings.push(id.clone(), &fold.state(reference.reversed()), selection.as_of) {
                return Ok(());
            }
            Err(AnalyticsError::Value { view: MEETING_EVENTS.name, value: id.to_string(), expected: "meeting in the order of ids" })
        };
        let read = self.events(MEETING_EVENTS, selection, |event| {
            let is_reversed = event.envelope.import.is_some_and(|import| reference.reversed().contains(&import));
            let Some(id) = event.data.meeting().cloned() else { return Ok(()) };
            if open.as_ref().is_none_or(|open| open.id != id) {
                ids.push(id.clone());
                close(open.replace(OpenMeeting { id, fold: MeetingFold::default(), references: References::default() }))?;
            }
            if let Some(open) = &mut open {
                open.references.add(&event, is_reversed);
                if !is_reversed {
                    open.fold.insert(event);
                }
            }
            Ok(())
        });
        let events = read.await?;
        close(open)?;
        Ok(MeetingFacts { meetings, ids, events, dangling_references, retracted })
    }
}

/// The meeting whose events are being read.
struct OpenMeeting {
    id: MeetingId,
    fold: MeetingFold,
    references: References,
}
