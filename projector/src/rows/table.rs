//! The tables that the projector fills, in write order, with their columns.

use super::{AttendanceRow, ConsentRow, LogRow, MeetingEventRow, Origin, ReferenceEventRow, RetractionRow, RollRow, RollVersionRow};

/// An inserted column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name in the database.
    pub name: &'static str,
    /// ClickHouse type, as the server reports it.
    pub sql_type: &'static str,
}

/// A table; the variants are in write order: a row comes after the rows that it refers to, and the log copy last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Table `roll`; a row is a voter of a roll version.
    Roll,
    /// Table `roll_versions`; a row is a version of a precinct's roll.
    RollVersions,
    /// Table `attendance_retractions`; a row is an attendance that a retraction names.
    Retractions,
    /// Table `meeting_events`; a row is a meeting event other than attendance.
    MeetingEvents,
    /// Table `attendance`; a row is an attendance.
    Attendance,
    /// Table `reference_events`; a row is reference data, a survey or an import.
    ReferenceEvents,
    /// Table `consents`; a row is consent given or withdrawn.
    Consents,
    /// Table `log`; a row is a record of the log, valid or not.
    Log,
}

impl Table {
    /// All tables, in write order.
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

    /// Name of the table in the database.
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

    /// Inserted columns, in the order of the encoded bytes.
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
        let plain_name = |column: &ColumnSpec| ColumnSpec { name: column.name.trim_start_matches("r#"), ..*column };
        origin.iter().chain(own).map(plain_name).collect()
    }
}
