//! Reference data and meetings of every campaign, folded with the folds of the contract.
//!
//! Guarantees: taking an event twice, or in another order, changes nothing. Attendance and headcounts are not kept: of a meeting
//! only its life counts here, to tell whether it is known and whom it is for.

use std::collections::{BTreeSet, HashMap};

use qamtu_schemas::{
    Data, Event, Kind, MeetingFold, Reference,
    id::{BatchId, CampaignId, CategoryCode, MeetingId},
};

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
    meetings: HashMap<MeetingId, Meeting>,
}

/// A meeting as far as admission asks.
#[derive(Debug, Default)]
pub struct Meeting {
    fold: MeetingFold,
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
                | Kind::BatchReversed
                | Kind::MeetingPlanned
                | Kind::MeetingRescheduled
                | Kind::MeetingCancelled
                | Kind::MeetingHeld
                | Kind::MeetingCorrected
        )
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
        if let Some(meeting) = event.data.meeting() {
            let meeting = campaign.meetings.entry(meeting.clone()).or_default();
            meeting.fold.insert(event.clone());
            meeting.look(campaign.reference.reversed());
        } else {
            campaign.reference.apply(event);
        }
        if let Data::BatchReversed(_) = &event.data {
            let reversed = campaign.reference.reversed();
            campaign.meetings.values_mut().for_each(|meeting| meeting.look(reversed));
        }
    }
}

impl Campaign {
    /// A meeting of which anything is known.
    pub fn meeting(&self, id: &MeetingId) -> Option<&Meeting> {
        self.meetings.get(id)
    }
}

impl Meeting {
    fn look(&mut self, reversed: &BTreeSet<BatchId>) {
        let state = self.fold.state(reversed);
        self.known = state.plan.is_some() || state.report.is_some();
        let mut categories = BTreeSet::new();
        for plan in [state.plan.map(|plan| (plan.category, plan.secondary)), state.report.map(|report| (report.category, report.secondary))]
        {
            let Some((category, secondary)) = plan else { continue };
            categories.insert(category);
            categories.extend(secondary);
        }
        self.categories = categories.into_iter().collect();
    }
}
