//! A slice as an Excel workbook: the table as real numbers, and a sheet that says what it was computed from and what its columns mean.
//!
//! Guarantees: a text is never a formula; the same slice gives the same bytes, since the workbook is dated with its as-of instant.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{SliceOutput, key_text};
use crate::csv::field::Field;

/// Width of the columns of keys, in characters.
const KEY_WIDTH: f64 = 16.0;
/// Characters of a text that a cell has room for (Excel's limit is 32,767). A longer list of filters is cut and ends with an ellipsis.
const CELL_TEXT: usize = 32_000;
/// Width of the column of explanations.
const TEXT_WIDTH: f64 = 90.0;

impl SliceOutput<'_> {
    /// The bytes of the workbook.
    pub(super) fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        let created = ExcelDateTime::from_timestamp(self.source.as_of.as_second())?;
        workbook.set_properties(&DocProperties::new().set_title("Qamtu").set_creation_datetime(&created));
        self.write_table(workbook.add_worksheet())?;
        self.write_about(workbook.add_worksheet())?;
        workbook.save_to_buffer()
    }

    fn write_table(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let (bold, whole, percent) =
            (Format::new().set_bold(), Format::new().set_num_format("#,##0"), Format::new().set_num_format("0.00%"));
        sheet.set_name("Slice")?;
        let header: Vec<&str> = self.header().chain(["unknown", "withheld"]).collect();
        for (column, name) in header.iter().enumerate() {
            sheet.write_with_format(0, column as u16, *name, &bold)?;
            sheet.set_column_width(column as u16, (name.len() as f64 + 3.0).max(if column < self.by.len() { KEY_WIDTH } else { 0.0 }))?;
        }
        let mut row = 0;
        for line in self.lines() {
            row += 1;
            for (column, key) in line.keys.iter().enumerate() {
                sheet.write_string(row, column as u16, key_text(key))?;
            }
            for (column, value) in line.values.iter().enumerate().map(|(at, value)| ((self.by.len() + at) as u16, value)) {
                match value {
                    Field::Count(count) => sheet.write_number_with_format(row, column, *count as f64, &whole)?,
                    Field::Percent(hundredths) => sheet.write_number_with_format(row, column, *hundredths as f64 / 10_000.0, &percent)?,
                    _ => sheet,
                };
            }
            for (state, column) in [Field::Unknown, Field::Withheld].iter().zip(header.len() - 2..) {
                sheet.write_string(row, column as u16, self.named(line, state).join(" "))?;
            }
        }
        sheet.set_freeze_panes(1, self.by.len() as u16)?;
        sheet.autofilter(0, 0, row.max(1), header.len() as u16 - 1)?;
        Ok(())
    }

    fn write_about(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let bold = Format::new().set_bold();
        sheet.set_name("About")?;
        sheet.set_column_width(0, KEY_WIDTH * 1.5)?;
        sheet.set_column_width(1, TEXT_WIDTH)?;
        let measures = self.measures.iter().map(|measure| (measure.name(), measure.meaning().to_owned()));
        for ((name, text), row) in self.origin().into_iter().chain(measures).zip(0..) {
            sheet.write_with_format(row, 0, name, &bold)?;
            sheet.write_string(row, 1, fit_cell(text))?;
        }
        Ok(())
    }
}

fn fit_cell(text: String) -> String {
    match text.char_indices().nth(CELL_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
