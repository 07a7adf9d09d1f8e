//! What the events of a running request change, before the log has acknowledged them.
//!
//! Guarantees: only later submissions of the same request see it, so that a request may define a unit and use it in its next line.

use std::collections::HashMap;

use qamtu_schemas::{Event, id::EventId};

use crate::register::{campaign_data::CampaignData, event_identity::EventIdentity};

/// The ids and the reference data of events whose append is not acknowledged yet.
#[derive(Debug, Default)]
pub struct Unacknowledged {
    ids: HashMap<EventId, EventIdentity>,
    /// Reference data and meetings of these events alone.
    pub(super) campaigns: CampaignData,
}

impl Unacknowledged {
    /// Adds a new event; `register_event` is the event itself, if its type changes what the register knows.
    pub(super) fn add(&mut self, identity: EventIdentity, register_event: Option<&Event>) {
        self.ids.insert(identity.id, identity);
        register_event.into_iter().for_each(|event| self.campaigns.apply(event));
    }

    /// The identity of one of these events.
    pub(super) fn find(&self, id: EventId) -> Option<&EventIdentity> {
        self.ids.get(&id)
    }
}
