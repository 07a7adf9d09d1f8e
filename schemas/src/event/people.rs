//! Coalitions and their members (staff, whose names may be stored), and the consent of attendees (stored as pseudonyms).

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
    /// Id of the coalition.
    pub coalition: CoalitionId,
    /// The highest revision counts.
    pub revision: u32,
    /// Unit of the coalition; none: the whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// Names in the three languages.
    pub names: Names,
}

/// `member.joined`: a member of a coalition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberJoined {
    /// Id of the member.
    pub member: MemberId,
    /// The highest revision counts.
    pub revision: u32,
    /// Coalition that they belong to.
    pub coalition: CoalitionId,
    /// Party of the member; none for lawyers, deputies, scholars and experts without a party role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<PartyCode>,
    /// Name of the member, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
}

/// `consent.given`: a person consented to be recorded, or renewed the consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven<P = Person> {
    /// The person who consented.
    pub person: P,
    /// Version of the consent notice they agreed to.
    pub notice: NoticeId,
    /// Withdrawals that this consent supersedes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub supersedes: Vec<EventId>,
}

/// `consent.withdrawn`: a person withdrew consent; their attendances no longer count as identified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawn<P = Person> {
    /// The person who withdrew consent.
    pub person: P,
}
