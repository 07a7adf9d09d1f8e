//! Writes rows of figures as CSV.
//!
//! Guarantees: a number column contains a number or nothing. The columns `withheld` and `unknown` list the fields that are empty because
//! they are withheld or unknown; any other empty field does not apply to its row. Files begin with a byte order mark, so that
//! spreadsheets read the names as UTF-8.

use std::io::Write;

use jiff::Timestamp;

use super::{
    field::{Dialect, Field},
    row::CsvRow,
};

/// Columns that are the same in every row: what the figures are computed from.
#[derive(Debug, Clone)]
pub struct SourceColumns {
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
    with_details: bool,
    source: SourceColumns,
    header_written: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the byte order mark. `with_details` adds the columns of the complete file, `coverage.csv` of `compute`.
    pub fn new(mut to: W, dialect: Dialect, with_details: bool, source: SourceColumns) -> Result<Self, csv::Error> {
        to.write_all("\u{feff}".as_bytes())?;
        let delimiter = if dialect == Dialect::Comma { b',' } else { b';' };
        let out = csv::WriterBuilder::new().delimiter(delimiter).from_writer(to);
        Ok(Self { out, dialect, with_details, source, header_written: false })
    }

    /// Writes a row, preceded by the header if it is the first one.
    pub fn write_row(&mut self, row: &CsvRow) -> Result<(), csv::Error> {
        let mut columns = row.columns();
        if self.with_details {
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
