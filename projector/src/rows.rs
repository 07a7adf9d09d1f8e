//! Rows: what a record becomes in each table.
//!
//! `table.rs` lists the tables in write order. Each row type states its columns and their ClickHouse types once; the order of the fields is the order of the encoded bytes. A test
//! compares these lists with the live tables.

use std::borrow::Cow;

use qamtu_schemas::{
    EventType,
    event::{PseudonymStrength, Sex},
    id::{BodyHash, EventId, ImportId},
};
use serde::Serialize;

use self::row_binary::ToRowBinary;

mod enums;
mod row_binary;
mod table;

pub use enums::{Adult, ConsentKind, RecordStatus, ResidenceKind};
pub use row_binary::{Micros, Millis};
pub use table::{ColumnSpec, Table};

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty => $sql:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name<'_> {
            const COLUMNS: &'static [ColumnSpec] = &[$(ColumnSpec { name: stringify!($field), sql_type: $sql },)*];

            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
        }
    };
}

columns! {
    /// The columns that all fact tables but `roll` and `attendance_retractions` share: position in the log and envelope of the event.
    Origin {
        /// Topic of the record.
        topic: &'a str => "LowCardinality(String)",
        /// Partition of the record.
        partition: u32 => "UInt32",
        /// Offset of the record.
        offset: u64 => "UInt64",
        /// Campaign of the event.
        campaign: &'a str => "LowCardinality(String)",
        /// Id of the event.
        event_id: EventId => "UUID",
        /// CloudEvents type as stored, version included.
        r#type: EventType => "LowCardinality(String)",
        /// Hash of the submitted body.
        bodyhash: BodyHash => "FixedString(16)",
        /// Time at which ingest received the event.
        received: Micros => "DateTime64(6)",
        /// Import that the event belongs to.
        import: Option<ImportId> => "Nullable(UUID)",
    }
}

columns! {
    /// `log`: a record, valid or not.
    LogRow {
        /// Topic of the record.
        topic: &'a str => "LowCardinality(String)",
        /// Partition of the record.
        partition: u32 => "UInt32",
        /// Offset of the record.
        offset: u64 => "UInt64",
        /// Time at which the record was appended to the log.
        appended: Millis => "DateTime64(3)",
        /// Whether the record is a valid event.
        status: RecordStatus => "Enum8('event' = 1, 'rejected' = 2)",
        /// Reason of the rejection; empty for an event.
        reason: &'a str => "LowCardinality(String)",
        /// Id of the event; zero if unknown.
        event_id: EventId => "UUID",
        /// CloudEvents type as stored; empty if unknown.
        r#type: Option<EventType> => "LowCardinality(String)",
        /// Campaign of the event; empty if unknown.
        campaign: &'a str => "LowCardinality(String)",
        /// Time at which ingest received the event; the append time of a rejected record.
        received: Micros => "DateTime64(6)",
        /// Hash of the submitted body; that of the redacted value of a rejected record.
        bodyhash: BodyHash => "FixedString(16)",
        /// The event in structured mode; redacted excerpt and error of a rejected record.
        body: &'a str => "String",
        /// Number of directly preceding offsets at which the log has no record.
        skipped: u64 => "UInt64",
    }
}

columns! {
    /// `meeting_events`: the columns beside the origin.
    MeetingEventRow {
        /// Id of the meeting.
        meeting_id: &'a str => "LowCardinality(String)",
        /// The event in structured mode.
        body: &'a str => "String",
    }
}

columns! {
    /// `attendance`: the columns beside the origin.
    AttendanceRow {
        /// Id of the meeting.
        meeting_id: &'a str => "LowCardinality(String)",
        /// Time of the attendance, from the envelope.
        occurred: Micros => "DateTime64(6)",
        /// High half of the pseudonym.
        person_hi: u64 => "UInt64",
        /// Low half of the pseudonym.
        person_lo: u64 => "UInt64",
        /// The identifier that the pseudonym was derived from.
        strength: PseudonymStrength => "Enum8('strong' = 1, 'weak' = 2)",
        /// How precisely the residence is known.
        residence_kind: ResidenceKind => "Enum8('unknown' = 1, 'outside' = 2, 'unit' = 3, 'precinct' = 4)",
        /// Unit or precinct of the residence; empty if not stated.
        residence: &'a str => "LowCardinality(String)",
        /// Whether the person is stated to be 18 or older.
        adult: Adult => "Enum8('unknown' = 1, 'yes' = 2, 'no' = 3)",
        /// Id of the attendance sheet; empty if not stated.
        sheet: &'a str => "String",
        /// Line of the sheet; 0 if not stated.
        line: u32 => "UInt32",
    }
}

