//! Tables and numbers as text for people, and the end of a command's output.

use std::io::Write;

use crate::{error::AnalyticsError, translations::Translations};

/// Columns as wide as their texts; the last one is as long as it is.
pub(super) fn write_table(out: &mut impl Write, header: Vec<String>, rows: Vec<Vec<String>>) -> std::io::Result<()> {
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        writeln!(out, "{}", padded.join("  ").trim_end())?;
    }
    Ok(())
}

/// A number rounded to tenths, as the language writes it.
pub(super) fn one_decimal(value: f64, translations: &Translations) -> String {
    translations.locale().decimals((value * 10.0).round() as u64 * 10, 1)
}

/// The result of writing to standard output. Whoever reads it may have seen enough, as `head` has.
pub(super) fn finish(written: std::io::Result<()>) -> Result<(), AnalyticsError> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|source| AnalyticsError::Write { path: "standard output".into(), source }),
    }
}
