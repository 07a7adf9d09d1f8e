//! A row of figures as CSV, in two dialects.
//!
//! Guarantees: a number column contains a number or nothing. The columns `withheld` and `unknown` list the fields that are empty because
//! they are withheld or unknown; any other empty field does not apply to its row. Files begin with a byte order mark, so that
//! spreadsheets read the names as UTF-8. Texts that a spreadsheet would evaluate as a formula get an apostrophe.

use std::io::Write;

use jiff::{Timestamp, civil::Date};
use qamtu_schemas::text::Names;

use crate::{
    cell::Cell,
    coverage::{Denominator, Fulfilment, Method},
    locale::composed,
    reach_status::ReachStatus,
};

/// Delimiter of fields and decimal separator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Commas between fields and a point in decimals: for programs.
    #[default]
    Comma,
    /// Semicolons between fields and a comma in decimals: what spreadsheets expect in Kazakh and Russian.
    Semicolon,
}

/// A field of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field {
    /// It does not apply to the row.
    #[default]
    Empty,
    /// A name, a code or a date.
    Text(String),
    /// A whole number, written without separators.
    Count(u64),
    /// A percentage, in hundredths of a percent.
    Percent(u64),
    /// Withheld to protect people.
    Withheld,
    /// Unknown, since the data it follows from is missing.
    Unknown,
}

impl From<u64> for Field {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Cell> for Field {
    fn from(cell: Cell) -> Self {
        cell.shown().map_or(Self::Withheld, Self::Count)
    }
}

/// Puts an apostrophe before everything that a spreadsheet would evaluate as a formula: at the start, and after a delimiter, where a
/// spreadsheet that expects the other dialect begins a cell.
fn escape_formulas(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut at_cell_start = true;
    for letter in text.chars() {
        if at_cell_start && matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠') {
            written.push('\'');
        }
        written.push(letter);
        at_cell_start = matches!(letter, ',' | ';' | '\t' | '\n' | '\r');
    }
    written
}

impl Field {
    /// A text field of anything printable.
    pub fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// A share as a percentage; withheld or unknown if the part or the whole is.
    fn share(part: &Self, whole: &Self) -> Self {
        match (part, whole) {
            (Self::Count(_), Self::Count(0)) => Self::Empty,
            (Self::Count(part), Self::Count(whole)) => {
                let (part, whole) = (u128::from(*part), u128::from(*whole));
                Self::Percent(u64::try_from((part * 20_000 + whole) / (2 * whole)).unwrap_or(u64::MAX))
            }
            (Self::Count(_), Self::Unknown) => Self::Unknown,
            (Self::Withheld | Self::Unknown, Self::Count(_) | Self::Unknown) => part.clone(),
            _ => Self::Empty,
        }
    }

    fn to_text(&self, dialect: Dialect) -> String {
        match self {
            Self::Text(text) => escape_formulas(text),
            Self::Count(count) => count.to_string(),
            Self::Percent(hundredths) => {
                let point = if dialect == Dialect::Comma { '.' } else { ',' };
                format!("{}{point}{:02}", hundredths / 100, hundredths % 100)
            }
            Self::Empty | Self::Withheld | Self::Unknown => String::new(),
        }
    }
}

/// One row. Its fields stand in the order of the file.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each field is a column of the file, described where the figures are defined")]
pub struct CsvRow {
    pub kind: &'static str,
    pub key: String,
    pub names: Option<Names>,
    pub voters: Field,
    pub denominator_date: Option<Date>,
    pub plan: Option<Fulfilment>,
    pub held: Field,
    pub gross: Field,
    pub identified: Field,
    pub contacts: Field,
    pub reached: Field,
    pub lower: Field,
    pub upper: Field,
    pub method: Option<Method>,
    pub over: Option<bool>,
    pub weak: Field,
    pub outside: Field,
    pub unidentified: Field,
    pub headcount_meetings: Field,
    pub identified_meetings: Field,
}

impl CsvRow {
    /// A row with its key columns; all other fields are empty.
    pub fn new(kind: &'static str, key: impl ToString, names: Option<&Names>) -> Self {
        Self { kind, key: key.to_string(), names: names.cloned(), ..Self::default() }
    }

    /// Adds the registered voters and the date of their count.
    pub fn with_voters(self, denominator: &Denominator) -> Self {
        Self { voters: denominator.known().map_or(Field::Unknown, Field::Count), denominator_date: denominator.date, ..self }
    }

    /// Adds the fulfilment of the plan.
    pub fn with_plan(self, plan: &Fulfilment) -> Self {
        Self { plan: Some(plan.clone()), held: plan.held.into(), ..self }
    }

    /// Empties the reach if no meeting was held, and marks fields as unknown that nobody counted or identified.
    pub fn for_status(self, knowledge: ReachStatus) -> Self {
        match knowledge {
            ReachStatus::Identified => self,
            ReachStatus::CountedOnly | ReachStatus::Unrecognised => Self { reached: Field::Unknown, ..self },
            ReachStatus::Uncounted => {
                Self { gross: Field::Unknown, reached: Field::Unknown, lower: Field::Unknown, upper: Field::Unknown, ..self }
            }
            ReachStatus::NoMeetings => Self { reached: Field::Empty, lower: Field::Empty, upper: Field::Empty, ..self },
        }
    }

