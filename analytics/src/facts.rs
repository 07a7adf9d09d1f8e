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
    MeetingFold, Reference, Surveys, Topic,
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
            // First, because it has the reversed imports, which the meetings need.
            let ReferenceFacts { reference, surveys, events } = self.reference(&selection).await?;
            let synthetic = reference.campaign().is_some_and(|campaign| campaign.synthetic);
            let meetings = self.meetings(&selection, &reference);
            let consents = self.consent_events(&selection);
            let rejected = self.rejected(&selection, synthetic);
            let quality = self.quality(&selection, reference.reversed(), synthetic);
            let (meetings, consents, rejected, quality, conflicts) =
                tokio::try_join!(meetings, consents, rejected, quality, self.conflicts(&selection))?;
            let record_counts = RecordCounts { events: events + meetings.events + consents, rejected, conflicts };
            Ok((reference, surveys, meetings, quality, record_counts))
        };
        let roll = self.roll(&selection, saved_roll);
        let ((reference, surveys, meetings, mut quality, record_counts), (roll_id, roll)) = tokio::try_join!(without_roll, roll)?;
        let MeetingFacts { meetings, ids: meeting_ids, .. } = meetings;
        quality.premature_reports = meetings.rows().iter().filter(|meeting| meeting.premature).count() as u64;
        Ok(Facts { selection, record_counts, quality, reference, surveys, meetings, meeting_ids, roll, roll_id })
    }

    /// Number of events about consent. Those of other kinds are counted while they are read.
    async fn consent_events(&self, selection: &Selection) -> Result<u64, AnalyticsError> {
        let sql = format!("SELECT count() FROM v_consents WHERE {}", selection.admits(Topic::Events));
        self.number("the number of events about consent", &sql).await
    }

    /// Number of rejected records. A rejected record has neither a campaign nor a time of receipt, so the append time bounds it, unless
    /// the clock of the campaign is simulated.
    async fn rejected(&self, selection: &Selection, synthetic: bool) -> Result<u64, AnalyticsError> {
        let appended = if synthetic { "1".to_owned() } else { selection.not_after_as_of("appended") };
        let rejected = format!("SELECT count() FROM v_rejected WHERE {} AND {appended}", selection.below_offsets_of_topics());
        self.number("the number of rejected records", &rejected).await
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
        let mut open: Option<(MeetingId, MeetingFold)> = None;
        let mut close = |open: Option<(MeetingId, MeetingFold)>| match open {
            Some((id, fold)) if !meetings.push(id.clone(), &fold.state(reference.reversed()), selection.as_of) => {
                Err(AnalyticsError::Value { view: MEETING_EVENTS.name, value: id.to_string(), expected: "meeting in the order of ids" })
            }
            _ => Ok(()),
        };
        let read = self.events(MEETING_EVENTS, selection, |event| {
            let is_reversed = event.envelope.import.is_some_and(|import| reference.reversed().contains(&import));
            let Some(id) = event.data.meeting().cloned() else { return Ok(()) };
            if ids.last() != Some(&id) {
                ids.push(id.clone());
            }
            if is_reversed {
                return Ok(());
            }
            if open.as_ref().is_none_or(|(open, _)| *open != id) {
                close(open.replace((id, MeetingFold::default())))?;
            }
            if let Some((_, fold)) = &mut open {
                fold.insert(event);
            }
            Ok(())
        });
        let events = read.await?;
        close(open)?;
        Ok(MeetingFacts { meetings, ids, events })
    }
}