columns! {
    /// `attendance_retractions`: one attendance that a retraction names.
    RetractionRow {
        /// Campaign of the event.
        campaign: &'a str => "LowCardinality(String)",
        /// The meeting of the retraction.
        meeting_id: &'a str => "LowCardinality(String)",
        /// Event id of the retracted attendance.
        retracted_id: EventId => "UUID",
        /// Event id of the retraction.
        event_id: EventId => "UUID",
        /// Hash of the body of that event.
        bodyhash: BodyHash => "FixedString(16)",
    }
}

columns! {
    /// `reference_events`: the columns beside the origin.
    ReferenceEventRow {
        /// Id of what the event is about: a unit, a precinct, an import, ...
        subject: Cow<'a, str> => "String",
        /// The event in structured mode.
        body: &'a str => "String",
    }
}

columns! {
    /// `consents`: the columns beside the origin.
    ConsentRow {
        /// High half of the pseudonym.
        person_hi: u64 => "UInt64",
        /// Low half of the pseudonym.
        person_lo: u64 => "UInt64",
        /// Whether consent is given or withdrawn.
        kind: ConsentKind => "Enum8('given' = 1, 'withdrawn' = 2)",
        /// Event ids of the withdrawals that this consent cancels.
        supersedes: &'a [EventId] => "Array(UUID)",
    }
}

columns! {
    /// `roll_versions`: the columns beside the origin.
    RollVersionRow {
        /// Id of the precinct.
        precinct: &'a str => "LowCardinality(String)",
        /// Version number of the precinct's roll.
        version: u32 => "UInt32",
        /// The identifier that the pseudonyms were derived from.
        strength: PseudonymStrength => "Enum8('strong' = 1, 'weak' = 2)",
        /// Number of distinct voters.
        voters: u32 => "UInt32",
    }
}

columns! {
    /// `roll`: a voter of a roll version.
    RollRow {
        /// Campaign of the event.
        campaign: &'a str => "LowCardinality(String)",
        /// Id of the precinct.
        precinct: &'a str => "LowCardinality(String)",
        /// Version number of the precinct's roll.
        version: u32 => "UInt32",
        /// Event that contains the roll version.
        event_id: EventId => "UUID",
        /// Hash of the body of that event.
        bodyhash: BodyHash => "FixedString(16)",
        /// High half of the pseudonym.
        person_hi: u64 => "UInt64",
        /// Low half of the pseudonym.
        person_lo: u64 => "UInt64",
        /// First birth year of the voter's age band; 0 if not stated.
        birth_band: u16 => "UInt16",
        /// Sex as stated in the roll.
        sex: Sex => "Enum8('f' = 1, 'm' = 2, 'u' = 3)",
    }
}

/// A row of one of the tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Row<'a> {
    /// A row of table `log`.
    Log(LogRow<'a>),
    /// A row of table `meeting_events`.
    MeetingEvents(Origin<'a>, MeetingEventRow<'a>),
    /// A row of table `attendance`.
    Attendance(Origin<'a>, AttendanceRow<'a>),
    /// A row of table `attendance_retractions`.
    Retractions(RetractionRow<'a>),
    /// A row of table `reference_events`.
    ReferenceEvents(Origin<'a>, ReferenceEventRow<'a>),
    /// A row of table `consents`.
    Consents(Origin<'a>, ConsentRow<'a>),
    /// A row of table `roll_versions`.
    RollVersions(Origin<'a>, RollVersionRow<'a>),
    /// A row of table `roll`.
    Roll(RollRow<'a>),
}

impl Row<'_> {
    /// The table that the row belongs to.
    pub const fn table(&self) -> Table {
        match self {
            Row::Log(_) => Table::Log,
            Row::MeetingEvents(..) => Table::MeetingEvents,
            Row::Attendance(..) => Table::Attendance,
            Row::Retractions(_) => Table::Retractions,
            Row::ReferenceEvents(..) => Table::ReferenceEvents,
            Row::Consents(..) => Table::Consents,
            Row::RollVersions(..) => Table::RollVersions,
            Row::Roll(_) => Table::Roll,
        }
    }

    /// Appends the row in RowBinary format.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Row::Log(row) => row.put(out),
            Row::Retractions(row) => row.put(out),
            Row::Roll(row) => row.put(out),
            Row::MeetingEvents(origin, row) => (origin.put(out), row.put(out)).1,
            Row::Attendance(origin, row) => (origin.put(out), row.put(out)).1,
            Row::ReferenceEvents(origin, row) => (origin.put(out), row.put(out)).1,
            Row::Consents(origin, row) => (origin.put(out), row.put(out)).1,
            Row::RollVersions(origin, row) => (origin.put(out), row.put(out)).1,
        }
    }
}
