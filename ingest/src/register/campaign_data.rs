//! Reference data, meetings and versions of rolls of every campaign, folded as the contract defines.
//!
//! Guarantees: applying an event twice, or in another order, gives the same state. Voters of a roll are not stored, only which event has
//! a version. Attendance and headcounts are not stored: validation
//! needs only whether a meeting is known and its audiences. A meeting is folded on demand, not with every event, so that a stream of
//! events about one meeting costs no more than any other.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use jiff::Timestamp;
use qamtu_schemas::{
    Data, Event, Kind, MeetingFold, Reference,
    event::EventType,
    id::{CampaignId, CategoryCode, EventId, ImportId, MeetingId, PrecinctId},
};

use super::look_alikes::LookAlikes;

/// Reference data, meetings and versions of rolls by campaign.
#[derive(Debug, Default)]
pub struct CampaignData {
    campaigns: HashMap<CampaignId, RegisteredCampaign>,
}

/// Reference data, meetings and versions of rolls of one campaign.
#[derive(Debug, Default)]
pub struct RegisteredCampaign {
    /// The folded reference data.
    pub reference: Reference,
    /// Ids of units, meetings and so on, indexed by their visual form.
    pub look_alikes: LookAlikes,
    meetings: HashMap<MeetingId, MeetingEntry>,
    /// The first event of each version of a precinct's roll.
    rolls: HashMap<(PrecinctId, u32), FirstEvent>,
}

/// Of several events the one received first, ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct FirstEvent {
    received: Timestamp,
    id: EventId,
}

/// The events of a meeting, and its folded state once it was requested.
#[derive(Debug, Default)]
struct MeetingEntry {
    fold: MeetingFold,
    meeting: OnceLock<RegisteredMeeting>,
}

/// What validation needs of a meeting.
#[derive(Debug, PartialEq, Eq)]
pub struct RegisteredMeeting {
    /// Whether a plan or a report is known.
    pub known: bool,
    /// Audiences of plan and report, secondary ones included.
    pub categories: Vec<CategoryCode>,
}

impl CampaignData {
    /// Whether events of this type change what is known of a campaign.
    pub const fn uses(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::CampaignConfigured
                | Kind::UnitDefined
                | Kind::PrecinctCounted
                | Kind::AccessReported
                | Kind::CoalitionFormed
                | Kind::MemberJoined
                | Kind::VenueDescribed
                | Kind::PrecinctEnrolled
                | Kind::ImportReversed
                | Kind::SurveyReported
                | Kind::MeetingPlanned
                | Kind::MeetingRescheduled
                | Kind::MeetingCancelled
                | Kind::MeetingHeld
                | Kind::MeetingCorrected
        )
    }

    /// Ids of all campaigns with at least one event.
    pub fn campaigns(&self) -> impl Iterator<Item = &CampaignId> {
        self.campaigns.keys()
    }

    /// The data of a campaign with at least one event.
    pub fn campaign(&self, id: &CampaignId) -> Option<&RegisteredCampaign> {
        self.campaigns.get(id)
    }

    /// Applies an event; ignores types that change nothing here.
    pub fn apply(&mut self, event: &Event) {
        if !Self::uses(event.data.kind()) {
            return;
        }
        let campaign = self.campaigns.entry(event.envelope.campaign.clone()).or_default();
        campaign.look_alikes.insert(&event.data);
        if let Some(meeting) = event.data.meeting() {
            let entry = campaign.meetings.entry(meeting.clone()).or_default();
            entry.fold.insert(event.clone());
            entry.meeting = OnceLock::new();
        } else if let Data::PrecinctEnrolled(roll) = &event.data {
            let sent = FirstEvent { received: event.envelope.receivedtime, id: event.envelope.id };
            let first = campaign.rolls.entry((roll.precinct.clone(), roll.version)).or_insert(sent);
            *first = sent.min(*first);
        } else {
            campaign.reference.apply(event);
        }
        if let Data::ImportReversed(_) = &event.data {
            campaign.meetings.values_mut().for_each(|entry| entry.meeting = OnceLock::new());
        }
    }
}

/// An event without what the register does not need: the voters of a roll, whose payload is then of the latest version.
pub fn without_voters(mut event: Event) -> Event {
    if let Data::PrecinctEnrolled(roll) = &mut event.data {
        roll.voters.clear();
        event.envelope.kind = EventType::latest(Kind::PrecinctEnrolled);
    }
    event
}

