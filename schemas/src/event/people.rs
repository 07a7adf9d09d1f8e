//! Coalitions and their members (staff, whose names may be held), and the consent of attendees (who are pseudonyms).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    event::person::Person,
    id::{CoalitionId, EventId, MemberId, NoticeId, PartyCode, UnitCode},
    text::{Names, Text},
};

/// `coalition.formed`: a coalition, of a unit or of the whole region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoalitionFormed {
    /// The coalition.
    pub coalition: CoalitionId,
    /// Highest holds.
    pub revision: u32,
    /// Its unit; none for a coalition of the whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// Its names.
    pub names: Names,
}

/// `member.joined`: a member of a coalition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberJoined {
    /// The member.
    pub member: MemberId,
    /// Highest holds.
    pub revision: u32,
    /// Their coalition.
    pub coalition: CoalitionId,
    /// Their party; none for lawyers, deputies, scholars and experts without a party role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<PartyCode>,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

/// `consent.given`: a person agreed to be recorded, or agreed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven<P = Person> {
    /// Who.
    pub person: P,
    /// The notice they agreed to.
    pub notice: NoticeId,
    /// Withdrawals that this takes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub supersedes: Vec<EventId>,
}

/// `consent.withdrawn`: a person took consent back; their attendances stop counting as identified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawn<P = Person> {
    /// Who.
    pub person: P,
}
