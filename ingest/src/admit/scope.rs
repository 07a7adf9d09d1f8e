//! What is known while a submission is judged: the register, and what the same request has brought so far.
//!
//! Guarantees: a request may bring a unit and use it in its next line; nobody else sees the unit before it stands in the log.

use qamtu_schemas::{
    Reference,
    event::CampaignConfigured,
    id::{CampaignId, MeetingId},
};

use crate::register::{
    known::{Known, Meeting},
    look_alikes::Subject,
};

/// Layers of knowledge, oldest first; what any of them knows is known.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a>(pub &'a [&'a Known]);

impl<'a> Scope<'a> {
    fn references(&self, campaign: &CampaignId) -> impl Iterator<Item = &'a Reference> {
        self.0.iter().filter_map(move |known| known.campaign(campaign)).map(|campaign| &campaign.reference)
    }

    /// The configuration that holds: the highest revision.
    pub fn config(&self, campaign: &CampaignId) -> Option<&'a CampaignConfigured> {
        self.references(campaign).filter_map(Reference::campaign).max_by_key(|config| config.revision)
    }

    /// Does the campaign's reference data have this?
    pub fn has(&self, campaign: &CampaignId, test: impl Fn(&Reference) -> bool) -> bool {
        self.references(campaign).any(test)
    }

    /// What the newest layer that knows it says.
    pub fn find<T>(&self, campaign: &CampaignId, get: impl Fn(&Reference) -> Option<T>) -> Option<T> {
        self.references(campaign).filter_map(get).last()
    }

    /// The campaigns that are known.
    pub fn campaigns(&self) -> impl Iterator<Item = &'a CampaignId> {
        self.0.iter().flat_map(|known| known.campaigns())
    }

    /// Did an event define exactly this id?
    pub fn defines(&self, campaign: &CampaignId, subject: Subject, id: &str) -> bool {
        self.0.iter().filter_map(|known| known.campaign(campaign)).any(|campaign| campaign.look_alikes.has(subject, id))
    }

    /// Ids of the campaign that look like this one.
    pub fn look_alikes(&self, campaign: &CampaignId, subject: Subject, id: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(|known| known.campaign(campaign)).flat_map(move |campaign| campaign.look_alikes.of(subject, id))
    }

    /// What each layer knows of a meeting.
    pub fn meeting(&self, campaign: &CampaignId, meeting: &MeetingId) -> impl Iterator<Item = &'a Meeting> {
        self.0.iter().filter_map(move |known| known.campaign(campaign)?.meeting(meeting))
    }
}
