//! Row: what one record becomes in one table, and the tables in the order in which they are written.
//!
//! Each row type names its columns and their ClickHouse types once; the order of its fields is the order of its bytes.
//! A test compares every list with the live table. Nothing here knows where a row comes from or how it is sent.

use std::borrow::Cow;

use qamtu_schemas::{
    EventType,
    id::{BodyHash, EventId, ImportId},
};
use serde::Serialize;

use self::row_binary::Column;

mod enums;
mod row_binary;

pub use enums::{Adult, ConsentKind, ResidenceKind, Sex, Status, Strength};
pub use row_binary::{Micros, Millis};

/// Name and type of a column that is inserted.
pub type ColumnSpec = (&'static str, &'static str);

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty => $sql:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name<'_> {
            const COLUMNS: &'static [ColumnSpec] = &[$((stringify!($field), $sql),)*];

            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
        }
    };
}

columns! {
    /// Where a row of facts comes from: its place in the log and the envelope of its event. The same columns in every such table.
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
        /// Hash of what was sent.
        bodyhash: BodyHash => "FixedString(16)",
        /// When ingest took it.
        received: Micros => "DateTime64(6)",
        /// The import it came with.
        import: Option<ImportId> => "Nullable(UUID)",
    }
}

columns! {
    /// `log`: a record, an event or not.
    LogRow {
        /// Topic of the record.
        topic: &'a str => "LowCardinality(String)",
        /// Partition of the record.
        partition: u32 => "UInt32",
        /// Offset of the record.
        offset: u64 => "UInt64",
        /// When the log took it.
        appended: Millis => "DateTime64(3)",
        /// Is it an event?
        status: Status => "Enum8('event' = 1, 'rejected' = 2)",
        /// Why it is none; empty for an event.
        reason: &'a str => "LowCardinality(String)",
        /// Id of the event; zero where there is none.
        event_id: EventId => "UUID",
        /// CloudEvents type as stored; empty where there is none.
        r#type: Option<EventType> => "LowCardinality(String)",
        /// Campaign; empty where there is none.
        campaign: &'a str => "LowCardinality(String)",
        /// When ingest took it; of a rejected record when the log did.
        received: Micros => "DateTime64(6)",
        /// Hash of what was sent; of a rejected record of its redacted value.
        bodyhash: BodyHash => "FixedString(16)",
        /// The event in structured mode; of a rejected record what may be shown of it.
        body: &'a str => "String",
        /// How many offsets directly before it hold no record in the log itself.
        skipped: u64 => "UInt64",
    }
}

columns! {
    /// `meeting_events`: the columns beside the origin.
    MeetingEventRow {
        /// The meeting.
        meeting_id: &'a str => "LowCardinality(String)",
        /// The event in structured mode.
        body: &'a str => "String",
    }
}

columns! {
    /// `attendance`: the columns beside the origin.
    AttendanceRow {
        /// The meeting.
        meeting_id: &'a str => "LowCardinality(String)",
        /// When it happened.
        occurred: Micros => "DateTime64(6)",
        /// High half of the pseudonym.
        person_hi: u64 => "UInt64",
        /// Low half of the pseudonym.
        person_lo: u64 => "UInt64",
        /// What the pseudonym was made from.
        strength: Strength => "Enum8('strong' = 1, 'weak' = 2)",
        /// What is known of the residence.
        residence_kind: ResidenceKind => "Enum8('unknown' = 1, 'outside' = 2, 'unit' = 3, 'precinct' = 4)",
        /// The unit or precinct; empty where none is stated.
        residence: &'a str => "LowCardinality(String)",
        /// Stated to be 18 or older?
        adult: Adult => "Enum8('unknown' = 1, 'yes' = 2, 'no' = 3)",
        /// The attendance sheet; empty where none is stated.
        sheet: &'a str => "String",
        /// Line of the sheet; 0 where none is stated.
        line: u32 => "UInt32",
    }
}

columns! {
    /// `attendance_retractions`: one attendance that a retraction names.
    RetractionRow {
        /// The campaign.
        campaign: &'a str => "LowCardinality(String)",
        /// The meeting of the retraction.
        meeting_id: &'a str => "LowCardinality(String)",
        /// What is retracted.
        retracted_id: EventId => "UUID",
        /// The retraction.
        event_id: EventId => "UUID",
        /// Its body.
        bodyhash: BodyHash => "FixedString(16)",
    }
}

