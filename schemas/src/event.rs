//! All event types: names, versions, and payloads of the latest version.
//!
//! A payload allows no unknown fields and contains no opinion, vote, ethnicity or religion, and no raw identifier. Payloads about
//! people are generic over the identifier: [`Person`] as stored, a raw identifier as submitted.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    id::{EventId, MeetingId},
    text::{deserialize_from_str, excerpt},
};

pub mod attendance;
pub mod campaign;
pub mod imports;
pub mod meeting;
pub mod people;
pub mod person;
pub mod question;

pub use attendance::{
    AttendanceRecorded, AttendanceRetracted, Count, HeadcountRecounted, HeadcountReported, Residence, SheetLine, SurveyReported,
};
pub use campaign::{
    AccessReported, CampaignConfigured, Category, CodeNames, Kato, PrecinctCounted, PrecinctEnrolled, PrecinctKind, RollEntry, Sex, Tile,
    UnitDefined, UnitKind, Unreachable, UnreachableReason, VenueDescribed,
};
pub use imports::{ImportAccepted, ImportReversed};
pub use meeting::{MeetingCancelled, MeetingCorrected, MeetingHeld, MeetingPlanned, MeetingRescheduled, Plan, Report};
pub use people::{CoalitionFormed, ConsentGiven, ConsentWithdrawn, MemberJoined};
pub use person::{Person, PseudonymStrength};
pub use question::QuestionRaised;

/// Prefix of every event type.
pub const TYPE_PREFIX: &str = "qamtu.";

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($payload:ty) = $name:literal, v $latest:literal, $subject:ident;)*) => {
        /// Name of an event type, without its version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// All event types, in the order of the contract.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// Name without prefix and version, such as `meeting.planned`.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// Latest version of the payload; 1 is the first.
            pub const fn latest(self) -> u16 {
                match self { $(Kind::$variant => $latest,)* }
            }
        }

        impl FromStr for Kind {
            type Err = TypeError;
            fn from_str(name: &str) -> Result<Self, TypeError> {
                match name { $($name => Ok(Kind::$variant),)* _ => Err(TypeError::unknown(name)) }
            }
        }

        /// The payload of an event, of the latest version of its type.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Data {
            $($(#[$doc])* $variant($payload),)*
        }

        impl Data {
            /// The type of this payload.
            pub const fn kind(&self) -> Kind {
                match self { $(Data::$variant(_) => Kind::$variant,)* }
            }

            /// The meeting id or reference id that the event is about; part of its key in the log.
            pub fn subject(&self) -> String {
                match self { $(Data::$variant(data) => data.$subject.to_string(),)* }
            }

            /// Deserializes the payload of the latest version.
            pub(crate) fn read_latest<'de, D: Deserializer<'de>>(kind: Kind, from: D) -> Result<Data, D::Error> {
                match kind { $(Kind::$variant => <$payload>::deserialize(from).map(Data::$variant),)* }
            }

            /// The JSON Schema of the latest version of a payload; adds its parts to the generator's definitions.
            pub(crate) fn subschema(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
                match kind { $(Kind::$variant => generator.subschema_for::<$payload>(),)* }
            }

            /// The JSON Schema of the latest version of a payload; [`EventType::schema`] is that of the whole event.
            pub fn schema(kind: Kind) -> Schema {
                match kind { $(Kind::$variant => schemars::schema_for!($payload),)* }
            }
        }

        $(impl From<$payload> for Data {
            fn from(data: $payload) -> Self {
                Data::$variant(data)
            }
        })*
    };
}