    /// Names and contents of the columns that every file has.
    fn columns(&self) -> Vec<(&'static str, Field)> {
        let name = |of: fn(&Names) -> &str| self.names.as_ref().map_or(Field::Empty, |names| Field::Text(composed(of(names))));
        let plan = |of: fn(&Fulfilment) -> u64| self.plan.as_ref().map_or(Field::Empty, |plan| Field::Count(of(plan)));
        vec![
            ("kind", Field::text(self.kind)),
            ("key", Field::text(&self.key)),
            ("name_kk", name(|names| &names.kk)),
            ("name_ru", name(|names| &names.ru)),
            ("name_en", name(|names| &names.en)),
            ("voters", self.voters.clone()),
            ("denominator_date", self.denominator_date.map_or(Field::Empty, Field::text)),
            ("planned", plan(|plan| plan.planned)),
            ("due", plan(|plan| plan.due)),
            ("held", self.held.clone()),
            ("held_planned", plan(|plan| plan.held_planned)),
            ("held_extra", plan(|plan| plan.held_extra)),
            ("unlawful", plan(|plan| plan.unlawful)),
            ("cancelled", plan(|plan| plan.cancelled)),
            ("moved", plan(|plan| plan.moved)),
            ("missing", plan(|plan| plan.missing)),
            ("contested", plan(|plan| plan.contested)),
            ("gross", self.gross.clone()),
            ("identified", self.identified.clone()),
            ("contacts", self.contacts.clone()),
            ("reached", self.reached.clone()),
            ("lower", self.lower.clone()),
            ("upper", self.upper.clone()),
            ("coverage_percent", Field::share(&self.reached, &self.voters)),
            ("weak", self.weak.clone()),
            ("outside", self.outside.clone()),
        ]
    }

    /// Columns that only the operator's file has.
    fn details(&self) -> Vec<(&'static str, Field)> {
        let method = |method: Method| if method == Method::Exact { "exact" } else { "bounds" };
        vec![
            ("method", self.method.map_or(Field::Empty, |value| Field::text(method(value)))),
            ("over", self.over.map_or(Field::Empty, Field::text)),
            ("rest", self.unidentified.clone()),
            ("headcount_meetings", self.headcount_meetings.clone()),
            ("identified_meetings", self.identified_meetings.clone()),
        ]
    }
}

/// Columns that are the same in every row: what the figures are computed from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The clock of the calculation.
    pub as_of: Timestamp,
    /// Version of the definition.
    pub definition: u32,
    /// Id of the snapshot.
    pub snapshot: String,
}

/// Writes rows as CSV.
pub struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    dialect: Dialect,
    details: bool,
    source: Source,
    header_written: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the byte order mark. `details` adds the columns of the operator's file.
    pub fn new(mut to: W, dialect: Dialect, details: bool, source: Source) -> Result<Self, csv::Error> {
        to.write_all("\u{feff}".as_bytes())?;
        let delimiter = if dialect == Dialect::Comma { b',' } else { b';' };
        let out = csv::WriterBuilder::new().delimiter(delimiter).from_writer(to);
        Ok(Self { out, dialect, details, source, header_written: false })
    }

    /// Writes a row, preceded by the header if it is the first one.
    pub fn write_row(&mut self, row: &CsvRow) -> Result<(), csv::Error> {
        let mut columns = row.columns();
        if self.details {
            columns.extend(row.details());
        }
        let named = |state: &Field| -> Field {
            let names: Vec<&str> = columns.iter().filter(|(_, field)| field == state).map(|(name, _)| *name).collect();
            Field::Text(names.join(" "))
        };
        let (withheld, unknown) = (named(&Field::Withheld), named(&Field::Unknown));
        columns.extend([
            ("withheld", withheld),
            ("unknown", unknown),
            ("as_of", Field::text(self.source.as_of)),
            ("definition", Field::Count(self.source.definition.into())),
            ("snapshot", Field::text(&self.source.snapshot)),
        ]);
        if !std::mem::replace(&mut self.header_written, true) {
            self.out.write_record(columns.iter().map(|(name, _)| *name))?;
        }
        self.out.write_record(columns.iter().map(|(_, field)| field.to_text(self.dialect)))
    }

    /// Flushes the file and returns the underlying writer.
    pub fn finish(mut self) -> Result<W, csv::Error> {
        self.out.flush()?;
        self.out.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_in_either_dialect() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("x;=1+1", "x;'=1+1"),
            ("y,=2+2", "y,'=2+2"),
            ("＝1+1", "'＝1+1"),
            ("a\t@b", "a\t'@b"),
            ("Сарыағаш-2, солтүстік", "Сарыағаш-2, солтүстік"),
        ] {
            for dialect in [Dialect::Comma, Dialect::Semicolon] {
                assert_eq!(Field::text(text).to_text(dialect), written);
            }
        }
    }
}
