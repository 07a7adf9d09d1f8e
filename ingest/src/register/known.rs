//! Reference data and meetings of every campaign, folded with the folds of the contract.
//!
//! Guarantees: taking an event twice, or in another order, changes nothing. Attendance and headcounts are not kept: of a meeting
//! only its life counts here, to tell whether it is known and whom it is for. A meeting is folded when it is asked for, not with
//! every event, so that a stream of events about one meeting costs no more than any other.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use qamtu_schemas::{
    Data, Event, Kind, MeetingFold, Reference,
    id::{CampaignId, CategoryCode, ImportId, MeetingId},
};

use super::look_alikes::LookAlikes;

/// What is known, by campaign.
#[derive(Debug, Default)]
pub struct Known {
    campaigns: HashMap<CampaignId, Campaign>,
}

/// One campaign.
#[derive(Debug, Default)]
pub struct Campaign {
    /// Its reference data.
    pub reference: Reference,
    /// The ids of units, meetings and so on, by what they look like.
    pub look_alikes: LookAlikes,
    meetings: HashMap<MeetingId, Held>,
}

/// The events of a meeting and what they come to, once somebody has asked.
#[derive(Debug, Default)]
struct Held {
    fold: MeetingFold,
    meeting: OnceLock<Meeting>,
}

/// A meeting as far as admission asks.
#[derive(Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Its plan or its report is known.
    pub known: bool,
    /// The audiences that its plan and its report name, secondary ones included.
    pub categories: Vec<CategoryCode>,
}

impl Known {
    /// Is there something to learn from events of this type?
    pub const fn learns_from(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::CampaignConfigured
                | Kind::UnitDefined
                | Kind::PrecinctCounted
                | Kind::CoalitionFormed
                | Kind::MemberJoined
                | Kind::VenueDescribed
                | Kind::ImportReversed
                | Kind::SurveyReported
                | Kind::MeetingPlanned
                | Kind::MeetingRescheduled
                | Kind::MeetingCancelled
                | Kind::MeetingHeld
                | Kind::MeetingCorrected
        )
    }

    /// The campaigns of which anything is known.
    pub fn campaigns(&self) -> impl Iterator<Item = &CampaignId> {
        self.campaigns.keys()
    }

    /// A campaign of which anything is known.
    pub fn campaign(&self, id: &CampaignId) -> Option<&Campaign> {
        self.campaigns.get(id)
    }

    /// Takes an event, if there is one.
    pub fn extend(&mut self, event: &Option<Event>) {
        if let Some(event) = event {
            self.apply(event);
        }
    }

    /// Takes an event.
    pub fn apply(&mut self, event: &Event) {
        if !Self::learns_from(event.data.kind()) {
            return;
        }
        let campaign = self.campaigns.entry(event.envelope.campaign.clone()).or_default();
        campaign.look_alikes.insert(&event.data);
        if let Some(meeting) = event.data.meeting() {
            let held = campaign.meetings.entry(meeting.clone()).or_default();
            held.fold.insert(event.clone());
            held.meeting = OnceLock::new();
        } else {
            campaign.reference.apply(event);
        }
        if let Data::ImportReversed(_) = &event.data {
            campaign.meetings.values_mut().for_each(|held| held.meeting = OnceLock::new());
        }
    }
}

impl Campaign {
    /// A meeting of which anything is known.
    pub fn meeting(&self, id: &MeetingId) -> Option<&Meeting> {
        let held = self.meetings.get(id)?;
        Some(held.meeting.get_or_init(|| Meeting::of(&held.fold, self.reference.reversed())))
    }
}

impl Meeting {
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
    use std::time::{Duration, Instant};

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

    fn asked(known: &Known) -> Option<&Meeting> {
        known.campaign(&"c".parse().unwrap())?.meeting(&"m".parse().unwrap())
    }

    #[test]
    fn a_meeting_is_what_its_events_say_whenever_it_is_asked_for() {
        let (mut known, mut unasked) = (Known::default(), Known::default());
        let reversed = event(9, "import.reversed", &json!({"import": "0196b1e0-7a4c-7d1b-9a51-0c2f4f6e8a10"}));
        let events = [planned(1, "YOUTH"), planned(2, "AGRO"), reversed];
        let mut seen = Vec::new();
        for event in &events {
            unasked.apply(event);
            known.apply(event);
            seen.extend(asked(&known).map(|meeting| (meeting.known, meeting.categories.len())));
        }
        assert_eq!(seen, [(true, 1), (true, 1), (false, 0)]);
        assert_eq!(asked(&known), asked(&unasked));
    }

    #[test]
    fn many_events_about_one_meeting_are_taken_one_by_one() {
        let moved = json!({"meeting": "m", "supersedes": ["00000000-0000-4000-8000-000000000001"], "starts": "2026-02-14T15:00:00+05:00"});
        let events: Vec<Event> = (2..30_000).map(|number| event(number, "meeting.rescheduled", &moved)).collect();
        let begun = Instant::now();
        let mut known = Known::default();
        known.apply(&planned(1, "YOUTH"));
        events.iter().for_each(|event| known.apply(event));
        assert!(asked(&known).is_some_and(|meeting| meeting.known));
        assert!(begun.elapsed() < Duration::from_secs(10), "each event costs as much as all before it: {:?}", begun.elapsed());
    }
}