kinds! {
    /// The campaign's calendar, plan, categories, formats, parties and languages.
    CampaignConfigured(CampaignConfigured) = "campaign.configured", v 1, campaign;
    /// A district or city of the campaign.
    UnitDefined(UnitDefined) = "unit.defined", v 1, unit;
    /// Registered voters of a precinct on a date, from a source.
    PrecinctCounted(PrecinctCounted) = "precinct.counted", v 1, precinct;
    /// The pseudonymous roll of a precinct.
    PrecinctEnrolled(PrecinctEnrolled) = "precinct.enrolled", v 1, precinct;
    /// Whether meetings can be held in a precinct.
    AccessReported(AccessReported) = "access.reported", v 1, precinct;
    /// A coalition of a unit or of the whole region.
    CoalitionFormed(CoalitionFormed) = "coalition.formed", v 1, coalition;
    /// A member of a coalition.
    MemberJoined(MemberJoined) = "member.joined", v 1, member;
    /// A place where meetings are held.
    VenueDescribed(VenueDescribed) = "venue.described", v 1, venue;
    /// A meeting was planned, or its plan was replaced.
    MeetingPlanned(MeetingPlanned) = "meeting.planned", v 1, meeting;
    /// A planned meeting was moved to another time.
    MeetingRescheduled(MeetingRescheduled) = "meeting.rescheduled", v 1, meeting;
    /// A planned meeting will not be held.
    MeetingCancelled(MeetingCancelled) = "meeting.cancelled", v 1, meeting;
    /// A meeting was held: its report.
    MeetingHeld(MeetingHeld) = "meeting.held", v 1, meeting;
    /// A report was wrong and is replaced by another one, or by none.
    MeetingCorrected(MeetingCorrected) = "meeting.corrected", v 1, meeting;
    /// A person attended a meeting and consented.
    AttendanceRecorded(AttendanceRecorded) = "attendance.recorded", v 1, meeting;
    /// Attendances recorded in error.
    AttendanceRetracted(AttendanceRetracted) = "attendance.retracted", v 1, meeting;
    /// Everyone in the room, counted by one or two counters.
    HeadcountReported(HeadcountReported) = "headcount.reported", v 2, meeting;
    /// The heads were counted again.
    HeadcountRecounted(HeadcountRecounted) = "headcount.recounted", v 1, meeting;
    /// The result of a survey: counts only.
    SurveyReported(SurveyReported) = "survey.reported", v 1, survey;
    /// Questions of one theme at a meeting: a count, never a person.
    QuestionRaised(QuestionRaised) = "question.raised", v 1, meeting;
    /// A person agreed to be recorded.
    ConsentGiven(ConsentGiven) = "consent.given", v 1, person;
    /// A person withdrew consent to be recorded.
    ConsentWithdrawn(ConsentWithdrawn) = "consent.withdrawn", v 1, person;
    /// An import was accepted by ingest.
    ImportAccepted(ImportAccepted) = "import.accepted", v 1, import;
    /// An import was reversed with all its events.
    ImportReversed(ImportReversed) = "import.reversed", v 1, import;
}

impl Data {
    /// The meeting an event is about; `None` for reference data, consent and imports.
    pub fn meeting(&self) -> Option<&MeetingId> {
        Some(match self {
            Data::MeetingPlanned(data) => &data.meeting,
            Data::MeetingRescheduled(data) => &data.meeting,
            Data::MeetingCancelled(data) => &data.meeting,
            Data::MeetingHeld(data) => &data.meeting,
            Data::MeetingCorrected(data) => &data.meeting,
            Data::AttendanceRecorded(data) => &data.meeting,
            Data::AttendanceRetracted(data) => &data.meeting,
            Data::HeadcountReported(data) => &data.meeting,
            Data::HeadcountRecounted(data) => &data.meeting,
            Data::QuestionRaised(data) => &data.meeting,
            _ => return None,
        })
    }

    /// The events that this one replaces or retracts.
    pub fn supersedes(&self) -> &[EventId] {
        match self {
            Data::MeetingPlanned(data) => &data.supersedes,
            Data::MeetingRescheduled(data) => &data.supersedes,
            Data::MeetingCorrected(data) => &data.supersedes,
            Data::AttendanceRetracted(data) => &data.retracts,
            Data::HeadcountRecounted(data) => &data.supersedes,
            Data::ConsentGiven(data) => &data.supersedes,
            _ => &[],
        }
    }
}

/// Why a text is not a valid event type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// The contract has no such type.
    #[error("unknown event type {0:?}")]
    Unknown(String),
    /// A version that this program does not know.
    #[error("{kind} has versions 1 to {latest}, not {wanted:?}")]
    Version {
        /// Name of the event type.
        kind: &'static str,
        /// Latest version that this program knows.
        latest: u16,
        /// The version that was sent.
        wanted: String,
    },
}

impl TypeError {
    fn unknown(text: &str) -> Self {
        TypeError::Unknown(excerpt(text, 80))
    }
}

/// The CloudEvents `type`: `qamtu.<name>.v<version>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType {
    /// Name of the event type.
    pub kind: Kind,
    /// The version of the payload, from 1 to [`Kind::latest`].
    pub version: u16,
}

impl EventType {
    /// The latest version of a type.
    pub const fn latest(kind: Kind) -> Self {
        Self { kind, version: kind.latest() }
    }
}

impl FromStr for EventType {
    type Err = TypeError;
    fn from_str(text: &str) -> Result<Self, TypeError> {
        let unknown = || TypeError::unknown(text);
        let (name, version) = text.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.rsplit_once(".v")).ok_or_else(unknown)?;
        let kind: Kind = name.parse().map_err(|_| unknown())?;
        match version.parse() {
            Ok(number) if (1..=kind.latest()).contains(&number) && !version.starts_with(['0', '+']) => Ok(Self { kind, version: number }),
            _ => Err(TypeError::Version { kind: kind.name(), latest: kind.latest(), wanted: excerpt(version, 20) }),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TYPE_PREFIX}{}.v{}", self.kind.name(), self.version)
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_from_str(deserializer)
    }
}

impl JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^qamtu\\.[a-z]+\\.[a-z]+\\.v[1-9][0-9]*$"})
    }
}
