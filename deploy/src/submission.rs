//! A submission as the demo and `qamtu send` send it: CloudEvents structured mode, one JSON object per line, no body hash.
//!
//! The JSON is written here only, from the payload types of the contract. Persons have raw identifiers, which exist in memory and in
//! requests to ingest only.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use qamtu_schemas::{
    Data, EventType, Kind,
    event::{AttendanceRecorded, ConsentGiven, ConsentWithdrawn, PrecinctEnrolled, attendance::HeadcountReportedV1},
    id::{CampaignId, EventId, ImportId},
};
use serde::{Serialize, Serializer};

/// An individual identification number, twelve digits. Only synthetic ones exist in this crate.
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

/// The raw identifier of a person; ingest replaces it by a pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifier {
    /// By a national id: `{"iin":"850615101233"}`.
    Iin(#[serde(serialize_with = "as_text")] Iin),
    /// By a phone number: `{"phone":"+70000000001"}`.
    Phone(#[serde(serialize_with = "as_text")] Phone),
}

/// The payload of a submission: as stored, or with raw identifiers, or of an older version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Payload {
    /// A payload without persons.
    Plain(Box<Data>),
    /// A line of an attendance sheet.
    Attendance(AttendanceRecorded<Identifier>),
    /// The roll of a precinct.
    Roll(PrecinctEnrolled<Identifier>),
    /// Consent given again after a withdrawal.
    ConsentGiven(ConsentGiven<Identifier>),
    /// Withdrawal of consent by a person.
    ConsentWithdrawn(ConsentWithdrawn<Identifier>),
    /// Version 1 of a headcount, which older phones still send.
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

/// One event as a client sends it, before ingest completes the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Event id, made by the client and the same in every retry.
    pub id: EventId,
    /// Form, import or phone that sends it.
    pub source: Arc<str>,
    /// Time of the fact itself.
    pub time: Timestamp,
    /// Time at which a device recorded it.
    pub recordedtime: Option<Timestamp>,
    /// Simulated time of arrival at ingest; for synthetic campaigns only.
    pub receivedtime: Option<Timestamp>,
    /// Id of the campaign it belongs to.
    pub campaign: Arc<CampaignId>,
    /// Id of the uploaded file it comes from.
    pub import: Option<ImportId>,
    /// Payload; its variant determines the event type.
    pub data: Payload,
}

impl Submission {
    /// Event type and version of the payload.
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
