//! The two topics of the event log and the rule for their keys.
//!
//! `events` is keyed by meeting or reference id, `roll` by precinct. Order inside a partition is locality, never
//! correctness: every fold gives the same state in any order.

use crate::{event::Data, id::CampaignId};

/// A topic of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Everything but the roll.
    Events,
    /// The pseudonymous roll: one large event per precinct and version.
    Roll,
}

impl Topic {
    /// Both topics.
    pub const ALL: [Topic; 2] = [Topic::Events, Topic::Roll];

    /// Name in the log.
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