columns! {
    /// `reference_events`: the columns beside the origin.
    ReferenceEventRow {
        /// What it is about: a unit, a precinct, an import, ...
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
        /// Given or withdrawn.
        kind: ConsentKind => "Enum8('given' = 1, 'withdrawn' = 2)",
        /// Withdrawals that it takes back.
        supersedes: &'a [EventId] => "Array(UUID)",
    }
}

columns! {
    /// `roll_versions`: the columns beside the origin.
    RollVersionRow {
        /// The precinct.
        precinct: &'a str => "LowCardinality(String)",
        /// Version of its roll.
        version: u32 => "UInt32",
        /// What its pseudonyms were made from.
        strength: Strength => "Enum8('strong' = 1, 'weak' = 2)",
        /// Different voters.
        voters: u32 => "UInt32",
    }
}

columns! {
    /// `roll`: a voter.
    RollRow {
        /// The campaign.
        campaign: &'a str => "LowCardinality(String)",
        /// The precinct.
        precinct: &'a str => "LowCardinality(String)",
        /// Version of its roll.
        version: u32 => "UInt32",
        /// The event that listed the voter.
        event_id: EventId => "UUID",
        /// Its body.
        bodyhash: BodyHash => "FixedString(16)",
        /// High half of the pseudonym.
        person_hi: u64 => "UInt64",
        /// Low half of the pseudonym.
        person_lo: u64 => "UInt64",
        /// First year of the band of birth; 0 where not stated.
        birth_band: u16 => "UInt16",
        /// Sex.
        sex: Sex => "Enum8('f' = 1, 'm' = 2, 'u' = 3)",
    }
}

/// A table, in the order of writing: what is named by another row first, the log copy, which is the receipt, last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `roll`.
    Roll,
    /// `roll_versions`.
    RollVersions,
    /// `attendance_retractions`.
    Retractions,
    /// `meeting_events`.
    MeetingEvents,
    /// `attendance`.
    Attendance,
    /// `reference_events`.
    ReferenceEvents,
    /// `consents`.
    Consents,
    /// `log`.
    Log,
}

impl Table {
    /// Every table, in the order of writing.
    pub const ALL: [Table; 8] = [
        Table::Roll,
        Table::RollVersions,
        Table::Retractions,
        Table::MeetingEvents,
        Table::Attendance,
        Table::ReferenceEvents,
        Table::Consents,
        Table::Log,
    ];

    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Roll => "roll",
            Table::RollVersions => "roll_versions",
            Table::Retractions => "attendance_retractions",
            Table::MeetingEvents => "meeting_events",
            Table::Attendance => "attendance",
            Table::ReferenceEvents => "reference_events",
            Table::Consents => "consents",
            Table::Log => "log",
        }
    }

    /// The columns of its rows, in the order of their bytes.
    pub fn columns(self) -> Vec<ColumnSpec> {
        let (origin, own) = match self {
            Table::Roll => (&[][..], RollRow::COLUMNS),
            Table::Retractions => (&[][..], RetractionRow::COLUMNS),
            Table::Log => (&[][..], LogRow::COLUMNS),
            Table::RollVersions => (Origin::COLUMNS, RollVersionRow::COLUMNS),
            Table::MeetingEvents => (Origin::COLUMNS, MeetingEventRow::COLUMNS),
            Table::Attendance => (Origin::COLUMNS, AttendanceRow::COLUMNS),
            Table::ReferenceEvents => (Origin::COLUMNS, ReferenceEventRow::COLUMNS),
            Table::Consents => (Origin::COLUMNS, ConsentRow::COLUMNS),
        };
        origin.iter().chain(own).map(|(name, sql)| (name.trim_start_matches("r#"), *sql)).collect()
    }
}

/// A row of one of the tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Row<'a> {
    /// A row of `log`.
    Log(LogRow<'a>),
    /// A row of `meeting_events`.
    MeetingEvents(Origin<'a>, MeetingEventRow<'a>),
    /// A row of `attendance`.
    Attendance(Origin<'a>, AttendanceRow<'a>),
    /// A row of `attendance_retractions`.
    Retractions(RetractionRow<'a>),
    /// A row of `reference_events`.
    ReferenceEvents(Origin<'a>, ReferenceEventRow<'a>),
    /// A row of `consents`.
    Consents(Origin<'a>, ConsentRow<'a>),
    /// A row of `roll_versions`.
    RollVersions(Origin<'a>, RollVersionRow<'a>),
    /// A row of `roll`.
    Roll(RollRow<'a>),
}

impl Row<'_> {
    /// Its table.
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

    /// Appends its bytes.
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
