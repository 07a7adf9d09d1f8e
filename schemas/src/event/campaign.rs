//! Reference data of a campaign: calendar and plan, units, precincts and their voters, the optional roll, access, venues.
//!
//! Every reference event has a `revision`: for one id the highest revision counts, ties by event id. No clock is involved.

use std::str::FromStr;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    event::person::PseudonymStrength,
    id::{CampaignId, CategoryCode, FormatCode, IdError, LanguageCode, PartyCode, PrecinctId, Pseudonym, UnitCode, VenueId},
    instant::date,
    text::{Names, Text, deserialize_from_str},
};

/// `campaign.configured`: calendar, plan and closed lists of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignConfigured {
    /// Campaign id, equal to that of the envelope.
    pub campaign: CampaignId,
    /// The highest revision counts.
    pub revision: u32,
    /// Names of the campaign.
    pub names: Names,
    /// Names of its area, such as `Turkistan region`; none: the page and the report name the whole campaign instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Names>,
    /// Whether all data is synthetic; only then may a client simulate the clock.
    pub synthetic: bool,
    /// IANA time zone of its local days, such as `Asia/Almaty`.
    pub time_zone: Text,
    /// First lawful campaign day.
    #[serde(deserialize_with = "date")]
    pub opens: Date,
    /// Last lawful campaign day.
    #[serde(deserialize_with = "date")]
    pub closes: Date,
    /// Day without campaigning before the vote.
    #[serde(deserialize_with = "date")]
    pub silence_day: Date,
    /// Day of the vote.
    #[serde(deserialize_with = "date")]
    pub vote_day: Date,
    /// Meetings planned for the whole campaign.
    pub planned_meetings: u32,
    /// Number of distinct voters that the plan intends to reach.
    pub planned_reach: u32,
    /// Population categories of the plan.
    pub categories: Vec<Category>,
    /// Meeting formats of the campaign.
    pub formats: Vec<CodeNames<FormatCode>>,
    /// Parties that members belong to.
    pub parties: Vec<CodeNames<PartyCode>>,
    /// Languages that meetings are held in.
    pub languages: Vec<CodeNames<LanguageCode>>,
}

/// A code of a closed list and its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Named{C}")]
pub struct CodeNames<C> {
    /// Code that events refer to.
    pub code: C,
    /// Names in the three languages.
    pub names: Names,
}

/// A category of the population.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Code that events refer to.
    pub code: CategoryCode,
    /// Names in the three languages.
    pub names: Names,
    /// Whether attendance alone would reveal belief, origin or health: then only headcounts are allowed.
    #[serde(default)]
    pub revealing: bool,
}

/// Kind of a unit: district or city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    /// A city of regional significance.
    City,
    /// A district of the region.
    District,
}

/// Code of the state classifier of administrative units: nine digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Kato(#[schemars(regex(pattern = "^[0-9]{9}$"))] Box<str>);

impl Kato {
    /// The nine digits as text.
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
        deserialize_from_str(deserializer)
    }
}

/// Position in the tile grid map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Row from the north, from 0.
    pub row: u8,
    /// Column from the west, from 0.
    pub column: u8,
}

/// `unit.defined`: a district or city of the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitDefined {
    /// Code of the unit.
    pub unit: UnitCode,
    /// The highest revision counts.
    pub revision: u32,
    /// Its code in the state classifier.
    pub kato: Kato,
    /// Kind of a unit: district or city.
    pub kind: UnitKind,
    /// Names in the three languages.
    pub names: Names,
    /// Position of its tile on the map.
    pub tile: Tile,
}

/// Kind of a precinct: ordinary or special.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrecinctKind {
    /// A residential area.
    #[default]
    Ordinary,
    /// Hospital, barracks, place of detention, remote pasture.
    Special,
}

/// `precinct.counted`: registered voters of a precinct on a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecinctCounted {
    /// Id of the precinct.
    pub precinct: PrecinctId,
    /// Unit that it belongs to.
    pub unit: UnitCode,
    /// Number that the election commission gave it.
    pub number: u32,
    /// Whether it is ordinary or special.
    #[serde(default)]
    pub kind: PrecinctKind,
    /// Date for which the count is valid.
    #[serde(deserialize_with = "date")]
    pub as_of: Date,
    /// For one date the highest revision counts.
    pub revision: u32,
    /// Number of registered voters.
    #[schemars(range(max = 100_000))]
    pub voters: u32,
    /// Source of the count, such as the election commission.
    pub source: Text,
}

/// Sex of a voter as stated in the roll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Sex {
    /// Female, written as `f`.
    #[serde(rename = "f")]
    Female,
    /// Male, written as `m`.
    #[serde(rename = "m")]
    Male,
    /// Not stated, written as `u`.
    #[serde(rename = "u")]
    Unknown,
}

/// One entry of the roll, written as `[person, birth band, sex]`; the birth band is the first year of a five-year band, such as 1985
/// (0: not stated).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RollEntry<P = Pseudonym>(pub P, pub u16, pub Sex);

/// `precinct.enrolled`: the complete pseudonymous roll of a precinct; for one precinct the highest version counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecinctEnrolled<P = Pseudonym> {
    /// Id of the precinct.
    pub precinct: PrecinctId,
    /// The highest revision counts.
    pub version: u32,
    /// What the pseudonyms were computed from; only a strong roll is used as a denominator.
    pub strength: PseudonymStrength,
    /// Its voters, at most 3,000 by law and 10,000 here.
    #[schemars(length(max = 10_000))]
    pub voters: Vec<RollEntry<P>>,
}

/// Maximum number of voters in one precinct's roll.
pub const ROLL_MAX_VOTERS: usize = 10_000;

/// Why no meeting can be held in a precinct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnreachableReason {
    /// No passable road leads there.
    Road,
    /// A flood or another disaster.
    Disaster,
    /// A quarantine.
    Quarantine,
    /// There is no place for a meeting.
    Venue,
    /// Its residents are elsewhere for a time, such as on summer pastures.
    Absence,
    /// None of these.
    Other,
}

/// Since when no meeting can be held in a precinct, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreachable {
    /// First day of it.
    #[serde(deserialize_with = "date")]
    pub since: Date,
    /// What prevents meetings.
    pub reason: UnreachableReason,
    /// Details, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// `access.reported`: whether meetings can be held in a precinct. Its voters stay in every denominator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessReported {
    /// Id of the precinct.
    pub precinct: PrecinctId,
    /// The highest revision counts.
    pub revision: u32,
    /// Why no meeting can be held there; absent: meetings can be held there, perhaps again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<Unreachable>,
}

/// `venue.described`: a place where meetings are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VenueDescribed {
    /// Id of the venue.
    pub venue: VenueId,
    /// The highest revision counts.
    pub revision: u32,
    /// Unit that it belongs to.
    pub unit: UnitCode,
    /// Precinct that it belongs to, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precinct: Option<PrecinctId>,
    /// Common name of the venue.
    pub name: Text,
    /// Maximum number of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}
