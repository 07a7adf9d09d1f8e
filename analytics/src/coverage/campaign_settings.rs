//! Calendar and plan of a campaign, as its `campaign.configured` event states them.

use jiff::civil::Date;
use qamtu_schemas::{
    event::CampaignConfigured,
    text::{Names, Text},
};
use serde::{Deserialize, Serialize};

/// Name, calendar and plan of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignSettings {
    /// Names in three languages.
    pub names: Names,
    /// Whether all data is invented.
    pub synthetic: bool,
    /// IANA time zone of its local days.
    pub time_zone: Text,
    /// First lawful campaign day.
    pub opens: Date,
    /// Last lawful campaign day.
    pub closes: Date,
    /// Day of silence before the vote.
    pub silence_day: Date,
    /// Day of the vote.
    pub vote_day: Date,
    /// Meetings planned for the whole campaign.
    pub planned_meetings: u32,
    /// Number of different voters that the plan is to reach.
    pub planned_reach: u32,
    /// Name of its whole area, if it is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Names>,
}

impl From<&CampaignConfigured> for CampaignSettings {
    fn from(configured: &CampaignConfigured) -> Self {
        Self {
            names: configured.names.clone(),
            synthetic: configured.synthetic,
            time_zone: configured.time_zone.clone(),
            opens: configured.opens,
            closes: configured.closes,
            silence_day: configured.silence_day,
            vote_day: configured.vote_day,
            planned_meetings: configured.planned_meetings,
            planned_reach: configured.planned_reach,
            area: configured.area.clone(),
        }
    }
}
