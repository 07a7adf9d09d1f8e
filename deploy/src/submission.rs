//! A Submission as this crate's clients send it: CloudEvents structured mode, one JSON object per line, no body hash.
//!
//! Guarantees: the wire form is written in one place, from the payload types of the contract; people are named by raw identifiers
//! that exist in memory and on the way to ingest only. Leaves to ingest what becomes of it.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use qamtu_schemas::{
    Data, EventType, Kind,
    event::{AttendanceRecorded, ConsentGiven, ConsentWithdrawn, PrecinctEnrolled, audience::HeadcountReportedV1},
    id::{CampaignId, EventId, ImportId},
};
use serde::{Serialize, Serializer};

/// An individual identification number, twelve digits. Only invented ones exist in this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iin(pub u64);

impl fmt::Display for Iin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

/// A phone number by its eleven digits, printed in E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(pub u64);

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:011}", self.0)
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// How a submission names a person; ingest makes the pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifier {
    /// By a national id: `{"iin":"850615101233"}`.
    Iin(#[serde(serialize_with = "as_text")] Iin),
    /// By a phone number: `{"phone":"+70000000001"}`.
    Phone(#[serde(serialize_with = "as_text")] Phone),
}

/// The payload of a submission: as stored, or with raw identifiers, or of an old version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Payload {
    /// Anything that names no person.
    Plain(Box<Data>),
    /// A line of an attendance sheet.
    Attendance(AttendanceRecorded<Identifier>),
    /// The roll of a precinct.
    Roll(PrecinctEnrolled<Identifier>),
    /// Consent, again.
    ConsentGiven(ConsentGiven<Identifier>),
    /// Consent, taken back.
    ConsentWithdrawn(ConsentWithdrawn<Identifier>),
    /// The form of a headcount that older phones still send.
    OldHeadcount(HeadcountReportedV1),
}

impl Payload {
    fn kind(&self) -> EventType {
        match self {
            Payload::Plain(data) => EventType::latest(data.kind()),
            Payload::Attendance(_) => EventType::latest(Kind::AttendanceRecorded),
            Payload::Roll(_) => EventType::latest(Kind::PrecinctEnrolled),
            Payload::ConsentGiven(_) => EventType::latest(Kind::ConsentGiven),
            Payload::ConsentWithdrawn(_) => EventType::latest(Kind::ConsentWithdrawn),
            Payload::OldHeadcount(_) => EventType { kind: Kind::HeadcountReported, version: 1 },
        }
    }
}

impl<T: Into<Data>> From<T> for Payload {
    fn from(data: T) -> Self {
        Payload::Plain(Box::new(data.into()))
    }
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Made by the client, kept through every retry.
    pub id: EventId,
    /// Which form, import or phone sends it.
    pub source: Arc<str>,
    /// When it happened.
    pub time: Timestamp,
    /// When a device wrote it down.
    pub recordedtime: Option<Timestamp>,
    /// When ingest takes it, in simulated time; only for synthetic campaigns.
    pub receivedtime: Option<Timestamp>,
    /// The campaign.
    pub campaign: Arc<CampaignId>,
    /// The import it comes with.
    pub import: Option<ImportId>,
    /// What it says.
    pub data: Payload,
}

impl Submission {
    /// The type and version of what it says.
    pub fn kind(&self) -> EventType {
        self.data.kind()
    }

    /// Appends it as one line of NDJSON.
    pub fn write_line(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.push(b'\n');
        Ok(())
    }
}

impl Serialize for Submission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            specversion: &'static str,
            id: EventId,
            #[serde(rename = "type")]
            kind: EventType,
            source: &'a str,
            time: Timestamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            recordedtime: Option<Timestamp>,
            #[serde(skip_serializing_if = "Option::is_none")]
            receivedtime: Option<Timestamp>,
            campaign: &'a CampaignId,
            #[serde(skip_serializing_if = "Option::is_none")]
            import: Option<ImportId>,
            data: &'a Payload,
        }
        Wire {
            specversion: "1.0",
            id: self.id,
            kind: self.kind(),
            source: &self.source,
            time: self.time,
            recordedtime: self.recordedtime,
            receivedtime: self.receivedtime,
            campaign: &self.campaign,
            import: self.import,
            data: &self.data,
        }
        .serialize(serializer)
    }
}
