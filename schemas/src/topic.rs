//! The two topics of the event log and their keys.
//!
//! `events` is keyed by meeting or reference id, `roll` by precinct. The key only gives locality: every fold gives the same state in
//! any order.

use crate::{event::Data, id::CampaignId};

/// A topic of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// All events except the roll.
    Events,
    /// The pseudonymous roll: one large event per precinct and version.
    Roll,
}

impl Topic {
    /// Both topics of the log.
    pub const ALL: [Topic; 2] = [Topic::Events, Topic::Roll];

    /// Topic name without the configured prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Events => "events",
            Topic::Roll => "roll",
        }
    }

    /// Partition count, fixed for the life of the topic: enough readers for a whole country, few enough for one machine.
    pub const fn partitions(self) -> u32 {
        match self {
            Topic::Events => 8,
            Topic::Roll => 4,
        }
    }

    /// The topic an event belongs to.
    pub fn of(data: &Data) -> Topic {
        match data {
            Data::PrecinctEnrolled(_) => Topic::Roll,
            _ => Topic::Events,
        }
    }
}

/// Key of an event: its campaign and the meeting or reference id it is about.
pub fn key(campaign: &CampaignId, data: &Data) -> String {
    format!("{campaign}/{}", data.subject())
}