impl RegisteredCampaign {
    /// The event that has this version of a precinct's roll.
    pub fn roll(&self, precinct: &PrecinctId, version: u32) -> Option<EventId> {
        self.rolls.get(&(precinct.clone(), version)).map(|first| first.id)
    }

    /// The folded state of a meeting with at least one event.
    pub fn meeting(&self, id: &MeetingId) -> Option<&RegisteredMeeting> {
        let entry = self.meetings.get(id)?;
        Some(entry.meeting.get_or_init(|| RegisteredMeeting::of(&entry.fold, self.reference.reversed())))
    }
}

impl RegisteredMeeting {
    fn of(fold: &MeetingFold, reversed: &BTreeSet<ImportId>) -> Self {
        let state = fold.state(reversed);
        let known = state.plan.is_some() || state.report.is_some();
        let mut categories = BTreeSet::new();
        for plan in [state.plan.map(|plan| (plan.category, plan.secondary)), state.report.map(|report| (report.category, report.secondary))]
        {
            let Some((category, secondary)) = plan else { continue };
            categories.insert(category);
            categories.extend(secondary);
        }
        Self { known, categories: categories.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use qamtu_schemas::decode::decode_structured;
    use serde_json::{Value, json};

    use super::*;

    fn event(number: usize, kind: &str, data: &Value) -> Event {
        let event = json!({
            "specversion": "1.0", "id": format!("00000000-0000-4000-8000-{number:012}"), "type": format!("qamtu.{kind}.v1"), "source": "s",
            "time": "2026-02-13T10:00:00Z", "receivedtime": "2026-02-13T10:00:00Z", "campaign": "c", "bodyhash": "a".repeat(32),
            "import": "0196b1e0-7a4c-7d1b-9a51-0c2f4f6e8a10", "data": data,
        });
        decode_structured(event.to_string().as_bytes()).unwrap()
    }

    fn planned(number: usize, category: &str) -> Event {
        let plan = json!({
            "unit": "TRK", "coalition": "c", "members": [], "category": category, "format": "HALL", "language": "kk",
            "starts": "2026-02-13T15:00:00+05:00",
        });
        event(number, "meeting.planned", &json!({"meeting": "m", "plan": plan}))
    }

    fn meeting(known: &CampaignData) -> Option<&RegisteredMeeting> {
        known.campaign(&"c".parse().unwrap())?.meeting(&"m".parse().unwrap())
    }

    #[test]
    fn a_meeting_has_the_same_state_whenever_it_is_requested() {
        let (mut known, mut unread) = (CampaignData::default(), CampaignData::default());
        let reversed = event(9, "import.reversed", &json!({"import": "0196b1e0-7a4c-7d1b-9a51-0c2f4f6e8a10"}));
        let events = [planned(1, "YOUTH"), planned(2, "AGRO"), reversed];
        let mut states = Vec::new();
        for event in &events {
            unread.apply(event);
            known.apply(event);
            states.extend(meeting(&known).map(|meeting| (meeting.known, meeting.categories.len())));
        }
        assert_eq!(states, [(true, 1), (true, 1), (false, 0)]);
        assert_eq!(meeting(&known), meeting(&unread));
    }

    #[test]
    fn many_events_about_one_meeting_are_folded_once_and_not_with_every_event() {
        let moved = json!({"meeting": "m", "supersedes": ["00000000-0000-4000-8000-000000000001"], "starts": "2026-02-14T15:00:00+05:00"});
        let mut known = CampaignData::default();
        for event in std::iter::once(planned(1, "YOUTH")).chain((2..1000).map(|number| event(number, "meeting.rescheduled", &moved))) {
            known.apply(&event);
            let folded =
                known.campaigns.values().flat_map(|campaign| campaign.meetings.values()).filter(|entry| entry.meeting.get().is_some());
            assert_eq!(folded.count(), 0, "each event costs as much as all before it");
        }
        let first: *const RegisteredMeeting = meeting(&known).unwrap();
        assert!(meeting(&known).is_some_and(|meeting| meeting.known && std::ptr::eq(meeting, first)), "folded again without a new event");
    }
}
