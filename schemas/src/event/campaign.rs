//! Reference data of a campaign: calendar and plan, units, precincts and their voters, the optional roll, venues.
//!
//! Every reference event carries a `revision`: of one id the highest revision holds, ties by event id. No clock is asked.

use std::str::FromStr;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    event::person::Strength,
    id::{CampaignId, CategoryCode, FormatCode, IdError, LanguageCode, PartyCode, PrecinctId, Pseudonym, UnitCode, VenueId},
    instant::date,
    text::{Names, Text, parsed},
};

/// `campaign.configured`: calendar, plan and closed lists of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignConfigured {
    /// The campaign, equal to the envelope's.
    pub campaign: CampaignId,
    /// Highest holds.
    pub revision: u32,
    /// What it is called.
    pub names: Names,
    /// What its area is called, such as `Turkistan region`; none: readers are told of the whole campaign instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Names>,
    /// All data is invented; only then may a client simulate the clock.
    pub synthetic: bool,
    /// IANA time zone of its local days, such as `Asia/Almaty`.
    pub time_zone: Text,
    /// First lawful campaign day.
    #[serde(deserialize_with = "date")]
    pub opens: Date,
    /// Last lawful campaign day.
    #[serde(deserialize_with = "date")]
    pub closes: Date,
    /// Day of silence before the vote.
    #[serde(deserialize_with = "date")]
    pub silence_day: Date,
    /// Day of the vote.
    #[serde(deserialize_with = "date")]
    pub vote_day: Date,
    /// Meetings planned for the whole campaign.
    pub planned_meetings: u32,
    /// Different voters the plan means to reach.
    pub planned_reach: u32,
    /// Categories of the population.
    pub categories: Vec<Category>,
    /// Formats of meetings.
    pub formats: Vec<CodeNames<FormatCode>>,
    /// Parties of members.
    pub parties: Vec<CodeNames<PartyCode>>,
    /// Languages of meetings.
    pub languages: Vec<CodeNames<LanguageCode>>,
}

/// A code of a closed list and its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Named{C}")]
pub struct CodeNames<C> {
    /// The code.
    pub code: C,
    /// Its names.
    pub names: Names,
}

/// A category of the population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The code.
    pub code: CategoryCode,
    /// Its names.
    pub names: Names,
    /// Attendance alone would reveal belief, origin or health: headcounts only.
    #[serde(default)]
    pub revealing: bool,
}

/// District or city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "UnitKind")]
pub enum Kind {
    /// A city of regional significance.
    City,
    /// A district.
    District,
}

/// Code of the state classifier of administrative units: nine digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Kato(#[schemars(regex(pattern = "^[0-9]{9}$"))] Box<str>);

impl Kato {
    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kato {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdError::Kato);
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for Kato {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// Position in the grid of equal tiles that stands for a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// From the north, 0 first.
    pub row: u8,
    /// From the west, 0 first.
    pub column: u8,
}

/// `unit.defined`: a district or city of the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitDefined {
    /// Its code.
    pub unit: UnitCode,
    /// Highest holds.
    pub revision: u32,
    /// Its code in the state classifier.
    pub kato: Kato,
    /// District or city.
    pub kind: Kind,
    /// Its names.
    pub names: Names,
    /// Its tile.
    pub tile: Tile,
}

/// Ordinary or special precinct.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrecinctKind {
    /// Where people live.
    #[default]
    Ordinary,
    /// Hospital, barracks, place of detention, remote pasture.
    Special,
}

/// `precinct.counted`: registered voters of a precinct on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecinctCounted {
    /// The precinct.
    pub precinct: PrecinctId,
    /// Its unit.
    pub unit: UnitCode,
    /// Its number at the election commission.
    pub number: u32,
    /// Ordinary or special.
    #[serde(default)]
    pub kind: PrecinctKind,
    /// The date the count is true for.
    #[serde(deserialize_with = "date")]
    pub as_of: Date,
    /// Of one date the highest holds.
    pub revision: u32,
    /// Registered voters.
    #[schemars(range(max = 100_000))]
    pub voters: u32,
    /// Who counted.
    pub source: Text,
}

/// Sex as the roll states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Sex {
    /// Female.
    #[serde(rename = "f")]
    Female,
    /// Male.
    #[serde(rename = "m")]
    Male,
    /// Not stated.
    #[serde(rename = "u")]
    Unknown,
}

/// One line of the roll, written `[person, birth band, sex]`: who, first year of a five-year band of birth such as 1985 (0: not
/// stated), sex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RollEntry<P = Pseudonym>(pub P, pub u16, pub Sex);

/// `precinct.enrolled`: the pseudonymous roll of a precinct, whole; of one precinct the highest version holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecinctEnrolled<P = Pseudonym> {
    /// The precinct.
    pub precinct: PrecinctId,
    /// Highest holds.
    pub version: u32,
    /// What the pseudonyms were made from; only a strong roll is a denominator.
    pub strength: Strength,
    /// Its voters, at most 3,000 by law and 10,000 here.
    #[schemars(length(max = 10_000))]
    pub voters: Vec<RollEntry<P>>,
}

/// Most voters in one precinct's roll.
pub const ROLL_MAX_VOTERS: usize = 10_000;

/// `venue.described`: a place where meetings are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VenueDescribed {
    /// The venue.
    pub venue: VenueId,
    /// Highest holds.
    pub revision: u32,
    /// Its unit.
    pub unit: UnitCode,
    /// Its precinct, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precinct: Option<PrecinctId>,
    /// What people call it.
    pub name: Text,
    /// Most people it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}
