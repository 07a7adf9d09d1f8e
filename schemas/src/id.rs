//! Identifiers: one type for each, validated at construction.
//!
//! Guarantees: a value of one of these types matches its pattern; the compiler rejects one in place of another.
//! Codes are short ASCII words that people type and read; events and imports are UUIDs made by the client;
//! a person is only ever a [`Pseudonym`].

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::text::deserialize_from_str;

/// Why a text is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 1-48 characters of `A-Z a-z 0-9 - _ .` beginning with a letter or digit.
    #[error("{what} must be 1 to 48 characters of A-Z, a-z, 0-9, '-', '_' or '.', beginning with a letter or digit")]
    Code {
        /// Name of the identifier's type.
        what: &'static str,
    },
    /// A run of twelve digits, which might be somebody's national id.
    #[error("{what} holds a run of 12 digits, which may be a national id; choose another code")]
    NationalId {
        /// Name of the identifier's type.
        what: &'static str,
    },
    /// Not a hyphenated UUID, or the nil UUID.
    #[error("{what} must be a UUID such as 018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10")]
    Uuid {
        /// Name of the identifier's type.
        what: &'static str,
    },
    /// Not exactly nine digits.
    #[error("KATO code must be nine digits")]
    Kato,
    /// Not 32 letters a-p.
    #[error("{what} must be 32 letters from a to p")]
    Letters {
        /// Name of the identifier's type.
        what: &'static str,
    },
}

/// Maximum length of a code in bytes.
pub const CODE_MAX_BYTES: usize = 48;

fn check_code(text: &str, what: &'static str) -> Result<(), IdError> {
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !first || !rest || text.len() > CODE_MAX_BYTES {
        return Err(IdError::Code { what });
    }
    // Only digits written together: hyphens belong to codes such as `TRK-2026-0213-0042`.
    if text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() == 12) {
        return Err(IdError::NationalId { what });
    }
    Ok(())
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check_code(text, $what)?;
                Ok(Self(text.into()))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_from_str(deserializer)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$",
                    "description": concat!("A ", $what, ": a code that holds no run of exactly 12 digits."),
                })
            }
        }
    };
}

code!(/// A campaign, such as `turkistan-2026`. Every event belongs to one.
    CampaignId, "campaign");
code!(/// A district or city of the campaign, such as `TRK`.
    UnitCode, "unit");
code!(/// A voting precinct, such as `TRK-014`.
    PrecinctId, "precinct");
code!(/// A coalition, such as `regional` or `TRK`.
    CoalitionId, "coalition");
code!(/// A member of a coalition; staff, not an attendee.
    MemberId, "member");
code!(/// A political party, such as `amanat`.
    PartyCode, "party");
code!(/// A place where meetings are held.
    VenueId, "venue");
code!(/// A meeting, planned or unplanned.
    MeetingId, "meeting");
code!(/// A category of the population, such as `YOUTH`.
    CategoryCode, "category");
code!(/// A format of a meeting, such as `WORKPLACE`.
    FormatCode, "format");
code!(/// A language a meeting is held in: an ISO 639 code with an optional script, such as `uz-Cyrl`.
    LanguageCode, "language");
code!(/// A paper or electronic attendance sheet.
    SheetId, "sheet");
code!(/// Who counted heads: `1`, `2` or a member.
    CounterId, "counter");
code!(/// A survey about attendance of meetings.
    SurveyId, "survey");
code!(/// A theme of questions, such as `LAND`.
    ThemeCode, "theme");
code!(/// A version of the consent notice, such as `2026-02-a`.
    NoticeId, "consent notice");

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                // Only the hyphenated form, and never the nil UUID: tables use it for a missing id.
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == 36 && !uuid.is_nil() => Ok(Self(uuid)),
                    _ => Err(IdError::Uuid { what: $what }),
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_from_str(deserializer)
            }
        }
    };
}

uuid_id!(/// An event: the client generates it once and reuses it for every retry.
    EventId, "event id");
uuid_id!(/// An import: events that can be reversed together.
    ImportId, "import");

macro_rules! letters {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = text.as_bytes();
                if bytes.len() != 32 || !bytes.iter().all(|b| (b'a'..=b'p').contains(b)) {
                    return Err(IdError::Letters { what: $what });
                }
                let mut value = [0; 16];
                for (slot, pair) in value.iter_mut().zip(bytes.chunks_exact(2)) {
                    *slot = (pair[0] - b'a') << 4 | (pair[1] - b'a');
                }
                Ok(Self(value))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 32];
                for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = b'a' + (byte >> 4);
                    pair[1] = b'a' + (byte & 15);
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_from_str(deserializer)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": "^[a-p]{32}$", "description": concat!("A ", $what, ": 128 bits in letters.")})
            }
        }
    };
}

letters!(
    /// A person: 128 bits of a keyed MAC over an identifier, computed by ingest. Printed in letters only, so that it never
    /// looks like a national id.
    Pseudonym, "pseudonym");
letters!(
    /// Hash of a submission with pseudonyms: the first 128 bits of a SHA-256, see [`body_hash`](crate::encode::body_hash).
    BodyHash, "body hash");
