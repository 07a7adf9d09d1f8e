//! The state that a submission is validated against: the register and the earlier submissions of the same request.
//!
//! Guarantees: a request may define a unit and use it in its next line; other requests see the unit only once it is in the log.

use qamtu_schemas::{
    Reference,
    event::CampaignConfigured,
    id::{CampaignId, EventId, MeetingId, PrecinctId},
};

use crate::register::{
    campaign_data::{CampaignData, RegisteredMeeting},
    look_alikes::Subject,
};

/// Layers of campaign data, oldest first; a lookup searches all of them.
#[derive(Debug, Clone, Copy)]
pub struct KnownState<'a>(pub &'a [&'a CampaignData]);

impl<'a> KnownState<'a> {
    fn references(&self, campaign: &CampaignId) -> impl Iterator<Item = &'a Reference> {
        self.0.iter().filter_map(move |known| known.campaign(campaign)).map(|campaign| &campaign.reference)
    }

    /// The campaign's configuration with the highest revision.
    pub fn config(&self, campaign: &CampaignId) -> Option<&'a CampaignConfigured> {
        self.references(campaign).filter_map(Reference::campaign).max_by_key(|config| config.revision)
    }

    /// Whether the campaign's reference data of any layer passes a test.
    pub fn has(&self, campaign: &CampaignId, test: impl Fn(&Reference) -> bool) -> bool {
        self.references(campaign).any(test)
    }

    /// The value from the newest layer that has one.
    pub fn find<T>(&self, campaign: &CampaignId, get: impl Fn(&Reference) -> Option<T>) -> Option<T> {
        self.references(campaign).filter_map(get).last()
    }

    /// Ids of the known campaigns; an id may occur once per layer.
    pub fn campaigns(&self) -> impl Iterator<Item = &'a CampaignId> {
        self.0.iter().flat_map(|known| known.campaigns())
    }

    /// Whether an event defines exactly this id.
    pub fn defines(&self, campaign: &CampaignId, subject: Subject, id: &str) -> bool {
        self.0.iter().filter_map(|known| known.campaign(campaign)).any(|campaign| campaign.look_alikes.has(subject, id))
    }

    /// Known ids of the campaign that look like this one.
    pub fn look_alikes(&self, campaign: &CampaignId, subject: Subject, id: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(|known| known.campaign(campaign)).flat_map(move |campaign| campaign.look_alikes.of(subject, id))
    }

    /// The event that has this version of a precinct's roll.
    pub fn roll(&self, campaign: &CampaignId, precinct: &PrecinctId, version: u32) -> Option<EventId> {
        self.0.iter().find_map(|known| known.campaign(campaign)?.roll(precinct, version))
    }

    /// The state of a meeting in each layer that has one.
    pub fn meeting(&self, campaign: &CampaignId, meeting: &MeetingId) -> impl Iterator<Item = &'a RegisteredMeeting> {
        self.0.iter().filter_map(move |known| known.campaign(campaign)?.meeting(meeting))
    }
}
